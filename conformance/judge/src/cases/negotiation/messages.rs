//! The forms that RFC 7692 §7.2.3 shows, and others that it allows.

use cloverleaf_reports::Verdict;

use super::{deflated, plain};
use crate::case::{Case, Dialogue, Expect};
use crate::deflate::{Block, Stream, Symbol, fixed, stored, stored_by};
use crate::frame::Frame;

/// RFC 7692 §7.2.3.1: "Hello" in fixed codes.
const HELLO: [u8; 7] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
/// RFC 7692 §7.2.3.4: the same with BFINAL, and an octet behind it.
const FINAL: [u8; 8] = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00];

/// The fragments of a deflated text message.
fn fragments(pieces: &[&[u8]]) -> Vec<Frame> {
    let last = pieces.len() - 1;
    let frames = pieces.iter().enumerate().map(|(at, piece)| {
        let frame = match at {
            0 => deflated(*piece),
            _ => Frame::continuation(*piece),
        };
        if at == last { frame } else { frame.not_final() }
    });
    frames.collect()
}

/// The same, an octet each.
fn octet_by_octet(payload: &[u8]) -> Vec<Frame> {
    fragments(&payload.chunks(1).collect::<Vec<_>>())
}

fn literals(text: &str) -> Vec<Symbol> {
    text.bytes().map(Symbol::Literal).collect()
}

/// What is sent, and the message that must come back.
fn understood() -> Vec<(&'static str, Vec<Frame>, Expect)> {
    let hello = || Expect::text("Hello");
    let run = [
        Symbol::Literal(b'a'),
        Symbol::Match {
            length: 258,
            distance: 1,
        },
    ];
    let song = "κόσμε € 𝄞";
    vec![
        ("A block of fixed codes", vec![deflated(HELLO)], hello()),
        ("A stored block", vec![deflated(stored(b"Hello"))], hello()),
        (
            "A block of dynamic codes",
            vec![Frame::binary(Stream::new().block(Block::Zeros(1000)).flushed()).rsv(4)],
            Expect::binary(vec![0; 1000]),
        ),
        (
            "A reference into what it is itself writing",
            vec![deflated(fixed(&run))],
            Expect::text("a".repeat(259)),
        ),
        (
            "Two blocks and an empty one between",
            vec![deflated([
                0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00,
            ])],
            hello(),
        ),
        (
            "Stored blocks of one octet each",
            vec![deflated(stored_by(b"Hello", 1))],
            hello(),
        ),
        (
            "A block of each kind",
            vec![deflated(
                Stream::new()
                    .block(Block::Fixed(&literals("He")))
                    .block(Block::Stored(b"llo"))
                    .block(Block::Zeros(2))
                    .flushed(),
            )],
            Expect::text("Hello\0\0"),
        ),
        (
            "A block with BFINAL set, filled up to an octet",
            vec![deflated(FINAL)],
            hello(),
        ),
        (
            "A block with BFINAL set, and another behind it",
            vec![deflated(
                Stream::new()
                    .final_block(Block::Fixed(&literals("Hel")))
                    .block(Block::Fixed(&literals("lo")))
                    .flushed(),
            )],
            hello(),
        ),
        (
            "Two stored blocks with BFINAL set",
            vec![deflated(
                Stream::new()
                    .final_block(Block::Stored(b"Hel"))
                    .final_block(Block::Stored(b"lo"))
                    .flushed(),
            )],
            hello(),
        ),
        (
            "The empty message as one octet",
            vec![deflated([0x00])],
            Expect::text(""),
        ),
        (
            "The empty message as a block with BFINAL set",
            vec![deflated([0x03, 0x00, 0x00])],
            Expect::text(""),
        ),
        (
            "Two fragments, cut within a code",
            fragments(&[&HELLO[..3], &HELLO[3..]]),
            hello(),
        ),
        ("An octet in each fragment", octet_by_octet(&HELLO), hello()),
        (
            "A stored block with an octet in each fragment, cut within its lengths",
            octet_by_octet(&stored(b"Hello")),
            hello(),
        ),
        (
            "A block with BFINAL set with an octet in each fragment",
            octet_by_octet(&FINAL),
            hello(),
        ),
        (
            "Multi-octet characters, each octet in a fragment and a block of its own",
            octet_by_octet(&stored_by(song.as_bytes(), 1)),
            Expect::text(song),
        ),
        (
            "An empty first fragment",
            fragments(&[b"", &HELLO]),
            hello(),
        ),
        (
            "Empty fragments in the middle",
            fragments(&[&HELLO[..3], b"", b"", &HELLO[3..]]),
            hello(),
        ),
        ("An empty last fragment", fragments(&[&HELLO, b""]), hello()),
        (
            "Two fragments, the first flushed with its four octets left in place",
            fragments(&[
                &[0xF2, 0x48, 0xCD, 0x01, 0x00, 0x00, 0x00, 0xFF, 0xFF],
                &[0xCA, 0xC9, 0x07, 0x00],
            ]),
            hello(),
        ),
        (
            "Two fragments, the second with nothing but the octet of an empty message",
            fragments(&[
                &[
                    0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00, 0x00, 0xFF, 0xFF,
                ],
                &[0x00],
            ]),
            hello(),
        ),
        (
            "A message without compression",
            vec![Frame::text("Hello")],
            hello(),
        ),
        (
            "A message without compression in three fragments",
            vec![
                Frame::text("He").not_final(),
                Frame::continuation("l").not_final(),
                Frame::continuation("lo"),
            ],
            hello(),
        ),
        (
            "A message without compression that would inflate",
            vec![Frame::binary(HELLO)],
            Expect::binary(HELLO),
        ),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (title, frames, message) in understood() {
        // Behind it an ordinary message: what came before must not have left a trace.
        let dialogue = frames
            .into_iter()
            .fold(Dialogue::new().needs_compression(), Dialogue::send)
            .expect(message)
            .echo("Hello, again");
        cases.push((
            title,
            dialogue,
            "The message comes back, inflated rightly; so does an ordinary one behind it.",
        ));
    }

    let hello = || Expect::text("Hello");
    cases.push((
        "Compressed and uncompressed messages in turn",
        Dialogue::new()
            .needs_compression()
            .send(deflated(HELLO))
            .expect(hello())
            .send(Frame::text("Hello"))
            .expect(hello())
            .send(deflated(FINAL))
            .expect(hello())
            .send(Frame::text(""))
            .expect(Expect::text(""))
            .send(deflated(stored(b"Hello")))
            .expect(hello()),
        "The bit decides for each message by itself.",
    ));
    let mut pings = Dialogue::new().needs_compression();
    for frame in octet_by_octet(&HELLO) {
        let last = frame.fin;
        pings = pings.send(frame);
        if !last {
            pings = pings
                .send(Frame::ping("?"))
                .expect(Expect::Pong(b"?".to_vec()));
        }
    }
    cases.push((
        "A ping behind every octet of a message",
        pings.expect(hello()),
        "Every ping is answered at once; then comes the message.",
    ));
    cases.push((
        "A compressed message of no octets at all",
        Dialogue::new()
            .needs_compression()
            .send(deflated([]))
            .expect(Expect::OneOf(vec![
                (Verdict::Ok, Expect::text("")),
                (Verdict::Ok, Expect::Fails(vec![1002, 1007])),
            ]))
            .informational(),
        "No sender makes one. The subject may take it for the empty message or fail.",
    ));
    cases.push((
        "A compressed message that stops within a code",
        Dialogue::new()
            .needs_compression()
            .send(deflated(&HELLO[..4]))
            .pause(500)
            .informational(),
        "An inflater need not notice; the octets that it appends may look like more.",
    ));
    cases.push((
        "A block with BFINAL set, and nothing behind it",
        Dialogue::new()
            .needs_compression()
            .send(deflated(&FINAL[..7]))
            .expect(Expect::OneOf(vec![
                (Verdict::Ok, hello()),
                (Verdict::Ok, Expect::Fails(vec![1002, 1007])),
            ]))
            .informational(),
        "The octet that RFC 7692 §7.2.3.4 asks for is missing; nobody need notice.",
    ));

    (1..)
        .zip(cases)
        .map(|(number, (title, dialogue, expectation))| {
            Case::new(format!("negotiation.message.{number}"), title, dialogue)
                .expect(expectation)
                .section("RFC 7692 §6, §7.2")
                .opening(plain())
        })
        .collect()
}
