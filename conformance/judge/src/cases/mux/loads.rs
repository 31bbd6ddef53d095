//! Many channels, large messages, floods.

use std::time::Duration;

use super::{Row, case, numbered, with_quota};
use crate::case::{
    Case, ExpectedEnd, Multiplexed, MultiplexedAct as Act, Part, block, blocks, frame, grant,
    octets,
};
use crate::mux::Block;

pub(super) fn cases() -> Vec<Case> {
    let row = |row: Row| case(row).opening(with_quota(0));
    let mut cases: Vec<_> = rows().into_iter().map(row).collect();
    cases.push(
        case((
            "Channels opened and dropped at once, 2,000 of them",
            "The server gives slots for them, or no more, or fails the connection; it goes on then \
             or ends, and does not hang.",
            Multiplexed::one()
                .act(Act::Await(|ledger| !ledger.slots.is_empty(), "a slot"))
                .act(Act::Churn(2000))
                .act(Act::Survives)
                .end(ExpectedEnd::normal_unless_refused(&[1011, 1008, 1002])),
        ))
        .for_servers(),
    );
    cases.push(
        case((
            "Requests without a slot, 2,000 of them",
            "The server drops them or fails the connection, and does not hang.",
            Multiplexed::one()
                .act(Act::Flood(
                    {
                        let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n";
                        let request = Block::request(2, head).encode();
                        let drop = Block::drop(2, None).encode();
                        octets([&[0], &request[..], &drop].concat())
                    },
                    2000,
                ))
                .act(Act::Survives)
                .end(ExpectedEnd::normal_unless_refused(&[1011, 1008, 1002])),
        ))
        .for_servers(),
    );
    numbered("load", cases)
}

fn rows() -> Vec<Row> {
    vec![
        (
            "A message of 1 MiB on each of two channels",
            "They come back: each end sends what it may, and grants again what was used.",
            Multiplexed::two().act(Act::Load(1 << 20)),
        ),
        (
            "A message of 64 KiB on each of ten channels, none of which may be answered at first",
            "All come back; when the first is back, of each other half should be.",
            Multiplexed::new()
                .set(|ledger| ledger.replenishes = false)
                .act(Act::OpenMany(9, 0))
                .act(Act::Load(64 << 10)),
        ),
        (
            "The same on 65 channels, or as many as there are slots for",
            "All come back; when the first is back, of each other half should be.",
            Multiplexed::new()
                .set(|ledger| ledger.replenishes = false)
                .act(Act::OpenMany(64, 0))
                .act(Act::Load(64 << 10)),
        ),
        (
            "A channel that is full in both directions, and a hundred messages of another",
            "The other is not held up.",
            {
                let plan = Multiplexed::one()
                    .act(Act::Open(0))
                    .pause(100)
                    .act(Act::Fill(1, 0));
                (0..100).fold(plan, |plan, _| plan.echo(0, "Hello"))
            },
        ),
        (
            "10,000 quotas of zero octets",
            "Nothing changes.",
            Multiplexed::two()
                .act(Act::Flood(block(0x40, 1, [0]), 10_000))
                .echo(1, "Hello"),
        ),
        (
            "10,000 frames, quotas and ends of a channel that never was",
            "They are ignored.",
            Multiplexed::two()
                .act(Act::Flood(
                    blocks(&[Block::drop(0x57, None), Block::flow(0x57, 1)]),
                    5_000,
                ))
                .act(Act::Flood(
                    vec![Part::Octets(b"\x57\x01left open".to_vec())],
                    5_000,
                ))
                .echo(1, "Hello"),
        ),
        (
            "1,000 pings on a channel that may not answer",
            "The channel copes or is dropped, and the other goes on.",
            Multiplexed::one()
                .act(Act::Open(0))
                .pause(100)
                .act(Act::Flood(frame(1, 0x89, ""), 1_000))
                .act(Act::Expect(
                    vec![
                        (
                            cloverleaf_reports::Verdict::Ok,
                            crate::case::Hope::DroppedAnyhow(1),
                        ),
                        (cloverleaf_reports::Verdict::Ok, crate::case::Hope::Nothing),
                    ],
                    Duration::from_millis(300),
                ))
                .echo(0, "Hello")
                .send(grant(0, 100)),
        ),
    ]
}
