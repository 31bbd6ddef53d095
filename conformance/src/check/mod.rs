//! The main job: run a suite against a server and a client, and write the report.

mod error;
mod measure;
mod native;
mod outcome;
mod results;
mod shard;
#[cfg(test)]
mod tests;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloverleaf_reports::model::{Suite as SuiteName, Tool};
use cloverleaf_reports::{
    CaseId, CloseVerdict, Record, Role, Run, Subject, Verdict, autobahn, html,
};

use crate::catalog;
use crate::deviation::{self, Deviation};
use crate::lock::FolderLock;
use crate::native::Results;
use crate::selection::Pattern;
use crate::subject::SubjectCommand;
use crate::suite::{Judge, Suite};
pub use error::CheckError;
use measure::{Progress, measure};
pub use outcome::{Finding, Outcome, Reason};

/// What to check, and where to write.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The server to judge. `None`: none.
    pub server: Option<SubjectCommand>,
    /// Where the server to judge listens, if it runs already. Then it is not started.
    pub server_url: Option<String>,
    /// The client to judge. `None`: none.
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
    /// Repeat what is repeated a tenth as often. For the native suite only.
    pub fast: bool,
    /// Give each case at most this long. For the native suite only.
    pub budget: Option<Duration>,
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
            server_url: None,
            client: Some(SubjectCommand::our_client()?),
            cases,
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            out: out.into(),
            agent: "Cloverleaf".to_owned(),
            allow: Vec::new(),
            fast: false,
            budget: None,
        })
    }

    /// The roles in which subjects are judged.
    pub fn roles(&self) -> Vec<Role> {
        let server = (self.server.is_some() || self.server_url.is_some()).then_some(Role::Server);
        let client = self.client.as_ref().map(|_| Role::Client);
        server.into_iter().chain(client).collect()
    }

    /// The known deviations of the suite that this run can show: they were measured against
    /// our own subjects.
    fn deviations(&self, suite: Suite) -> Vec<&'static Deviation> {
        let ours = |role| {
            let subject = match role {
                Role::Server if self.server_url.is_some() => &None,
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
    /// The suite's name and version.
    fn suite(&self) -> (&'static str, &'static str) {
        match self {
            Self::Us => ("native", env!("CARGO_PKG_VERSION")),
            Self::Installed(judge) => (judge.suite().name(), judge.suite().version()),
        }
    }
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
    by: &By,
    options: &Options,
    mut on_event: impl FnMut(Event),
) -> Result<Outcome, CheckError> {
    let out = std::path::absolute(&options.out)
        .map_err(|source| CheckError::folder(&options.out, source))?;
    let work = out.join("run");
    let _lock = clear(&out, &work).map_err(|source| CheckError::folder(&out, source))?;

    let deviations = match by {
        By::Us => Vec::new(),
        By::Installed(judge) => options.deviations(judge.suite()),
    };
    let on_progress = |event| {
        on_event(match event {
            Progress::Judged(judged) => Event::Judged {
                expected: outcome::expected(&judged, &options.allow, &deviations),
                role: judged.role,
                case: judged.case,
                verdict: judged.verdict,
                close_verdict: judged.close_verdict,
            },
            Progress::Trouble(trouble) => Event::Trouble(trouble),
        });
    };
    let (runs, troubles) = match by {
        By::Us => by_us(options, &work, on_progress).await?,
        By::Installed(judge) => by_installed(judge, options, &work, on_progress).await?,
    };

    let (suite, version) = by.suite();
    let fast = if options.fast {
        ", with a tenth of the messages"
    } else {
        ""
    };
    let mut record = Record::new(format!(
        "{} judged by {suite} {version}{fast}",
        options.agent
    ));
    record.tool = Some(Tool::new("cloverleaf", env!("CARGO_PKG_VERSION")));
    record.suite = Some(SuiteName::new(suite, version));
    for run in runs {
        autobahn::write_dir(&out.join(folder(run.role)), &run)
            .map_err(|error| CheckError::Report(error.to_string()))?;
        record
            .add(run)
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

async fn by_us(
    options: &Options,
    work: &Path,
    on_progress: impl FnMut(Progress),
) -> Result<(Vec<Run>, Vec<String>), CheckError> {
    let (measured, troubles) = native::measure(options, work, on_progress).await?;
    let runs = options.roles().into_iter().map(|role| {
        let measured = measured.iter().find(|results| results.role() == role);
        let mut run = measured.map_or_else(|| Run::new(role), Results::run);
        if run.subjects.is_empty() {
            run.subjects.push(Subject::new(&options.agent));
        }
        run.expect_cases(&catalog::for_role(&options.cases, role));
        run
    });
    Ok((runs.collect(), troubles))
}

async fn by_installed(
    judge: &Judge,
    options: &Options,
    work: &Path,
    on_progress: impl FnMut(Progress),
) -> Result<(Vec<Run>, Vec<String>), CheckError> {
    let mut troubles = measure(judge, options, work, on_progress).await?;
    let mut runs = Vec::new();
    for role in options.roles() {
        let collected = results::collect(
            &work.join(folder(role)),
            role,
            &options.agent,
            &options.cases,
        )
        .map_err(|source| CheckError::folder(work, source))?;
        troubles.extend(collected.troubles);
        runs.push(collected.run);
    }
    Ok((runs, troubles))
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
fn clear(out: &Path, work: &Path) -> std::io::Result<FolderLock> {
    let lock = FolderLock::take(out)?;
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
