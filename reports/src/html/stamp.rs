//! What the whole run amounts to, in a word and a sentence.

use super::badge::Badge;
use super::column::is_accepted;
use super::markup::Markup;
use crate::model::{CaseResult, Record, Standing};

/// The stamp of a record.
pub(crate) struct Stamp {
    pub(crate) class: &'static str,
    pub(crate) symbol: &'static str,
    pub(crate) word: &'static str,
    pub(crate) sentences: Vec<String>,
}

impl Stamp {
    pub(crate) fn of(record: &Record) -> Self {
        let all: Vec<&CaseResult> = record
            .subjects()
            .flat_map(|(_, subject)| subject.results.values())
            .collect();
        let standing = record.summary().standing();
        let badge = Badge::of_standing(standing);
        let accepted = all.iter().filter(|result| is_accepted(result)).count();
        let unexpected = record
            .subjects()
            .flat_map(|(_, subject)| subject.unexpected())
            .filter(|result| !result.is_missing())
            .count();
        let missing = all.iter().filter(|result| result.is_missing()).count();
        let expected = unexpected == 0 && missing == 0 && accepted > 0;
        let (class, symbol, word) = match standing {
            _ if !record.troubles.is_empty() => ("failed", "✗", "Incomplete"),
            Standing::Pass => (badge.class, badge.symbol, "Pass"),
            Standing::Notes if expected => (badge.class, badge.symbol, "As expected, with notes"),
            // Accepted or not, a failure is none of a passing implementation.
            Standing::Fail if expected => ("nonstrict", "✗", "As expected, with failures"),
            Standing::Notes => (badge.class, badge.symbol, "Pass with notes"),
            Standing::Fail => (badge.class, badge.symbol, "Fail"),
        };
        let mut sentences = Vec::new();
        if expected {
            sentences.push(format!(
                "All as expected: {accepted} {} accepted, with {}.",
                if accepted == 1 {
                    "deviation is"
                } else {
                    "deviations are"
                },
                if accepted == 1 { "a reason" } else { "reasons" },
            ));
        } else if accepted > 0 {
            sentences.push(format!(
                "Not as expected: {unexpected}. Accepted, with reasons: {accepted}."
            ));
        }
        sentences.push(sentence(&all));
        Self {
            class,
            symbol,
            word,
            sentences,
        }
    }

    /// The stamp, and below it why the run is incomplete, if it is, and what else there is to know.
    pub(super) fn write(&self, out: &mut Markup, record: &Record) {
        out.tag("<section class=\"verdict ")
            .tag(self.class)
            .tag("\" aria-label=Result>\n");
        out.tag("<p class=stamp><i aria-hidden=true>")
            .tag(self.symbol)
            .tag("</i> ");
        out.tag(self.word).tag("</p>\n<p>");
        for (position, sentence) in self.sentences.iter().enumerate() {
            out.tag(if position > 0 { " " } else { "" }).text(sentence);
        }
        out.tag("</p>\n</section>\n");
        if !record.troubles.is_empty() {
            out.tag(
                "<section class=\"troubles failed\" aria-label=\"Why the run is incomplete\">\n",
            );
            out.tag("<h2>This run is incomplete</h2>\n");
            write_list(out, &record.troubles);
            out.tag("</section>\n");
        }
        if !record.notes.is_empty() {
            out.tag("<section class=notes aria-label=\"Notes on the measurement\">\n");
            write_list(out, &record.notes);
            out.tag("</section>\n");
        }
    }
}

/// The most sentences shown in a list, and the longest one, in characters.
const SENTENCES: usize = 40;
const SENTENCE: usize = 600;

fn write_list(out: &mut Markup, sentences: &[String]) {
    out.tag("<ul>\n");
    for sentence in sentences.iter().take(SENTENCES) {
        out.tag("<li>").start_of(sentence, SENTENCE).tag("\n");
    }
    if let Some(more) = sentences
        .len()
        .checked_sub(SENTENCES)
        .filter(|more| *more > 0)
    {
        out.tag("<li>and ").number(more as u64).tag(" more\n");
    }
    out.tag("</ul>\n");
}

/// The result in words.
fn sentence(results: &[&CaseResult]) -> String {
    let total = results.len();
    let missing = results.iter().filter(|result| result.is_missing()).count();
    let ran: Vec<_> = results
        .iter()
        .filter(|result| !result.is_missing())
        .collect();
    let count = |standing| {
        ran.iter()
            .filter(|result| result.standing() == standing)
            .count()
    };
    let (notes, fails) = (count(Standing::Notes), count(Standing::Fail));
    let only_ends = ran
        .iter()
        .all(|result| !result.verdict.standing().is_fail());
    if total == 0 {
        return "No case was run, so nothing was shown.".to_owned();
    }
    let found = if ran.is_empty() {
        String::new()
    } else if fails > 0 && only_ends {
        format!(
            "All {} results are within the standard, but {fails} connections did not end as it \
             asks. ",
            ran.len()
        )
    } else if fails > 0 {
        format!(
            "{fails} of {} results are against the standard, or could not be judged. ",
            ran.len()
        )
    } else if notes > 0 {
        format!(
            "Nothing is against the standard. {notes} of {} results are non-strict, not \
             implemented, or left to the client to clean up. ",
            ran.len()
        )
    } else {
        format!(
            "All {} results, and the end of every connection, are as the standard asks. ",
            ran.len()
        )
    };
    let unseen = match missing {
        0 => String::new(),
        _ => format!("{missing} of {total} cases were not run."),
    };
    format!("{found}{unseen}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CloseVerdict, Role, Run, Subject, Verdict};

    fn stamp(results: &[(Verdict, bool)], troubles: &[&str]) -> (&'static str, String) {
        let mut subject = Subject::new("x");
        for (number, (verdict, accepted)) in results.iter().enumerate() {
            let id = format!("1.{number}").parse().expect("an id");
            let mut result = CaseResult::new(id, verdict.clone(), CloseVerdict::Ok);
            result.accepted = accepted.then(|| "known".to_owned());
            subject.insert(result);
        }
        let mut run = Run::new(Role::Server);
        run.subjects.push(subject);
        let mut record = Record::new("");
        record.runs.push(run);
        record.troubles = troubles.iter().map(|&text| text.to_owned()).collect();
        let stamp = Stamp::of(&record);
        (stamp.word, stamp.sentences.join(" "))
    }

    #[test]
    fn an_accepted_failure_is_expected_but_no_pass() {
        use Verdict::{Failed, NonStrict, Ok};
        for (results, word, start) in [
            (vec![(Ok, false)], "Pass", "All 1 results"),
            // An accepted reason on a result that is right is no deviation.
            (vec![(Ok, true)], "Pass", "All 1 results"),
            (
                vec![(NonStrict, false)],
                "Pass with notes",
                "Nothing is against",
            ),
            (
                vec![(NonStrict, true)],
                "As expected, with notes",
                "All as expected: 1 deviation is accepted, with a reason.",
            ),
            (
                vec![(Failed, true), (NonStrict, true)],
                "As expected, with failures",
                "All as expected: 2 deviations are accepted, with reasons. 1 of 2 results are against",
            ),
            (
                vec![(Failed, true), (NonStrict, false)],
                "Fail",
                "Not as expected: 1. Accepted, with reasons: 1.",
            ),
            (vec![(Failed, false)], "Fail", "1 of 1 results are against"),
            (
                vec![(Ok, false), (Verdict::Missing, false)],
                "Fail",
                "All 1 results, and the end of every connection, are as the standard asks. 1 of 2 \
                 cases were not run.",
            ),
            (vec![], "Fail", "No case was run"),
        ] {
            let (seen, sentence) = stamp(&results, &[]);
            assert_eq!(seen, word, "{results:?}");
            assert!(sentence.starts_with(start), "{sentence}");
        }
    }

    #[test]
    fn an_incomplete_run_is_never_a_pass() {
        assert_eq!(stamp(&[(Verdict::Ok, false)], &["crashed"]).0, "Incomplete");
    }
}
