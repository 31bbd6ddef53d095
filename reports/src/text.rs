//! A table for the terminal.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::{CaseId, CaseResult, Counts, Record, Role, Standing, Subject};
use crate::outcome::words;
use crate::pattern::{first_of, patterns};
use crate::printable::{clipped, name};

/// Whether a table has colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whether a terminal is there is for the caller to know"
)]
pub enum Colour {
    /// ANSI escape codes: green, yellow and red by verdict.
    Always,
    /// Plain text.
    #[default]
    Never,
}

/// How many subjects are shown with a table of groups each, when there are no more than these.
const FULL: usize = 6;

/// How many ids or patterns a line lists.
const IDS: usize = 12;

/// The longest reason, note or title, in characters.
const TEXT: usize = 200;

/// How wide a label is, in characters.
const LABEL: usize = 30;

/// A table by group of cases for each subject, and below it every result that is not fully right
/// with both verdicts. Plain text without colours; control characters are escaped.
///
/// From two subjects on a table with one line for each comes first; if they are many, the tables by
/// group are left out.
pub fn table(record: &Record) -> String {
    table_with(record, Colour::Never)
}

/// [`table`], with colours if wanted.
pub fn table_with(record: &Record, colour: Colour) -> String {
    let mut table = Table {
        out: String::new(),
        colour,
    };
    let count = record.subjects().count();
    if count > 1 {
        table.subjects(record);
    }
    if count <= FULL {
        for (role, subject) in record.subjects() {
            table.groups(record, role, subject);
        }
    }
    table.remarks(record);
    table.out
}

#[derive(Clone, Copy)]
enum Paint {
    Good,
    Note,
    Bad,
    Soft,
}

impl Paint {
    fn of(standing: Standing) -> Self {
        match standing {
            Standing::Pass => Self::Good,
            Standing::Notes => Self::Note,
            Standing::Fail => Self::Bad,
        }
    }

    /// The code that switches it on.
    fn code(self) -> &'static str {
        match self {
            Self::Good => "\x1b[32m",
            Self::Note => "\x1b[33m",
            Self::Bad => "\x1b[31m",
            Self::Soft => "\x1b[2m",
        }
    }
}

/// The columns: title, width, and what to count.
type Column = (&'static str, usize, Paint, fn(&Counts) -> usize);

const COLUMNS: [Column; 9] = [
    ("cases", 5, Paint::Soft, |counts| counts.total),
    ("OK", 6, Paint::Good, |counts| counts.ok),
    ("NON-STRICT", 10, Paint::Note, |counts| counts.non_strict),
    ("INFO", 6, Paint::Good, |counts| counts.informational),
    ("UNIMPL", 8, Paint::Note, |counts| counts.unimplemented),
    ("FAILED", 6, Paint::Bad, |counts| counts.failed),
    ("ERROR", 6, Paint::Bad, |counts| counts.error + counts.other),
    ("MISSING", 7, Paint::Bad, |counts| counts.missing),
    ("CLOSE", 6, Paint::Note, |counts| counts.close_problems),
];

struct Table {
    out: String,
    colour: Colour,
}

impl Table {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn painted(&self, text: &str, paint: Paint) -> String {
        match self.colour {
            Colour::Never => text.to_owned(),
            Colour::Always => format!("{}{text}\x1b[0m", paint.code()),
        }
    }

    fn head(&mut self, width: usize) {
        let titles: Vec<String> = COLUMNS
            .iter()
            .map(|(title, width, ..)| format!("{title:>width$}"))
            .collect();
        self.line(&format!("  {:<width$} {}", "", titles.join(" ")));
    }

    fn row(&mut self, label: &str, width: usize, counts: &Counts) {
        let cells: Vec<String> = COLUMNS
            .iter()
            .map(|(title, width, paint, count)| {
                let count = count(counts);
                match count {
                    // A dot for zero: what is there stands out.
                    0 if *title != "cases" => {
                        self.painted(&format!("{:>width$}", "."), Paint::Soft)
                    }
                    _ if *title == "cases" => format!("{count:>width$}"),
                    _ => self.painted(&format!("{count:>width$}"), *paint),
                }
            })
            .collect();
        self.line(&format!("  {label:<width$} {}", cells.join(" ")));
    }

    /// A line for each subject.
    fn subjects(&mut self, record: &Record) {
        let labels: Vec<String> = record
            .subjects()
            .map(|(role, subject)| format!("{} ({role})", name(&subject.name)))
            .collect();
        let width = labels
            .iter()
            .map(|label| label.chars().count())
            .fold(LABEL, usize::max);
        self.line("Subjects");
        self.head(width);
        for ((_, subject), label) in record.subjects().zip(&labels) {
            self.row(label, width, &Counts::of(subject.results.values()));
        }
        self.out.push('\n');
    }

    /// A line for each group of cases.
    fn groups(&mut self, record: &Record, role: Role, subject: &Subject) {
        let version = subject
            .version
            .as_ref()
            .map(|version| format!(" {}", clipped(version, TEXT)))
            .unwrap_or_default();
        self.line(&format!("{}{version} ({role})", name(&subject.name)));
        let mut groups: Vec<(&str, Vec<&CaseResult>)> = Vec::new();
        for (id, result) in &subject.results {
            match groups.last_mut() {
                Some((group, results)) if *group == id.group() => results.push(result),
                _ => groups.push((id.group(), vec![result])),
            }
        }
        let labels: Vec<String> = groups
            .iter()
            .map(|(group, _)| match record.section_title(group) {
                Some(title) => format!("{group} {}", clipped(title, 60)),
                None => (*group).to_owned(),
            })
            .collect();
        let width = labels
            .iter()
            .map(|label| label.chars().count())
            .fold(LABEL, usize::max);
        self.head(width);
        for ((_, results), label) in groups.iter().zip(&labels) {
            self.row(label, width, &Counts::of(results.iter().copied()));
        }
        if groups.len() != 1 {
            self.row("all", width, &Counts::of(subject.results.values()));
        }
        self.out.push('\n');
    }

    /// What makes the run incomplete, and results that are not fully right; those alike in both
    /// verdicts share a line.
    fn remarks(&mut self, record: &Record) {
        for trouble in &record.troubles {
            let trouble = clipped(trouble, TEXT);
            let line = format!("The run is incomplete: {trouble}");
            let line = self.painted(&line, Paint::Bad);
            self.line(&line);
        }
        if record.subjects().next().is_none() {
            self.line("Nothing was run.");
            return;
        }
        let problems = record.problems();
        for (role, subject) in record.subjects() {
            if subject.results.is_empty() {
                let line = format!("{} ({role}): no case was run.", name(&subject.name));
                let line = self.painted(&line, Paint::Bad);
                self.line(&line);
            }
        }
        if problems.is_empty() {
            self.line("Nothing to remark.");
            return;
        }
        let unexpected = self.alike(record, |result| result.accepted.is_none());
        if !unexpected.is_empty() {
            self.line("To remark:");
            self.out += &unexpected;
        }
        let accepted = self.alike(record, |result| result.accepted.is_some());
        if !accepted.is_empty() {
            self.line("Accepted:");
            self.out += &accepted;
        }
    }

    fn alike(&self, record: &Record, chosen: fn(&CaseResult) -> bool) -> String {
        let mut out = String::new();
        for (role, subject) in record.subjects() {
            let mut alike: BTreeMap<_, Vec<&CaseId>> = BTreeMap::new();
            for result in subject.results.values() {
                if !result.standing().is_pass() && chosen(result) {
                    let key = (
                        Reverse(result.standing()),
                        &result.verdict,
                        &result.close_verdict,
                        &result.accepted,
                    );
                    alike.entry(key).or_default().push(&result.id);
                }
            }
            let all: Vec<&CaseId> = subject.results.keys().collect();
            for ((standing, verdict, close, accepted), ids) in alike {
                let words = self.painted(&words(verdict, close), Paint::of(standing.0));
                let ids = first_of(&patterns(&ids, &all), IDS);
                let reason = accepted
                    .as_ref()
                    .map(|reason| format!(": {}", clipped(reason, TEXT)))
                    .unwrap_or_default();
                let name = name(&subject.name);
                out += &format!("  {name} ({role}): {words}: {ids}{reason}\n");
            }
        }
        out
    }
}
