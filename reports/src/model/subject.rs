//! A run: subjects in one role, each with its results.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseId, CloseVerdict, Detail, Standing, Verdict};

/// Which endpoint of the connection the subject was.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 knows two roles")]
pub enum Role {
    /// The subject accepted the connections, the suite was the client.
    Server,
    /// The subject opened the connections, the suite was the server.
    Client,
}

impl Role {
    /// `server` or `client`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The results of one or more subjects in one role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Run {
    /// The role of the subjects.
    pub role: Role,
    /// The subjects, in the order they are shown.
    pub subjects: Vec<Subject>,
}

impl Run {
    /// A run without subjects.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            subjects: Vec::new(),
        }
    }

    /// The subject of this name.
    pub fn subject(&self, name: &str) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.name == name)
    }

    /// Marks, for each subject, every case of `ids` without a result as [`Verdict::Missing`].
    pub fn expect_cases(&mut self, ids: &[CaseId]) {
        for subject in &mut self.subjects {
            subject.expect_cases(ids);
        }
    }
}

/// One implementation under test, and what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Subject {
    /// Its name: Autobahn's agent.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The language it is written in, or for: `Python`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where to read about it, an URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Its results, in the order of the case ids. The key is the id of the result.
    pub results: BTreeMap<CaseId, CaseResult>,
}

impl Subject {
    /// A subject without results.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: None,
            language: None,
            homepage: None,
            results: BTreeMap::new(),
        }
    }

    /// Adds a result, and returns the one it replaced.
    pub fn insert(&mut self, result: CaseResult) -> Option<CaseResult> {
        self.results.insert(result.id.clone(), result)
    }

    /// Marks every case of `ids` that has no result as [`Verdict::Missing`].
    pub fn expect_cases(&mut self, ids: &[CaseId]) {
        for id in ids {
            self.results
                .entry(id.clone())
                .or_insert_with(|| CaseResult::missing(id.clone()));
        }
    }
}

/// What one subject did in one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct CaseResult {
    /// The case.
    pub id: CaseId,
    /// A short name of the case, where the suite has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the case does, as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the subject is expected to do, as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectation: Option<String>,
    /// How the subject behaved.
    pub verdict: Verdict,
    /// How the connection ended.
    pub close_verdict: CloseVerdict,
    /// How long the case took, in milliseconds.
    pub duration_ms: u64,
    /// The close code the subject sent, if it sent one.
    pub remote_close_code: Option<u16>,
    /// Why this result is as expected though it is not fully right: a known deviation of the
    /// subject or a known defect of the suite. It changes no verdict and no standing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// What was seen, where that was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// The text of the Autobahn case file this result came from, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbatim: Option<String>,
}

impl CaseResult {
    /// A result with its two verdicts; the rest is to be filled in.
    pub fn new(id: CaseId, verdict: Verdict, close_verdict: CloseVerdict) -> Self {
        Self {
            id,
            title: None,
            description: None,
            expectation: None,
            verdict,
            close_verdict,
            duration_ms: 0,
            remote_close_code: None,
            accepted: None,
            detail: None,
            verbatim: None,
        }
    }

    /// The entry of a case that was expected but not run.
    pub fn missing(id: CaseId) -> Self {
        Self::new(id, Verdict::Missing, CloseVerdict::Missing)
    }

    /// Whether the case was expected but not run.
    pub fn is_missing(&self) -> bool {
        self.verdict == Verdict::Missing
    }

    /// What both verdicts together mean for the subject.
    pub fn standing(&self) -> Standing {
        self.verdict.standing().max(self.close_verdict.standing())
    }
}
