//! How the head is written: pieces, names, whitespace, line ends.

use super::{FIELDS, either, head_with, opens, refuses, request, should_open, should_refuse};
use crate::case::{Case, RequestPlan};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = right_heads();
    cases.extend(wrong_heads());
    cases
}

fn right_heads() -> Vec<Case> {
    let names = "Names of fields are compared in any case.";
    let space = "Whitespace around a value is no part of it, and may be missing.";
    let changed = |change: fn(&str) -> String| {
        let fields: String = FIELDS
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| format!("{}:{}\r\n", change(name), value))
            .collect();
        format!("GET {{target}} HTTP/1.1\r\n{fields}\r\n")
    };
    let small = changed(|name| name.to_ascii_lowercase() + " ").replace(" :", ": ");
    let capital = changed(|name| name.to_ascii_uppercase() + " ").replace(" :", ": ");
    let reversed: String = FIELDS
        .lines()
        .rev()
        .map(|line| format!("{line}\r\n"))
        .collect();
    let many = |count: usize| {
        let fields = (0..count).map(|number| format!("X-Field-{number}: {number}\r\n"));
        head_with(&fields.collect::<String>())
    };
    let mut text = b"GET {target} HTTP/1.1\r\nX-Text: caf\xE9\r\n".to_vec();
    text.extend_from_slice(FIELDS.as_bytes());
    text.extend_from_slice(b"\r\n");
    vec![
        request(
            "The head comes in single octets",
            opens().chopped(1, 0),
            "TCP knows no messages.",
            "RFC 9112 §2.2",
        ),
        request(
            "Names in small letters",
            opens().raw(small),
            names,
            "RFC 9110 §5.1",
        ),
        request(
            "Names in capital letters",
            opens().raw(capital),
            names,
            "RFC 9110 §5.1",
        ),
        request(
            "No space behind the colons",
            opens().raw(changed(str::to_owned)),
            space,
            "RFC 9112 §5.1",
        ),
        request(
            "Spaces and tabs around the values",
            opens().raw(
                head_with("")
                    .replace(": ", ": \t ")
                    .replace("13\r\n", "13 \t \r\n"),
            ),
            space,
            "RFC 9112 §5.1",
        ),
        request(
            "The fields in reverse order",
            opens().raw(format!("GET {{target}} HTTP/1.1\r\n{reversed}\r\n")),
            "The order of fields does not count.",
            "RFC 6455 §4.2.1",
        ),
        request(
            "An unknown field without a value",
            opens().raw(head_with("X-Empty:\r\n")),
            "Unknown fields are ignored, and values may be empty.",
            "RFC 9110 §5.1, §5.5",
        ),
        request(
            "20 more fields",
            opens().raw(many(20)),
            "Browsers send as many.",
            "RFC 9110 §5.4",
        ),
        request(
            "64 more fields",
            should_open().raw(many(64)),
            "The standard sets no limit; a server may.",
            "RFC 9110 §5.4",
        ),
        request(
            "A cookie of 4,000 octets",
            should_open().with("Cookie", format!("a={}", "b".repeat(4_000))),
            "Browsers send such cookies; the standard sets no limit, a server may.",
            "RFC 6265 §6.1, RFC 9110 §5.4",
        ),
        request(
            "An unknown field with a letter in ISO 8859-1",
            should_open().raw(text),
            "Octets from 80 on are to be treated as opaque.",
            "RFC 9110 §5.5",
        ),
    ]
}

fn wrong_heads() -> Vec<Case> {
    let lines = |plan: RequestPlan, lines: &str| plan.raw(head_with(lines));
    let colon = "No whitespace may stand before the colon.";
    let grammar = "The line breaks the grammar of fields.";
    let fold = "A server rejects such a head or takes the fold for spaces.";
    let field = "RFC 9112 §5.1";
    vec![
        request(
            "A space before the colon of Host",
            refuses(&[400]).raw(head_with("").replace("Host:", "Host :")),
            colon,
            field,
        ),
        request(
            "A space before the colon of an unknown field",
            lines(refuses(&[400]), "X-Field : x\r\n"),
            colon,
            field,
        ),
        request(
            "A tab before the colon of an unknown field",
            lines(refuses(&[400]), "X-Field\t: x\r\n"),
            colon,
            field,
        ),
        request(
            "An unknown field is folded over two lines",
            lines(either(), "X-Field: x\r\n y\r\n"),
            fold,
            "RFC 9112 §5.2",
        ),
        request(
            "Connection is folded before Upgrade",
            either().raw(head_with("").replace(": Upgrade", ": keep-alive,\r\n\tUpgrade")),
            fold,
            "RFC 9112 §5.2",
        ),
        request(
            "The first field begins with a space",
            lines(either(), " X-Field: x\r\n"),
            "A recipient rejects such a head or skips the line.",
            "RFC 9112 §2.2",
        ),
        request(
            "A line ends with LF alone",
            lines(either(), "X-Field: x\n"),
            "A recipient may recognize it as a line end.",
            "RFC 9112 §2.2",
        ),
        request(
            "A value has a CR in it",
            lines(either(), "X-Field: x\ry\r\n"),
            "A recipient takes this for invalid or for a space.",
            "RFC 9112 §2.2",
        ),
        request(
            "A value has a NUL in it",
            lines(either(), "X-Field: x\0y\r\n"),
            "A recipient rejects the head or takes this for a space.",
            "RFC 9110 §5.5",
        ),
        request(
            "A line has no colon",
            lines(should_refuse(), "X-Field\r\n"),
            grammar,
            field,
        ),
        request(
            "A field has no name",
            lines(should_refuse(), ": x\r\n"),
            grammar,
            field,
        ),
        request(
            "The name of a field has a space in it",
            lines(should_refuse(), "X Field: x\r\n"),
            grammar,
            field,
        ),
        request(
            "The name of a field has an @ in it",
            lines(should_refuse(), "X@Field: x\r\n"),
            grammar,
            field,
        ),
        request(
            "The name of a field has letters that are not ASCII",
            lines(should_refuse(), "X-Fj\u{00E4}ld: x\r\n"),
            grammar,
            field,
        ),
    ]
}
