//! The suites that judge: where they come from and how they are started.

mod install;
mod line;
mod python;

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cloverleaf_reports::{CaseId, Role};

pub use install::InstallError;
pub(crate) use install::{cache_folder, last_lines, lock_exclusively};
pub(crate) use line::Line;
pub(crate) use python::python_3;

/// A suite that can be run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Suite {
    /// The original: `autobahntestsuite` 25.10.1 on Python 2.7. The judge that counts.
    Wstest,
    /// The same case files under another runner: quick, and blind to much. A second opinion.
    Kosoku,
}

impl Suite {
    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wstest => "wstest",
            Self::Kosoku => "kosoku",
        }
    }

    /// The version that is installed.
    pub fn version(self) -> &'static str {
        match self {
            Self::Wstest => "25.10.1",
            Self::Kosoku => "0.1.0",
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An installed suite, ready to be started.
#[derive(Clone, Debug)]
pub struct Judge {
    suite: Suite,
    runtime: Runtime,
}

#[derive(Clone, Debug)]
enum Runtime {
    /// A virtual environment of our own.
    Native { python: PathBuf },
    /// The suite's container image, run by docker or podman.
    Container { engine: PathBuf },
}

/// The image used where no Python 2.7 is found. It exists for amd64 only.
const IMAGE: &str = "docker.io/crossbario/autobahn-testsuite:25.10.1";

const WSTEST_SCRIPT: &str = include_str!("../../assets/wstest_judge.py");
const KOSOKU_SCRIPT: &str = include_str!("../../assets/kosoku_judge.py");

/// Finds a container's Python, whichever the image brings, and hands over to it.
const IN_CONTAINER: &str = "for p in python2.7 pypy2 pypy python2 python; do \
     command -v $p >/dev/null && exec $p -u \"$@\"; done; \
     echo 'no Python in the image' >&2; exit 127";

/// How to start the judge for one shard.
#[derive(Debug)]
pub(crate) struct JudgeCommand {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

impl Judge {
    /// Finds the suite in the cache, or installs it there. `say` receives a line for people
    /// before each step that takes long.
    ///
    /// # Errors
    ///
    /// When no suitable Python (nor, for wstest, container engine) is found, or a package
    /// cannot be installed.
    pub fn prepare(suite: Suite, say: &mut dyn FnMut(&str)) -> Result<Self, InstallError> {
        let runtime = install::prepare(suite, say)?;
        Ok(Self { suite, runtime })
    }

    /// wstest on an interpreter of the test's own making.
    #[cfg(test)]
    pub(crate) fn on(python: impl Into<PathBuf>) -> Self {
        Self {
            suite: Suite::Wstest,
            runtime: Runtime::Native {
                python: python.into(),
            },
        }
    }

    /// Which suite this is.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Writes what the judge needs into `folder` (an absolute path), and says how to start it
    /// there. It leaves one JSON file per case in `folder/cases`.
    pub(crate) fn command(
        &self,
        role: Role,
        agent: &str,
        server_url: Option<&str>,
        cases: &[CaseId],
        folder: &Path,
    ) -> io::Result<JudgeCommand> {
        let outdir = folder.join("cases");
        fs::create_dir_all(&outdir)?;
        let script = folder.join("judge.py");
        let spec = folder.join("spec.json");
        let cases: Vec<String> = cases.iter().map(ToString::to_string).collect();

        let mode = match role {
            Role::Server => "fuzzingclient",
            Role::Client => "fuzzingserver",
        };
        let mut content = serde_json::json!({
            "cases": cases,
            "exclude-cases": [],
            "exclude-agent-cases": {},
            "outdir": outdir,
            "options": {},
        });
        match server_url {
            Some(url) => content["servers"] = serde_json::json!([{ "url": url, "agent": agent }]),
            // The script replaces the port by one that is free.
            None => content["url"] = "ws://127.0.0.1:9001".into(),
        }
        fs::write(&spec, serde_json::to_vec_pretty(&content)?)?;

        let mut arguments: Vec<OsString> = vec![script.clone().into()];
        match self.suite {
            Suite::Wstest => {
                fs::write(&script, WSTEST_SCRIPT)?;
                arguments.extend(["-m", mode, "-u", "0", "-s"].map(OsString::from));
                arguments.push(spec.into());
            }
            Suite::Kosoku => {
                fs::write(&script, KOSOKU_SCRIPT)?;
                arguments.extend([OsString::from(mode), spec.into(), agent.into()]);
            }
        }
        Ok(self.runtime.command(arguments, folder))
    }
}

impl Runtime {
    fn command(&self, script: Vec<OsString>, folder: &Path) -> JudgeCommand {
        match self {
            Self::Native { python } => JudgeCommand {
                program: python.clone(),
                arguments: std::iter::once("-u".into()).chain(script).collect(),
            },
            Self::Container { engine } => {
                let mut mount = OsString::from(folder);
                mount.push(":");
                mount.push(folder);
                let mut arguments: Vec<OsString> = [
                    "run",
                    "--rm",
                    "--interactive",
                    "--network",
                    "host",
                    "--volume",
                ]
                .map(OsString::from)
                .into();
                arguments.extend([mount, "--workdir".into(), folder.into()]);
                if let Some(user) = install::user() {
                    arguments.extend(["--user".into(), user.into()]);
                }
                arguments.extend(
                    [
                        "--entrypoint",
                        "/bin/sh",
                        IMAGE,
                        "-c",
                        IN_CONTAINER,
                        "judge",
                    ]
                    .map(OsString::from),
                );
                arguments.extend(script);
                JudgeCommand {
                    program: engine.clone(),
                    arguments,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &JudgeCommand) -> Vec<String> {
        command
            .arguments
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_shard_gets_exact_ids_and_the_agent_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let judge = Judge {
            suite: Suite::Wstest,
            runtime: Runtime::Native {
                python: "py".into(),
            },
        };
        let cases = [
            "2.10".parse().expect("an id"),
            "12.1.1".parse().expect("an id"),
        ];
        let command = judge
            .command(
                Role::Server,
                "Us",
                Some("ws://127.0.0.1:1"),
                &cases,
                folder.path(),
            )
            .expect("writes its files");
        assert_eq!(command.program, Path::new("py"));
        let words = words(&command);
        assert_eq!(words[0], "-u");
        assert_eq!(words[2..7], ["-m", "fuzzingclient", "-u", "0", "-s"]);
        let spec: serde_json::Value =
            serde_json::from_slice(&fs::read(&words[7]).expect("spec exists")).expect("JSON");
        assert_eq!(spec["cases"], serde_json::json!(["2.10", "12.1.1"]));
        assert_eq!(
            spec["servers"],
            serde_json::json!([{ "url": "ws://127.0.0.1:1", "agent": "Us" }])
        );
        assert!(folder.path().join("cases").is_dir());
    }

    #[test]
    fn a_container_sees_only_the_shards_folder_and_the_loopback_wrapper() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let judge = Judge {
            suite: Suite::Wstest,
            runtime: Runtime::Container {
                engine: "podman".into(),
            },
        };
        let command = judge
            .command(
                Role::Client,
                "Us",
                None,
                &["1.1.1".parse().expect("exists")],
                folder.path(),
            )
            .expect("writes its files");
        let words = words(&command);
        let path = folder.path().display();
        assert!(words.contains(&format!("{path}:{path}")));
        assert!(words.contains(&format!("{path}/judge.py")));
        assert!(words.contains(&"fuzzingserver".to_owned()));
        assert!(words.contains(&IMAGE.to_owned()));
    }
}
