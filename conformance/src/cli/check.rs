//! `cloverleaf check`

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use cloverleaf_conformance::catalog;
use cloverleaf_conformance::check::{self, By, Finding, Options, Outcome, Reason};
use cloverleaf_conformance::selection::{self, Pattern};
use cloverleaf_conformance::subject::SubjectCommand;
use cloverleaf_conformance::suite::{Judge, Suite};
use cloverleaf_reports::{Role, text};

use super::fail;
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

    /// Anything but OK and INFORMATIONAL is a failure, NON-STRICT too (this is the default)
    #[arg(long, conflicts_with = "allow")]
    strict: bool,

    /// List what these cases show, but do not fail because of it
    #[arg(long, value_name = "GLOB", num_args = 1.., value_delimiter = ',')]
    allow: Vec<Pattern>,

    /// Judge this server instead of ours: a line for the shell; the program must print
    /// `listening on ws://ADDRESS` when it is ready
    #[arg(long, value_name = "COMMAND", help_heading = "Other subjects")]
    server_command: Option<String>,

    /// Judge the server that runs at this URL instead of ours
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "server_command",
        help_heading = "Other subjects"
    )]
    server_url: Option<String>,

    /// Judge this client instead of ours: a line for the shell, with {url} for the address
    /// of the fuzzing server and {agent} for the name to report under
    #[arg(long, value_name = "COMMAND", help_heading = "Other subjects")]
    client_command: Option<String>,

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
        let options = match self.options() {
            Ok(options) => options,
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
                ExitCode::from(outcome.exit_code())
            }
            Err(error) => fail(&error, error.exit_code()),
        }
    }

    fn options(self) -> Result<Options, Box<dyn std::error::Error>> {
        let suite: Vec<_> = match self.suite {
            SuiteName::Native => catalog::known().to_vec(),
            SuiteName::Wstest | SuiteName::Kosoku => catalog::all().collect(),
        };
        let cases = selection::select(suite, &self.cases, &self.exclude)?;
        let mut options = Options::new(cases, self.out)?;
        if let Some(command) = &self.server_command {
            options.server = Some(SubjectCommand::shell(command));
        }
        options.server_url = self.server_url;
        if let Some(command) = &self.client_command {
            options.client = Some(SubjectCommand::shell(command));
        }
        match self.role {
            RoleName::Server => options.client = None,
            RoleName::Client => {
                options.server = None;
                options.server_url = None;
            }
            RoleName::Both => {}
        }
        options.jobs = match (self.jobs, self.suite) {
            (Some(jobs), _) => jobs,
            // Judge and subject take turns, so that two cases leave a core idle now and then.
            (None, SuiteName::Native) => options.jobs.saturating_add(options.jobs.get()),
            (None, _) => options.jobs,
        };
        options.agent = self.agent;
        options.allow = self.allow;
        options.fast = self.fast;
        options.budget = self
            .budget
            .map(|seconds| Duration::from_secs(seconds.get()));
        Ok(options)
    }
}

fn print(outcome: &Outcome) {
    println!("\n{}", text::table(&outcome.record));
    let list = |heading: &str, findings: Vec<&Finding>| {
        if !findings.is_empty() {
            println!("{heading}");
            for finding in findings {
                let Finding {
                    role,
                    case,
                    verdict,
                    close_verdict,
                    ..
                } = finding;
                println!("  {role} {case}: {verdict}, close {close_verdict}");
            }
        }
    };
    list(
        "Tolerated, as --allow says:",
        outcome.findings_of(&Reason::Allowed).collect(),
    );

    let mut defects: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for finding in &outcome.findings {
        if let Reason::SuiteDefect(reason) = &finding.reason {
            let case = format!("{} {}", finding.role, finding.case);
            defects.entry(reason).or_default().push(case);
        }
    }
    for (reason, cases) in defects {
        println!(
            "Known defect of the suite ({} cases): {reason}",
            cases.len()
        );
        println!("  {}", cases.join(", "));
    }
    for (role, case, reason) in &outcome.outdated {
        println!(
            "{role} {case} is judged rightly, though the list of the suite's defects says: {reason}\n  \
             Take it off the list."
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
