//! Judges a server, and starts it anew once if it dies.

use cloverleaf_judge::case::Case;

use super::installed::ended;
use super::native::{LAST_WORDS, Pulse, Turn, stalled};
use crate::native::fuzzing_client::{FuzzingClient, News, Target};
use crate::process::Process;
use crate::spec::WsUrl;
use crate::subject::Start;

/// Runs the cases. Returns whether the server can be judged further.
pub(super) async fn judge(turn: Turn) -> bool {
    let mut open = turn.cases.clone();
    let mut starts = 0;
    loop {
        let before = open.len();
        let Err(why) = run(&turn, &mut open).await else {
            return true;
        };
        starts += 1;
        let begun = matches!(turn.subject.start, Start::Command(_)) && open.len() < before;
        if open.is_empty() {
            turn.reporter.remark(&format!("{why}, after its last case"));
            return true;
        } else if begun && starts < 2 {
            let left = open.len();
            turn.reporter.remark(&format!(
                "{why}; it was started again, with {left} left to run"
            ));
        } else {
            let (left, all) = (open.len(), turn.cases.len());
            turn.reporter
                .trouble(&format!("{why}; {left} of {all} cases are missing"));
            return false;
        }
    }
}

/// Starts the server and runs the cases, taking off `open` those judged. The error says why some
/// were not.
async fn run(turn: &Turn, open: &mut Vec<Case>) -> Result<(), String> {
    let (mut process, url) = start(turn).await?;
    let parsed = WsUrl::parse(&url);
    let url = parsed.map_err(|found| format!("it cannot listen there: {found}"))?;
    let mut target = Target::new(url);
    target.agent = Some(turn.subject.name.clone());
    target.credentials = turn.subject.credentials.clone();
    let client = FuzzingClient::new(open.clone(), turn.at_once).sharing(turn.places.clone());
    let mut results = client.judge(target);
    let mut pulse = Pulse::of(turn);
    let mut why = None;
    let mut status = None;
    loop {
        tokio::select! {
            next = results.recv() => match next {
                Some(News::Judged(_, result)) => {
                    let stopped = pulse.has_stopped(&result, open);
                    open.retain(|case| case.id != result.id);
                    turn.reporter.result(result);
                    if stopped {
                        why = Some(stalled());
                        break;
                    }
                }
                // Cases that have a connection still end, with a result.
                Some(News::Unreachable(reason)) => why = Some(reason),
                None => break,
            },
            how = ended(&mut process) => {
                status = Some(format!("it ended in mid-run ({how})"));
            }
        }
    }
    drop(results);
    if let Some(process) = process {
        match why {
            Some(_) => process.kill().await,
            None => {
                process.stop(LAST_WORDS).await;
            }
        }
    }
    match why {
        // A program that ends while its server goes on has nothing to do with the results.
        None => Ok(()),
        Some(reason) => Err(status.unwrap_or(reason)),
    }
}

async fn start(turn: &Turn) -> Result<(Option<Process>, String), String> {
    match &turn.subject.start {
        Start::Running(url) => Ok((None, url.clone())),
        Start::Command(command) => {
            let log = turn.folder.join("server.log");
            let started = command.start_server(&log).await;
            let (process, url) = started.map_err(|error| error.to_string())?;
            Ok((Some(process), url))
        }
        Start::Unavailable(reason) => Err(reason.clone()),
    }
}
