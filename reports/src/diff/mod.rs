//! What changed between two runs.
//!
//! [`Diff::between`] compares; [`text`], [`markdown`] and [`html`] say it in words; serialized it
//! is JSON.

mod compare;
mod page;
mod words;

use serde::Serialize;

use crate::model::{CaseId, CloseVerdict, Record, Role, Verdict};

pub use page::html;
pub(crate) use page::render;
pub(crate) use words::verdict;
pub use words::{markdown, text};

/// From when on a change of time is worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TimeLimits {
    /// The longer time must be at least this many times the shorter one.
    pub factor: f64,
    /// And the two must differ by at least this much, in milliseconds.
    pub floor_ms: u64,
}

impl TimeLimits {
    /// Limits by factor, and by difference in milliseconds.
    pub fn new(factor: f64, floor_ms: u64) -> Self {
        Self { factor, floor_ms }
    }
}

impl Default for TimeLimits {
    /// Twice as long, and 100 ms.
    fn default() -> Self {
        Self::new(2.0, 100)
    }
}

/// What changed from an old run to a new one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// The old run.
    pub old: Side,
    /// The new run.
    pub new: Side,
    /// Results that got worse: another standing, or a worse word for one of the verdicts. Without
    /// those that are accepted now; they are among the others.
    pub regressions: Vec<Change>,
    /// Results that got better.
    pub fixes: Vec<Change>,
    /// Other changes of a verdict or of the close code.
    pub others: Vec<Change>,
    /// Subjects that only the new run has.
    pub new_subjects: Vec<SubjectName>,
    /// Subjects that only the old run has.
    pub gone_subjects: Vec<SubjectName>,
    /// Cases that only the new run has, for subjects that both have.
    pub new_cases: Vec<OneSided>,
    /// Cases that only the old run has, for subjects that both have.
    pub gone_cases: Vec<OneSided>,
    /// The limits that decide on `slower` and `faster`.
    pub time_limits: TimeLimits,
    /// Cases that took longer, the largest difference first.
    pub slower: Vec<TimeChange>,
    /// Cases that took less long, the largest difference first.
    pub faster: Vec<TimeChange>,
    /// The times of groups of cases, over the cases that both runs have.
    pub groups: Vec<GroupTime>,
}

/// One of the two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Side {
    /// What stands for it in a history.
    pub label: Option<String>,
    /// Its title.
    pub title: String,
    /// When it began.
    pub started: Option<String>,
    /// Why it is incomplete, if it is.
    pub troubles: Vec<String>,
}

/// A subject in a role.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct SubjectName {
    /// The role.
    pub role: Role,
    /// The name of the subject.
    pub subject: String,
}

/// A result that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The subject.
    #[serde(flatten)]
    pub who: SubjectName,
    /// The case.
    pub case: CaseId,
    /// What it was.
    pub old: Outcome,
    /// What it is.
    pub new: Outcome,
}

/// A case that only one of the runs has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OneSided {
    /// The subject.
    #[serde(flatten)]
    pub who: SubjectName,
    /// The case.
    pub case: CaseId,
    /// What that run found.
    pub outcome: Outcome,
}

/// Both verdicts, the close code, and whether they are accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// How the subject behaved.
    pub verdict: Verdict,
    /// How the connection ended.
    pub close_verdict: CloseVerdict,
    /// The close code the subject sent.
    pub close_code: Option<u16>,
    /// Why this is as expected though it is not fully right.
    pub accepted: Option<String>,
}

/// A case whose time changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TimeChange {
    /// The subject.
    #[serde(flatten)]
    pub who: SubjectName,
    /// The case.
    pub case: CaseId,
    /// How long it took, in milliseconds.
    pub old_ms: u64,
    /// How long it takes, in milliseconds.
    pub new_ms: u64,
}

/// The time of a group of cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupTime {
    /// The subject.
    #[serde(flatten)]
    pub who: SubjectName,
    /// The group: the first part of the ids.
    pub group: String,
    /// How many cases both runs have.
    pub cases: usize,
    /// How long they took, in milliseconds.
    pub old_ms: u64,
    /// How long they take, in milliseconds.
    pub new_ms: u64,
    /// Whether the difference is beyond the limits.
    pub beyond: bool,
}

impl Diff {
    /// Compares two runs, times by [`TimeLimits::default`].
    pub fn between(old: &Record, new: &Record) -> Self {
        Self::with_limits(old, new, TimeLimits::default())
    }

    /// Compares two runs.
    pub fn with_limits(old: &Record, new: &Record, time_limits: TimeLimits) -> Self {
        compare::compare(old, new, time_limits)
    }

    /// Whether a result got worse. Subjects and cases that are gone are no regressions, as another
    /// selection of cases was perhaps run; they are in `gone_subjects` and `gone_cases`.
    pub fn has_regressions(&self) -> bool {
        !self.regressions.is_empty()
    }

    /// Whether both runs found the same: times aside, nothing changed, came or went.
    pub fn is_empty(&self) -> bool {
        self.regressions.is_empty()
            && self.fixes.is_empty()
            && self.others.is_empty()
            && self.new_subjects.is_empty()
            && self.gone_subjects.is_empty()
            && self.new_cases.is_empty()
            && self.gone_cases.is_empty()
    }

    /// The diff as JSON, indented, with a line end.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self)
            .expect("a diff holds text, numbers and maps with text keys only");
        json + "\n"
    }
}
