//! The programs that are judged.

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloverleaf_reports::Role;
use tokio::time::timeout;

use crate::process::Process;
use crate::testee::percent_encoded;

/// How long a server may take to say that it listens.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How to start a subject. In the arguments `{url}` and `{agent}` stand for the judge's
/// address and the name to report under; for [browsers](Self::browser) there are more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubjectCommand {
    program: PathBuf,
    arguments: Vec<String>,
    ours: bool,
    browser: bool,
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
        Ok(Self {
            program: env::current_exe()?,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            ours: true,
            browser: false,
        })
    }

    /// Another program, with arguments that no shell reads.
    pub fn program(program: impl Into<PathBuf>, arguments: Vec<String>) -> Self {
        Self {
            program: program.into(),
            arguments,
            ours: false,
            browser: false,
        }
    }

    /// Another program, as a line for the shell.
    pub fn shell(line: &str) -> Self {
        Self {
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), line.to_owned()],
            ours: false,
            browser: false,
        }
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

    /// Whether this is a [browser](Self::browser).
    pub fn is_browser(&self) -> bool {
        self.browser
    }

    /// Whether this is one of our own two subjects.
    pub fn is_ours(&self) -> bool {
        self.ours
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
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .map(|argument| match self.browser {
                true => argument
                    .replace("{page}", &page)
                    .replace("{profile}", &shown),
                false => argument.clone(),
            })
            .map(|argument| argument.replace("{url}", url).replace("{agent}", agent))
            .collect();
        if !self.browser {
            return Process::start(&self.program, &arguments, log);
        }
        std::fs::create_dir_all(&profile)?;
        Process::start(&self.program, &arguments, log).map(|process| process.in_folder(profile))
    }

    /// Starts a server and waits until it prints `listening on URL`. Returns that URL too.
    pub(crate) async fn start_server(&self, log: &Path) -> Result<(Process, String), NotReady> {
        let not_ready = |reason: String| NotReady {
            reason,
            log: log.to_owned(),
        };
        let mut process = Process::start(&self.program, &self.arguments, log)
            .map_err(|error| not_ready(format!("cannot be started: {error}")))?;
        let ready = async {
            while let Some(line) = process.line().await {
                if let Some(url) = listening_url(&line) {
                    return Some(url.to_owned());
                }
            }
            None
        };
        match timeout(READY_WITHIN, ready).await {
            Ok(Some(url)) => Ok((process, url)),
            Ok(None) => {
                let ended = timeout(Duration::from_secs(5), process.ended()).await;
                let how = match ended {
                    Ok(Ok(status)) => format!(" ({status})"),
                    _ => String::new(),
                };
                Err(not_ready(format!(
                    "ended before it said `listening on ws://…`{how}"
                )))
            }
            Err(_) => Err(not_ready(format!(
                "did not say `listening on ws://…` within {} s",
                READY_WITHIN.as_secs()
            ))),
        }
    }
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
        write!(
            f,
            "the server under test {}; its output: {}",
            self.reason,
            self.log.display()
        )
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
