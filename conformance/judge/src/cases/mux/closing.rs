//! Channels are closed as any WebSocket, and the connection with them all.

use std::time::Duration;

use cloverleaf_reports::Verdict;

use super::{Row, case, numbered};
use crate::case::{
    Case, ExpectedEnd, Hope, Multiplexed, MultiplexedAct as Act, REQUEST, frame, grant, request,
};
use crate::mux::Happened;

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = rows().into_iter().map(case).collect();
    cases.extend(again());
    cases.extend(physical().into_iter().map(case));
    numbered("close", cases)
}

const NORMAL: [u8; 2] = [0x03, 0xE8];

fn rows() -> Vec<Row> {
    const CLOSES: &str = "The close frame is answered on that channel, and the other goes on.";
    let two = Multiplexed::two;
    let normal = |channel| Hope::Close(channel, vec![Some(1000), None]);
    vec![
        (
            "A close frame on a further channel",
            CLOSES,
            two()
                .frame(1, 0x88, NORMAL)
                .expect(normal(1))
                .echo(0, "Hello"),
        ),
        (
            "A close frame on channel 1",
            CLOSES,
            two()
                .frame(0, 0x88, NORMAL)
                .expect(normal(0))
                .echo(1, "Hello"),
        ),
        (
            "A close frame without a code",
            CLOSES,
            two().frame(1, 0x88, "").expect(normal(1)).echo(0, "Hello"),
        ),
        (
            "A close frame with the code 4000 and a reason",
            CLOSES,
            two()
                .frame(1, 0x88, b"\x0F\xA0enough".to_vec())
                .expect(Hope::Close(1, vec![Some(4000), Some(1000), None]))
                .echo(0, "Hello"),
        ),
        (
            "A close frame in two fragments",
            CLOSES,
            two()
                .frame(1, 0x08, [0x03])
                .frame(1, 0x80, [0xE8])
                .expect(normal(1))
                .echo(0, "Hello"),
        ),
        (
            "A close frame in the middle of a message",
            CLOSES,
            two()
                .frame(1, 0x01, "Hel")
                .frame(1, 0x88, NORMAL)
                .expect(normal(1))
                .echo(0, "Hello"),
        ),
        (
            "Frames behind the close frame of a channel",
            "They are ignored.",
            two()
                .frame(1, 0x88, NORMAL)
                .send(frame(1, 0x81, "Hello"))
                .expect(normal(1))
                .send(frame(1, 0x89, "Ping!"))
                .send(grant(1, 5))
                .quiet(200)
                .echo(0, "Hello"),
        ),
        (
            "One of three channels is closed",
            "The other two go on.",
            Multiplexed::three()
                .frame(1, 0x88, NORMAL)
                .expect(normal(1))
                .echo(2, "Hello")
                .echo(0, "Hello"),
        ),
        (
            "Messages behind which the channel is closed",
            "They come back before the close frame.",
            two()
                .frame(1, 0x81, "one")
                .expect(Hope::text(1, "one"))
                .frame(1, 0x81, "two")
                .expect(Hope::text(1, "two"))
                .frame(1, 0x88, NORMAL)
                .expect(normal(1))
                .echo(0, "Hello"),
        ),
        (
            "A channel is opened behind one that was closed",
            "It is another one, and messages go on it.",
            two()
                .frame(1, 0x88, NORMAL)
                .expect(normal(1))
                .open()
                .echo(2, "Hello")
                .echo(0, "Hello"),
        ),
    ]
}

/// The number of a channel that is closed is free.
fn again() -> Vec<Case> {
    let accepted = |channel| Hope::This(Happened::Answered(channel, true, Some(101)));
    let slot = || Act::Await(|ledger| !ledger.slots.is_empty(), "a slot");
    vec![
        case((
            "The number of a closed channel is used again",
            "It is another channel.",
            Multiplexed::two()
                .frame(1, 0x88, NORMAL)
                .expect(Hope::Close(1, vec![Some(1000), None]))
                .act(slot())
                .send(request(0, 2, REQUEST))
                .expect(accepted(2))
                .send(grant(2, 100))
                .echo(2, "Hello")
                .echo(0, "Hello"),
        ))
        .for_servers(),
        case((
            "The number of a dropped channel is used again behind the acknowledgement",
            "It is another channel, which begins anew.",
            Multiplexed::two()
                .frame(1, 0x01, "left open")
                .send(crate::case::drop_channel(1, None))
                .expect(Hope::ack(1))
                .act(slot())
                .send(request(0, 2, REQUEST))
                .expect(accepted(2))
                .send(grant(2, 100))
                .echo(2, "Hello")
                .echo(0, "Hello"),
        ))
        .for_servers(),
    ]
}

fn physical() -> Vec<Row> {
    vec![
        (
            "A close frame of the connection while ten channels are open",
            "It is answered by a close frame of the connection.",
            Multiplexed::one()
                .act(Act::OpenMany(9, 100))
                .act(Act::CloseAll(1000))
                .expect(Hope::This(Happened::PhysicalClose(Some(1000)))),
        ),
        (
            "A close frame of the connection in the middle of a channel's message",
            "It is answered by a close frame of the connection.",
            Multiplexed::two()
                .frame(1, 0x01, "Hel")
                .act(Act::CloseAll(1000)),
        ),
        (
            "TCP ends in the direction of the subject while channels are open",
            "It ends the connection.",
            Multiplexed::three()
                .echo(1, "Hello")
                .act(Act::HalfClose)
                .act(Act::Expect(
                    vec![(Verdict::Ok, Hope::Ended)],
                    Duration::from_secs(3),
                ))
                .end(ExpectedEnd::failed_by_subject(&[
                    1000, 1001, 1002, 1006, 1011,
                ])),
        ),
    ]
}
