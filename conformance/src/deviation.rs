//! Known deviations: results that are not as they should be, and accepted, each with its reason.
//!
//! Those of the suites, verdicts that are wrong, are kept in `expected/*.toml`, those of subjects
//! in the [subjects file](crate::subjects). Both directions must stay true: a listed case that is
//! judged rightly is reported too, so that the lists do not go stale.

use std::fmt;
use std::sync::LazyLock;

use cloverleaf_reports::{CaseId, CloseVerdict, Role, Verdict};
use serde::Deserialize;

use crate::selection::Pattern;
use crate::suite::Suite;

/// Cases whose result is known not to be as it should, and accepted: a suite judges them wrongly,
/// or the subject is that way.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Deviation {
    /// In this role.
    pub role: Role,
    cases: Vec<Pattern>,
    verdict: Verdict,
    close_verdicts: Vec<CloseVerdict>,
    /// Why it is so.
    pub reason: String,
    /// It does not always show.
    pub sometimes: bool,
}

impl Deviation {
    /// The cases of a role that have these verdicts, and the reason.
    pub(crate) fn new(
        role: Role,
        cases: Vec<Pattern>,
        verdict: Verdict,
        close_verdicts: Vec<CloseVerdict>,
        reason: String,
        sometimes: bool,
    ) -> Self {
        Self {
            role,
            cases,
            verdict,
            close_verdicts,
            reason,
            sometimes,
        }
    }

    /// Whether this case, in this role, is one of those.
    pub(crate) fn covers(&self, role: Role, case: &CaseId) -> bool {
        self.role == role && self.cases.iter().any(|pattern| pattern.matches(case))
    }

    /// The patterns of its cases.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.cases
    }

    /// Whether these are the verdicts the defect shows in.
    pub(crate) fn shows(&self, verdict: &Verdict, close_verdict: &CloseVerdict) -> bool {
        self.verdict == *verdict && self.close_verdicts.contains(close_verdict)
    }

    pub(crate) fn parse(text: &str) -> Result<Vec<Self>, InvalidDeviation> {
        let file: File =
            toml::from_str(text).map_err(|error| InvalidDeviation(error.to_string()))?;
        file.deviation
            .into_iter()
            .map(|entry| {
                let cases = entry
                    .cases
                    .iter()
                    .map(|case| case.parse())
                    .collect::<Result<_, _>>();
                Ok(Self::new(
                    entry.role,
                    cases.map_err(|error| InvalidDeviation(format!("{error}")))?,
                    entry.behavior,
                    entry.close,
                    entry.reason,
                    false,
                ))
            })
            .collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    deviation: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    role: Role,
    cases: Vec<String>,
    behavior: Verdict,
    close: Vec<CloseVerdict>,
    reason: String,
}

/// What is wrong with a list of deviations.
#[derive(Debug)]
pub(crate) struct InvalidDeviation(String);

impl fmt::Display for InvalidDeviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The known deviations of a suite. wstest has none: it is the judge that counts.
pub(crate) fn of(suite: Suite) -> &'static [Deviation] {
    static KOSOKU: LazyLock<Vec<Deviation>> = LazyLock::new(|| {
        Deviation::parse(include_str!("../expected/kosoku.toml"))
            .expect("a test reads the same file")
    });
    match suite {
        Suite::Wstest => &[],
        Suite::Kosoku => &KOSOKU,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_lists_is_readable_and_has_a_reason() {
        let entries = Deviation::parse(include_str!("../expected/kosoku.toml"))
            .unwrap_or_else(|error| panic!("expected/kosoku.toml: {error}"));
        for entry in &entries {
            assert!(entry.reason.len() > 20, "{entry:?}");
            assert!(
                !entry.cases.is_empty() && !entry.close_verdicts.is_empty(),
                "{entry:?}"
            );
        }
        assert!(of(Suite::Wstest).is_empty());
    }

    #[test]
    fn slips_in_a_list_are_refused() {
        let entry = |line: &str| {
            format!(
                "[[deviation]]\nrole = \"server\"\nbehavior = \"OK\"\nclose = [\"OK\"]\n\
                 reason = \"x\"\n{line}"
            )
        };
        assert!(Deviation::parse(&entry("cases = [\"1.1.1\"]")).is_ok());
        for line in [
            "cases = [\"8.1\"]",
            "cases = [\"1.1.1\"]\nbecause = \"y\"",
            "",
        ] {
            assert!(Deviation::parse(&entry(line)).is_err(), "{line}");
        }
    }
}
