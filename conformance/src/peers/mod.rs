//! Other WebSocket libraries as subjects, installed from their registries on first use.
//!
//! Each is a small program, an echo server and an echo client in one, that is part of this
//! one. It is written into the cache with the pinned library beside it. No two libraries
//! fail alike, so suites that agree on all of them agree on more than our own engine.

mod error;
mod install;

use std::path::PathBuf;

pub use error::Unavailable;
use install::{Installation, Step};

use crate::subject::SubjectCommand;
use crate::suite;

/// A WebSocket library that can be a subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    name: &'static str,
    version: &'static str,
    recipe: Recipe,
}

/// How a peer is installed. A `package` is a name and a version as the registry's client
/// takes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Recipe {
    /// From PyPI into a virtual environment.
    Python {
        package: &'static str,
        /// The least minor version of Python 3.
        minor: u32,
        source: &'static str,
    },
    /// From npm.
    Node {
        package: &'static str,
        source: &'static str,
    },
    /// From crates.io, built by Cargo. One package holds all such peers.
    Rust { binary: &'static str },
}

const PEERS: [Peer; 5] = [
    Peer {
        name: "websockets",
        version: "17.4",
        recipe: Recipe::Python {
            package: "websockets==17.4",
            minor: 11,
            source: include_str!("../../peers/websockets_peer.py"),
        },
    },
    Peer {
        name: "ws4py",
        version: "0.6.0",
        recipe: Recipe::Python {
            package: "ws4py==0.6.0",
            minor: 10,
            source: include_str!("../../peers/ws4py_peer.py"),
        },
    },
    Peer {
        name: "ws",
        version: "8.23.0",
        recipe: Recipe::Node {
            package: "ws@8.23.0",
            source: include_str!("../../peers/ws_peer.mjs"),
        },
    },
    Peer {
        name: "tokio-tungstenite",
        version: "0.30.0",
        recipe: Recipe::Rust {
            binary: "tokio_tungstenite",
        },
    },
    Peer {
        name: "fastwebsockets",
        version: "0.10.0",
        recipe: Recipe::Rust {
            binary: "fastwebsockets",
        },
    },
];

/// The package of the peers in Rust: path and content.
const RUST_PACKAGE: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("../../peers/rust/manifest.toml")),
    ("Cargo.lock", include_str!("../../peers/rust/Cargo.lock")),
    (
        "src/bin/tokio_tungstenite.rs",
        include_str!("../../peers/rust/src/bin/tokio_tungstenite.rs"),
    ),
    (
        "src/bin/fastwebsockets.rs",
        include_str!("../../peers/rust/src/bin/fastwebsockets.rs"),
    ),
];

const PYTHON_SCRIPT: &str = "peer.py";
const NODE_SCRIPT: &str = "peer.mjs";

/// Every peer there is.
pub fn all() -> &'static [Peer] {
    &PEERS
}

impl Peer {
    /// The library's name in its registry.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The version that is installed.
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// Finds the peer in the cache, or installs it there; only that needs the network.
    /// `say` receives a line for people before each step that takes long.
    ///
    /// Nothing is written outside the cache by us, but pip, npm and Cargo keep what they
    /// download in caches of their own.
    ///
    /// # Errors
    ///
    /// When the tools for it are not there, or the library cannot be installed.
    pub fn prepare(&self, say: &mut dyn FnMut(&str)) -> Result<Installed, Unavailable> {
        let cache = suite::cache_folder().join("peers");
        match self.recipe {
            Recipe::Python {
                package,
                minor,
                source,
            } => {
                let content = [(PYTHON_SCRIPT, source)];
                let folder = Installation::new(&cache, self.label(), package, &content).ensure(
                    say,
                    "some seconds",
                    || {
                        let python = suite::python_3(minor).ok_or(Unavailable::NoPython(minor))?;
                        Ok(vec![
                            Step::new(
                                "making a Python environment",
                                python,
                                &["-m", "venv", "env"],
                            ),
                            Step::new(
                                format!("installing {package}"),
                                "env/bin/python",
                                &["-m", "pip", "install", "--no-deps", package],
                            ),
                        ])
                    },
                )?;
                Ok(Installed {
                    program: folder.join("env/bin/python"),
                    script: Some(folder.join(PYTHON_SCRIPT)),
                })
            }
            Recipe::Node { package, source } => {
                let node = install::on_path("node")?;
                let content = [(NODE_SCRIPT, source), ("package.json", "{}\n")];
                let folder = Installation::new(&cache, self.label(), package, &content).ensure(
                    say,
                    "some seconds",
                    || {
                        let install = ["install", "--prefix", ".", "--ignore-scripts"];
                        let quiet = ["--no-audit", "--no-fund", "--no-update-notifier"];
                        let arguments = [&install[..], &quiet, &[package]].concat();
                        let npm = install::on_path("npm")?;
                        Ok(vec![Step::new(
                            format!("installing {package}"),
                            npm,
                            &arguments,
                        )])
                    },
                )?;
                Ok(Installed {
                    program: node,
                    script: Some(folder.join(NODE_SCRIPT)),
                })
            }
            Recipe::Rust { binary } => {
                let installation = Installation::new(&cache, "rust".to_owned(), "", &RUST_PACKAGE);
                let folder = installation.ensure(say, "some minutes", || {
                    let cargo = install::on_path("cargo")?;
                    let arguments = ["install", "--path", ".", "--root", ".", "--locked"];
                    let target = ["--target-dir", "target", "--no-track"];
                    Ok(vec![
                        Step::new(
                            "building the peers in Rust",
                            cargo,
                            &[&arguments[..], &target].concat(),
                        )
                        .leaving_behind("target"),
                    ])
                })?;
                Ok(Installed {
                    program: folder.join("bin").join(binary),
                    script: None,
                })
            }
        }
    }

    fn label(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// A peer that can be started in either role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Installed {
    program: PathBuf,
    /// What the program interprets, unless it is the peer itself.
    script: Option<PathBuf>,
}

impl Installed {
    /// The peer as an echo server on a free port.
    pub fn server(&self) -> SubjectCommand {
        self.command(&["server"])
    }

    /// The peer as an echo client of a fuzzing server.
    pub fn client(&self) -> SubjectCommand {
        self.command(&["client", "{url}", "{agent}"])
    }

    fn command(&self, arguments: &[&str]) -> SubjectCommand {
        let script = self.script.iter().map(|path| path.display().to_string());
        let arguments = arguments.iter().map(ToString::to_string);
        SubjectCommand::program(&self.program, script.chain(arguments).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_peers_share_a_name() {
        let mut names: Vec<_> = all().iter().map(Peer::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn every_version_told_is_the_version_pinned() {
        let manifest: toml::Table = RUST_PACKAGE[0].1.parse().expect("the manifest is TOML");
        for peer in all() {
            let (pin, expected) = match peer.recipe {
                Recipe::Python { package, .. } => (
                    package.to_owned(),
                    format!("{}=={}", peer.name, peer.version),
                ),
                Recipe::Node { package, .. } => (
                    package.to_owned(),
                    format!("{}@{}", peer.name, peer.version),
                ),
                Recipe::Rust { .. } => {
                    let dependency = &manifest["dependencies"][peer.name];
                    let version = dependency.get("version").unwrap_or(dependency);
                    (
                        version.as_str().expect("a version").to_owned(),
                        format!("={}", peer.version),
                    )
                }
            };
            assert_eq!(pin, expected);
        }
    }

    #[test]
    fn the_lock_file_belongs_to_the_manifest() {
        let lock: toml::Table = RUST_PACKAGE[1].1.parse().expect("the lock file is TOML");
        let packages = lock["package"].as_array().expect("packages");
        for peer in all()
            .iter()
            .filter(|peer| matches!(peer.recipe, Recipe::Rust { .. }))
        {
            assert!(
                packages.iter().any(|package| {
                    package["name"].as_str() == Some(peer.name)
                        && package["version"].as_str() == Some(peer.version)
                }),
                "{} {}",
                peer.name,
                peer.version
            );
        }
    }

    #[tokio::test]
    #[ignore = "installs all of them, which needs the network the first time and minutes"]
    async fn every_peer_can_be_installed_and_started() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for peer in all() {
            let installed = peer
                .prepare(&mut |line| eprintln!("{line}"))
                .unwrap_or_else(|error| panic!("{}: {error}", peer.name));
            let (process, _) = installed
                .server()
                .start_server(&folder.path().join("log"))
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", peer.name));
            let ended = process.stop(std::time::Duration::from_secs(60)).await;
            assert!(ended, "{} ends with its standard input", peer.name);
        }
    }

    #[test]
    fn a_script_comes_before_the_role() {
        let installed = Installed {
            program: "/p/python".into(),
            script: Some("/p/peer.py".into()),
        };
        let command = |arguments: &[&str]| {
            let arguments = arguments.iter().map(ToString::to_string).collect();
            SubjectCommand::program("/p/python", arguments)
        };
        assert_eq!(installed.server(), command(&["/p/peer.py", "server"]));
        assert_eq!(
            installed.client(),
            command(&["/p/peer.py", "client", "{url}", "{agent}"])
        );
    }

    #[test]
    fn a_program_of_its_own_gets_nothing_but_the_role() {
        let installed = Installed {
            program: "/p/bin/x".into(),
            script: None,
        };
        assert_eq!(
            installed.server(),
            SubjectCommand::program("/p/bin/x", vec!["server".to_owned()])
        );
    }
}
