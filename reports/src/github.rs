//! Annotations for GitHub Actions: workflow commands on the standard output of a step.
//!
//! Of each kind ten are shown for a step, so results are gathered by subject and group of cases,
//! the worst come first, and the last of ten says how many more there are. Results that are
//! accepted make one notice with their number.

use std::cmp::Reverse;

use crate::model::{CaseId, CaseResult, CloseVerdict, Record, Role, Standing, Subject, Verdict};
use crate::outcome::{number_of, words};
use crate::pattern::{first_of, patterns};
use crate::printable::{clipped, name};

/// How many annotations of a kind GitHub shows for one step.
const SHOWN: usize = 10;

/// How many ids or patterns an annotation lists.
const IDS: usize = 20;

/// The longest trouble or title that is written, in characters.
const TEXT: usize = 500;

/// The kinds of annotations.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Error,
    Warning,
    Notice,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

struct Annotation {
    title: String,
    message: String,
    /// How many results it stands for.
    weight: usize,
}

/// Renders what is to remark as workflow commands, a line each; nothing if there is nothing.
///
/// Failures are errors, NON-STRICT results and connections left to the client warnings, what is
/// not implemented a notice.
pub fn annotations(record: &Record) -> String {
    let mut out = String::new();
    for kind in [Kind::Error, Kind::Warning, Kind::Notice] {
        let first = match kind {
            Kind::Error => troubles(record),
            Kind::Warning => Vec::new(),
            Kind::Notice => accepted(record),
        };
        let mut gathered: Vec<Annotation> = record
            .subjects()
            .flat_map(|(role, subject)| of_subject(record, role, subject, kind))
            .collect();
        // The sort is stable: among equals the order of the record stays.
        gathered.sort_by_key(|annotation| Reverse(annotation.weight));
        write(kind, first.into_iter().chain(gathered).collect(), &mut out);
    }
    out
}

fn troubles(record: &Record) -> Vec<Annotation> {
    let mut sentences: Vec<String> = record
        .troubles
        .iter()
        .map(|trouble| clipped(trouble, TEXT))
        .collect();
    if record.subjects().next().is_none() {
        sentences.push("Nothing was run.".to_owned());
    }
    let annotation = |message| Annotation {
        title: "The run is incomplete".to_owned(),
        message,
        weight: 0,
    };
    sentences.into_iter().map(annotation).collect()
}

fn accepted(record: &Record) -> Vec<Annotation> {
    let results = record
        .subjects()
        .flat_map(|(_, subject)| subject.results.values());
    let count = results
        .filter(|result| result.accepted.is_some() && !result.standing().is_pass())
        .count();
    let annotation = Annotation {
        title: "Accepted deviations".to_owned(),
        message: format!(
            "{} not fully right, as expected; the report has the reasons.",
            number_of(count, "result is", "results are")
        ),
        weight: count,
    };
    (count > 0).then_some(annotation).into_iter().collect()
}

/// What an unexpected result is annotated as.
fn kind_of(result: &CaseResult) -> Option<Kind> {
    if result.accepted.is_some() {
        return None;
    }
    match result.standing() {
        Standing::Pass => None,
        Standing::Fail => Some(Kind::Error),
        Standing::Notes
            if result.verdict == Verdict::Unimplemented
                && result.close_verdict.standing().is_pass() =>
        {
            Some(Kind::Notice)
        }
        Standing::Notes => Some(Kind::Warning),
    }
}

/// One annotation for each group of cases that has results of this kind.
fn of_subject(record: &Record, role: Role, subject: &Subject, kind: Kind) -> Vec<Annotation> {
    let who = format!("{role} {}", name(&subject.name));
    if subject.results.is_empty() && kind == Kind::Error {
        return vec![Annotation {
            title: who,
            message: "No case was run.".to_owned(),
            weight: 0,
        }];
    }
    let all: Vec<&CaseId> = subject.results.keys().collect();
    let mut groups: Vec<(&str, usize, Vec<&CaseResult>)> = Vec::new();
    for (id, result) in &subject.results {
        if groups.last().is_none_or(|(group, ..)| *group != id.group()) {
            groups.push((id.group(), 0, Vec::new()));
        }
        if let Some((_, cases, members)) = groups.last_mut() {
            *cases += 1;
            if kind_of(result) == Some(kind) {
                members.push(result);
            }
        }
    }
    groups.retain(|(.., members)| !members.is_empty());
    let annotation = |(group, cases, members): (&str, usize, Vec<&CaseResult>)| {
        let section = match record.section_title(group) {
            Some(title) => format!("{group} {}", clipped(title, TEXT)),
            None => group.to_owned(),
        };
        Annotation {
            title: format!("{who}: {section}"),
            message: format!(
                "{} of {}: {}",
                members.len(),
                number_of(cases, "case", "cases"),
                alike(&members, &all)
            ),
            weight: members.len(),
        }
    };
    groups.into_iter().map(annotation).collect()
}

/// The ids by their two verdicts: `FAILED: 6.4.1 6.4.2; ERROR: 6.5.*`.
fn alike(members: &[&CaseResult], all: &[&CaseId]) -> String {
    let mut kinds: Vec<((&Verdict, &CloseVerdict), Vec<&CaseId>)> = Vec::new();
    for result in members {
        let both = (&result.verdict, &result.close_verdict);
        match kinds.iter_mut().find(|(known, _)| *known == both) {
            Some((_, ids)) => ids.push(&result.id),
            None => kinds.push((both, vec![&result.id])),
        }
    }
    let lists: Vec<String> = kinds
        .iter()
        .take(IDS)
        .map(|((verdict, close), ids)| {
            let ids = first_of(&patterns(ids, all), IDS);
            format!("{}: {ids}", words(verdict, close))
        })
        .collect();
    lists.join("; ")
}

fn write(kind: Kind, annotations: Vec<Annotation>, out: &mut String) {
    let count = annotations.len();
    let shown = if count > SHOWN { SHOWN - 1 } else { count };
    let left_out = (count > shown).then(|| Annotation {
        title: "More".to_owned(),
        message: format!(
            "{} more of this kind, as GitHub shows {SHOWN} for a step: see the report.",
            count - shown
        ),
        weight: 0,
    });
    for annotation in annotations.into_iter().take(shown).chain(left_out) {
        out.push_str(&format!(
            "::{} title={}::{}\n",
            kind.word(),
            property(&annotation.title),
            data(&annotation.message)
        ));
    }
}

/// The message of a command: everything up to the line end, with `%` as the escape.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property ends at `:` or `,` besides.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
