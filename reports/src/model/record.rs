//! The record of one conformance run.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MergeError, Run, group_title};

/// The version of the record's JSON form that this library writes and reads.
pub const SCHEMA: u32 = 1;

/// What one conformance run found: the input of every renderer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// What stands for this run in a history of runs, such as a release: `v0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What a reader must know of how it was measured, a sentence each: that cases which repeat
    /// messages sent a tenth of them, say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why the run is incomplete, a sentence each: a crash, a hang, an interruption. Empty if it
    /// is whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<String>,
    /// Titles of groups and sections of cases: `handshake`, `6`, `6.4`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sections: BTreeMap<String, String>,
    /// The runs, at most one for each role.
    pub runs: Vec<Run>,
}

/// The program that made a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The suite that judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
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
            label: None,
            notes: Vec::new(),
            troubles: Vec::new(),
            sections: BTreeMap::new(),
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

    /// Takes in another record: other subjects, other roles, or other cases of the same subjects.
    /// Of title, tool, suite, label and host its own stay where it has them; the earlier start
    /// counts; notes and troubles of both are kept.
    ///
    /// # Errors
    ///
    /// As for [`Run::merge`]; then the record is unchanged.
    pub fn merge(&mut self, other: Self) -> Result<(), MergeError> {
        let mut runs = self.runs.clone();
        for run in other.runs {
            match runs.iter_mut().find(|known| known.role == run.role) {
                Some(known) => known.merge(run)?,
                None => runs.push(run),
            }
        }
        self.runs = runs;
        self.tool = self.tool.take().or(other.tool);
        self.suite = self.suite.take().or(other.suite);
        self.host = self.host.take().or(other.host);
        self.label = self.label.take().or(other.label);
        self.started = self.started.take().into_iter().chain(other.started).min();
        for (known, new) in [
            (&mut self.notes, other.notes),
            (&mut self.troubles, other.troubles),
        ] {
            for sentence in new {
                if !known.contains(&sentence) {
                    known.push(sentence);
                }
            }
        }
        for (prefix, title) in other.sections {
            self.sections.entry(prefix).or_insert(title);
        }
        Ok(())
    }

    /// When the earliest of its cases began, if that was written down.
    pub fn first_case_started(&self) -> Option<String> {
        self.subjects()
            .flat_map(|(_, subject)| subject.results.values())
            .filter_map(|result| result.detail.as_ref()?.started.clone())
            .min()
    }

    /// The title of a group or section, as this record or Autobahn has it.
    pub fn section_title(&self, prefix: &str) -> Option<&str> {
        self.sections
            .get(prefix)
            .map(String::as_str)
            .or_else(|| group_title(prefix))
    }

    /// The record without what the cases say, what was seen on the wire, and the texts of files it
    /// came from: titles, verdicts, times and close codes, for a history of runs.
    #[must_use]
    pub fn without_details(mut self) -> Self {
        for run in &mut self.runs {
            for subject in &mut run.subjects {
                for result in subject.results.values_mut() {
                    result.description = None;
                    result.expectation = None;
                    result.detail = None;
                    result.verbatim = None;
                }
            }
        }
        self
    }

    /// The record as JSON on one line, with a line end: the record of many subjects is large enough.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string(self)
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
