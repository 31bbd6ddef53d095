//! Which spec file to use, and what a new one says.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The two programs that take a spec file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "an endpoint is one or the other")]
pub enum Mode {
    /// `fuzzingclient`: judges servers.
    FuzzingClient,
    /// `fuzzingserver`: judges clients.
    FuzzingServer,
}

impl Mode {
    /// The file that is used when none is named.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::FuzzingClient => "fuzzingclient.json",
            Self::FuzzingServer => "fuzzingserver.json",
        }
    }

    /// The text of a new spec file: everything, on the port that test clients expect.
    pub fn template(self) -> &'static str {
        match self {
            Self::FuzzingClient => {
                r#"{
  "servers": [
    { "url": "ws://127.0.0.1:9001" }
  ],
  "outdir": "./reports/servers",
  "options": {},
  "cases": ["*"],
  "exclude-cases": [],
  "exclude-agent-cases": {}
}
"#
            }
            Self::FuzzingServer => {
                r#"{
  "url": "ws://127.0.0.1:9001",
  "outdir": "./reports/clients",
  "options": {},
  "cases": ["*"],
  "exclude-cases": [],
  "exclude-agent-cases": {}
}
"#
            }
        }
    }
}

/// The spec file to use.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "named, found or new: no fourth way"
)]
pub enum SpecFile {
    /// The user has named it.
    Named(PathBuf),
    /// It is there under its usual name.
    Found(PathBuf),
    /// It is to be written first: see [`provide`](Self::provide).
    New(PathBuf, Mode),
}

impl SpecFile {
    /// The file's path.
    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Found(path) | Self::New(path, _) => path,
        }
    }

    /// Writes the template if the file is new. Nothing is ever overwritten.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or something of its name has appeared meanwhile.
    pub fn provide(&self) -> io::Result<()> {
        match self {
            Self::Named(_) | Self::Found(_) => Ok(()),
            Self::New(path, mode) => File::create_new(path)?.write_all(mode.template().as_bytes()),
        }
    }
}

/// The file to use: the one named with `-s`, else the usual one in the working directory,
/// which is to be written if it is not there.
pub fn resolve(mode: Mode, named: Option<PathBuf>) -> SpecFile {
    resolve_in(Path::new(""), mode, named)
}

fn resolve_in(folder: &Path, mode: Mode, named: Option<PathBuf>) -> SpecFile {
    let usual = folder.join(mode.file_name());
    match named {
        Some(path) => SpecFile::Named(path),
        None if usual.is_file() => SpecFile::Found(usual),
        None => SpecFile::New(usual, mode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::spec::{ClientSpec, ServerSpec};
    use std::fs;

    const MODES: [Mode; 2] = [Mode::FuzzingClient, Mode::FuzzingServer];

    #[test]
    fn a_new_file_is_written_once_and_then_found() {
        for mode in MODES {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(mode.file_name());
            let first = resolve_in(folder.path(), mode, None);
            assert_eq!(first, SpecFile::New(path.clone(), mode));
            assert!(!path.exists());
            first.provide().expect("the folder is ours");
            assert_eq!(fs::read_to_string(&path).expect("written"), mode.template());

            fs::write(&path, "{}").expect("the folder is ours");
            let second = resolve_in(folder.path(), mode, None);
            assert_eq!(second, SpecFile::Found(path.clone()));
            second.provide().expect("nothing to do");
            let error = first.provide().expect_err("it is there by now");
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read_to_string(&path).expect("still there"), "{}");
        }
    }

    #[test]
    fn a_named_file_is_used_whether_it_is_there_or_not_and_never_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("my.json");
        let named = resolve_in(folder.path(), Mode::FuzzingClient, Some(path.clone()));
        assert_eq!(named.path(), path);
        named.provide().expect("nothing to do");
        assert!(!path.exists());
    }

    #[test]
    fn the_usual_file_is_looked_for_in_the_working_directory() {
        let file = resolve(Mode::FuzzingServer, None);
        assert_eq!(file.path(), Path::new("fuzzingserver.json"));
    }

    #[test]
    fn the_templates_are_valid_and_run_the_whole_suite_on_this_machine() {
        let known: Vec<_> = catalog::all().collect();
        let client = ClientSpec::parse(Mode::FuzzingClient.template(), &known).expect("valid");
        assert_eq!(client.cases, known);
        assert_eq!(client.servers.len(), 1);
        assert_eq!(client.servers[0].url.as_str(), "ws://127.0.0.1:9001");
        assert_eq!(client.warnings, Vec::<String>::new());
        let server = ServerSpec::parse(Mode::FuzzingServer.template(), &known).expect("valid");
        assert_eq!(server.cases, known);
        assert_eq!(server.url.port(), 9001);
        assert_eq!(server.warnings, Vec::<String>::new());
    }
}
