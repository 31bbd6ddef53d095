//! A verdict as it is shown: a symbol, a word and a class, so that colour is never needed.

use serde::Serialize;

use super::visible::name;
use crate::model::{CloseVerdict, Counts, Standing, Verdict};

/// A verdict, ready to show.
#[derive(Clone, Serialize)]
pub(super) struct Badge {
    /// The class for colours.
    class: &'static str,
    symbol: &'static str,
    word: String,
}

impl Badge {
    pub(super) fn of_verdict(verdict: &Verdict) -> Self {
        let (class, symbol) = match verdict {
            Verdict::Ok => ("ok", "✓"),
            Verdict::NonStrict => ("nonstrict", "≈"),
            Verdict::Informational => ("info", "i"),
            Verdict::Unimplemented => ("unimpl", "○"),
            Verdict::Failed => ("failed", "✗"),
            Verdict::Error => ("error", "!"),
            Verdict::Missing => ("missing", "?"),
            Verdict::Other(_) => ("error", "!"),
        };
        Self {
            class,
            symbol,
            word: name(verdict.as_str()),
        }
    }

    pub(super) fn of_close(verdict: &CloseVerdict) -> Self {
        let (class, symbol) = match verdict {
            CloseVerdict::Ok => ("ok", "✓"),
            CloseVerdict::Informational => ("info", "i"),
            CloseVerdict::FailedByClient => ("nonstrict", "≈"),
            CloseVerdict::Failed | CloseVerdict::Unclean | CloseVerdict::WrongCode => {
                ("failed", "✗")
            }
            CloseVerdict::Missing => ("missing", "?"),
            CloseVerdict::Other(_) => ("error", "!"),
        };
        Self {
            class,
            symbol,
            word: name(verdict.as_str()),
        }
    }

    pub(super) fn of_standing(standing: Standing) -> Self {
        let (class, symbol, word) = match standing {
            Standing::Pass => ("ok", "✓", "Pass"),
            Standing::Notes => ("nonstrict", "≈", "Pass with notes"),
            Standing::Fail => ("failed", "✗", "Fail"),
        };
        Self {
            class,
            symbol,
            word: word.to_owned(),
        }
    }
}

/// How often a verdict was given, and its share of a bar.
#[derive(Serialize)]
pub(super) struct Count {
    badge: Badge,
    count: usize,
    /// The share of all cases in hundredths of a percent point, as CSS wants it: `12.34`.
    percent: String,
}

impl Count {
    /// The verdicts that occur.
    pub(super) fn all(counts: &Counts) -> Vec<Self> {
        counts
            .occurring()
            .into_iter()
            .map(|(verdict, count)| Self {
                badge: Badge::of_verdict(&verdict),
                count,
                percent: percent(count, counts.total),
            })
            .collect()
    }
}

/// A share in percent with two digits, in integers: the same on every machine.
fn percent(part: usize, whole: usize) -> String {
    let hundredths = part * 10_000 / whole.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_cut_not_rounded_so_that_they_never_exceed_the_bar() {
        assert_eq!(percent(1, 3), "33.33");
        assert_eq!(percent(517, 517), "100.00");
        assert_eq!(percent(1, 517), "0.19");
        assert_eq!(percent(0, 0), "0.00");
    }
}
