//! What is offered, answered and confirmed, from both sides.

use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_proto::extension::{Extension, Extensions, Negotiated, Offer, Refused, Why};

use crate::halves::{client, params};

fn elements(header: &str) -> Vec<Offer> {
    let elements = header.split(',').map(str::trim).filter(|e| !e.is_empty());
    elements
        .map(|element| {
            let (name, rest) = element.split_once(';').unwrap_or((element, ""));
            Offer::new(name.trim(), params(rest))
        })
        .collect()
}

fn only(extension: DeflateFrame) -> Extensions {
    let extensions = Extensions::new().with(extension);
    extensions.expect("a legal extension")
}

/// Every compressor there is, side by side.
fn all() -> Extensions {
    let extensions = Extensions::new().with(PermessageDeflate::new());
    let extensions = extensions.and_then(|all| all.with(DeflateFrame::new()));
    let extensions = extensions.and_then(|all| all.with(DeflateFrame::webkit()));
    extensions.expect("alternatives may stand side by side")
}

fn answer(server: &Extensions, header: &str) -> Option<String> {
    Negotiated::accept(server, elements(header)).answer()
}

fn confirms(client: DeflateFrame, header: &str) -> Result<(), Refused> {
    Negotiated::confirm(&only(client), elements(header)).map(drop)
}

fn new() -> DeflateFrame {
    DeflateFrame::new()
}

type Set = fn(DeflateFrame) -> DeflateFrame;

#[test]
fn a_server_answers_with_the_very_token_that_was_offered_and_once() {
    for (header, expected) in [
        ("deflate-frame", Some("deflate-frame")),
        ("x-webkit-deflate-frame", Some("x-webkit-deflate-frame")),
        (
            "x-webkit-deflate-frame, deflate-frame, permessage-deflate",
            Some("x-webkit-deflate-frame"),
        ),
        ("deflate-frame, permessage-deflate", Some("deflate-frame")),
        ("deflate-frame, deflate-frame", Some("deflate-frame")),
        (
            "deflate-frame; max_window_bits=7, deflate-frame",
            Some("deflate-frame"),
        ),
        (
            "deflate-frame; foo, x-webkit-deflate-frame; max_window_bits=9",
            Some("x-webkit-deflate-frame"),
        ),
        ("DEFLATE-FRAME", None),
        ("perframe-deflate", None),
        ("", None),
    ] {
        assert_eq!(answer(&all(), header).as_deref(), expected, "{header}");
    }
    // In the other order of offers the other one is agreed, and nothing else beside it.
    let both = answer(&all(), "permessage-deflate, deflate-frame");
    assert!(
        both.is_some_and(|both| both.starts_with("permessage-deflate;") && !both.contains(','))
    );
}

#[test]
fn an_answer_says_what_the_server_demands_and_never_what_the_client_did() {
    let plain: Set = |it| it;
    let table: &[(Set, &str)] = &[
        (plain, ""),
        (|it| it.context_takeover(true), ""),
        (|it| it.ignore_unknown_parameters(true).fallback(true), ""),
        (|it| it.max_window_bits(15), ""),
        (|it| it.max_window_bits(10), "; max_window_bits=10"),
        (|it| it.no_context_takeover(true), "; no_context_takeover"),
        (
            |it| it.no_context_takeover(true).max_window_bits(1),
            "; max_window_bits=8; no_context_takeover",
        ),
    ];
    for (set, expected) in table {
        for offer in [
            "deflate-frame",
            "deflate-frame; max_window_bits=8",
            "deflate-frame; max_window_bits=\"9\"",
            "deflate-frame; max_window_bits=15; no_context_takeover",
            "deflate-frame; no_context_takeover",
        ] {
            let answered = answer(&only(set(new())), offer);
            let expected = format!("deflate-frame{expected}");
            assert_eq!(answered, Some(expected), "{offer}");
        }
    }
}

/// Parameters that are wrong in an offer and in an answer alike.
const WRONG: &[&str] = &[
    "max_window_bits",
    "max_window_bits=",
    "max_window_bits=0",
    "max_window_bits=7",
    "max_window_bits=16",
    "max_window_bits=07",
    "max_window_bits=08",
    "max_window_bits=010",
    "max_window_bits=+9",
    "max_window_bits=-8",
    "max_window_bits=8.0",
    "max_window_bits=\" 8 \"",
    "max_window_bits=0x8",
    "max_window_bits=1e1",
    "max_window_bits=abc",
    "max_window_bits=4294967304",
    "max_window_bits=10; max_window_bits=10",
    "no_context_takeover=1",
    "no_context_takeover=true",
    "no_context_takeover=\"\"",
    "no_context_takeover; no_context_takeover",
];

/// Parameters that nobody knows.
const UNKNOWN: &[&str] = &[
    "foo",
    "foo=bar",
    "max_window_bits=10; foo",
    "server_no_context_takeover",
    "client_max_window_bits",
    "MAX_WINDOW_BITS=10",
];

#[test]
fn a_server_declines_a_wrong_offer_and_takes_the_next() {
    for wrong in WRONG.iter().chain(UNKNOWN) {
        let header = format!("deflate-frame; {wrong}");
        let negotiated = Negotiated::accept(&only(new()), elements(&header));
        assert_eq!(negotiated.answer(), None, "{wrong}");
        let why = &negotiated.skipped()[0].why;
        assert!(matches!(why, Why::Declined(_)), "{wrong}: {why}");
        let two = format!("{header}, deflate-frame; max_window_bits=8");
        let second = answer(&only(new()), &two);
        assert_eq!(second.as_deref(), Some("deflate-frame"), "{wrong}");
    }
}

#[test]
fn a_server_that_is_told_to_ignores_what_nobody_knows_and_nothing_else() {
    let lenient = only(new().ignore_unknown_parameters(true));
    for unknown in UNKNOWN {
        let answered = answer(&lenient, &format!("deflate-frame; {unknown}"));
        assert_eq!(answered.as_deref(), Some("deflate-frame"), "{unknown}");
    }
    for wrong in WRONG {
        let answered = answer(&lenient, &format!("deflate-frame; {wrong}"));
        assert_eq!(answered, None, "{wrong}");
    }
}

#[test]
fn a_client_offers_what_it_demands() {
    let table: &[(Set, &[&str])] = &[
        (|it| it, &[""]),
        (|it| it.context_takeover(true).level(9), &[""]),
        // Nothing is demanded, so that there is nothing to fall back from.
        (|it| it.fallback(true), &[""]),
        (|it| it.max_window_bits(10), &["; max_window_bits=10"]),
        (|it| it.max_window_bits(3), &["; max_window_bits=8"]),
        (|it| it.max_window_bits(99), &[""]),
        (
            |it| it.no_context_takeover(true).fallback(true),
            &["; no_context_takeover", ""],
        ),
        (
            |it| it.no_context_takeover(true).max_window_bits(9),
            &["; max_window_bits=9; no_context_takeover"],
        ),
    ];
    for (set, expected) in table {
        let offers = set(new()).offers();
        let offers: Vec<String> = offers.iter().map(ToString::to_string).collect();
        assert_eq!(offers, *expected);
    }
}

#[test]
fn a_client_takes_any_demand_whatever_it_demanded_itself() {
    let sets: [Set; 4] = [
        |it| it,
        |it| it.max_window_bits(9),
        |it| it.no_context_takeover(true),
        |it| it.no_context_takeover(true).fallback(true),
    ];
    for set in sets {
        for answer in [
            "",
            "; max_window_bits=8",
            "; max_window_bits=15",
            "; no_context_takeover",
            "; no_context_takeover; max_window_bits=10",
        ] {
            let result = confirms(set(new()), &format!("deflate-frame{answer}"));
            assert_eq!(result, Ok(()), "{answer}");
        }
    }
}

#[test]
fn a_client_fails_for_a_wrong_answer() {
    for wrong in WRONG.iter().chain(UNKNOWN) {
        let lenient = new().ignore_unknown_parameters(true);
        for client in [new(), lenient] {
            let result = confirms(client, &format!("deflate-frame; {wrong}"));
            let declined = matches!(result, Err(Refused::Declined(..)));
            assert!(declined, "{wrong}: {result:?}");
        }
    }
    // Twice; or the other name, or another extension, which was not offered.
    assert!(confirms(new(), "deflate-frame, deflate-frame").is_err());
    assert!(confirms(DeflateFrame::webkit(), "deflate-frame").is_err());
    assert!(confirms(new(), "x-webkit-deflate-frame").is_err());
    assert!(confirms(new(), "permessage-deflate").is_err());
    let two = Negotiated::confirm(&all(), elements("deflate-frame, x-webkit-deflate-frame"));
    assert!(matches!(two, Err(Refused::Conflict(..))));
    assert_eq!(confirms(new(), ""), Ok(()));
}

/// Whether this client, after this answer, still inflates what refers to the frame before.
fn keeps_the_window(config: &DeflateFrame, answer: &str) -> bool {
    let mut halves = client(config, answer);
    let hello = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
    assert_eq!(halves.inflate(&hello).as_deref(), Ok(&b"Hello"[..]));
    halves.inflate(&[0xF2, 0x00, 0x11, 0x00, 0x00]).is_ok()
}

#[test]
fn a_client_forgets_the_servers_window_only_if_every_offer_forbade_it() {
    assert!(keeps_the_window(&new(), ""));
    // What the server demands of us says nothing of itself.
    assert!(keeps_the_window(&new(), "no_context_takeover"));
    let demanding = || new().no_context_takeover(true);
    assert!(!keeps_the_window(&demanding(), ""));
    assert!(keeps_the_window(&demanding().fallback(true), ""));
}

#[test]
fn every_configuration_agrees_with_every_other() {
    let configurations = |i: u8| {
        let it = if i & 1 == 0 {
            new()
        } else {
            DeflateFrame::webkit()
        };
        let it = it.max_window_bits(if i & 2 == 0 { 15 } else { 8 + (i >> 5) });
        it.no_context_takeover(i & 4 != 0)
            .context_takeover(i & 8 != 0)
            .fallback(i & 16 != 0)
    };
    for client in 0..=255 {
        for server in (0..=255).filter(|server| (server ^ client) & 1 == 0) {
            let extensions = only(configurations(client));
            let offers = Negotiated::offers(&extensions);
            let accepted = Negotiated::accept(&only(configurations(server)), offers);
            let answer = accepted.answer().expect("an own offer is acceptable");
            let confirmed = Negotiated::confirm(&extensions, elements(&answer));
            assert!(confirmed.is_ok(), "{client} {server} {answer}");
        }
    }
}
