//! RFC 7692 §5 and §7.1, from both sides.

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::extension::{Extension, Extensions, Negotiated, Offer, Refused, Why};

use crate::halves::{Halves, params};

fn elements(header: &str) -> Vec<Offer> {
    let elements = header.split(',').map(str::trim).filter(|e| !e.is_empty());
    elements
        .map(|element| {
            let (name, rest) = element.split_once(';').unwrap_or((element, ""));
            Offer::new(name.trim(), params(rest))
        })
        .collect()
}

fn only(extension: PermessageDeflate) -> Extensions {
    let extensions = Extensions::new().with(extension);
    extensions.expect("a legal extension")
}

/// What this server answers to this header.
fn answer(server: PermessageDeflate, header: &str) -> Option<String> {
    Negotiated::accept(&only(server), elements(header)).answer()
}

/// Whether this client goes on after this answer.
fn confirms(client: PermessageDeflate, header: &str) -> Result<(), Refused> {
    Negotiated::confirm(&only(client), elements(header)).map(drop)
}

fn new() -> PermessageDeflate {
    PermessageDeflate::new()
}

/// Asks for nothing itself.
fn open() -> PermessageDeflate {
    new()
        .server_no_context_takeover(false)
        .client_no_context_takeover(false)
}

#[test]
fn a_server_by_default_keeps_no_window_for_anyone() {
    for offer in [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=9",
        "permessage-deflate; client_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ] {
        assert_eq!(
            answer(new(), offer).as_deref(),
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
            "{offer}"
        );
    }
}

#[test]
fn a_server_answers_each_parameter_as_the_table_says() {
    type Set = fn(PermessageDeflate) -> PermessageDeflate;
    let plain: Set = |it| it;
    let table: &[(Set, &str, Option<&str>)] = &[
        (plain, "", Some("")),
        (plain, "client_max_window_bits", Some("")),
        (plain, "client_max_window_bits=9", Some("")),
        (
            plain,
            "server_no_context_takeover",
            Some("; server_no_context_takeover"),
        ),
        (
            plain,
            "client_no_context_takeover",
            Some("; client_no_context_takeover"),
        ),
        (
            plain,
            "server_max_window_bits=8",
            Some("; server_max_window_bits=8"),
        ),
        (
            plain,
            "server_max_window_bits=10",
            Some("; server_max_window_bits=10"),
        ),
        (
            plain,
            "server_max_window_bits=15",
            Some("; server_max_window_bits=15"),
        ),
        (
            plain,
            "server_max_window_bits=\"9\"",
            Some("; server_max_window_bits=9"),
        ),
        (
            plain,
            "server_max_window_bits=9; client_max_window_bits; server_no_context_takeover",
            Some("; server_no_context_takeover; server_max_window_bits=9"),
        ),
        (
            |it| it.server_max_window_bits(12),
            "",
            Some("; server_max_window_bits=12"),
        ),
        (
            |it| it.server_max_window_bits(12),
            "server_max_window_bits=10",
            Some("; server_max_window_bits=10"),
        ),
        (
            |it| it.server_max_window_bits(12),
            "server_max_window_bits=14",
            Some("; server_max_window_bits=12"),
        ),
        (|it| it.client_max_window_bits(10), "", None),
        (
            |it| it.client_max_window_bits(10),
            "client_max_window_bits",
            Some("; client_max_window_bits=10"),
        ),
        (
            |it| it.client_max_window_bits(12),
            "client_max_window_bits=9",
            Some("; client_max_window_bits=9"),
        ),
        (
            |it| it.client_max_window_bits(9),
            "client_max_window_bits=12",
            Some("; client_max_window_bits=9"),
        ),
        (
            |it| it.server_no_context_takeover(true),
            "",
            Some("; server_no_context_takeover"),
        ),
        (
            |it| it.client_no_context_takeover(true),
            "",
            Some("; client_no_context_takeover"),
        ),
    ];
    for (set, offer, expected) in table {
        let answered = answer(set(open()), &format!("permessage-deflate; {offer}"));
        let expected = expected.map(|params| format!("permessage-deflate{params}"));
        assert_eq!(answered, expected, "{offer}");
    }
}

/// Parameters that are wrong in an offer and in an answer alike (RFC 7692 §7.1).
fn wrong_everywhere() -> Vec<String> {
    let mut wrong: Vec<String> = [
        "server_no_context_takeover=1",
        "server_no_context_takeover=\"\"",
        "client_no_context_takeover=true",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits=10; client_max_window_bits=11",
        "server_max_window_bits",
        "foo",
        "foo=1",
        "SERVER_NO_CONTEXT_TAKEOVER",
        "server_max_window_bits=10; x",
    ]
    .map(str::to_owned)
    .into();
    let values = (0..=17)
        .filter(|n| !(8..=15).contains(n))
        .map(|n| n.to_string());
    let odd = [
        "",
        "08",
        "010",
        "+8",
        "-8",
        "8.0",
        "abc",
        "0x9",
        "1e1",
        "4294967304",
        "9 9",
    ];
    for value in values.chain(odd.map(str::to_owned)) {
        wrong.push(format!("server_max_window_bits={value}"));
        wrong.push(format!("client_max_window_bits={value}"));
    }
    wrong
}

#[test]
fn a_server_declines_a_wrong_offer_and_takes_the_next() {
    for wrong in wrong_everywhere() {
        let negotiated = Negotiated::accept(
            &only(open()),
            elements(&format!("permessage-deflate; {wrong}")),
        );
        assert_eq!(negotiated.answer(), None, "{wrong}");
        assert!(
            matches!(negotiated.skipped()[0].why, Why::Declined(_)),
            "{wrong}"
        );

        let two = format!("permessage-deflate; {wrong}, permessage-deflate");
        assert_eq!(
            answer(open(), &two).as_deref(),
            Some("permessage-deflate"),
            "{wrong}"
        );
    }
}

#[test]
fn a_server_accepts_once_whatever_else_is_offered() {
    for (header, expected) in [
        ("foo, permessage-deflate", Some("permessage-deflate")),
        (
            "permessage-deflate, permessage-deflate",
            Some("permessage-deflate"),
        ),
        ("PERMESSAGE-DEFLATE", None),
        ("deflate-frame", None),
        ("", None),
    ] {
        assert_eq!(answer(open(), header).as_deref(), expected, "{header}");
    }
}

#[test]
fn window_bits_that_are_accepted_reach_a_compressor_that_works() {
    for bits in 8..=15 {
        let offer = params(&format!("server_max_window_bits={bits}"));
        for config in [new(), open()] {
            let mut server = Halves::from(config.threshold(0).accept(&offer).expect("legal"));
            let message = vec![b'x'; 1000];
            let wire = server.compress(&message).expect("compressible");
            assert_eq!(server.inflate(&wire), Ok(message));
        }
    }
}

#[test]
fn a_client_offers_what_it_wants() {
    type Set = fn(PermessageDeflate) -> PermessageDeflate;
    const PLAIN: &str = "; client_max_window_bits";
    let table: &[(Set, &[&str])] = &[
        (|it| it, &[PLAIN]),
        // Nothing is asked for, so that there is nothing to fall back from.
        (|it| it.fallback(true), &[PLAIN]),
        (
            |it| {
                it.server_no_context_takeover(false)
                    .client_no_context_takeover(false)
            },
            &[PLAIN],
        ),
        (
            |it| it.server_no_context_takeover(true),
            &["; server_no_context_takeover; client_max_window_bits"],
        ),
        (
            |it| it.client_no_context_takeover(true).fallback(true),
            &[
                "; client_no_context_takeover; client_max_window_bits",
                PLAIN,
            ],
        ),
        (
            |it| {
                it.client_max_window_bits(10)
                    .server_max_window_bits(9)
                    .fallback(true)
            },
            &[
                "; server_max_window_bits=9; client_max_window_bits=10",
                PLAIN,
            ],
        ),
        // Out of range: the nearest.
        (
            |it| it.client_max_window_bits(3),
            &["; client_max_window_bits=8"],
        ),
        (|it| it.client_max_window_bits(99), &[PLAIN]),
    ];
    for (set, expected) in table {
        let offers: Vec<String> = set(new())
            .offers()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(offers, *expected);
    }
}

#[test]
fn a_client_goes_on_or_fails_as_the_table_says() {
    type Set = fn(PermessageDeflate) -> PermessageDeflate;
    let plain: Set = |it| it;
    let ask_takeover: Set = |it| it.server_no_context_takeover(true);
    let ask_bits: Set = |it| it.server_max_window_bits(10);
    let table: &[(Set, &str, bool)] = &[
        (plain, "", true),
        // Unasked, and legal all the same.
        (plain, "server_no_context_takeover", true),
        (plain, "client_no_context_takeover", true),
        (plain, "server_max_window_bits=15", true),
        (plain, "server_max_window_bits=8", true),
        (plain, "client_max_window_bits=9", true),
        (
            plain,
            "client_max_window_bits=8; client_no_context_takeover",
            true,
        ),
        // Larger than our hint: only allows what we need not use.
        (
            |it| it.client_max_window_bits(9),
            "client_max_window_bits=12",
            true,
        ),
        (|it| it.client_max_window_bits(9), "", true),
        // Without a value it is a hint, and answers give none (§7.1.2.2).
        (plain, "client_max_window_bits", false),
        (ask_takeover, "", false),
        (ask_takeover, "client_no_context_takeover", false),
        (ask_takeover, "server_no_context_takeover", true),
        (
            |it| it.server_no_context_takeover(true).fallback(true),
            "",
            true,
        ),
        (ask_bits, "", false),
        (ask_bits, "server_max_window_bits=12", false),
        (ask_bits, "server_max_window_bits=10", true),
        (ask_bits, "server_max_window_bits=9", true),
        (
            |it| it.server_max_window_bits(10).fallback(true),
            "server_max_window_bits=12",
            true,
        ),
    ];
    for (set, answer, expected) in table {
        let result = confirms(set(new()), &format!("permessage-deflate; {answer}"));
        assert_eq!(result.is_ok(), *expected, "{answer}: {result:?}");
    }
}

#[test]
fn a_client_fails_for_a_wrong_answer() {
    for wrong in wrong_everywhere() {
        let result = confirms(new(), &format!("permessage-deflate; {wrong}"));
        assert!(
            matches!(result, Err(Refused::Declined(..))),
            "{wrong}: {result:?}"
        );
    }
    assert!(confirms(new(), "permessage-deflate, permessage-deflate").is_err());
    assert!(confirms(new(), "deflate-frame").is_err());
    assert_eq!(confirms(new(), ""), Ok(()));
}

#[test]
fn client_bits_that_no_offer_carried_fail_the_connection() {
    let client = new();
    let result = client.confirm(&[params("")], &params("client_max_window_bits=10"));
    assert!(result.is_err());
    let offered = [params(""), params("client_max_window_bits")];
    assert!(
        client
            .confirm(&offered, &params("client_max_window_bits=10"))
            .is_ok()
    );
}

#[test]
fn a_client_that_keeps_its_window_forgets_it_when_the_server_says_so() {
    for (answer, alike) in [("", false), ("client_no_context_takeover", true)] {
        let client = open().threshold(0);
        let agreement = client.confirm(&client.offers(), &params(answer));
        let mut client = Halves::from(agreement.expect("legal"));
        let message = b"the same again and again, the same again and again";
        let first = client.compress(message).expect("compressible");
        let second = client.compress(message).expect("compressible");
        assert_eq!(first == second, alike, "{answer}");
    }
}

#[test]
fn a_client_by_default_borrows_its_compressor_even_if_it_might_keep_one() {
    let client = new().threshold(0);
    let agreement = client.confirm(&client.offers(), &params(""));
    let mut halves = Halves::from(agreement.expect("legal"));
    let message = b"the same again and again, the same again and again";
    assert_eq!(halves.compress(message), halves.compress(message));
    assert!(format!("{client:?}").contains("Pool { idle: 1, lent: 0"));
}

#[test]
fn every_configuration_agrees_with_every_other() {
    let configurations = |i: u8| {
        let mut it = PermessageDeflate::new().fallback(i & 1 != 0);
        if i & 2 != 0 {
            it = it.server_no_context_takeover(i & 4 != 0);
        }
        if i & 8 != 0 {
            it = it.client_no_context_takeover(i & 16 != 0);
        }
        if i & 32 != 0 {
            it = it.server_max_window_bits(9);
        }
        if i & 64 != 0 {
            it = it.client_max_window_bits(10);
        }
        it
    };
    for client in 0..128 {
        for server in 0..128 {
            let client_extensions = only(configurations(client));
            let offers = Negotiated::offers(&client_extensions);
            let accepted = Negotiated::accept(&only(configurations(server)), offers);
            let answer = accepted.answer().expect("an own offer is acceptable");
            let confirmed = Negotiated::confirm(&client_extensions, elements(&answer));
            assert!(
                confirmed.is_ok(),
                "{client} {server} {answer}: {confirmed:?}"
            );
        }
    }
}
