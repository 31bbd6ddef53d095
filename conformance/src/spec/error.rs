//! What can be wrong with a spec file, told so that its author knows what to write.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// How much of the file's own text a message repeats, in characters.
const SHOWN: usize = 60;

/// A spec file that cannot be used, and why.
#[derive(Debug)]
pub struct SpecError {
    file: Option<PathBuf>,
    problem: Problem,
}

impl SpecError {
    pub(super) fn in_file(self, file: &Path) -> Self {
        Self {
            file: Some(file.to_owned()),
            ..self
        }
    }

    /// The file, unless the text came from elsewhere.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Problem> for SpecError {
    fn from(problem: Problem) -> Self {
        Self {
            file: None,
            problem,
        }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.display())?;
        }
        self.problem.fmt(f)
    }
}

impl Error for SpecError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            Problem::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

/// The ways in which a spec file fails. A `place` is a path such as `servers[0].url`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// The system does not hand the file over.
    Unreadable(io::Error),
    /// The bytes are not UTF-8 from this offset on.
    NotUtf8 {
        /// Bytes before the first wrong one.
        offset: usize,
    },
    /// The text is not JSON.
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
        /// What the parser met there.
        reason: String,
    },
    /// A field that has no default is not there.
    Missing {
        /// Where it belongs.
        place: String,
        /// What to write.
        must_be: String,
    },
    /// A field has a value of another type or out of range.
    Wrong {
        /// Which field.
        place: String,
        /// What to write.
        must_be: String,
        /// What is written.
        found: String,
    },
    /// An entry of a list of cases is no case.
    NoSuchCase {
        /// Which entry.
        place: String,
        /// What is written.
        pattern: String,
        /// What to write.
        advice: String,
    },
    /// The patterns leave no case to run.
    NothingSelected,
    /// There is no server to judge.
    NoServers,
    /// A `wss` server lacks its private key or its certificate.
    NoKeyAndCert,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => f.write_str(
                "there is no such file; name another with -s, or leave -s out and a default \
                 one is written",
            ),
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::NotUtf8 { offset } => write!(
                f,
                "not UTF-8 from byte {offset} on; save the file in that encoding"
            ),
            Self::NotJson {
                line,
                column,
                reason,
            } => write!(
                f,
                "not JSON at line {line}, column {column}: {reason} (names and texts need \
                 double quotes; there is no comma after a last item; there are no comments)"
            ),
            Self::Missing { place, must_be } => {
                write!(f, "`{place}` is missing; it must be {must_be}")
            }
            Self::Wrong {
                place,
                must_be,
                found,
            } => write!(f, "{place} must be {must_be}, but is {found}"),
            Self::NoSuchCase {
                place,
                pattern,
                advice,
            } => write!(f, "{place}: no case matches `{}`; {advice}", shown(pattern)),
            Self::NothingSelected => f.write_str(
                "`cases` and `exclude-cases` leave no case to run; \
                 `\"cases\": [\"*\"], \"exclude-cases\": []` runs the whole suite",
            ),
            Self::NoServers => f.write_str(
                "there is no server to judge; list one, \
                 `\"servers\": [{\"url\": \"ws://127.0.0.1:9001\"}]`, or name one with -w URL",
            ),
            Self::NoKeyAndCert => f.write_str(
                "a `wss` url needs a private key and a certificate; name their PEM files in \
                 `key` and `cert`, or with -k and -c, or write `ws`",
            ),
        }
    }
}

/// Foreign text for a message: escaped, and cut when long.
pub(super) fn shown(text: &str) -> String {
    let mut start: String = text.chars().take(SHOWN).collect();
    if start.len() < text.len() {
        start.push_str("...");
    }
    start.escape_debug().to_string()
}
