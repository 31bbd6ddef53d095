//! One run of the judge over some of the cases.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use cloverleaf_reports::{CaseId, Role};
use tokio::time::timeout;

use super::news::Reporter;
use crate::catalog;
use crate::process::Process;
use crate::subject::SubjectCommand;
use crate::suite::{Judge, Line, last_lines};

/// How long a judge may take to start (a container image may have to be fetched first), and
/// how much longer than a case's own limit it may be silent.
const MARGIN: Duration = Duration::from_secs(60);
const START: Duration = Duration::from_secs(600);

/// How long a process may take to end once it has nothing more to do.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Some of the cases, and a folder for this run of the judge.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) role: Role,
    pub(super) cases: Vec<CaseId>,
    pub(super) folder: PathBuf,
}

/// The other end of a shard's connections.
#[derive(Clone, Debug)]
pub(super) enum Opponent {
    /// A server that runs already.
    Server { url: String },
    /// A client, started for the shard.
    Client { command: SubjectCommand },
}

/// A shard being run.
struct Running<'a> {
    shard: &'a Shard,
    judge: Process,
    /// The cases without a verdict.
    open: BTreeSet<CaseId>,
    /// The case that runs, for those judges that say so.
    current: Option<CaseId>,
    reporter: &'a Reporter,
}

impl Shard {
    /// Runs the judge to its end. The error says, for people, why cases are missing.
    pub(super) async fn run(
        &self,
        judge: &Judge,
        opponent: &Opponent,
        agent: &str,
        reporter: &Reporter,
    ) -> Result<(), String> {
        let url = match opponent {
            Opponent::Server { url } => Some(url.as_str()),
            Opponent::Client { .. } => None,
        };
        let process = judge
            .command(self.role, agent, url, &self.cases, &self.folder)
            .and_then(|command| {
                let log = self.folder.join("judge.log");
                Process::start(&command.program, &command.arguments, &log)
            })
            .map_err(|error| format!("{} cannot be started: {error}", judge.suite()))?;
        let mut running = Running {
            shard: self,
            judge: process,
            open: self.cases.iter().cloned().collect(),
            current: None,
            reporter,
        };
        match opponent {
            Opponent::Server { .. } => running.as_client().await,
            Opponent::Client { command } => running.as_server(command, agent).await,
        }
    }
}

impl Running<'_> {
    /// The judge connects to the server under test, case by case, and ends.
    async fn as_client(&mut self) -> Result<(), String> {
        let mut patience = START;
        loop {
            match timeout(patience, self.judge.line()).await {
                Ok(Some(line)) => {
                    self.note(&line);
                    patience = self.patience();
                }
                Ok(None) => break,
                Err(_) => return Err(self.stalled(patience)),
            }
        }
        if self.open.is_empty() {
            return Ok(());
        }
        let ended = match timeout(LAST_WORDS, self.judge.ended()).await {
            Ok(Ok(status)) => format!("ended ({status})"),
            _ => "closed its output".to_owned(),
        };
        Err(self.incomplete(&format!("the judge {ended}")))
    }

    /// The judge serves; the client under test walks its cases and ends.
    async fn as_server(&mut self, command: &SubjectCommand, agent: &str) -> Result<(), String> {
        let listening = async {
            while let Some(line) = self.judge.line().await {
                if let Some(Line::Listening(port)) = Line::parse(&line) {
                    return Some(port);
                }
            }
            None
        };
        let Ok(Some(port)) = timeout(START, listening).await else {
            return Err(self.incomplete("the judge did not start to listen"));
        };
        let log = self.shard.folder.join("client.log");
        let mut client = command
            .start_client(&format!("ws://127.0.0.1:{port}"), agent, 1, &log)
            .map_err(|error| format!("the client under test cannot be started: {error}"))?;

        // The client's lines are signs of life too: some judges say nothing until the end.
        let status = loop {
            let patience = self.patience();
            tokio::select! {
                line = self.judge.line() => match line {
                    Some(line) => self.note(&line),
                    None if self.open.is_empty() => break None,
                    None => return Err(self.incomplete("the judge ended early")),
                },
                sign = client.line_or_end() => if let Some(status) = sign {
                    break status.ok();
                },
                () = tokio::time::sleep(patience) => return Err(self.stalled(patience)),
            }
        };
        // Verdicts that are still on their way.
        let rest = async {
            while !self.open.is_empty() {
                match self.judge.line().await {
                    Some(line) => self.note(&line),
                    None => break,
                }
            }
        };
        if timeout(Duration::from_secs(2), rest).await.is_err() {
            // Some judges give their verdicts only when the run ends.
            self.judge.close_stdin();
            let rest = async {
                while let Some(line) = self.judge.line().await {
                    self.note(&line);
                }
            };
            // What it did not say until then is missing, and reported as such below.
            let _ = timeout(LAST_WORDS, rest).await;
        }
        if !self.open.is_empty() {
            let how = status.map_or_else(String::new, |status| format!(" ({status})"));
            return Err(self.incomplete(&format!("the client under test ended{how}")));
        }
        if !client.stop(LAST_WORDS).await {
            return Err("the client under test did not end after its last case".to_owned());
        }
        Ok(())
    }

    fn note(&mut self, line: &str) {
        match Line::parse(line) {
            Some(Line::Running(case)) => self.current = Some(case),
            Some(Line::Judged(case, verdict, close_verdict)) => {
                // A client may run a case twice; it counts once.
                if self.open.remove(&case) {
                    self.reporter.verdict(case, verdict, close_verdict);
                }
            }
            Some(Line::Listening(_)) | None => {}
        }
    }

    /// How long the judge may be silent now.
    fn patience(&self) -> Duration {
        let limit = match &self.current {
            Some(case) => Some(catalog::time_limit(case)),
            None => self.open.iter().map(catalog::time_limit).max(),
        };
        limit.unwrap_or_default() + MARGIN
    }

    fn stalled(&self, patience: Duration) -> String {
        let at = match &self.current {
            Some(case) => format!(" (in case {case})"),
            None => String::new(),
        };
        self.incomplete(&format!(
            "nothing happened for {} s{at}",
            patience.as_secs()
        ))
    }

    fn incomplete(&self, why: &str) -> String {
        let first = self
            .open
            .first()
            .map_or_else(String::new, |case| format!(", the first {case}"));
        format!(
            "{why}; {} of {} cases are missing{first}; logs: {}\n{}",
            self.open.len(),
            self.shard.cases.len(),
            self.shard.folder.display(),
            indented(&last_lines(self.judge.log(), 5)),
        )
    }
}

/// The lines of a log below a message; nothing in them reaches the terminal as a command.
fn indented(text: &str) -> String {
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.lines()
        .map(|line| format!("    | {}", line.chars().map(printable).collect::<String>()))
        .collect::<Vec<_>>()
        .join("\n")
}
