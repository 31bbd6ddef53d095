//! A result in words, the same in every format that is text.

use crate::model::{CaseResult, CloseVerdict, Verdict};
use crate::printable::clipped;

/// The longest verdict word that is shown. The standard's are at most 16 characters long.
const WORD: usize = 40;

/// Both verdicts: `FAILED, close WRONG CODE`. A close verdict of OK is not mentioned, and neither
/// is that of a case that did not run.
pub(crate) fn words(verdict: &Verdict, close: &CloseVerdict) -> String {
    let verdict = clipped(verdict.as_str(), WORD);
    match close {
        CloseVerdict::Ok | CloseVerdict::Missing => verdict,
        other => format!("{verdict}, close {}", clipped(other.as_str(), WORD)),
    }
}

/// What was seen, in the suite's sentences, as far as they were written down.
pub(crate) fn sentence(result: &CaseResult) -> Option<String> {
    const SENTENCE: usize = 500;
    let detail = result.detail.as_ref()?;
    let of_close = (!result.close_verdict.standing().is_pass())
        .then_some(detail.result_close.as_deref())
        .flatten();
    let sentences: Vec<String> = [detail.result.as_deref(), of_close]
        .into_iter()
        .flatten()
        .filter(|sentence| !sentence.is_empty())
        .map(|sentence| clipped(sentence, SENTENCE))
        .collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Milliseconds for a reader: `7 ms`, `1.25 s`, `61 s`. Integers only, so that every machine writes
/// the same.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10),
        10_000..100_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} s", ms / 1_000),
    }
}

/// A number with its noun: `1 case`, `2 cases`.
pub(crate) fn number_of(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_keeps_three_digits_or_so() {
        for (ms, shown) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1.00 s"),
            (1_259, "1.25 s"),
            (61_234, "61.2 s"),
            (594_000, "594 s"),
            (u64::MAX, "18446744073709551 s"),
        ] {
            assert_eq!(duration(ms), shown);
        }
    }
}
