//! The programs that are judged.

use std::env;
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloverleaf_judge::authentication::Credentials;
use cloverleaf_judge::case::Case;
use cloverleaf_reports::{CaseId, Role};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::deviation::Deviation;
use crate::process::Process;
use crate::spec::WsUrl;
use crate::subjects::{Values, replaced};
use crate::testee::percent_encoded;

/// How long a server may take to be ready, and a client to be silent beyond its cases' time.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a server is asked whether it accepts connections.
const KNOCK_EVERY: Duration = Duration::from_millis(50);

/// An implementation in one role, to be judged.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Subject {
    /// The name to report under.
    pub name: String,
    /// The role.
    pub role: Role,
    /// How it comes to run.
    pub start: Start,
    /// At most so many cases of a server, or processes of a client, at a time.
    pub jobs: Option<NonZeroUsize>,
    /// Its version, for the report.
    pub version: Option<String>,
    /// The language it is written in, for the report.
    pub language: Option<String>,
    /// Where to read about it, for the report.
    pub homepage: Option<String>,
    /// What it takes or has, if it wants credentials or has some.
    pub credentials: Credentials,
    /// What is known of it.
    pub deviations: Vec<Deviation>,
}

/// How a subject comes to run.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Start {
    /// By this command.
    Command(SubjectCommand),
    /// It is a server that runs already, at this URL.
    Running(String),
    /// It does not: why.
    Unavailable(String),
}

impl Subject {
    /// A subject of which nothing more is known.
    pub fn new(name: impl Into<String>, role: Role, start: Start) -> Self {
        Self {
            name: name.into(),
            role,
            start,
            jobs: None,
            version: None,
            language: None,
            homepage: None,
            credentials: Credentials::default(),
            deviations: Vec::new(),
        }
    }

    /// Our own server or client.
    ///
    /// # Errors
    ///
    /// If the system does not say where this program is.
    pub fn ours(name: impl Into<String>, role: Role) -> io::Result<Self> {
        let command = match role {
            Role::Server => SubjectCommand::our_server()?,
            Role::Client => SubjectCommand::our_client()?,
        };
        let mut subject = Self::new(name, role, Start::Command(command));
        subject.version = Some(env!("CARGO_PKG_VERSION").to_owned());
        subject.language = Some("Rust".to_owned());
        Ok(subject)
    }

    /// Whether it is one of our own two, of which the suites' defects are known.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(&self.start, Start::Command(command) if command.ours)
    }

    /// Whether a case can judge it. Without credentials those cannot that need some; a server that
    /// lets nobody in without is judged by those only.
    pub(crate) fn is_for(&self, case: &Case) -> bool {
        let known = !self.credentials.are_none();
        case.subjects.include(self.role)
            && match self.role {
                Role::Server => case.needs_credentials() == known,
                Role::Client => known || !case.needs_credentials(),
            }
    }

    /// The name of its folder: letters, digits, `-` and `_`.
    pub(crate) fn folder(&self) -> String {
        let letter = |c: char| match c.is_ascii_alphanumeric() || c == '-' {
            true => c,
            false => '_',
        };
        // Longer names than a file system takes are no reason to fail.
        let name: String = self.name.chars().take(100).map(letter).collect();
        format!("{name}-{}", self.role)
    }

    /// What is known of it that concerns this case.
    pub(crate) fn deviations_in<'a>(
        &'a self,
        case: &'a CaseId,
    ) -> impl Iterator<Item = &'a Deviation> {
        self.deviations
            .iter()
            .filter(move |deviation| deviation.covers(self.role, case))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.role)
    }
}

/// How to start a subject. In the arguments `{url}` and `{agent}` stand for the judge's address
/// and the name to report under of a client, `{port}` for a free port for a server; for
/// [browsers](Self::browser) there are more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubjectCommand {
    program: PathBuf,
    arguments: Vec<String>,
    env: Vec<(String, String)>,
    folder: Option<PathBuf>,
    ready: Ready,
    patience: Duration,
    ours: bool,
    browser: bool,
}

/// When a server is ready.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ready {
    /// When it prints `listening on URL`.
    Line,
    /// When the port of this URL accepts connections. `{port}` is a free one.
    Port(String),
}

impl SubjectCommand {
    /// Our own echo server: this program's `echo`.
    ///
    /// # Errors
    ///
    /// If the system does not say where this program is.
    pub fn our_server() -> io::Result<Self> {
        Self::ours(&["echo", "--listen", "127.0.0.1:0", "--end-with-stdin"])
    }

    /// Our own echo client: this program's `testee`.
    ///
    /// # Errors
    ///
    /// If the system does not say where this program is.
    pub fn our_client() -> io::Result<Self> {
        Self::ours(&["testee", "{url}", "--agent", "{agent}", "--end-with-stdin"])
    }

    /// Our server or client with one fault: this program's `echo` or `testee` with `--fault`.
    ///
    /// # Errors
    ///
    /// If the system does not say where this program is.
    pub fn faulty(role: Role, fault: &str) -> io::Result<Self> {
        let mut command = match role {
            Role::Server => Self::our_server()?,
            Role::Client => Self::our_client()?,
        };
        command
            .arguments
            .extend(["--fault".to_owned(), fault.to_owned()]);
        // What is known of our own subjects does not hold for it.
        command.ours = false;
        Ok(command)
    }

    fn ours(arguments: &[&str]) -> io::Result<Self> {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Ok(Self::program(env::current_exe()?, arguments).ours_if(true))
    }

    /// Another program, with arguments that no shell reads.
    pub fn program(program: impl Into<PathBuf>, arguments: Vec<String>) -> Self {
        Self {
            program: program.into(),
            arguments,
            env: Vec::new(),
            folder: None,
            ready: Ready::Line,
            patience: PATIENCE,
            ours: false,
            browser: false,
        }
    }

    /// Another program, as a line for the shell.
    pub fn shell(line: &str) -> Self {
        Self::program("/bin/sh", vec!["-c".to_owned(), line.to_owned()])
    }

    /// A browser as a client, with arguments that no shell reads.
    ///
    /// In them `{page}` stands for the URL of the page that runs the cases, and `{profile}` for an
    /// empty folder that is removed afterwards. One process gets many cases, as its page can run
    /// several at a time, and it may stay when all are done: it is stopped then.
    pub fn browser(program: impl Into<PathBuf>, arguments: Vec<String>) -> Self {
        Self {
            browser: true,
            ..Self::program(program, arguments)
        }
    }

    /// Works in this folder.
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// With these environment variables, in which placeholders are replaced too.
    pub(crate) fn with_env(mut self, env: Vec<(String, String)>) -> Self {
        self.env = env;
        self
    }

    /// A server that is ready when the port of this URL accepts connections; `{port}` in it is a
    /// free one.
    #[must_use]
    pub fn ready_at(mut self, url: &str) -> Self {
        self.ready = Ready::Port(url.to_owned());
        self
    }

    pub(crate) fn patient_for(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    pub(crate) fn ours_if(mut self, ours: bool) -> Self {
        self.ours = ours;
        self
    }

    /// How long it may be silent beyond the time of its cases.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether this is a [browser](Self::browser).
    pub fn is_browser(&self) -> bool {
        self.browser
    }

    /// Starts a client against the judge at `url`. A browser runs so many cases `at_once`.
    pub(crate) fn start_client(
        &self,
        url: &str,
        agent: &str,
        at_once: usize,
        log: &Path,
    ) -> io::Result<Process> {
        let page = page(url, agent, at_once);
        let profile = log.with_extension("profile");
        let shown = profile.to_string_lossy();
        let mut values = vec![("url", url), ("agent", agent)];
        if !self.browser {
            return Process::spawn(self.command(&values), log);
        }
        values.extend([("page", page.as_str()), ("profile", &shown)]);
        std::fs::create_dir_all(&profile)?;
        Process::spawn(self.command(&values), log).map(|process| process.in_folder(profile))
    }

    /// The command with the placeholders replaced.
    fn command(&self, values: &Values<'_>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments.iter().map(|text| replaced(text, values)));
        command.envs(
            self.env
                .iter()
                .map(|(key, text)| (key, replaced(text, values))),
        );
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// Starts a server and waits until it is ready. Returns its URL too.
    pub(crate) async fn start_server(&self, log: &Path) -> Result<(Process, String), NotReady> {
        let not_ready = |reason: String| NotReady {
            reason,
            log: log.to_owned(),
        };
        let port = free_port()
            .map_err(|error| not_ready(format!("has no free port: {error}")))?
            .to_string();
        let values = [("port", port.as_str())];
        let mut process = Process::spawn(self.command(&values), log)
            .map_err(|error| not_ready(format!("cannot be started: {error}")))?;
        let (waited, sign) = match &self.ready {
            Ready::Line => (
                timeout(self.patience, said(&mut process)).await,
                "said `listening on ws://…`".to_owned(),
            ),
            Ready::Port(url) => {
                let url = replaced(url, &values);
                let knocking = accepts(&mut process, &url);
                let waited = timeout(self.patience, knocking).await;
                (waited, format!("accepted connections at {url}"))
            }
        };
        match waited {
            Ok(Some(url)) => {
                process.stop_listening();
                Ok((process, url))
            }
            Ok(None) => {
                let ended = timeout(Duration::from_secs(5), process.ended()).await;
                let how = match ended {
                    Ok(Ok(status)) => format!(" ({status})"),
                    _ => String::new(),
                };
                Err(not_ready(format!("ended before it {sign}{how}")))
            }
            Err(_) => Err(not_ready(format!(
                "has not {sign} within {} s",
                self.patience.as_secs()
            ))),
        }
    }
}

/// The URL that the server says it listens on; `None` if it closes its output.
async fn said(process: &mut Process) -> Option<String> {
    while let Some(line) = process.line().await {
        if let Some(url) = listening_url(&line) {
            return Some(url.to_owned());
        }
    }
    None
}

/// The URL, when its port accepts a connection; `None` if the server ends.
async fn accepts(process: &mut Process, url: &str) -> Option<String> {
    let place = WsUrl::parse(url).ok()?;
    loop {
        tokio::select! {
            biased;
            _ = process.ended() => return None,
            connected = TcpStream::connect((place.host(), place.port())) => {
                if connected.is_ok() {
                    return Some(url.to_owned());
                }
            }
        }
        sleep(KNOCK_EVERY).await;
    }
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The page of the fuzzing server at `url`, told to run the cases, and to close itself then.
fn page(url: &str, agent: &str, at_once: usize) -> String {
    let server = url.replacen("ws", "http", 1);
    let agent = percent_encoded(agent);
    format!("{server}/?agent={agent}&parallel={at_once}&run=1&close=1")
}

/// The URL of a line such as `listening on ws://127.0.0.1:9001`.
fn listening_url(line: &str) -> Option<&str> {
    let url = line.strip_prefix("listening on ")?.trim();
    (url.starts_with("ws://") || url.starts_with("wss://")).then_some(url)
}

/// A server that never came up.
#[derive(Debug)]
pub(crate) struct NotReady {
    reason: String,
    log: PathBuf,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it {}; its output: {}", self.reason, self.log.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_with_a_websocket_url_means_ready() {
        assert_eq!(
            listening_url("listening on ws://127.0.0.1:80"),
            Some("ws://127.0.0.1:80")
        );
        assert_eq!(
            listening_url("listening on wss://[::1]:1/ "),
            Some("wss://[::1]:1/")
        );
        for line in [
            "",
            "listening on port 80",
            "not listening on ws://x",
            "listening on http://x",
        ] {
            assert_eq!(listening_url(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_the_url_of_the_page() {
        assert_eq!(
            page("ws://127.0.0.1:7", "Chromium 1.5/é&run=0#{url}", 8),
            "http://127.0.0.1:7/?agent=Chromium%201.5%2F%C3%A9%26run%3D0%23%7Burl%7D\
             &parallel=8&run=1&close=1"
        );
        assert!(page("wss://[::1]:7", "x", 1).starts_with("https://[::1]:7/?agent=x&"));
    }

    #[tokio::test]
    async fn a_browser_gets_its_page_and_a_folder_that_goes_with_it() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let log = folder.path().join("01.log");
        let script = "touch \"$1/used\"; echo \"$0\"; echo \"$1\"; cat".to_owned();
        let arguments = [
            "-c".to_owned(),
            script,
            "{page}".to_owned(),
            "{profile}".to_owned(),
        ];
        let mut browser = SubjectCommand::browser("/bin/sh", arguments.to_vec())
            .start_client("ws://127.0.0.1:7", "A B", 4, &log)
            .expect("started");
        assert_eq!(
            browser.line().await.as_deref(),
            Some("http://127.0.0.1:7/?agent=A%20B&parallel=4&run=1&close=1")
        );
        let profile = browser.line().await.expect("a second line");
        assert!(Path::new(&profile).join("used").exists());
        browser.kill().await;
        assert!(!Path::new(&profile).exists() && log.exists());
    }

    #[tokio::test]
    async fn a_server_that_ends_early_is_reported_with_its_status_and_log() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let log = folder.path().join("log");
        let error = SubjectCommand::shell("echo port taken >&2; exit 9")
            .start_server(&log)
            .await
            .map(|_| ())
            .expect_err("never ready")
            .to_string();
        assert!(error.contains("exit status: 9"), "{error}");
        assert!(error.contains(&log.display().to_string()), "{error}");
        assert_eq!(std::fs::read_to_string(log).expect("log"), "port taken\n");
    }

    #[tokio::test]
    async fn chatter_before_the_line_is_skipped() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let command = SubjectCommand::shell("echo hello; echo listening on ws://127.0.0.1:7; cat");
        let (process, url) = command
            .start_server(&folder.path().join("log"))
            .await
            .map_err(|e| e.to_string())
            .expect("ready");
        assert_eq!(url, "ws://127.0.0.1:7");
        assert!(process.stop(Duration::from_secs(60)).await);
    }
}
