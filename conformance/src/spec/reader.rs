//! Typed reading of JSON objects: what is wrong is named with its place, and what nobody asked
//! for becomes a warning.
//!
//! `null` counts as absent everywhere: so it does in the original.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use super::error::{Problem, SpecError, shown};

/// The longest time a spec may ask for: longer than any run, and safe to add to a clock.
const LONGEST: f64 = 1e6;

/// The text of a file, without the mark that Windows editors put first.
pub(super) fn read_file(path: &Path) -> Result<String, SpecError> {
    let read = || -> Result<String, Problem> {
        let bytes = fs::read(path).map_err(Problem::Unreadable)?;
        String::from_utf8(bytes).map_err(|error| Problem::NotUtf8 {
            offset: error.utf8_error().valid_up_to(),
        })
    };
    read().map_err(|problem| SpecError::from(problem).in_file(path))
}

/// The JSON value of a text.
pub(super) fn parse_json(text: &str) -> Result<Value, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        let full = error.to_string();
        let reason = full
            .split_once(" at line ")
            .map_or(full.as_str(), |(reason, _)| reason);
        Problem::NotJson {
            line: error.line(),
            column: error.column(),
            reason: reason.to_owned(),
        }
    })
}

/// One JSON object and where it is in the file.
#[derive(Clone, Debug)]
pub(super) struct Object<'a> {
    place: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// The object that a value is. The place of a file's outermost one is empty.
    pub(super) fn new(place: String, value: &'a Value) -> Result<Self, Problem> {
        match value {
            Value::Object(fields) => Ok(Self { place, fields }),
            _ => {
                let place = if place.is_empty() {
                    "the spec".to_owned()
                } else {
                    format!("`{place}`")
                };
                Err(Problem::Wrong {
                    place,
                    must_be: "an object, {...}".to_owned(),
                    found: found(value),
                })
            }
        }
    }

    /// The path of a field.
    pub(super) fn place(&self, name: &str) -> String {
        if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        }
    }

    /// The names of all fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.fields.keys().map(String::as_str)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// The field, if it is there, as what `take` makes of it.
    pub(super) fn field<T>(
        &self,
        name: &str,
        must_be: &str,
        take: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match take(value) {
            Some(taken) => Ok(Some(taken)),
            None => Err(Problem::Wrong {
                place: format!("`{}`", self.place(name)),
                must_be: must_be.to_owned(),
                found: found(value),
            }),
        }
    }

    pub(super) fn string(&self, name: &str) -> Result<Option<String>, Problem> {
        self.field(name, "a text in double quotes", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    pub(super) fn required_string(&self, name: &str, must_be: &str) -> Result<String, Problem> {
        self.string(name)?.ok_or_else(|| Problem::Missing {
            place: self.place(name),
            must_be: must_be.to_owned(),
        })
    }

    pub(super) fn strings(&self, name: &str) -> Result<Option<Vec<String>>, Problem> {
        self.list(name, "a list of texts, [\"...\"]")?
            .map(|items| {
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| match item {
                        Value::String(text) => Ok(text.clone()),
                        _ => Err(Problem::Wrong {
                            place: format!("`{}[{at}]`", self.place(name)),
                            must_be: "a text in double quotes".to_owned(),
                            found: found(item),
                        }),
                    })
                    .collect()
            })
            .transpose()
    }

    pub(super) fn list(&self, name: &str, must_be: &str) -> Result<Option<&'a [Value]>, Problem> {
        self.field(name, must_be, |value| value.as_array().map(Vec::as_slice))
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, Problem> {
        self.get(name)
            .map(|value| Self::new(self.place(name), value))
            .transpose()
    }

    /// A switch. The original takes 0 and 1 too.
    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Problem> {
        self.field(name, "true or false", |value| match integer(value) {
            Some(0) => Some(false),
            Some(1) => Some(true),
            Some(_) => None,
            None => value.as_bool(),
        })
    }

    pub(super) fn integer(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let must_be = if *range.end() == u64::MAX {
            format!("a whole number, {} or more", range.start())
        } else {
            format!("a whole number from {} to {}", range.start(), range.end())
        };
        self.field(name, &must_be, |value| {
            integer(value).filter(|number| range.contains(number))
        })
    }

    /// A time in seconds; 0 stands for none.
    pub(super) fn seconds(&self, name: &str) -> Result<Option<Option<Duration>>, Problem> {
        let must_be = "a number of seconds from 0 (off) to 1000000, fractions allowed";
        self.field(name, must_be, |value| {
            let seconds = value
                .as_f64()
                .filter(|seconds| (0.0..=LONGEST).contains(seconds))?;
            Some(Some(Duration::from_secs_f64(seconds)).filter(|time| !time.is_zero()))
        })
    }

    /// Warns of every field that is not in `known`.
    pub(super) fn warn_of_unknown(&self, known: &[&str], warnings: &mut Vec<String>) {
        for name in self.names().filter(|name| !known.contains(name)) {
            warnings.push(self.unknown(name, nearest(name, known.iter().copied())));
        }
    }

    /// The warning of a field that nobody reads.
    pub(super) fn unknown(&self, name: &str, meant: Option<&str>) -> String {
        let place = if self.place.is_empty() {
            "at the top".to_owned()
        } else {
            format!("in `{}`", self.place)
        };
        let mut warning = format!("`{}` {place} is not known and is ignored", shown(name));
        if let Some(meant) = meant {
            warning.push_str(&format!("; did you mean `{meant}`?"));
        }
        warning
    }
}

/// A whole number, however it is written: Python counts 13.0 as 13 too.
pub(super) fn integer(value: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: beyond it a float skips numbers
    value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|float| float.fract() == 0.0 && (0.0..=EXACT).contains(float))
            .map(|float| float as u64)
    })
}

/// A value as a message names it.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => format!("the text \"{}\"", shown(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// The known name that was most likely meant, if one is near.
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let plain = |text: &str| -> Vec<char> {
        text.chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .take(64) // longer names are near to none
            .collect()
    };
    let written = plain(name);
    known
        .into_iter()
        .map(|candidate| {
            let candidate_plain = plain(candidate);
            (
                edits(&written, &candidate_plain),
                candidate_plain.len(),
                candidate,
            )
        })
        .filter(|&(distance, length, _)| distance <= length.div_ceil(4).min(3))
        .min_by_key(|&(distance, ..)| distance)
        .map(|(.., candidate)| candidate)
}

/// How many letters must be added, dropped or changed to make one word the other.
fn edits(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (at, b) in right.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_far_ones_are_not() {
        let known = ["servers", "cases", "exclude-cases", "exclude-agent-cases"];
        for (written, meant) in [
            ("server", Some("servers")),
            ("Servers", Some("servers")),
            ("exclude_cases", Some("exclude-cases")),
            ("excludeCases", Some("exclude-cases")),
            ("exlude-agent-cases", Some("exclude-agent-cases")),
            ("case", Some("cases")),
            ("comment", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }

    #[test]
    fn edits_are_counted() {
        let count = |left: &str, right: &str| {
            edits(
                &left.chars().collect::<Vec<_>>(),
                &right.chars().collect::<Vec<_>>(),
            )
        };
        for (left, right, distance) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("same", "same", 0),
        ] {
            assert_eq!(count(left, right), distance, "{left} {right}");
        }
    }

    #[test]
    fn text_that_is_not_json_is_placed_by_line_and_column() {
        for (text, line, column, reason) in [
            ("", 1, 0, "EOF while parsing a value"),
            ("{\n  \"a\": 1,\n}", 3, 1, "trailing comma"),
            ("{'a': 1}", 1, 2, "key must be a string"),
            ("{}\n// end", 2, 1, "trailing characters"),
            ("\u{feff}{,}", 1, 2, "key must be a string"),
        ] {
            let Err(Problem::NotJson {
                line: got_line,
                column: got_column,
                reason: got_reason,
            }) = parse_json(text)
            else {
                panic!("{text:?} is taken for JSON");
            };
            assert_eq!(
                (got_line, got_column, got_reason.as_str()),
                (line, column, reason),
                "{text:?}"
            );
        }
        assert!(parse_json("\u{feff}{}").is_ok());
    }
}
