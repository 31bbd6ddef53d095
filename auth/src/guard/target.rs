//! Whether the `uri` of credentials designates the target of the request (RFC 7616 §3.4.6).

use http::header::HOST;

use cloverleaf_proto::handshake::Received;

/// Whether it is the same target: as it was sent, octet by octet, or, one of them in absolute form,
/// of the same host. Nothing is decoded: a client that writes it in two ways is refused.
pub(super) fn designates(uri: &str, received: &Received) -> bool {
    let Some(target) = target(&received.head) else {
        return false;
    };
    if uri == target {
        return true;
    }
    let host = received.request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    match (origin_form(uri, host), origin_form(target, host)) {
        (Some(uri), Some(target)) => uri == target,
        _ => false,
    }
}

/// The target of a request line: what stands between its first two spaces.
fn target(head: &[u8]) -> Option<&str> {
    core::str::from_utf8(head.split(|octet| *octet == b' ').nth(1)?).ok()
}

/// Path and query, of a target of this host.
fn origin_form<'a>(target: &'a str, host: &str) -> Option<std::borrow::Cow<'a, str>> {
    if target.starts_with('/') {
        return Some(target.into());
    }
    let (scheme, rest) = target.split_once("://")?;
    // RFC 6455 §3: with ws and wss it is the same resource; whether it is TLS, a proxy may know better
    // than we do.
    let port = match &*scheme.to_ascii_lowercase() {
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        _ => return None,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let without_port = |host: &str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
    if authority.is_empty() || without_port(authority) != without_port(host) {
        return None;
    }
    Some(match path.starts_with('/') {
        true => path.into(),
        false => format!("/{path}").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_absolute_form_of_a_target() {
        for (target, host, expected) in [
            ("/chat?a", "x", Some("/chat?a")),
            ("http://x/chat?a", "x", Some("/chat?a")),
            ("WS://X:80/chat", "x", Some("/chat")),
            ("wss://x/chat", "x:443", Some("/chat")),
            ("https://x:8443/chat", "x:8443", Some("/chat")),
            ("ws://x", "x", Some("/")),
            ("ws://x?a=/", "x", Some("/?a=/")),
            ("ws://[::1]:81/", "[::1]:81", Some("/")),
            ("ws://y/chat", "x", None),
            ("ws://x:81/chat", "x", None),
            ("ws://x:443/chat", "x", None),
            ("ws://u@x/chat", "x", None),
            ("ws:///chat", "", None),
            ("ftp://x/chat", "x", None),
            ("x/chat", "x", None),
            ("*", "x", None),
            ("", "x", None),
        ] {
            assert_eq!(origin_form(target, host).as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn the_target_of_a_request_line() {
        assert_eq!(target(b"GET /a?b HTTP/1.1\r\nHost: c\r\n"), Some("/a?b"));
        assert_eq!(target(b"GET"), None);
    }
}
