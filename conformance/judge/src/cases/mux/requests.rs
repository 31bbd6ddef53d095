//! A client asks for channels.

use std::time::Duration;

use cloverleaf_reports::Verdict;

use super::{Row, case, numbered};
use crate::case::{
    AMPLE, Case, ExpectedEnd, Hope, Multiplexed, MultiplexedAct as Act, Part, block, blocks, octets,
};
use crate::http::Head;
use crate::mux::{Block, Happened, number};

pub(super) fn cases() -> Vec<Case> {
    let rows = slots().into_iter().chain(answers()).chain(broken());
    numbered("request", rows.map(|row| case(row).for_clients()))
}

fn asked(channel: usize) -> Hope {
    Hope::This(Happened::Requested(channel))
}

fn give(slots: u64, quota: u64) -> Vec<Part> {
    blocks(&[Block::slots(slots, quota)])
}

fn slots() -> Vec<Row> {
    vec![
        (
            "No slot is given",
            "The client asks for no channel.",
            Multiplexed::one()
                .echo(0, "Hello")
                .quiet(500)
                .echo(0, "Hello"),
        ),
        (
            "One slot is given",
            "The client asks for one channel, and messages go on it.",
            Multiplexed::two().echo(1, "Hello").quiet(300),
        ),
        (
            "Three slots are given at once",
            "The client asks for three channels.",
            Multiplexed::one()
                .send(give(3, AMPLE))
                .act(Act::ExpectAll((1..4).map(asked).collect()))
                .echo(1, "one")
                .echo(3, "three")
                .echo(2, "two"),
        ),
        (
            "Slots of different quotas",
            "The oldest is used first: what the client sends on each shows it, and is never more.",
            Multiplexed::one()
                .set(|ledger| ledger.replenishes = false)
                .send(blocks(&[Block::slots(1, 3), Block::slots(1, AMPLE)]))
                .act(Act::ExpectAll(vec![asked(1), asked(2)]))
                .frame(1, 0x81, "Hello")
                .frame(2, 0x81, "Hello")
                .expect(Hope::text(2, "Hello"))
                .quiet(200)
                .send(crate::case::grant(1, 3))
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "A request for a channel",
            "It is for the same resource, has Host and Connection: Upgrade, and leaves out what the \
             connection's has said. Others are tolerable.",
            Multiplexed::two().look(|ledger| {
                let head = ledger.channels[1].request.as_ref();
                head.map_or(Ok(()), |head| {
                    a_request(head).map_err(|sentence| (Verdict::NonStrict, sentence))
                })
            }),
        ),
        (
            "Quota of the server on a channel that the client asked for",
            "The client grants some behind its request, or the server could never send.",
            Multiplexed::two().act(Act::Await(
                |ledger| ledger.channels[1].granted > 0,
                "a FlowControl for the channel",
            )),
        ),
        (
            "No slots here any more",
            "The channels that are there go on.",
            Multiplexed::two()
                .octets([0x00, 0x81, 0x00, 0x00])
                .quiet(200)
                .echo(1, "Hello")
                .echo(0, "Hello"),
        ),
        (
            "No slots here any more, and one slot",
            "The connection fails with 2005; to overlook it is tolerable.",
            Multiplexed::one()
                .octets([0x00, 0x81, 0x01, 0x05])
                .act(Act::Expect(
                    vec![
                        (Verdict::Ok, Hope::This(Happened::AllDropped(Some(2005)))),
                        (Verdict::NonStrict, Hope::Ended),
                        (Verdict::NonStrict, Hope::Nothing),
                    ],
                    Duration::from_millis(500),
                ))
                .end(ExpectedEnd::normal_unless_refused(&[1011, 1002])),
        ),
        (
            "2^63 slots or more, in two steps",
            "The connection fails with 2008; to count no further is tolerable.",
            Multiplexed::one()
                .send(give(i64::MAX as u64, 0))
                .pause(200)
                .act(Act::Forget)
                .send(give(i64::MAX as u64, 0))
                .act(Act::Expect(
                    vec![
                        (Verdict::Ok, Hope::This(Happened::AllDropped(Some(2008)))),
                        (Verdict::NonStrict, Hope::Ended),
                        (Verdict::NonStrict, Hope::Nothing),
                    ],
                    Duration::from_millis(500),
                ))
                .end(ExpectedEnd::normal_unless_refused(&[1011, 1002])),
        ),
    ]
}

/// What a request for a channel says, and what it leaves out.
fn a_request(head: &Head) -> Result<(), String> {
    let words: Vec<_> = head.start_line.split(' ').collect();
    if !matches!(words[..], ["GET", _, "HTTP/1.1"]) {
        return Err(format!("The request begins with {:?}.", head.start_line));
    }
    for name in ["Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version"] {
        if head.values(name).next().is_some() {
            return Err(format!("The request has {name}."));
        }
    }
    if head.value("Host").is_none() {
        return Err("The request has no Host.".to_owned());
    }
    match head.lists("Connection", "Upgrade") {
        true => Ok(()),
        false => Err("The request has no Connection: Upgrade.".to_owned()),
    }
}

/// A slot, for which the client asks; the case answers.
fn asks() -> Multiplexed {
    Multiplexed::one()
        .set(|ledger| ledger.answers = false)
        .send(give(1, AMPLE))
        .expect(asked(1))
}

/// A response for a channel, with this first octet.
fn response(first: u8, head: &str) -> Vec<Part> {
    block(
        first,
        1,
        [&number(head.len() as u64), head.as_bytes()].concat(),
    )
}

const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\n\r\n";

fn answers() -> Vec<Row> {
    const OTHERS: &str = "That is the end of that channel; the others go on.";
    vec![
        (
            "A request is refused",
            OTHERS,
            asks()
                .send(response(0x30, FORBIDDEN))
                .quiet(200)
                .echo(0, "Hello"),
        ),
        (
            "A request is refused twice, as pywebsocket does",
            OTHERS,
            asks()
                .send(response(0x30, FORBIDDEN))
                .send(response(0x30, FORBIDDEN))
                .quiet(200)
                .echo(0, "Hello"),
        ),
        (
            "A request is accepted twice",
            "The second response is ignored.",
            asks()
                .send(response(0x20, ACCEPTED))
                .send(response(0x20, ACCEPTED))
                .quiet(100)
                .echo(1, "Hello")
                .echo(0, "Hello"),
        ),
        (
            "A request is refused, and another slot is given",
            "The client asks again.",
            asks()
                .send(response(0x30, FORBIDDEN))
                .set(|ledger| ledger.answers = true)
                .send(give(1, AMPLE))
                .expect(asked(2))
                .echo(2, "Hello"),
        ),
        (
            "A request is dropped with 2007, as pywebsocket does",
            "It is acknowledged, and the others go on.",
            asks()
                .send(crate::case::drop_channel(1, Some(2007)))
                .expect(Hope::ack(1))
                .quiet(100)
                .echo(0, "Hello"),
        ),
        (
            "A request is accepted with a head that differs from earlier ones in nothing",
            "The channel is open.",
            asks()
                .send(response(0x21, "HTTP/1.1 101 Switching Protocols\r\n\r\n"))
                .echo(1, "Hello"),
        ),
        (
            "A request is accepted with a head without its last empty line",
            "The channel is open, or fails.",
            asks()
                .send(response(
                    0x20,
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n",
                ))
                .act(Act::Expect(
                    vec![
                        (Verdict::Ok, Hope::DroppedAnyhow(1)),
                        (Verdict::Ok, Hope::This(Happened::AllDropped(Some(2011)))),
                        (Verdict::Ok, Hope::Nothing),
                    ],
                    Duration::from_millis(200),
                ))
                .end(ExpectedEnd::normal_unless_refused(&[1011])),
        ),
        (
            "A channel is accepted with a subprotocol that nobody asked for",
            "The client drops that channel, or fails the connection with 2011.",
            asks()
                .send(response(
                    0x20,
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Protocol: unheard-of\r\n\r\n",
                ))
                .act(Act::Expect(
                    vec![
                        (Verdict::Ok, Hope::DroppedAnyhow(1)),
                        (Verdict::Ok, Hope::ClosedAnyhow(1)),
                        (Verdict::Ok, Hope::This(Happened::AllDropped(Some(2011)))),
                    ],
                    Duration::from_secs(3),
                ))
                .act(Act::UnlessEnding(Multiplexed::new().echo(0, "Hello").acts))
                .end(ExpectedEnd::normal_unless_refused(&[1011])),
        ),
    ]
}

fn broken() -> Vec<Row> {
    let fails = |head: &str, first| asks().send(response(first, head)).fails(2011);
    vec![
        (
            "A response for a channel that nobody asked for",
            "The connection fails with 2011.",
            Multiplexed::one()
                .send(octets(Block::message(&[Block::response(
                    99, false, ACCEPTED,
                )])))
                .fails(2011),
        ),
        (
            "A response in the unknown encoding 2",
            "The connection fails with 2012.",
            asks().send(response(0x22, ACCEPTED)).fails(2012),
        ),
        (
            "A refusal in the unknown encoding 3",
            "The connection fails with 2012.",
            asks().send(response(0x33, FORBIDDEN)).fails(2012),
        ),
        (
            "A response that is no head",
            "The connection fails with 2011; to drop the channel is tolerable.",
            fails("this is no head", 0x20).tolerating_a_drop(),
        ),
        (
            "A response that is empty",
            "The connection fails with 2011; to drop the channel is tolerable.",
            fails("", 0x20).tolerating_a_drop(),
        ),
        (
            "A response shorter than its length",
            "The connection fails with 2005.",
            asks()
                .send(block(
                    0x20,
                    1,
                    [&number(200), &b"HTTP/1.1 101"[..]].concat(),
                ))
                .fails(2005),
        ),
    ]
}

impl Multiplexed {
    /// Instead of failing the connection the client may drop its second channel.
    fn tolerating_a_drop(mut self) -> Self {
        let codes = match self.acts.pop() {
            Some(Act::Fails(codes)) => codes,
            _ => Vec::new(),
        };
        let fails = codes
            .into_iter()
            .map(|code| (Verdict::Ok, Hope::This(Happened::AllDropped(Some(code)))));
        let hopes = fails.chain([
            (Verdict::NonStrict, Hope::DroppedAnyhow(1)),
            (Verdict::NonStrict, Hope::Ended),
        ]);
        self.act(Act::Expect(hopes.collect(), Duration::from_secs(3)))
            .end(ExpectedEnd::normal_unless_refused(&[1011]))
    }
}
