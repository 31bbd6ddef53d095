//! Puts a library into the cache, whole or not at all.
//!
//! It is made in a folder of its own beside the place where it belongs, under a lock, and
//! renamed when all is done. What it was made from is kept inside, so that another version
//! of this program notices what it has to make anew.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Unavailable;
use crate::suite::{last_lines, lock_exclusively};

/// The file that says what an installation was made from.
const STAMP: &str = "made-from";

/// One command of an installation, started in its folder.
pub(super) struct Step {
    doing: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    rubbish: Option<&'static str>,
}

impl Step {
    /// What it does (for people), the program (a path with a slash counts from the folder),
    /// and its arguments.
    pub(super) fn new(
        doing: impl Into<String>,
        program: impl Into<PathBuf>,
        arguments: &[&str],
    ) -> Self {
        Self {
            doing: doing.into(),
            program: program.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            rubbish: None,
        }
    }

    /// Removes this folder when the step is done.
    pub(super) fn leaving_behind(mut self, folder: &'static str) -> Self {
        self.rubbish = Some(folder);
        self
    }
}

/// A folder in the cache with a library and the programs that use it.
pub(super) struct Installation<'a> {
    label: String,
    folder: PathBuf,
    log: PathBuf,
    content: &'a [(String, String)],
    stamp: String,
}

impl<'a> Installation<'a> {
    /// An installation in `cache/label` of the pinned package and these files.
    pub(super) fn new(
        cache: &Path,
        label: String,
        package: &str,
        content: &'a [(String, String)],
    ) -> Self {
        let mut stamp = format!("{package}\n");
        for (path, text) in content {
            stamp.push_str(&format!("--- {path}\n{text}"));
        }
        Self {
            folder: cache.join(&label),
            log: cache.join(format!("{label}.install.log")),
            label,
            content,
            stamp,
        }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.folder
            .with_file_name(format!("{}.{suffix}", self.label))
    }

    fn is_ready(&self) -> bool {
        // An environment's interpreter is a link that an upgrade of Python can break.
        let python = self.folder.join("env/bin/python");
        fs::read_to_string(self.folder.join(STAMP)).is_ok_and(|stamp| stamp == self.stamp)
            && (python.exists() || !python.is_symlink())
    }

    /// The finished folder. Unless it is there, `plan` looks for the tools and says what to
    /// do, and that is done; `duration` tells people how long it takes.
    pub(super) fn ensure(
        &self,
        say: &mut dyn FnMut(&str),
        duration: &str,
        plan: impl FnOnce() -> Result<Vec<Step>, Unavailable>,
    ) -> Result<PathBuf, Unavailable> {
        if self.is_ready() {
            return Ok(self.folder.clone());
        }
        let steps = plan()?;
        if let Some(cache) = self.folder.parent() {
            fs::create_dir_all(cache).map_err(at(cache))?;
        }
        let path = self.beside("lock");
        let lock = File::create(&path).map_err(at(&path))?;
        lock_exclusively(&lock, || {
            say(&format!(
                "waiting for another process that installs {}",
                self.label
            ));
        })
        .map_err(at(&path))?;
        if self.is_ready() {
            return Ok(self.folder.clone());
        }

        say(&format!(
            "installing {} into {} (once; {duration})",
            self.label,
            self.folder.display()
        ));
        let unfinished = self.beside("new");
        remove(&unfinished)?;
        fs::create_dir_all(&unfinished).map_err(at(&unfinished))?;
        self.write_content(&unfinished)?;
        File::create(&self.log).map_err(at(&self.log))?;
        for step in &steps {
            say(&format!("  {}", step.doing));
            self.run(step, &unfinished)?;
        }
        // Last: an installation with a stamp is whole.
        let stamp = unfinished.join(STAMP);
        fs::write(&stamp, &self.stamp).map_err(at(&stamp))?;

        // Environments and node_modules work after a move, as long as none of the scripts
        // that pip left in `env/bin` is used.
        remove(&self.folder)?;
        fs::rename(&unfinished, &self.folder).map_err(at(&self.folder))?;
        Ok(self.folder.clone())
    }

    fn write_content(&self, folder: &Path) -> Result<(), Unavailable> {
        for (path, text) in self.content {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(at(parent))?;
            }
            fs::write(&path, text).map_err(at(&path))?;
        }
        Ok(())
    }

    fn run(&self, step: &Step, folder: &Path) -> Result<(), Unavailable> {
        let log = OpenOptions::new()
            .append(true)
            .open(&self.log)
            .and_then(|log| Ok((log.try_clone()?, log)))
            .map_err(at(&self.log))?;
        let program = if step.program.components().count() > 1 {
            folder.join(&step.program)
        } else {
            step.program.clone()
        };
        let status = Command::new(&program)
            .args(&step.arguments)
            .current_dir(folder)
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_NO_INPUT", "1")
            .stdin(Stdio::null())
            .stdout(log.0)
            .stderr(log.1)
            .status()
            .map_err(at(&program))?;
        if !status.success() {
            return Err(Unavailable::Step {
                doing: step.doing.clone(),
                log: self.log.clone(),
                tail: last_lines(&self.log, 12),
            });
        }
        step.rubbish
            .map_or(Ok(()), |name| remove(&folder.join(name)))
    }
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> Result<(), Unavailable> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(at(folder)(source)),
        _ => Ok(()),
    }
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Unavailable {
    let path = path.to_owned();
    move |source| Unavailable::Io { path, source }
}

/// Where the path has a program of this name.
pub(super) fn on_path(name: &'static str) -> Result<PathBuf, Unavailable> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .ok_or(Unavailable::NoProgram(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> [(String, String); 1] {
        [("src/peer".to_owned(), text.to_owned())]
    }

    const HELLO: &str = "echo hello\n";

    fn shell(script: &str) -> Step {
        Step::new("trying", "/bin/sh", &["-c", script])
    }

    fn nobody(_: &str) {}

    #[test]
    fn an_installation_holds_its_files_and_what_its_steps_made() {
        let cache = tempfile::tempdir().expect("temporary folder");
        let content = content(HELLO);
        let installation = Installation::new(cache.path(), "x-1".to_owned(), "x==1", &content);
        let steps = || {
            let make = shell("mkdir target bin && cp src/peer bin/made");
            Ok(vec![make.leaving_behind("target")])
        };
        let folder = installation
            .ensure(&mut nobody, "no time", steps)
            .expect("installed");
        assert_eq!(folder, cache.path().join("x-1"));
        let made = fs::read_to_string(folder.join("bin/made")).expect("made");
        assert_eq!(made, "echo hello\n");
        assert!(!folder.join("target").exists(), "left behind");
        assert!(!cache.path().join("x-1.new").exists(), "renamed");
    }

    #[test]
    fn what_is_there_is_used_without_looking_for_tools() {
        let cache = tempfile::tempdir().expect("temporary folder");
        let content = content(HELLO);
        let installation = Installation::new(cache.path(), "x-1".to_owned(), "x==1", &content);
        let first = installation.ensure(&mut nobody, "no time", || Ok(Vec::new()));
        let mut said = Vec::new();
        let second = installation.ensure(&mut |line| said.push(line.to_owned()), "no time", || {
            Err(Unavailable::NoProgram("anything"))
        });
        assert_eq!(first.expect("installed"), second.expect("found"));
        assert!(said.is_empty(), "{said:?}");
    }

    #[test]
    fn another_pin_another_program_or_a_broken_link_is_installed_anew() {
        let cache = tempfile::tempdir().expect("temporary folder");
        let make = |package: &str, content: &[(String, String)]| {
            let installation = Installation::new(cache.path(), "x".to_owned(), package, content);
            let mut planned = false;
            let plan = || {
                planned = true;
                Ok(Vec::new())
            };
            let folder = installation.ensure(&mut nobody, "no time", plan);
            (folder.expect("installed"), planned)
        };
        assert!(make("x==1", &content(HELLO)).1, "nothing there");
        assert!(!make("x==1", &content(HELLO)).1, "the same again");
        assert!(make("x==2", &content(HELLO)).1, "another pin");
        assert!(make("x==2", &content("exit\n")).1, "another program");

        let (folder, _) = make("x==2", &content(HELLO));
        fs::create_dir_all(folder.join("env/bin")).expect("created");
        std::os::unix::fs::symlink("/no/such/python", folder.join("env/bin/python"))
            .expect("linked");
        assert!(make("x==2", &content(HELLO)).1, "the interpreter is gone");
    }

    #[test]
    fn a_failed_step_leaves_what_was_there_and_says_why() {
        let cache = tempfile::tempdir().expect("temporary folder");
        let install = |package, script| {
            Installation::new(cache.path(), "x".to_owned(), package, &content(HELLO)).ensure(
                &mut nobody,
                "no time",
                || Ok(vec![shell(script)]),
            )
        };
        let folder = install("x==1", "touch works").expect("installed");
        let error = install("x==2", "echo no route to host >&2; exit 3")
            .expect_err("the step fails")
            .to_string();
        for part in ["trying", "no route to host", "x.install.log", "network"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(folder.join("works").exists());

        install("x==2", "touch works").expect("the next attempt is not in its own way");
    }

    #[test]
    fn a_missing_tool_is_named() {
        let cache = tempfile::tempdir().expect("temporary folder");
        let content = content(HELLO);
        let installation = Installation::new(cache.path(), "x".to_owned(), "x==1", &content);
        let error = installation
            .ensure(&mut nobody, "no time", || {
                on_path("no-such-program").map(|_| Vec::new())
            })
            .expect_err("not on the path");
        assert_eq!(error.to_string(), "it needs `no-such-program` on the path");
    }
}
