//! What a client makes of answers. The judge is the server; what an answer has to fit is what this
//! client has offered, and a case that its offers leave nothing to judge in is UNIMPLEMENTED.

use super::offers::GRAMMAR;
use crate::case::{Case, Dialogue, Expect, Opening, Reaction, ResponsePlan};
use crate::deflate::stored;

/// Right by the grammar, and right for a client that offers permessage-deflate with nothing asked.
const WELL_FORMED: &[(&str, &[&str])] = &[
    (
        "Parameters without white space",
        &["permessage-deflate;server_no_context_takeover;client_no_context_takeover"],
    ),
    (
        "White space around semicolon and equals sign",
        &["permessage-deflate \t; server_no_context_takeover ; server_max_window_bits\t=\t8"],
    ),
    (
        "A value in quotes",
        &["permessage-deflate; server_max_window_bits=\"8\"; server_no_context_takeover"],
    ),
    (
        "Empty elements around the answer",
        &[", permessage-deflate; server_max_window_bits=8; server_no_context_takeover, ,"],
    ),
];

/// Against the grammar of RFC 6455 §9.1.
const MALFORMED: &[(&str, &str)] = &[
    ("A semicolon with nothing behind it", "permessage-deflate;"),
    (
        "An equals sign with nothing behind it",
        "permessage-deflate; server_max_window_bits=",
    ),
    (
        "A value in quotes with a space in it",
        "permessage-deflate; server_max_window_bits=\"1 0\"",
    ),
    (
        "A quote that is not closed",
        "permessage-deflate; server_max_window_bits=\"10",
    ),
    (
        "Two words where a separator should be",
        "permessage-deflate server_no_context_takeover",
    ),
    ("A name that is no token", "permessage/deflate"),
];

/// Answers that an offer allows.
const RIGHT: &[(&str, &[&str])] = &[
    ("No extension at all", &[]),
    ("The bare answer", &["permessage-deflate"]),
    (
        "server_no_context_takeover, asked for or not",
        &["permessage-deflate; server_no_context_takeover; server_max_window_bits=8"],
    ),
    (
        "client_no_context_takeover, which every client must be able to do",
        &[
            "permessage-deflate; client_no_context_takeover; server_no_context_takeover; \
             server_max_window_bits=8",
        ],
    ),
    (
        "server_max_window_bits=15, which changes nothing",
        &["permessage-deflate; server_max_window_bits=15"],
    ),
    (
        "client_max_window_bits=15 where the offer lets it be limited",
        &["permessage-deflate; client_max_window_bits=15"],
    ),
    (
        "All four parameters",
        &[
            "permessage-deflate; server_max_window_bits=8; client_max_window_bits=9; \
             client_no_context_takeover; server_no_context_takeover",
        ],
    ),
];

/// Answers that no offer allows.
const WRONG: &[(&str, &[&str])] = &[
    ("An extension that was not offered", &["x-unknown"]),
    (
        "An extension that was not offered beside one that was",
        &["permessage-deflate, x-unknown"],
    ),
    (
        "An extension that was not offered in a line of its own",
        &["permessage-deflate", "x-unknown; a=1"],
    ),
    (
        "permessage-deflate twice",
        &["permessage-deflate, permessage-deflate"],
    ),
    (
        "permessage-deflate in two lines",
        &["permessage-deflate", "permessage-deflate"],
    ),
    ("An unknown parameter", &["permessage-deflate; x_unknown"]),
    (
        "server_no_context_takeover twice",
        &["permessage-deflate; server_no_context_takeover; server_no_context_takeover"],
    ),
    (
        "server_max_window_bits twice",
        &["permessage-deflate; server_max_window_bits=8; server_max_window_bits=8"],
    ),
    (
        "client_no_context_takeover twice",
        &["permessage-deflate; client_no_context_takeover; client_no_context_takeover"],
    ),
    (
        "client_max_window_bits twice",
        &["permessage-deflate; client_max_window_bits=15; client_max_window_bits=15"],
    ),
    (
        "server_no_context_takeover with a value",
        &["permessage-deflate; server_no_context_takeover=1"],
    ),
    (
        "client_no_context_takeover with a value",
        &["permessage-deflate; client_no_context_takeover=0"],
    ),
    (
        "server_max_window_bits without a value",
        &["permessage-deflate; server_max_window_bits"],
    ),
    (
        "server_max_window_bits too small",
        &["permessage-deflate; server_max_window_bits=7"],
    ),
    (
        "server_max_window_bits too large",
        &["permessage-deflate; server_max_window_bits=16"],
    ),
    (
        "server_max_window_bits with a leading zero",
        &["permessage-deflate; server_max_window_bits=08"],
    ),
    (
        "server_max_window_bits that is no number",
        &["permessage-deflate; server_max_window_bits=ten"],
    ),
    (
        "client_max_window_bits without a value, which only an offer may have",
        &["permessage-deflate; client_max_window_bits"],
    ),
    (
        "client_max_window_bits too small",
        &["permessage-deflate; client_max_window_bits=7"],
    ),
    (
        "client_max_window_bits too large",
        &["permessage-deflate; client_max_window_bits=16"],
    ),
    (
        "client_max_window_bits with a leading zero",
        &["permessage-deflate; client_max_window_bits=09"],
    ),
    (
        "client_max_window_bits, for a client that did not offer it",
        &[
            "permessage-deflate; client_max_window_bits=15; server_max_window_bits=8; \
             server_no_context_takeover",
        ],
    ),
    (
        "No server_max_window_bits, for a client that asked for it",
        &["permessage-deflate; server_no_context_takeover"],
    ),
    (
        "server_max_window_bits=15, for a client that asked for less",
        &["permessage-deflate; server_max_window_bits=15; server_no_context_takeover"],
    ),
    (
        "No server_no_context_takeover, for a client that asked for it",
        &["permessage-deflate; server_max_window_bits=8"],
    ),
];

fn answers(reaction: Reaction, lines: &[&str]) -> Opening {
    Opening::Response(ResponsePlan::new(reaction).answering(lines))
}

/// The first message uses no window at all, the second the judge's ordinary compression.
fn compressed_echo() -> Dialogue {
    Dialogue::new()
        .needs_compression()
        .send(super::deflated(stored(b"Hello")))
        .expect(Expect::text("Hello"))
        .echo("Hello, again")
        .echo("Hello, again")
}

pub(super) fn grammar() -> Vec<Case> {
    let mut cases = Vec::new();
    for (title, lines) in WELL_FORMED {
        cases.push((
            *title,
            compressed_echo(),
            answers(Reaction::Opens, lines),
            "The answer is understood, and messages go compressed.",
        ));
    }
    for (title, line) in MALFORMED {
        cases.push((
            *title,
            Dialogue::new(),
            answers(Reaction::GivesUp, &[line]),
            "The header breaks the grammar: the client fails the connection.",
        ));
    }
    (GRAMMAR + 1..)
        .zip(cases)
        .map(|(number, (title, plan, opening, expectation))| {
            Case::new(
                format!("negotiation.grammar.{number}"),
                format!("{title}, in a response"),
                plan,
            )
            .expect(expectation)
            .section("RFC 6455 §9.1")
            .opening(opening)
            .for_clients()
        })
        .collect()
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (title, lines) in RIGHT {
        let plan = if lines.is_empty() {
            Dialogue::new().echo("Hello").echo("Hello")
        } else {
            compressed_echo()
        };
        cases.push((
            *title,
            plan,
            answers(Reaction::Opens, lines),
            "The client takes the answer, and messages go as it says.",
        ));
    }
    for (title, lines) in WRONG {
        cases.push((
            *title,
            Dialogue::new(),
            answers(Reaction::GivesUp, lines),
            "The client fails the connection and sends no message.",
        ));
    }
    (1..)
        .zip(cases)
        .map(|(number, (title, plan, opening, expectation))| {
            Case::new(format!("negotiation.answer.{number}"), title, plan)
                .expect(expectation)
                .section("RFC 6455 §9.1, RFC 7692 §5, §7.1")
                .opening(opening)
                .for_clients()
        })
        .collect()
}
