//! A Python 2.7 with the two libraries, and programs that run in it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

const PACKAGES: &[&str] = &["mod-pywebsocket==0.7.9", "wspy==0.91"];

pub(crate) struct Python {
    interpreter: PathBuf,
    packages: PathBuf,
}

/// The interpreter with the libraries, installed into the target folder the first time.
///
/// `None`, and a word about it, where there is none; a failure if `CLOVERLEAF_REQUIRE_PYTHON2=1`.
pub(crate) fn python() -> Option<&'static Python> {
    static FOUND: OnceLock<Result<Python, &str>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let interpreter = interpreter().ok_or("python2.7 is not installed")?;
        let packages = install(&interpreter).ok_or("pip of python2.7 cannot install")?;
        Ok(Python {
            interpreter,
            packages,
        })
    });
    match found {
        Ok(python) => Some(python),
        Err(why) => {
            let required = env::var("CLOVERLEAF_REQUIRE_PYTHON2").is_ok_and(|it| it == "1");
            assert!(!required, "required: {why}");
            // Not by a macro: the test harness hides what those print.
            let skipped = writeln!(std::io::stderr(), "skipped: {why}");
            skipped.expect("stderr");
            None
        }
    }
}

fn interpreter() -> Option<PathBuf> {
    let on_path = ["python2.7", "python2"].map(PathBuf::from);
    let pyenv = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".pyenv")))?;
    let of_pyenv = fs::read_dir(pyenv.join("versions"))
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin/python2.7")));
    on_path.into_iter().chain(of_pyenv).find(|python| {
        // pyenv puts a `python2.7` on the path that refuses to run, so ask each one.
        let check = "import sys, zlib, pip; sys.exit(sys.version_info[:2] != (2, 7))";
        let mut check = quiet(python, &["-c", check]);
        check.status().is_ok_and(|status| status.success())
    })
}

fn quiet(python: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(python);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn install(python: &Path) -> Option<PathBuf> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let packages = cache.join("python2-packages");
    if packages.is_dir() {
        return Some(packages);
    }
    // Into a folder of this process, which then gets its name at once: others may do the same.
    let fresh = cache.join(format!("python2-packages-{}", std::process::id()));
    let target = fresh.to_str()?;
    let pip = ["-m", "pip", "install", "--no-deps", "--target", target];
    let status = quiet(python, &pip).args(PACKAGES).status();
    let installed = status.is_ok_and(|status| status.success());
    if !installed || fs::rename(&fresh, &packages).is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    packages.is_dir().then_some(packages)
}

impl Python {
    /// One of the programs beside this file.
    fn program(&self, name: &str, args: &[&str]) -> Command {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
        let mut command = Command::new(&self.interpreter);
        command
            .arg(folder.join(name))
            .args(args)
            .env("PYTHONPATH", &self.packages)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a server, which prints its port.
    pub(crate) fn serve(&self, name: &str) -> Server {
        let mut command = self.program(name, &[]);
        let mut child = command.stderr(Stdio::null()).spawn().expect("it runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("readable");
        let port = line.trim().parse();
        Server {
            port: port.unwrap_or_else(|_| panic!("{name} prints {line:?} and no port")),
            child,
        }
    }

    /// Runs a client to its end, and gives the line it prints.
    pub(crate) fn run(&self, name: &str, args: &[&str]) -> String {
        let output = self.program(name, args).output().expect("it runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} {args:?}: {complaint}");
        let line = String::from_utf8_lossy(&output.stdout);
        line.trim().to_owned()
    }
}

/// A server, until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
