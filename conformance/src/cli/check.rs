//! `cloverleaf check`

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use cloverleaf_conformance::catalog;
use cloverleaf_conformance::check::{self, By, Finding, Options, Outcome, Outdated, Reason};
use cloverleaf_conformance::selection::{self, Pattern};
use cloverleaf_conformance::subject::{Start, Subject, SubjectCommand};
use cloverleaf_conformance::subjects::Subjects;
use cloverleaf_conformance::suite::{Judge, Suite};
use cloverleaf_judge::authentication::Credentials;
use cloverleaf_reports::Role;
use cloverleaf_reports::text::{self, Colour};

use super::fail;
use super::format::{self, Format};
use super::progress::Progress;

/// Judge our server and our client, or others, and write a report
///
/// By default the native suite judges: Autobahn's 517 cases and as many again that Autobahn does
/// not have. The other suites are installed on first use. Exit code: 0 all as expected, 1 failures,
/// 2 usage or configuration, 3 subject unreachable or run incomplete.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// The suite that judges
    #[arg(long, value_enum, default_value_t = SuiteName::Native)]
    suite: SuiteName,

    /// The part that our program plays
    #[arg(long, value_enum, default_value_t = RoleName::Both)]
    role: RoleName,

    /// Run only these cases: ids, or patterns such as 9.* (1.* is group 1, 1* also 10 to 13)
    #[arg(long, value_name = "GLOB", num_args = 1.., value_delimiter = ',')]
    cases: Vec<Pattern>,

    /// Leave out these cases
    #[arg(long, value_name = "GLOB", num_args = 1.., value_delimiter = ',')]
    exclude: Vec<Pattern>,

    /// How many cases, or judges of another suite, run at a time [default: twice the number of
    /// cores, or that number]; of native cases that mostly wait, four times as many do
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Send a tenth of the messages in cases that repeat them (native suite)
    #[arg(long)]
    fast: bool,

    /// Give each case at most so many seconds (native suite)
    #[arg(long, value_name = "SECONDS")]
    budget: Option<NonZeroU64>,

    /// The folder for the report; an older report there is replaced
    #[arg(long, value_name = "DIR", default_value = "reports/out")]
    out: PathBuf,

    /// More forms of the report; index.html and results.json are always written. Repeat it, or
    /// separate them by commas
    #[arg(long, value_name = "FORMAT", value_enum, value_delimiter = ',')]
    format: Vec<Format>,

    /// What stands for this run in a history of runs, such as a release
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,

    /// Anything but OK and INFORMATIONAL is a failure, NON-STRICT too (this is the default)
    #[arg(long, conflicts_with = "allow")]
    strict: bool,

    /// List what these cases show, but do not fail because of it
    #[arg(long, value_name = "GLOB", num_args = 1.., value_delimiter = ',')]
    allow: Vec<Pattern>,

    /// Judge this server instead of ours: a line for the shell; unless --server-url says where it
    /// listens, it must print `listening on ws://ADDRESS` when it is ready
    #[arg(long, value_name = "COMMAND", help_heading = "Other subjects")]
    server_command: Option<String>,

    /// Judge the server at this URL instead of ours. It runs already, or is started by
    /// --server-command: with {port} in both, on a free port
    #[arg(long, value_name = "URL", help_heading = "Other subjects")]
    server_url: Option<String>,

    /// Judge this client instead of ours: a line for the shell, with {url} for the address
    /// of the fuzzing server and {agent} for the name to report under
    #[arg(long, value_name = "COMMAND", help_heading = "Other subjects")]
    client_command: Option<String>,

    /// The name of somebody whom the server lets in, or whom the client is: with it a server is
    /// judged by the cases auth.1.* alone, and a client by auth.2.* too, by way of its {url}
    #[arg(
        long,
        value_name = "NAME",
        requires = "password",
        conflicts_with_all = ["subjects", "subject"],
        help_heading = "Other subjects"
    )]
    user: Option<String>,

    /// The password of --user
    #[arg(
        long,
        value_name = "PASSWORD",
        requires = "user",
        help_heading = "Other subjects"
    )]
    password: Option<String>,

    /// A token of Bearer that the server takes
    #[arg(
        long,
        value_name = "TOKEN",
        conflicts_with_all = ["subjects", "subject"],
        help_heading = "Other subjects"
    )]
    bearer: Option<String>,

    /// Judge the implementations of this file (conformance/README.md says what is in it)
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["server_command", "server_url", "client_command", "agent"],
        help_heading = "Many subjects"
    )]
    subjects: Option<PathBuf>,

    /// Only these of the file; without a file, of those that come with this program: `list` shows
    /// their names
    #[arg(
        long,
        value_name = "NAME",
        num_args = 1..,
        conflicts_with_all = ["server_command", "server_url", "client_command", "agent"],
        help_heading = "Many subjects"
    )]
    subject: Vec<String>,

    /// The name to report under
    #[arg(
        long,
        value_name = "NAME",
        default_value = "Cloverleaf",
        help_heading = "Other subjects"
    )]
    agent: String,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum SuiteName {
    /// Our own: all of Autobahn's cases and more, in this program
    Native,
    /// The original, autobahntestsuite
    Wstest,
    /// The same cases under another runner: quick, but it overlooks much
    Kosoku,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RoleName {
    Server,
    Client,
    Both,
}

impl RoleName {
    pub(super) fn includes(self, role: Role) -> bool {
        match self {
            Self::Server => role == Role::Server,
            Self::Client => role == Role::Client,
            Self::Both => true,
        }
    }
}

impl Check {
    pub(super) fn run(self) -> ExitCode {
        let suite = match self.suite {
            SuiteName::Native => None,
            SuiteName::Wstest => Some(Suite::Wstest),
            SuiteName::Kosoku => Some(Suite::Kosoku),
        };
        let formats = self.format.clone();
        let options = match self.options() {
            Ok(Some(options)) => options,
            Ok(None) => return ExitCode::SUCCESS,
            Err(error) => return fail(&error, 2),
        };
        let installed = suite.map(|suite| Judge::prepare(suite, &mut |line| eprintln!("{line}")));
        let by = match installed.transpose() {
            Ok(judge) => judge.map_or(By::Us, By::Installed),
            Err(error) => return fail(&error, 2),
        };
        let runtime = match super::runtime() {
            Ok(runtime) => runtime,
            Err(error) => return fail(&error, 2),
        };
        let progress = Progress::new(&options);
        let checked = runtime.block_on(check::check(&by, &options, |event| progress.show(&event)));
        progress.finish();
        match checked {
            Ok(outcome) => {
                print(&outcome);
                // The page and the record are there already.
                let more = formats
                    .into_iter()
                    .filter(|format| !matches!(format, Format::Html | Format::Json));
                match format::write(&outcome.record, more, &options.out) {
                    Ok(_) => ExitCode::from(outcome.exit_code()),
                    Err(error) => fail(&error, 2),
                }
            }
            Err(error) => fail(&error, error.exit_code()),
        }
    }

    /// What to check; `None` if the names of the subjects were all that was wanted.
    fn options(self) -> Result<Option<Options>, Box<dyn std::error::Error>> {
        let suite: Vec<_> = match self.suite {
            SuiteName::Native => catalog::known().to_vec(),
            SuiteName::Wstest | SuiteName::Kosoku => catalog::all().collect(),
        };
        let cases = selection::select(suite, &self.cases, &self.exclude)?;
        let subjects = if self.subjects.is_some() || !self.subject.is_empty() {
            match self.many()? {
                Some(subjects) => subjects,
                None => return Ok(None),
            }
        } else {
            self.pair()?
        };
        let mut options = Options::new(subjects, cases, self.out);
        options.jobs = match (self.jobs, self.suite) {
            (Some(jobs), _) => jobs,
            // Judge and subject take turns, so that two cases leave a core idle now and then.
            (None, SuiteName::Native) => options.jobs.saturating_add(options.jobs.get()),
            (None, _) => options.jobs,
        };
        options.allow = self.allow;
        options.label = self.label;
        options.fast = self.fast;
        options.budget = self
            .budget
            .map(|seconds| Duration::from_secs(seconds.get()));
        Ok(Some(options))
    }

    /// Our server and client, or what was named in their places.
    fn pair(&self) -> Result<Vec<Subject>, std::io::Error> {
        let command = |line: &String| Start::Command(SubjectCommand::shell(line));
        let server = match (&self.server_url, &self.server_command) {
            (Some(url), Some(line)) => {
                Some(Start::Command(SubjectCommand::shell(line).ready_at(url)))
            }
            (Some(url), None) => Some(Start::Running(url.clone())),
            (None, line) => line.as_ref().map(command),
        };
        let client = self.client_command.as_ref().map(command);
        [(Role::Server, server), (Role::Client, client)]
            .into_iter()
            .filter(|(role, _)| self.role.includes(*role))
            .map(|(role, start)| match start {
                Some(start) => {
                    let mut subject = Subject::new(&self.agent, role, start);
                    subject.credentials = self.credentials();
                    Ok(subject)
                }
                None => Subject::ours(&self.agent, role),
            })
            .collect()
    }

    fn credentials(&self) -> Credentials {
        let credentials = match (&self.user, &self.password) {
            (Some(user), Some(password)) => Credentials::login(user, password),
            _ => Credentials::default(),
        };
        match &self.bearer {
            Some(token) => credentials.with_token(token),
            None => credentials,
        }
    }

    /// The subjects of a file, installed. `None` if they were only to be listed.
    fn many(&self) -> Result<Option<Vec<Subject>>, Box<dyn std::error::Error>> {
        let file = match &self.subjects {
            Some(path) => Subjects::read(path)?,
            None => Subjects::shipped()?,
        };
        if self.subject.iter().any(|name| name == "list") {
            for library in file.libraries() {
                let roles: Vec<_> = library.roles().map(Role::as_str).collect();
                let version = library.version().unwrap_or_default();
                let line = format!("{} {version} ({})\n", library.name(), roles.join(", "));
                super::print(&line);
            }
            return Ok(None);
        }
        let roles: Vec<_> = [Role::Server, Role::Client]
            .into_iter()
            .filter(|role| self.role.includes(*role))
            .collect();
        let subjects: Vec<_> = file
            .select(&self.subject)?
            .iter()
            .flat_map(|library| library.subjects(&roles, &mut |line| eprintln!("{line}")))
            .collect();
        match subjects.is_empty() {
            true => Err("none of these subjects has this role".into()),
            false => Ok(Some(subjects)),
        }
    }
}

fn print(outcome: &Outcome) {
    super::print(&format!(
        "\n{}\n",
        text::table_with(&outcome.record, Colour::Always)
    ));
    let names: BTreeSet<_> = outcome
        .record
        .subjects()
        .map(|(_, subject)| &subject.name)
        .collect();
    let who = |subject: &String, role: &Role| match names.len() {
        0 | 1 => role.to_string(),
        _ => format!("{subject} ({role})"),
    };
    let allowed: Vec<_> = outcome.findings_of(&Reason::Allowed).collect();
    if !allowed.is_empty() {
        println!("Tolerated, as --allow says:");
    }
    for finding in allowed {
        let Finding {
            subject,
            role,
            case,
            verdict,
            close_verdict,
            ..
        } = finding;
        let who = who(subject, role);
        println!("  {who} {case}: {verdict}, close {close_verdict}");
    }

    let mut known: BTreeMap<(&str, &str), BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for finding in &outcome.findings {
        let key = match &finding.reason {
            Reason::SuiteDefect(reason) => ("Known defect of the suite", reason.as_str()),
            Reason::Deviation(reason) => ("Known deviation", reason.as_str()),
            _ => continue,
        };
        let subjects = known.entry(key).or_default();
        let cases = subjects.entry(who(&finding.subject, &finding.role));
        cases.or_default().push(finding.case.as_str());
    }
    for ((what, reason), subjects) in known {
        let count: usize = subjects.values().map(Vec::len).sum();
        println!("{what} ({count} cases): {reason}");
        for (who, cases) in subjects {
            println!("  {who} {}", shortened(&cases));
        }
    }
    for outdated in &outcome.outdated {
        let Outdated {
            subject,
            role,
            cases,
            reason,
            ..
        } = outdated;
        println!(
            "{} {cases} is judged as it should be, though a list says: {reason}\n  \
             Take it off the list.",
            who(subject, role)
        );
    }
    for trouble in &outcome.troubles {
        println!("INCOMPLETE: {trouble}");
    }
    println!("Report: {}", outcome.page.display());
    println!(
        "{}",
        match outcome.exit_code() {
            0 => "All as expected.",
            1 => "NOT as expected.",
            _ => "The run is INCOMPLETE.",
        }
    );
}

/// A list of cases that fits on a line or two.
fn shortened(cases: &[&str]) -> String {
    const SHOWN: usize = 12;
    match cases.get(..SHOWN) {
        Some(first) if cases.len() > SHOWN => {
            format!("{} and {} more", first.join(", "), cases.len() - SHOWN)
        }
        _ => cases.join(", "),
    }
}
