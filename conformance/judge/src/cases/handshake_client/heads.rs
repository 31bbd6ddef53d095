//! How the head is written.

use super::{FIELDS, either, head_with, opens, response, should_give_up, should_open};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = right_heads();
    cases.extend(strange_heads());
    cases
}

fn right_heads() -> Vec<Case> {
    let names = "Names of fields are compared in any case.";
    let space = "Whitespace around a value is no part of it, and may be missing.";
    let no_body = "A 101 ends with its empty line, whatever its fields say.";
    let renamed = |change: fn(&str) -> String| {
        let fields: String = FIELDS
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| format!("{}: {value}\r\n", change(name)))
            .collect();
        format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n")
    };
    let reversed: String = FIELDS
        .lines()
        .rev()
        .map(|line| format!("{line}\r\n"))
        .collect();
    let many: String = (0..40)
        .map(|number| format!("X-Field-{number}: {number}\r\n"))
        .collect();
    vec![
        response(
            "The head comes in single octets",
            opens().chopped(1, 0),
            "TCP knows no messages.",
            "RFC 9112 §2.2",
        ),
        response(
            "Names in small letters",
            opens().raw(renamed(str::to_ascii_lowercase)),
            names,
            "RFC 9110 §5.1",
        ),
        response(
            "Names in capital letters",
            opens().raw(renamed(str::to_ascii_uppercase)),
            names,
            "RFC 9110 §5.1",
        ),
        response(
            "No space behind the colons",
            opens().raw(head_with("").replace(": ", ":")),
            space,
            "RFC 9112 §5.1",
        ),
        response(
            "The fields in reverse order",
            opens().raw(format!(
                "HTTP/1.1 101 Switching Protocols\r\n{reversed}\r\n"
            )),
            "The order of fields does not count.",
            "RFC 9110 §5.3",
        ),
        response(
            "Two cookies and an empty field",
            opens().raw(head_with(
                "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Empty:\r\n",
            )),
            "Set-Cookie comes once for each cookie, and values may be empty.",
            "RFC 6265 §3, RFC 9110 §5.5",
        ),
        response(
            "40 more fields",
            should_open().raw(head_with(&many)),
            "The standard sets no limit; a client may.",
            "RFC 9110 §5.4",
        ),
        response(
            "A cookie of 4,000 octets",
            should_open().with("Set-Cookie", format!("a={}", "b".repeat(4_000))),
            "The standard sets no limit; a client may.",
            "RFC 6265 §6.1, RFC 9110 §5.4",
        ),
        response(
            "A Content-Length of 5",
            should_open().with("Content-Length", "5"),
            no_body,
            "RFC 9112 §6.3",
        ),
        response(
            "Transfer-Encoding: chunked",
            should_open().with("Transfer-Encoding", "chunked"),
            no_body,
            "RFC 9112 §6.3",
        ),
    ]
}

fn strange_heads() -> Vec<Case> {
    let grammar = "The line breaks the grammar of fields; what a client does is not said.";
    let either = |lines: &str| either().raw(head_with(lines));
    let mut text = b"HTTP/1.1 101 Switching Protocols\r\nX-Text: caf\xE9\r\n".to_vec();
    text.extend_from_slice(FIELDS.as_bytes());
    text.extend_from_slice(b"\r\n");
    vec![
        response(
            "An unknown field with a letter in ISO 8859-1",
            should_open().raw(text),
            "Octets from 80 on are to be treated as opaque.",
            "RFC 9110 §5.5",
        ),
        response(
            "An unknown field is folded over two lines",
            either("X-Field: x\r\n y\r\n"),
            "A user agent is to take the fold for spaces; for safety many give up.",
            "RFC 9112 §5.2",
        ),
        response(
            "A line ends with LF alone",
            either("X-Field: x\n"),
            "A recipient may recognize it as a line end.",
            "RFC 9112 §2.2",
        ),
        response(
            "A space before the colon of an unknown field",
            either("X-Field : x\r\n"),
            grammar,
            "RFC 9112 §5.1",
        ),
        response(
            "A value has a CR in it",
            either("X-Field: x\ry\r\n"),
            "A recipient takes this for invalid or for a space.",
            "RFC 9112 §2.2",
        ),
        response(
            "A value has a NUL in it",
            either("X-Field: x\0y\r\n"),
            "A recipient rejects the head or takes this for a space.",
            "RFC 9110 §5.5",
        ),
        response(
            "A line has no colon",
            either("X-Field\r\n"),
            grammar,
            "RFC 9112 §5.1",
        ),
        response(
            "A field has no name",
            either(": x\r\n"),
            grammar,
            "RFC 9112 §5.1",
        ),
        response(
            "A space before the colon of Accept",
            should_give_up().raw(head_with("").replace("Accept:", "Accept :")),
            "The name with the space is no name, so Accept is missing.",
            "RFC 9112 §5.1, RFC 6455 §4.1",
        ),
    ]
}
