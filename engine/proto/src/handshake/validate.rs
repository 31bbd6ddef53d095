//! Whether a request is an opening handshake (RFC 6455 §4.2.1).

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Request};

use super::{Rejection, accept_key, is_client_key};
use crate::extension::Offer;
use crate::http::{HostPort, ListError, contains_token, only, parse_extensions, token_list};

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A GET without `Upgrade: websocket`.
    Plain,
    /// A WebSocket.
    WebSocket {
        accept: String,
        protocols: Vec<String>,
        offers: Vec<Offer>,
    },
}

/// Decides on everything that does not depend on the server. Nothing else knows that an opening
/// handshake is a GET with a key, which over HTTP/2 it is not (RFC 8441 §5).
pub(super) fn validate(request: &Request<()>) -> Result<Asked, Rejection> {
    let headers = request.headers();
    // RFC 6455 §4.2.1, item 1.
    match *request.method() {
        Method::GET => {}
        Method::HEAD => return Err(Rejection::method_not_allowed().without_content()),
        _ => return Err(Rejection::method_not_allowed()),
    }
    check_target(request)?;
    check_no_content(headers)?;
    // Item 3. The client may list other protocols beside ours (RFC 9110 §7.8).
    if !contains_token(headers, UPGRADE, "websocket") {
        return Ok(Asked::Plain);
    }
    // Item 4.
    if !contains_token(headers, CONNECTION, "upgrade") {
        return Err(Rejection::bad_request("Connection does not list Upgrade"));
    }
    // Item 6, §4.4. Once, and not as a list: `13, 8` is the form of an answer.
    if only(headers, SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Rejection::upgrade_required(
            "Sec-WebSocket-Version must be 13",
        ));
    }
    // Item 5.
    let Some(key) = only(headers, SEC_WEBSOCKET_KEY)
        .map(HeaderValue::as_bytes)
        .filter(|key| is_client_key(key))
    else {
        return Err(Rejection::bad_request(
            "Sec-WebSocket-Key must stand once and be the base64 of 16 octets",
        ));
    };
    Ok(Asked::WebSocket {
        accept: accept_key(key),
        protocols: protocols(headers)?,
        offers: offers(headers)?,
    })
}

/// Item 8.
fn protocols(headers: &HeaderMap) -> Result<Vec<String>, Rejection> {
    token_list(headers, SEC_WEBSOCKET_PROTOCOL).map_err(|error| {
        Rejection::bad_request(match error {
            ListError::Duplicate => "Sec-WebSocket-Protocol names a subprotocol twice",
            ListError::NotToken => "Sec-WebSocket-Protocol is no list of tokens",
        })
    })
}

/// Item 9.
fn offers(headers: &HeaderMap) -> Result<Vec<Offer>, Rejection> {
    let mut offers = Vec::new();
    for line in headers.get_all(SEC_WEBSOCKET_EXTENSIONS) {
        offers.extend(
            parse_extensions(line.as_bytes())
                .map_err(|error| Rejection::bad_request(error.to_string()))?,
        );
    }
    Ok(offers)
}

/// Item 2, and RFC 9112 §3.2: a path, or a URI with a host.
fn check_target(request: &Request<()>) -> Result<(), Rejection> {
    if only(request.headers(), HOST)
        .and_then(|host| HostPort::parse(host.as_bytes()))
        .is_none()
    {
        return Err(Rejection::bad_request("Host must stand once and be a host"));
    }
    let uri = request.uri();
    if let Some(scheme) = uri.scheme_str() {
        if !["http", "ws", "https", "wss"].contains(&&*scheme.to_ascii_lowercase()) {
            return Err(Rejection::bad_request(
                "the scheme of the target is unknown",
            ));
        }
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        if HostPort::parse(authority.as_bytes()).is_none() {
            return Err(Rejection::bad_request("the target names no host"));
        }
    }
    let path = uri.path();
    // `//x` is a path, but software that joins it to a scheme makes a host of it.
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(Rejection::bad_request("the target is not a path"));
    }
    if path.contains("%00") || uri.query().is_some_and(|query| query.contains("%00")) {
        return Err(Rejection::bad_request("the target holds a NUL"));
    }
    Ok(())
}

/// Content would stand where the frames begin.
fn check_no_content(headers: &HeaderMap) -> Result<(), Rejection> {
    let empty = headers
        .get_all(CONTENT_LENGTH)
        .iter()
        .all(|length| length == "0");
    if empty && !headers.contains_key(TRANSFER_ENCODING) {
        Ok(())
    } else {
        Err(Rejection::bad_request("the request announces content"))
    }
}
