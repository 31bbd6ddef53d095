use serde_json::{Value, json};

use cloverleaf_reports::{load, schema};

use crate::sample::{assert_golden, empty, hostile, sample};

/// Whether a value fits a schema, for the keywords that occur; any other keyword is an error.
fn check(value: &Value, schema: &Value, root: &Value, path: &str) -> Result<(), String> {
    let Some(schema) = schema.as_object() else {
        return match schema {
            Value::Bool(true) => Ok(()),
            other => Err(format!("{path}: schema {other}")),
        };
    };
    for (keyword, rule) in schema {
        let fits = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" | "format" => true,
            "$ref" => {
                let place = rule.as_str().and_then(|rule| rule.strip_prefix('#'));
                let target = place.and_then(|place| root.pointer(place));
                check(value, target.ok_or("a dangling $ref")?, root, path)?;
                true
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|kind| is_type(value, kind)),
                kind => is_type(value, kind),
            },
            "const" => value == rule,
            "enum" => rule.as_array().is_some_and(|all| all.contains(value)),
            "minimum" => value.as_f64().is_none() || value.as_f64() >= rule.as_f64(),
            "maximum" => value.as_f64().is_none() || value.as_f64() <= rule.as_f64(),
            "required" => rule.as_array().is_some_and(|names| {
                names
                    .iter()
                    .all(|name| value.get(name.as_str().unwrap_or_default()).is_some())
            }),
            "properties" => {
                for (name, rule) in rule.as_object().ok_or("properties")? {
                    if let Some(part) = value.get(name) {
                        check(part, rule, root, &format!("{path}.{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                for (name, part) in value.as_object().into_iter().flatten() {
                    let named = schema.get("properties").and_then(|all| all.get(name));
                    let pattern = schema.contains_key("patternProperties");
                    if named.is_none() && !(pattern && rule == &json!(false)) {
                        check(part, rule, root, &format!("{path}.{name}"))?;
                    }
                }
                true
            }
            "patternProperties" => {
                // The only pattern made: keys that are numbers.
                for (pattern, rule) in rule.as_object().ok_or("patternProperties")? {
                    assert_eq!(pattern, "^\\d+$");
                    for (name, part) in value.as_object().into_iter().flatten() {
                        name.parse::<u64>().map_err(|_| format!("{path}.{name}"))?;
                        check(part, rule, root, &format!("{path}.{name}"))?;
                    }
                }
                true
            }
            "items" => {
                for part in value.as_array().into_iter().flatten() {
                    check(part, rule, root, &format!("{path}[]"))?;
                }
                true
            }
            "anyOf" | "oneOf" => {
                let all = rule.as_array().ok_or("a list of schemas")?;
                let fitting = all
                    .iter()
                    .filter(|rule| check(value, rule, root, path).is_ok());
                match keyword.as_str() {
                    "anyOf" => fitting.count() > 0,
                    _ => fitting.count() == 1,
                }
            }
            other => return Err(format!("{path}: keyword {other} is not known here")),
        };
        if !fits {
            return Err(format!("{path}: {keyword} {rule}"));
        }
    }
    Ok(())
}

fn is_type(value: &Value, kind: &Value) -> bool {
    match kind.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}

fn checked(value: &Value) -> Result<(), String> {
    let schema: Value = serde_json::from_str(&schema::record()).expect("JSON");
    check(value, &schema, &schema, "record")
}

#[test]
fn the_schema_is_written_byte_for_byte() {
    assert_golden("record.schema.json", &schema::record());
}

#[test]
fn records_of_every_kind_fit_the_schema() {
    let wstest = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wstest");
    let mut records = vec![sample(), hostile(), sample().without_details()];
    records.extend(empty().map(|(_, record)| record));
    for folder in ["server", "client"] {
        records.push(load::read(&wstest.join(folder)).expect("reports"));
    }
    for record in records {
        let value = serde_json::from_str(&record.to_json()).expect("JSON");
        assert_eq!(checked(&value), Ok(()));
    }
}

#[test]
fn what_is_no_record_does_not_fit() {
    let value: Value = serde_json::from_str(&sample().to_json()).expect("JSON");
    for (place, wrong) in [
        ("/schema", json!(2)),
        ("/title", json!(null)),
        ("/runs/0/role", json!("proxy")),
        ("/runs/0/subjects/0/name", json!(1)),
        ("/runs/0/subjects/0/results/1.1.1/duration_ms", json!("3")),
        ("/runs/0/subjects/0/results/1.1.1/verdict", json!(0)),
        ("/runs", json!({})),
    ] {
        let mut broken = value.clone();
        *broken.pointer_mut(place).expect(place) = wrong;
        assert!(checked(&broken).is_err(), "{place}");
    }
    assert!(checked(&json!({"schema": 1})).is_err());
}
