//! What is wrong with a subjects file.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// What is wrong with a subjects file: which file, which entry, what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubjectsError {
    file: PathBuf,
    entry: String,
    reason: String,
}

impl SubjectsError {
    /// `entry` is the name of a subject, or empty.
    pub(super) fn new(file: &Path, entry: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            entry: entry.into(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for SubjectsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if !self.entry.is_empty() {
            write!(f, "subject {:?}: ", self.entry)?;
        }
        f.write_str(self.reason.trim_end())
    }
}

impl Error for SubjectsError {}
