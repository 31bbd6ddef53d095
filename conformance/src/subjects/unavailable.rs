//! Why a library is not there.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a library cannot be a subject here.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unavailable {
    /// No Python 3 of at least this minor version that can make virtual environments.
    NoPython(u32),
    /// A program that is needed is not on the path.
    NoProgram(&'static str),
    /// A step failed; its output is in the log.
    Step {
        /// What was being done.
        doing: String,
        /// Where the output is kept.
        log: PathBuf,
        /// The last lines of the output.
        tail: String,
    },
    /// A file or folder of the cache, or a program, could not be used.
    Io {
        /// The file, folder or program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPython(minor) => write!(
                f,
                "it needs Python 3.{minor} or newer with the venv module, and none was found \
                 (on Debian: apt install python3-venv)"
            ),
            Self::NoProgram(name) => write!(f, "it needs `{name}` on the path"),
            Self::Step { doing, log, tail } => write!(
                f,
                "failed while {doing} (the first time, this needs the network); full output: {}\n\
                 {tail}",
                log.display()
            ),
            Self::Io { path, source } => write!(f, "cannot use {}: {source}", path.display()),
        }
    }
}

impl Error for Unavailable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::NoPython(_) | Self::NoProgram(_) | Self::Step { .. } => None,
        }
    }
}
