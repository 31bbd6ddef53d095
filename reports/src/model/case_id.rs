//! Case ids, in the order a person counts.

use std::cmp::Ordering;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::group_title;

/// The longest id taken, in bytes. Autobahn's longest is `6.22.34`.
const MAX_LENGTH: usize = 64;

/// The id of a case: parts separated by dots, such as `1.1.10` or `handshake.12`.
///
/// Ids are ordered part by part, numbers as numbers: `1.1.9` comes before `1.1.10`, and groups with
/// a number come before groups with a name. Ids are safe in file names and in anchors: letters,
/// digits, `-` and `_` only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct CaseId(String);

impl CaseId {
    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether Autobahn has it: its groups have numbers, those of other cases names.
    pub fn is_autobahn(&self) -> bool {
        group_title(self.group()).is_some()
    }

    /// The first part: `6` of `6.4.1`.
    pub fn group(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }

    /// The parts, first to last.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

impl Ord for CaseId {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut left = self.parts();
        let mut right = other.parts();
        loop {
            let by_part = match (left.next(), right.next()) {
                // `1.1` and `1.01` are different ids of equal number.
                (None, None) => return self.0.cmp(&other.0),
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(left), Some(right)) => compare_parts(left, right),
            };
            if by_part.is_ne() {
                return by_part;
            }
        }
    }
}

impl PartialOrd for CaseId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn compare_parts(left: &str, right: &str) -> Ordering {
    match (digits(left), digits(right)) {
        // Without leading zeros the longer number is the greater one, whatever its size.
        (Some(left), Some(right)) => left.len().cmp(&right.len()).then(left.cmp(right)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}

/// The significant digits of a part that is a number.
fn digits(part: &str) -> Option<&str> {
    let number = part.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| part.trim_start_matches('0'))
}

impl FromStr for CaseId {
    type Err = InvalidCaseId;

    fn from_str(text: &str) -> Result<Self, InvalidCaseId> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for CaseId {
    type Error = InvalidCaseId;

    fn try_from(text: String) -> Result<Self, InvalidCaseId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let valid = text.len() <= MAX_LENGTH
            && text
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(allowed));
        if valid {
            Ok(Self(text))
        } else {
            Err(InvalidCaseId { text })
        }
    }
}

impl From<CaseId> for String {
    fn from(id: CaseId) -> Self {
        id.0
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The text is not a case id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidCaseId {
    text: String,
}

impl fmt::Display for InvalidCaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.text.chars().take(MAX_LENGTH).collect();
        write!(
            f,
            "{shown:?} is not a case id: expected parts of letters, digits, - or _ separated by \
             dots, such as 1.1.10, at most {MAX_LENGTH} characters"
        )
    }
}

impl Error for InvalidCaseId {}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CaseId {
        text.parse().expect("a valid id")
    }

    #[test]
    fn ids_sort_as_a_person_counts() {
        let in_order = [
            "1.1.1",
            "1.1.2",
            "1.1.9",
            "1.1.10",
            "1.2",
            "1.2.1",
            "2.1",
            "2.10",
            "10.1.1",
            "99999999999999999999999999.1",
            "100000000000000000000000000.1",
            "close.3",
            "handshake.2",
            "handshake.12",
            "handshake.a",
        ];
        for (left, a) in in_order.iter().enumerate() {
            for (right, b) in in_order.iter().enumerate() {
                assert_eq!(id(a).cmp(&id(b)), left.cmp(&right), "{a} against {b}");
            }
        }
    }

    #[test]
    fn equal_numbers_written_differently_stay_different_ids() {
        assert_ne!(id("1.1").cmp(&id("1.01")), Ordering::Equal);
        assert_ne!(id("0.1").cmp(&id("00.1")), Ordering::Equal);
    }

    #[test]
    fn what_could_leave_a_file_name_or_an_anchor_is_not_an_id() {
        let long = "1".repeat(65);
        for text in [
            "", ".", "1.", ".1", "1..1", "../x", "1/2", "a b", "1.1\"", "é", &long,
        ] {
            assert!(text.parse::<CaseId>().is_err(), "{text:?}");
        }
        assert_eq!(id("handshake.12").group(), "handshake");
    }
}
