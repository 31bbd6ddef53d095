//! The heads of the opening handshake, without what nobody else should read.

use crate::Options;

/// In place of what is left out.
const REDACTED: &[u8] = b"[redacted]";

/// Heads for a connection whose own were not shown: the least that a dissector takes for the opening
/// of a WebSocket connection (RFC 6455 §4.1, §4.2.2), with a key of zeros.
pub(crate) const MADE_REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\
    Host: 192.0.2.1\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";
pub(crate) const MADE_RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\
    \r\n";

/// A head as it may stand in the file.
pub(crate) fn redact(head: &[u8], options: &Options) -> Vec<u8> {
    if options.credentials {
        return head.to_vec();
    }
    let mut out = Vec::with_capacity(head.len());
    let mut lines = head.split_inclusive(|octet| *octet == b'\n');
    if let Some(first) = lines.next() {
        redact_query(first, &mut out);
    }
    let mut secret = false;
    for line in lines {
        // A line that begins with space continues the field before it (RFC 9112 §5.2).
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if !secret {
                out.extend_from_slice(line);
            }
            continue;
        }
        let colon = line.iter().position(|octet| *octet == b':');
        let name = &line[..colon.unwrap_or(0)];
        secret = options
            .redacted
            .iter()
            .any(|field| name.trim_ascii().eq_ignore_ascii_case(field.as_bytes()));
        if secret {
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(REDACTED);
            let end: &[u8] = if line.ends_with(b"\r\n") {
                b"\r\n"
            } else {
                b"\n"
            };
            out.extend_from_slice(end);
        } else {
            out.extend_from_slice(line);
        }
    }
    out
}

/// The first line: of a request's target, what stands behind the question mark is left out. A status
/// line has its phrase there and is not changed.
fn redact_query(line: &[u8], out: &mut Vec<u8>) {
    let question = line.iter().position(|octet| *octet == b'?');
    let Some(at) = question.filter(|_| !line.starts_with(b"HTTP/")) else {
        out.extend_from_slice(line);
        return;
    };
    let (target, query) = line.split_at(at + 1);
    let end = query.iter().position(u8::is_ascii_whitespace);
    out.extend_from_slice(target);
    out.extend_from_slice(REDACTED);
    out.extend_from_slice(&query[end.unwrap_or(query.len())..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"GET /chat?token=1&b=2 HTTP/1.1\r\nHost: a?b\r\n\
        authorization: Basic 1\r\nX-Plain: 1\r\n\tmore\r\nCOOKIE:  a=1;\r\n b=2\r\n\tc=3\r\n\
        Proxy-Authorization : x\r\nX-Token: 1\nSet-Cookie2: kept\r\n\r\n";

    #[test]
    fn credentials_and_the_query_are_left_out_and_nothing_else() {
        let options = Options::new().redact("X-TOKEN");
        let expected: &[u8] = b"GET /chat?[redacted] HTTP/1.1\r\nHost: a?b\r\n\
            authorization: [redacted]\r\nX-Plain: 1\r\n\tmore\r\nCOOKIE: [redacted]\r\n\
            Proxy-Authorization : [redacted]\r\nX-Token: [redacted]\nSet-Cookie2: kept\r\n\r\n";
        assert_eq!(
            redact(HEAD, &options).escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        assert_eq!(redact(HEAD, &options.keep_credentials()), HEAD);
    }

    #[test]
    fn an_answer_loses_its_cookies_and_keeps_its_phrase() {
        let head = b"HTTP/1.1 101 What?\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n";
        let expected =
            b"HTTP/1.1 101 What?\r\nSet-Cookie: [redacted]\r\nSet-Cookie: [redacted]\r\n\r\n";
        assert_eq!(redact(head, &Options::new()), expected);
    }

    #[test]
    fn heads_of_no_form_pass_as_they_are() {
        for head in [&b""[..], b"\r\n", b"x", b"no colon\r\nhere", b"\n\n \n"] {
            assert_eq!(redact(head, &Options::new()), head);
        }
        assert_eq!(redact(b"GET /?a", &Options::new()), b"GET /?[redacted]");
    }
}
