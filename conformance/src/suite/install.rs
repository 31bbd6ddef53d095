//! Installs the suites into a cache, once.
//!
//! The cache is `cloverleaf/` in Cargo's target folder, or in the user's cache folder when
//! the program does not run from a target folder. Every suite has a folder there, a lock
//! file, a log and a stamp. The stamp is written last and holds the list of pins, so an
//! interrupted or outdated installation is begun anew.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{IMAGE, Runtime, Suite, python};

/// One call of pip. `--no-build-isolation` keeps Python 2.7's old setuptools, which these
/// packages need, in charge.
struct Step {
    packages: &'static [&'static str],
    options: &'static [&'static str],
    /// Whether the suite works without it, only slower.
    optional: bool,
}

const VIRTUALENV: &str = "virtualenv==20.21.1"; // the last that makes 2.7 environments

/// The versions that work together on Python 2.7, in an order that pip 20.3 can follow.
const WSTEST_STEPS: [Step; 5] = [
    step(
        &[
            "incremental==16.10.1",
            "six==1.16.0",
            "pyOpenSSL==19.1.0",
            "cryptography==3.3.2",
        ],
        &[],
    ),
    step(
        &["Twisted==19.10.0", "zope.interface==4.6.0"],
        &["--no-build-isolation"],
    ),
    step(
        &[
            "txaio==2.1.0",
            "jinja2==2.11.3",
            "markupsafe==1.1.1",
            "Werkzeug==1.0.1",
            "klein==17.10.0",
            "service_identity==18.1.0",
            "unittest2==1.1.0",
            "autobahn==0.10.9",
        ],
        &["--no-build-isolation"],
    ),
    Step {
        packages: &["wsaccel==0.6.2", "ujson==2.0.3"], // wsaccel is built with a C compiler
        options: &["--no-build-isolation"],
        optional: true,
    },
    step(
        &["autobahntestsuite==25.10.1"],
        &["--no-build-isolation", "--no-deps"],
    ),
];

const KOSOKU_STEPS: [Step; 1] = [step(&["kosoku==0.1.0"], &["--no-deps"])];

const fn step(packages: &'static [&'static str], options: &'static [&'static str]) -> Step {
    Step {
        packages,
        options,
        optional: false,
    }
}

/// Why a suite could not be installed.
#[derive(Debug)]
#[non_exhaustive]
pub enum InstallError {
    /// No interpreter, nor anything that could stand in for it.
    NoInterpreter(Suite),
    /// A command failed; its output is in the log.
    Command {
        /// What was being done.
        doing: String,
        /// Where the command's output is kept.
        log: PathBuf,
        /// The last lines of that output.
        tail: String,
    },
    /// A file or folder of the cache could not be used.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInterpreter(Suite::Wstest) => f.write_str(
                "the Autobahn suite (wstest) needs one of these, and none was found:\n  \
                 - Python 2.7 (`python2.7` on the path, or `pyenv install 2.7.18`) together \
                 with a Python 3.7 or newer that has the venv module \
                 (on Debian: apt install python3-venv)\n  \
                 - docker or podman, with its service running\n\
                 Without either, `--suite kosoku` gives a weaker second opinion.",
            ),
            Self::NoInterpreter(Suite::Kosoku) => f.write_str(
                "kosoku needs Python 3.10 or newer with the venv module, and none was found \
                 (on Debian: apt install python3-venv)",
            ),
            Self::Command { doing, log, tail } => {
                write!(
                    f,
                    "failed while {doing}; full output: {}\n{tail}",
                    log.display()
                )
            }
            Self::Io { path, source } => write!(f, "cannot use {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for InstallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::NoInterpreter(_) | Self::Command { .. } => None,
        }
    }
}

/// Finds or installs what the suite runs on.
pub(super) fn prepare(suite: Suite, say: &mut dyn FnMut(&str)) -> Result<Runtime, InstallError> {
    let cache = cache_folder();
    fs::create_dir_all(&cache).map_err(|source| io_error(&cache, source))?;
    match suite {
        Suite::Wstest => {
            let installation = Installation::new(&cache, "wstest-25.10.1", &WSTEST_STEPS);
            // An installation that is there needs nothing but itself.
            if let Some(runtime) = installation.ready() {
                return Ok(runtime);
            }
            if let (Some(python2), Some(python3)) = (python::python_2_7(), python::python_3(7)) {
                return installation.ensure(say, |folder, run| {
                    let tools = folder.join("virtualenv");
                    run(
                        "making a Python 3 environment for virtualenv",
                        &python3,
                        &["-m".as_ref(), "venv".as_ref(), tools.as_ref()],
                    )?;
                    run(
                        "installing virtualenv",
                        &tools.join("bin/python"),
                        &[
                            "-m".as_ref(),
                            "pip".as_ref(),
                            "install".as_ref(),
                            VIRTUALENV.as_ref(),
                        ],
                    )?;
                    run(
                        "making a Python 2.7 environment",
                        &tools.join("bin/virtualenv"),
                        &["-p".as_ref(), python2.as_ref(), folder.join("env").as_ref()],
                    )
                });
            }
            container_engine()
                .map(|engine| {
                    say(&format!(
                        "no Python 2.7 found; using the image {IMAGE} with {} \
                         (the first run downloads it)",
                        engine.display()
                    ));
                    Runtime::Container { engine }
                })
                .ok_or(InstallError::NoInterpreter(suite))
        }
        Suite::Kosoku => {
            let installation = Installation::new(&cache, "kosoku-0.1.0", &KOSOKU_STEPS);
            if let Some(runtime) = installation.ready() {
                return Ok(runtime);
            }
            let python3 = python::python_3(10).ok_or(InstallError::NoInterpreter(suite))?;
            installation.ensure(say, |folder, run| {
                run(
                    "making a Python 3 environment",
                    &python3,
                    &["-m".as_ref(), "venv".as_ref(), folder.join("env").as_ref()],
                )
            })
        }
    }
}

/// Runs one command of an installation: what it does (for people), program, arguments.
type RunStep<'a> = dyn FnMut(&str, &Path, &[&OsStr]) -> Result<(), InstallError> + 'a;

/// A virtual environment in the cache.
struct Installation {
    name: &'static str,
    folder: PathBuf,
    log: PathBuf,
    lock: PathBuf,
    steps: &'static [Step],
}

impl Installation {
    fn new(cache: &Path, name: &'static str, steps: &'static [Step]) -> Self {
        Self {
            name,
            folder: cache.join(name),
            log: cache.join(format!("{name}.install.log")),
            lock: cache.join(format!("{name}.lock")),
            steps,
        }
    }

    /// What the stamp must say: every pin, and the folder, since environments cannot be moved.
    fn stamp(&self) -> String {
        let mut text = format!("{}\n", self.folder.display());
        for package in self.steps.iter().flat_map(|step| step.packages) {
            text.push_str(package);
            text.push('\n');
        }
        text
    }

    /// The finished installation, if it is there and its interpreter still starts.
    fn ready(&self) -> Option<Runtime> {
        let python = self.folder.join("env/bin/python");
        let stamped = fs::read_to_string(self.folder.join("stamp")).ok()? == self.stamp();
        (stamped && python::runs(&python, "import ssl")).then_some(Runtime::Native { python })
    }

    /// Installs under the lock, unless another process has done so meanwhile.
    fn ensure(
        &self,
        say: &mut dyn FnMut(&str),
        make_environment: impl FnOnce(&Path, &mut RunStep<'_>) -> Result<(), InstallError>,
    ) -> Result<Runtime, InstallError> {
        let lock = File::create(&self.lock).map_err(|source| io_error(&self.lock, source))?;
        lock_exclusively(&lock, || {
            say(&format!(
                "waiting for another process that installs {}",
                self.name
            ));
        })
        .map_err(|source| io_error(&self.lock, source))?;
        if let Some(runtime) = self.ready() {
            return Ok(runtime);
        }

        say(&format!(
            "installing {} into {} (once; under a minute)",
            self.name,
            self.folder.display()
        ));
        match fs::remove_dir_all(&self.folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(io_error(&self.folder, source));
            }
            _ => {}
        }
        fs::create_dir_all(&self.folder).map_err(|source| io_error(&self.folder, source))?;
        File::create(&self.log).map_err(|source| io_error(&self.log, source))?;

        make_environment(&self.folder, &mut |doing, program, arguments| {
            say(&format!("  {doing}"));
            self.run(doing, program, arguments)
        })?;
        let python = self.folder.join("env/bin/python");
        for step in self.steps {
            let list = step.packages.join(", ");
            say(&format!("  installing {list}"));
            let arguments: Vec<&OsStr> = ["-m", "pip", "install"]
                .iter()
                .chain(step.options)
                .chain(step.packages)
                .map(AsRef::as_ref)
                .collect();
            match self.run(&format!("installing {list}"), &python, &arguments) {
                Err(error) if !step.optional => return Err(error),
                Err(_) => say(&format!("  {list} cannot be built here; going on, slower")),
                Ok(()) => {}
            }
        }

        // Written under another name and renamed: a stamp is whole or not there.
        let unfinished = self.folder.join("stamp.new");
        fs::write(&unfinished, self.stamp())
            .and_then(|()| fs::rename(&unfinished, self.folder.join("stamp")))
            .map_err(|source| io_error(&self.folder, source))?;
        self.ready().ok_or_else(|| InstallError::Command {
            doing: "starting the new environment's Python".to_owned(),
            log: self.log.clone(),
            tail: String::new(),
        })
    }

    fn run(&self, doing: &str, program: &Path, arguments: &[&OsStr]) -> Result<(), InstallError> {
        let log = OpenOptions::new()
            .append(true)
            .open(&self.log)
            .and_then(|log| Ok((log.try_clone()?, log)))
            .map_err(|source| io_error(&self.log, source))?;
        let status = Command::new(program)
            .args(arguments)
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_NO_INPUT", "1")
            .stdin(Stdio::null())
            .stdout(log.0)
            .stderr(log.1)
            .status()
            .map_err(|source| io_error(program, source))?;
        if status.success() {
            return Ok(());
        }
        Err(InstallError::Command {
            doing: doing.to_owned(),
            log: self.log.clone(),
            tail: last_lines(&self.log, 12),
        })
    }
}

fn io_error(path: &Path, source: io::Error) -> InstallError {
    InstallError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The last lines of a log, for an error message.
pub(crate) fn last_lines(path: &Path, count: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// `cloverleaf/` in the target folder that this program was built into (Cargo marks it with
/// `CACHEDIR.TAG`), else in `$CARGO_TARGET_DIR`, else in the user's cache folder.
pub(crate) fn cache_folder() -> PathBuf {
    let target = env::current_exe().ok().and_then(|program| {
        program
            .ancestors()
            .find(|folder| folder.join("CACHEDIR.TAG").is_file())
            .map(Path::to_owned)
    });
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    target
        .or_else(|| absolute("CARGO_TARGET_DIR"))
        .or_else(|| absolute("XDG_CACHE_HOME"))
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("cloverleaf")
}

/// A container engine whose service answers.
fn container_engine() -> Option<PathBuf> {
    ["docker", "podman"]
        .into_iter()
        .map(PathBuf::from)
        .find(|engine| {
            Command::new(engine)
                .arg("info")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        })
}

/// Holds the lock until the file is closed.
pub(crate) fn lock_exclusively(file: &File, before_waiting: impl FnOnce()) -> io::Result<()> {
    use rustix::fs::{FlockOperation, flock};
    if flock(file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        return Ok(());
    }
    before_waiting();
    Ok(flock(file, FlockOperation::LockExclusive)?)
}

/// The user and group that a container's files shall belong to.
pub(super) fn user() -> Option<String> {
    use rustix::process::{getgid, getuid};
    Some(format!("{}:{}", getuid().as_raw(), getgid().as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_counts_only_with_a_stamp_that_lists_the_same_pins() {
        let cache = tempfile::tempdir().expect("temporary folder");
        let installation = Installation::new(cache.path(), "x", &KOSOKU_STEPS);
        assert!(installation.ready().is_none());

        let bin = installation.folder.join("env/bin");
        fs::create_dir_all(&bin).expect("created");
        // Any program that ends with success stands in for the interpreter.
        std::os::unix::fs::symlink("/bin/true", bin.join("python")).expect("linked");
        assert!(installation.ready().is_none(), "no stamp");

        fs::write(installation.folder.join("stamp"), "kosoku==0.0.9\n").expect("written");
        assert!(installation.ready().is_none(), "another pin");

        fs::write(installation.folder.join("stamp"), installation.stamp()).expect("written");
        assert!(installation.ready().is_some());

        fs::remove_file(bin.join("python")).expect("removed");
        assert!(installation.ready().is_none(), "the interpreter is gone");
    }

    #[test]
    fn a_failed_step_leaves_no_stamp_and_says_where_the_log_is() {
        let cache = tempfile::tempdir().expect("temporary folder");
        let installation = Installation::new(cache.path(), "x", &KOSOKU_STEPS);
        let error = installation
            .ensure(&mut |_| {}, |_, run| {
                run(
                    "breaking",
                    Path::new("/bin/sh"),
                    &["-c".as_ref(), "echo the reason >&2; exit 3".as_ref()],
                )
            })
            .expect_err("the step fails")
            .to_string();
        assert!(
            error.contains("breaking") && error.contains("the reason"),
            "{error}"
        );
        assert!(error.contains("x.install.log"), "{error}");
        assert!(!installation.folder.join("stamp").exists());
    }
}
