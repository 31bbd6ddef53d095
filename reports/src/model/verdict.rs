//! The two verdicts on a case, and what they mean for the subject.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the subject behaved: Autobahn's `behavior`.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum Verdict {
    /// As the standard asks.
    Ok,
    /// Allowed, but a stricter behaviour is possible, such as failing on invalid UTF-8 at once.
    NonStrict,
    /// The standard leaves it open: the case only shows what happens.
    Informational,
    /// The subject does not offer what the case needs, such as compression.
    Unimplemented,
    /// Against the standard.
    Failed,
    /// The case could not be judged: the suite itself, or the connection, broke.
    Error,
    /// The case was expected in the run but has no result.
    Missing,
    /// A word this version does not know, kept as it was written.
    Other(String),
}

impl Verdict {
    /// The word in Autobahn's files.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ok => "OK",
            Self::NonStrict => "NON-STRICT",
            Self::Informational => "INFORMATIONAL",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Failed => "FAILED",
            Self::Error => "ERROR",
            Self::Missing => "MISSING",
            Self::Other(word) => word,
        }
    }

    /// What this verdict alone means for the subject. An unknown word counts as a failure: nobody
    /// should pass by a word that nobody understood.
    pub fn standing(&self) -> Standing {
        match self {
            Self::Ok | Self::Informational => Standing::Pass,
            Self::NonStrict | Self::Unimplemented => Standing::Notes,
            Self::Failed | Self::Error | Self::Missing | Self::Other(_) => Standing::Fail,
        }
    }
}

impl From<&str> for Verdict {
    fn from(word: &str) -> Self {
        match word {
            "OK" => Self::Ok,
            "NON-STRICT" => Self::NonStrict,
            "INFORMATIONAL" => Self::Informational,
            "UNIMPLEMENTED" => Self::Unimplemented,
            "FAILED" => Self::Failed,
            "ERROR" => Self::Error,
            "MISSING" => Self::Missing,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<String> for Verdict {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<Verdict> for String {
    fn from(verdict: Verdict) -> Self {
        verdict.as_str().to_owned()
    }
}

impl FromStr for Verdict {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(Self::from(word))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How the connection ended: Autobahn's `behaviorClose`.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum CloseVerdict {
    /// As the standard asks.
    Ok,
    /// The standard leaves it open.
    Informational,
    /// The wrong side closed, or the connection was dropped without a closing handshake.
    Failed,
    /// A clean closing handshake was required and not seen.
    Unclean,
    /// The subject sent a close code that the case does not accept.
    WrongCode,
    /// The suite, being the client, had to drop the TCP connection itself: the standard asks the
    /// server to close first (RFC 6455 section 7.1.1, a SHOULD for the client to wait).
    FailedByClient,
    /// The case was not run.
    Missing,
    /// A word this version does not know, kept as it was written.
    Other(String),
}

impl CloseVerdict {
    /// The word in Autobahn's files.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ok => "OK",
            Self::Informational => "INFORMATIONAL",
            Self::Failed => "FAILED",
            Self::Unclean => "UNCLEAN",
            Self::WrongCode => "WRONG CODE",
            Self::FailedByClient => "FAILED BY CLIENT",
            Self::Missing => "MISSING",
            Self::Other(word) => word,
        }
    }

    /// What this verdict alone means for the subject; unknown words count as failures.
    pub fn standing(&self) -> Standing {
        match self {
            Self::Ok | Self::Informational => Standing::Pass,
            Self::FailedByClient => Standing::Notes,
            Self::Failed | Self::Unclean | Self::WrongCode | Self::Missing | Self::Other(_) => {
                Standing::Fail
            }
        }
    }
}

impl From<&str> for CloseVerdict {
    fn from(word: &str) -> Self {
        match word {
            "OK" => Self::Ok,
            "INFORMATIONAL" => Self::Informational,
            "FAILED" => Self::Failed,
            "UNCLEAN" => Self::Unclean,
            "WRONG CODE" => Self::WrongCode,
            "FAILED BY CLIENT" => Self::FailedByClient,
            "MISSING" => Self::Missing,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<String> for CloseVerdict {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<CloseVerdict> for String {
    fn from(verdict: CloseVerdict) -> Self {
        verdict.as_str().to_owned()
    }
}

impl FromStr for CloseVerdict {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(Self::from(word))
    }
}

impl fmt::Display for CloseVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one case, one subject or a whole record amounts to. Ordered from good to bad, so the
/// standing of many is the maximum of each.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::exhaustive_enums,
    reason = "three levels are the meaning of the type"
)]
pub enum Standing {
    /// Every case is OK or informational, and every connection ended as it should.
    Pass,
    /// Nothing is against the standard, but something is non-strict, not implemented, or left to
    /// the client to clean up.
    Notes,
    /// Something is against the standard, could not be judged, or was not run.
    Fail,
}

impl Standing {
    /// Nothing at all to remark.
    pub fn is_pass(self) -> bool {
        self == Self::Pass
    }

    /// Something is against the standard, could not be judged, or was not run.
    pub fn is_fail(self) -> bool {
        self == Self::Fail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_survives_reading_and_writing() {
        for word in [
            "OK",
            "NON-STRICT",
            "INFORMATIONAL",
            "UNIMPLEMENTED",
            "FAILED",
            "ERROR",
            "MISSING",
            "SOMETHING NEW",
            "",
        ] {
            assert_eq!(Verdict::from(word).as_str(), word);
        }
        for word in [
            "OK",
            "INFORMATIONAL",
            "FAILED",
            "UNCLEAN",
            "WRONG CODE",
            "FAILED BY CLIENT",
            "MISSING",
            "SOMETHING NEW",
        ] {
            assert_eq!(CloseVerdict::from(word).as_str(), word);
        }
    }

    #[test]
    fn a_word_nobody_knows_is_no_pass() {
        assert_eq!(Verdict::from("ok").standing(), Standing::Fail);
        assert_eq!(CloseVerdict::from("FINE").standing(), Standing::Fail);
    }

    #[test]
    fn the_worse_standing_is_the_greater() {
        assert!(Standing::Pass < Standing::Notes && Standing::Notes < Standing::Fail);
    }
}
