//! What there is at which path.

use bytes::Bytes;
use cloverleaf_proto::handshake::{Received, Rejection};
use http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};

use super::{SUBPROTOCOL, rooms};

/// The page's own files and WebSockets, and nothing else; nobody may put it into a frame.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; object-src 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, type and content of every file. There is no other path, so none to escape by.
static FILES: [(&str, &str, &[u8]); 8] = [
    ("/", HTML, include_bytes!("../../web/chat/index.html")),
    (
        "/style.css",
        CSS,
        include_bytes!("../../web/chat/style.css"),
    ),
    ("/chat.js", SCRIPT, include_bytes!("../../web/chat/chat.js")),
    (
        "/mux/mux.js",
        SCRIPT,
        include_bytes!("../../../extensions/mux/browser/mux.js"),
    ),
    (
        "/mux/channel.js",
        SCRIPT,
        include_bytes!("../../../extensions/mux/browser/channel.js"),
    ),
    (
        "/mux/codec.js",
        SCRIPT,
        include_bytes!("../../../extensions/mux/browser/codec.js"),
    ),
    (
        "/mux/endpoint.js",
        SCRIPT,
        include_bytes!("../../../extensions/mux/browser/endpoint.js"),
    ),
    (
        "/mux/multiplexer.js",
        SCRIPT,
        include_bytes!("../../../extensions/mux/browser/multiplexer.js"),
    ),
];

/// Lets WebSockets into the rooms, and answers every other request. A guard's answer need not be an
/// error: any status will do, and the connection ends behind it.
pub(super) fn answer(received: &mut Received) -> Result<(), Rejection> {
    let path = received.request.uri().path();
    if received.is_websocket() {
        // "/" is where the page's connection goes, which itself is no room.
        let carries = path == "/" && received.protocols.iter().any(|name| name == SUBPROTOCOL);
        return if carries || rooms::name_in(path).is_some() {
            Ok(())
        } else {
            Err(Rejection::not_found())
        };
    }
    let found = FILES.iter().find(|(at, ..)| *at == path);
    let Some((_, kind, content)) = found else {
        return Err(Rejection::not_found());
    };
    let file = Rejection::new(StatusCode::OK, "a file")
        .with_header(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
        .with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Err(file.with_body(HeaderValue::from_static(kind), Bytes::from_static(content)))
}
