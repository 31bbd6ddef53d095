//! Why a check could not be made at all.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a check could not be made, or its report not be written.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckError {
    /// A file or folder of the report cannot be used.
    #[non_exhaustive]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A report file cannot be written: which, and why.
    Report(String),
    /// The system refuses to tell of interruptions.
    Signals(io::Error),
}

impl CheckError {
    pub(super) fn folder(path: &Path, source: io::Error) -> Self {
        Self::Folder {
            path: path.to_owned(),
            source,
        }
    }

    /// The exit code of the command.
    pub fn exit_code(&self) -> u8 {
        2
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { path, source } => write!(f, "cannot use {}: {source}", path.display()),
            Self::Report(reason) => f.write_str(reason),
            Self::Signals(source) => write!(f, "cannot wait for interruptions: {source}"),
        }
    }
}

impl std::error::Error for CheckError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder { source, .. } | Self::Signals(source) => Some(source),
            Self::Report(_) => None,
        }
    }
}
