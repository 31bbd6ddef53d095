//! Runs the shards of a check by an installed suite: one subject after the other, so many judges at
//! a time, until the queue is empty, the server is gone, or somebody interrupts.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cloverleaf_reports::Run;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use super::news::{News, Reporter};
use super::shard::{Opponent, Shard};
use super::{Options, results};
use crate::plan;
use crate::process::Process;
use crate::subject::{Start, Subject};
use crate::suite::Judge;

/// How long a server may take to end.
const LAST_WORDS: std::time::Duration = std::time::Duration::from_secs(5);

/// Runs all shards of all subjects.
pub(super) async fn judge(
    judge: Judge,
    options: Options,
    work: PathBuf,
    news: UnboundedSender<News>,
) {
    for (at, subject) in options.subjects.iter().enumerate() {
        let reporter = Reporter::new(at, subject, news.clone());
        let folder = work.join(subject.folder());
        if let Err(reason) = judge_subject(&judge, &options, subject, &folder, &reporter).await {
            reporter.trouble(&reason);
        }
    }
}

/// The error says why it was not judged.
async fn judge_subject(
    judge: &Judge,
    options: &Options,
    subject: &Subject,
    folder: &Path,
    reporter: &Reporter,
) -> Result<(), String> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot use {}: {error}", folder.display()))?;
    let (mut server, opponent) = match &subject.start {
        Start::Unavailable(reason) => return Err(reason.clone()),
        Start::Running(url) => (None, Opponent::Server { url: url.clone() }),
        Start::Command(command) => match subject.role {
            cloverleaf_reports::Role::Client => (
                None,
                Opponent::Client {
                    command: command.clone(),
                },
            ),
            cloverleaf_reports::Role::Server => {
                let log = folder.join("server.log");
                let started = command.start_server(&log).await;
                let (process, url) = started.map_err(|error| error.to_string())?;
                (Some(process), Opponent::Server { url })
            }
        },
    };
    let jobs = options.jobs.min(subject.jobs.unwrap_or(options.jobs)).get();
    let shards = plan::shards(&options.cases, options.jobs.get())
        .into_iter()
        .zip(1..)
        .map(|(cases, number)| Shard {
            role: subject.role,
            cases,
            folder: folder.join(format!("{number:02}")),
        });
    let queue: Arc<Mutex<VecDeque<Shard>>> = Arc::new(Mutex::new(shards.collect()));
    let mut workers = JoinSet::new();
    for _ in 0..jobs {
        let queue = Arc::clone(&queue);
        let (judge, opponent) = (judge.clone(), opponent.clone());
        let (agent, reporter) = (subject.name.clone(), reporter.clone());
        workers.spawn(async move {
            let next = || {
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.pop_front()
            };
            while let Some(shard) = next() {
                if let Err(trouble) = shard.run(&judge, &opponent, &agent, &reporter).await {
                    reporter.trouble(&trouble);
                }
            }
        });
    }
    loop {
        tokio::select! {
            done = workers.join_next() => match done {
                Some(Err(error)) => reporter.trouble(&error.to_string()),
                Some(Ok(())) => {}
                None => break,
            },
            status = ended(&mut server) => {
                reporter.trouble(&format!("it ended in mid-run ({status})"));
                // What is left for it cannot run; the shards under way end by themselves.
                queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
        }
    }
    if let Some(server) = server {
        server.stop(LAST_WORDS).await;
    }
    Ok(())
}

/// Gathers what the judges wrote: a run for each subject, and what could not be read.
pub(super) fn collect(options: &Options, work: &Path) -> std::io::Result<(Vec<Run>, Vec<String>)> {
    let mut runs = Vec::new();
    let mut troubles = Vec::new();
    for subject in &options.subjects {
        let folder = work.join(subject.folder());
        let collected = results::collect(&folder, subject.role, &subject.name, &options.cases)?;
        let about = |trouble: String| format!("{subject}: {trouble}");
        troubles.extend(collected.troubles.into_iter().map(about));
        runs.push(collected.run);
    }
    Ok((runs, troubles))
}

/// Completes, once, when the server has ended; never if there is none.
pub(super) async fn ended(server: &mut Option<Process>) -> String {
    let Some(process) = server else {
        return std::future::pending().await;
    };
    let status = process.ended().await;
    *server = None;
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
