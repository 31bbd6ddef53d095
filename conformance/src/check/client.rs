//! Judges a client: the cases are divided among several runs of it. A run that breaks off is
//! started once more.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloverleaf_judge::authentication::Credentials;
use cloverleaf_judge::case::Case;
use cloverleaf_reports::CaseId;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::native::{LAST_WORDS, Pulse, Turn, stalled};
use crate::native::fuzzing_server::{FuzzingServer, News};
use crate::plan;
use crate::subject::{Start, SubjectCommand};

/// A browser runs at most so many cases at a time: it opens connections to one address one after
/// the other, and makes them wait the longer the more there are.
const IN_A_BROWSER: usize = 16;

/// How long verdicts may be on their way when the client has ended.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// Runs the cases. Returns whether the client can be judged further.
pub(super) async fn judge(turn: Turn) -> bool {
    let Start::Command(command) = turn.subject.start.clone() else {
        turn.reporter
            .trouble("a client must be started by a command");
        return false;
    };
    let jobs = turn.at_once.get();
    // A browser is one process, whose page runs several cases.
    let (hands, processes, at_once) = match (command.is_browser(), turn.light) {
        (true, _) => (dealt(turn.cases.clone(), 1), 1, jobs.min(IN_A_BROWSER)),
        (false, true) => (dealt(turn.cases.clone(), jobs), jobs, 1),
        (false, false) => (shards(turn.cases.clone(), jobs), jobs, 1),
    };
    let name = if turn.light { "light" } else { "heavy" };
    let turn = Arc::new(turn);
    let own = Arc::new(Semaphore::new(processes));
    let failures = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    for (cases, number) in hands.into_iter().zip(1..) {
        let hand = Hand {
            turn: Arc::clone(&turn),
            command: command.clone(),
            cases,
            at_once,
            log: turn.folder.join(format!("{name}-{number:02}.log")),
        };
        let (own, failures) = (Arc::clone(&own), Arc::clone(&failures));
        running.spawn(async move {
            let wanted = u32::try_from(at_once).unwrap_or(1);
            // The semaphores are never closed.
            let _own = own.acquire_owned().await;
            let _shared = Arc::clone(&hand.turn.places)
                .acquire_many_owned(wanted)
                .await;
            if let Err(trouble) = hand.judge().await {
                // They mostly fail alike: one says why.
                if failures.fetch_add(1, Ordering::Relaxed) == 0 {
                    hand.turn.reporter.trouble(&trouble);
                }
            }
        });
    }
    while let Some(done) = running.join_next().await {
        if let Err(error) = done {
            turn.reporter.trouble(&error.to_string());
        }
    }
    let failures = failures.load(Ordering::Relaxed);
    if failures > 1 {
        let more = failures - 1;
        turn.reporter.trouble(&format!(
            "{more} more runs of it broke off; their output: {}",
            turn.folder.display()
        ));
    }
    failures == 0
}

/// Deals cases out like cards, so that neighbours, which are alike, go to different hands.
fn dealt(cases: Vec<Case>, hands: usize) -> Vec<Vec<Case>> {
    let hands = hands.min(cases.len());
    let mut dealt: Vec<Vec<Case>> = (0..hands).map(|_| Vec::new()).collect();
    for (at, case) in cases.into_iter().enumerate() {
        dealt[at % hands].push(case);
    }
    dealt
}

/// Cuts cases that take long into runs of about equal weight, the heaviest first.
fn shards(cases: Vec<Case>, jobs: usize) -> Vec<Vec<Case>> {
    let ids: Vec<_> = cases.iter().map(|case| case.id.clone()).collect();
    let of = |id: &CaseId| cases.iter().find(|case| case.id == *id).cloned();
    plan::shards(&ids, jobs)
        .iter()
        .map(|shard| shard.iter().filter_map(of).collect())
        .collect()
}

/// Some of the cases, for one run of the client.
struct Hand {
    turn: Arc<Turn>,
    command: SubjectCommand,
    cases: Vec<Case>,
    /// How many of them a browser runs at a time.
    at_once: usize,
    log: PathBuf,
}

impl Hand {
    /// The error says why cases are missing.
    async fn judge(&self) -> Result<(), String> {
        let mut open = self.cases.clone();
        let mut starts = 0;
        loop {
            let before = open.len();
            let Err(why) = self.run(&mut open).await else {
                return Ok(());
            };
            starts += 1;
            let (left, log) = (open.len(), self.log.display());
            if left == 0 {
                self.turn.reporter.remark(&why);
                return Ok(());
            } else if left < before && starts < 2 {
                self.turn.reporter.remark(&format!(
                    "{why}; it was started again, with {left} left to run"
                ));
            } else {
                let all = self.cases.len();
                return Err(format!(
                    "{why}; {left} of these {all} cases are missing; its output: {log}"
                ));
            }
        }
    }

    /// Starts the client and takes off `open` the cases judged. The error says why some were not,
    /// or how it ended otherwise than it should.
    async fn run(&self, open: &mut Vec<Case>) -> Result<(), String> {
        let longest = open.iter().map(Case::time_limit).max().unwrap_or_default();
        let patience = longest + self.command.patience();
        let (sender, mut judged) = mpsc::unbounded_channel();
        let server = FuzzingServer::bind(([127, 0, 0, 1], 0).into(), open.clone())
            .await
            .map_err(|error| format!("the fuzzing server cannot listen: {error}"))?
            .credentials(self.turn.subject.credentials.clone())
            .news(sender);
        let address = server.address().map_err(|error| error.to_string())?;
        let (stop, stopped) = oneshot::channel::<()>();
        let mut serving = JoinSet::new();
        serving.spawn(server.serve_until(async {
            // Dropping the sender is the signal.
            let _ = stopped.await;
        }));
        let userinfo = userinfo(&self.turn.subject.credentials);
        let url = format!("ws://{userinfo}{address}");
        let agent = &self.turn.subject.name;
        let started = self
            .command
            .start_client(&url, agent, self.at_once, &self.log);
        let mut client = started.map_err(|error| format!("it cannot be started: {error}"))?;
        let mut seen = BTreeSet::new();
        let mut pulse = Pulse::of(&self.turn);
        let mut ended = None;
        loop {
            tokio::select! {
                next = judged.recv() => if let Some(News::Judged(_, result)) = next {
                    let stopped = pulse.has_stopped(&result, open);
                    // A client may run a case twice; it counts once.
                    if seen.insert(result.id.clone()) {
                        open.retain(|case| case.id != result.id);
                        self.turn.reporter.result(result);
                    }
                    if open.is_empty() {
                        break;
                    }
                    if stopped {
                        return Err(stalled());
                    }
                },
                sign = client.line_or_end(), if ended.is_none() => if let Some(status) = sign {
                    ended = Some(status.map_or_else(|error| error.to_string(), |s| s.to_string()));
                },
                () = sleep(STRAGGLERS), if ended.is_some() => {
                    let how = ended.as_deref().unwrap_or_default();
                    return Err(format!("it ended early ({how})"));
                }
                () = sleep(patience) => {
                    return Err(format!("nothing happened for {} s", patience.as_secs()));
                }
            }
        }
        if self.command.is_browser() {
            client.kill().await;
            return Ok(());
        }
        // It may still ask for the reports.
        let in_time = match ended {
            Some(_) => true,
            None => timeout(LAST_WORDS, async {
                while client.line_or_end().await.is_none() {}
            })
            .await
            .is_ok(),
        };
        drop(stop);
        match in_time {
            true => Ok(()),
            false => Err("it did not end after its last case".to_owned()),
        }
    }
}

/// Name and password as a URL has them (RFC 3986 §3.2.1).
fn userinfo(credentials: &Credentials) -> String {
    let encoded = crate::testee::percent_encoded;
    match &credentials.login {
        Some(login) => format!("{}:{}@", encoded(&login.user), encoded(&login.password)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloverleaf_judge::cases;

    #[test]
    fn every_case_is_dealt_once() {
        for hands in [1, 2, 16, 1000] {
            let cases = cases::autobahn();
            let count = cases.len();
            let dealt = dealt(cases, hands);
            assert!(dealt.len() <= hands && dealt.iter().all(|hand| !hand.is_empty()));
            assert_eq!(dealt.iter().map(Vec::len).sum::<usize>(), count);
        }
        assert!(dealt(Vec::new(), 4).is_empty());
    }

    #[test]
    fn every_case_is_in_one_shard() {
        let cases = cases::autobahn();
        let mut ids: Vec<_> = shards(cases.clone(), 2)
            .concat()
            .into_iter()
            .map(|c| c.id)
            .collect();
        ids.sort_unstable();
        assert!(ids.iter().eq(cases.iter().map(|case| &case.id)));
    }
}
