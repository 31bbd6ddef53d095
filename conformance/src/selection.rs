//! Which cases to run: Autobahn's pattern rule.
//!
//! A pattern with `*` is matched at the start of an id only, `*` standing for anything and
//! `.` for itself: `1.*` is group 1, `1*` is groups 1, 10, 12 and 13, `*` is everything.
//! A pattern without `*` is one exact id.

use std::fmt;
use std::str::FromStr;

use cloverleaf_reports::CaseId;

use crate::catalog;
use crate::spec::glob;

/// One pattern for case ids. Parsing fails unless it matches at least one case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(String);

impl Pattern {
    /// Whether the pattern covers this case.
    pub fn matches(&self, case: &CaseId) -> bool {
        matches_text(&self.0, case.as_str())
    }
}

fn matches_text(pattern: &str, id: &str) -> bool {
    if !pattern.contains('*') {
        return pattern == id;
    }
    glob::matches_start(pattern, id)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pattern that no case of the suite matches, or a selection that is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SelectionError {
    /// The pattern matches no case.
    NoMatch(String),
    /// The exclusions leave nothing to run.
    Empty,
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMatch(pattern) => {
                write!(f, "no case matches `{}`", pattern.escape_debug())?;
                // The likeliest slip: a group or a section named without a star.
                let starred = format!("{}.*", pattern.trim_end_matches('.'));
                if catalog::known()
                    .iter()
                    .any(|case| matches_text(&starred, case.as_str()))
                {
                    write!(f, "; for all cases below it write `{starred}`")
                } else {
                    f.write_str(
                        "; write an id such as 1.1.1 or a pattern such as 9.* \
                         (groups: 1-7, 9, 10, 12, 13 and, in the native suite only, \
                         close, composition, deflate-frame, handshake, limits, mux, negotiation)",
                    )
                }
            }
            Self::Empty => f.write_str("the exclusions leave no case to run"),
        }
    }
}

impl std::error::Error for SelectionError {}

impl FromStr for Pattern {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        if catalog::known()
            .iter()
            .any(|case| matches_text(text, case.as_str()))
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(SelectionError::NoMatch(text.to_owned()))
        }
    }
}

/// The cases of a suite that some pattern of `include` matches and none of `exclude`, in their
/// order. An empty `include` stands for the whole suite.
///
/// # Errors
///
/// [`SelectionError::Empty`] if nothing is left.
pub fn select(
    suite: impl IntoIterator<Item = CaseId>,
    include: &[Pattern],
    exclude: &[Pattern],
) -> Result<Vec<CaseId>, SelectionError> {
    let any =
        |patterns: &[Pattern], case: &CaseId| patterns.iter().any(|pattern| pattern.matches(case));
    let cases: Vec<_> = suite
        .into_iter()
        .filter(|case| (include.is_empty() || any(include, case)) && !any(exclude, case))
        .collect();
    if cases.is_empty() {
        return Err(SelectionError::Empty);
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::CASE_COUNT;

    fn patterns(list: &[&str]) -> Vec<Pattern> {
        list.iter()
            .map(|text| text.parse().expect("matches something"))
            .collect()
    }

    fn count(include: &[&str], exclude: &[&str]) -> usize {
        select(catalog::all(), &patterns(include), &patterns(exclude))
            .expect("not empty")
            .len()
    }

    #[test]
    fn a_star_is_matched_at_the_start_only() {
        for (pattern, cases) in [
            ("*", CASE_COUNT),
            ("1.*", 16),
            ("1*", 16 + 1 + 90 + 126),
            ("12.*", 90),
            ("12.1.*", 18),
            ("12.1.1*", 10),
            ("6.4.*", 4),
            ("6.4*", 4),
            ("6.*.34", 1),
            ("*.34", 1),
            ("7.7.*", 13),
            ("2.1*", 3),
        ] {
            assert_eq!(count(&[pattern], &[]), cases, "{pattern}");
        }
    }

    #[test]
    fn without_a_star_only_the_exact_id_matches() {
        assert_eq!(count(&["1.1.1"], &[]), 1);
        assert_eq!(count(&["2.1"], &[]), 1);
        assert_eq!(count(&["1.1.1", "1.1.1", "1.1.*"], &[]), 8);
    }

    #[test]
    fn nothing_included_means_everything_and_exclusions_are_subtracted() {
        assert_eq!(count(&[], &[]), CASE_COUNT);
        assert_eq!(count(&[], &["12.*", "13.*"]), 301);
        assert_eq!(count(&[], &["12.*", "13.*", "9.*"]), 247);
        assert_eq!(
            select(catalog::all(), &patterns(&["1.*"]), &patterns(&["1*"])),
            Err(SelectionError::Empty)
        );
    }

    #[test]
    fn a_pattern_without_a_case_is_refused_with_advice() {
        for (text, advice) in [
            ("9.1", "write `9.1.*`"),
            ("12", "write `12.*`"),
            ("8.*", "groups: 1-7"),
            ("", "write an id"),
            ("1.1.1 ", "write an id"),
            ("1.1.[12]", "write an id"),
            ("-1", "write an id"),
        ] {
            let error = text
                .parse::<Pattern>()
                .expect_err("matches nothing")
                .to_string();
            assert!(error.contains(advice), "{text:?}: {error}");
        }
    }
}
