//! What proxies in front of a server say of a request's origin: `Forwarded` (RFC 7239), or
//! `X-Forwarded-For`, `-Proto` and `-Host`, which have no standard.
//!
//! Anybody can write these headers, and each proxy adds to what it got. So they are read from the
//! right, where the last proxy wrote: an entry counts if whoever wrote it is trusted, and the first
//! address that is not is the client's. What stands to its left is the client's own invention and
//! not looked at.
//!
//! What cannot be read is answered 400 and not passed over: else a client would choose, by a quote
//! that it leaves open, to appear under the address of the proxy.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Peer, Rejection, TrustedProxies};
use crate::http::{HostPort, is_token};

const FORWARDED: HeaderName = http::header::FORWARDED;
const X_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What trusted proxies say of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The client's address; with port 0 if they do not tell the port, `None` if they hide it.
    pub(super) address: Option<SocketAddr>,
    /// Whether the client came over TLS.
    pub(super) secure: Option<bool>,
    /// The host that the client asked for.
    pub(super) host: Option<HeaderValue>,
}

/// Reads what trusted proxies say; `None` if the request comes from nobody trusted, or says nothing.
pub(super) fn read(
    direct: &Peer,
    headers: &HeaderMap,
    trusted: &TrustedProxies,
) -> Result<Option<Said>, Rejection> {
    let Some(proxy) = direct.address.filter(|it| trusted.contains(it.ip())) else {
        return Ok(None);
    };
    let standard = headers.contains_key(FORWARDED);
    let other = [X_FOR, X_PROTO, X_HOST]
        .iter()
        .any(|name| headers.contains_key(name));
    match (standard, other) {
        (false, false) => Ok(None),
        (true, false) => read_standard(headers, trusted).map(Some),
        (false, true) => read_other(proxy, headers, trusted).map(Some),
        // A proxy writes one of them and passes on the other, which then is the client's own.
        (true, true) => Err(Rejection::bad_request(
            "both Forwarded and X-Forwarded-… are there; the proxy must remove the one that it does \
             not write",
        )),
    }
}

/// Who made a request, as the proxy says that got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Address(SocketAddr),
    /// `unknown`, or a name that only the proxy understands.
    Hidden,
}

impl Node {
    const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Hidden => None,
        }
    }

    /// Whether the entry to the left was written by somebody trusted.
    fn is_trusted(self, trusted: &TrustedProxies) -> bool {
        self.address()
            .is_some_and(|address| trusted.contains(address.ip()))
    }
}

fn read_standard(headers: &HeaderMap, trusted: &TrustedProxies) -> Result<Said, Rejection> {
    let mut elements = Vec::new();
    for line in headers.get_all(FORWARDED) {
        let text = line.to_str().map_err(|_| malformed("Forwarded"))?;
        parse_elements(text, &mut elements).ok_or_else(|| malformed("Forwarded"))?;
    }
    let mut last = (Node::Hidden, Element::default());
    for element in elements.into_iter().rev() {
        let node = match &element.node {
            Some(node) => parse_node(node).ok_or_else(|| malformed("Forwarded"))?,
            None => Node::Hidden,
        };
        last = (node, element);
        if !node.is_trusted(trusted) {
            break;
        }
    }
    let (node, element) = last;
    Ok(Said {
        address: node.address(),
        secure: element.proto.as_deref().map(secure).transpose()?,
        host: element.host.as_deref().map(host).transpose()?,
    })
}

fn read_other(
    proxy: SocketAddr,
    headers: &HeaderMap,
    trusted: &TrustedProxies,
) -> Result<Said, Rejection> {
    let nodes = elements(headers, &X_FOR)?;
    let mut address = Some(proxy);
    let mut at = None;
    for (i, node) in nodes.iter().enumerate().rev() {
        let node = parse_bare_node(node).ok_or_else(|| malformed("X-Forwarded-For"))?;
        address = node.address();
        at = Some(i);
        if !node.is_trusted(trusted) {
            break;
        }
    }
    // Proxies either add to these as well, or write over them: one value, or one for each address.
    let beside = |name: &HeaderName| -> Result<Option<String>, Rejection> {
        let mut values = elements(headers, name)?;
        match (values.len(), at) {
            (0, _) => Ok(None),
            (1, _) => Ok(values.pop()),
            (n, Some(at)) if n == nodes.len() => Ok(Some(values.swap_remove(at))),
            _ => Err(malformed(name.as_str())),
        }
    };
    Ok(Said {
        address,
        secure: beside(&X_PROTO)?.as_deref().map(secure).transpose()?,
        host: beside(&X_HOST)?.as_deref().map(host).transpose()?,
    })
}

/// The elements of all lines, empty ones included: positions count.
fn elements(headers: &HeaderMap, name: &HeaderName) -> Result<Vec<String>, Rejection> {
    let mut all = Vec::new();
    for line in headers.get_all(name) {
        let text = line.to_str().map_err(|_| malformed(name.as_str()))?;
        all.extend(text.split(',').map(|element| element.trim().to_owned()));
    }
    Ok(all)
}

fn malformed(name: &str) -> Rejection {
    Rejection::bad_request(format!("{name} of the proxy cannot be read"))
}

/// The scheme that the client used.
fn secure(scheme: &str) -> Result<bool, Rejection> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => Ok(true),
        "http" | "ws" => Ok(false),
        _ => Err(Rejection::bad_request(
            "the proxy names a scheme that is neither http nor https",
        )),
    }
}

fn host(host: &str) -> Result<HeaderValue, Rejection> {
    HostPort::parse(host.as_bytes())
        .and_then(|_| HeaderValue::from_str(host).ok())
        .ok_or_else(|| Rejection::bad_request("the proxy names a host that is none"))
}

/// What one proxy says (RFC 7239 §4). `by`, and parameters that are not known, are passed over.
#[derive(Debug, Default, PartialEq, Eq)]
struct Element {
    node: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

/// The elements of one line, behind those of the lines before. `None` if it breaks the grammar.
fn parse_elements(text: &str, elements: &mut Vec<Element>) -> Option<()> {
    let mut rest = text.trim_matches(WHITE);
    let mut element = Element::default();
    let mut names: Vec<String> = Vec::new();
    loop {
        // RFC 9110 §5.6.1: elements may be empty, and so may pairs.
        if !rest.is_empty() && !rest.starts_with([',', ';']) {
            let (name, behind) = rest.split_once('=')?;
            if !is_token(name.as_bytes()) {
                return None;
            }
            let (value, behind) = parse_value(behind)?;
            rest = behind.trim_start_matches(WHITE);
            let name = name.to_ascii_lowercase();
            // §4: each parameter once. Few, so that looking at each costs little.
            if names.len() == MAX_PAIRS || names.contains(&name) {
                return None;
            }
            match name.as_str() {
                "for" => element.node = Some(value),
                "proto" => element.proto = Some(value),
                "host" => element.host = Some(value),
                _ => {}
            }
            names.push(name);
        }
        let mut behind = rest.chars();
        match behind.next() {
            Some(';') => {}
            Some(',') | None => {
                if !names.is_empty() {
                    elements.push(core::mem::take(&mut element));
                    names.clear();
                }
                if rest.is_empty() {
                    return Some(());
                }
            }
            Some(_) => return None,
        }
        rest = behind.as_str().trim_start_matches(WHITE);
    }
}

/// So many parameters one proxy may write; the standard has four.
const MAX_PAIRS: usize = 16;

const WHITE: [char; 2] = [' ', '\t'];

/// A token or a quoted string (RFC 9110 §5.6.4), and what stands behind it.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text
            .find(|letter| [',', ';', ' ', '\t'].contains(&letter))
            .unwrap_or(text.len());
        let (token, behind) = text.split_at(end);
        return is_token(token.as_bytes()).then(|| (token.to_owned(), behind));
    };
    let mut value = String::new();
    let mut letters = quoted.chars();
    loop {
        match letters.next()? {
            '"' => return Some((value, letters.as_str())),
            '\\' => value.push(letters.next()?),
            letter => value.push(letter),
        }
    }
}

/// A node (RFC 7239 §6): `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`, `unknown`,
/// `_hidden`, with a port that may be hidden as well.
fn parse_node(text: &str) -> Option<Node> {
    let (name, port) = if text.starts_with('[') {
        let end = text.find(']')? + 1;
        match text.split_at(end) {
            (name, "") => (name, None),
            (name, port) => (name, Some(port.strip_prefix(':')?)),
        }
    } else {
        match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        }
    };
    let port = match port {
        None => 0,
        Some(port) if is_hidden(port) => 0,
        Some(port) if !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit()) => {
            port.parse().ok()?
        }
        Some(_) => return None,
    };
    if name.eq_ignore_ascii_case("unknown") || is_hidden(name) {
        return Some(Node::Hidden);
    }
    let inside = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let address = match inside {
        Some(inside) => IpAddr::V6(inside.parse::<Ipv6Addr>().ok()?),
        None => IpAddr::V4(name.parse().ok()?),
    };
    Some(Node::Address(SocketAddr::new(address.to_canonical(), port)))
}

/// `X-Forwarded-For` has IPv6 addresses without brackets as well.
fn parse_bare_node(text: &str) -> Option<Node> {
    match text.parse::<Ipv6Addr>() {
        Ok(address) => {
            let address = IpAddr::V6(address).to_canonical();
            Some(Node::Address(SocketAddr::new(address, 0)))
        }
        Err(_) => parse_node(text),
    }
}

/// An identifier that hides (RFC 7239 §6.3).
fn is_hidden(text: &str) -> bool {
    text.strip_prefix('_').is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"._-".contains(&octet))
    })
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;

    const PROXY: &str = "10.0.0.1:4000";

    fn trusted() -> TrustedProxies {
        "10.0.0.0/8, fd00::/8".parse().expect("a list")
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        headers
    }

    fn from(direct: &str, lines: &[(&str, &str)]) -> Result<Option<Said>, StatusCode> {
        let direct = Peer::at(direct.parse().expect("an address"));
        read(&direct, &headers(lines), &trusted()).map_err(|rejection| rejection.status())
    }

    fn standard(value: &str) -> Result<Option<Said>, StatusCode> {
        from(PROXY, &[("forwarded", value)])
    }

    fn said(address: &str, secure: Option<bool>, host: Option<&str>) -> Said {
        Said {
            address: (!address.is_empty()).then(|| address.parse().expect("an address")),
            secure,
            host: host.map(|host| HeaderValue::from_str(host).expect("a host")),
        }
    }

    // RFC 7239 §4 and §7.1, and its grammar.
    #[test]
    fn what_the_last_proxy_says_of_the_client() {
        for (value, expected) in [
            ("for=192.0.2.43", said("192.0.2.43:0", None, None)),
            ("For=192.0.2.43", said("192.0.2.43:0", None, None)),
            (
                "for=\"192.0.2.43:47011\"",
                said("192.0.2.43:47011", None, None),
            ),
            ("for=\"192.0.2.43:_x\"", said("192.0.2.43:0", None, None)),
            (
                "for=\"[2001:db8:cafe::17]:4711\"",
                said("[2001:db8:cafe::17]:4711", None, None),
            ),
            (
                "for=\"[2001:db8:cafe::17]\"",
                said("[2001:db8:cafe::17]:0", None, None),
            ),
            (
                "for=\"[::ffff:192.0.2.1]:5\"",
                said("192.0.2.1:5", None, None),
            ),
            ("for=\"19\\2.0.2.43\"", said("192.0.2.43:0", None, None)),
            (
                "for=192.0.2.60;proto=http;by=203.0.113.43",
                said("192.0.2.60:0", Some(false), None),
            ),
            (
                "proto=HTTPS ; for=192.0.2.60;host=\"a.example:8443\"; secret=x",
                said("192.0.2.60:0", Some(true), Some("a.example:8443")),
            ),
            ("for=unknown", said("", None, None)),
            ("for=Unknown;proto=https", said("", Some(true), None)),
            ("for=\"unknown:80\"", said("", None, None)),
            ("for=_gazonk", said("", None, None)),
            ("proto=https", said("", Some(true), None)),
            (";for=192.0.2.1;;", said("192.0.2.1:0", None, None)),
            (", for=192.0.2.1 ,", said("192.0.2.1:0", None, None)),
        ] {
            assert_eq!(standard(value), Ok(Some(expected)), "{value}");
        }
    }

    #[test]
    fn entries_count_from_the_right_until_one_is_not_of_a_trusted_proxy() {
        for (value, expected) in [
            // What the client has invented is not looked at.
            (
                "for=127.0.0.1;proto=https, for=192.0.2.43;proto=http",
                ("192.0.2.43:0", Some(false)),
            ),
            ("for=junk!, for=192.0.2.43", ("192.0.2.43:0", None)),
            (
                "for=192.0.2.43;proto=https, for=10.1.1.1;proto=http",
                ("192.0.2.43:0", Some(true)),
            ),
            (
                "for=198.51.100.1, for=192.0.2.43, for=\"[fd00::7]:80\", for=10.1.1.1",
                ("192.0.2.43:0", None),
            ),
            (
                "for=10.3.3.3;proto=https, for=10.2.2.2",
                ("10.3.3.3:0", Some(true)),
            ),
            ("for=192.0.2.1, for=_hidden, for=10.2.2.2", ("", None)),
            ("for=192.0.2.1, proto=https", ("", Some(true))),
        ] {
            let (address, secure) = expected;
            assert_eq!(
                standard(value),
                Ok(Some(said(address, secure, None))),
                "{value}"
            );
        }
        // Lines are one list.
        assert_eq!(
            from(
                PROXY,
                &[
                    ("forwarded", "for=192.0.2.1"),
                    ("forwarded", "for=10.1.1.1")
                ]
            ),
            Ok(Some(said("192.0.2.1:0", None, None)))
        );
    }

    #[test]
    fn what_breaks_the_grammar_is_answered_400() {
        for value in [
            "for",
            "for=",
            "=x",
            "for=192.0.2.1:80",
            "for=[::1]",
            "for=\"[::1\"",
            "for=\"[::1]80\"",
            "for=\"::1\"",
            "for=\"192.0.2.1",
            "for=\"192.0.2.1\\",
            // The quote is the client's, the rest the proxy's.
            "for=\", for=192.0.2.1",
            "for=\"192.0.2.1\"x",
            "for=192.0.2.1 proto=https",
            "for=192.0.2.1;for=10.0.0.9",
            "for=192.0.2.1;FOR=10.0.0.9",
            "for =192.0.2.1",
            "for= 192.0.2.1",
            "for=\"192.0.2.1:\"",
            "for=\"192.0.2.1:+80\"",
            "for=\"192.0.2.1:65536\"",
            "for=_",
            "for=\"_a b\"",
            "for=192.0.2",
            "for=example.com",
            "for=192.0.2.1;proto=ftp",
            "for=192.0.2.1;host=\"a b\"",
            "for=192.0.2.1;host=\"\"",
        ] {
            assert_eq!(standard(value), Err(StatusCode::BAD_REQUEST), "{value}");
        }
        let many: String = (0..17).map(|i| format!("x{i}=y;")).collect();
        assert_eq!(standard(&many), Err(StatusCode::BAD_REQUEST));
        let mut raw = HeaderMap::new();
        raw.append(
            FORWARDED,
            HeaderValue::from_bytes(b"for=\xff").expect("opaque"),
        );
        let direct = Peer::at(PROXY.parse().expect("an address"));
        assert!(read(&direct, &raw, &trusted()).is_err());
    }

    #[test]
    fn the_other_headers_are_read_from_the_right_as_well() {
        let read = |lines: &[(&str, &str)]| from(PROXY, lines);
        let (node, proto, host) = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host");
        for (lines, expected) in [
            (&[(node, "192.0.2.1")][..], said("192.0.2.1:0", None, None)),
            (&[(node, "192.0.2.1:99")], said("192.0.2.1:99", None, None)),
            (
                &[(node, "2001:db8::1")],
                said("[2001:db8::1]:0", None, None),
            ),
            (
                &[(node, "[2001:db8::1]:7")],
                said("[2001:db8::1]:7", None, None),
            ),
            (&[(node, "unknown")], said("", None, None)),
            (
                &[(node, "junk,,127.0.0.1, 192.0.2.1,10.1.1.1")],
                said("192.0.2.1:0", None, None),
            ),
            (
                &[(node, "127.0.0.1"), (node, "192.0.2.1")],
                said("192.0.2.1:0", None, None),
            ),
            (
                &[
                    (node, "9.9.9.9, 192.0.2.1"),
                    (proto, "https"),
                    (host, "a.example"),
                ],
                said("192.0.2.1:0", Some(true), Some("a.example")),
            ),
            (
                &[
                    (node, "9.9.9.9, 192.0.2.1, 10.1.1.1"),
                    (proto, "http, https,http"),
                ],
                said("192.0.2.1:0", Some(true), None),
            ),
            (&[(proto, "https")], said(PROXY, Some(true), None)),
        ] {
            assert_eq!(read(lines), Ok(Some(expected)), "{lines:?}");
        }
        for lines in [
            &[(node, "junk")][..],
            &[(node, "")],
            &[(node, "192.0.2.1, ")],
            &[(node, "junk, 10.1.1.1")],
            &[(node, "\"192.0.2.1\"")],
            &[(node, "192.0.2.1"), (proto, "http, https")],
            &[(proto, "http, https")],
            &[(node, "192.0.2.1"), (proto, "gopher")],
            &[(node, "192.0.2.1"), (host, "a, b")],
            &[(node, "192.0.2.1"), (host, "a/b")],
            // Of a proxy that writes one, the other is the client's.
            &[(node, "192.0.2.1"), ("forwarded", "for=127.0.0.1")],
            &[(proto, "https"), ("forwarded", "for=127.0.0.1")],
        ] {
            assert_eq!(read(lines), Err(StatusCode::BAD_REQUEST), "{lines:?}");
        }
    }

    #[test]
    fn who_is_not_trusted_says_nothing() {
        for lines in [
            &[("forwarded", "for=127.0.0.1;proto=https")][..],
            &[("x-forwarded-for", "127.0.0.1"), ("forwarded", "junk")],
        ] {
            assert_eq!(from("192.0.2.9:1", lines), Ok(None), "{lines:?}");
            let nobody = read(&Peer::default(), &headers(lines), &trusted());
            assert!(matches!(nobody, Ok(None)), "{lines:?}");
        }
        assert_eq!(from(PROXY, &[]), Ok(None));
        assert_eq!(
            from("[::ffff:10.0.0.1]:9", &[("forwarded", "for=192.0.2.1")]),
            Ok(Some(said("192.0.2.1:0", None, None)))
        );
    }

    proptest! {
        #[test]
        fn arbitrary_headers_never_panic(
            value in "[ -~]{0,80}",
            pairs in "((for|proto|host|by)=(\"?[\\[\\]0-9a-f.:_]{0,12}\"?)[;, ]{0,2}){0,6}",
        ) {
            for text in [&value, &pairs] {
                let _ = standard(text);
                let _ = from(PROXY, &[("x-forwarded-for", text), ("x-forwarded-proto", text)]);
            }
        }

        #[test]
        fn whatever_a_client_wrote_the_address_that_the_proxy_adds_is_the_one(
            invented in "[ -!#-\\[\\]-~]{0,40}",
        ) {
            let line = format!("{invented}, 192.0.2.1");
            let expected = Ok(Some(said("192.0.2.1:0", None, None)));
            prop_assert_eq!(from(PROXY, &[("x-forwarded-for", &line)]), expected);
        }
    }
}
