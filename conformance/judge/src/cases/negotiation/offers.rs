//! What a server makes of offers. The judge is the client.

use crate::case::{Answer, Case, Dialogue, Expect, Opening, RequestPlan};
use crate::deflate::{Element, Offer, stored};

/// A header, in its lines, and the offers in it that a server may take.
type Header = (&'static str, &'static [&'static str], &'static str);

/// Right by the grammar. Each has one offer that a server may take.
const WELL_FORMED: &[Header] = &[
    (
        "An offer without white space",
        &["permessage-deflate;server_no_context_takeover"],
        "permessage-deflate; server_no_context_takeover",
    ),
    (
        "White space around semicolon and equals sign",
        &["permessage-deflate \t; \tserver_max_window_bits = 10"],
        "permessage-deflate; server_max_window_bits=10",
    ),
    (
        "A value in quotes",
        &["permessage-deflate; server_max_window_bits=\"10\""],
        "permessage-deflate; server_max_window_bits=10",
    ),
    (
        "A value in quotes with a backslash in it",
        &["permessage-deflate; server_max_window_bits=\"1\\0\""],
        "permessage-deflate; server_max_window_bits=10",
    ),
    (
        "Empty elements around an offer",
        &[", ,permessage-deflate; server_no_context_takeover ,,"],
        "permessage-deflate; server_no_context_takeover",
    ),
    (
        "An unknown extension before the offer",
        &["x-unknown; a=1; b=\"two\"; c, permessage-deflate"],
        "permessage-deflate",
    ),
    (
        "An unknown extension behind the offer",
        &["permessage-deflate, x-unknown; a=1"],
        "permessage-deflate",
    ),
    (
        "An unknown extension in a header line of its own",
        &["x-unknown", "permessage-deflate"],
        "permessage-deflate",
    ),
];

/// Against the grammar of RFC 6455 §9.1.
const MALFORMED: &[(&str, &str)] = &[
    ("A semicolon with nothing behind it", "permessage-deflate;"),
    ("A parameter without a name", "permessage-deflate; =10"),
    (
        "An equals sign with nothing behind it",
        "permessage-deflate; server_max_window_bits=",
    ),
    (
        "An empty value in quotes, which is no token",
        "permessage-deflate; server_max_window_bits=\"\"",
    ),
    (
        "A value in quotes with a space in it",
        "permessage-deflate; server_max_window_bits=\"1 0\"",
    ),
    (
        "A value in quotes with a comma in it",
        "permessage-deflate; server_max_window_bits=\"10,11\"",
    ),
    (
        "A quote that is not closed",
        "permessage-deflate; server_max_window_bits=\"10",
    ),
    (
        "Two words where a separator should be",
        "permessage-deflate server_no_context_takeover",
    ),
    (
        "Something behind a value in quotes",
        "permessage-deflate; server_max_window_bits=\"10\"x",
    ),
    (
        "A name that is no token",
        "permessage/deflate; server_no_context_takeover",
    ),
    (
        "An unknown extension against the grammar beside a right offer",
        "permessage-deflate, x-unknown; a=",
    ),
];

/// Right by the grammar, and to be declined (RFC 7692 §7.1): what is wrong, and the parameters.
const DECLINED: &[(&str, &str)] = &[
    ("An unknown parameter", "x_unknown"),
    ("An unknown parameter with a value", "x_unknown=1"),
    (
        "server_no_context_takeover twice",
        "server_no_context_takeover; server_no_context_takeover",
    ),
    (
        "client_no_context_takeover twice",
        "client_no_context_takeover; client_no_context_takeover",
    ),
    (
        "server_max_window_bits twice",
        "server_max_window_bits=10; server_max_window_bits=10",
    ),
    (
        "client_max_window_bits twice",
        "client_max_window_bits; client_max_window_bits=10",
    ),
    (
        "server_no_context_takeover with a value",
        "server_no_context_takeover=1",
    ),
    (
        "client_no_context_takeover with a value",
        "client_no_context_takeover=true",
    ),
    (
        "server_max_window_bits without a value",
        "server_max_window_bits",
    ),
    (
        "server_max_window_bits too small",
        "server_max_window_bits=7",
    ),
    (
        "server_max_window_bits too large",
        "server_max_window_bits=16",
    ),
    (
        "server_max_window_bits with a leading zero",
        "server_max_window_bits=08",
    ),
    (
        "server_max_window_bits with a sign",
        "server_max_window_bits=+10",
    ),
    (
        "server_max_window_bits with a fraction",
        "server_max_window_bits=10.0",
    ),
    (
        "server_max_window_bits that is 8 if only its last octet is kept",
        "server_max_window_bits=264",
    ),
    (
        "server_max_window_bits that is no number",
        "server_max_window_bits=ten",
    ),
    (
        "client_max_window_bits too small",
        "client_max_window_bits=7",
    ),
    (
        "client_max_window_bits too large",
        "client_max_window_bits=16",
    ),
    (
        "client_max_window_bits with a leading zero",
        "client_max_window_bits=09",
    ),
    (
        "client_max_window_bits that is no number",
        "client_max_window_bits=0xA",
    ),
];

/// Offers of which a server may take some, and must not take others.
const TAKEN: &[Header] = &[
    (
        "The bare offer",
        &["permessage-deflate"],
        "permessage-deflate",
    ),
    (
        "server_no_context_takeover, which the answer must repeat",
        &["permessage-deflate; server_no_context_takeover"],
        "permessage-deflate; server_no_context_takeover",
    ),
    (
        "client_no_context_takeover, which the answer may repeat",
        &["permessage-deflate; client_no_context_takeover"],
        "permessage-deflate; client_no_context_takeover",
    ),
    (
        "client_max_window_bits without a value",
        &["permessage-deflate; client_max_window_bits"],
        "permessage-deflate; client_max_window_bits",
    ),
    (
        "client_max_window_bits with a value",
        &["permessage-deflate; client_max_window_bits=10"],
        "permessage-deflate; client_max_window_bits=10",
    ),
    (
        "All four parameters",
        &[
            "permessage-deflate; client_max_window_bits=12; server_max_window_bits=11; \
             client_no_context_takeover; server_no_context_takeover",
        ],
        "permessage-deflate; client_max_window_bits=12; server_max_window_bits=11; \
         client_no_context_takeover; server_no_context_takeover",
    ),
    (
        "An offer to be declined, then a right one",
        &["permessage-deflate; x_unknown, permessage-deflate; server_no_context_takeover"],
        "permessage-deflate; server_no_context_takeover",
    ),
    (
        "An offer to be declined, then a right one in another header line",
        &[
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_no_context_takeover",
        ],
        "permessage-deflate; server_no_context_takeover",
    ),
    (
        "Two offers to be declined and one of something else, then a right one",
        &["permessage-deflate; server_max_window_bits, \
             permessage-deflate; client_no_context_takeover=0, x-unknown, \
             permessage-deflate; server_no_context_takeover"],
        "permessage-deflate; server_no_context_takeover",
    ),
    (
        "Two right offers, of which one may be taken",
        &["permessage-deflate; server_max_window_bits=9, permessage-deflate"],
        "permessage-deflate; server_max_window_bits=9, permessage-deflate",
    ),
    (
        "A right offer, then one to be declined",
        &["permessage-deflate; server_no_context_takeover, permessage-deflate; x_unknown"],
        "permessage-deflate; server_no_context_takeover",
    ),
];

fn request(lines: &[&str], offers: &str) -> Opening {
    let mut plan = RequestPlan::new(Answer::Opens);
    for line in lines {
        plan = plan.with("Sec-WebSocket-Extensions", *line);
    }
    if !offers.is_empty() {
        plan.offers = Element::list(offers)
            .expect("a list in a table")
            .iter()
            .map(|element| Offer::read(element).expect("an offer in a table"))
            .collect();
    }
    Opening::Request(plan)
}

/// The judge's message is compressed by hand, so that every agreed window will do.
fn compressed_echo() -> Dialogue {
    Dialogue::new()
        .needs_compression()
        .send(super::deflated(stored(b"Hello")))
        .expect(Expect::text("Hello"))
        .echo("Hello, again")
}

/// The ids of `grammar` are shared with the answers to clients, which count from here on.
pub(super) const GRAMMAR: usize = WELL_FORMED.len() + MALFORMED.len();

pub(super) fn grammar() -> Vec<Case> {
    let mut cases = Vec::new();
    for (title, lines, offers) in WELL_FORMED {
        cases.push((
            *title,
            compressed_echo(),
            request(lines, offers),
            "The offer is understood: the server answers what fits it and speaks it.",
        ));
    }
    for (title, line) in MALFORMED {
        let plan = RequestPlan::new(Answer::RefusesAnyhow).with("Sec-WebSocket-Extensions", *line);
        cases.push((
            *title,
            Dialogue::new(),
            Opening::Request(plan),
            "The header breaks the grammar, so the handshake fails: there is no 101.",
        ));
    }
    (1..)
        .zip(cases)
        .map(|(number, (title, plan, opening, expectation))| {
            Case::new(
                format!("negotiation.grammar.{number}"),
                format!("{title}, in a request"),
                plan,
            )
            .expect(expectation)
            .section("RFC 6455 §9.1")
            .opening(opening)
            .for_servers()
        })
        .collect()
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (title, lines, offers) in TAKEN {
        let case = (
            (*title).to_owned(),
            compressed_echo(),
            request(lines, offers),
        );
        cases.push((
            case,
            "One offer is taken, once, by an answer that satisfies it; messages go both ways.",
        ));
    }
    for (what, params) in DECLINED {
        let line = format!("permessage-deflate; {params}");
        let case = (
            format!("{what}, to be declined"),
            Dialogue::new().echo("Hello").echo("Hello"),
            request(&[&line], ""),
        );
        cases.push((
            case,
            "The offer is declined: 101 without the extension, and messages go uncompressed.",
        ));
    }
    (1..)
        .zip(cases)
        .map(|(number, ((title, plan, opening), expectation))| {
            Case::new(format!("negotiation.offer.{number}"), title, plan)
                .expect(expectation)
                .section("RFC 7692 §5, §7.1")
                .opening(opening)
                .for_servers()
        })
        .collect()
}
