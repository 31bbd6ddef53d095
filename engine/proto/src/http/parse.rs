//! A whole head into its parts, with one run of the parser.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};

use super::HeadError;

/// The request of a head that ends with its empty line and has so many header lines.
pub(crate) fn parse_request(head: &[u8], headers: usize) -> Result<Request<()>, HeadError> {
    let head = as_http_1_1(head)?;
    let head = &*head;
    let mut lines = vec![httparse::EMPTY_HEADER; headers];
    let mut parsed = httparse::Request::new(&mut lines);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(end)) if end == head.len() => {}
        Ok(_) => return Err(HeadError::Malformed("the head is not one request")),
        Err(error) => return Err(malformed(error)),
    }
    let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
        return Err(HeadError::Malformed("the request line is incomplete"));
    };
    // RFC 6455 §3, RFC 9112 §3.2: a fragment never leaves the client. `Uri` would drop it silently.
    if target.contains('#') || !target.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(TARGET);
    }
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| METHOD)?;
    *request.uri_mut() = Uri::try_from(target).map_err(|_| TARGET)?;
    *request.headers_mut() = header_map(parsed.headers)?;
    Ok(request)
}

/// The response of a head that ends with its empty line and has so many header lines.
pub(crate) fn parse_response(head: &[u8], headers: usize) -> Result<Response<()>, HeadError> {
    let mut lines = vec![httparse::EMPTY_HEADER; headers];
    let mut parsed = httparse::Response::new(&mut lines);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(end)) if end == head.len() => {}
        Ok(_) => return Err(HeadError::Malformed("the head is not one response")),
        Err(error) => return Err(malformed(error)),
    }
    let mut response = Response::new(());
    *response.status_mut() = parsed
        .code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or(STATUS)?;
    *response.version_mut() = match parsed.version {
        Some(1) => Version::HTTP_11,
        _ => Version::HTTP_10,
    };
    *response.headers_mut() = header_map(parsed.headers)?;
    Ok(response)
}

const METHOD: HeadError = HeadError::Malformed("the method is not a token");
const STATUS: HeadError = HeadError::Malformed("the status line is not one");
const TARGET: HeadError = HeadError::Malformed("the request target is not one");
const HEADER: HeadError = HeadError::Malformed("a header line is not one");

/// The head with a higher minor version read as 1.1, the highest that is known here (RFC 9110
/// §2.5). Another version of HTTP is an error of its own (505); what is no version at all is not.
fn as_http_1_1(head: &[u8]) -> Result<Cow<'_, [u8]>, HeadError> {
    let line = head
        .iter()
        .position(|octet| *octet == b'\r')
        .unwrap_or(head.len());
    match head[..line].rsplit(|octet| *octet == b' ').next() {
        Some(b"HTTP/1.1") => Ok(Cow::Borrowed(head)),
        Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9']) => {
            let mut head = head.to_vec();
            head[line - 1] = b'1';
            Ok(Cow::Owned(head))
        }
        Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor])
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(HeadError::Version)
        }
        _ => Err(HeadError::Malformed("the request line is not one")),
    }
}

fn malformed(error: httparse::Error) -> HeadError {
    HeadError::Malformed(match error {
        httparse::Error::HeaderName => "a header name is not a token followed by a colon",
        httparse::Error::HeaderValue => "a header value holds a control character",
        httparse::Error::Status => "the status line is not one",
        httparse::Error::Version => "the version of HTTP is not one",
        _ => "the head breaks the grammar of HTTP",
    })
}

/// What must not show in a log, and does not in `Debug`.
const SECRET: [HeaderName; 4] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE];

fn header_map(lines: &[httparse::Header<'_>]) -> Result<HeaderMap, HeadError> {
    let mut headers = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| HEADER)?;
        let mut value = HeaderValue::from_bytes(line.value.trim_ascii()).map_err(|_| HEADER)?;
        value.set_sensitive(SECRET.contains(&name));
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Result<Request<()>, HeadError> {
        parse_request(head.as_bytes(), 8)
    }

    #[test]
    fn a_request_keeps_its_parts() {
        let request = request("GET /Chat?a=%2F HTTP/1.1\r\nHost: a\r\nX:  y z \r\nX: 2\r\n\r\n")
            .expect("a request");
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri(), "/Chat?a=%2F");
        let all: Vec<_> = request.headers().get_all("x").iter().collect();
        assert_eq!(all, ["y z", "2"]);
    }

    #[test]
    fn a_higher_minor_version_is_read_as_1_1() {
        for version in ["HTTP/1.2", "HTTP/1.9"] {
            let head = format!("GET /a {version}\r\nHost: b\r\n\r\n");
            let request = request(&head).expect("a request");
            assert_eq!(request.uri(), "/a", "{version}");
            assert_eq!(request.headers()["host"], "b", "{version}");
        }
    }

    // H10: a preface of HTTP/2 is refused for its version.
    #[test]
    fn other_versions_are_told_from_no_version() {
        for (line, version) in [
            ("GET / HTTP/1.0", true),
            ("GET / HTTP/3.1", true),
            ("PRI * HTTP/2.0", true),
            ("GET / HTTP/11", false),
            ("GET / http/1.1", false),
            ("GET /", false),
            ("GET / HTTP/1.1 ", false),
        ] {
            let error = request(&format!("{line}\r\nHost: a\r\n\r\n")).expect_err(line);
            assert_eq!(error == HeadError::Version, version, "{line}: {error}");
        }
    }

    #[test]
    fn a_response_without_a_reason_phrase_is_one() {
        let response = parse_response(b"HTTP/1.1 404\r\n\r\n", 0).expect("a response");
        assert_eq!(response.status(), 404);
        for head in [
            "HTTP/1.1 99 x\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "ICY 200 OK\r\n\r\n",
        ] {
            assert!(parse_response(head.as_bytes(), 0).is_err(), "{head}");
        }
    }
}
