//! The client's checks of a 101 (RFC 6455 §4.1).

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Response, Version};

use super::{ClientRequest, HandshakeError, accept_key};
use crate::extension::{Extensions, Negotiated};
use crate::http::{HeadError, contains_token, only, parse_extensions};

/// The agreed subprotocol and extensions of a 101, in the order of the checks of §4.1.
pub(super) fn check(
    response: &Response<()>,
    key: &str,
    request: &ClientRequest,
    extensions: &Extensions,
) -> Result<(Option<String>, Negotiated), HandshakeError> {
    let headers = response.headers();
    // RFC 9110 §7.8: an HTTP/1.0 server knows no Upgrade.
    if response.version() != Version::HTTP_11 {
        return Err(HeadError::Version.into());
    }
    // Item 2: the value is a single one, since the server has chosen.
    let upgrade = only(headers, UPGRADE).map(HeaderValue::as_bytes);
    if !upgrade.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")) {
        return Err(HandshakeError::UpgradeHeader);
    }
    // Item 3.
    if !contains_token(headers, CONNECTION, "upgrade") {
        return Err(HandshakeError::ConnectionHeader);
    }
    // Item 4. Its case counts.
    if only(headers, SEC_WEBSOCKET_ACCEPT).is_none_or(|value| *value != accept_key(key.as_bytes()))
    {
        return Err(HandshakeError::BadAccept);
    }
    // Item 5. Several lines are against §11.3.2 and for §4.2.2; they are merged.
    let mut answers = Vec::new();
    for line in headers.get_all(SEC_WEBSOCKET_EXTENSIONS) {
        answers.extend(parse_extensions(line.as_bytes())?);
    }
    let negotiated = Negotiated::confirm(extensions, answers)?;
    let protocol = protocol(headers, request)?;
    Ok((protocol, negotiated))
}

/// Item 6.
fn protocol(
    headers: &HeaderMap,
    request: &ClientRequest,
) -> Result<Option<String>, HandshakeError> {
    if !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
        return if request.require_protocol && !request.protocols.is_empty() {
            Err(HandshakeError::MissingProtocol)
        } else {
            Ok(None)
        };
    }
    let chosen = only(headers, SEC_WEBSOCKET_PROTOCOL)
        .and_then(|value| request.protocols.iter().find(|name| value == name.as_str()));
    match chosen {
        Some(name) => Ok(Some(name.clone())),
        None => Err(HandshakeError::UnsolicitedProtocol),
    }
}
