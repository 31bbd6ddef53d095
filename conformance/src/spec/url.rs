//! The URLs of spec files.

use std::fmt;

use super::error::shown;

/// A `ws` or `wss` URL, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WsUrl {
    text: String,
    secure: bool,
    host: String,
    port: u16,
    target: String,
}

impl WsUrl {
    /// Whether it is `wss`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host: a name or an address; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 80 or 443 if the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path and the query, as they go into the request line.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The whole URL as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Takes a URL apart, or says what it must be and what it is instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let why = |reason: &str| format!("\"{}\": {reason}", shown(text));
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| why("it does not begin with ws:// or wss://"))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" => false,
            "wss" => true,
            _ => return Err(why("its scheme is neither ws nor wss")),
        };
        if text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return Err(why("it contains a space; write %20"));
        }
        if !text.is_ascii() {
            return Err(why("it is not all ASCII; percent-encode the rest"));
        }
        if text.contains('#') {
            return Err(why("a WebSocket URL has no #fragment"));
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(why("it carries a user name, which nothing here uses"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (host, port) = bracketed
                    .split_once(']')
                    .ok_or_else(|| why("its bracket is not closed"))?;
                if host.parse::<std::net::Ipv6Addr>().is_err() {
                    return Err(why("what is in brackets is not an IPv6 address"));
                }
                (host, port)
            }
            None if authority.matches(':').count() > 1 => {
                return Err(why("an IPv6 address needs [brackets]"));
            }
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        if host.is_empty() {
            return Err(why("it names no host"));
        }
        let port = match (port.strip_prefix(':'), secure) {
            (Some(""), false) => 80,
            (Some(""), true) => 443,
            (Some(digits), _) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|&port| port > 0)
                .ok_or_else(|| why("its port is not from 1 to 65535"))?,
            (None, false) if port.is_empty() => 80,
            (None, true) if port.is_empty() => 443,
            _ => {
                return Err(why("its port is not a number"));
            }
        };
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        Ok(Self {
            text: text.to_owned(),
            secure,
            host: host.to_owned(),
            port,
            target,
        })
    }
}

impl fmt::Display for WsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart() {
        for (text, secure, host, port, target) in [
            ("ws://127.0.0.1:9001", false, "127.0.0.1", 9001, "/"),
            ("wss://example.org", true, "example.org", 443, "/"),
            ("ws://example.org/", false, "example.org", 80, "/"),
            ("WS://h:1/a/b?c=d%20e", false, "h", 1, "/a/b?c=d%20e"),
            ("ws://h?x", false, "h", 80, "/?x"),
            ("ws://h:/x", false, "h", 80, "/x"),
            ("wss://[::1]:9443/x", true, "::1", 9443, "/x"),
            ("ws://[::1]", false, "::1", 80, "/"),
        ] {
            let url = WsUrl::parse(text).expect(text);
            assert_eq!(
                (url.is_secure(), url.host(), url.port(), url.target()),
                (secure, host, port, target),
                "{text}"
            );
            assert_eq!(url.as_str(), text);
        }
    }

    #[test]
    fn what_is_no_websocket_url_is_refused_with_the_reason() {
        for (text, reason) in [
            ("127.0.0.1:9001", "does not begin with ws://"),
            ("http://localhost", "neither ws nor wss"),
            ("ws://", "names no host"),
            ("ws://:9001", "names no host"),
            ("ws://h:0", "from 1 to 65535"),
            ("ws://h:65536", "from 1 to 65535"),
            ("ws://h:+80", "not a number"),
            ("ws://h:http", "not a number"),
            ("ws://::1:9001", "[brackets]"),
            ("ws://[::1", "bracket is not closed"),
            ("ws://[::1]9001", "not a number"),
            ("ws://[name]", "not an IPv6 address"),
            ("ws://h/\u{e9}", "percent-encode"),
            ("ws://h/#top", "no #fragment"),
            ("ws://h/a b", "write %20"),
            ("ws://h/a\r\nX: y", "write %20"),
            ("ws://me@h/", "user name"),
        ] {
            let error = WsUrl::parse(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
