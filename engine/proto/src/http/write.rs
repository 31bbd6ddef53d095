//! Header lines as they leave us.

use http::{HeaderMap, HeaderName};

/// Appends `Name: value` and CRLF.
pub(crate) fn header_line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends all headers that `wanted` lets through, their names as people write them: they have no
/// case (RFC 9110 §5.1), but software that believes otherwise exists.
pub(crate) fn header_lines(
    out: &mut Vec<u8>,
    headers: &HeaderMap,
    wanted: impl Fn(&HeaderName) -> bool,
) {
    for (name, value) in headers.iter().filter(|(name, _)| wanted(name)) {
        header_line(out, &capitalized(name.as_str()), value.as_bytes());
    }
}

/// Appends the empty line.
pub(crate) fn end_head(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

fn capitalized(name: &str) -> String {
    let mut at_start = true;
    let name: String = name
        .chars()
        .map(|letter| {
            let written = if at_start {
                letter.to_ascii_uppercase()
            } else {
                letter
            };
            at_start = letter == '-';
            written
        })
        .collect();
    name.replace("Websocket", "WebSocket")
        .replace("Www-", "WWW-")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn names_are_capitalized_and_values_are_not_touched() {
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a=b"));
        headers.append("set-cookie", HeaderValue::from_static("c=D"));
        headers.append("x", HeaderValue::from_static(""));
        let mut out = Vec::new();
        header_lines(&mut out, &headers, |name| *name != "x");
        end_head(&mut out);
        assert_eq!(out, b"Set-Cookie: a=b\r\nSet-Cookie: c=D\r\n\r\n");
    }
}
