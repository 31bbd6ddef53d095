//! Differences that are known, each with its reason: `conformance/parity.toml`.

use std::fmt;

use cloverleaf_reports::Role;
use serde::Deserialize;

use super::{Comparison, Difference, Pair};
use crate::selection::Pattern;

/// A known difference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The other suite.
    pub suite: String,
    /// The subject; `*` at the end stands for any rest.
    pub subject: String,
    /// The subject's role; none: both.
    pub role: Option<Role>,
    /// The cases.
    pub cases: Vec<Pattern>,
    /// Both verdicts of the native suite, as `OK / OK`; `*` stands for any.
    pub native: String,
    /// Both verdicts of the other.
    pub other: String,
    /// It shows every time. If not, that it does not show is no mistake of the list.
    pub steady: bool,
    /// Why it is so, and who is right.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    difference: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    suite: String,
    subject: String,
    role: Option<String>,
    cases: Vec<String>,
    native: String,
    other: String,
    #[serde(default = "yes")]
    steady: bool,
    reason: String,
}

fn yes() -> bool {
    true
}

/// A list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedError(String);

impl fmt::Display for ListedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the list of known differences: {}", self.0)
    }
}

impl std::error::Error for ListedError {}

impl Listed {
    /// The list that this program was built with.
    ///
    /// # Errors
    ///
    /// If it is malformed, which a test excludes.
    pub fn all() -> Result<Vec<Self>, ListedError> {
        Self::parse(include_str!("../../parity.toml"))
    }

    /// Reads a list.
    ///
    /// # Errors
    ///
    /// If it is not TOML of this form, a pattern has no case, or a reason is missing.
    pub fn parse(text: &str) -> Result<Vec<Self>, ListedError> {
        let file: File = toml::from_str(text).map_err(|error| ListedError(error.to_string()))?;
        file.difference.into_iter().map(Self::of).collect()
    }

    fn of(entry: Entry) -> Result<Self, ListedError> {
        let wrong = |what: String| ListedError(format!("{}: {what}", entry.subject));
        let role = match entry.role.as_deref() {
            None => None,
            Some("server") => Some(Role::Server),
            Some("client") => Some(Role::Client),
            Some(other) => return Err(wrong(format!("{other:?} is no role"))),
        };
        if entry.reason.trim().is_empty() {
            return Err(wrong("there is no reason".to_owned()));
        }
        let cases = entry
            .cases
            .iter()
            .map(|case| case.parse())
            .collect::<Result<_, _>>();
        Ok(Self {
            role,
            cases: cases.map_err(|error| wrong(format!("{error}")))?,
            suite: entry.suite,
            subject: entry.subject,
            native: entry.native,
            other: entry.other,
            steady: entry.steady,
            reason: entry.reason,
        })
    }

    /// Whether it speaks of this subject, role and suite.
    pub fn concerns(&self, comparison: &Comparison) -> bool {
        let subject = match self.subject.strip_suffix('*') {
            Some(start) => comparison.subject.starts_with(start),
            None => comparison.subject == self.subject,
        };
        subject
            && self.suite == comparison.suite
            && self.role.is_none_or(|role| role == comparison.role)
    }

    /// Whether it explains a difference of a comparison that it [`concerns`](Self::concerns).
    pub fn explains(&self, difference: &Difference) -> bool {
        let shows = |pattern: &str, pair: &Option<Pair>| match pair {
            _ if pattern == "*" => true,
            Some(pair) => pattern == pair.to_string(),
            None => pattern == "no result",
        };
        self.cases
            .iter()
            .any(|pattern| pattern.matches(&difference.case))
            && shows(&self.native, &difference.native)
            && shows(&self.other, &difference.other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "[[difference]]\nsuite = \"wstest\"\nsubject = \"fault *\"\n\
        role = \"server\"\ncases = [\"7.3.*\"]\nnative = \"FAILED / OK\"\nother = \"*\"\n\
        reason = \"because\"\n";

    fn comparison(subject: &str, role: Role, suite: &'static str) -> Comparison {
        Comparison {
            subject: subject.to_owned(),
            role,
            suite,
            compared: 1,
            differences: Vec::new(),
            unsteady: Vec::new(),
            troubles: Vec::new(),
        }
    }

    fn difference(case: &str, native: (&str, &str)) -> Difference {
        Difference {
            case: case.parse().expect("an id"),
            native: Some(Pair {
                verdict: native.0.into(),
                close: native.1.into(),
            }),
            other: None,
        }
    }

    #[test]
    fn the_list_of_this_program_can_be_read() {
        Listed::all().expect("well-formed");
    }

    #[test]
    fn an_entry_explains_only_what_it_says() {
        let listed = &Listed::parse(ENTRY).expect("well-formed")[0];
        assert!(listed.concerns(&comparison("fault late-utf8", Role::Server, "wstest")));
        assert!(!listed.concerns(&comparison("fault late-utf8", Role::Client, "wstest")));
        assert!(!listed.concerns(&comparison("fault late-utf8", Role::Server, "kosoku")));
        assert!(!listed.concerns(&comparison("ours", Role::Server, "wstest")));
        assert!(listed.explains(&difference("7.3.6", ("FAILED", "OK"))));
        assert!(!listed.explains(&difference("7.1.6", ("FAILED", "OK"))));
        assert!(!listed.explains(&difference("7.3.6", ("OK", "OK"))));
    }

    #[test]
    fn an_entry_without_a_reason_or_a_case_is_refused() {
        for (from, to) in [
            ("because", " "),
            ("7.3.*", "8.*"),
            ("\"server\"", "\"peer\""),
            ("suite", "sweet"),
        ] {
            let text = ENTRY.replacen(from, to, 1);
            assert!(Listed::parse(&text).is_err(), "{to}");
        }
    }
}
