//! Frames that inflate to much: cope or refuse.

use super::{RSV1, asked, more, numbered, with_frames};
use crate::case::{Case, Dialogue, Expect};
use crate::deflate::{bomb, stored};
use crate::frame::Frame;

/// The codes that a subject may refuse with.
const REFUSALS: &[u16] = &[1009, 1008, 1002];

/// How long a subject may take for much work, in milliseconds.
const MUCH: u64 = 10_000;

pub(super) fn cases() -> Vec<Case> {
    let one = |size: usize| {
        with_frames()
            .send(Frame::binary(bomb(size)).rsv(RSV1))
            .expect_within(MUCH, Expect::Zeros(size))
    };
    let bombs = (0..15).fold(
        with_frames().send(Frame::binary(bomb(1 << 20)).rsv(RSV1).not_final()),
        |dialogue, at| {
            let mut frame = more(bomb(1 << 20));
            frame.fin = at == 14;
            dialogue.send(frame)
        },
    );
    let nothing = (0..1_000).fold(
        with_frames().send(Frame::text([0]).rsv(RSV1).not_final()),
        |dialogue, _| dialogue.send(more([0]).not_final()),
    );
    let table: Vec<(&str, Dialogue)> = vec![
        ("1 MiB of zeros in 1 KiB", one(1 << 20)),
        ("96 MiB of zeros in 96 KiB", one(96 << 20)),
        (
            "16 MiB of zeros in sixteen fragments of 1 KiB each",
            bombs.expect_within(MUCH, Expect::Zeros(16 << 20)),
        ),
        (
            "1 000 fragments that inflate to nothing, and a word",
            nothing
                .send(more(stored(b"word")))
                .expect_within(MUCH, Expect::text("word")),
        ),
    ];
    let cases = table.into_iter().map(|(title, dialogue)| {
        Case::new("x", title, dialogue.echo("alive").may_refuse(REFUSALS))
            .opening(asked(""))
            .expect(
                "It comes back whole, or the subject refuses: 1009, 1008, 1002 or the end of TCP, \
                 within ten seconds.",
            )
    });
    numbered(
        "limit",
        "RFC 6455 §10.4; deflate-frame draft, receiving",
        cases.collect(),
    )
}
