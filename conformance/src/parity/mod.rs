//! Whether suites agree: the same cases over the same subjects, verdict for verdict.

mod difference;
mod listed;
mod subject;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloverleaf_reports::{CaseId, CloseVerdict, Role, Verdict};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::check::{self, By, Options};
use crate::subject::Subject;
use crate::suite::Judge;
pub use difference::{Difference, Pair};
pub use listed::{Listed, ListedError};
pub use subject::{faulty, ours};

/// What to compare.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The subjects, each in one role.
    pub subjects: Vec<Subject>,
    /// The suites to compare the native one with.
    pub judges: Vec<Judge>,
    /// Autobahn's cases, in id order.
    pub cases: Vec<CaseId>,
    /// How many subjects are judged at a time.
    pub jobs: NonZeroUsize,
    /// The folder for the reports, one folder a subject and suite.
    pub out: PathBuf,
    /// Differences that are known.
    pub listed: Vec<Listed>,
}

impl Plan {
    /// Compares over these subjects and cases, one subject at a time.
    pub fn new(
        subjects: Vec<Subject>,
        judges: Vec<Judge>,
        cases: Vec<CaseId>,
        out: impl Into<PathBuf>,
    ) -> Self {
        Self {
            subjects,
            judges,
            cases,
            jobs: NonZeroUsize::MIN,
            out: out.into(),
            listed: Vec::new(),
        }
    }
}

/// What was found about one subject and one suite.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// The subject.
    pub subject: String,
    /// Its role.
    pub role: Role,
    /// The other suite.
    pub suite: &'static str,
    /// How many cases both suites have judged.
    pub compared: usize,
    /// Those that they judge differently, each time they were run.
    pub differences: Vec<Difference>,
    /// Those that were judged differently once, and alike when run again: the subject's behaviour
    /// varies.
    pub unsteady: Vec<Difference>,
    /// What went wrong.
    pub troubles: Vec<String>,
}

type Verdicts = BTreeMap<CaseId, Pair>;

/// Judges every subject by every suite. A comparison is handed over as soon as it is there; the
/// order is that in which the subjects finish.
pub async fn compare(plan: Plan, mut on_comparison: impl FnMut(Comparison)) {
    let places = Arc::new(Semaphore::new(plan.jobs.get()));
    let plan = Arc::new(plan);
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    for subject in plan.subjects.clone() {
        let (places, plan, sender) = (Arc::clone(&places), Arc::clone(&plan), sender.clone());
        running.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire_owned().await;
            judge_subject(&plan, &subject, &sender).await;
        });
    }
    drop(sender);
    while let Some(comparison) = receiver.recv().await {
        on_comparison(comparison);
    }
}

async fn judge_subject(plan: &Plan, subject: &Subject, sender: &mpsc::UnboundedSender<Comparison>) {
    let folder = plan.out.join(subject.folder());
    let (native, native_troubles) =
        verdicts(&By::Us, subject, &plan.cases, &folder.join("native")).await;
    for judge in &plan.judges {
        let suite = judge.suite().name();
        let by = By::Installed(judge.clone());
        let (other, mut troubles) = verdicts(&by, subject, &plan.cases, &folder.join(suite)).await;
        troubles.extend(native_troubles.iter().cloned());
        let differences = difference::between(&native, &other);

        // Once more, one case at a time: what does not show again is the subject's own doing.
        let again: Vec<_> = differences
            .iter()
            .map(|difference| difference.case.clone())
            .collect();
        let mut steady = Vec::new();
        let mut unsteady = Vec::new();
        if !again.is_empty() {
            let (native, _) =
                verdicts(&By::Us, subject, &again, &folder.join("native-again")).await;
            let (other, _) =
                verdicts(&by, subject, &again, &folder.join(format!("{suite}-again"))).await;
            let repeated = difference::between(&native, &other);
            for difference in differences {
                if repeated.contains(&difference) {
                    steady.push(difference);
                } else {
                    unsteady.push(difference);
                }
            }
        }
        let compared = native
            .keys()
            .filter(|case| other.contains_key(case))
            .count();
        // Whoever listened may have gone.
        let _ = sender.send(Comparison {
            subject: subject.name.clone(),
            role: subject.role,
            suite,
            compared,
            differences: steady,
            unsteady,
            troubles,
        });
    }
}

/// The verdicts of one suite on one subject, and what went wrong.
async fn verdicts(
    by: &By,
    subject: &Subject,
    cases: &[CaseId],
    out: &Path,
) -> (Verdicts, Vec<String>) {
    let options = Options::new(vec![subject.clone()], cases.to_vec(), out);
    let outcome = match check::check(by, &options, |_| {}).await {
        Ok(outcome) => outcome,
        Err(error) => return (Verdicts::new(), vec![error.to_string()]),
    };
    let verdicts = outcome
        .record
        .subjects()
        .flat_map(|(_, subject)| subject.results.values())
        .filter(|result| !result.is_missing())
        .map(|result| {
            let pair: (Verdict, CloseVerdict) =
                (result.verdict.clone(), result.close_verdict.clone());
            (result.id.clone(), Pair::from(pair))
        })
        .collect();
    (verdicts, outcome.troubles)
}
