//! Upgrade, Connection, Accept, subprotocols, extensions.

use super::{either, gives_up, opens, response, should_give_up};
use crate::case::Case;

const ACCEPT: &str = "Sec-WebSocket-Accept";
const PROTOCOL: &str = "Sec-WebSocket-Protocol";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

pub(super) fn upgrade_and_connection() -> Vec<Case> {
    let section = "RFC 6455 §4.1";
    let list = "RFC 9110 §5.3, §5.6.1";
    let is_websocket = "The value is to be websocket, as a whole.";
    let lists_upgrade = "A token of the list is to be Upgrade, as a whole.";
    let case = "The case of letters does not count.";
    let mut cases = vec![
        response(
            "There is no Upgrade",
            gives_up().without("Upgrade"),
            is_websocket,
            section,
        ),
        response(
            "There is no Connection",
            gives_up().without("Connection"),
            lists_upgrade,
            section,
        ),
    ];
    for value in ["", "h2c", "websockets", "notwebsocket", "websocket, h2c"] {
        let title = match value {
            "" => "Upgrade is empty".to_owned(),
            _ => format!("Upgrade is {value}"),
        };
        cases.push(response(
            &title,
            gives_up().set("Upgrade", value),
            is_websocket,
            section,
        ));
    }
    for value in ["", "close", "keep-alive", "no-upgrade", "Upgraded"] {
        let title = match value {
            "" => "Connection is empty".to_owned(),
            _ => format!("Connection is {value}"),
        };
        cases.push(response(
            &title,
            gives_up().set("Connection", value),
            lists_upgrade,
            section,
        ));
    }
    cases.extend([
        response(
            "Upgrade is WebSocket",
            opens().set("Upgrade", "WebSocket"),
            case,
            section,
        ),
        response(
            "Connection is uPGRADE",
            opens().set("Connection", "uPGRADE"),
            case,
            section,
        ),
        response(
            "Connection lists keep-alive and Upgrade",
            opens().set("Connection", "keep-alive, Upgrade"),
            "One token of several suffices.",
            section,
        ),
        response(
            "Connection comes twice, with keep-alive and Upgrade",
            opens()
                .set("Connection", "keep-alive")
                .with("Connection", "Upgrade"),
            "Two lines are one list.",
            list,
        ),
        response(
            "Upgrade comes twice, with websocket and h2c",
            gives_up().with("Upgrade", "h2c"),
            "Two lines are one list, and that is not websocket.",
            section,
        ),
        response(
            "Upgrade comes twice, with websocket",
            either().with("Upgrade", "websocket"),
            "Read as a list, this is not websocket; nothing else is named, though.",
            section,
        ),
    ]);
    cases
}

pub(super) fn accept() -> Vec<Case> {
    let section = "RFC 6455 §4.1";
    let wrong = "This is not the value that belongs to the key.";
    let swapped = |accept: &str| {
        let swap = |char: char| match char {
            'a'..='z' => char.to_ascii_uppercase(),
            _ => char.to_ascii_lowercase(),
        };
        accept.chars().map(swap).collect()
    };
    let first_changed = |accept: &str| {
        let first = if accept.starts_with('A') { 'B' } else { 'A' };
        format!("{first}{}", &accept[1..])
    };
    let unpadded = |accept: &str| accept.trim_end_matches('=').to_owned();
    let shortened = |accept: &str| accept[..20].to_owned();
    let spaced = |accept: &str| format!("{} {}", &accept[..10], &accept[10..]);
    let other = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    vec![
        response(
            "There is no Accept",
            gives_up().without(ACCEPT),
            wrong,
            section,
        ),
        response(
            "Accept is empty",
            gives_up().set(ACCEPT, ""),
            wrong,
            section,
        ),
        response(
            "Accept is the key",
            gives_up().set(ACCEPT, "{key}"),
            wrong,
            section,
        ),
        response(
            "Accept belongs to another key",
            gives_up().set(ACCEPT, other),
            wrong,
            section,
        ),
        response(
            "The first character of Accept is another",
            gives_up().accept(first_changed),
            wrong,
            section,
        ),
        response(
            "Accept has its letters in the other case",
            gives_up().accept(swapped),
            wrong,
            section,
        ),
        response(
            "Accept lacks its padding",
            gives_up().accept(unpadded),
            wrong,
            section,
        ),
        response(
            "Accept is too short",
            gives_up().accept(shortened),
            wrong,
            section,
        ),
        response(
            "Something follows Accept",
            gives_up().set(ACCEPT, "{accept}x"),
            wrong,
            section,
        ),
        response(
            "Accept is in quotes",
            gives_up().set(ACCEPT, "\"{accept}\""),
            wrong,
            section,
        ),
        response(
            "Accept has a space in it",
            gives_up().accept(spaced),
            wrong,
            section,
        ),
        response(
            "Accept comes twice, first right, then wrong",
            gives_up().with(ACCEPT, other),
            wrong,
            section,
        ),
        response(
            "Accept comes twice, first wrong, then right",
            gives_up().set(ACCEPT, other).with(ACCEPT, "{accept}"),
            wrong,
            section,
        ),
        response(
            "Accept comes twice with the right value",
            should_give_up().with(ACCEPT, "{accept}"),
            "It may not come twice, but the value is right.",
            "RFC 6455 §11.3.3",
        ),
        response(
            "Accept has whitespace around it",
            opens().set(ACCEPT, " \t {accept} \t "),
            "Whitespace around a value is ignored.",
            section,
        ),
    ]
}

pub(super) fn subprotocols_and_extensions() -> Vec<Case> {
    let section = "RFC 6455 §4.1";
    let unoffered = "The client has not offered this.";
    let strange = "strange.cloverleaf.example";
    let mut cases = vec![
        response(
            "A subprotocol that was not offered",
            gives_up().set(PROTOCOL, strange),
            unoffered,
            section,
        ),
        response(
            "Two subprotocols in a list, not offered",
            gives_up().set(PROTOCOL, format!("{strange}, other")),
            unoffered,
            section,
        ),
        response(
            "Two subprotocols in two lines, not offered",
            gives_up().set(PROTOCOL, strange).with(PROTOCOL, "other"),
            unoffered,
            section,
        ),
        response(
            "The subprotocol is empty",
            either().set(PROTOCOL, ""),
            "This breaks the grammar, yet names nothing.",
            "RFC 6455 §4.3",
        ),
        response(
            "The list of extensions is empty",
            either().set(EXTENSIONS, ""),
            "This breaks the grammar, yet names nothing.",
            "RFC 6455 §9.1",
        ),
    ];
    for (title, list) in [
        ("An extension that was not offered", "x-unknown"),
        (
            "An extension with parameters that was not offered",
            "x-unknown; a=1; b=\"2\"",
        ),
        (
            "An extension in capital letters that was not offered",
            "X-UNKNOWN",
        ),
        ("An extension behind an empty element", ", x-unknown"),
        ("A parameter is missing behind a semicolon", "x-unknown;"),
        ("A value is missing", "x-unknown; a="),
        ("A quote is not closed", "x-unknown; a=\"b"),
        ("A parameter has no extension", "; a=1"),
        ("A name has a space in it", "x unknown"),
    ] {
        let why = "Whatever is agreed must have been offered and keep to the grammar.";
        cases.push(response(
            title,
            gives_up().set(EXTENSIONS, list),
            why,
            "RFC 6455 §4.1, §9.1",
        ));
    }
    cases
}
