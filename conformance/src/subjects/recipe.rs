//! What a library needs from a registry, and how it gets there.

use std::fs;
use std::path::{Path, PathBuf};

use super::Unavailable;
use super::file::Install;
use super::installation::{Installation, Step, at, on_path};
use crate::suite;

/// The least version of Python 3 unless the file says otherwise.
const PYTHON_3: u32 = 10;

/// What to install: one registry's packages, all pinned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Recipe {
    from: From,
    /// Files to put beside them: the name, and where it is.
    files: Vec<(String, PathBuf)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum From {
    Pypi {
        packages: Vec<String>,
        minor: u32,
    },
    Npm {
        packages: Vec<String>,
    },
    Cargo {
        package: PathBuf,
        features: Vec<String>,
        bins: Vec<String>,
    },
}

impl Recipe {
    /// The recipe of an entry; paths count from `folder`. The error says what to change.
    pub(super) fn new(install: &Install, folder: &Path) -> Result<Self, String> {
        let from = match (&install.pypi, &install.npm, &install.cargo) {
            (Some(packages), None, None) => From::Pypi {
                packages: pinned(packages, "==")?,
                minor: match &install.python {
                    None => PYTHON_3,
                    Some(version) => version
                        .strip_prefix("3.")
                        .and_then(|minor| minor.parse().ok())
                        .ok_or_else(|| {
                            format!("`install.python` is {version:?}; write it as \"3.11\"")
                        })?,
                },
            },
            (None, Some(packages), None) => From::Npm {
                packages: pinned(packages, "@")?,
            },
            (None, None, Some(package)) => {
                let package = folder.join(package);
                manifest(&package)?;
                From::Cargo {
                    package,
                    features: install.features.clone(),
                    bins: install.bins.clone(),
                }
            }
            _ => {
                return Err(
                    "`install` needs one of `pypi`, `npm` and `cargo`, and not two".to_owned(),
                );
            }
        };
        if install.cargo.is_none() && !(install.features.is_empty() && install.bins.is_empty()) {
            return Err(
                "`install.features` and `install.bins` are for a `cargo` package".to_owned(),
            );
        }
        if install.python.is_some() && install.pypi.is_none() {
            return Err("`install.python` is for packages from `pypi`".to_owned());
        }
        let files = install.files.iter().map(|file| {
            let path = folder.join(file);
            let name = path.file_name().and_then(|name| name.to_str());
            match name {
                Some(name) if path.is_file() => Ok((name.to_owned(), path.clone())),
                _ => Err(format!(
                    "`install.files` names {file:?}, and there is no file {}",
                    path.display()
                )),
            }
        });
        let files = files.collect::<Result<_, _>>()?;
        Ok(Self { from, files })
    }

    /// The placeholders that it gives values to.
    pub(super) fn placeholders(&self) -> &'static [&'static str] {
        match &self.from {
            From::Pypi { .. } => &["python", "installed"],
            From::Npm { .. } => &["node", "installed"],
            From::Cargo { .. } => &["bin", "installed"],
        }
    }

    /// The packages with their versions; those of a Cargo package are in its manifest.
    #[cfg(test)]
    pub(super) fn packages(&self) -> &[String] {
        match &self.from {
            From::Pypi { packages, .. } | From::Npm { packages } => packages,
            From::Cargo { .. } => &[],
        }
    }

    /// The folder of the Cargo package, if it is one.
    #[cfg(test)]
    pub(super) fn cargo_package(&self) -> Option<&Path> {
        match &self.from {
            From::Cargo { package, .. } => Some(package),
            _ => None,
        }
    }

    /// Finds it in the cache, or installs it there under this label, and gives the placeholders
    /// their values.
    pub(super) fn prepare(
        &self,
        label: &str,
        say: &mut dyn FnMut(&str),
    ) -> Result<Vec<(&'static str, String)>, Unavailable> {
        self.prepare_in(&suite::cache_folder().join("peers"), label, say)
    }

    /// The same in this cache.
    pub(super) fn prepare_in(
        &self,
        cache: &Path,
        label: &str,
        say: &mut dyn FnMut(&str),
    ) -> Result<Vec<(&'static str, String)>, Unavailable> {
        let mut content = Vec::new();
        for (name, path) in &self.files {
            content.push((name.clone(), fs::read_to_string(path).map_err(at(path))?));
        }
        let shown = |path: &Path| path.display().to_string();
        let (word, program, folder) = match &self.from {
            From::Pypi { packages, minor } => {
                let folder =
                    Installation::new(cache, label.to_owned(), &packages.join(" "), &content)
                        .ensure(say, "some seconds", || {
                            let python =
                                suite::python_3(*minor).ok_or(Unavailable::NoPython(*minor))?;
                            let packages: Vec<_> = packages.iter().map(String::as_str).collect();
                            // All are named, those they need too: nothing is left to chance.
                            let install = ["-m", "pip", "install", "--no-deps"];
                            Ok(vec![
                                Step::new(
                                    "making a Python environment",
                                    python,
                                    &["-m", "venv", "env"],
                                ),
                                Step::new(
                                    format!("installing {}", packages.join(", ")),
                                    "env/bin/python",
                                    &[&install[..], &packages].concat(),
                                ),
                            ])
                        })?;
                ("python", shown(&folder.join("env/bin/python")), folder)
            }
            From::Npm { packages } => {
                let node = on_path("node")?;
                content.push(("package.json".to_owned(), "{}\n".to_owned()));
                let folder =
                    Installation::new(cache, label.to_owned(), &packages.join(" "), &content)
                        .ensure(say, "some seconds", || {
                            let install = ["install", "--prefix", ".", "--ignore-scripts"];
                            let quiet = ["--no-audit", "--no-fund", "--no-update-notifier"];
                            let packages: Vec<_> = packages.iter().map(String::as_str).collect();
                            let doing = format!("installing {}", packages.join(", "));
                            let arguments = [&install[..], &quiet, &packages].concat();
                            Ok(vec![Step::new(doing, on_path("npm")?, &arguments)])
                        })?;
                ("node", shown(&node), folder)
            }
            From::Cargo {
                package,
                features,
                bins,
            } => {
                collect(package, "", &mut content).map_err(at(package))?;
                // One installation for all entries that want the same of it.
                let name = package.file_name().unwrap_or_default().to_string_lossy();
                let parts = [&[name.into_owned()], &features[..], &bins[..]].concat();
                let stamp = format!("{} {}", features.join(","), bins.join(","));
                let folder = Installation::new(cache, parts.join("-"), stamp.trim(), &content)
                    .ensure(say, "some minutes", || {
                        let cargo = on_path("cargo")?;
                        let arguments = ["install", "--path", ".", "--root", ".", "--locked"];
                        let target = ["--target-dir", "target", "--no-track"];
                        let mut arguments = [&arguments[..], &target].concat();
                        for feature in features {
                            arguments.extend(["--features", feature]);
                        }
                        for bin in bins {
                            arguments.extend(["--bin", bin]);
                        }
                        let build = Step::new("building the programs in Rust", cargo, &arguments);
                        Ok(vec![build.leaving_behind("target")])
                    })?;
                ("bin", shown(&folder.join("bin")), folder)
            }
        };
        Ok(vec![(word, program), ("installed", shown(&folder))])
    }
}

/// The packages, if each has a version.
fn pinned(packages: &[String], separator: &str) -> Result<Vec<String>, String> {
    if packages.is_empty() {
        return Err("`install` names no package".to_owned());
    }
    for package in packages {
        // The name of an npm package may begin with an @ itself.
        let version = package.get(1..).and_then(|rest| rest.split_once(separator));
        if version.is_none_or(|(_, version)| version.is_empty()) || package.starts_with('-') {
            return Err(format!(
                "`install` names {package:?} without its version; write \"NAME{separator}1.2.3\""
            ));
        }
    }
    Ok(packages.to_vec())
}

/// The manifest of a Cargo package, which may be called `manifest.toml`: under that name the
/// folder is no package of its own for `cargo package`, and stays a part of what surrounds it.
fn manifest(package: &Path) -> Result<PathBuf, String> {
    let lock = package.join("Cargo.lock");
    let manifest = ["Cargo.toml", "manifest.toml"]
        .map(|name| package.join(name))
        .into_iter()
        .find(|manifest| manifest.is_file());
    manifest.filter(|_| lock.is_file()).ok_or_else(|| {
        let package = package.display();
        format!("`install.cargo` needs Cargo.toml (or manifest.toml) and Cargo.lock in {package}")
    })
}

/// Reads the package's files, for the installation.
fn collect(
    package: &Path,
    below: &str,
    content: &mut Vec<(String, String)>,
) -> std::io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(package)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}{name}");
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') && path != "target" {
                collect(&entry.path(), &format!("{path}/"), content)?;
            }
        } else if name.ends_with(".rs") || name == "Cargo.lock" || name.ends_with(".toml") {
            let name = match path.as_str() {
                "manifest.toml" => "Cargo.toml".to_owned(),
                _ => path,
            };
            content.push((name, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}
