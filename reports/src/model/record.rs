//! The record of one conformance run.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{MergeError, Run};

/// The version of the record's JSON form that this library writes and reads.
pub const SCHEMA: u32 = 1;

/// What one conformance run found: the input of every renderer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The version of the JSON form, [`SCHEMA`].
    schema: u32,
    /// A line saying what this run was about.
    pub title: String,
    /// The program that made the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
    /// The suite that judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<Suite>,
    /// When the run began, as it is to be shown; UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// The machine it ran on, as it is to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The runs, at most one for each role.
    pub runs: Vec<Run>,
}

/// The program that made a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The suite that judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Suite {
    /// Its name, such as `Autobahn TestSuite`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// A program by name and version.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
        }
    }
}

impl Suite {
    /// A suite by name and version.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
        }
    }
}

impl Record {
    /// A record without runs.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA,
            title: title.into(),
            tool: None,
            suite: None,
            started: None,
            host: None,
            runs: Vec::new(),
        }
    }

    /// Adds a run, merging it into the one of the same role if there is one.
    ///
    /// # Errors
    ///
    /// As for [`Run::merge`]; then the record is unchanged.
    pub fn add(&mut self, run: Run) -> Result<(), MergeError> {
        match self.runs.iter_mut().find(|known| known.role == run.role) {
            Some(known) => known.merge(run),
            None => {
                self.runs.push(run);
                Ok(())
            }
        }
    }

    /// The record as JSON, indented, with a line end.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("a record holds text, numbers and maps with text keys only");
        json.push('\n');
        json
    }

    /// Reads what [`Record::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// If the text is no JSON of a record, or of a schema this version does not know.
    pub fn from_json(json: &str) -> Result<Self, RecordError> {
        // The version first: a later schema may not fit the fields of this one.
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        let Version { schema } = serde_json::from_str(json).map_err(RecordError::malformed)?;
        if schema != SCHEMA {
            return Err(RecordError::UnknownSchema { schema });
        }
        serde_json::from_str(json).map_err(RecordError::malformed)
    }
}

/// Why a text is not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// Not JSON, or not of a record.
    #[non_exhaustive]
    Malformed {
        /// What is wrong and where.
        reason: String,
    },
    /// Written by a version with another schema.
    #[non_exhaustive]
    UnknownSchema {
        /// The schema of the text.
        schema: u32,
    },
}

impl RecordError {
    fn malformed(error: serde_json::Error) -> Self {
        Self::Malformed {
            reason: error.to_string(),
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { reason } => write!(f, "this is not a record of results: {reason}"),
            Self::UnknownSchema { schema } => write!(
                f,
                "this record has schema {schema}, and this version reads schema {SCHEMA}: use the \
                 version that wrote it"
            ),
        }
    }
}

impl Error for RecordError {}
