//! Host, Origin, Upgrade, Connection.

use super::{FIELDS, does_not_open, either, opens, refuses, request, should_open, should_refuse};
use crate::case::Case;

const HOST: &str = "RFC 9112 §3.2";

pub(super) fn host_and_origin() -> Vec<Case> {
    let octet_ff = {
        let mut octets = b"GET {target} HTTP/1.1\r\nHost: \xFF\r\n".to_vec();
        let others = FIELDS.trim_start_matches("Host: {host}\r\n");
        octets.extend_from_slice(others.as_bytes());
        octets.extend_from_slice(b"\r\n");
        octets
    };
    let bad = "400 is a MUST for bad values too, but few servers read them.";
    let origin = "Whom a server lets in is its own choice.";
    vec![
        request(
            "There is no Host",
            refuses(&[400]).without("Host"),
            "HTTP/1.1 insists on it.",
            HOST,
        ),
        request(
            "Host comes twice with the same value",
            refuses(&[400]).with("Host", "{host}"),
            "HTTP/1.1 insists on exactly one.",
            HOST,
        ),
        request(
            "Host comes twice with different values",
            refuses(&[400]).with("Host", "other.example"),
            "HTTP/1.1 insists on exactly one.",
            HOST,
        ),
        request(
            "Host has a space in it",
            should_refuse().set("Host", "a b"),
            bad,
            HOST,
        ),
        request(
            "Host has a user in it",
            should_refuse().set("Host", "me@{host}"),
            bad,
            HOST,
        ),
        request(
            "Host is a list",
            should_refuse().set("Host", "{host}, other.example"),
            bad,
            HOST,
        ),
        request(
            "Host is a URI",
            should_refuse().set("Host", "http://{host}/"),
            bad,
            HOST,
        ),
        request(
            "Host is the octet FF",
            should_refuse().raw(octet_ff),
            bad,
            HOST,
        ),
        request(
            "Host is empty",
            either().set("Host", ""),
            "The grammar allows it; for an http URI it makes no sense.",
            HOST,
        ),
        request(
            "Origin is another site",
            either().set("Origin", "http://other.example"),
            origin,
            "RFC 6455 §4.2.2, §10.2",
        ),
        request(
            "Origin is null",
            either().set("Origin", "null"),
            origin,
            "RFC 6454 §7.1",
        ),
        request(
            "Origin is not a URI",
            either().set("Origin", "://"),
            origin,
            "RFC 6455 §4.2.2",
        ),
    ]
}

pub(super) fn upgrade_and_connection() -> Vec<Case> {
    let needed = "Without it this is no opening handshake.";
    let whole = "Tokens are compared as a whole.";
    let upgrade = "RFC 6455 §4.2.1, RFC 9110 §7.8";
    let connection = "RFC 6455 §4.2.1, RFC 9110 §7.6.1";
    let list = "RFC 9110 §5.3, §5.6.1";
    vec![
        request(
            "There is no Upgrade",
            does_not_open().without("Upgrade"),
            needed,
            upgrade,
        ),
        request(
            "Upgrade is empty",
            does_not_open().set("Upgrade", ""),
            needed,
            upgrade,
        ),
        request(
            "Upgrade is h2c",
            does_not_open().set("Upgrade", "h2c"),
            "Nobody asked for a WebSocket.",
            upgrade,
        ),
        request(
            "Upgrade is notwebsocket",
            does_not_open().set("Upgrade", "notwebsocket"),
            whole,
            upgrade,
        ),
        request(
            "Upgrade is websockets",
            does_not_open().set("Upgrade", "websockets"),
            whole,
            upgrade,
        ),
        request(
            "Upgrade is WebSocket with capital letters",
            opens().set("Upgrade", "WebSocket"),
            "The case of letters does not count.",
            upgrade,
        ),
        request(
            "Upgrade lists h2c and websocket",
            should_open().set("Upgrade", "h2c, websocket"),
            "A client may ask for several; the answer names websocket alone.",
            upgrade,
        ),
        request(
            "Upgrade comes twice, with websocket and h2c",
            should_open().with("Upgrade", "h2c"),
            "Two lines are one list; the answer names websocket alone.",
            list,
        ),
        request(
            "There is no Connection",
            does_not_open().without("Connection"),
            needed,
            connection,
        ),
        request(
            "Connection is close",
            does_not_open().set("Connection", "close"),
            needed,
            connection,
        ),
        request(
            "Connection is no-upgrade",
            does_not_open().set("Connection", "no-upgrade"),
            whole,
            connection,
        ),
        request(
            "Connection lists keep-alive and Upgrade, as browsers do",
            opens().set("Connection", "keep-alive, Upgrade"),
            "One token of several suffices.",
            connection,
        ),
        request(
            "Connection is uPGRADE",
            opens().set("Connection", "uPGRADE"),
            "The case of letters does not count.",
            connection,
        ),
        request(
            "Connection comes twice, with keep-alive and Upgrade",
            opens()
                .set("Connection", "keep-alive")
                .with("Connection", "Upgrade"),
            "Two lines are one list.",
            list,
        ),
        request(
            "Connection has empty elements beside Upgrade",
            opens().set("Connection", ", keep-alive,,Upgrade ,"),
            "A recipient skips a reasonable number of empty elements.",
            list,
        ),
    ]
}
