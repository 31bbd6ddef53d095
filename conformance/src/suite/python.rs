//! Finds Python interpreters.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python 2.7 that works.
pub(super) fn python_2_7() -> Option<PathBuf> {
    let on_path = ["python2.7", "python2"].into_iter().map(PathBuf::from);
    on_path.chain(of_pyenv("python2.7")).find(|python| {
        // pyenv puts a `python2.7` on the path that refuses to run, so ask each one.
        runs(
            python,
            "import sys, ssl; sys.exit(sys.version_info[:2] != (2, 7))",
        )
    })
}

/// A Python 3 of at least this version that can make virtual environments.
pub(crate) fn python_3(least_minor: u32) -> Option<PathBuf> {
    let check = format!(
        "import sys, ssl, venv, ensurepip; sys.exit(not (3, {least_minor}) <= sys.version_info[:2])"
    );
    let numbered = (least_minor..=20)
        .rev()
        .map(|minor| PathBuf::from(format!("python3.{minor}")));
    [PathBuf::from("python3"), PathBuf::from("python")]
        .into_iter()
        .chain(numbered)
        .chain(of_pyenv("python3"))
        .find(|python| runs(python, &check))
}

/// Interpreters of this name that pyenv installed, whether or not it has any switched on.
fn of_pyenv(name: &str) -> Vec<PathBuf> {
    let root = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".pyenv")));
    let Some(Ok(versions)) = root.map(|root| fs::read_dir(root.join("versions"))) else {
        return Vec::new();
    };
    let mut found: Vec<_> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name)))
        .filter(|python| python.is_file())
        .collect();
    found.sort();
    found.reverse();
    found
}

/// Whether the interpreter exists, starts, and ends this script with success.
pub(super) fn runs(python: &Path, script: &str) -> bool {
    Command::new(python)
        .args(["-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
