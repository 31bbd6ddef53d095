//! A case that two suites judge differently.

use std::collections::BTreeMap;
use std::fmt;

use cloverleaf_reports::{CaseId, CloseVerdict, Verdict};

/// Both verdicts on a case.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there are two verdicts")]
pub struct Pair {
    /// How the subject behaved.
    pub verdict: Verdict,
    /// How the connection ended.
    pub close: CloseVerdict,
}

impl From<(Verdict, CloseVerdict)> for Pair {
    fn from((verdict, close): (Verdict, CloseVerdict)) -> Self {
        Self { verdict, close }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.verdict, self.close)
    }
}

/// A case that two suites judge differently. `None`: the suite has no result.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "two suites are compared")]
pub struct Difference {
    /// The case.
    pub case: CaseId,
    /// What the native suite says.
    pub native: Option<Pair>,
    /// What the other says.
    pub other: Option<Pair>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |pair: &Option<Pair>| {
            pair.as_ref()
                .map_or_else(|| "no result".to_owned(), ToString::to_string)
        };
        write!(
            f,
            "{}: native {}, other {}",
            self.case,
            shown(&self.native),
            shown(&self.other)
        )
    }
}

/// The cases that are judged differently, in id order.
pub(super) fn between(
    native: &BTreeMap<CaseId, Pair>,
    other: &BTreeMap<CaseId, Pair>,
) -> Vec<Difference> {
    let mut cases: Vec<_> = native.keys().chain(other.keys()).collect();
    cases.sort_unstable();
    cases.dedup();
    cases
        .into_iter()
        .filter(|case| native.get(case) != other.get(case))
        .map(|case| Difference {
            case: case.clone(),
            native: native.get(case).cloned(),
            other: other.get(case).cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(list: &[(&str, &str, &str)]) -> BTreeMap<CaseId, Pair> {
        list.iter()
            .map(|(case, verdict, close)| {
                let pair: (Verdict, CloseVerdict) = ((*verdict).into(), (*close).into());
                (case.parse().expect("an id"), Pair::from(pair))
            })
            .collect()
    }

    #[test]
    fn either_verdict_and_a_missing_result_make_a_difference() {
        let native = verdicts(&[
            ("1.1.1", "OK", "OK"),
            ("1.1.2", "OK", "OK"),
            ("2.1", "OK", "OK"),
            ("10.1.1", "FAILED", "OK"),
        ]);
        let other = verdicts(&[
            ("1.1.1", "OK", "OK"),
            ("1.1.2", "OK", "UNCLEAN"),
            ("10.1.1", "OK", "OK"),
            ("12.1.1", "OK", "OK"),
        ]);
        let differences = between(&native, &other);
        let shown: Vec<_> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "1.1.2: native OK / OK, other OK / UNCLEAN",
                "2.1: native OK / OK, other no result",
                "10.1.1: native FAILED / OK, other OK / OK",
                "12.1.1: native no result, other OK / OK",
            ]
        );
    }
}
