//! Many control frames at once.

use std::time::Duration;

use super::{MUCH, alive};
use crate::case::{Act, Case, Dialogue, Expect};
use crate::frame::Frame;

pub(super) fn cases() -> Vec<Case> {
    let table = [
        (
            "Ten pings in one segment",
            "Each is answered, or some of them, in their order, up to the last.",
            pinged(Dialogue::new(), &payloads(10, 4)),
        ),
        (
            "1,000 pings without waiting",
            "Each is answered, or some of them, in their order, up to the last.",
            pinged(Dialogue::new(), &payloads(1_000, 4)),
        ),
        (
            "1,000 pings of 125 octets without waiting",
            "Each is answered, or some of them, in their order, up to the last.",
            pinged(Dialogue::new(), &payloads(1_000, 125)),
        ),
        (
            "1,000 pings between two fragments",
            "The pings are answered as far as the subject likes, the last of them surely; then \
             the message is echoed.",
            pinged(
                Dialogue::new().send(Frame::text("one ").not_final()),
                &payloads(1_000, 4),
            )
            .send(Frame::continuation("message"))
            .expect_within(MUCH, Expect::text("one message")),
        ),
        (
            "10,000 pongs that nobody asked for",
            "They are ignored.",
            Dialogue::new().act(Act::Flood(Frame::pong("unasked"), 10_000)),
        ),
        (
            "10,000 pongs that nobody asked for, between two fragments",
            "They are ignored, and the message is echoed.",
            Dialogue::new()
                .send(Frame::text("one ").not_final())
                .act(Act::Flood(Frame::pong(""), 10_000))
                .send(Frame::continuation("message"))
                .expect_within(MUCH, Expect::text("one message")),
        ),
    ];
    (1..)
        .zip(table)
        .map(|(number, (title, expectation, dialogue))| {
            Case::new(format!("limits.control.{number}"), title, alive(dialogue))
                .expect(expectation)
                .section("RFC 6455 §5.5.2, §5.5.3, §10.4")
        })
        .collect()
}

/// Payloads that are all different, of so many octets.
fn payloads(count: usize, length: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| format!("{number:0length$}").into_bytes())
        .collect()
}

/// Sends pings with these payloads, and waits for the pongs to come up to the last.
fn pinged(dialogue: Dialogue, payloads: &[Vec<u8>]) -> Dialogue {
    payloads
        .iter()
        .fold(dialogue, |dialogue, payload| {
            dialogue.send(Frame::ping(&**payload))
        })
        .act(Act::Pongs(payloads.to_vec(), Duration::from_millis(MUCH)))
}
