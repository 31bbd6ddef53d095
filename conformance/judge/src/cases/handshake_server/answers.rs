//! What the answer must contain.

use super::{does_not_open, opens, refuses, request};
use crate::case::Case;
use crate::http::Head;

pub(super) fn cases() -> Vec<Case> {
    let field = "The standard asks for this field.";
    vec![
        request(
            "The 101 and lengths",
            opens().check(no_length),
            "A 101 has neither Content-Length nor Transfer-Encoding.",
            "RFC 9110 §8.6, RFC 9112 §6.1",
        ),
        request(
            "The status line of the 101",
            opens().check(status_line),
            "It is HTTP/1.1, a space, 101, a space, and a reason that may be empty.",
            "RFC 9112 §4",
        ),
        request(
            "The fields of the 101",
            opens().check(well_written),
            "Every line has a name that is a token and a value without control characters.",
            "RFC 9112 §5",
        ),
        request(
            "Fields that the 101 has once",
            opens().check(once),
            "Accept and Protocol and Extensions do not come twice.",
            "RFC 6455 §11.3",
        ),
        request(
            "Without an offer no subprotocol",
            opens()
                .without("Sec-WebSocket-Protocol")
                .check(no_subprotocol),
            "Where none was offered, none is named, not even an empty one.",
            "RFC 6455 §4.2.2",
        ),
        request(
            "A 405 has Allow",
            does_not_open()
                .line("POST {target} HTTP/1.1")
                .with("Content-Length", "0")
                .check(allow_in_405),
            "If a POST is answered with 405, the methods stand in Allow.",
            "RFC 9110 §15.5.6",
        ),
        request(
            "A 426 to a plain request has Upgrade",
            does_not_open()
                .without("Upgrade")
                .without("Connection")
                .check(upgrade_in_426),
            field,
            "RFC 9110 §15.5.22",
        ),
        request(
            "A 426 to an unknown version has Upgrade",
            refuses(&[426, 400])
                .set("Sec-WebSocket-Version", "14")
                .check(upgrade_in_426),
            field,
            "RFC 9110 §15.5.22",
        ),
    ]
}

fn no_length(head: &Head) -> Result<(), String> {
    for name in ["Content-Length", "Transfer-Encoding"] {
        if let Some(value) = head.values(name).next() {
            return Err(format!("a 101 has no {name}, this one has {value:?}"));
        }
    }
    Ok(())
}

fn status_line(head: &Head) -> Result<(), String> {
    let line = &head.start_line;
    let right = line.starts_with("HTTP/1.1 101 ") && !line.chars().any(char::is_control);
    right
        .then_some(())
        .ok_or_else(|| format!("the status line is {line:?}"))
}

fn well_written(head: &Head) -> Result<(), String> {
    let tchar = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    for (name, value) in &head.fields {
        if name.is_empty() || !name.chars().all(tchar) {
            return Err(format!("{name:?} is no name of a field"));
        }
        if value
            .chars()
            .any(|char| char.is_ascii_control() && char != '\t')
        {
            return Err(format!("the value {value:?} has control characters"));
        }
    }
    Ok(())
}

fn once(head: &Head) -> Result<(), String> {
    for name in [
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
    ] {
        if head.values(name).count() > 1 {
            return Err(format!("{name} comes more than once"));
        }
    }
    Ok(())
}

fn no_subprotocol(head: &Head) -> Result<(), String> {
    match head.values("Sec-WebSocket-Protocol").next() {
        None => Ok(()),
        Some(value) => Err(format!("the subprotocol is {value:?}; none was offered")),
    }
}

fn allow_in_405(head: &Head) -> Result<(), String> {
    if head.status() == Some(405) && head.values("Allow").next().is_none() {
        return Err("a 405 without Allow".to_owned());
    }
    Ok(())
}

fn upgrade_in_426(head: &Head) -> Result<(), String> {
    if head.status() == Some(426) && !head.lists("Upgrade", "websocket") {
        return Err("a 426 without Upgrade: websocket".to_owned());
    }
    Ok(())
}
