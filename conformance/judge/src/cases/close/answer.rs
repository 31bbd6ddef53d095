//! The judge closes: what the subject answers.

use cloverleaf_reports::Verdict;

use super::looks::{nothing_behind, well_formed};
use super::{LOOK, SOON, answered_anyhow};
use crate::case::{Act, Case, Dialogue, Expect};
use crate::frame::{CLOSE, Frame, LengthForm};

/// Every code that a subject may answer with in its own name.
const ANY: &[u16] = &[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011];

/// The end of a case in which the judge closes: the answer is looked at.
fn looked_at(dialogue: Dialogue) -> Dialogue {
    dialogue
        .pause(LOOK)
        .check(well_formed)
        .check(nothing_behind)
        .linger(2 * LOOK)
}

/// Answers with this code are right; with none or another, they only inform.
fn echoes(code: u16) -> Expect {
    Expect::OneOf(vec![
        (Verdict::Ok, Expect::Close(vec![Some(code)])),
        (
            Verdict::Informational,
            Expect::Close(vec![Some(1000), None]),
        ),
    ])
}

pub(super) fn answers() -> Vec<Case> {
    let normal = || Frame::close(1000, "");
    let until_closed = |dialogue: Dialogue| looked_at(dialogue.until_closed(SOON));
    let table = [
        (
            "An empty close frame",
            "An empty close frame comes back, or one with 1000.",
            looked_at(Dialogue::new().close(Frame::close_with("")).expect_within(
                SOON,
                Expect::OneOf(vec![
                    (Verdict::Ok, Expect::Close(vec![None, Some(1000)])),
                    (Verdict::Informational, Expect::Fails(ANY.to_vec())),
                ]),
            ))
            .end(answered_anyhow(ANY)),
        ),
        (
            "A close frame with 1000",
            "A close frame with 1000 or without a code comes back.",
            looked_at(
                Dialogue::new()
                    .close(normal())
                    .expect_within(SOON, Expect::Close(vec![Some(1000), None])),
            ),
        ),
        (
            "A close frame in pieces of one octet",
            "The same answer as to one in a single piece.",
            looked_at(
                Dialogue::new()
                    .close(Frame::close(1000, "in pieces").chopped(1))
                    .expect_within(SOON, Expect::Close(vec![Some(1000), None])),
            ),
        ),
        (
            "A text message and a close frame in one segment",
            "The closing handshake is completed; an echo may come before, not behind.",
            until_closed(Dialogue::new().text("last words").close(normal())),
        ),
        (
            "Ten pings and a close frame in one segment",
            "The closing handshake is completed; pongs may come before, not behind.",
            until_closed(
                Dialogue::new()
                    .act(Act::Flood(Frame::ping("are you there?"), 10))
                    .close(normal()),
            ),
        ),
        (
            "A close frame between two fragments, and no second fragment",
            "The closing handshake is completed; of the message that never ended nothing comes.",
            looked_at(
                Dialogue::new()
                    .send(Frame::text("half of a").not_final())
                    .close(normal())
                    .expect_within(SOON, Expect::Close(vec![Some(1000), None])),
            ),
        ),
        (
            "A close frame between two fragments, the second behind it",
            "The closing handshake is completed; the message is not echoed.",
            looked_at(
                Dialogue::new()
                    .send(Frame::text("two ").not_final())
                    .close(normal())
                    .send(Frame::continuation("halves"))
                    .expect_within(SOON, Expect::Close(vec![Some(1000), None])),
            ),
        ),
        (
            "A close frame while an echo of 512 KiB is on its way",
            "The echo comes whole or not at all, then the answer; nothing comes behind it.",
            until_closed(
                Dialogue::new()
                    .binary(vec![0xA5; 512 << 10])
                    .close(normal()),
            )
            .end(answered_anyhow(&[1000, 1008, 1009])),
        ),
        (
            "Two close frames at once",
            "One of them is answered, once.",
            until_closed(Dialogue::new().close(normal()).send(normal())),
        ),
    ];
    (1..)
        .zip(table)
        .map(|(number, (title, expectation, dialogue))| {
            Case::new(format!("close.answer.{number}"), title, dialogue)
                .expect(expectation)
                .section("RFC 6455 §5.5.1, §7.1")
        })
        .collect()
}

/// Close frames that break a rule of framing.
pub(super) fn broken() -> Vec<Case> {
    let long = |length: usize| {
        let mut payload = vec![b'x'; length];
        payload[..2].copy_from_slice(&1000_u16.to_be_bytes());
        Frame::close_with(payload)
    };
    let table = [
        (
            "126 octets: answered in kind, the answer would be too long",
            long(126),
        ),
        ("65,536 octets", long(65_536)),
        (
            "a length of 4 in two octets more than it needs",
            Frame::close(1000, "ok").length_form(LengthForm::TwoOctets),
        ),
        ("RSV1 set", Frame::close(1000, "").rsv(4)),
        ("RSV2 and RSV3 set", Frame::close(1000, "").rsv(3)),
        ("FIN clear", Frame::close(1000, "").not_final()),
        ("half a code", Frame::close_with([3])),
    ];
    (1..)
        .zip(table)
        .map(|(number, (what, frame))| {
            let dialogue = Dialogue::new().close(frame).expect_within(
                SOON,
                Expect::OneOf(vec![
                    (Verdict::Ok, Expect::Fails(vec![1002])),
                    (Verdict::NonStrict, Expect::Fails(vec![1007, 1008, 1009])),
                ]),
            );
            let end = answered_anyhow(&[1002, 1007, 1008, 1009]);
            let title = format!("A close frame with {what}");
            Case::new(
                format!("close.broken.{number}"),
                title,
                looked_at(dialogue).end(end),
            )
            .expect(
                "The subject fails the connection: a close frame of at most 125 octets with \
                     1002, or the end of TCP.",
            )
            .section("RFC 6455 §5.2, §5.5, §5.5.1")
        })
        .collect()
}

/// Codes to be echoed, and codes that may not be on the wire.
pub(super) fn codes() -> Vec<Case> {
    let mut cases = Vec::new();
    for code in [
        1001, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ] {
        let dialogue = looked_at(
            Dialogue::new()
                .close(Frame::close(code, "our reason"))
                .expect_within(SOON, echoes(code)),
        );
        let end = answered_anyhow(&[code, 1000]);
        cases.push((
            format!("A close frame with {code}"),
            "The same code comes back, as is typical; 1000 or none only informs.",
            dialogue.end(end),
        ));
    }
    for code in [1012, 1013, 1014] {
        let dialogue = Dialogue::new()
            .close(Frame::close(code, ""))
            .until_closed(SOON)
            .informational();
        cases.push((
            format!("A close frame with {code}, which was registered after RFC 6455"),
            "It is taken as known or as unknown: the case informs.",
            dialogue,
        ));
    }
    for code in [1004, 1005, 1006, 1015] {
        let dialogue = Dialogue::new()
            .close(Frame::close(code, ""))
            .expect_within(
                SOON,
                Expect::OneOf(vec![
                    (Verdict::Ok, Expect::Fails(vec![1002])),
                    (Verdict::NonStrict, Expect::Fails(ANY.to_vec())),
                ]),
            )
            .pause(LOOK)
            .check(well_formed);
        cases.push((
            format!("A close frame with {code}, which is reserved"),
            "The subject fails the connection with 1002; never does it send the code itself.",
            dialogue.end(answered_anyhow(ANY)),
        ));
    }
    (1..)
        .zip(cases)
        .map(|(number, (title, expectation, dialogue))| {
            Case::new(format!("close.codes.{number}"), title, dialogue)
                .expect(expectation)
                .section("RFC 6455 §5.5.1, §7.4")
        })
        .collect()
}

/// Reasons up to the longest, and reasons that are not UTF-8.
pub(super) fn reasons() -> Vec<Case> {
    let padded = |end: &[u8]| [&vec![b'.'; 123 - end.len()][..], end].concat();
    let valid: [(&str, Vec<u8>); 6] = [
        ("of 123 octets", padded(b"")),
        (
            "of 123 octets that ends in a character of two",
            padded("é".as_bytes()),
        ),
        (
            "of 123 octets that ends in a character of three",
            padded("€".as_bytes()),
        ),
        (
            "of 123 octets that ends in a character of four",
            padded("🍀".as_bytes()),
        ),
        (
            "of 30 characters of four octets",
            "🍀".repeat(30).into_bytes(),
        ),
        (
            "with a zero and a byte order mark",
            "\u{FEFF}zero: \0".into(),
        ),
    ];
    let invalid: [(&str, Vec<u8>); 6] = [
        (
            "cut at 123 octets within a character of two",
            padded(b"\xC3"),
        ),
        (
            "cut at 123 octets within a character of three",
            padded(b"\xE2\x82"),
        ),
        (
            "cut at 123 octets within a character of four",
            padded(b"\xF0\x9F\x8D"),
        ),
        ("with a surrogate", b"\xED\xA0\x80".to_vec()),
        ("with a zero in two octets", b"\xC0\x80".to_vec()),
        ("of one octet 0xFF", b"\xFF".to_vec()),
    ];
    let frame = |reason: &[u8]| Frame::new(CLOSE, [&b"\x03\xE8"[..], reason].concat());
    let mut cases = Vec::new();
    for (what, reason) in valid {
        let dialogue = Dialogue::new()
            .close(frame(&reason))
            .expect_within(SOON, Expect::Close(vec![Some(1000), None]));
        cases.push((
            format!("A reason {what}"),
            "The closing handshake is completed; a reason in the answer is UTF-8 and fits in.",
            looked_at(dialogue),
        ));
    }
    for (what, reason) in invalid {
        let dialogue = Dialogue::new().close(frame(&reason)).expect_within(
            SOON,
            Expect::OneOf(vec![
                (Verdict::Ok, Expect::Fails(vec![1007, 1002])),
                (Verdict::NonStrict, Expect::Close(vec![Some(1000)])),
            ]),
        );
        cases.push((
            format!("A reason {what}: not UTF-8"),
            "The subject fails the connection with 1007, 1002 or without a code; it never sends \
             the reason back.",
            looked_at(dialogue).end(answered_anyhow(&[1007, 1002, 1000])),
        ));
    }
    (1..)
        .zip(cases)
        .map(|(number, (title, expectation, dialogue))| {
            Case::new(format!("close.reason.{number}"), title, dialogue)
                .expect(expectation)
                .section("RFC 6455 §5.5.1, §8.1")
        })
        .collect()
}
