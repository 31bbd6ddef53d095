//! Which cases a spec file asks for.
//!
//! An entry with `*` is matched at the start of an id, any other entry is one exact id; the
//! cases run in the order of their ids, each once. An entry that begins with a star covers
//! Autobahn's numbered cases only, so that `*` means what it meant when the file was written;
//! a named group is selected by its name, `handshake.*`.

use cloverleaf_reports::CaseId;

use super::error::{Problem, shown};
use super::glob;
use super::reader::{Object, nearest};

/// The cases that `cases` selects and `exclude-cases` leaves, in the order of the ids.
///
/// Entries that match nothing are errors where the original ends with a traceback (an exact
/// id in `cases`), and warnings where it carries on.
pub(super) fn select(
    spec: &Object<'_>,
    known: &[CaseId],
    warnings: &mut Vec<String>,
) -> Result<Vec<CaseId>, Problem> {
    let include = spec.strings("cases")?.ok_or_else(|| Problem::Missing {
        place: spec.place("cases"),
        must_be: "a list of case ids and patterns; [\"*\"] is the whole suite".to_owned(),
    })?;
    for (at, pattern) in include.iter().enumerate() {
        if known.iter().any(|case| covers(pattern, case)) {
            continue;
        }
        let place = format!("{}[{at}]", spec.place("cases"));
        // `8.*` has always selected nothing and stands in old files.
        if is_plain_pattern(pattern) {
            warnings.push(no_effect(&place, pattern, known));
        } else {
            return Err(Problem::NoSuchCase {
                place: format!("`{place}`"),
                pattern: pattern.clone(),
                advice: advice(pattern, known),
            });
        }
    }
    let exclude = spec.strings("exclude-cases")?.unwrap_or_default();
    for (at, pattern) in exclude.iter().enumerate() {
        if !known.iter().any(|case| covers(pattern, case)) {
            warnings.push(no_effect(
                &format!("{}[{at}]", spec.place("exclude-cases")),
                pattern,
                known,
            ));
        }
    }
    let any = |patterns: &[String], case| patterns.iter().any(|pattern| covers(pattern, case));
    let mut cases: Vec<CaseId> = known
        .iter()
        .filter(|case| any(&include, case) && !any(&exclude, case))
        .cloned()
        .collect();
    cases.sort();
    cases.dedup();
    if cases.is_empty() {
        return Err(Problem::NothingSelected);
    }
    Ok(cases)
}

/// Whether an entry of `cases` or `exclude-cases` covers a case.
fn covers(pattern: &str, case: &CaseId) -> bool {
    if !pattern.contains('*') {
        return pattern == case.as_str();
    }
    let named = !case.group().bytes().all(|byte| byte.is_ascii_digit());
    if named && pattern.starts_with('*') {
        return false;
    }
    glob::matches_start(pattern, case.as_str())
}

/// Whether it has a star and otherwise only what ids are made of. Anything more is an attempt
/// at a regular expression, which would quietly select too little.
fn is_plain_pattern(pattern: &str) -> bool {
    pattern.contains('*')
        && pattern
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".*-_".contains(&byte))
}

/// The warning about an exclusion that excludes nothing.
pub(super) fn no_effect(place: &str, pattern: &str, known: &[CaseId]) -> String {
    format!(
        "`{place}` has no effect: no case matches `{}`; {}",
        shown(pattern),
        advice(pattern, known)
    )
}

/// What to write instead of an entry that matches nothing.
fn advice(pattern: &str, known: &[CaseId]) -> String {
    let trimmed = pattern.trim().trim_end_matches('.');
    if known.iter().any(|case| case.as_str() == trimmed) {
        return format!("write `{trimmed}`");
    }
    // The likeliest slip: a group or a section named without a star.
    let below = format!("{trimmed}.*");
    if !trimmed.is_empty() && known.iter().any(|case| covers(&below, case)) {
        return format!("for all cases below it write `{}`", shown(&below));
    }
    let named = groups(known, |group| !is_number(group));
    let written = pattern.split(['.', '*']).next().unwrap_or_default();
    if !is_number(written)
        && let Some(group) = nearest(written, named.iter().copied())
    {
        return format!("did you mean `{group}.*`?");
    }
    let mut advice = format!(
        "write an id such as `1.1.1` or a pattern such as `9.*`; only `*` is special (groups: {}",
        groups(known, is_number).join(", ")
    );
    for group in named {
        advice.push_str(", ");
        advice.push_str(group);
    }
    advice.push(')');
    advice
}

fn is_number(group: &str) -> bool {
    !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit())
}

/// The groups that there are, each once, in the order of the ids.
fn groups(known: &[CaseId], wanted: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut ids: Vec<&CaseId> = known.iter().filter(|case| wanted(case.group())).collect();
    ids.sort();
    let mut groups: Vec<&str> = ids.into_iter().map(CaseId::group).collect();
    groups.dedup();
    groups
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::catalog;
    use crate::selection::Pattern;
    use crate::spec::reader::parse_json;

    /// Autobahn's cases and a few named ones, out of order.
    pub(in crate::spec) fn known() -> Vec<CaseId> {
        let named = ["handshake.2", "handshake.12", "handshake.1", "close.1"];
        named
            .iter()
            .map(|id| id.parse().expect("an id"))
            .chain(catalog::all())
            .collect()
    }

    fn read(json: &str) -> (Result<Vec<CaseId>, Problem>, Vec<String>) {
        let value = parse_json(json).expect("JSON");
        let spec = Object::new(String::new(), &value).expect("an object");
        let mut warnings = Vec::new();
        let cases = select(&spec, &known(), &mut warnings);
        (cases, warnings)
    }

    fn ids(json: &str) -> Vec<String> {
        let (cases, _) = read(json);
        cases
            .expect("a selection")
            .into_iter()
            .map(String::from)
            .collect()
    }

    #[test]
    fn cases_run_in_the_order_of_their_ids_and_once_each() {
        for (json, expected) in [
            (
                r#"{"cases": ["2.10", "2.9", "1.1.1", "2.9"]}"#,
                "1.1.1 2.9 2.10",
            ),
            (r#"{"cases": ["6.4*", "6.4.1"]}"#, "6.4.1 6.4.2 6.4.3 6.4.4"),
            (r#"{"cases": ["10*"]}"#, "10.1.1"),
            (r#"{"cases": ["6.*.34"]}"#, "6.22.34"),
            (
                r#"{"cases": ["2.1*"], "exclude-cases": ["2.10"]}"#,
                "2.1 2.11",
            ),
            (
                r#"{"cases": ["close.*", "2.1", "handshake.*"]}"#,
                "2.1 close.1 handshake.1 handshake.2 handshake.12",
            ),
            (r#"{"cases": ["handshake.1*"]}"#, "handshake.1 handshake.12"),
            (
                r#"{"cases": ["handshake.*"], "exclude-cases": ["*", "handshake.2"]}"#,
                "handshake.1 handshake.12",
            ),
        ] {
            assert_eq!(ids(json).join(" "), expected, "{json}");
        }
    }

    #[test]
    fn a_star_means_autobahns_cases_and_not_the_named_ones() {
        let suite: Vec<String> = catalog::all().map(String::from).collect();
        assert_eq!(ids(r#"{"cases": ["*"]}"#), suite);
        assert_eq!(ids(r#"{"cases": ["*"]}"#).len(), 517);
        assert_eq!(ids(r#"{"cases": ["*.34"]}"#), ["6.22.34"]);
        assert_eq!(ids(r#"{"cases": ["*1"], "exclude-cases": []}"#).len(), {
            suite.iter().filter(|id| id.contains('1')).count()
        });
    }

    #[test]
    fn on_autobahns_cases_the_rule_is_that_of_the_command_line() {
        for text in [
            "*", "1*", "1.*", "6.4*", "6.*.3", "*.3", "2.1", "2.1*", "12.*.1*", "*7*", "7.*7*",
        ] {
            let pattern: Pattern = text.parse().expect("matches something");
            for case in catalog::all() {
                assert_eq!(covers(text, &case), pattern.matches(&case), "{text} {case}");
            }
        }
    }

    #[test]
    fn an_exact_entry_that_is_no_case_is_an_error_with_advice() {
        for (entry, advice) in [
            ("9.1", "for all cases below it write `9.1.*`"),
            ("12", "write `12.*`"),
            ("7.", "write `7.*`"),
            ("handshake", "write `handshake.*`"),
            ("1.1.1 ", "write `1.1.1`"),
            ("handshaek.1", "did you mean `handshake.*`?"),
            ("8.1.1", "write an id such as `1.1.1`"),
            (
                "",
                "groups: 1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13, close, handshake)",
            ),
            ("1.1.[12]*", "only `*` is special"),
            ("(1|2).*", "only `*` is special"),
        ] {
            let (result, _) = read(&format!(r#"{{"cases": ["1.1.2", "{entry}"]}}"#));
            let error = result.expect_err(entry).to_string();
            assert!(error.contains("`cases[1]`"), "{error}");
            assert!(error.contains(advice), "{entry:?}: {error}");
        }
    }

    #[test]
    fn what_the_original_passes_over_is_a_warning() {
        for (json, place, advice) in [
            (
                r#"{"cases": ["1.*", "8.*"]}"#,
                "`cases[1]`",
                "no case matches `8.*`",
            ),
            (
                r#"{"cases": ["1.*"], "exclude-cases": ["9.1"]}"#,
                "`exclude-cases[0]` has no effect",
                "write `9.1.*`",
            ),
            (
                r#"{"cases": ["1.*"], "exclude-cases": ["*", "11.*", "1.1.1"]}"#,
                "",
                "",
            ),
        ] {
            let (result, warnings) = read(json);
            if advice.is_empty() {
                assert!(matches!(result, Err(Problem::NothingSelected)), "{json}");
                continue;
            }
            assert_eq!(result.expect("a selection").len(), 16, "{json}");
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains(place), "{warnings:?}");
            assert!(warnings[0].contains(advice), "{warnings:?}");
        }
    }

    #[test]
    fn lists_of_cases_must_be_lists_of_texts() {
        for (json, expected) in [
            ("{}", "`cases` is missing; it must be a list of case ids"),
            (r#"{"cases": null}"#, "`cases` is missing"),
            (
                r#"{"cases": "*"}"#,
                "`cases` must be a list of texts, [\"...\"], but is the text \"*\"",
            ),
            (
                r#"{"cases": [1.1]}"#,
                "`cases[0]` must be a text in double quotes, but is 1.1",
            ),
            (
                r#"{"cases": ["*"], "exclude-cases": {}}"#,
                "`exclude-cases` must be a list of texts, [\"...\"], but is an object",
            ),
            (r#"{"cases": []}"#, "\"cases\": [\"*\"]"),
            (
                r#"{"cases": ["1.*"], "exclude-cases": ["1*"]}"#,
                "leave no case to run",
            ),
        ] {
            let (result, _) = read(json);
            let error = result.expect_err(json).to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
