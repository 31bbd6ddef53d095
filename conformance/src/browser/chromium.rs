//! Chromium without a window.

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::subject::SubjectCommand;

/// What the program is called: Debian's name first, then those of other systems and of Google's
/// own packages.
const NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];

/// Nothing but the page: no window, and no request of the browser's own.
const QUIET: [&str; 14] = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--no-proxy-server",
    "--mute-audio",
    "--password-store=basic",
];

/// Chromium, or Chrome, from the path, as a client to judge.
///
/// # Errors
///
/// If there is none.
pub fn client() -> Result<SubjectCommand, NoChromium> {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = find(&path).ok_or(NoChromium)?;
    let root = rustix::process::geteuid().is_root();
    Ok(SubjectCommand::browser(program, arguments(root)))
}

/// The version of the Chromium that [`client`] starts, if it says so: `156.0.8078.73`.
pub fn version() -> Option<String> {
    let program = find(&env::var_os("PATH")?)?;
    let said = Command::new(program).arg("--version").output().ok()?;
    version_in(&String::from_utf8_lossy(&said.stdout))
}

/// The version in what it prints: `Chromium 156.0.8078.73 built on Debian`.
fn version_in(said: &str) -> Option<String> {
    said.split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .map(str::to_owned)
}

/// The first folder of the path that has one of the programs decides.
fn find(path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|program| is_executable(program))
}

fn is_executable(program: &Path) -> bool {
    program
        .metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn arguments(root: bool) -> Vec<String> {
    let mut arguments: Vec<_> = QUIET.map(str::to_owned).into();
    if root {
        // It refuses to run as root otherwise, in containers for the most part.
        arguments.push("--no-sandbox".to_owned());
    }
    arguments.push("--user-data-dir={profile}".to_owned());
    arguments.push("{page}".to_owned());
    arguments
}

/// There is no Chromium.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct NoChromium;

impl fmt::Display for NoChromium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no Chromium on the path: none of {}; Debian's package is `chromium`",
            NAMES.join(", ")
        )
    }
}

impl Error for NoChromium {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_version_is_the_word_that_begins_with_a_digit() {
        for (said, version) in [
            (
                "Chromium 156.0.8078.73 built on Debian 12\n",
                Some("156.0.8078.73"),
            ),
            ("Google Chrome 156.0.1 \n", Some("156.0.1")),
            ("", None),
            ("no version", None),
        ] {
            assert_eq!(version_in(said).as_deref(), version, "{said:?}");
        }
    }

    #[test]
    fn only_root_runs_it_without_its_sandbox() {
        let flag = "--no-sandbox".to_owned();
        assert!(arguments(true).contains(&flag) && !arguments(false).contains(&flag));
        for root in [true, false] {
            let arguments = arguments(root);
            assert_eq!(arguments.last().map(String::as_str), Some("{page}"));
            assert!(arguments.contains(&"--user-data-dir={profile}".to_owned()));
        }
    }

    #[test]
    fn it_is_found_by_any_of_its_names_if_it_can_be_run() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        for place in [&first, &second] {
            fs::create_dir(place).expect("made");
        }
        let path = env::join_paths([&first, &second]).expect("a path");
        assert_eq!(find(&path), None);
        assert_eq!(find(OsStr::new("")), None);

        let make = |program: &Path, mode| {
            fs::write(program, "").expect("written");
            fs::set_permissions(program, fs::Permissions::from_mode(mode)).expect("set");
        };
        make(&second.join("google-chrome"), 0o755);
        make(&first.join("chromium"), 0o644);
        fs::create_dir(first.join("chrome")).expect("made");
        assert_eq!(find(&path), Some(second.join("google-chrome")));
        make(&second.join("chromium"), 0o755);
        assert_eq!(find(&path), Some(second.join("chromium")));
        make(&first.join("chromium-browser"), 0o755);
        assert_eq!(find(&path), Some(first.join("chromium-browser")));
        assert!(NoChromium.to_string().contains("google-chrome-stable"));
    }
}
