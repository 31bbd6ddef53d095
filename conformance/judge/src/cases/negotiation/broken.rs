//! What must fail the connection: reserved bits out of place, and messages that do not inflate.

use cloverleaf_reports::Verdict;

use super::{deflated, plain};
use crate::case::{Case, Dialogue, End, Expect, Opening};
use crate::deflate::{Block, Stream, Symbol, stored};
use crate::frame::Frame;

/// RFC 7692 §7.2.3.1
const HELLO: [u8; 7] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];

const RSV1: u8 = 4;
const RSV2: u8 = 2;
const RSV3: u8 = 1;

pub(super) fn bits() -> Vec<Case> {
    let start = || deflated(&HELLO[..3]).not_final();
    let rest = || Frame::continuation(&HELLO[3..]);
    let agreed: [(&str, Vec<Frame>); 11] = [
        (
            "RSV1 on the second frame of a compressed message",
            vec![start(), rest().rsv(RSV1)],
        ),
        (
            "RSV1 on the second frame of an uncompressed message",
            vec![
                Frame::text("Hel").not_final(),
                Frame::continuation("lo").rsv(RSV1),
            ],
        ),
        (
            "RSV1 on an empty fragment in the middle",
            vec![
                start(),
                Frame::continuation("").rsv(RSV1).not_final(),
                rest(),
            ],
        ),
        ("RSV1 on a ping", vec![Frame::ping("?").rsv(RSV1)]),
        (
            "RSV1 on a ping between two fragments",
            vec![start(), Frame::ping("?").rsv(RSV1), rest()],
        ),
        ("RSV1 on a pong", vec![Frame::pong("?").rsv(RSV1)]),
        (
            "RSV1 on a close frame",
            vec![Frame::close(1000, "").rsv(RSV1)],
        ),
        (
            "RSV2 on a text message",
            vec![Frame::text("Hello").rsv(RSV2)],
        ),
        (
            "RSV3 on a binary message",
            vec![Frame::binary("Hello").rsv(RSV3)],
        ),
        (
            "RSV2 beside RSV1 on a compressed message",
            vec![deflated(HELLO).rsv(RSV1 | RSV2)],
        ),
        (
            "RSV3 on the second frame of a compressed message",
            vec![start(), rest().rsv(RSV3)],
        ),
    ];
    let mut cases = Vec::new();
    for (title, frames) in agreed {
        let dialogue = frames
            .into_iter()
            .fold(Dialogue::new().needs_compression(), Dialogue::send)
            .fails(&[1002]);
        cases.push((title.to_owned(), dialogue, plain()));
    }
    let not_agreed = [
        ("text message", Frame::text(HELLO)),
        ("binary message", Frame::binary(HELLO)),
        ("ping", Frame::ping("?")),
    ];
    for (what, frame) in not_agreed {
        let dialogue = Dialogue::new().send(frame.rsv(RSV1)).fails(&[1002]);
        let title = format!("RSV1 on a {what} where no extension was agreed on");
        cases.push((title, dialogue, Opening::Ordinary));
    }
    (1..)
        .zip(cases)
        .map(|(number, (title, dialogue, opening))| {
            Case::new(format!("negotiation.bit.{number}"), title, dialogue)
                .expect("The connection fails with 1002, or without a code.")
                .section("RFC 6455 §5.2, RFC 7692 §6.1")
                .opening(opening)
        })
        .collect()
}

/// RFC 7692 names no code for a message that does not inflate.
const GOOD_CODES: &[u16] = &[1002, 1007];
/// Codes that miss the point, and fail the connection all the same.
const ODD_CODES: &[u16] = &[1003, 1008, 1009, 1011];

fn fails_to_inflate(dialogue: Dialogue) -> Dialogue {
    dialogue
        .expect(Expect::OneOf(vec![
            (Verdict::Ok, Expect::Fails(GOOD_CODES.to_vec())),
            (Verdict::NonStrict, Expect::Fails(ODD_CODES.to_vec())),
        ]))
        .end(End::failed_by_subject(&[GOOD_CODES, ODD_CODES].concat()))
}

/// What is wrong, and a payload that has it.
fn payloads() -> Vec<(&'static str, Vec<u8>)> {
    let literals: Vec<_> = b"Hello".map(Symbol::Literal).into();
    let mut beyond = literals.clone();
    beyond.push(Symbol::Match {
        length: 3,
        distance: 6,
    });
    let far = Symbol::Match {
        length: 3,
        distance: 32_768,
    };
    let reserved = |stream: Stream| stream.block(Block::Reserved).flushed();
    vec![
        ("A block of the reserved type", vec![0xFF, 0xFF, 0xFF]),
        (
            "A block of the reserved type behind a right one",
            reserved(Stream::new().block(Block::Fixed(&literals))),
        ),
        (
            "A block of the reserved type behind one with BFINAL set",
            reserved(Stream::new().final_block(Block::Fixed(&literals))),
        ),
        (
            "A stored block whose two lengths do not match",
            Stream::new()
                .block(Block::StoredAs {
                    length: 5,
                    complement: 5,
                    octets: b"Hello",
                })
                .flushed(),
        ),
        (
            "A reference in the first message to one before",
            vec![0xF2, 0x00, 0x11, 0x00, 0x00],
        ),
        (
            "A reference that goes back one octet too far",
            Stream::new().block(Block::Fixed(&beyond)).flushed(),
        ),
        (
            "A reference over 32 768 octets as the first thing",
            Stream::new().block(Block::Fixed(&[far])).flushed(),
        ),
        // Fixed codes: literal/length 286 stands for nothing (RFC 1951 §3.2.6).
        (
            "A length code that stands for nothing",
            vec![0x1A, 0x03, 0x00],
        ),
        // "a", length 3, distance code 30, which stands for nothing.
        (
            "A distance code that stands for nothing",
            vec![0x4A, 0x04, 0x3E, 0x00],
        ),
        (
            "A dynamic block with more codes than there are",
            [&[0xFC][..], &[0x00; 20]].concat(),
        ),
        (
            "A dynamic block without any code",
            [&[0x04][..], &[0x00; 80]].concat(),
        ),
        (
            "A dynamic block whose codes overlap",
            [&[0x04, 0x20][..], &[0xFF; 40]].concat(),
        ),
    ]
}

pub(super) fn streams() -> Vec<Case> {
    let mut cases = Vec::new();
    for (title, payload) in payloads() {
        let start = Dialogue::new().needs_compression();
        cases.push((
            title.to_owned(),
            fails_to_inflate(start.send(deflated(payload))),
            "The connection fails, with 1002, 1007 or no code; the message is not delivered.",
        ));
    }
    let start = Dialogue::new().needs_compression();
    cases.push((
        "A right message, then one that does not inflate, in three fragments".to_owned(),
        fails_to_inflate(
            start
                .send(deflated(HELLO))
                .expect(Expect::text("Hello"))
                .send(deflated([0xFF]).not_final())
                .send(Frame::continuation([0xFF]).not_final())
                .send(Frame::continuation([0xFF])),
        ),
        "The first message comes back; then the connection fails.",
    ));
    for (what, octets) in [
        ("that is not UTF-8", &b"Hello \xFF"[..]),
        ("that ends within a character", b"Hello \xE2\x82"),
    ] {
        let dialogue = Dialogue::new()
            .needs_compression()
            .send(deflated(stored(octets)))
            .fails(&[1007]);
        cases.push((
            format!("A text message that inflates to something {what}"),
            dialogue,
            "The connection fails with 1007, or without a code.",
        ));
    }
    (1..)
        .zip(cases)
        .map(|(number, (title, dialogue, expectation))| {
            Case::new(format!("negotiation.broken.{number}"), title, dialogue)
                .expect(expectation)
                .section("RFC 7692 §7.2.2, RFC 1951 §3.2")
                .opening(plain())
        })
        .collect()
}
