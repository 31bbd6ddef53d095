//! Encapsulating messages: data messages of the connection that carry a frame of a channel, or
//! control blocks; and what the connection has of its own.

use super::{Row, case, numbered};
use crate::case::{Case, Hope, Multiplexed, MultiplexedAct as Act, Part, drop_channel, frame};
use crate::frame::Frame;
use crate::mux::Happened;

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = broken().into_iter().map(case).collect();
    cases.extend(too_long());
    cases.extend(cut().into_iter().map(case));
    cases.extend(physical().into_iter().map(case));
    numbered("message", cases)
}

fn broken() -> Vec<Row> {
    const CUT: &str = "The connection fails with 2002: there is no channel id.";
    const FRAME: &str = "The connection fails with 2003: there is no frame.";
    const TEXT: &str = "The connection fails with 2001.";
    let two = Multiplexed::two;
    let sends = |message: &[u8], code| two().octets(message).fails(code);
    vec![
        ("An empty message", CUT, sends(&[], 2002)),
        (
            "A channel id of two octets, cut off",
            CUT,
            sends(&[0x80], 2002),
        ),
        (
            "A channel id of three octets, cut off",
            CUT,
            sends(&[0xC0, 0x40], 2002),
        ),
        (
            "A channel id of four octets, cut off",
            CUT,
            sends(&[0xE0, 0x20, 0x00], 2002),
        ),
        ("A channel id without a frame", FRAME, sends(&[0x01], 2003)),
        (
            "A long channel id without a frame",
            FRAME,
            sends(&[0xC0, 0x40, 0x00], 2003),
        ),
        (
            "A text message of the connection with a control block",
            TEXT,
            two()
                .act(Act::Physical(Frame::text([0x00, 0x60, 0x01, 0x00])))
                .fails(2001),
        ),
        (
            "A text message of the connection with a frame of a channel",
            TEXT,
            two()
                .act(Act::Physical(Frame::text([0x01, 0x01, 0x48])))
                .fails(2001),
        ),
    ]
}

/// Nobody knows with which code the draft had them fail, and pywebsocket takes them.
fn too_long() -> Vec<Case> {
    const LONG: &str = "The connection should fail with 2002; pywebsocket takes such ids.";
    let row = |title, octets: &[u8]| {
        let mut parts = vec![Part::Octets(octets.to_vec())];
        parts.push(Part::Octets(b"\x81Hello".to_vec()));
        let plan = Multiplexed::two()
            .send(parts)
            .act(Act::Expect(
                vec![
                    (
                        cloverleaf_reports::Verdict::Ok,
                        Hope::This(Happened::AllDropped(Some(2002))),
                    ),
                    (
                        cloverleaf_reports::Verdict::NonStrict,
                        Hope::This(Happened::AllDropped(Some(2005))),
                    ),
                    (cloverleaf_reports::Verdict::NonStrict, Hope::Ended),
                    (
                        cloverleaf_reports::Verdict::NonStrict,
                        Hope::text(0, "Hello"),
                    ),
                ],
                std::time::Duration::from_secs(3),
            ))
            .end(crate::case::ExpectedEnd::normal_unless_refused(&[
                1011, 1002,
            ]));
        case((title, LONG, plan))
    };
    vec![
        row("The channel id 1 in two octets", &[0x80, 0x01]),
        row("The channel id 1 in three octets", &[0xC0, 0x00, 0x01]),
        row("The channel id 1 in four octets", &[0xE0, 0x00, 0x00, 0x01]),
    ]
}

/// Messages in fragments of the connection: they are put together before they are read.
fn cut() -> Vec<Row> {
    const WHOLE: &str = "It is put together, and read then.";
    vec![
        (
            "A frame of a channel in two fragments of the connection",
            WHOLE,
            Multiplexed::two()
                .act(Act::Cut(frame(1, 0x81, "Hello"), 5))
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "A frame of a channel in fragments of one octet",
            WHOLE,
            Multiplexed::two()
                .act(Act::Cut(frame(1, 0x82, "Hello"), 1))
                .expect(Hope::binary(1, "Hello")),
        ),
        (
            "Control blocks in fragments of one octet",
            WHOLE,
            Multiplexed::two()
                .act(Act::Cut(drop_channel(1, Some(1000)), 1))
                .expect(Hope::ack(1))
                .echo(0, "Hello"),
        ),
        (
            "A frame of a channel in fragments of the connection, of which the first is empty, with \
             a ping of the connection between them",
            "The pong comes first; then the message.",
            Multiplexed::two()
                .act(Act::Physical(Frame::binary("").not_final()))
                .act(Act::Physical(Frame::ping("between")))
                .expect(Hope::This(Happened::PhysicalPong(b"between".to_vec())))
                .act(Act::Physical(Frame::continuation(
                    b"\x01\x81Hello".to_vec(),
                )))
                .expect(Hope::text(0, "Hello")),
        ),
    ]
}

fn physical() -> Vec<Row> {
    vec![
        (
            "A ping of the connection",
            "It is answered by a pong of the connection.",
            Multiplexed::two()
                .act(Act::Physical(Frame::ping("phys")))
                .expect(Hope::This(Happened::PhysicalPong(b"phys".to_vec())))
                .echo(1, "Hello"),
        ),
        (
            "A ping of the connection between the fragments of a channel's message",
            "It is answered; the message is not affected.",
            Multiplexed::two()
                .frame(1, 0x01, "Hel")
                .act(Act::Physical(Frame::ping("phys")))
                .expect(Hope::This(Happened::PhysicalPong(b"phys".to_vec())))
                .frame(1, 0x80, "lo")
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "Frames, quota and the end of a channel that never was",
            "They are ignored.",
            Multiplexed::two()
                .octets(b"\x57\x81Hello".to_vec())
                .octets(b"\x00\x40\x57\x05".to_vec())
                .octets(b"\x00\x60\x57\x00".to_vec())
                .octets(b"\xC0\x40\x00\x89".to_vec())
                .quiet(200)
                .echo(0, "Hello")
                .echo(1, "Hello"),
        ),
        (
            "A frame behind its channel, whose octets look like control blocks",
            "It is a message, and comes back.",
            Multiplexed::one()
                .frame(0, 0x82, [0, 0x60, 1, 0])
                .expect(Hope::binary(0, [0, 0x60, 1, 0])),
        ),
        (
            "A control message with a FlowControl of one octet, a hundred times",
            "Each takes effect: a message comes back that needs them all.",
            Multiplexed::one()
                .set(|ledger| ledger.replenishes = false)
                .act(Act::Open(0))
                .send(every(100))
                .echo(1, "x".repeat(99)),
        ),
    ]
}

/// A message with so many grants of one octet for the second channel.
fn every(times: usize) -> Vec<Part> {
    let grant = [Part::Octets(vec![0x40]), Part::Id(1), Part::Octets(vec![1])];
    let mut parts = vec![Part::Octets(vec![0])];
    parts.extend((0..times).flat_map(|_| grant.clone()));
    parts
}
