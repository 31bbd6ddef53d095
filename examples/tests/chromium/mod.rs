//! Chromium without a window, for the tests that look at pages in it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What the program is called: Debian's name first, then those of other systems and of Google's own
/// packages.
const NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];

/// A browser that hangs fails the test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The first of them on the path.
pub(crate) fn chromium() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = env::split_paths(&path)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    if program.is_none() {
        eprintln!("skipped: there is no Chromium on the path");
    }
    program
}

/// Killed at the end of the test.
pub(crate) struct Process {
    pub(crate) child: Child,
    // Removed when the process is gone.
    _profile: tempfile::TempDir,
}

impl Process {
    /// With these arguments beside those that keep it quiet, and its standard error there.
    pub(crate) fn start(program: &Path, arguments: &[&str], stderr: Stdio) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let child = Command::new(program)
            .args([
                "--headless",
                "--disable-gpu",
                "--disable-quic",
                "--disable-sync",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--no-proxy-server",
                // Without it Chromium does not run as root, which CI machines often are.
                "--no-sandbox",
                // Ends only when it is killed.
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("Chromium starts");
        Self {
            child,
            _profile: profile,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
