//! The versions of the protocol: the numbers of its drafts, and what they are in headers.

use serde_json::Value;

use super::error::Problem;
use super::reader::{Object, found, integer};

/// A draft of the WebSocket protocol, by its number; 18 stands for RFC 6455.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draft(u8);

impl Draft {
    /// RFC 6455.
    pub const RFC_6455: Self = Self(18);

    /// The draft of this number, from 10 on: those before have other frames.
    pub fn new(number: u8) -> Option<Self> {
        (10..=18).contains(&number).then_some(Self(number))
    }

    /// The draft's number, 10 to 18.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The value of `Sec-WebSocket-Version`: 8 for the drafts to 12, 13 from then on.
    pub fn header(self) -> u8 {
        if self.0 < 13 { 8 } else { 13 }
    }

    /// The header that carries the origin; it had another name up to draft 10.
    pub fn origin_header(self) -> &'static str {
        if self.0 > 10 {
            "Origin"
        } else {
            "Sec-WebSocket-Origin"
        }
    }
}

/// The field `version`.
pub(super) fn version(given: &Object<'_>) -> Result<Option<Draft>, Problem> {
    let must_be = "the number of a draft: 18 for RFC 6455 (13 to 18 send \
                   `Sec-WebSocket-Version: 13`, 10 to 12 send 8)";
    let Some(value) = given.field("version", must_be, Some)? else {
        return Ok(None);
    };
    let number = integer(value).and_then(|number| u8::try_from(number).ok());
    if let Some(draft) = number.and_then(Draft::new) {
        return Ok(Some(draft));
    }
    let found = match number {
        Some(0) => "0, the protocol of Hixie-76, which is not supported".to_owned(),
        Some(8) => "8, a value of that header; write 12".to_owned(),
        _ => found(value),
    };
    Err(Problem::Wrong {
        place: format!("`{}`", given.place("version")),
        must_be: must_be.to_owned(),
        found,
    })
}

/// The field `versions`.
pub(super) fn versions(given: &Object<'_>) -> Result<Option<Vec<u8>>, Problem> {
    let must_be = "a list of values of Sec-WebSocket-Version: [13], [8] or [8, 13]";
    let Some(list) = given.list("versions", must_be)? else {
        return Ok(None);
    };
    let wrong = |place: String, found: String| Problem::Wrong {
        place: format!("`{place}`"),
        must_be: must_be.to_owned(),
        found,
    };
    if list.is_empty() {
        return Err(wrong(given.place("versions"), "empty".to_owned()));
    }
    let one = |(at, value): (usize, &Value)| {
        let number = integer(value).and_then(|number| u8::try_from(number).ok());
        let found = match number {
            Some(header @ (8 | 13)) => return Ok(header),
            Some(0) => "0, the protocol of Hixie-76, which is not supported".to_owned(),
            Some(draft @ 10..=18) => format!(
                "{draft}, the number of a draft; write {}",
                Draft(draft).header()
            ),
            _ => found(value),
        };
        Err(wrong(format!("{}[{at}]", given.place("versions")), found))
    };
    list.iter()
        .enumerate()
        .map(one)
        .collect::<Result<_, _>>()
        .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::reader::parse_json;

    fn read<T>(
        json: &str,
        take: impl Fn(&Object<'_>) -> Result<Option<T>, Problem>,
    ) -> Result<Option<T>, String> {
        let value = parse_json(json).expect("JSON");
        let given = Object::new("options".to_owned(), &value).expect("an object");
        take(&given).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_draft_number_decides_on_the_headers() {
        for (number, header, origin) in [
            (10, 8, "Sec-WebSocket-Origin"),
            (11, 8, "Origin"),
            (12, 8, "Origin"),
            (13, 13, "Origin"),
            (17, 13, "Origin"),
            (18, 13, "Origin"),
        ] {
            let draft = read(&format!(r#"{{"version": {number}}}"#), version)
                .expect("a draft")
                .expect("given");
            assert_eq!(
                (draft.number(), draft.header(), draft.origin_header()),
                (number, header, origin)
            );
        }
        assert_eq!(read("{}", version), Ok(None));
        assert_eq!(Draft::RFC_6455.header(), 13);
    }

    #[test]
    fn what_is_no_draft_is_refused_with_what_to_write() {
        for (value, expected) in [
            (
                "0",
                "is 0, the protocol of Hixie-76, which is not supported",
            ),
            ("8", "is 8, a value of that header; write 12"),
            ("9", "but is 9"),
            ("19", "18 for RFC 6455"),
            ("274", "but is 274"), // 18 in its lowest eight bits
            ("13.5", "but is 13.5"),
            ("-13", "but is -13"),
            ("[13]", "but is a list"),
            ("\"13\"", "but is the text \"13\""),
        ] {
            let error = read(&format!(r#"{{"version": {value}}}"#), version).expect_err(value);
            assert!(
                error.starts_with("`options.version` must be the number of a draft"),
                "{error}"
            );
            assert!(error.contains(expected), "{value}: {error}");
        }
    }

    #[test]
    fn versions_are_values_of_the_header() {
        for (json, expected) in [
            ("{}", None),
            (r#"{"versions": [13]}"#, Some(vec![13])),
            (r#"{"versions": [13, 8.0]}"#, Some(vec![13, 8])),
        ] {
            assert_eq!(read(json, versions), Ok(expected), "{json}");
        }
        for (value, place, expected) in [
            ("13", "versions", "[13], [8] or [8, 13], but is 13"),
            ("[]", "versions", "but is empty"),
            ("[13, 0]", "versions[1]", "Hixie-76, which is not supported"),
            (
                "[0, 8, 13]",
                "versions[0]",
                "Hixie-76, which is not supported",
            ),
            ("[18]", "versions[0]", "18, the number of a draft; write 13"),
            ("[10]", "versions[0]", "10, the number of a draft; write 8"),
            ("[269]", "versions[0]", "but is 269"),
            ("[\"13\"]", "versions[0]", "but is the text \"13\""),
        ] {
            let error = read(&format!(r#"{{"versions": {value}}}"#), versions).expect_err(value);
            assert!(
                error.starts_with(&format!("`options.{place}` must")),
                "{error}"
            );
            assert!(error.contains(expected), "{value}: {error}");
        }
    }
}
