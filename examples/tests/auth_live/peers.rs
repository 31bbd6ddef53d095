//! The programs of others, as child processes.

use std::env;
use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A program that does not do what it should by then never will.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks whether something has happened in a process that does not say so.
const LOOK: Duration = Duration::from_millis(10);

/// Hands on what was found. If it was not, says so, or fails if
/// `CLOVERLEAF_REQUIRE_AUTH_PEERS=1`.
pub(crate) fn found<T>(what: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        let required = env::var("CLOVERLEAF_REQUIRE_AUTH_PEERS").is_ok_and(|it| it == "1");
        assert!(!required, "required: {what} is not installed");
        // Not by a macro: the test harness hides what those print.
        let skipped = writeln!(std::io::stderr(), "skipped: {what} is not installed");
        skipped.expect("stderr");
    }
    found
}

/// Where a program is. Servers are not on everybody's path.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::split_paths(&path);
    let servers = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    path.chain(servers)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// Looks again and again until there is something to be seen.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(LOOK);
    }
}

/// A server with a folder of its own, killed at the end of the test.
pub(crate) struct Daemon {
    pub(crate) address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl Daemon {
    /// Starts a program in the foreground. `configure` writes its files into the folder, for the
    /// address, and says what its arguments are. Its access log is to be `access.log`.
    pub(crate) fn start(
        program: &Path,
        configure: impl FnOnce(&Path, SocketAddr) -> Vec<String>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = free_address();
        let arguments = configure(folder.path(), address);
        let output = fs::File::create(folder.path().join("output")).expect("writable");
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .expect("it starts");
        let mut daemon = Self {
            address,
            child,
            folder,
        };
        until("the server listens", || {
            if TcpStream::connect(address).is_ok() {
                return Some(());
            }
            let ended = daemon.child.try_wait().expect("it is our child");
            if let Some(status) = ended {
                panic!("{} {status}: {}", program.display(), daemon.said());
            }
            None
        });
        daemon
    }

    fn said(&self) -> String {
        ["output", "error.log"]
            .map(|file| fs::read_to_string(self.folder.path().join(file)).unwrap_or_default())
            .concat()
    }

    /// The first lines of the access log, which are written when requests have ended.
    pub(crate) fn answered(&self, lines: usize) -> Vec<String> {
        let log = self.folder.path().join("access.log");
        until("requests end", || {
            let log = fs::read_to_string(&log).ok()?;
            let whole = log.rfind('\n').map_or("", |end| &log[..end]);
            let found: Vec<_> = whole.lines().map(str::to_owned).collect();
            (found.len() >= lines).then_some(found)
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{}", self.said());
        }
    }
}

/// Nobody listens there, at least now.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound")
}
