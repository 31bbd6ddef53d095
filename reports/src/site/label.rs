//! Labels of runs: they are folders of the site.

use std::error::Error;
use std::fmt;

use crate::model::Record;
use crate::printable::clipped;

/// The longest label, in bytes.
const LONGEST: usize = 64;

/// Folders and files the site has itself.
const RESERVED: [&str; 6] = [
    "latest",
    "diff",
    "badges",
    "index.html",
    "trend.html",
    "ancestors.html",
];

/// Why a run cannot be published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelError {
    /// There is no run.
    NoRuns,
    /// A run has no label.
    #[non_exhaustive]
    Absent {
        /// Its title.
        title: String,
    },
    /// A label cannot be the name of a folder of the site.
    #[non_exhaustive]
    Unsafe {
        /// The label.
        label: String,
    },
    /// Two runs have one label, or labels that differ only in upper and lower case.
    #[non_exhaustive]
    Twice {
        /// The label.
        label: String,
    },
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRuns => f.write_str("there is no run to publish: give at least one record"),
            Self::Absent { title } => write!(
                f,
                "the run {:?} has no label: give it one, such as the version it is about, v0.1.0",
                clipped(title, LONGEST)
            ),
            Self::Unsafe { label } => write!(
                f,
                "the label {:?} cannot be a folder of the site: use letters, digits, '.', '-', '_' \
                 and '+', at most {LONGEST}, a letter or digit at both ends, no two dots in a row, \
                 and none of {}",
                clipped(label, LONGEST),
                RESERVED.join(", ")
            ),
            Self::Twice { label } => write!(
                f,
                "two runs have the label {label:?} (upper and lower case count as one): merge \
                 them, or give one another label"
            ),
        }
    }
}

impl Error for LabelError {}

/// The labels of records, in their order.
pub(super) fn labels<'a>(records: &[&'a Record]) -> Result<Vec<&'a str>, LabelError> {
    let mut labels: Vec<&str> = Vec::new();
    for record in records {
        let Some(label) = &record.label else {
            return Err(LabelError::Absent {
                title: record.title.clone(),
            });
        };
        if !is_safe(label) {
            return Err(LabelError::Unsafe {
                label: label.clone(),
            });
        }
        // Some file systems do not tell `V1` from `v1`.
        if labels.iter().any(|known| known.eq_ignore_ascii_case(label)) {
            return Err(LabelError::Twice {
                label: label.clone(),
            });
        }
        labels.push(label);
    }
    Ok(labels)
}

fn is_safe(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte);
    let ends = label.starts_with(|c: char| c.is_ascii_alphanumeric())
        && label.ends_with(|c: char| c.is_ascii_alphanumeric());
    ends && label.len() <= LONGEST
        && label.bytes().all(allowed)
        && !label.contains("..")
        && !RESERVED.contains(&label.to_ascii_lowercase().as_str())
}
