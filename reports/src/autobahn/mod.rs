//! Autobahn's report files: `index.json` and one JSON file per case, read and written.
//!
//! Both `wstest` and `kosoku` write this form. A case file that was read is written again byte for
//! byte; a result that never was in Autobahn's form is written in it as far as it goes.

mod case_file;
mod case_json;
mod file_name;
mod index;
mod plain_text;
mod surrogate;

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub use file_name::{case_file_name, stem as file_stem};

use crate::model::{CaseId, Role, Run};

/// Reads the `index.json` of a directory, and the case files it names.
///
/// `role` is the role of the subjects: [`Role::Server`] for the reports of a fuzzing client. A case
/// file that is not there leaves its result without detail.
///
/// # Errors
///
/// If `index.json` cannot be read, a file is not of Autobahn's form, or a case file says that its
/// subject had the other role. The error names the file.
pub fn read_dir(directory: &Path, role: Role) -> Result<Run, ReadError> {
    index::read(directory, role)
}

/// The role of the subjects in a directory, by the first case file that tells.
///
/// `None` if no case file is there, or none of them says whether the suite was the server.
///
/// # Errors
///
/// If `index.json` cannot be read or is not of Autobahn's form.
pub fn find_role(directory: &Path) -> Result<Option<Role>, ReadError> {
    index::find_role(directory)
}

/// Writes `index.json` and the case files of a run into a directory, creating it if need be.
///
/// Cases that were expected but not run do not appear, as in Autobahn's own reports.
///
/// # Errors
///
/// If a file cannot be written, or two subjects have names that differ only in what a file name
/// cannot hold, so that one would overwrite the other.
pub fn write_dir(directory: &Path, run: &Run) -> Result<(), WriteError> {
    index::write(directory, run)
}

/// Why reports could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: ReadErrorReason,
}

/// What is wrong with a report file.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadErrorReason {
    /// It cannot be read.
    Io(io::Error),
    /// It is not JSON, or not of Autobahn's form: what and where.
    Malformed(String),
    /// The index names a case that has no possible id: what is wrong with it.
    InvalidCaseId(String),
    /// The index names a case file outside of the directory.
    NotAFileName(String),
    /// The case file says that its subject had another role than asked for.
    #[non_exhaustive]
    WrongRole {
        /// The role asked for.
        asked: Role,
    },
    /// The case file is of another case than the index says.
    #[non_exhaustive]
    WrongCase {
        /// The case in the index.
        expected: CaseId,
        /// The case in the file.
        found: String,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.reason {
            ReadErrorReason::Io(error) => write!(f, "cannot read {path}: {error}"),
            ReadErrorReason::Malformed(reason) => {
                write!(f, "{path} is not an Autobahn report: {reason}")
            }
            ReadErrorReason::InvalidCaseId(reason) => write!(f, "in {path}: {reason}"),
            ReadErrorReason::NotAFileName(name) => write!(
                f,
                "{path} names the case file {name:?}, which is not a plain file name: only files \
                 beside the index are read"
            ),
            ReadErrorReason::WrongRole { asked } => write!(
                f,
                "{path} is the report of a {}, not of a {asked}: read it with the other role",
                match asked {
                    Role::Server => Role::Client,
                    Role::Client => Role::Server,
                }
            ),
            ReadErrorReason::WrongCase { expected, found } => write!(
                f,
                "{path} should report case {expected}, but reports case {found:?}: the directory \
                 mixes files of several runs"
            ),
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            ReadErrorReason::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// Why reports could not be written.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// A file or the directory cannot be written.
    #[non_exhaustive]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// Two subjects would share their case files.
    #[non_exhaustive]
    SameFileName {
        /// One subject.
        first: String,
        /// The other.
        second: String,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "cannot write {}: {error}", path.display()),
            Self::SameFileName { first, second } => write!(
                f,
                "the subjects {first:?} and {second:?} would share their case files: give one \
                 another name, one that differs in letters or digits"
            ),
        }
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::SameFileName { .. } => None,
        }
    }
}
