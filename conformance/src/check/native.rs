//! Runs the native suite against the subjects of a check.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cloverleaf_judge::case::Case;
use cloverleaf_judge::cases;
use cloverleaf_reports::{CaseId, CaseResult, Role};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::measure::{Progress, ended as server_ended, start_server};
use super::shard::Judged;
use super::{CheckError, Options, folder};
use crate::native::Results;
use crate::native::fuzzing_client::{FuzzingClient, News as ClientNews, Target};
use crate::native::fuzzing_server::{FuzzingServer, News as ServerNews};
use crate::plan;
use crate::process::Process;
use crate::spec::WsUrl;
use crate::subject::SubjectCommand;

/// Cases that mostly wait run so many times more at once than those that mostly work.
const LIGHT: usize = 4;

/// A browser runs at most so many cases at a time: it opens connections to one address one after
/// the other, and makes them wait the longer the more there are.
const IN_A_BROWSER: usize = 16;

/// A client that has been silent for so long beyond the longest of its cases has hung.
const MARGIN: Duration = Duration::from_secs(30);

/// How long a subject may take to end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What the workers say.
enum News {
    Judged(Role, Box<CaseResult>),
    Trouble(String),
}

/// Runs the selected cases. Returns what was measured, by role, and what went wrong.
pub(super) async fn measure(
    options: &Options,
    work: &Path,
    mut on_progress: impl FnMut(Progress),
) -> Result<(Vec<Results>, Vec<String>), CheckError> {
    let signals = signal(SignalKind::interrupt())
        .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
    let (mut interrupt, mut terminate) = signals.map_err(CheckError::Signals)?;

    let mut troubles = Vec::new();
    let mut measured = Vec::new();
    let mut interrupted = false;
    for role in options.roles() {
        let folder = work.join(folder(role));
        fs::create_dir_all(&folder).map_err(|source| CheckError::folder(&folder, source))?;
        let results = Results::new(role);
        let (sender, mut news) = unbounded_channel();
        let running = match role {
            Role::Server => judge_server(options, &folder, sender).await?,
            Role::Client => judge_client(options, &folder, sender),
        };
        while !interrupted {
            tokio::select! {
                next = news.recv() => match next {
                    Some(News::Judged(role, result)) => {
                        let judged = Judged {
                            role,
                            case: result.id.clone(),
                            verdict: result.verdict.clone(),
                            close_verdict: result.close_verdict.clone(),
                        };
                        results.insert(&options.agent, *result);
                        on_progress(Progress::Judged(judged));
                    }
                    Some(News::Trouble(trouble)) => {
                        troubles.push(trouble.clone());
                        on_progress(Progress::Trouble(trouble));
                    }
                    None => break,
                },
                _ = interrupt.recv() => interrupted = true,
                _ = terminate.recv() => interrupted = true,
            }
        }
        drop(running);
        measured.push(results);
        if interrupted {
            let trouble = "interrupted".to_owned();
            troubles.push(trouble.clone());
            on_progress(Progress::Trouble(trouble));
            break;
        }
    }
    Ok((measured, troubles))
}

/// The selected cases that can judge a subject in this role: the light ones first.
fn selected(options: &Options, role: Role) -> (Vec<Case>, Vec<Case>) {
    cases::all()
        .into_iter()
        .filter(|case| case.subjects.include(role))
        .filter(|case| options.cases.binary_search(&case.id).is_ok())
        .map(|case| if options.fast { case.fast() } else { case })
        .map(|case| match options.budget {
            Some(budget) => case.within(budget),
            None => case,
        })
        .partition(Case::is_light)
}

/// Starts the server under test, and judges it in the background.
async fn judge_server(
    options: &Options,
    folder: &Path,
    news: UnboundedSender<News>,
) -> Result<JoinSet<()>, CheckError> {
    let mut tasks = JoinSet::new();
    let Some((mut process, url)) = start_server(options, folder).await? else {
        return Ok(tasks);
    };
    let parsed = WsUrl::parse(&url);
    let url = parsed.map_err(|found| {
        CheckError::Unreachable(format!("{url:?} is no place for a server: {found}"))
    })?;
    let mut target = Target::new(url);
    target.agent = Some(options.agent.clone());
    let (light, heavy) = selected(options, Role::Server);
    let jobs = options.jobs;
    tasks.spawn(async move {
        for (cases, jobs) in [(light, at_once(jobs)), (heavy, jobs)] {
            let results = FuzzingClient::new(cases, jobs).judge(target.clone());
            if let Err(trouble) = pass_on(results, &mut process, &news).await {
                // The receiver is gone only when the run is being given up.
                let _ = news.send(News::Trouble(trouble));
                return;
            }
        }
        if let Some(process) = process {
            process.stop(LAST_WORDS).await;
        }
    });
    Ok(tasks)
}

/// How many light cases run at a time. One job is one case, of whatever kind.
fn at_once(jobs: NonZeroUsize) -> NonZeroUsize {
    match jobs.get() {
        1 => jobs,
        more => NonZeroUsize::new(more * LIGHT).unwrap_or(jobs),
    }
}

async fn pass_on(
    mut results: UnboundedReceiver<ClientNews>,
    server: &mut Option<Process>,
    news: &UnboundedSender<News>,
) -> Result<(), String> {
    let mut ended = None;
    loop {
        tokio::select! {
            next = results.recv() => match next {
                // The receiver is gone only when the run is being given up.
                Some(ClientNews::Judged(_, result)) => {
                    let _ = news.send(News::Judged(Role::Server, result));
                }
                Some(ClientNews::Unreachable(reason)) => {
                    return Err(ended.unwrap_or(reason));
                }
                None => return Ok(()),
            },
            status = server_ended(server) => {
                ended = Some(format!("the server under test ended in mid-run ({status})"));
            }
        }
    }
}

/// Judges a client in the background: the cases are divided among several runs of it.
fn judge_client(options: &Options, folder: &Path, news: UnboundedSender<News>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let Some(command) = options.client.clone() else {
        return tasks;
    };
    let (light, heavy) = selected(options, Role::Client);
    let (jobs, light_jobs) = (options.jobs.get(), at_once(options.jobs).get());
    let folder = folder.to_owned();
    let agent = options.agent.clone();
    tasks.spawn(async move {
        let mut number = 0;
        let rounds = match command.is_browser() {
            // One process at a time, whose page runs several cases.
            true => [
                (dealt(light, 1), 1, light_jobs.min(IN_A_BROWSER)),
                (dealt(heavy, 1), 1, jobs.min(IN_A_BROWSER)),
            ],
            false => [
                (dealt(light, light_jobs), light_jobs, 1),
                (shards(heavy, jobs), jobs, 1),
            ],
        };
        for (hands, jobs, at_once) in rounds {
            let places = Arc::new(Semaphore::new(jobs));
            let mut running = JoinSet::new();
            for cases in hands {
                number += 1;
                let client = Client {
                    command: command.clone(),
                    agent: agent.clone(),
                    cases,
                    at_once,
                    log: folder.join(format!("{number:02}.log")),
                    news: news.clone(),
                };
                let places = Arc::clone(&places);
                running.spawn(async move {
                    // The semaphore is never closed.
                    let _place = places.acquire_owned().await;
                    client.judge().await
                });
            }
            while let Some(done) = running.join_next().await {
                let trouble = match done {
                    Ok(Ok(())) => continue,
                    Ok(Err(trouble)) => trouble,
                    Err(error) => error.to_string(),
                };
                // The receiver is gone only when the run is being given up.
                let _ = news.send(News::Trouble(trouble));
            }
        }
    });
    tasks
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

/// One run of the client under test.
struct Client {
    command: SubjectCommand,
    agent: String,
    cases: Vec<Case>,
    /// How many of them a browser runs at a time.
    at_once: usize,
    log: std::path::PathBuf,
    news: UnboundedSender<News>,
}

impl Client {
    async fn judge(self) -> Result<(), String> {
        let patience = self
            .cases
            .iter()
            .map(Case::time_limit)
            .max()
            .unwrap_or_default()
            + MARGIN;
        let mut open = self.cases.len();
        let all = open;
        let (sender, mut judged) = unbounded_channel();
        let server = FuzzingServer::bind(([127, 0, 0, 1], 0).into(), self.cases)
            .await
            .map_err(|error| format!("the fuzzing server cannot listen: {error}"))?
            .news(sender);
        let address = server.address().map_err(|error| error.to_string())?;
        let (stop, stopped) = oneshot::channel::<()>();
        let mut serving = JoinSet::new();
        serving.spawn(server.serve_until(async {
            // Dropping the sender is the signal.
            let _ = stopped.await;
        }));
        let mut client = self
            .command
            .start_client(
                &format!("ws://{address}"),
                &self.agent,
                self.at_once,
                &self.log,
            )
            .map_err(|error| format!("the client under test cannot be started: {error}"))?;
        let mut seen = std::collections::BTreeSet::new();
        let mut ended = None;
        let why = loop {
            tokio::select! {
                next = judged.recv() => if let Some(ServerNews::Judged(_, result)) = next {
                    // A client may run a case twice; it counts once.
                    if seen.insert(result.id.clone()) {
                        open -= 1;
                        // The receiver is gone only when the run is being given up.
                        let _ = self.news.send(News::Judged(Role::Client, result));
                    }
                    if open == 0 {
                        break None;
                    }
                },
                sign = client.line_or_end(), if ended.is_none() => if let Some(status) = sign {
                    ended = Some(status.map_or_else(|error| error.to_string(), |s| s.to_string()));
                },
                // Verdicts that are still on their way.
                () = tokio::time::sleep(Duration::from_secs(2)), if ended.is_some() => {
                    let how = ended.as_deref().unwrap_or_default();
                    break Some(format!("it ended ({how})"));
                }
                () = tokio::time::sleep(patience) => {
                    break Some(format!("nothing happened for {} s", patience.as_secs()));
                }
            }
        };
        if let Some(why) = why {
            let log = self.log.display();
            return Err(format!(
                "the client under test has left {open} of {all} cases: {why}; its output: {log}"
            ));
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
        if in_time {
            Ok(())
        } else {
            Err("the client under test did not end after its last case".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
