//! Messages that inflate to much (RFC 7692 §7), for subjects with permessage-deflate.

use std::sync::LazyLock;

use super::{MUCH, alive};
use crate::case::{Act, Case, Dialogue, Expect, Negotiation, Opening};
use crate::deflate::{Block, Offer, Requirement, Stream, Symbol, bomb};
use crate::frame::Frame;

/// 16 MiB of zeros in about 16 KiB.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| bomb(16 << 20));

/// 96 MiB of zeros in about 96 KiB.
static LARGE_BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| bomb(96 << 20));

/// RSV1: the message is compressed.
const RSV1: u8 = 4;

pub(super) fn cases() -> Vec<Case> {
    let table = [
        (
            "1 MiB of zeros in 1 KiB",
            Dialogue::new()
                .send(Frame::binary(bomb(1 << 20)).rsv(RSV1))
                .expect_within(MUCH, Expect::Zeros(1 << 20)),
        ),
        (
            "16 MiB of zeros in 16 KiB",
            Dialogue::new()
                .send(Frame::binary(&**BOMB).rsv(RSV1))
                .expect_within(MUCH, Expect::Zeros(16 << 20)),
        ),
        (
            "96 MiB of zeros in 96 KiB",
            Dialogue::new()
                .send(Frame::binary(&**LARGE_BOMB).rsv(RSV1))
                .expect_within(MUCH, Expect::Zeros(96 << 20)),
        ),
        (
            "16 MiB of zeros in fragments of 1 KiB each",
            fragmented(&BOMB, 1 << 10).expect_within(MUCH, Expect::Zeros(16 << 20)),
        ),
        (
            "16 MiB of zeros in fragments of 3 octets each",
            fragmented(&BOMB, 3).expect_within(MUCH, Expect::Zeros(16 << 20)),
        ),
        (
            "Four times 1 MiB of zeros without waiting",
            (0..4).fold(
                Dialogue::new().act(Act::Flood(Frame::binary(bomb(1 << 20)).rsv(RSV1), 4)),
                |dialogue, _| dialogue.expect_within(MUCH, Expect::Zeros(1 << 20)),
            ),
        ),
        (
            "10,000 blocks without content in front of a word",
            Dialogue::new()
                .send(Frame::text(empty_blocks(10_000)).rsv(RSV1))
                .expect_within(MUCH, Expect::text("word")),
        ),
        (
            "1,000 messages that inflate to nothing",
            (0..1_000).fold(
                Dialogue::new().act(Act::Flood(Frame::text([0]).rsv(RSV1), 1_000)),
                |dialogue, _| dialogue.expect_within(MUCH, Expect::text("")),
            ),
        ),
    ];
    (1..)
        .zip(table)
        .map(|(number, (title, dialogue))| {
            let id = format!("limits.compression.{number}");
            Case::new(id, title, alive(dialogue).needs_compression())
                .expect(
                    "It comes back whole, or the subject refuses: 1009, 1008, 1002 or the end of \
                     TCP, within ten seconds.",
                )
                .section("RFC 6455 §10.4; RFC 7692 §7.2.2")
                .opening(Opening::Deflate(Negotiation {
                    offers: vec![Offer::default()],
                    requirements: vec![Requirement::default()],
                }))
        })
        .collect()
}

fn fragmented(payload: &[u8], size: usize) -> Dialogue {
    let last = payload.len().div_ceil(size) - 1;
    payload
        .chunks(size)
        .enumerate()
        .fold(Dialogue::new(), |dialogue, (at, piece)| {
            let mut frame = match at {
                0 => Frame::binary(piece).rsv(RSV1),
                _ => Frame::continuation(piece),
            };
            frame.fin = at == last;
            dialogue.send(frame)
        })
}

fn empty_blocks(count: usize) -> Vec<u8> {
    let word: Vec<Symbol> = b"word".map(Symbol::Literal).into();
    (0..count)
        .fold(Stream::new(), |stream, _| stream.block(Block::Stored(&[])))
        .block(Block::Fixed(&word))
        .flushed()
}
