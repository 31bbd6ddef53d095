//! Runs the shards of a check: so many judges at a time, until the queue is empty, the server
//! is gone, or somebody interrupts.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cloverleaf_reports::Role;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use super::shard::{Judged, Opponent, Shard};
use super::{CheckError, Options, folder};
use crate::plan;
use crate::process::Process;
use crate::suite::Judge;

/// News from the shards.
#[derive(Debug)]
pub(super) enum Progress {
    /// A case was judged.
    Judged(Judged),
    /// Something broke.
    Trouble(String),
}

/// Runs all shards. Returns what went wrong, for people.
pub(super) async fn measure(
    judge: &Judge,
    options: &Options,
    work: &Path,
    mut on_progress: impl FnMut(Progress),
) -> Result<Vec<String>, CheckError> {
    let signals = signal(SignalKind::interrupt())
        .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
    let (mut interrupt, mut terminate) = signals.map_err(CheckError::Signals)?;

    let mut server = None;
    let mut queue = VecDeque::new();
    let folder_of_server = work.join(folder(Role::Server));
    if let Some((process, url)) = start_server(options, &folder_of_server).await? {
        let folder = folder_of_server;
        server = process;
        queue.extend(shards(
            options,
            Role::Server,
            &folder,
            &Opponent::Server { url },
        ));
    }
    if let Some(command) = &options.client {
        let opponent = Opponent::Client {
            command: command.clone(),
        };
        queue.extend(shards(
            options,
            Role::Client,
            &work.join(folder(Role::Client)),
            &opponent,
        ));
    }

    let jobs = options.jobs.get().min(queue.len());
    let queue = Arc::new(Mutex::new(queue));
    let (sender, mut receiver) = unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..jobs {
        let queue = Arc::clone(&queue);
        let sender = sender.clone();
        let judge = judge.clone();
        let agent = options.agent.clone();
        workers.spawn(async move {
            loop {
                let next = queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                let Some((shard, opponent)) = next else {
                    return;
                };
                if let Err(trouble) = shard.run(&judge, &opponent, &agent, &sender).await {
                    // The receiver is gone only when the run is being given up.
                    let _ = sender.send(Progress::Trouble(trouble));
                }
            }
        });
    }
    drop(sender);

    let mut troubles = Vec::new();
    let mut note = |progress: Progress| {
        if let Progress::Trouble(trouble) = &progress {
            troubles.push(trouble.clone());
        }
        on_progress(progress);
    };
    let interruption = loop {
        tokio::select! {
            progress = receiver.recv() => match progress {
                Some(progress) => note(progress),
                None => break None,
            },
            status = ended(&mut server) => {
                note(Progress::Trouble(format!("the server under test ended in mid-run ({status})")));
                // What is left for it cannot run; the shards under way end by themselves.
                queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .retain(|(shard, _)| shard.role != Role::Server);
            }
            _ = interrupt.recv() => break Some("interrupted"),
            _ = terminate.recv() => break Some("told to end (SIGTERM)"),
        }
    };
    if let Some(interruption) = interruption {
        note(Progress::Trouble(interruption.to_owned()));
        // The workers are in the middle of something; dropping what they hold ends their
        // children.
        workers.abort_all();
    }
    while let Some(done) = workers.join_next().await {
        match done {
            Err(error) if !error.is_cancelled() => note(Progress::Trouble(error.to_string())),
            _ => {}
        }
    }
    if let Some(server) = server {
        server.stop(std::time::Duration::from_secs(5)).await;
    }
    Ok(troubles)
}

/// The server under test and where it listens: started, unless it runs already. `None` if there
/// is none.
pub(super) async fn start_server(
    options: &Options,
    folder: &Path,
) -> Result<Option<(Option<Process>, String)>, CheckError> {
    fs::create_dir_all(folder).map_err(|source| CheckError::folder(folder, source))?;
    if let Some(url) = &options.server_url {
        return Ok(Some((None, url.clone())));
    }
    let Some(command) = &options.server else {
        return Ok(None);
    };
    let (process, url) = command
        .start_server(&folder.join("server.log"))
        .await
        .map_err(|error| CheckError::Unreachable(error.to_string()))?;
    Ok(Some((Some(process), url)))
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

fn shards(
    options: &Options,
    role: Role,
    folder: &Path,
    opponent: &Opponent,
) -> Vec<(Shard, Opponent)> {
    plan::shards(&options.cases, options.jobs.get())
        .into_iter()
        .zip(1..)
        .map(|(cases, number)| {
            let folder = folder.join(format!("{number:02}"));
            (
                Shard {
                    role,
                    cases,
                    folder,
                },
                opponent.clone(),
            )
        })
        .collect()
}
