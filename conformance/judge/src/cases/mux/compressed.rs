//! permessage-deflate in channels: each has a context of its own.

use super::{HELLO, HELLO_AGAIN, Row, case, compressed, numbered};
use crate::case::{Case, Hope, Multiplexed, MultiplexedAct as Act, Part, request};
use crate::frame::Frame;
use crate::mux::{Happened, Ledger};

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = rows()
        .into_iter()
        .map(|row| case(row).opening(compressed()))
        .collect();
    cases.extend(
        differences()
            .into_iter()
            .map(|row| case(row).opening(compressed()).for_servers()),
    );
    numbered("deflate", cases)
}

fn free(ledger: &Ledger, at: usize) -> Result<(), String> {
    let compression = ledger
        .channels
        .get(at)
        .and_then(|one| one.compression.as_ref());
    match compression {
        Some(compression) if compression.own_takeover && compression.own_window_bits == 15 => {
            Ok(())
        }
        Some(_) => Err("The subject asks for small windows, or none.".to_owned()),
        None => Err("permessage-deflate was not agreed on in front of mux.".to_owned()),
    }
}

const DEFLATE: &str = "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// The first channel is compressed, and so is a second one.
fn both() -> Multiplexed {
    Multiplexed::one()
        .act(Act::Need(|ledger| free(ledger, 0)))
        .set(|ledger| ledger.deflates = true)
        .act(Act::Branch(
            // A server is asked for what a client offers.
            ask(0, 2, DEFLATE).acts,
            Multiplexed::new().open().acts,
        ))
        .act(Act::Need(|ledger| free(ledger, 1)))
}

/// Asks for the next channel and grants quota.
fn ask(first: u8, id: u32, head: &str) -> Multiplexed {
    let mut parts = request(first, id, head);
    parts.push(Part::Octets(vec![0x40, id as u8, 0x7E, 0x20, 0x00]));
    Multiplexed::new()
        .act(Act::Await(|ledger| !ledger.slots.is_empty(), "a slot"))
        .send(parts)
        .expect(Hope::This(Happened::Answered(
            usize::try_from(id).unwrap_or(0) - 1,
            true,
            Some(101),
        )))
}

fn rows() -> Vec<Row> {
    vec![
        (
            "A compressed message on each of two channels, and again in terms of it",
            "All come back: each channel has a context of its own.",
            both()
                .frame(0, 0xC1, HELLO)
                .expect(Hope::text(0, "Hello"))
                .frame(1, 0xC1, HELLO)
                .expect(Hope::text(1, "Hello"))
                .frame(1, 0xC1, HELLO_AGAIN)
                .expect(Hope::text(1, "Hello"))
                .frame(0, 0xC1, HELLO_AGAIN)
                .expect(Hope::text(0, "Hello")),
        ),
        (
            "A compressed message in terms of one of another channel",
            "That channel fails, by a close frame with 1002 or 1007 or a DropChannel with 3000; the \
             other goes on.",
            both()
                .frame(0, 0xC1, HELLO)
                .expect(Hope::text(0, "Hello"))
                .frame(1, 0xC1, HELLO_AGAIN)
                .expect_or(
                    vec![
                        Hope::Close(1, vec![Some(1002), Some(1007)]),
                        Hope::Dropped(1, vec![3000]),
                    ],
                    vec![Hope::ClosedAnyhow(1), Hope::DroppedAnyhow(1), Hope::Nothing],
                )
                .frame(0, 0xC1, HELLO_AGAIN)
                .expect(Hope::text(0, "Hello")),
        ),
        (
            "Compressed messages in fragments, of two channels in turn",
            "They come back: RSV1 stands on the first frame of each.",
            both()
                .frame(0, 0x41, &HELLO[..3])
                .frame(1, 0x41, &HELLO[..1])
                .frame(0, 0x80, &HELLO[3..])
                .expect(Hope::text(0, "Hello"))
                .frame(1, 0x80, &HELLO[1..])
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "Plain messages where compression was agreed on",
            "They are taken as they are.",
            both().echo(0, "Hello").echo(1, "Hello"),
        ),
        (
            "RSV1 on a message of the connection",
            "The connection fails with 1002, or without a code: compression is for channels.",
            {
                let mut frame = Frame::binary([0x01, 0x81, 0x48]);
                frame.rsv = 4;
                both()
                    .act(Act::Physical(frame))
                    .expect(Hope::Ended)
                    .end(crate::case::ExpectedEnd::failed_by_subject(&[1002]))
            },
        ),
    ]
}

/// Requests for channels as differences: what they inherit.
fn differences() -> Vec<Row> {
    const SHORT: &str = "GET {target} HTTP/1.1\r\n\r\n";
    let first = || {
        Multiplexed::one()
            .act(Act::Need(|ledger| free(ledger, 0)))
            .act(Act::Await(|ledger| !ledger.slots.is_empty(), "a slot"))
    };
    let then =
        |plan: Multiplexed, more: Multiplexed| more.acts.into_iter().fold(plan, Multiplexed::act);
    let second_does: crate::case::Look = |ledger| match ledger.channels[1].answered_extensions() {
        list if list.contains("permessage-deflate") => Ok(()),
        list => Err((
            cloverleaf_reports::Verdict::Failed,
            format!("The second channel has the extensions {list:?}."),
        )),
    };
    let second_does_not: crate::case::Look = |ledger| match ledger.channels[1].answered_extensions()
    {
        list if list.is_empty() => Ok(()),
        list => Err((
            cloverleaf_reports::Verdict::Failed,
            format!("The second channel has the extensions {list:?}."),
        )),
    };
    let third_does_not: crate::case::Look = |ledger| match ledger.channels[2].answered_extensions()
    {
        list if list.is_empty() => Ok(()),
        list => Err((
            cloverleaf_reports::Verdict::Failed,
            format!("The third channel has the extensions {list:?}."),
        )),
    };
    let overridden: crate::case::Look = |ledger| match ledger.channels[1].answered_extensions() {
        list if list.contains("server_no_context_takeover") => Ok(()),
        list => Err((
            cloverleaf_reports::Verdict::Failed,
            format!("The second channel has the extensions {list:?}."),
        )),
    };
    vec![
        (
            "A request that differs in nothing",
            "The channel has permessage-deflate, as channel 1 has.",
            then(first(), ask(1, 2, SHORT))
                .look(second_does)
                .frame(1, 0xC1, HELLO)
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "A request that takes the extensions away, by an empty field in small letters",
            "The channel has none.",
            then(
                first(),
                ask(
                    1,
                    2,
                    "GET {target} HTTP/1.1\r\nsec-websocket-extensions:\r\n\r\n",
                ),
            )
            .look(second_does_not)
            .echo(1, "Hello"),
        ),
        (
            "A request with other extensions than the first",
            "The channel has those.",
            then(
                first(),
                ask(
                    1,
                    2,
                    "GET {target} HTTP/1.1\r\nSec-WebSocket-Extensions: permessage-deflate; \
                     server_no_context_takeover\r\n\r\n",
                ),
            )
            .look(overridden)
            .frame(1, 0xC1, HELLO)
            .expect(Hope::text(1, "Hello")),
        ),
        (
            "A whole request without extensions, then one that differs in nothing",
            "Neither channel has extensions: a whole request that is accepted is what later ones \
             differ from.",
            then(
                then(first(), ask(0, 2, crate::case::REQUEST)),
                ask(1, 3, SHORT),
            )
            .look(second_does_not)
            .look(third_does_not)
            .echo(1, "Hello")
            .echo(2, "Hello"),
        ),
        (
            "A request that takes the extensions away, then one that differs in nothing",
            "The third channel has them: a difference is nothing that others differ from.",
            then(
                then(
                    first(),
                    ask(
                        1,
                        2,
                        "GET {target} HTTP/1.1\r\nSec-WebSocket-Extensions:\r\n\r\n",
                    ),
                ),
                ask(1, 3, SHORT),
            )
            .look(second_does_not)
            .look(|ledger| match ledger.channels[2].answered_extensions() {
                list if list.contains("permessage-deflate") => Ok(()),
                list => Err((
                    cloverleaf_reports::Verdict::Failed,
                    format!("The third channel has the extensions {list:?}."),
                )),
            })
            .echo(2, "Hello"),
        ),
    ]
}
