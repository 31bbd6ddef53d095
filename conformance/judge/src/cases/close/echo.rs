//! What should come back exactly: payloads of pings, and large messages.

use cloverleaf_reports::Verdict;

use super::SOON;
use crate::case::{Act, Case, Dialogue, Expect};
use crate::frame::Frame;
use crate::random::Random;

pub(super) fn control() -> Vec<Case> {
    let every: Vec<u8> = (131..=255).collect();
    let low: Vec<u8> = (0..125).collect();
    let ping = |dialogue: Dialogue, payload: &[u8]| {
        dialogue
            .send(Frame::ping(payload))
            .expect_within(SOON, Expect::Pong(payload.to_vec()))
    };
    let mut in_turn = Dialogue::new();
    for number in 0..10 {
        in_turn = ping(in_turn, format!("ping {number}").as_bytes());
    }
    let table = [
        (
            "Pings with every octet there is",
            "Each pong has exactly the payload of its ping.",
            "RFC 6455 §5.5.3",
            ping(ping(Dialogue::new(), &low), &every),
        ),
        (
            "Ten pings, each when the last was answered",
            "Each is answered with its own payload.",
            "RFC 6455 §5.5.2, §5.5.3",
            in_turn,
        ),
        (
            "An empty ping between two others",
            "Its pong is empty, too.",
            "RFC 6455 §5.5.3",
            ping(ping(ping(Dialogue::new(), b"one"), b""), b"three"),
        ),
        (
            "A pong that nobody asked for",
            "Nothing comes; the next message is echoed.",
            "RFC 6455 §5.5.3",
            Dialogue::new()
                .send(Frame::pong("unasked"))
                .quiet(200)
                .echo("still here?"),
        ),
        (
            "A pong between two fragments",
            "It is ignored, and the message is echoed.",
            "RFC 6455 §5.4, §5.5.3",
            Dialogue::new()
                .send(Frame::text("one ").not_final())
                .send(Frame::pong("unasked"))
                .send(Frame::continuation("message"))
                .expect(Expect::text("one message")),
        ),
        (
            "A ping in the middle of a message that is not finished",
            "The pong comes before the message ends; later is tolerable.",
            "RFC 6455 §5.4, §5.5.2",
            Dialogue::new()
                .send(Frame::text("to be ").not_final())
                .send(Frame::ping("now?"))
                .expect_within(
                    1_000,
                    Expect::OneOf(vec![
                        (Verdict::Ok, Expect::Pong(b"now?".to_vec())),
                        (Verdict::NonStrict, Expect::Nothing),
                    ]),
                )
                .send(Frame::continuation("continued"))
                .expect(Expect::OneOf(vec![
                    (Verdict::Ok, Expect::text("to be continued")),
                    (Verdict::NonStrict, Expect::Pong(b"now?".to_vec())),
                ])),
        ),
        (
            "A ping with a payload that looks like a close frame",
            "It is answered like any other.",
            "RFC 6455 §5.5.3",
            ping(Dialogue::new(), b"\x88\x02\x03\xE8").echo("still here?"),
        ),
    ];
    (1..)
        .zip(table)
        .map(|(number, (title, expectation, section, dialogue))| {
            Case::new(format!("close.control.{number}"), title, dialogue)
                .expect(expectation)
                .section(section)
        })
        .collect()
}

/// Octets without a pattern: a piece that is missing, doubled or moved shows.
fn noise(length: usize) -> Vec<u8> {
    let mut random = Random::seeded(length as u64);
    let mut octets = Vec::with_capacity(length + 8);
    while octets.len() < length {
        octets.extend_from_slice(&random.number().to_le_bytes());
    }
    octets.truncate(length);
    octets
}

/// Text of characters of one to four octets, in an order without a pattern.
fn mixed_text(characters: usize) -> String {
    let mut random = Random::seeded(7);
    let alphabet = ['a', 'é', '€', '🍀'];
    (0..characters)
        .map(|_| alphabet[random.number() as usize % alphabet.len()])
        .collect()
}

/// As Autobahn's group 9, but it only counts octets where this compares them.
pub(super) fn large() -> Vec<Case> {
    let one = noise(256 << 10);
    let text = mixed_text(100_000).into_bytes();
    let table = [
        ("Noise of 65,535 octets", 65_535, None),
        ("Noise of 65,536 octets", 65_536, None),
        ("Noise of 1 MiB and an octet", (1 << 20) + 1, None),
        (
            "Noise of 256 KiB in fragments of 1,000 octets",
            256 << 10,
            Some(1_000),
        ),
    ];
    let mut dialogues: Vec<_> = table
        .into_iter()
        .map(|(title, length, fragment)| {
            let payload = noise(length);
            let dialogue = Dialogue::new()
                .act(Act::Message(payload.clone(), true, fragment))
                .expect_within(10_000, Expect::binary(payload));
            (title, dialogue)
        })
        .collect();
    dialogues.push((
        "Text of 100,000 characters of one to four octets, cut between octets",
        Dialogue::new()
            .act(Act::Message(text.clone(), false, Some(997)))
            .expect_within(10_000, Expect::text(text)),
    ));
    dialogues.push((
        "Noise of 256 KiB, four times without waiting",
        (0..4).fold(
            (0..4).fold(Dialogue::new(), |dialogue, _| dialogue.binary(one.clone())),
            |dialogue, _| dialogue.expect_within(10_000, Expect::binary(one.clone())),
        ),
    ));
    (1..)
        .zip(dialogues)
        .map(|(number, (title, dialogue))| {
            let dialogue = dialogue.may_refuse(&[1008, 1009]);
            Case::new(format!("close.echo.{number}"), title, dialogue)
                .expect("It comes back octet by octet; a subject may refuse what is too long.")
                .section("RFC 6455 §5.4, §5.6, §7.4.1")
        })
        .collect()
}
