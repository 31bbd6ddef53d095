//! Lengths that a head announces: huge ones of which little comes, and those around the sizes of
//! common buffers.

use cloverleaf_reports::Verdict;

use super::{MUCH, REFUSALS, alive};
use crate::case::{Case, Dialogue, End, Expect};
use crate::frame::Frame;

/// How long a subject may take to refuse a head, in milliseconds.
const SOON: u64 = 2_000;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = announced();
    cases.extend(impossible());
    cases.extend(around_buffers());
    for (number, case) in (1..).zip(&mut cases) {
        case.id = format!("limits.length.{number}").parse().expect("an id");
    }
    cases
}

/// Refused with one of these codes, or else.
fn refused(dialogue: Dialogue, codes: &[u16], waits: Verdict) -> Dialogue {
    dialogue
        .expect_within(
            SOON,
            Expect::OneOf(vec![
                (Verdict::Ok, Expect::Fails(codes.to_vec())),
                (waits, Expect::Nothing),
            ]),
        )
        .end(End::failed_by_subject(codes))
}

/// Legal lengths that nobody can hold.
fn announced() -> Vec<Case> {
    let octets = || Dialogue::new().echo("before");
    let frame = |length: u64| Frame::binary("but ten oc").claimed_length(length);
    let table = [
        ("2^31", octets().send(frame(1 << 31))),
        ("2^32", octets().send(frame(1 << 32))),
        ("2^32 + 10", octets().send(frame((1 << 32) + 10))),
        ("2^40", octets().send(frame(1 << 40))),
        ("2^62", octets().send(frame(1 << 62))),
        ("2^63 - 1", octets().send(frame((1 << 63) - 1))),
        (
            "2^40 and text",
            octets().send(Frame::text("but ten oc").claimed_length(1 << 40)),
        ),
        (
            "2^63 - 1 in a second fragment, so that the sum is more",
            octets()
                .send(Frame::binary("first part").not_final())
                .send(Frame::continuation("but ten oc").claimed_length((1 << 63) - 1)),
        ),
    ];
    table
        .into_iter()
        .map(|(length, dialogue)| {
            Case::new(
                "limits.length.0",
                format!("A head announces a length of {length}; ten octets follow"),
                refused(dialogue, REFUSALS, Verdict::Informational),
            )
            .expect(
                "The subject refuses at once: 1009, 1008, 1002 or the end of TCP. That it waits \
                 for more is allowed, and informs.",
            )
            .section("RFC 6455 §5.2, §10.4")
        })
        .collect()
}

/// Lengths that break a rule.
fn impossible() -> Vec<Case> {
    let frame = |length: u64| Frame::binary("").claimed_length(length);
    let table = [
        ("2^63", frame(1 << 63)),
        ("2^64 - 1", frame(u64::MAX)),
        (
            "2^64 - 14, which overflows with its head",
            frame(u64::MAX - 13),
        ),
        ("2^63 + 2^32 - 1", frame((1 << 63) + (1 << 32) - 1)),
    ];
    let mut cases: Vec<_> = table
        .into_iter()
        .map(|(length, frame)| {
            let dialogue = Dialogue::new().echo("before").send(frame);
            Case::new(
                "limits.length.0",
                format!("A head announces a length of {length}: its highest bit is set"),
                refused(dialogue, REFUSALS, Verdict::NonStrict),
            )
            .expect("The subject fails the connection at the head, with 1002 or 1009.")
            .section("RFC 6455 §5.2")
        })
        .collect();
    let control = [
        ("ping", Frame::ping("").claimed_length(126)),
        ("ping", Frame::ping("").claimed_length((1 << 63) - 1)),
        ("close frame", Frame::close_with("").claimed_length(1 << 40)),
    ];
    cases.extend(control.map(|(kind, frame)| {
        let length = frame.claimed_length.unwrap_or_default();
        Case::new(
            "limits.length.0",
            format!("The head of a {kind} announces {length} octets; none follow"),
            refused(
                Dialogue::new().echo("before").send(frame),
                REFUSALS,
                Verdict::NonStrict,
            ),
        )
        .expect("The subject fails the connection at the head, with 1002 or 1009.")
        .section("RFC 6455 §5.5")
    }));
    cases
}

/// Lengths one below, at and one above the sizes that buffers often have.
fn around_buffers() -> Vec<Case> {
    let names = [
        ("4 KiB", 4 << 10),
        ("16 KiB", 16 << 10),
        ("64 KiB", 64 << 10),
        ("1 MiB", 1 << 20),
    ];
    names
        .into_iter()
        .map(|(name, size)| {
            let dialogue =
                [size - 1, size, size + 1]
                    .into_iter()
                    .fold(Dialogue::new(), |dialogue, length| {
                        dialogue
                            .binary(vec![length as u8; length])
                            .expect_within(MUCH, Expect::binary(vec![length as u8; length]))
                    });
            Case::new(
                "limits.length.0",
                format!("Messages of {name} less one, {name}, and {name} and one octet"),
                alive(dialogue),
            )
            .expect("They come back; a subject may refuse what is too long for it.")
            .section("RFC 6455 §5.2, §7.4.1")
        })
        .collect()
}
