//! Requests without measure, for servers.

use std::time::Duration;

use crate::case::{Answer, Case, Dialogue, Opening, RequestPlan};

/// How long the judge waits for a server to lose its patience. Many wait longer.
const PATIENCE: Duration = Duration::from_secs(12);

pub(super) fn cases() -> Vec<Case> {
    let mut cases = large();
    cases.extend(slow());
    for (number, case) in (1..).zip(&mut cases) {
        case.id = format!("limits.head.{number}").parse().expect("an id");
    }
    cases
}

fn case(title: &str, plan: RequestPlan) -> Case {
    Case::new("limits.head.0", title, Dialogue::new().echo("alive"))
        .opening(Opening::Request(plan))
        .for_servers()
}

fn large() -> Vec<Case> {
    let plan = || RequestPlan::new(Answer::OpensOrRefuses);
    let fields = |count: usize| {
        (0..count).fold(plan(), |plan, number| {
            plan.with(format!("X-Field-{number}"), "x")
        })
    };
    let long = |length: usize| "x".repeat(length);
    let listed = |item: &str, count: usize| vec![item; count].join(", ");
    let protocols: Vec<_> = (0..2_000).map(|number| format!("p{number}")).collect();
    let table = [
        ("100 fields more than usual", fields(100)),
        ("1,000 fields more than usual", fields(1_000)),
        ("10,000 fields more than usual", fields(10_000)),
        ("A field of 8 KiB", plan().with("X-Long", long(8 << 10))),
        ("A field of 64 KiB", plan().with("X-Long", long(64 << 10))),
        ("A field of 1 MiB", plan().with("X-Long", long(1 << 20))),
        (
            "A field whose name has 64 KiB",
            plan().with(long(64 << 10), "x"),
        ),
        (
            "A target of 64 KiB",
            plan().line(format!("GET /{} HTTP/1.1", long(64 << 10))),
        ),
        (
            "2,000 subprotocols",
            plan().set("Sec-WebSocket-Protocol", protocols.join(", ")),
        ),
        (
            "A subprotocol, 15,000 spaces and another",
            plan().set(
                "Sec-WebSocket-Protocol",
                format!("a,{}b", " ".repeat(15_000)),
            ),
        ),
        (
            "2,000 offers of an extension that nobody knows",
            plan().set("Sec-WebSocket-Extensions", listed("x-unknown", 2_000)),
        ),
        (
            "An extension with a quoted value of 15,000 backslashes",
            plan().set(
                "Sec-WebSocket-Extensions",
                format!("x-unknown; a=\"{}\"", "\\".repeat(15_000)),
            ),
        ),
        (
            "A request with 60,000 empty lines in front",
            plan().line(format!("{}GET {{target}} HTTP/1.1", "\r\n".repeat(60_000))),
        ),
    ];
    table
        .into_iter()
        .map(|(title, plan)| {
            case(title, plan)
                .expect(
                    "The server opens the connection and echoes, or refuses: a 4xx or 5xx \
                     response (414 and 431 are made for this), or the end of TCP, within five \
                     seconds.",
                )
                .section("RFC 6455 §4.2.1, §10.4; RFC 9112 §3; RFC 6585 §5")
        })
        .collect()
}

fn slow() -> Vec<Case> {
    let waits = || RequestPlan::new(Answer::MayGiveUpWithin(PATIENCE));
    let start = "GET {target} HTTP/1.1\r\nHost: {host}\r\n";
    let endless = format!("{start}{}", "X-More: and more\r\n".repeat(60_000));
    let line = format!("GET /{}", "x".repeat(1 << 20));
    let patient = "The server gives up within twelve seconds; that it waits longer informs.";
    let table = [
        ("A head of 1 MiB that does not end", waits().raw(endless)),
        ("A first line of 1 MiB that does not end", waits().raw(line)),
        ("Half a head, and nothing more", waits().cut(60)),
        (
            "A head of which one octet comes each second",
            waits().chopped(1, 1_000),
        ),
    ];
    let mut cases: Vec<_> = table
        .into_iter()
        .map(|(title, plan)| {
            case(title, plan)
                .expect(patient)
                .section("RFC 6455 §4.2.1, §10.4; RFC 9110 §15.5.9")
        })
        .collect();
    cases.push(
        case(
            "A head in pieces of one octet, as fast as they go",
            RequestPlan::new(Answer::Opens).chopped(1, 0),
        )
        .expect("The connection opens: TCP does not keep pieces together.")
        .section("RFC 6455 §4.2.1"),
    );
    cases.push(
        case(
            "A head in pieces of 20 octets every tenth of a second",
            RequestPlan::new(Answer::Opens).chopped(20, 100),
        )
        .expect("The connection opens: that is a slow client, not an attack.")
        .section("RFC 6455 §4.2.1"),
    );
    cases
}
