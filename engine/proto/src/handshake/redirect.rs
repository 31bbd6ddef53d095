//! Going where a server sends us (RFC 9110 §15.4).

use http::header::{AUTHORIZATION, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION};
use http::{HeaderMap, StatusCode, Uri};

use super::{ClientRequest, RequestError};
use crate::http::only;

/// What was said to one origin and is no business of another.
const OF_ONE_ORIGIN: [http::HeaderName; 4] = [AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION];

impl ClientRequest {
    /// The request that an answer sends us on with: 301, 302, 303, 307 and 308 with a `Location`;
    /// `None` for any other answer. RFC 6455 §4.1 leaves it to the client whether to follow; a browser
    /// does not.
    ///
    /// To another scheme, host or port, `Authorization`, `Cookie`, `Host` and `Proxy-Authorization` are
    /// left behind. A user and password in the `Location` are ignored, and those of this request stay
    /// with its origin.
    ///
    /// # Errors
    ///
    /// A place that is none, or that leads from `wss` to `ws`.
    pub fn redirected(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, RequestError> {
        let follows = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
        if !follows || !headers.contains_key(LOCATION) {
            return Ok(None);
        }
        let place = only(headers, LOCATION).and_then(|place| place.to_str().ok());
        let place = place.ok_or(RequestError::Redirect("its Location is not one URI"))?;
        let target = Self::new(&resolve(self.uri(), place))
            .map_err(|_| RequestError::Redirect("its Location is no URI of a WebSocket"))?;
        if self.is_secure() && !target.is_secure() {
            return Err(RequestError::Redirect("it leads from wss to ws"));
        }
        let is_same = self.is_same_origin(&target);
        let mut request = self.clone().to(target);
        request.userinfo = self.userinfo.clone().filter(|_| is_same);
        if !is_same {
            for name in OF_ONE_ORIGIN {
                request.headers.remove(name);
            }
        }
        Ok(Some(request))
    }

    /// Whether both are for the same scheme, host and port (RFC 6454 §5).
    #[must_use]
    pub fn is_same_origin(&self, other: &Self) -> bool {
        (self.is_secure(), self.port()) == (other.is_secure(), other.port())
            && self.host().eq_ignore_ascii_case(other.host())
    }
}

/// A reference against a base, which has a scheme and an authority (RFC 3986 §5.2.2), without the
/// fragment.
fn resolve(base: &Uri, reference: &str) -> String {
    let reference = reference.split('#').next().unwrap_or_default();
    if has_scheme(reference) {
        return reference.to_owned();
    }
    let scheme = base.scheme_str().unwrap_or_default();
    if reference.starts_with("//") {
        return format!("{scheme}:{reference}");
    }
    let authority = base.authority().map_or("", http::uri::Authority::as_str);
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    let (path, query) = match path {
        "" => (base.path().to_owned(), query.or_else(|| base.query())),
        _ if path.starts_with('/') => (without_dots(path), query),
        _ => {
            // §5.2.3: behind the last slash of the base.
            let folder = base.path().rfind('/').map_or(0, |slash| slash + 1);
            let merged = format!("{}{path}", &base.path()[..folder]);
            (without_dots(&merged), query)
        }
    };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{authority}{path}{query}")
}

/// RFC 3986 §3.1.
fn has_scheme(reference: &str) -> bool {
    let end = reference.find([':', '/', '?']).unwrap_or(reference.len());
    let (scheme, rest) = reference.split_at(end);
    rest.starts_with(':')
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
}

/// An absolute path without `.` and `..` (RFC 3986 §5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn redirected(from: &str, status: u16, location: &str) -> Result<Option<String>, RequestError> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_str(location).unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        let request = ClientRequest::new(from).unwrap();
        let redirected = request.redirected(status, &headers)?;
        Ok(redirected.map(|request| request.uri().to_string()))
    }

    // RFC 3986 §5.4, with a base and references of our scheme.
    #[test]
    fn references_are_resolved_as_the_standard_shows() {
        for (reference, expected) in [
            ("ws://g/h", "ws://g/h"),
            ("g", "ws://a/b/c/g"),
            ("./g", "ws://a/b/c/g"),
            ("g/", "ws://a/b/c/g/"),
            ("/g", "ws://a/g"),
            ("//g", "ws://g"),
            ("?y", "ws://a/b/c/d;p?y"),
            ("g?y", "ws://a/b/c/g?y"),
            ("#s", "ws://a/b/c/d;p?q"),
            ("g#s", "ws://a/b/c/g"),
            ("g?y#s", "ws://a/b/c/g?y"),
            (";x", "ws://a/b/c/;x"),
            ("g;x", "ws://a/b/c/g;x"),
            ("", "ws://a/b/c/d;p?q"),
            (".", "ws://a/b/c/"),
            ("./", "ws://a/b/c/"),
            ("..", "ws://a/b/"),
            ("../", "ws://a/b/"),
            ("../g", "ws://a/b/g"),
            ("../..", "ws://a/"),
            ("../../g", "ws://a/g"),
            ("../../../g", "ws://a/g"),
            ("../../../../g", "ws://a/g"),
            ("/./g", "ws://a/g"),
            ("/../g", "ws://a/g"),
            ("g.", "ws://a/b/c/g."),
            (".g", "ws://a/b/c/.g"),
            ("..g", "ws://a/b/c/..g"),
            ("./../g", "ws://a/b/g"),
            ("./g/.", "ws://a/b/c/g/"),
            ("g/./h", "ws://a/b/c/g/h"),
            ("g/../h", "ws://a/b/c/h"),
            ("g;x=1/../y", "ws://a/b/c/y"),
            ("g?y/../x", "ws://a/b/c/g?y/../x"),
            ("g?y:z", "ws://a/b/c/g?y:z"),
        ] {
            let base = Uri::from_static("ws://a/b/c/d;p?q");
            assert_eq!(resolve(&base, reference), expected, "{reference:?}");
        }
    }

    #[test]
    fn five_statuses_redirect_and_only_towards_more_security() {
        for status in [301, 302, 303, 307, 308] {
            let to = redirected("ws://a/old", status, "wss://b/new");
            assert_eq!(to, Ok(Some("wss://b/new".to_owned())), "{status}");
        }
        for status in [200, 300, 304, 305, 306, 400, 401] {
            assert_eq!(redirected("ws://a/", status, "ws://b/"), Ok(None));
        }
        assert_eq!(
            redirected("ws://a/old", 302, "https://a/new"),
            Ok(Some("wss://a/new".to_owned()))
        );
        for (from, to) in [
            ("wss://a/", "ws://a/"),
            ("wss://a/", "http://a/"),
            ("ws://a/", "ftp://a/"),
            ("ws://a/", "ws:///"),
            ("ws://a/", "mailto:me"),
            ("ws://a/", "ws://a:0/"),
        ] {
            let error = redirected(from, 302, to).expect_err(to);
            assert!(matches!(error, RequestError::Redirect(_)), "{error}");
        }
    }

    // C10: B10.
    #[test]
    fn what_was_said_to_one_origin_is_not_said_to_another() {
        let mut request = ClientRequest::new("ws://me:pw@a/").unwrap();
        let mut secrets = HeaderMap::new();
        for name in OF_ONE_ORIGIN {
            secrets.insert(name, HeaderValue::from_static("secret"));
        }
        secrets.insert("x-room", HeaderValue::from_static("7"));
        request.replace_headers(&secrets).unwrap();
        for (location, same) in [
            ("/b", true),
            ("ws://A:80/b", true),
            ("ws://other:pw@a/b", true),
            ("ws://b/", false),
            ("ws://a:81/", false),
            ("wss://a/", false),
            ("//b:80/", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_static(location));
            let next = request.redirected(StatusCode::FOUND, &headers);
            let next = next.unwrap().unwrap();
            assert_eq!(next.userinfo(), same.then_some("me:pw"), "{location}");
            for name in OF_ONE_ORIGIN {
                assert_eq!(next.headers.contains_key(&name), same, "{location} {name}");
            }
            assert_eq!(next.headers["x-room"], "7");
        }
        let mut twice = HeaderMap::new();
        twice.append(LOCATION, HeaderValue::from_static("/a"));
        twice.append(LOCATION, HeaderValue::from_static("/b"));
        assert!(request.redirected(StatusCode::FOUND, &twice).is_err());
    }
}
