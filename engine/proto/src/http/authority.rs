//! A host with its port, as in `Host` and in an origin (RFC 9110 §7.2, RFC 3986 §3.2).

use std::net::Ipv6Addr;

/// A host, perhaps with a port. Borrowed as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostPort<'a> {
    host: &'a str,
    /// `None` if there is none, or an empty one (RFC 3986 §3.2.3).
    port: Option<u16>,
}

/// The longest name of the DNS, in octets as text.
const MAX_NAME: usize = 255;

impl<'a> HostPort<'a> {
    /// Parses it. Names are letters, digits, `-`, `.`, `_` and `~`: what DNS and the ASCII form of
    /// international names need, and nothing that makes two parsers see two hosts.
    pub(crate) fn parse(octets: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(octets).ok()?;
        let (host, rest) = if let Some(inside) = text.strip_prefix('[') {
            let end = inside.find(']')?;
            inside[..end].parse::<Ipv6Addr>().ok()?;
            text.split_at(end + 2)
        } else {
            text.split_at(text.find(':').unwrap_or(text.len()))
        };
        let is_name = |host: &str| {
            host.bytes().all(
                |octet| matches!(octet, b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'),
            )
        };
        if host.is_empty() || host.len() > MAX_NAME {
            return None;
        }
        if !host.starts_with('[') && !is_name(host) {
            return None;
        }
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            None => return None,
            Some("") => None,
            // `u16::from_str` would let a plus sign pass.
            Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        Some(Self { host, port })
    }

    /// The port, or the default one of its scheme.
    pub(crate) fn port_or(self, default: u16) -> u16 {
        self.port.unwrap_or(default)
    }

    /// Whether both name the same host and port. Hosts have no case.
    pub(crate) fn is_same(self, other: Self, default_port: u16) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
            && self.port_or(default_port) == other.port_or(default_port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_port() {
        for (text, host, port) in [
            ("example.com", "example.com", None),
            ("Example.com:80", "Example.com", Some(80)),
            ("a_b-c.d~e", "a_b-c.d~e", None),
            ("127.0.0.1:9001", "127.0.0.1", Some(9001)),
            ("[::1]", "[::1]", None),
            ("[2001:db8::7]:8443", "[2001:db8::7]", Some(8443)),
            ("example.com:", "example.com", None),
        ] {
            assert_eq!(
                HostPort::parse(text.as_bytes()),
                Some(HostPort { host, port }),
                "{text}"
            );
        }
    }

    // H11, H09.
    #[test]
    fn what_is_no_host() {
        for text in [
            "",
            ":80",
            "a b",
            "a,b",
            "user@host",
            "a/b",
            "a:b",
            "a:+80",
            "a:65536",
            "a:80:80",
            "[::1",
            "[::1]x",
            "[]",
            "[1.2.3.4]",
            "::1",
            "a%41",
            "a?",
            "a#",
            "\u{e9}",
        ] {
            assert_eq!(HostPort::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(HostPort::parse(b"\xff"), None);
        assert!(HostPort::parse("a".repeat(255).as_bytes()).is_some());
        assert_eq!(HostPort::parse("a".repeat(300).as_bytes()), None);
    }

    #[test]
    fn a_default_port_is_no_port() {
        let parse = |text: &'static str| HostPort::parse(text.as_bytes()).expect("a host");
        assert!(parse("A.example").is_same(parse("a.EXAMPLE:443"), 443));
        assert!(!parse("a.example").is_same(parse("a.example:443"), 80));
        assert!(!parse("a.example").is_same(parse("a.example.com"), 80));
    }
}
