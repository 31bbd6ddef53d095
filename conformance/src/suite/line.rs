//! What a judge prints, line by line.

use cloverleaf_reports::{CaseId, CloseVerdict, Verdict};
use serde::Deserialize;

/// A line that means something; all others are only logged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Line {
    /// The judge, as a server, accepts connections on this port.
    Listening(u16),
    /// A case begins.
    Running(CaseId),
    /// A case is judged.
    Judged(CaseId, Verdict, CloseVerdict),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Judged {
    id: CaseId,
    behavior: Verdict,
    behavior_close: CloseVerdict,
}

impl Line {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        if let Some(port) = line.strip_prefix("@listening ") {
            return Some(Self::Listening(port.parse().ok()?));
        }
        if let Some(json) = line.strip_prefix("@verdict ") {
            let judged: Judged = serde_json::from_str(json).ok()?;
            return Some(Self::Judged(
                judged.id,
                judged.behavior,
                judged.behavior_close,
            ));
        }
        let rest = line.strip_prefix("Running test case ID ")?;
        Some(Self::Running(rest.split(' ').next()?.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_is_understood_and_the_rest_is_not() {
        let id = |text: &str| text.parse().expect("an id");
        for (line, meaning) in [
            ("@listening 33147", Some(Line::Listening(33147))),
            (
                "Running test case ID 6.4.1 for agent X from peer tcp4:127.0.0.1:1",
                Some(Line::Running(id("6.4.1"))),
            ),
            ("Running test case ID 2.10", Some(Line::Running(id("2.10")))),
            (
                r#"@verdict {"behavior": "NON-STRICT", "behaviorClose": "WRONG CODE", "id": "6.4.1"}"#,
                Some(Line::Judged(
                    id("6.4.1"),
                    Verdict::NonStrict,
                    CloseVerdict::WrongCode,
                )),
            ),
            ("@listening", None),
            ("@listening 70000", None),
            ("@verdict {}", None),
            ("@verdict", None),
            ("Running test case ID ", None),
            ("Ok, will run 20 test cases", None),
            ("", None),
        ] {
            assert_eq!(Line::parse(line), meaning, "{line}");
        }
    }
}
