//! What must fail the connection: reserved bits out of place, frames that do not inflate, text that
//! is none.

use super::{FINAL, HELLO, RSV1, asked, deflated, fails, more, numbered, offering, with_frames};
use crate::case::{Case, Dialogue, Opening};
use crate::deflate::{Symbol, fixed, stored};
use crate::frame::Frame;

const RSV2: u8 = 2;
const RSV3: u8 = 1;

pub(super) fn bits() -> Vec<Case> {
    let start = || deflated(stored(b"Hel")).not_final();
    let agreed: [(&str, Vec<Frame>); 8] = [
        ("RSV1 on a ping", vec![Frame::ping("abc").rsv(RSV1)]),
        (
            "RSV1 on a ping that would inflate, between two fragments",
            vec![start(), Frame::ping(HELLO).rsv(RSV1), more(stored(b"lo"))],
        ),
        ("RSV1 on a pong", vec![Frame::pong("abc").rsv(RSV1)]),
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
            "RSV2 beside RSV1 on a compressed frame",
            vec![deflated(HELLO).rsv(RSV1 | RSV2)],
        ),
        (
            "RSV3 beside RSV1 on a continuation",
            vec![start(), more(stored(b"lo")).rsv(RSV1 | RSV3)],
        ),
    ];
    let mut cases = Vec::new();
    for (title, frames) in agreed {
        let dialogue = frames.into_iter().fold(with_frames(), Dialogue::send);
        let case = Case::new("x", title, fails(dialogue, &[1002]));
        cases.push(case.opening(asked("")));
    }
    let declined = Dialogue::new().send(deflated(HELLO));
    let request = offering(&["deflate-frame; max_window_bits=99"], "");
    cases.push(
        Case::new(
            "x",
            "A compressed frame where deflate-frame was declined",
            fails(declined, &[1002]),
        )
        .opening(Opening::Request(request))
        .for_servers(),
    );
    let cases = cases
        .into_iter()
        .map(|case| case.expect("The connection fails with 1002, or without a code."))
        .collect();
    numbered("bit", "RFC 6455 §5.2; deflate-frame draft, RSV1", cases)
}

/// Frames that do not inflate.
fn streams() -> Vec<(&'static str, Vec<Frame>)> {
    let beyond = [
        Symbol::Literal(b'a'),
        Symbol::Match {
            length: 3,
            distance: 2,
        },
    ];
    vec![
        ("A reserved type of block", vec![deflated([0x07])]),
        ("Ones only", vec![deflated([0xFF; 3])]),
        (
            "A stored block whose lengths contradict each other",
            vec![deflated([
                0x01, 0x05, 0x00, 0x00, 0x00, 0x48, 0x65, 0x6C, 0x6C, 0x6F,
            ])],
        ),
        (
            "A reference to what is before the first octet",
            vec![deflated(fixed(&beyond))],
        ),
        (
            "A fragment that does not inflate, in the middle of a message",
            vec![
                deflated(stored(b"Hel")).not_final(),
                more([0xFF; 3]).not_final(),
                more(stored(b"lo")),
            ],
        ),
        (
            "A message compressed as a whole, then cut, RSV1 on the first frame",
            vec![
                deflated(&HELLO[..3]).not_final(),
                Frame::continuation(&HELLO[3..]),
            ],
        ),
        ("A stored block over two frames with RSV1 on both", {
            let block = stored(b"Hello");
            vec![deflated(&block[..4]).not_final(), more(&block[4..])]
        }),
    ]
}

/// Text that is not UTF-8.
fn texts() -> Vec<(&'static str, Vec<Frame>)> {
    vec![
        (
            "A compressed frame that inflates to octets that no text has",
            vec![deflated([0x00, 0x02, 0x00, 0xFD, 0xFF, 0xFF, 0xFE, 0x00])],
        ),
        (
            "A compressed frame that ends within a character",
            vec![deflated(stored(b"Hello \xE2\x82"))],
        ),
        (
            "A character over two compressed fragments, with a wrong octet in the second",
            vec![
                deflated(stored(b"\xE2\x82")).not_final(),
                more(stored(b"A")),
            ],
        ),
        (
            "A character that begins in a compressed fragment and breaks in a plain one",
            vec![
                deflated(stored(b"\xE2\x82")).not_final(),
                Frame::continuation("A"),
            ],
        ),
        (
            "A surrogate behind a block with BFINAL set",
            vec![deflated(FINAL).not_final(), more(stored(b"\xED\xA0\x80"))],
        ),
    ]
}

pub(super) fn broken() -> Vec<Case> {
    let mut cases = Vec::new();
    let all = |frames: Vec<Frame>| frames.into_iter().fold(with_frames(), Dialogue::send);
    for (title, frames) in streams() {
        cases.push(
            Case::new("x", title, fails(all(frames), &[1002, 1007]))
                .expect("The connection fails: nobody names the code, 1002 and 1007 fit."),
        );
    }
    for (title, frames) in texts() {
        cases.push(
            Case::new("x", title, fails(all(frames), &[1007]))
                .expect("The connection fails with 1007, or without a code."),
        );
    }
    let cases = cases.into_iter().map(|case| case.opening(asked("")));
    numbered(
        "broken",
        "deflate-frame draft, receiving; RFC 6455 §8.1",
        cases.collect(),
    )
}
