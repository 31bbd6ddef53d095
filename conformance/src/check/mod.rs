//! The main job: run a suite against a server and a client, and write the report.

mod error;
mod outcome;
mod results;
mod shard;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cloverleaf_reports::model::{Suite as SuiteName, Tool};
use cloverleaf_reports::{CaseId, CloseVerdict, Record, Role, Verdict, autobahn, html};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use crate::deviation::{self, Deviation};
use crate::plan;
use crate::process::Process;
use crate::selection::Pattern;
use crate::subject::SubjectCommand;
use crate::suite::{Judge, Suite};
pub use error::CheckError;
pub use outcome::{Finding, Outcome, Reason};
use shard::{Judged, Opponent, Shard};

/// What to check, and where to write.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The roles to judge: the subjects of each.
    pub server: Option<SubjectCommand>,
    /// As `server`.
    pub client: Option<SubjectCommand>,
    /// The cases to run, in id order.
    pub cases: Vec<CaseId>,
    /// How many judges run at a time.
    pub jobs: NonZeroUsize,
    /// The folder for the report.
    pub out: PathBuf,
    /// The name to report under.
    pub agent: String,
    /// Cases that may have any verdict.
    pub allow: Vec<Pattern>,
}

impl Options {
    /// Both of our own subjects, with as many jobs as there are cores.
    ///
    /// # Errors
    ///
    /// If the system does not say where this program is.
    pub fn new(cases: Vec<CaseId>, out: impl Into<PathBuf>) -> std::io::Result<Self> {
        Ok(Self {
            server: Some(SubjectCommand::our_server()?),
            client: Some(SubjectCommand::our_client()?),
            cases,
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            out: out.into(),
            agent: "Cloverleaf".to_owned(),
            allow: Vec::new(),
        })
    }

    fn roles(&self) -> Vec<Role> {
        let server = self.server.as_ref().map(|_| Role::Server);
        let client = self.client.as_ref().map(|_| Role::Client);
        server.into_iter().chain(client).collect()
    }

    /// The known deviations of the suite that this run can show: they were measured against
    /// our own subjects.
    fn deviations(&self, suite: Suite) -> Vec<&'static Deviation> {
        let ours = |role| {
            let subject = match role {
                Role::Server => &self.server,
                Role::Client => &self.client,
            };
            subject.as_ref().is_some_and(SubjectCommand::is_ours)
        };
        deviation::of(suite)
            .iter()
            .filter(|deviation| ours(deviation.role))
            .collect()
    }
}

/// What happens during a check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A case was judged.
    #[non_exhaustive]
    Judged {
        /// The role of the subject.
        role: Role,
        /// The case.
        case: CaseId,
        /// How the subject behaved.
        verdict: Verdict,
        /// How the connection ended.
        close_verdict: CloseVerdict,
        /// Whether both verdicts are as they should be, or tolerated.
        expected: bool,
    },
    /// Something that a person should see at once: a part of the run broke.
    Trouble(String),
}

/// Runs the suite against the subjects and writes the report: `servers/` and `clients/` with
/// Autobahn's JSON, and `index.html`.
///
/// Whatever goes wrong on the way, what was measured until then is in the report, and the
/// [`Outcome`] says what is missing. Ctrl-C ends the run in the same way.
///
/// # Errors
///
/// If the folder cannot be used, or a server does not come up and so nothing can be measured.
pub async fn check(
    judge: &Judge,
    options: &Options,
    mut on_event: impl FnMut(Event),
) -> Result<Outcome, CheckError> {
    let out = std::path::absolute(&options.out)
        .map_err(|source| CheckError::folder(&options.out, source))?;
    let work = out.join("run");
    let _lock = clear(&out, &work).map_err(|source| CheckError::folder(&out, source))?;

    let deviations = options.deviations(judge.suite());
    let verdict_of = |judged: &Judged| {
        outcome::expected(
            judged.role,
            &judged.case,
            &judged.verdict,
            &judged.close_verdict,
            &options.allow,
            &deviations,
        )
    };
    let mut troubles = measure(judge, options, &work, |event| {
        on_event(match event {
            Progress::Judged(judged) => Event::Judged {
                expected: verdict_of(&judged),
                role: judged.role,
                case: judged.case,
                verdict: judged.verdict,
                close_verdict: judged.close_verdict,
            },
            Progress::Trouble(trouble) => Event::Trouble(trouble),
        });
    })
    .await?;

    let suite = judge.suite();
    let mut record = Record::new(format!(
        "{} judged by {suite} {}",
        options.agent,
        suite.version()
    ));
    record.tool = Some(Tool::new("cloverleaf", env!("CARGO_PKG_VERSION")));
    record.suite = Some(SuiteName::new(suite.name(), suite.version()));
    for role in options.roles() {
        let run = results::collect(
            &work.join(folder(role)),
            role,
            &options.agent,
            &options.cases,
        )
        .map_err(|source| CheckError::folder(&work, source))?;
        troubles.extend(run.troubles);
        autobahn::write_dir(&out.join(folder(role)), &run.run)
            .map_err(|error| CheckError::Report(error.to_string()))?;
        record
            .add(run.run)
            .map_err(|error| CheckError::Report(error.to_string()))?;
    }
    record.started = record
        .subjects()
        .flat_map(|(_, subject)| subject.results.values())
        .filter_map(|result| result.detail.as_ref()?.started.clone())
        .min();
    let page = out.join("index.html");
    fs::write(&page, html::render(&record)).map_err(|source| CheckError::folder(&page, source))?;

    let outcome = Outcome::of(record, &options.allow, &deviations, troubles, page);
    if outcome.is_success() {
        // The logs are for those who look for a reason.
        fs::remove_dir_all(&work).map_err(|source| CheckError::folder(&work, source))?;
    }
    Ok(outcome)
}

/// The folder of a role's results, as Autobahn names it.
fn folder(role: Role) -> &'static str {
    match role {
        Role::Server => "servers",
        Role::Client => "clients",
    }
}

/// Takes an older report away, and locks the folder until the file is closed. Only what this
/// program writes is removed.
fn clear(out: &Path, work: &Path) -> std::io::Result<fs::File> {
    fs::create_dir_all(out)?;
    let lock = fs::File::create(out.join(".lock"))?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(
        |_| std::io::Error::other("another check is writing there; choose another --out"),
    )?;
    let absent_is_fine = |result: std::io::Result<()>| match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    absent_is_fine(fs::remove_file(out.join("index.html")))?;
    absent_is_fine(fs::remove_dir_all(work))?;
    for role in [Role::Server, Role::Client] {
        let Ok(files) = fs::read_dir(out.join(folder(role))) else {
            continue;
        };
        for file in files {
            let file = file?.path();
            if file
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                fs::remove_file(file)?;
            }
        }
    }
    Ok(lock)
}

enum Progress {
    Judged(Judged),
    Trouble(String),
}

/// Runs all shards. Returns what went wrong, for people.
async fn measure(
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
    if let Some(command) = &options.server {
        let folder = work.join(folder(Role::Server));
        fs::create_dir_all(&folder).map_err(|source| CheckError::folder(&folder, source))?;
        let (process, url) = command
            .start_server(&folder.join("server.log"))
            .await
            .map_err(|error| CheckError::Unreachable(error.to_string()))?;
        server = Some(process);
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
    let (sender, mut verdicts) = unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..jobs {
        let queue = Arc::clone(&queue);
        let sender = sender.clone();
        let judge = judge.clone();
        let agent = options.agent.clone();
        workers.spawn(async move {
            let mut troubles = Vec::new();
            loop {
                let next = queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                let Some((shard, opponent)) = next else {
                    return troubles;
                };
                if let Err(trouble) = shard.run(&judge, &opponent, &agent, &sender).await {
                    troubles.push(trouble);
                }
            }
        });
    }
    drop(sender);

    let mut troubles = Vec::new();
    let interruption = loop {
        tokio::select! {
            judged = verdicts.recv() => match judged {
                Some(judged) => on_progress(Progress::Judged(judged)),
                None => break None,
            },
            status = ended(&mut server) => {
                let trouble = format!("the server under test ended in mid-run ({status})");
                on_progress(Progress::Trouble(trouble.clone()));
                troubles.push(trouble);
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
        on_progress(Progress::Trouble(interruption.to_owned()));
        troubles.push(interruption.to_owned());
        // The workers are in the middle of something; dropping what they hold ends their
        // children.
        workers.abort_all();
    }
    while let Some(done) = workers.join_next().await {
        match done {
            Ok(of_worker) => {
                for trouble in of_worker {
                    on_progress(Progress::Trouble(trouble.clone()));
                    troubles.push(trouble);
                }
            }
            Err(error) if error.is_cancelled() => {}
            Err(error) => troubles.push(error.to_string()),
        }
    }
    if let Some(server) = server {
        server.stop(std::time::Duration::from_secs(5)).await;
    }
    Ok(troubles)
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

/// Completes, once, when the server has ended; never if there is none.
async fn ended(server: &mut Option<Process>) -> String {
    let Some(process) = server else {
        return std::future::pending().await;
    };
    let status = process.ended().await;
    *server = None;
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
