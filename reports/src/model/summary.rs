//! Counting verdicts.

use serde::Serialize;

use super::{CaseResult, CloseVerdict, Record, Role, Standing, Subject, Verdict};

/// How often each verdict was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// [`Verdict::Ok`].
    pub ok: usize,
    /// [`Verdict::NonStrict`].
    pub non_strict: usize,
    /// [`Verdict::Informational`].
    pub informational: usize,
    /// [`Verdict::Unimplemented`].
    pub unimplemented: usize,
    /// [`Verdict::Failed`].
    pub failed: usize,
    /// [`Verdict::Error`].
    pub error: usize,
    /// [`Verdict::Missing`].
    pub missing: usize,
    /// [`Verdict::Other`].
    pub other: usize,
    /// Cases that ran and whose close verdict is neither OK nor INFORMATIONAL, whatever their
    /// verdict.
    pub close_problems: usize,
    /// All cases, those not run included.
    pub total: usize,
}

impl Counts {
    /// Counts results.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a CaseResult>) -> Self {
        let mut counts = Self::default();
        for result in results {
            counts.add(result);
        }
        counts
    }

    fn add(&mut self, result: &CaseResult) {
        let count = match result.verdict {
            Verdict::Ok => &mut self.ok,
            Verdict::NonStrict => &mut self.non_strict,
            Verdict::Informational => &mut self.informational,
            Verdict::Unimplemented => &mut self.unimplemented,
            Verdict::Failed => &mut self.failed,
            Verdict::Error => &mut self.error,
            Verdict::Missing => &mut self.missing,
            Verdict::Other(_) => &mut self.other,
        };
        *count += 1;
        self.total += 1;
        let not_run = result.close_verdict == CloseVerdict::Missing;
        if !not_run && !result.close_verdict.standing().is_pass() {
            self.close_problems += 1;
        }
    }

    /// Each verdict that occurs, best first, with its count.
    pub fn occurring(&self) -> Vec<(Verdict, usize)> {
        [
            (Verdict::Ok, self.ok),
            (Verdict::Informational, self.informational),
            (Verdict::NonStrict, self.non_strict),
            (Verdict::Unimplemented, self.unimplemented),
            (Verdict::Failed, self.failed),
            (Verdict::Error, self.error),
            (Verdict::Missing, self.missing),
            (Verdict::Other("OTHER".to_owned()), self.other),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect()
    }
}

/// The counts of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// One for each subject in each role, in the order of the record.
    pub subjects: Vec<SubjectSummary>,
}

impl Summary {
    /// What the whole record amounts to: the worst of its subjects. A record without subjects
    /// fails, because nothing was shown.
    pub fn standing(&self) -> Standing {
        self.subjects
            .iter()
            .map(|subject| subject.standing)
            .max()
            .unwrap_or(Standing::Fail)
    }
}

/// The counts of one subject in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubjectSummary {
    /// The role.
    pub role: Role,
    /// The name of the subject.
    pub subject: String,
    /// How often each verdict was given.
    pub counts: Counts,
    /// What they amount to: the worst of its cases. A subject without cases fails.
    pub standing: Standing,
    /// How many results are not fully right and not accepted either.
    pub unexpected: usize,
}

/// A result that is not fully right.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Problem<'a> {
    /// The role of the subject.
    pub role: Role,
    /// The name of the subject.
    pub subject: &'a str,
    /// The result.
    pub result: &'a CaseResult,
}

impl Subject {
    /// The worst standing of its cases; [`Standing::Fail`] if there are none.
    pub fn standing(&self) -> Standing {
        self.results
            .values()
            .map(CaseResult::standing)
            .max()
            .unwrap_or(Standing::Fail)
    }

    /// Its results that are not fully right, without a reason why that is accepted.
    pub fn unexpected(&self) -> impl Iterator<Item = &CaseResult> {
        self.results
            .values()
            .filter(|result| result.accepted.is_none() && !result.standing().is_pass())
    }
}

impl Record {
    /// Every subject with its role, in the order of the record.
    pub fn subjects(&self) -> impl Iterator<Item = (Role, &Subject)> {
        self.runs
            .iter()
            .flat_map(|run| run.subjects.iter().map(|subject| (run.role, subject)))
    }

    /// Counts the verdicts of each subject.
    pub fn summary(&self) -> Summary {
        let subjects = self.subjects().map(|(role, subject)| SubjectSummary {
            role,
            subject: subject.name.clone(),
            counts: Counts::of(subject.results.values()),
            standing: subject.standing(),
            unexpected: subject.unexpected().count(),
        });
        Summary {
            subjects: subjects.collect(),
        }
    }

    /// Every result where one of the two verdicts is neither OK nor INFORMATIONAL, the worst
    /// first, then in the order of the record.
    pub fn problems(&self) -> Vec<Problem<'_>> {
        let mut problems: Vec<Problem<'_>> = self
            .subjects()
            .flat_map(|(role, subject)| {
                subject.results.values().map(move |result| Problem {
                    role,
                    subject: &subject.name,
                    result,
                })
            })
            .filter(|problem| !problem.result.standing().is_pass())
            .collect();
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.result.standing()));
        problems
    }
}
