//! Responses without measure, for clients.

use crate::case::{Case, Dialogue, Opening, Reaction, ResponsePlan};

const OPEN: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n";

pub(super) fn cases() -> Vec<Case> {
    let long = |length: usize| "x".repeat(length);
    let either = || ResponsePlan::new(Reaction::OpensOrGivesUp);
    let fields = |count: usize| {
        (0..count).fold(either(), |plan, number| {
            plan.with(format!("X-Field-{number}"), "x")
        })
    };
    let interim = |reaction, line: &str, count: usize| {
        let interim = format!("HTTP/1.1 {line}\r\n\r\n").repeat(count);
        ResponsePlan::new(reaction).raw(interim + OPEN)
    };
    let endless = |text: String| ResponsePlan::new(Reaction::GivesUpOrWaits).raw(text);
    let copes = "The client takes the connection for open and echoes, or gives it up.";
    let gives_up = "The client gives the connection up within three seconds; that it waits for \
        more informs.";
    let interims = "The client goes on to the response behind them.";
    let table = [
        ("100 fields more than usual", copes, fields(100)),
        ("1,000 fields more than usual", copes, fields(1_000)),
        (
            "A field of 64 KiB",
            copes,
            either().with("X-Long", long(64 << 10)),
        ),
        (
            "A field of 1 MiB",
            copes,
            either().with("X-Long", long(1 << 20)),
        ),
        (
            "A reason phrase of 64 KiB",
            copes,
            either().line(format!("HTTP/1.1 101 {}", long(64 << 10))),
        ),
        (
            "A head in pieces of one octet, as fast as they go",
            "The client takes the connection for open.",
            ResponsePlan::new(Reaction::Opens).chopped(1, 0),
        ),
        (
            "A head of which one octet comes every ten milliseconds",
            copes,
            either().chopped(1, 10),
        ),
        (
            "An interim response, 103, in front",
            interims,
            interim(Reaction::ShouldOpen, "103 Early Hints", 1),
        ),
        (
            "Two interim responses, 100, in front",
            interims,
            interim(Reaction::ShouldOpen, "100 Continue", 2),
        ),
        (
            "10,000 interim responses in front",
            copes,
            interim(Reaction::OpensOrGivesUp, "100 Continue", 10_000),
        ),
        (
            "A head of 1 MiB that does not end",
            gives_up,
            endless(format!(
                "HTTP/1.1 101 Switching Protocols\r\n{}",
                "X-More: and more\r\n".repeat(60_000)
            )),
        ),
        (
            "A status line of 1 MiB that does not end",
            gives_up,
            endless(format!("HTTP/1.1 101 {}", long(1 << 20))),
        ),
        (
            "A refusal with a body that is announced with 2^62 octets",
            gives_up,
            endless(format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{}",
                1_u64 << 62,
                long(64 << 10)
            )),
        ),
        (
            "A refusal with a chunk of 2^63 octets",
            gives_up,
            endless(
                "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\n\
                 not so much"
                    .to_owned(),
            ),
        ),
    ];
    (1..)
        .zip(table)
        .map(|(number, (title, expectation, plan))| {
            Case::new(
                format!("limits.response.{number}"),
                title,
                Dialogue::new().echo("alive"),
            )
            .expect(expectation)
            .section("RFC 6455 §4.1, §10.4; RFC 9110 §15.2")
            .opening(Opening::Response(plan))
            .for_clients()
        })
        .collect()
}
