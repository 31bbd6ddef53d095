//! The extended form of values that are not ASCII (RFC 8187 §3.2): `UTF-8''J%C3%A4s%C3%B8n`.

use cloverleaf_proto::handshake::percent_decode;

/// RFC 8187 §3.2.1, attr-char: a tchar, but for `*`, `'` and `%`.
const fn is_attr_char(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

pub(super) fn encode(text: &str) -> String {
    let mut written = "UTF-8''".to_owned();
    for octet in text.bytes() {
        if is_attr_char(octet) {
            written.push(char::from(octet));
        } else {
            written.push_str(&format!("%{octet:02X}"));
        }
    }
    written
}

/// The text, if it is of the one charset that RFC 8187 §3.2.1 still has. The language is passed
/// over.
pub(super) fn decode(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |octet| *octet == b'\'');
    let (charset, language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let is_language = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
    if !charset.eq_ignore_ascii_case(b"UTF-8") || !language.iter().all(is_language) {
        return None;
    }
    let is_written = |octet: &u8| *octet == b'%' || is_attr_char(*octet);
    let octets = text
        .iter()
        .all(is_written)
        .then(|| percent_decode(text))??;
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_standards_example_is_written_and_read() {
        let written = "UTF-8''J%C3%A4s%C3%B8n%20Doe";
        assert_eq!(encode("J\u{e4}s\u{f8}n Doe"), written);
        assert_eq!(
            decode(written.as_bytes()).as_deref(),
            Some("J\u{e4}s\u{f8}n Doe")
        );
    }

    #[test]
    fn what_is_read() {
        for (value, text) in [
            ("utf-8''a", Some("a")),
            ("UTF-8'en-GB'%41%c3%a4", Some("A\u{e4}")),
            ("UTF-8''", Some("")),
            ("UTF-8'a", None),
            ("UTF-8", None),
            ("", None),
            ("ISO-8859-1''%e4", None),
            ("UTF-8'e n'a", None),
            ("UTF-8''a b", None),
            ("UTF-8''a'b", None),
            ("UTF-8''%", None),
            ("UTF-8''%4", None),
            ("UTF-8''%+4", None),
            ("UTF-8''%4g", None),
            ("UTF-8''%ff", None),
            ("UTF-8''\u{e4}", None),
        ] {
            assert_eq!(decode(value.as_bytes()).as_deref(), text, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_text_survives(text in ".*") {
            proptest::prop_assert_eq!(decode(encode(&text).as_bytes()), Some(text));
        }
    }
}
