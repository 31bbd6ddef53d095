//! What the heads of a logical opening handshake leave out.
//!
//! A channel is no upgrade of anything: its request has no `Upgrade`, no key and no version, and its
//! answer no `Upgrade` and no accept. The ordinary handshakes of [`crate::handshake`] want them, so
//! they are taken out here on the way to the carrier, and put back on the way from it.

use http::HeaderValue;

use crate::handshake::accept_key;

const LEFT_OUT: [&[u8]; 4] = [
    b"upgrade",
    b"sec-websocket-key",
    b"sec-websocket-version",
    b"sec-websocket-accept",
];

/// A key that is as good as any: it protects against caches and servers that speak HTTP alone, and
/// neither sees a channel.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

/// What a browser says of a page, and a page cannot: the host it talks to, its own origin, and the
/// cookies that it may not even see.
const VOUCHED: [&[u8]; 3] = [b"host", b"origin", b"cookie"];

/// Refuses a request that cannot be read.
pub(super) const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";

/// A head without what a channel leaves out. The content of a refusal, behind its head, stays as it
/// is.
pub(super) fn without_upgrade(head: &[u8]) -> Vec<u8> {
    let end = head.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, content) = head.split_at(end.map_or(head.len(), |end| end + 4));
    let mut out = lines(head, |name| !is_one_of(name, &LEFT_OUT));
    out.extend_from_slice(content);
    out
}

/// The fields of a physical request that every channel has in common. The host is the one that the
/// request has come to be for: its target or a trusted proxy may say another than its head.
pub(super) fn vouched(head: &[u8], host: Option<&HeaderValue>) -> Vec<u8> {
    let first = head.iter().position(|octet| *octet == b'\n');
    let mut fields = lines(head, |name| is_one_of(name, &VOUCHED[1..]));
    fields.drain(..first.map_or(head.len(), |end| end + 1));
    let host = host.map_or(&[][..], HeaderValue::as_bytes);
    [b"Host: ", host, b"\r\n", &fields].concat()
}

/// The request of a channel with those fields in place of its own. `None` if its target names a host
/// as well (RFC 9112 §3.2.2), or there is none.
pub(super) fn with_vouched(head: &[u8], vouched: &[u8]) -> Option<Vec<u8>> {
    let target = head.split(|octet| *octet == b' ').nth(1)?;
    if !target.starts_with(b"/") {
        return None;
    }
    let head = lines(head, |name| !is_one_of(name, &VOUCHED));
    Some(with(&head, vouched))
}

/// The first line and those that are wanted. Taken for a field, a first line that looks like one would
/// make room for another, which nobody has looked at.
fn lines(head: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len());
    for (at, line) in head.split_inclusive(|octet| *octet == b'\n').enumerate() {
        if at == 0 || wanted(line.split(|octet| *octet == b':').next().unwrap_or(line)) {
            out.extend_from_slice(line);
        }
    }
    out
}

fn is_one_of(name: &[u8], names: &[&[u8]]) -> bool {
    names.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// The request of a channel as an ordinary one. What must not be there is taken out before: there is
/// one of each.
pub(super) fn request(head: &[u8]) -> Vec<u8> {
    let fields =
        format!("Upgrade: websocket\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n");
    with(&without_upgrade(head), fields.as_bytes())
}

/// The answer to the request with this key as an ordinary one.
pub(super) fn response(head: &[u8], key: &[u8]) -> Vec<u8> {
    if !head.starts_with(b"HTTP/1.1 101") {
        return head.to_vec();
    }
    let accept = accept_key(key);
    let fields = format!("Upgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n");
    with(&without_upgrade(head), fields.as_bytes())
}

/// The head with these fields behind its first line.
fn with(head: &[u8], fields: &[u8]) -> Vec<u8> {
    let first = head
        .iter()
        .position(|octet| *octet == b'\n')
        .map_or(head.len(), |end| end + 1);
    let (line, rest) = head.split_at(first);
    [line, fields, rest].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nsec-websocket-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nX-Upgrade: stays\r\n\r\n";

    #[test]
    fn what_a_channel_leaves_out_is_taken_out_and_nothing_else() {
        let left: &[u8] =
            b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nX-Upgrade: stays\r\n\r\n";
        assert_eq!(without_upgrade(REQUEST), left);
        assert_eq!(without_upgrade(left), left);
        assert_eq!(without_upgrade(b""), b"");
        let refusal = b"HTTP/1.1 404 Not Found\r\n\r\nUpgrade: no\r\n";
        assert_eq!(without_upgrade(refusal), refusal);
    }

    #[test]
    fn a_request_becomes_an_ordinary_one_whatever_the_peer_put_into_it() {
        let ordinary = request(REQUEST);
        let text = String::from_utf8_lossy(&ordinary);
        assert_eq!(text.matches("Upgrade: websocket").count(), 1);
        assert_eq!(text.matches(KEY).count(), 1);
        assert!(!text.contains("dGhlIHNhbXBsZSBub25jZQ"));
        assert!(text.starts_with("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n"));
        assert!(text.ends_with("X-Upgrade: stays\r\n\r\n"));
    }

    #[test]
    fn what_a_browser_vouches_for_is_not_the_pages_to_say() {
        let physical =
            b"GET /mux HTTP/1.1\r\nHost: a\r\nX: y\r\nOrigin: http://a\r\nCookie: c=1\r\n\r\n";
        let vouched = vouched(physical, Some(&HeaderValue::from_static("b")));
        assert_eq!(vouched, b"Host: b\r\nOrigin: http://a\r\nCookie: c=1\r\n");
        let asked =
            b"GET /x HTTP/1.1\r\nhost: c\r\nORIGIN: http://b\r\nCookie: c=2\r\nY: z\r\n\r\n";
        let made: &[u8] =
            b"GET /x HTTP/1.1\r\nHost: b\r\nOrigin: http://a\r\nCookie: c=1\r\nY: z\r\n\r\n";
        assert_eq!(with_vouched(asked, &vouched).as_deref(), Some(made));
        for elsewhere in [
            &b"GET http://b/x HTTP/1.1\r\n\r\n"[..],
            b"GET",
            b"",
            b"GET * HTTP/1.1",
        ] {
            assert_eq!(with_vouched(elsewhere, &vouched), None);
        }
    }

    #[test]
    fn an_answer_is_completed_only_if_it_opens_the_channel() {
        let refused = b"HTTP/1.1 404 Not Found\r\n\r\n";
        assert_eq!(response(refused, b"k"), refused);
        let opened = response(b"HTTP/1.1 101 x\r\n\r\n", b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(
            opened,
            b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        );
    }
}
