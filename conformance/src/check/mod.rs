//! The main job: run a suite against servers and clients, and write the report.
//!
//! ```text
//!  native        a round of light cases, then one of heavy ones; several subjects at a time
//!    server        judges a server, starts it anew once
//!    client        judges a client, in several runs
//!  installed     another suite: one subject after the other, in shards
//!    shard         a run of its judge
//!    results       gathers what it wrote
//!  report        the record of all that was measured
//!  outcome       what it amounts to
//! ```

mod client;
mod error;
mod installed;
mod native;
mod news;
mod outcome;
mod report;
mod results;
mod server;
mod shard;
#[cfg(test)]
mod tests;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloverleaf_reports::{CaseId, CloseVerdict, Role, Run, Verdict, autobahn, html};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use crate::lock::FolderLock;
use crate::selection::Pattern;
use crate::subject::Subject;
use crate::suite::{Judge, Suite};
pub use error::CheckError;
use news::News;
use outcome::Expectations;
pub use outcome::{Finding, Outcome, Outdated, Reason};

/// What to check, and where to write.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Whom to judge, in the order of the report.
    pub subjects: Vec<Subject>,
    /// The cases to run, in id order.
    pub cases: Vec<CaseId>,
    /// How many judges run at a time.
    pub jobs: NonZeroUsize,
    /// The folder for the report.
    pub out: PathBuf,
    /// What stands for this run in a history of runs.
    pub label: Option<String>,
    /// Cases that may have any verdict.
    pub allow: Vec<Pattern>,
    /// Repeat what is repeated a tenth as often. For the native suite only.
    pub fast: bool,
    /// Give each case at most this long. For the native suite only.
    pub budget: Option<Duration>,
}

impl Options {
    /// These subjects, with as many jobs as there are cores.
    pub fn new(subjects: Vec<Subject>, cases: Vec<CaseId>, out: impl Into<PathBuf>) -> Self {
        Self {
            subjects,
            cases,
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            out: out.into(),
            label: None,
            allow: Vec::new(),
            fast: false,
            budget: None,
        }
    }
}

/// What happens during a check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A case was judged.
    #[non_exhaustive]
    Judged {
        /// The name of the subject.
        subject: String,
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
    /// Something that a person should see at once, though nothing is missing because of it.
    Remark(String),
    /// Something that a person should see at once: a part of the run broke.
    Trouble(String),
}

/// Who judges.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum By {
    /// This program: the native suite.
    Us,
    /// Another suite, installed.
    Installed(Judge),
}

impl By {
    /// The installed suite, if it is one.
    fn installed(&self) -> Option<Suite> {
        match self {
            Self::Us => None,
            Self::Installed(judge) => Some(judge.suite()),
        }
    }

    /// The suite's name and version.
    fn suite(&self) -> (&'static str, &'static str) {
        match self {
            Self::Us => ("native", env!("CARGO_PKG_VERSION")),
            Self::Installed(judge) => (judge.suite().name(), judge.suite().version()),
        }
    }
}

/// Runs the suite against the subjects and writes the report: `servers/` and `clients/` with
/// Autobahn's JSON, `index.html`, and the record as `results.json`.
///
/// Whatever goes wrong on the way, what was measured until then is in the report, and the
/// [`Outcome`] says what is missing. Ctrl-C ends the run in the same way.
///
/// # Errors
///
/// If the folder cannot be used.
pub async fn check(
    by: &By,
    options: &Options,
    mut on_event: impl FnMut(Event),
) -> Result<Outcome, CheckError> {
    let out = std::path::absolute(&options.out)
        .map_err(|source| CheckError::folder(&options.out, source))?;
    let work = out.join("run");
    let _lock = clear(&out, &work).map_err(|source| CheckError::folder(&out, source))?;

    let expectations = Expectations::new(options, by.installed());
    let measured = measure(by, options, &work, &expectations, &mut on_event).await?;
    let record = report::record(by, options, &expectations, measured)?;
    for run in &record.runs {
        autobahn::write_dir(&out.join(folder(run.role)), run)
            .map_err(|error| CheckError::Report(error.to_string()))?;
    }
    let page = out.join("index.html");
    for (path, text) in [
        (&page, html::render(&record)),
        (&out.join(RECORD), record.to_json()),
    ] {
        fs::write(path, text).map_err(|source| CheckError::folder(path, source))?;
    }

    let outcome = Outcome::of(record, &expectations, page);
    if outcome.is_success() {
        // The logs are for those who look for a reason.
        fs::remove_dir_all(&work)
            .or_else(absent_is_fine)
            .map_err(|source| CheckError::folder(&work, source))?;
    }
    Ok(outcome)
}

/// What was measured, and how it went.
#[derive(Debug)]
struct Measured {
    /// For each subject in turn a run of its own.
    runs: Vec<Run>,
    remarks: Vec<String>,
    troubles: Vec<String>,
}

/// Runs the cases until all have run or somebody interrupts.
async fn measure(
    by: &By,
    options: &Options,
    work: &Path,
    expectations: &Expectations<'_>,
    on_event: &mut impl FnMut(Event),
) -> Result<Measured, CheckError> {
    let signals = signal(SignalKind::interrupt())
        .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
    let (mut interrupt, mut terminate) = signals.map_err(CheckError::Signals)?;

    let mut measured = Measured {
        runs: options.subjects.iter().map(report::run_of).collect(),
        remarks: Vec::new(),
        troubles: Vec::new(),
    };
    let mut note = |news: News| match news {
        News::Result(at, result) => {
            let subject = &options.subjects[at];
            let event =
                expectations.event(subject, &result.id, &result.verdict, &result.close_verdict);
            let place = measured.runs[at].subjects.first_mut();
            if place.is_some_and(|subject| subject.insert(*result).is_none()) {
                on_event(event);
            }
        }
        News::Verdict(at, case, verdict, close_verdict) => {
            let subject = &options.subjects[at];
            on_event(expectations.event(subject, &case, &verdict, &close_verdict));
        }
        News::Remark(remark) => {
            measured.remarks.push(remark.clone());
            on_event(Event::Remark(remark));
        }
        News::Trouble(trouble) => {
            measured.troubles.push(trouble.clone());
            on_event(Event::Trouble(trouble));
        }
    };

    let (sender, mut news) = unbounded_channel();
    let mut running = JoinSet::new();
    match by {
        By::Us => running.spawn(native::judge(options.clone(), work.to_owned(), sender)),
        By::Installed(judge) => running.spawn(installed::judge(
            judge.clone(),
            options.clone(),
            work.to_owned(),
            sender,
        )),
    };
    let interruption = loop {
        tokio::select! {
            next = news.recv() => match next {
                Some(next) => note(next),
                None => break None,
            },
            _ = interrupt.recv() => break Some("interrupted"),
            _ = terminate.recv() => break Some("told to end (SIGTERM)"),
        }
    };
    if let Some(interruption) = interruption {
        note(News::Trouble(format!("the run was {interruption}")));
    }
    // They may be in the middle of something; dropping what they hold ends their children.
    running.abort_all();
    while let Some(done) = running.join_next().await {
        match done {
            Err(error) if !error.is_cancelled() => note(News::Trouble(error.to_string())),
            _ => {}
        }
    }
    if let By::Installed(_) = by {
        let (runs, troubles) =
            installed::collect(options, work).map_err(|source| CheckError::folder(work, source))?;
        measured.runs = runs;
        measured.troubles.extend(troubles);
    }
    Ok(measured)
}

/// The name of the record's file.
const RECORD: &str = "results.json";

/// The folder of a role's results, as Autobahn names it.
fn folder(role: Role) -> &'static str {
    match role {
        Role::Server => "servers",
        Role::Client => "clients",
    }
}

/// Takes an older report away, and locks the folder until the file is closed. Only what this
/// program writes is removed.
fn clear(out: &Path, work: &Path) -> std::io::Result<FolderLock> {
    let lock = FolderLock::take(out)?;
    fs::remove_file(out.join("index.html")).or_else(absent_is_fine)?;
    fs::remove_file(out.join(RECORD)).or_else(absent_is_fine)?;
    fs::remove_dir_all(work).or_else(absent_is_fine)?;
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

fn absent_is_fine(error: std::io::Error) -> std::io::Result<()> {
    match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}
