//! What a server makes of offers. A parameter of an offer binds the server's own frames.

use super::{deflated, framed, numbered, offering};
use crate::case::{Case, Dialogue, Expect, Opening};
use crate::deflate::stored;

/// Title, lines, and what may be accepted of them.
const TAKEN: &[(&str, &[&str], &str)] = &[
    ("deflate-frame, bare", &["deflate-frame"], "deflate-frame"),
    (
        "x-webkit-deflate-frame, which is to be answered by that name",
        &["x-webkit-deflate-frame"],
        "x-webkit-deflate-frame",
    ),
    (
        "max_window_bits=10",
        &["deflate-frame; max_window_bits=10"],
        "deflate-frame; max_window_bits=10",
    ),
    (
        "max_window_bits=15, which changes nothing",
        &["deflate-frame; max_window_bits=15"],
        "deflate-frame; max_window_bits=15",
    ),
    (
        "max_window_bits in quotes",
        &["deflate-frame; max_window_bits=\"10\""],
        "deflate-frame; max_window_bits=10",
    ),
    (
        "no_context_takeover",
        &["deflate-frame; no_context_takeover"],
        "deflate-frame; no_context_takeover",
    ),
    (
        "Both parameters, by WebKit's name",
        &["x-webkit-deflate-frame; max_window_bits=9; no_context_takeover"],
        "x-webkit-deflate-frame; max_window_bits=9; no_context_takeover",
    ),
    (
        "An offer to be declined, then a right one",
        &["deflate-frame; max_window_bits=7, deflate-frame; no_context_takeover"],
        "deflate-frame; no_context_takeover",
    ),
    (
        "An offer to be declined, then a right one in another header line",
        &[
            "deflate-frame; no_context_takeover=1",
            "deflate-frame; max_window_bits=9",
        ],
        "deflate-frame; max_window_bits=9",
    ),
    (
        "deflate-frame between extensions that nobody knows",
        &["x-unknown, deflate-frame, x-other; max_window_bits=9"],
        "deflate-frame",
    ),
];

/// Title and parameters of an offer that is to be declined.
const DECLINED: &[(&str, &str)] = &[
    ("max_window_bits without a value", "max_window_bits"),
    ("max_window_bits too small", "max_window_bits=7"),
    ("max_window_bits too large", "max_window_bits=16"),
    ("max_window_bits with a leading zero", "max_window_bits=08"),
    ("max_window_bits with a sign", "max_window_bits=+9"),
    ("max_window_bits in hexadecimal", "max_window_bits=0x8"),
    ("max_window_bits with a fraction", "max_window_bits=8.0"),
    ("max_window_bits that is no number", "max_window_bits=foo"),
    ("no_context_takeover with a value", "no_context_takeover=1"),
];

/// Some take these and some do not: title, the line, and what it comes to where it is taken.
const OPEN: &[(&str, &str, &str)] = &[
    (
        "A parameter that nobody knows",
        "deflate-frame; foo=bar",
        "deflate-frame",
    ),
    (
        "max_window_bits twice",
        "deflate-frame; max_window_bits=9; max_window_bits=10",
        "deflate-frame; max_window_bits=10",
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (title, lines, offers) in TAKEN {
        // Twice, so that a context shows.
        let plan = Dialogue::new()
            .need(framed)
            .send(deflated(stored(b"Hello")))
            .expect(Expect::text("Hello"))
            .echo("Hello, again")
            .echo("Hello, again");
        let case = Case::new("x", format!("{title}, in an offer"), plan);
        let opening = Opening::Request(offering(lines, offers));
        cases.push(case.opening(opening).expect(
            "It is accepted once, by the name that was offered. The server's frames keep to it, \
             whether the answer repeats the parameters or not.",
        ));
    }
    for (what, params) in DECLINED {
        let plan = Dialogue::new().echo("Hello").echo("Hello");
        let line = format!("deflate-frame; {params}");
        let case = Case::new("x", format!("{what}, to be declined"), plan);
        cases.push(
            case.opening(Opening::Request(offering(&[&line], "")))
                .expect("101 without the extension, and messages go uncompressed."),
        );
    }
    for (what, line, offers) in OPEN {
        let plan = Dialogue::new().echo("Hello").echo("Hello");
        let case = Case::new("x", format!("{what}, in an offer"), plan);
        cases.push(
            case.opening(Opening::Request(offering(&[line], offers)))
                .expect(
                    "The offer is declined, or what is odd about it is overlooked: there are \
                     implementations of both kinds. Messages go as the answer says.",
                ),
        );
    }
    let cases = cases.into_iter().map(Case::for_servers).collect();
    numbered("offer", "deflate-frame draft, negotiation", cases)
}
