//! A verdict as it is shown: a symbol, a word and a class, so that colour is never needed.

use super::markup::Markup;
use super::visible::name;
use crate::model::{CaseResult, CloseVerdict, Counts, Standing, Verdict};

/// A verdict, ready to show.
#[derive(Clone, PartialEq)]
pub(super) struct Badge {
    /// The class for colours, and the word that the filter knows.
    pub(super) class: &'static str,
    pub(super) symbol: &'static str,
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
            Verdict::Other(_) => ("other", "!"),
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
            CloseVerdict::FailedByClient => ("byclient", "≈"),
            CloseVerdict::Failed => ("failed", "✗"),
            CloseVerdict::Unclean => ("unclean", "✗"),
            CloseVerdict::WrongCode => ("wrongcode", "✗"),
            CloseVerdict::Missing => ("missing", "?"),
            CloseVerdict::Other(_) => ("other", "!"),
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

    /// What stands for results of which both verdicts are as they should.
    pub(super) fn write_pass(out: &mut Markup) {
        Self::of_standing(Standing::Pass).write(out);
    }

    /// The word, as it is to be read aloud.
    pub(super) fn word(&self) -> &str {
        &self.word
    }

    /// Symbol and word.
    pub(super) fn write(&self, out: &mut Markup) {
        out.tag("<em class=").tag(self.class).tag("><i>");
        out.tag(self.symbol)
            .tag("</i> ")
            .text(&self.word)
            .tag("</em>");
    }
}

/// The close verdict of a result and the code that came with it: `close ✓ OK 1000`.
pub(super) fn close(out: &mut Markup, result: &CaseResult) {
    out.tag("close ");
    Badge::of_close(&result.close_verdict).write(out);
    if let Some(code) = result.remote_close_code {
        out.tag(" ").number(code);
    }
}

/// The shares of the verdicts as a bar; the numbers stand beside it as text.
pub(super) fn bar(out: &mut Markup, counts: &Counts) {
    out.tag("<span class=bar aria-hidden=true>");
    for (verdict, count) in counts.occurring() {
        let (whole, part) = percent(count, counts.total);
        out.tag("<i class=").tag(Badge::of_verdict(&verdict).class);
        out.tag(" style=\"width:").number(whole).tag(".");
        out.tag(if part < 10 { "0" } else { "" })
            .number(part)
            .tag("%\"></i>");
    }
    out.tag("</span>");
}

/// A share in percent with two digits, in integers: the same on every machine.
fn percent(part: usize, whole: usize) -> (u64, u64) {
    let hundredths = (part * 10_000 / whole.max(1)) as u64;
    (hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_cut_not_rounded_so_that_they_never_exceed_the_bar() {
        assert_eq!(percent(1, 3), (33, 33));
        assert_eq!(percent(517, 517), (100, 0));
        assert_eq!(percent(1, 517), (0, 19));
        assert_eq!(percent(0, 0), (0, 0));
    }
}
