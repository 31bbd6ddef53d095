//! Runs the native suite against the subjects of a check.
//!
//! In two rounds: first the cases that mostly wait, of all subjects, then those that mostly work,
//! so that these never make the clocks of the others run late. Within a round several subjects run
//! at a time, and share so many places for cases and clients as there are jobs: where one subject
//! leaves places free, because it is nearly done or may have few cases at a time, the next one
//! takes them.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cloverleaf_judge::case::Case;
use cloverleaf_judge::cases;
use cloverleaf_reports::{CaseResult, Role};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use super::news::{News, Reporter};
use super::{Options, client, server};
use crate::subject::{Start, Subject};

/// Cases that mostly wait run so many times more at once than those that mostly work.
const LIGHT: usize = 4;

/// A subject that has let so many cases in a row run out of their time does not live any more.
const STALLED: usize = 8;

/// How long a subject may take to end.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(5);

/// One subject's part of a round.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) subject: Subject,
    pub(super) cases: Vec<Case>,
    /// Whether these are the cases that mostly wait.
    pub(super) light: bool,
    /// How many of them run at a time, if the subject can and there are places.
    pub(super) at_once: NonZeroUsize,
    /// What all subjects share: a place is a case of a server, or a client.
    pub(super) places: Arc<Semaphore>,
    /// Whether cases that run out of time mean that the subject has hung.
    pub(super) may_stall: bool,
    pub(super) folder: PathBuf,
    pub(super) reporter: Reporter,
}

/// Runs the selected cases on all subjects.
pub(super) async fn judge(options: Options, work: PathBuf, news: UnboundedSender<News>) {
    let mut alive: Vec<bool> = vec![true; options.subjects.len()];
    for light in [true, false] {
        let at_once = if light {
            at_once(options.jobs)
        } else {
            options.jobs
        };
        let places = Arc::new(Semaphore::new(at_once.get()));
        let turns = Arc::new(Semaphore::new(options.jobs.get()));
        let mut running = JoinSet::new();
        for (at, subject) in options.subjects.iter().enumerate() {
            let reporter = Reporter::new(at, subject, news.clone());
            if let Start::Unavailable(reason) = &subject.start {
                if light {
                    reporter.trouble(reason);
                }
                continue;
            }
            let cases = selected(&options, subject, light);
            if !alive[at] || cases.is_empty() {
                continue;
            }
            let own = subject.jobs.unwrap_or(at_once);
            let turn = Turn {
                subject: subject.clone(),
                cases,
                light,
                at_once: at_once.min(own),
                places: Arc::clone(&places),
                may_stall: options.budget.is_none(),
                folder: work.join(subject.folder()),
                reporter,
            };
            // The semaphore is never closed. In this order the subjects begin.
            let place = Arc::clone(&turns).acquire_owned().await;
            running.spawn(async move {
                let _place = place;
                (at, turn.run().await)
            });
        }
        while let Some(done) = running.join_next().await {
            match done {
                Ok((at, goes_on)) => alive[at] = goes_on,
                Err(error) => {
                    // The receiver is gone only when the run is being given up.
                    let _ = news.send(News::Trouble(error.to_string()));
                }
            }
        }
    }
}

impl Turn {
    /// Returns whether the subject can be judged further.
    async fn run(self) -> bool {
        if let Err(error) = fs::create_dir_all(&self.folder) {
            let folder = self.folder.display();
            self.reporter
                .trouble(&format!("cannot use {folder}: {error}"));
            return false;
        }
        match self.subject.role {
            Role::Server => server::judge(self).await,
            Role::Client => client::judge(self).await,
        }
    }
}

/// The selected cases that can judge a subject: the light ones, or the others.
fn selected(options: &Options, subject: &Subject, light: bool) -> Vec<Case> {
    cases::all()
        .into_iter()
        .filter(|case| subject.is_for(case) && case.is_light() == light)
        .filter(|case| options.cases.binary_search(&case.id).is_ok())
        .map(|case| if options.fast { case.fast() } else { case })
        .map(|case| match options.budget {
            Some(budget) => case.within(budget),
            None => case,
        })
        .collect()
}

/// How many light cases run at a time. One job is one case, of whatever kind.
fn at_once(jobs: NonZeroUsize) -> NonZeroUsize {
    match jobs.get() {
        1 => jobs,
        more => NonZeroUsize::new(more * LIGHT).unwrap_or(jobs),
    }
}

/// Notices that a subject does nothing any more.
#[derive(Debug)]
pub(super) struct Pulse {
    in_a_row: Option<usize>,
}

impl Pulse {
    pub(super) fn of(turn: &Turn) -> Self {
        Self {
            in_a_row: turn.may_stall.then_some(0),
        }
    }

    /// Takes a result into account; returns whether it was one too many.
    pub(super) fn has_stopped(&mut self, result: &CaseResult, cases: &[Case]) -> bool {
        let Some(in_a_row) = &mut self.in_a_row else {
            return false;
        };
        let ran = Duration::from_millis(result.duration_ms);
        let out_of_time = cases
            .iter()
            .any(|case| case.id == result.id && ran >= case.time_limit());
        *in_a_row = if out_of_time { *in_a_row + 1 } else { 0 };
        *in_a_row >= STALLED
    }
}

/// What is said of a subject that does nothing any more.
pub(super) fn stalled() -> String {
    format!("{STALLED} cases in a row ran out of their time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cases_in_a_row_that_run_out_of_time_mean_a_hang() {
        let cases = cases::autobahn();
        let late = |seconds: i64| {
            let mut result = CaseResult::new(cases[0].id.clone(), "FAILED".into(), "FAILED".into());
            let limit = i64::try_from(cases[0].time_limit().as_millis()).expect("small");
            result.duration_ms = u64::try_from(limit + seconds * 1000).expect("positive");
            result
        };
        let mut pulse = Pulse { in_a_row: Some(0) };
        for _ in 0..3 {
            for _ in 1..STALLED {
                assert!(!pulse.has_stopped(&late(0), &cases));
            }
            assert!(!pulse.has_stopped(&late(-1), &cases), "a sign of life");
        }
        for _ in 1..STALLED {
            assert!(!pulse.has_stopped(&late(1), &cases));
        }
        assert!(pulse.has_stopped(&late(1), &cases));

        let mut never = Pulse { in_a_row: None };
        assert!((0..100).all(|_| !never.has_stopped(&late(1), &cases)));
    }

    #[test]
    fn one_job_is_one_case_of_whatever_kind() {
        let jobs = |number| NonZeroUsize::new(number).expect("not 0");
        assert_eq!(at_once(jobs(1)), jobs(1));
        assert_eq!(at_once(jobs(4)), jobs(16));
    }
}
