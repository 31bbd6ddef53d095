//! DropChannel: a channel, or the connection, ends without a closing handshake.

use std::time::Duration;

use cloverleaf_reports::Verdict;

use super::{Row, case, numbered};
use crate::case::{
    Case, ExpectedEnd, Hope, Multiplexed, MultiplexedAct as Act, Part, blocks, drop_channel, frame,
    grant,
};
use crate::mux::{Block, number};

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = rows().into_iter().map(case).collect();
    cases.extend(all().into_iter().map(case));
    cases.push(idle());
    numbered("drop", cases)
}

fn with_text(code: u16, text: &[u8]) -> Vec<Part> {
    vec![
        Part::Octets(vec![0, 0x60]),
        Part::Id(1),
        Part::Octets(
            [
                &number(2 + text.len() as u64),
                &code.to_be_bytes()[..],
                text,
            ]
            .concat(),
        ),
    ]
}

fn rows() -> Vec<Row> {
    const ACK: &str = "It is acknowledged with 3008, and the other channel goes on.";
    let two = Multiplexed::two;
    let acked = |parts| two().send(parts).expect(Hope::ack(1)).echo(0, "Hello");
    vec![
        (
            "A DropChannel without a reason",
            ACK,
            acked(drop_channel(1, None)),
        ),
        (
            "A DropChannel with the code 1000",
            ACK,
            acked(drop_channel(1, Some(1000))),
        ),
        (
            "A DropChannel with a code and a text",
            ACK,
            acked(with_text(1000, b"Success")),
        ),
        (
            "A DropChannel whose text is not UTF-8",
            ACK,
            acked(with_text(3000, &[0xFF, 0xFE])),
        ),
        (
            "A DropChannel with a text of 1,000 octets",
            ACK,
            acked(with_text(3000, &[b'*'; 1000])),
        ),
        (
            "A DropChannel of a channel with a code of the connection, 2000",
            ACK,
            acked(drop_channel(1, Some(2000))),
        ),
        (
            "A DropChannel of channel 1 while another is open",
            "It is acknowledged with 3008, and the other channel goes on.",
            two()
                .send(drop_channel(0, Some(1000)))
                .expect(Hope::ack(0))
                .echo(1, "Hello"),
        ),
        (
            "A DropChannel in the middle of a message",
            ACK,
            two()
                .frame(1, 0x01, "Hel")
                .send(drop_channel(1, None))
                .expect(Hope::ack(1))
                .echo(0, "Hello"),
        ),
        (
            "Frames and quota for a channel behind its DropChannel",
            "Nothing comes but the acknowledgement.",
            two()
                .send(drop_channel(1, None))
                .send(frame(1, 0x81, "Hello"))
                .send(frame(1, 0x80, "nothing to continue"))
                .send(grant(1, 5))
                .expect(Hope::ack(1))
                .quiet(200)
                .echo(0, "Hello"),
        ),
        (
            "A second DropChannel for the same channel",
            "The first is acknowledged; the second is for a channel that is not there.",
            two()
                .send(drop_channel(1, None))
                .send(drop_channel(1, None))
                .expect(Hope::ack(1))
                .quiet(200)
                .echo(0, "Hello"),
        ),
        (
            "An acknowledgement for a channel that never was",
            "It is ignored; above all it is not acknowledged.",
            two()
                .send(blocks(&[Block::drop(0x57, 3008)]))
                .quiet(200)
                .echo(1, "Hello"),
        ),
        (
            "A channel is opened behind one that was dropped",
            "It is another one, and messages go on it.",
            two()
                .send(drop_channel(1, None))
                .expect(Hope::ack(1))
                .open()
                .echo(2, "Hello")
                .echo(0, "Hello"),
        ),
        (
            "A channel is dropped while the subject waits for quota on it",
            "It is acknowledged, and what waited never comes.",
            Multiplexed::one()
                .act(Act::Open(0))
                .frame(1, 0x81, "never")
                .quiet(100)
                .send(drop_channel(1, None))
                .expect(Hope::ack(1))
                .send(grant(1, 100))
                .quiet(200)
                .echo(0, "Hello"),
        ),
    ]
}

/// The peer says that the connection has failed. pywebsocket does not listen.
fn all() -> Vec<Row> {
    const ALL: &str =
        "The connection ends, by a close frame or at once; to overlook it is tolerable.";
    let ends = |code: Option<u16>| {
        Multiplexed::two()
            .send(blocks(&[Block::drop(0, code)]))
            .expect_or(vec![Hope::Ended], vec![Hope::Nothing])
            .end(ExpectedEnd::normal_unless_refused(&[1011, 1002, 1001]))
    };
    vec![
        (
            "A DropChannel for channel 0 without a reason",
            ALL,
            ends(None),
        ),
        (
            "A DropChannel for channel 0 with the code 2000",
            ALL,
            ends(Some(2000)),
        ),
    ]
}

/// Nobody is obliged to wait, or not to wait.
fn idle() -> Case {
    let mut plan = Multiplexed::two()
        .act(Act::Expect(
            vec![
                (Verdict::Ok, Hope::Dropped(1, vec![3007])),
                (Verdict::Ok, Hope::Nothing),
            ],
            Duration::from_millis(1500),
        ))
        .echo(0, "Hello");
    plan.informational = true;
    case((
        "Nothing for a second and a half",
        "The channel may be dropped with 3007; most wait longer.",
        plan,
    ))
}
