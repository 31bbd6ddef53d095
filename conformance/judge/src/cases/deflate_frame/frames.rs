//! Frames: each with its own bit, each inflated by itself, joined to messages after that.

use cloverleaf_reports::Verdict;

use super::contexts::noise;
use super::{FINAL, GREETING, HELLO, WORLD, asked, deflated, more, numbered, with_frames};
use crate::case::{Act, Case, Dialogue, Expect};
use crate::deflate::{Block, Stream, Symbol, stored, stored_by};
use crate::frame::Frame;

fn hello() -> Expect {
    Expect::text("Hello")
}

/// Messages whose frames stand by themselves, whatever was agreed on windows.
fn alone() -> Vec<(&'static str, Vec<Frame>, Expect)> {
    let song = "κόσμε";
    let literals = |text: &str| -> Vec<Symbol> { text.bytes().map(Symbol::Literal).collect() };
    let pieces = |compressed: fn(usize) -> bool| -> Vec<Frame> {
        let last = song.len() - 1;
        song.bytes()
            .enumerate()
            .map(|(at, octet)| {
                let (payload, rsv) = match compressed(at) {
                    true => (stored(&[octet]), 4),
                    false => (vec![octet], 0),
                };
                let mut frame = match at {
                    0 => Frame::text(payload),
                    _ => Frame::continuation(payload),
                };
                frame.fin = at == last;
                frame.rsv(rsv)
            })
            .collect()
    };
    vec![
        ("A block of fixed codes", vec![deflated(HELLO)], hello()),
        (
            "A block of fixed codes that a server of its time sent",
            vec![deflated([
                0x2A, 0x2E, 0x49, 0x4C, 0xCE, 0xCE, 0x2F, 0x4B, 0x2D, 0x4A, 0xCB, 0xC9, 0x2F, 0x07,
                0x00,
            ])],
            Expect::text("stackoverflow"),
        ),
        ("A stored block", vec![deflated(stored(b"Hello"))], hello()),
        (
            "A stored block of five, one octet each",
            vec![deflated(stored_by(b"Hello", 1))],
            hello(),
        ),
        (
            "Two blocks with a flush in between, its four octets left in place",
            vec![deflated([
                0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00,
            ])],
            hello(),
        ),
        ("A block with BFINAL set", vec![deflated(FINAL)], hello()),
        (
            "A longer block with BFINAL set",
            vec![deflated([
                0x0B, 0x4F, 0x4D, 0x0A, 0xCE, 0x4F, 0xCE, 0x4E, 0x2D, 0x01, 0x00, 0x00,
            ])],
            Expect::text("WebSocket"),
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
            "A fragment that ends with BFINAL set, and one that does not",
            vec![deflated(FINAL).not_final(), more(stored(b"!"))],
            Expect::text("Hello!"),
        ),
        (
            "An empty message as one octet",
            vec![deflated([0x00])],
            Expect::text(""),
        ),
        (
            "An empty message as a block with BFINAL set",
            vec![deflated([0x03, 0x00, 0x00])],
            Expect::text(""),
        ),
        (
            "An empty message without compression",
            vec![Frame::text("")],
            Expect::text(""),
        ),
        (
            "A message without compression",
            vec![Frame::text("Hello")],
            hello(),
        ),
        (
            "A message without compression that would inflate",
            vec![Frame::binary(HELLO)],
            Expect::binary(HELLO),
        ),
        (
            "A message without compression in two fragments",
            vec![Frame::text("Hel").not_final(), Frame::continuation("lo")],
            hello(),
        ),
        (
            "Two fragments, the first compressed",
            vec![
                deflated(GREETING).not_final(),
                Frame::continuation("world!"),
            ],
            Expect::text("Hello, world!"),
        ),
        (
            "Two fragments, the second compressed",
            vec![Frame::text("Hello, ").not_final(), more(WORLD)],
            Expect::text("Hello, world!"),
        ),
        (
            "Two fragments, both compressed",
            vec![deflated(GREETING).not_final(), more(WORLD)],
            Expect::text("Hello, world!"),
        ),
        (
            "Three fragments, the second compressed",
            vec![
                Frame::text("Say ").not_final(),
                more(stored(b"Hello, ")).not_final(),
                Frame::continuation("world!"),
            ],
            Expect::text("Say Hello, world!"),
        ),
        (
            "Empty fragments around a compressed one, with and without the bit",
            vec![
                Frame::text("").not_final(),
                more([0]).not_final(),
                more(stored(b"Hello")).not_final(),
                more([0]).not_final(),
                Frame::continuation(""),
            ],
            hello(),
        ),
        (
            "Multi-octet characters, each octet in a compressed fragment of its own",
            pieces(|_| true),
            Expect::text(song),
        ),
        (
            "Multi-octet characters over compressed and plain fragments in turn",
            pieces(|at| at % 2 == 1),
            Expect::text(song),
        ),
        (
            "A character over two compressed fragments",
            vec![
                deflated(stored(b"\xE2\x82")).not_final(),
                more(stored(b"\xAC")),
            ],
            Expect::text("€"),
        ),
        (
            "A binary message of two compressed fragments",
            vec![
                Frame::binary(stored(&[0xFF; 300])).rsv(4).not_final(),
                more(stored(&[0xFF; 300])),
            ],
            Expect::binary([0xFF; 600]),
        ),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (title, frames, message) in alone() {
        // Behind it an ordinary message: what came before must not have left a trace.
        let dialogue = frames
            .into_iter()
            .fold(with_frames(), Dialogue::send)
            .expect(message)
            .echo("Hello, again");
        cases.push((
            title,
            dialogue,
            "The message comes back, each frame taken as its bit says; so does one behind it.",
        ));
    }
    let text = "Each fragment is deflated by itself, each fragment.";
    let fragments = |size| {
        (0..2).fold(with_frames(), |dialogue, _| {
            dialogue
                .act(Act::Message(text.into(), false, Some(size)))
                .expect(Expect::text(text))
        })
    };
    cases.push((
        "Messages in fragments of one octet, each compressed",
        fragments(1),
        "They come back: what is cut first is compressed then.",
    ));
    cases.push((
        "Messages in fragments of ten octets, each compressed",
        fragments(10),
        "They come back: what is cut first is compressed then.",
    ));
    cases.push((
        "Compressed and plain messages in turn",
        with_frames()
            .send(deflated(stored(b"Hello")))
            .expect(hello())
            .send(Frame::text("Hello"))
            .expect(hello())
            .send(deflated(FINAL))
            .expect(hello())
            .send(Frame::text(""))
            .expect(Expect::text("")),
        "The bit decides for each frame by itself.",
    ));
    let around = |left: Frame, right: Frame| {
        with_frames()
            .send(left)
            .send(Frame::ping("between"))
            .expect(Expect::Pong(b"between".to_vec()))
            .send(right)
            .expect(Expect::text("HelHello"))
    };
    cases.push((
        "A ping between two compressed fragments",
        around(deflated(stored(b"Hel")).not_final(), more(stored(b"Hello"))),
        "The pong comes first, uncompressed; then the message.",
    ));
    cases.push((
        "A ping between a compressed and a plain fragment",
        around(
            deflated(stored(b"Hel")).not_final(),
            Frame::continuation("Hello"),
        ),
        "The pong comes first, uncompressed; then the message.",
    ));
    cases.push((
        "Pings that a compressor would like",
        with_frames()
            .send(Frame::ping([b'a'; 125]))
            .expect(Expect::Pong(vec![b'a'; 125]))
            .send(Frame::ping(HELLO))
            .expect(Expect::Pong(HELLO.to_vec()))
            .echo("Hello"),
        "Control frames are never compressed, in neither direction.",
    ));
    cases.push((
        "Text of some length, compressed by the judge, several times",
        (0..3).fold(with_frames(), |dialogue, _| dialogue.echo(text.repeat(200))),
        "It comes back.",
    ));
    let octets = noise(65_536);
    cases.push((
        "65 536 octets that nothing compresses",
        with_frames()
            .binary(&*octets)
            .expect(Expect::binary(&*octets))
            .send(Frame::binary(&*octets))
            .expect(Expect::binary(octets)),
        "They come back, compressed to more than they were or left plain.",
    ));
    cases.push((
        "The empty message, compressed by the judge, several times",
        with_frames().echo("").echo("Hello").echo("").echo("Hello"),
        "It comes back, as one octet or plain.",
    ));
    cases.push((
        "A compressed frame of no octets at all, and an ordinary one behind it",
        with_frames()
            .send(deflated([]))
            .expect(Expect::OneOf(vec![
                (Verdict::Ok, Expect::text("")),
                (Verdict::Ok, Expect::Fails(vec![1002, 1007])),
            ]))
            .send(deflated(HELLO))
            .expect(hello())
            .may_refuse(&[1002, 1007]),
        "No sender makes one. The subject takes it for empty, and is none the worse for it, or \
         fails the connection.",
    ));
    let cases = cases
        .into_iter()
        .map(|(title, dialogue, expectation)| {
            Case::new("x", title, dialogue)
                .opening(asked(""))
                .expect(expectation)
        })
        .collect();
    numbered("frame", "deflate-frame draft, sending and receiving", cases)
}
