//! A server is asked for channels.

use std::time::Duration;

use cloverleaf_reports::Verdict;

use super::{Row, case, numbered};
use crate::case::{
    Case, ExpectedEnd, Hope, Multiplexed, MultiplexedAct as Act, Part, REQUEST, grant, octets,
    request,
};
use crate::mux::{Block, Happened, State, channel_id, number};

pub(super) fn cases() -> Vec<Case> {
    let rows = accepted()
        .into_iter()
        .chain(refused())
        .chain(broken())
        .chain(ids());
    numbered("channel", rows.map(|row| case(row).for_servers()))
}

/// With a slot for a second channel.
fn slot() -> Multiplexed {
    Multiplexed::one().act(Act::Await(|ledger| !ledger.slots.is_empty(), "a slot"))
}

fn answered(channel: usize) -> Hope {
    Hope::This(Happened::Answered(channel, true, Some(101)))
}

fn accepted() -> Vec<Row> {
    let ample = |channel| grant(channel, 1000);
    vec![
        (
            "A request with a whole head",
            "It is accepted with 101, and messages go on the channel.",
            slot()
                .send(request(0, 2, REQUEST))
                .expect(answered(1))
                .send(ample(1))
                .echo(1, "Hello"),
        ),
        (
            "The response to a request with a whole head",
            "It has Connection: Upgrade, and leaves out Upgrade and Sec-WebSocket-Accept, which \
             are the connection's. Others are tolerable.",
            slot()
                .send(request(0, 2, REQUEST))
                .expect(answered(1))
                .look(|ledger| {
                    let Some(head) = &ledger.channels[1].response else {
                        return Ok(());
                    };
                    let leftover = ["Upgrade", "Sec-WebSocket-Accept"]
                        .into_iter()
                        .find(|name| head.values(name).next().is_some());
                    if let Some(name) = leftover {
                        let sentence = format!("The response has {name}.");
                        return Err((Verdict::NonStrict, sentence));
                    }
                    match head.lists("Connection", "Upgrade") {
                        true => Ok(()),
                        false => Err((
                            Verdict::NonStrict,
                            "The response has no Connection: Upgrade.".to_owned(),
                        )),
                    }
                }),
        ),
        (
            "A request that differs from that of the connection in nothing",
            "It is accepted.",
            slot()
                .send(request(1, 2, "GET {target} HTTP/1.1\r\n\r\n"))
                .expect(answered(1))
                .send(ample(1))
                .echo(1, "Hello"),
        ),
        (
            "A request that differs from that of the connection in some fields",
            "It is accepted.",
            slot()
                .send(request(
                    1,
                    2,
                    "GET {target} HTTP/1.1\r\nUser-Agent:\r\nX-New: yes\r\n\r\n",
                ))
                .expect(answered(1))
                .send(ample(1))
                .echo(1, "Hello"),
        ),
        (
            "A request, and the quota for its channel in the same message",
            "The quota counts, though the channel is not open yet.",
            slot()
                .send({
                    let mut parts = request(0, 2, REQUEST);
                    parts.push(Part::Octets(Block::flow(2, 6).encode()));
                    parts
                })
                .expect(answered(1))
                .echo(1, "Hello"),
        ),
        (
            "Three requests in one message",
            "All are accepted.",
            Multiplexed::one()
                .act(Act::Await(|ledger| ledger.slots.len() >= 3, "three slots"))
                .send(
                    [2, 3, 4]
                        .into_iter()
                        .flat_map(|id| {
                            let mut parts = request(0, id, REQUEST);
                            // The channel of the message is said once.
                            if let (true, Part::Octets(start)) = (id > 2, &mut parts[0]) {
                                start.remove(0);
                            }
                            parts
                        })
                        .collect(),
                )
                .act(Act::ExpectAll((1..4).map(answered).collect()))
                .send(ample(3))
                .echo(3, "Hello"),
        ),
        (
            "A request without its last empty line",
            "It is accepted, or refused with 400.",
            slot()
                .send(request(0, 2, REQUEST.trim_end().to_owned() + "\r\n"))
                .expect_or(vec![answered(1), Hope::Refused(1)], vec![])
                .echo(0, "Hello"),
        ),
        (
            "A request in fragments of one octet of the connection",
            "It is accepted.",
            slot()
                .act(Act::Cut(request(0, 2, REQUEST), 1))
                .expect(answered(1))
                .send(ample(1))
                .echo(1, "Hello"),
        ),
    ]
}

fn refused() -> Vec<Row> {
    const REFUSED: &str = "It is refused with a status of 400 or above, and channel 1 goes on. Or the connection \
         fails with 2009.";
    let refused = |head: &str, encoding| {
        slot()
            .send(request(encoding, 2, head))
            .act(Act::Expect(
                vec![
                    (Verdict::Ok, Hope::Refused(1)),
                    (Verdict::Ok, Hope::This(Happened::AllDropped(Some(2009)))),
                    (Verdict::NonStrict, Hope::DroppedAnyhow(1)),
                ],
                Duration::from_secs(3),
            ))
            .act(Act::UnlessEnding(Multiplexed::new().echo(0, "Hello").acts))
            .end(ExpectedEnd::normal_unless_refused(&[1011]))
    };
    vec![
        ("A request that is no head", REFUSED, refused("GET /", 0)),
        (
            "A request of another version of HTTP",
            REFUSED,
            refused(
                "GET {target} HTTP/1.0\r\nHost: {host}\r\nConnection: Upgrade\r\n\r\n",
                0,
            ),
        ),
        (
            "A request with POST",
            REFUSED,
            refused(
                "POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n\r\n",
                0,
            ),
        ),
        (
            "A request without Host",
            REFUSED,
            refused("GET {target} HTTP/1.1\r\nConnection: Upgrade\r\n\r\n", 0),
        ),
        (
            "A difference that takes Host away",
            REFUSED,
            refused("GET {target} HTTP/1.1\r\nHost:\r\n\r\n", 1),
        ),
        (
            "A difference that is no head",
            REFUSED,
            refused("{target}\r\n\r\n", 1),
        ),
        (
            "A request for a resource that may not be there",
            "It is refused or accepted, and channel 1 goes on.",
            slot()
                .send(request(
                    0,
                    2,
                    "GET /surely/no/such/resource HTTP/1.1\r\nHost: {host}\r\n\
                     Connection: Upgrade\r\n\r\n",
                ))
                .expect_or(vec![Hope::Refused(1), answered(1)], vec![])
                .echo(0, "Hello"),
        ),
        (
            "A request that is refused, then one that is right",
            "The second is accepted, if the server has a slot for it.",
            slot()
                .send(request(0, 2, "GET /"))
                .act(Act::Expect(
                    vec![
                        (Verdict::Ok, Hope::Refused(1)),
                        (Verdict::Ok, Hope::This(Happened::AllDropped(Some(2009)))),
                    ],
                    Duration::from_secs(3),
                ))
                .act(Act::UnlessEnding(
                    slot()
                        .send(request(0, 3, REQUEST))
                        .expect(answered(2))
                        .echo(0, "Hello")
                        .acts,
                ))
                .end(ExpectedEnd::normal_unless_refused(&[1011])),
        ),
        (
            "A request with a head of 100,000 octets",
            "It is refused, or the connection fails with 2009 or its like. To accept it is \
             tolerable.",
            slot()
                .send(request(
                    0,
                    2,
                    format!(
                        "GET {{target}} HTTP/1.1\r\nHost: {{host}}\r\nConnection: Upgrade\r\n\
                         X: {}\r\n\r\n",
                        "x".repeat(100_000)
                    ),
                ))
                .act(Act::Expect(
                    vec![
                        (Verdict::Ok, Hope::Refused(1)),
                        (Verdict::Ok, Hope::This(Happened::AllDropped(Some(2009)))),
                        (Verdict::Ok, Hope::Ended),
                        (Verdict::NonStrict, answered(1)),
                        (
                            Verdict::NonStrict,
                            Hope::This(Happened::AllDropped(Some(2005))),
                        ),
                    ],
                    Duration::from_secs(3),
                ))
                .end(ExpectedEnd::normal_unless_refused(&[1011, 1009, 1008])),
        ),
    ]
}

/// What fails the connection.
fn broken() -> Vec<Row> {
    vec![
        (
            "A request for a channel that is open",
            "The connection fails with 2006.",
            Multiplexed::two().send(request(0, 2, REQUEST)).fails(2006),
        ),
        (
            "A request for channel 1",
            "The connection fails with 2006.",
            slot().send(request(0, 1, REQUEST)).fails(2006),
        ),
        (
            "A request for channel 0",
            "The connection fails; 2006 is the code that is nearest.",
            slot().send(request(0, 0, REQUEST)).fails(2006),
        ),
        (
            "A request in the unknown encoding 2",
            "The connection fails with 2010.",
            slot().send(request(2, 2, REQUEST)).fails(2010),
        ),
        (
            "A request in the unknown encoding 3",
            "The connection fails with 2010.",
            slot().send(request(3, 2, REQUEST)).fails(2010),
        ),
        (
            "A request shorter than its length",
            "The connection fails with 2005.",
            slot()
                .send(octets(
                    [&[0, 0, 2][..], &number(1000), b"GET / HTTP/1.1\r\n\r\n"].concat(),
                ))
                .fails(2005),
        ),
        (
            "A request that claims 2^62 octets",
            "The connection fails with 2005, or 2009.",
            {
                let mut plan =
                    slot().send(octets([&[0, 0, 2][..], &number(1 << 62), b"GET"].concat()));
                plan.end = ExpectedEnd::failed_by_subject(&[1011]);
                plan.act(Act::Fails(vec![2005, 2009]))
            },
        ),
        (
            "One request more than there are slots",
            "The channel is dropped with 2007, or the connection fails with it.",
            slot()
                .act(Act::OpenMany(1000, 0))
                .act(Act::AskBeyond)
                .act(Act::Expect(
                    vec![
                        (Verdict::Ok, Hope::This(Happened::AllDropped(Some(2007)))),
                        (Verdict::Ok, Hope::LastDropped(2007)),
                        (Verdict::NonStrict, Hope::LastRefused),
                    ],
                    Duration::from_secs(3),
                ))
                .act(Act::UnlessEnding(Multiplexed::new().echo(0, "Hello").acts))
                .end(ExpectedEnd::normal_unless_refused(&[1011])),
        ),
    ]
}

/// The number of a channel may be any, in any order.
fn ids() -> Vec<Row> {
    let last_of_each = [127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 536_870_911];
    let mut plan =
        Multiplexed::one().act(Act::Await(|ledger| ledger.slots.len() >= 7, "seven slots"));
    for (at, id) in (1..).zip(last_of_each) {
        let mut parts = request(0, id, REQUEST);
        let flow = [&[0x40], &channel_id(id)[..], &number(100)].concat();
        parts.push(Part::Octets(flow));
        plan = plan.send(parts).expect(answered(at));
    }
    for at in 0..8 {
        plan = plan.echo(at, format!("This is {at}"));
    }
    vec![
        (
            "Channels whose numbers are the first and last of each size",
            "Messages go on all of them.",
            plan,
        ),
        (
            "A channel whose number is less than that of the one before",
            "Messages go on both.",
            slot()
                .send(request(0, 300, REQUEST))
                .expect(answered(1))
                .act(Act::Await(|ledger| !ledger.slots.is_empty(), "a slot"))
                .send(request(0, 5, REQUEST))
                .expect(answered(2))
                .send(grant(1, 100))
                .send(grant(2, 100))
                .echo(1, "three hundred")
                .echo(2, "five"),
        ),
        (
            "A frame on a channel that was not asked for, then a request for it",
            "The frame is ignored, and the channel is a new one.",
            slot()
                .octets(b"\x02\x01left open".to_vec())
                .send(request(0, 2, REQUEST))
                .expect(answered(1))
                .send(grant(1, 100))
                .echo(1, "Hello")
                .look(|ledger| match ledger.channels[1].state {
                    State::Open => Ok(()),
                    _ => Err((Verdict::Failed, "The channel is not open.".to_owned())),
                }),
        ),
    ]
}
