//! A Python 2.7 with the source distribution of pywebsocket, and programs that run in it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

const PACKAGE: &str = "mod-pywebsocket==0.7.9";
const FOLDER: &str = "mod_pywebsocket-0.7.9";
/// What is wanted of it and is not installed with it.
const ITS_CLIENT: &str = "test/mux_client_for_testing.py";

pub(crate) struct Python {
    interpreter: PathBuf,
    /// The source distribution, unpacked.
    sources: PathBuf,
}

/// The interpreter with the sources, fetched into the target folder the first time.
///
/// `None`, and a word about it, where there is none; a failure if `CLOVERLEAF_REQUIRE_PYTHON2=1`.
pub(crate) fn python() -> Option<&'static Python> {
    static FOUND: OnceLock<Result<Python, &str>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let interpreter = interpreter().ok_or("python2.7 is not installed")?;
        let sources = fetch(&interpreter).ok_or("pip of python2.7 cannot fetch pywebsocket")?;
        Ok(Python {
            interpreter,
            sources,
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
        succeeds(quiet(python, &["-c", check]))
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

fn succeeds(mut command: Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

fn fetch(python: &Path) -> Option<PathBuf> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let sources = cache.join(FOLDER);
    if sources.join(ITS_CLIENT).is_file() {
        return Some(sources);
    }
    // Into a folder of this process, which then gets its name at once: others may do the same.
    let fresh = cache.join(format!("{FOLDER}-{}", std::process::id()));
    let target = fresh.to_str()?;
    // What pip installs lacks the tests.
    let pip = ["-m", "pip", "download", "--no-deps", "--no-binary", ":all:"];
    let mut download = quiet(python, &pip);
    download.args(["--dest", target, PACKAGE]);
    let archive = fresh.join(format!("{FOLDER}.tar.gz"));
    let unpack = "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])";
    let mut unpacking = quiet(python, &["-c", unpack, archive.to_str()?, target]);
    unpacking.current_dir(cache);
    if succeeds(download) && succeeds(unpacking) {
        let _ = fs::rename(fresh.join(FOLDER), &sources);
    }
    let _ = fs::remove_dir_all(&fresh);
    sources.join(ITS_CLIENT).is_file().then_some(sources)
}

impl Python {
    /// One of the programs beside this file.
    fn program(&self, name: &str, args: &[&str]) -> Command {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live");
        let mut command = Command::new(&self.interpreter);
        command
            .arg(folder.join(name))
            .args(args)
            .env("PYTHONPATH", &self.sources)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts its server.
    pub(crate) fn serve(&self) -> Server {
        let mut command = self.program("pywebsocket_server.py", &[]);
        let mut child = command.stderr(Stdio::null()).spawn().expect("it runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("readable");
        let port = line.trim().parse();
        Server {
            port: port.unwrap_or_else(|_| panic!("the server prints {line:?} and no port")),
            child,
        }
    }

    /// Starts its client, against a server of ours, to do one of the things it can do.
    pub(crate) fn client(&self, port: u16, what: &str) -> Client {
        let args = [&port.to_string(), what];
        let mut command = self.program("pywebsocket_client.py", &args);
        Client {
            what: what.to_owned(),
            child: Some(command.spawn().expect("it runs")),
        }
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

/// A client, at the latest until it is dropped.
pub(crate) struct Client {
    what: String,
    child: Option<Child>,
}

impl Client {
    /// Waits for its end, and fails if it was not content.
    pub(crate) fn ends_well(mut self) {
        let child = self.child.take().expect("it is waited for once");
        let output = child.wait_with_output().expect("it ran");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {complaint}", self.what);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
