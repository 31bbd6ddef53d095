//! Reading a record from a file or a folder, whoever wrote it. The only module beside
//! [`autobahn`] that touches files.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::autobahn::{self, ReadError};
use crate::model::{MergeError, Record, RecordError, Role};

/// The record in a folder.
const RECORD: &str = "results.json";

/// Autobahn's index in a folder.
const INDEX: &str = "index.json";

/// Autobahn's customary folders. `servers` holds what a fuzzing client wrote.
const FOLDERS: [(&str, Role); 2] = [("servers", Role::Server), ("clients", Role::Client)];

/// Reads a record from
///
/// - a file as [`Record::to_json`] writes it,
/// - a folder with such a file, `results.json`,
/// - a folder with Autobahn's `index.json` and case files, of `wstest` or `kosoku`; the case files
///   say whether the subjects were servers or clients,
/// - a folder with such folders named `servers` and `clients`.
///
/// # Errors
///
/// If there is nothing of this kind, a file cannot be read or is of another form, or the role
/// cannot be found out: then [`read_as`] reads it with the role given.
pub fn read(path: &Path) -> Result<Record, LoadError> {
    if !is_folder(path)? {
        return read_record(path);
    }
    if path.join(RECORD).is_file() {
        return read_record(&path.join(RECORD));
    }
    if path.join(INDEX).is_file() {
        let role = autobahn::find_role(path)
            .map_err(LoadError::Autobahn)?
            .ok_or_else(|| LoadError::RoleUnknown {
                path: path.to_owned(),
            })?;
        return read_as(path, role);
    }
    let mut record = Record::new("Autobahn reports");
    for (folder, role) in FOLDERS {
        if path.join(folder).join(INDEX).is_file() {
            record
                .merge(read_as(&path.join(folder), role)?)
                .map_err(|error| LoadError::Merge {
                    path: path.to_owned(),
                    error,
                })?;
        }
    }
    if record.runs.is_empty() {
        return Err(LoadError::NothingThere {
            path: path.to_owned(),
        });
    }
    Ok(record)
}

/// Reads a folder with Autobahn's `index.json` and case files, the subjects in this role.
///
/// # Errors
///
/// As for [`autobahn::read_dir`].
pub fn read_as(path: &Path, role: Role) -> Result<Record, LoadError> {
    let run = autobahn::read_dir(path, role).map_err(LoadError::Autobahn)?;
    let mut record = Record::new("Autobahn reports");
    record.add(run).map_err(|error| LoadError::Merge {
        path: path.to_owned(),
        error,
    })?;
    Ok(record)
}

fn is_folder(path: &Path) -> Result<bool, LoadError> {
    let metadata = fs::metadata(path).map_err(|error| LoadError::Io {
        path: path.to_owned(),
        error,
    })?;
    Ok(metadata.is_dir())
}

fn read_record(path: &Path) -> Result<Record, LoadError> {
    let json = read_text(path)?;
    Record::from_json(&json).map_err(|error| LoadError::Record {
        path: path.to_owned(),
        error,
    })
}

fn read_text(path: &Path) -> Result<String, LoadError> {
    let io = |error| LoadError::Io {
        path: path.to_owned(),
        error,
    };
    let bytes = fs::read(path).map_err(io)?;
    String::from_utf8(bytes).map_err(|error| io(io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// Why there is no record.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// A file cannot be read.
    #[non_exhaustive]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// A file is not a record.
    #[non_exhaustive]
    Record {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: RecordError,
    },
    /// Autobahn's files cannot be read.
    Autobahn(ReadError),
    /// Parts of a folder do not fit together.
    #[non_exhaustive]
    Merge {
        /// The folder.
        path: PathBuf,
        /// The cause.
        error: MergeError,
    },
    /// No case file tells which role the subjects had.
    #[non_exhaustive]
    RoleUnknown {
        /// The folder.
        path: PathBuf,
    },
    /// A folder holds neither a record nor reports.
    #[non_exhaustive]
    NothingThere {
        /// The folder.
        path: PathBuf,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "cannot read {}: {error}", path.display()),
            Self::Record { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Autobahn(error) => error.fmt(f),
            Self::Merge { path, error } => write!(f, "in {}: {error}", path.display()),
            Self::RoleUnknown { path } => {
                let path = path.display();
                write!(
                    f,
                    "no case file in {path} tells whether its subjects were servers or clients: \
                     say server={path} or client={path}"
                )
            }
            Self::NothingThere { path } => write!(
                f,
                "{} holds no results: expected {RECORD}, or Autobahn's {INDEX}, or folders \
                 servers and clients with one",
                path.display()
            ),
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Record { error, .. } => Some(error),
            Self::Autobahn(error) => Some(error),
            Self::Merge { error, .. } => Some(error),
            Self::RoleUnknown { .. } | Self::NothingThere { .. } => None,
        }
    }
}
