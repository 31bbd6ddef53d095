//! What a client writes: its request, and a close frame for extensions it cannot do without.

use http::header::{
    CONNECTION, HOST, ORIGIN, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderName, HeaderValue, Request};

use super::ClientRequest;
use crate::close::{CloseCode, CloseFrame};
use crate::frame::{Head, OpCode, mask};
use crate::http::{end_head, header_line, header_lines};

/// The request and its head (RFC 6455 §4.1), in the order of the standard's example, and the
/// caller's own headers behind.
pub(super) fn encode(request: &ClientRequest, key: &str, offers: &str) -> (Request<()>, Vec<u8>) {
    let own = &request.headers;
    let host = match own.get(HOST).filter(|host| !host.is_empty()) {
        Some(host) => host.as_bytes().to_vec(),
        None => request.host_header().into_bytes(),
    };
    let protocols = request.protocols.join(", ");
    let lines: [(HeaderName, &str, &[u8]); 8] = [
        (HOST, "Host", &host),
        (UPGRADE, "Upgrade", b"websocket"),
        (CONNECTION, "Connection", b"Upgrade"),
        (SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key", key.as_bytes()),
        (SEC_WEBSOCKET_VERSION, "Sec-WebSocket-Version", b"13"),
        (
            ORIGIN,
            "Origin",
            own.get(ORIGIN).map_or(b"", HeaderValue::as_bytes),
        ),
        (
            SEC_WEBSOCKET_PROTOCOL,
            "Sec-WebSocket-Protocol",
            protocols.as_bytes(),
        ),
        (
            SEC_WEBSOCKET_EXTENSIONS,
            "Sec-WebSocket-Extensions",
            offers.as_bytes(),
        ),
    ];
    let mut head = format!("GET {} HTTP/1.1\r\n", request.target()).into_bytes();
    let mut sent = Request::new(());
    *sent.uri_mut() = request.uri().clone();
    for (name, written, value) in lines {
        let Ok(value) = HeaderValue::from_bytes(value) else {
            continue;
        };
        if !value.is_empty() {
            header_line(&mut head, written, value.as_bytes());
            sent.headers_mut().append(name, value);
        }
    }
    header_lines(&mut head, own, |name| *name != HOST && *name != ORIGIN);
    for (name, value) in own
        .iter()
        .filter(|(name, _)| **name != HOST && **name != ORIGIN)
    {
        sent.headers_mut().append(name.clone(), value.clone());
    }
    end_head(&mut head);
    (sent, head)
}

/// The close frame for extensions that are missing: RFC 6455 §7.4.1 has the client send 1010 and
/// list them in the reason.
pub(super) fn close_for(missing: &[String], key: [u8; 4]) -> Vec<u8> {
    let names = missing.join(", ");
    let names = CloseFrame::cut_reason(&names);
    let code = CloseCode::MANDATORY_EXTENSION.number().to_be_bytes();
    let mut payload = [&code, names.as_bytes()].concat();
    mask(&mut payload, key, 0);
    let length = u8::try_from(payload.len()).expect("it was cut to 125 octets");
    let mut frame = vec![Head::new(OpCode::CLOSE).octet(), 0x80 | length];
    frame.extend_from_slice(&key);
    frame.extend_from_slice(&payload);
    frame
}
