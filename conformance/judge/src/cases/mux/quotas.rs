//! Flow control: a frame costs its payload, and one octet if it begins a message. Nobody sends more
//! than was granted.

use std::time::Duration;

use cloverleaf_reports::Verdict;

use super::{Row, case, numbered, with_quota};
use crate::case::{AMPLE, Case, Hope, Multiplexed, MultiplexedAct as Act, block, grant};
use crate::mux::{Ledger, number};

pub(super) fn cases() -> Vec<Case> {
    let rows = sending().into_iter().chain(receiving());
    numbered("quota", rows.map(|row| case(row).opening(with_quota(0))))
}

/// One frame, or so many, have come on the channel with this index, of so many octets together.
fn come(ledger: &Ledger, at: usize, frames: u64, octets: u64) -> Result<(), (Verdict, String)> {
    let channel = &ledger.channels[at];
    match (channel.frames, channel.received) == (frames, octets) {
        true => Ok(()),
        false => Err((
            Verdict::Failed,
            format!(
                "{} frames with {} octets came, not {frames} with {octets}.",
                channel.frames, channel.received
            ),
        )),
    }
}

/// The judge grants by hand.
fn strict() -> Multiplexed {
    Multiplexed::new().set(|ledger| ledger.replenishes = false)
}

/// What the subject may send.
fn sending() -> Vec<Row> {
    let open = |quota| Act::Open(quota);
    vec![
        (
            "A message where the subject may send nothing on channel 1",
            "Nothing comes before there is quota; then it comes back.",
            strict()
                .frame(0, 0x81, "Hello")
                .quiet(300)
                .send(grant(0, 6))
                .expect(Hope::text(0, "Hello")),
        ),
        (
            "A message where the subject may send nothing on a further channel",
            "Nothing comes before there is quota; then it comes back.",
            strict()
                .act(open(0))
                .frame(1, 0x81, "Hello")
                .quiet(300)
                .send(grant(1, 6))
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "A message of five octets where the subject may send three",
            "Two octets come, since a message costs one more, or nothing does; with three octets \
             more, the rest comes.",
            strict()
                .act(open(3))
                .frame(1, 0x81, "Hello")
                .quiet(300)
                .look(|ledger| {
                    come(ledger, 1, 1, 2).or_else(|_| {
                        come(ledger, 1, 0, 0)
                            .map_err(|(_, sentence)| (Verdict::NonStrict, sentence))
                    })
                })
                .send(grant(1, 3))
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "A message where the subject may send one octet at a time",
            "It comes back in as many pieces as it needs.",
            (0..6)
                .fold(
                    strict().act(open(0)).frame(1, 0x81, "Hello").quiet(100),
                    |plan, _| plan.send(grant(1, 1)),
                )
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "A ping where the subject may send nothing",
            "No pong comes before there is quota.",
            strict()
                .act(open(0))
                .frame(1, 0x89, "Ping!")
                .quiet(300)
                .send(grant(1, 6))
                .expect(Hope::pong(1, "Ping!")),
        ),
        (
            "A ping where the subject may send a part of the pong",
            "The pong comes in pieces, or when there is quota for all of it.",
            strict()
                .act(open(3))
                .frame(1, 0x89, "Ping!")
                .quiet(300)
                .send(grant(1, 3))
                .expect(Hope::pong(1, "Ping!")),
        ),
        (
            "Empty messages where the subject may send three octets",
            "Three come: each costs one octet.",
            strict()
                .act(open(3))
                .frame(1, 0x81, "")
                .expect(Hope::text(1, ""))
                .frame(1, 0x81, "")
                .expect(Hope::text(1, ""))
                .frame(1, 0x81, "")
                .expect(Hope::text(1, ""))
                .frame(1, 0x81, "")
                .quiet(300)
                .send(grant(1, 1))
                .expect(Hope::text(1, "")),
        ),
        (
            "A channel without quota, and another with much",
            "The other is not held up; the first goes on when it may.",
            strict()
                .send(grant(0, AMPLE))
                .act(open(0))
                .frame(1, 0x81, "waits")
                .echo(0, "Hello")
                .frame(1, 0x81, "too")
                .echo(0, "Hello again")
                .quiet(100)
                .send(grant(1, 20))
                .expect(Hope::text(1, "waits"))
                .expect(Hope::text(1, "too")),
        ),
        (
            "A quota of zero octets more",
            "Nothing changes.",
            strict()
                .act(open(0))
                .frame(1, 0x81, "Hello")
                .send(grant(1, 0))
                .quiet(300)
                .send(grant(1, 6))
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "A close frame where the subject may send nothing",
            "Its answer waits for quota, or the channel is dropped.",
            strict()
                .send(grant(0, AMPLE))
                .act(open(0))
                .frame(1, 0x88, [3, 0xE8])
                .act(Act::Expect(
                    vec![
                        (Verdict::Ok, Hope::DroppedAnyhow(1)),
                        (Verdict::Ok, Hope::Nothing),
                    ],
                    Duration::from_millis(300),
                ))
                .send(grant(1, 3))
                .act(Act::Expect(
                    vec![
                        (Verdict::Ok, Hope::Close(1, vec![Some(1000), None])),
                        (Verdict::Ok, Hope::Nothing),
                    ],
                    Duration::from_millis(1000),
                ))
                .look(|ledger| match ledger.channels[1].state {
                    crate::mux::State::Open => Err((
                        Verdict::Failed,
                        "The channel is neither closed nor dropped.".to_owned(),
                    )),
                    _ => Ok(()),
                })
                .echo(0, "Hello"),
        ),
        (
            "More than 2^63 - 1 octets are granted to a channel in two steps",
            "The channel is dropped with 3006, and the other goes on.",
            strict()
                .send(grant(0, AMPLE))
                .act(open(0))
                .send(grant(1, i64::MAX as u64))
                .send(grant(1, i64::MAX as u64))
                .drops(1, 3006)
                .echo(0, "Hello"),
        ),
        (
            "One octet more than 2^63 - 1 is granted to channel 1",
            "The channel is dropped with 3006, and the other goes on.",
            strict()
                .act(open(AMPLE))
                .send(grant(0, i64::MAX as u64))
                .send(grant(0, 1))
                .drops(0, 3006)
                .echo(1, "Hello"),
        ),
        (
            "2^63 - 1 octets are granted to a channel, and no more",
            "It goes on.",
            strict()
                .send(grant(0, AMPLE))
                .act(open(0))
                .send(grant(1, i64::MAX as u64))
                .echo(1, "Hello")
                .echo(0, "Hello"),
        ),
    ]
}

/// What the judge may send.
fn receiving() -> Vec<Row> {
    vec![
        (
            "As much on a further channel as the subject grants",
            "It is taken.",
            Multiplexed::two()
                .pause(200)
                .act(Act::Fill(1, 0))
                .send(grant(1, 4 * AMPLE))
                .expect(Hope::Zeros(1))
                .echo(0, "Hello"),
        ),
        (
            "One octet more on a further channel than the subject grants",
            "The channel is dropped with 3005, and the other goes on.",
            Multiplexed::two()
                .pause(200)
                .act(Act::Fill(1, 1))
                .drops(1, 3005)
                .echo(0, "Hello"),
        ),
        (
            "One octet more on channel 1 than the subject grants",
            "The channel is dropped with 3005, and the other goes on.",
            Multiplexed::two()
                .pause(200)
                .act(Act::Await(|ledger| ledger.channels[0].ours > 0, "quota"))
                .act(Act::Fill(0, 1))
                .drops(0, 3005)
                .echo(1, "Hello"),
        ),
        (
            "Forty messages of 500 octets, one after the other",
            "The subject grants again what was used, and all come back.",
            {
                let mut plan = Multiplexed::two();
                for _ in 0..40 {
                    plan = plan.echo(1, "x".repeat(500));
                }
                plan
            },
        ),
        (
            "A FlowControl whose number is the largest, on a channel that never was",
            "It is ignored.",
            Multiplexed::two()
                .octets([&[0, 0x40, 0x57], &number(i64::MAX as u64)[..]].concat())
                .octets([&[0, 0x40, 0x57], &number(i64::MAX as u64)[..]].concat())
                .send(block(0x40, 1, [0]))
                .echo(1, "Hello"),
        ),
    ]
}
