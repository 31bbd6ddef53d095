//! Which web pages may open connections (RFC 6455 §10.2, RFC 6454).

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue};

use super::Rejection;
use crate::http::{HostPort, only};

/// Which origins may open connections.
///
/// A browser attaches a user's cookies to every WebSocket, whichever page opened it, and names that
/// page's origin. So a server that knows its users by cookies must look at it. A request without
/// `Origin` comes from no browser and passes every policy.
///
/// For any other rule, choose `Any` and write a [`RequestGuard`](super::RequestGuard).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginPolicy {
    /// The host and port that the request is for, of scheme `http` or `https`. A port that is the
    /// scheme's default may be left out on either side.
    #[default]
    SameHost,
    /// All of them, `null` included.
    Any,
    /// These, such as `https://example.com`, `https://example.com:8443` or `null`. Without case.
    List(Vec<String>),
}

impl OriginPolicy {
    /// Decides on the headers of a request.
    ///
    /// # Errors
    ///
    /// 403, or 400 if `Origin` stands more than once.
    pub fn check(&self, headers: &HeaderMap, tls: bool) -> Result<(), Rejection> {
        if *self == Self::Any || !headers.contains_key(ORIGIN) {
            return Ok(());
        }
        let Some(origin) = only(headers, ORIGIN).map(HeaderValue::as_bytes) else {
            return Err(Rejection::bad_request("Origin stands more than once"));
        };
        let allowed = match self {
            Self::Any => true,
            Self::SameHost => {
                only(headers, HOST).is_some_and(|host| is_own_origin(origin, host.as_bytes(), tls))
            }
            Self::List(list) => list.iter().any(|entry| is_same(origin, entry.as_bytes())),
        };
        if allowed {
            Ok(())
        } else {
            Err(Rejection::forbidden("this origin may not connect here"))
        }
    }
}

fn is_own_origin(origin: &[u8], host: &[u8], tls: bool) -> bool {
    let (Some(origin), Some(host)) = (Origin::parse(origin), HostPort::parse(host)) else {
        return false;
    };
    // A page without TLS must not speak for a server with TLS: whoever sits on the wire wrote it.
    (origin.is_https || !tls) && origin.host.is_same(host, origin.default_port())
}

fn is_same(origin: &[u8], entry: &[u8]) -> bool {
    if origin.eq_ignore_ascii_case(entry) {
        return true;
    }
    match (Origin::parse(origin), Origin::parse(entry)) {
        (Some(a), Some(b)) => a.is_https == b.is_https && a.host.is_same(b.host, a.default_port()),
        _ => false,
    }
}

/// A serialized origin of the web (RFC 6454 §6.2): scheme, host and port, and nothing behind.
struct Origin<'a> {
    is_https: bool,
    host: HostPort<'a>,
}

impl<'a> Origin<'a> {
    fn parse(origin: &'a [u8]) -> Option<Self> {
        let colon = origin.iter().position(|octet| *octet == b':')?;
        let (scheme, rest) = origin.split_at(colon);
        let is_https = scheme.eq_ignore_ascii_case(b"https");
        if !is_https && !scheme.eq_ignore_ascii_case(b"http") {
            return None;
        }
        let host = HostPort::parse(rest.strip_prefix(b"://")?)?;
        Some(Self { is_https, host })
    }

    const fn default_port(&self) -> u16 {
        if self.is_https { 443 } else { 80 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: &OriginPolicy, host: &str, origin: &str, tls: bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        policy.check(&headers, tls).is_ok()
    }

    // H23.
    #[test]
    fn our_own_origin_in_all_its_spellings_and_no_other() {
        for (host, origin) in [
            ("good.example", "https://good.example"),
            ("good.example", "http://good.example"),
            ("good.example", "https://good.example:443"),
            ("good.example:443", "https://good.example"),
            ("good.example:80", "http://good.example"),
            ("GOOD.example", "HTTPS://good.EXAMPLE"),
            ("good.example:9001", "http://good.example:9001"),
            ("[::1]:9001", "http://[::1]:9001"),
            ("xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ] {
            assert!(
                allows(&OriginPolicy::SameHost, host, origin, false),
                "{host} {origin}"
            );
        }
        for (host, origin) in [
            ("good.example", "https://other.example"),
            ("good.example", "null"),
            ("good.example", ""),
            ("good.example", "good.example"),
            ("good.example", "https://good.example.evil.com"),
            ("good.example", "https://evilgood.example"),
            ("good.example", "https://evil.com/good.example"),
            ("good.example", "https://good.example/"),
            ("good.example", "https://user@good.example"),
            ("good.example", "https://good.example:80"),
            ("good.example", "http://good.example:443"),
            ("good.example:9001", "http://good.example"),
            ("good.example", "https:good.example"),
            ("good.example", "ftp://good.example"),
            ("b\u{fc}cher.example", "https://xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "https://bcher.example"),
        ] {
            assert!(
                !allows(&OriginPolicy::SameHost, host, origin, false),
                "{host} {origin}"
            );
        }
    }

    #[test]
    fn behind_tls_only_https_is_our_own() {
        let policy = OriginPolicy::SameHost;
        assert!(allows(
            &policy,
            "good.example",
            "https://good.example",
            true
        ));
        assert!(!allows(
            &policy,
            "good.example",
            "http://good.example",
            true
        ));
    }

    #[test]
    fn a_list_allows_what_stands_on_it() {
        let list = OriginPolicy::List(vec!["https://Good.example".to_owned(), "null".to_owned()]);
        for (origin, expected) in [
            ("https://good.example", true),
            ("https://good.example:443", true),
            ("null", true),
            ("http://good.example", false),
            ("https://good.example.evil.com", false),
            ("https://here.example", false),
        ] {
            assert_eq!(
                allows(&list, "here.example", origin, false),
                expected,
                "{origin}"
            );
        }
        assert!(allows(&OriginPolicy::Any, "here.example", "x", true));
    }

    #[test]
    fn without_an_origin_every_policy_is_content_and_with_two_none_but_any() {
        let mut headers = HeaderMap::new();
        let list = OriginPolicy::List(Vec::new());
        assert!(list.check(&headers, true).is_ok());
        for _ in 0..2 {
            headers.append(ORIGIN, HeaderValue::from_static("https://a.example"));
        }
        let status = |policy: &OriginPolicy| policy.check(&headers, true).map_err(|r| r.status());
        assert_eq!(status(&list), Err(http::StatusCode::BAD_REQUEST));
        assert_eq!(status(&OriginPolicy::Any), Ok(()));
    }
}
