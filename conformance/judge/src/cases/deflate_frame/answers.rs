//! What a client makes of answers. A parameter of an answer binds the client's own frames.

use super::{deflated, framed, numbered, offers_frames};
use crate::case::{Case, Dialogue, Expect, Opening, Reaction, ResponsePlan};
use crate::deflate::stored;
use crate::frame::Frame;

/// Answers that fit an offer without parameters.
const TAKEN: &[(&str, &str)] = &[
    ("deflate-frame, bare", "deflate-frame"),
    ("x-webkit-deflate-frame, bare", "x-webkit-deflate-frame"),
];

/// The same with parameters, which there are clients that take no part in.
const BINDING: &[(&str, &str)] = &[
    ("max_window_bits=9", "deflate-frame; max_window_bits=9"),
    ("max_window_bits=15", "deflate-frame; max_window_bits=15"),
    (
        "max_window_bits in quotes",
        "deflate-frame; max_window_bits=\"10\"",
    ),
    ("no_context_takeover", "deflate-frame; no_context_takeover"),
    (
        "Both parameters, by WebKit's name",
        "x-webkit-deflate-frame; no_context_takeover; max_window_bits=9",
    ),
];

/// Answers that fit no offer.
const WRONG: &[(&str, &str)] = &[
    ("An unknown parameter", "deflate-frame; foo"),
    (
        "max_window_bits that is no number",
        "deflate-frame; max_window_bits=abc",
    ),
    (
        "max_window_bits too small",
        "deflate-frame; max_window_bits=7",
    ),
    (
        "max_window_bits too large",
        "deflate-frame; max_window_bits=16",
    ),
    (
        "max_window_bits with a leading zero",
        "deflate-frame; max_window_bits=08",
    ),
    (
        "max_window_bits without a value",
        "deflate-frame; max_window_bits",
    ),
    (
        "no_context_takeover with a value",
        "deflate-frame; no_context_takeover=1",
    ),
    ("deflate-frame twice", "deflate-frame, deflate-frame"),
    (
        "deflate-frame, for a client that offers it by WebKit's name only",
        "deflate-frame",
    ),
    (
        "x-webkit-deflate-frame, for a client that does not offer that name",
        "x-webkit-deflate-frame",
    ),
];

fn answers(reaction: Reaction, lines: &[&str]) -> Opening {
    let plan = ResponsePlan::new(reaction).answering(lines);
    Opening::Response(plan.need(offers_frames))
}

/// The first message uses no window at all.
fn compressed_echo() -> Dialogue {
    Dialogue::new()
        .need(framed)
        .send(deflated(stored(b"Hello")))
        .expect(Expect::text("Hello"))
        .echo("Hello, again")
        .echo("Hello, again")
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let plan = Dialogue::new().echo("Hello").echo("Hello");
    cases.push(
        Case::new("x", "No extension at all", plan)
            .opening(answers(Reaction::Opens, &[]))
            .expect("Messages go uncompressed."),
    );
    let plan = Dialogue::new().send(Frame::text(super::HELLO).rsv(super::RSV1));
    cases.push(
        Case::new(
            "x",
            "A compressed frame where nothing was answered",
            super::fails(plan, &[1002]),
        )
        .opening(answers(Reaction::Opens, &[]))
        .expect("The connection fails with 1002, or without a code."),
    );
    for (title, line) in TAKEN {
        cases.push(
            Case::new("x", format!("{title}, in an answer"), compressed_echo())
                .opening(answers(Reaction::Opens, &[line]))
                .expect("The client takes the answer, and messages go as it says."),
        );
    }
    for (title, line) in BINDING {
        cases.push(
            Case::new("x", format!("{title}, in an answer"), compressed_echo())
                .opening(answers(Reaction::ShouldOpen, &[line]))
                .expect(
                    "The client takes the answer, and its frames keep to it. To take none that \
                     has parameters is NON-STRICT.",
                ),
        );
    }
    for (title, line) in WRONG {
        cases.push(
            Case::new("x", format!("{title}, in an answer"), Dialogue::new())
                .opening(answers(Reaction::GivesUp, &[line]))
                .expect("The client fails the connection and sends no message."),
        );
    }
    let cases = cases.into_iter().map(Case::for_clients).collect();
    numbered(
        "answer",
        "deflate-frame draft, negotiation; RFC 6455 §4.1",
        cases,
    )
}
