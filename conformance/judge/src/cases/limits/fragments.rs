//! Many fragments, many messages.

use super::{MUCH, alive};
use crate::case::{Act, Case, Dialogue, Expect};
use crate::frame::Frame;

pub(super) fn cases() -> Vec<Case> {
    let empty = |count| {
        Dialogue::new()
            .send(Frame::text("").not_final())
            .act(Act::Flood(Frame::continuation("").not_final(), count))
            .send(Frame::continuation("end"))
            .expect_within(MUCH, Expect::text("end"))
    };
    let tiny = |count: u32| {
        Dialogue::new()
            .send(Frame::text("").not_final())
            .act(Act::Flood(Frame::continuation("x").not_final(), count))
            .send(Frame::continuation(""))
            .expect_within(MUCH, Expect::text(vec![b'x'; count as usize]))
    };
    let table = [
        ("1,000 empty fragments in front of the last", empty(1_000)),
        (
            "100,000 empty fragments in front of the last",
            empty(100_000),
        ),
        ("1,000 fragments of one octet", tiny(1_000)),
        ("16,384 fragments of one octet", tiny(16_384)),
        ("100,000 fragments of one octet", tiny(100_000)),
        (
            "A message of 1 MiB in 64 fragments",
            Dialogue::new()
                .act(Act::Message(vec![0xC3; 1 << 20], true, Some((1 << 14) + 1)))
                .expect_within(MUCH, Expect::binary(vec![0xC3; 1 << 20])),
        ),
        (
            "A message that stays unfinished for a second, and a ping",
            Dialogue::new()
                .send(Frame::text("be ").not_final())
                .pause(1_000)
                .send(Frame::ping("still here?"))
                .expect(Expect::Pong(b"still here?".to_vec()))
                .send(Frame::continuation("patient"))
                .expect(Expect::text("be patient")),
        ),
        (
            "1,000 empty messages without waiting",
            echoed(
                Dialogue::new().act(Act::Flood(Frame::text(""), 1_000)),
                "",
                1_000,
            ),
        ),
        (
            "1,000 messages of one octet without waiting",
            echoed(
                Dialogue::new().act(Act::Flood(Frame::text("x"), 1_000)),
                "x",
                1_000,
            ),
        ),
    ];
    (1..)
        .zip(table)
        .map(|(number, (title, dialogue))| {
            Case::new(format!("limits.fragments.{number}"), title, alive(dialogue))
                .expect(
                    "All is echoed, or the subject refuses: 1009, 1008, 1002 or the end of TCP, \
                     within ten seconds.",
                )
                .section("RFC 6455 §5.4, §10.4")
        })
        .collect()
}

fn echoed(dialogue: Dialogue, payload: &str, count: usize) -> Dialogue {
    (0..count).fold(dialogue, |dialogue, _| {
        dialogue.expect_within(MUCH, Expect::text(payload))
    })
}
