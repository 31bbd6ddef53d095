//! Child processes that never outlive the command.
//!
//! Each child leads a process group of its own. Dropping the handle kills the group, and
//! the children we write ourselves also end when their standard input does, which covers
//! the case that this process is killed outright.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// A running child, its output copied to a log file.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Option<Pid>,
    stdin: Option<ChildStdin>,
    lines: UnboundedReceiver<String>,
    log: PathBuf,
    folder: Option<PathBuf>,
}

impl Process {
    /// Starts `program` in its own process group, with both outputs appended to `log`.
    pub(crate) fn start<S: AsRef<OsStr>>(
        program: &Path,
        arguments: &[S],
        log: &Path,
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments);
        Self::spawn(command, log)
    }

    /// The same for a command that may have a working folder and variables of its own.
    pub(crate) fn spawn(mut command: Command, log: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(log)?;
        let mut child = command
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file.try_clone()?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let (sender, lines) = unbounded_channel();
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(copy_lines(stdout, file, sender));
        }
        Ok(Self {
            stdin: child.stdin.take(),
            child,
            group,
            lines,
            log: log.to_owned(),
            folder: None,
        })
    }

    /// The same, working in a folder that is removed when the process is gone.
    pub(crate) fn in_folder(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
        self
    }

    /// The next line the child prints, or `None` when it has closed its output. Cancel-safe.
    pub(crate) async fn line(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// Keeps no more lines for [`line`](Self::line): a child that talks for hours costs nothing.
    pub(crate) fn stop_listening(&mut self) {
        self.lines.close();
        while self.lines.try_recv().is_ok() {}
    }

    /// Waits for the child to end. Cancel-safe.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Waits for the next line (`None`) or the child's end. Cancel-safe.
    pub(crate) async fn line_or_end(&mut self) -> Option<io::Result<ExitStatus>> {
        tokio::select! {
            biased;
            Some(_) = self.lines.recv() => None,
            status = self.child.wait() => Some(status),
        }
    }

    /// Closes the child's standard input, which asks it to end.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Where the child's output is kept.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Asks the child to end, first by closing its standard input, which is all that our own
    /// programs need, then by a signal; and kills it and all it started if it has not after
    /// `patience`. Returns whether it ended before it had to be killed.
    pub(crate) async fn stop(mut self, patience: Duration) -> bool {
        self.close_stdin();
        let hint = patience / 10;
        if timeout(hint, self.child.wait()).await.is_ok() {
            return true;
        }
        if let Some(group) = self.group {
            // It may have ended just now.
            let _ = kill_process_group(group, Signal::TERM);
        }
        timeout(patience - hint, self.child.wait()).await.is_ok()
    }

    /// Kills the child and all it started, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.kill_group();
        // If the system does not say that it has ended, nothing can be done about it.
        let _ = self.child.wait().await;
    }

    fn kill_group(&self) {
        // Even if the leader has ended: what it started may live, and keeps the id in use.
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
        let Some(folder) = &self.folder else { return };
        // What was killed a moment ago may still write: a file that appears behind the sweep
        // makes it fail, and nobody is left for the next one.
        for _ in 0..10 {
            if std::fs::remove_dir_all(folder).is_ok() || !folder.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Copies the child's output to the log, and passes it on line by line for as long as
/// somebody listens.
async fn copy_lines(stdout: impl AsyncRead + Unpin, mut log: File, lines: UnboundedSender<String>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    while matches!(stdout.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
        // A full disk must not stop the run; it shows when the report is written.
        let _ = log.write_all(&line);
        let _ = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::unix::pipe;

    fn shell(script: &str, folder: &Path) -> Process {
        Process::start(Path::new("/bin/sh"), &["-c", script], &folder.join("log")).expect("starts")
    }

    #[tokio::test]
    async fn lines_are_delivered_and_logged_together_with_the_error_output() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut process = shell("echo one; echo two >&2; echo three; exit 7", folder.path());
        assert_eq!(process.line().await.as_deref(), Some("one"));
        assert_eq!(process.line().await.as_deref(), Some("three"));
        assert_eq!(process.line().await, None);
        assert_eq!(process.ended().await.expect("ended").code(), Some(7));
        let log = std::fs::read_to_string(process.log()).expect("log");
        let mut logged: Vec<_> = log.lines().collect();
        logged.sort_unstable();
        assert_eq!(logged, ["one", "three", "two"]);
    }

    #[tokio::test]
    async fn closing_the_input_asks_a_child_to_end() {
        let folder = tempfile::tempdir().expect("temporary folder");
        assert!(
            shell("cat", folder.path())
                .stop(Duration::from_secs(60))
                .await
        );
    }

    #[tokio::test]
    async fn a_child_that_does_not_look_at_its_input_is_told_to_end_by_a_signal() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut process = shell(
            "trap 'exit 3' TERM; echo set; while :; do sleep 0.01; done",
            folder.path(),
        );
        assert_eq!(process.line().await.as_deref(), Some("set"));
        assert!(process.stop(Duration::from_secs(10)).await);
    }

    #[tokio::test]
    async fn dropping_a_process_ends_what_it_started() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let fifo = folder.path().join("alive");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.expect("mkfifo runs").success());
        let mut alive = pipe::OpenOptions::new()
            .open_receiver(&fifo)
            .expect("opened");
        // The grandchild holds the writing end of the pipe open for as long as it lives.
        let script = format!("exec 3> {}; sleep 600 & echo ready; wait", fifo.display());
        let mut process = shell(&script, folder.path());
        assert_eq!(process.line().await.as_deref(), Some("ready"));

        drop(process);
        // End of file: nobody holds the writing end any more.
        let read = timeout(Duration::from_secs(60), alive.read(&mut [0; 1])).await;
        assert_eq!(read.expect("the grandchild has ended").expect("read"), 0);
    }
}
