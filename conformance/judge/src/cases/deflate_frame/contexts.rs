//! Windows and contexts: kept by the subject as it was asked, and understood from a judge who uses
//! all of its own.

use cloverleaf_reports::Verdict;

use super::{
    FINAL, HELLO, HELLO_AGAIN, HELLO_ONCE_MORE, asked, deflated, more, numbered, with_frames,
    with_references,
};
use crate::case::{Act, Case, Dialogue, Expect};
use crate::deflate::{Block, Stream, Symbol, fixed, stored};
use crate::frame::Frame;
use crate::random::Random;

/// Octets without repetitions worth the name.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut random = Random::seeded(6455);
    let mut octets = Vec::with_capacity(length + 4);
    while octets.len() < length {
        octets.extend(random.masking_key());
    }
    octets.truncate(length);
    octets
}

pub(super) fn windows() -> Vec<Case> {
    let mut cases = Vec::new();
    for bits in 8..=15 {
        // The second half is the first again, just beyond the window.
        let half = noise((1 << bits) + 64);
        let octets = [&*half, &*half].concat();
        let dialogue = (0..2).fold(with_frames(), |dialogue, _| {
            dialogue.binary(&*octets).expect(Expect::binary(&*octets))
        });
        let title = format!("A message that repeats itself beyond a window of {bits} bits");
        cases.push(
            Case::new("x", title, dialogue.echo("Hello"))
                .opening(asked(&format!("; max_window_bits={bits}")))
                .expect("No reference of the subject's frames goes back beyond its window."),
        );
    }

    let mut octets = noise(1 << 15);
    let reference = [Symbol::Match {
        length: 258,
        distance: 1 << 15,
    }];
    let payload = Stream::new()
        .block(Block::Stored(&octets))
        .block(Block::Fixed(&reference))
        .flushed();
    let start = octets.clone();
    octets.extend_from_within(..258);
    cases.push(
        Case::new(
            "x",
            "A small window for the subject, the full one for the judge",
            with_references()
                .send(Frame::binary(payload).rsv(4))
                .expect(Expect::binary(octets)),
        )
        .opening(asked("; max_window_bits=9"))
        .expect(
            "The parameter binds whoever receives it: the judge's reference over 32 768 octets is \
             understood.",
        ),
    );
    cases.push(
        Case::new(
            "x",
            "A reference over the whole window into the frame before",
            with_references()
                .send(Frame::binary(stored(&start)).rsv(4).not_final())
                .send(Frame::continuation(fixed(&reference)).rsv(4))
                .expect(Expect::binary([&*start, &start[..258]].concat())),
        )
        .opening(asked(""))
        .expect("The window goes on from frame to frame of a message."),
    );
    numbered("window", "deflate-frame draft, max_window_bits", cases)
}

fn hello() -> Expect {
    Expect::text("Hello")
}

/// Text that comes back if all goes well: title, the parameters that the subject receives, the
/// plan, what is expected.
fn understood() -> Vec<(&'static str, &'static str, Dialogue, &'static str)> {
    let text = "A message like the one before, like the one before.";
    let first = || with_references().send(deflated(HELLO)).expect(hello());
    let stream = [
        &[0x2A, 0xC9, 0xCC, 0x4D, 0xB5, 0x02, 0x00][..],
        &[0x2A, 0x01, 0x11, 0x00, 0x00],
        &HELLO_ONCE_MORE,
    ];
    vec![
        (
            "The second frame refers to the first, and the third to the second",
            "",
            first()
                .send(deflated(HELLO_AGAIN))
                .expect(hello())
                .send(deflated(HELLO_ONCE_MORE))
                .expect(hello()),
            "All three are understood.",
        ),
        (
            "Three messages of a stream that a browser sent",
            "",
            stream.iter().fold(with_references(), |dialogue, payload| {
                dialogue
                    .send(deflated(*payload))
                    .expect(Expect::text("time:"))
            }),
            "All three are understood.",
        ),
        (
            "A frame that refers over a plain one to the one before",
            "",
            first()
                .send(Frame::text("Hello"))
                .expect(hello())
                .send(deflated(HELLO_AGAIN))
                .expect(hello()),
            "Plain frames do not get into the window.",
        ),
        (
            "A frame that refers over a ping to the one before",
            "",
            first()
                .send(Frame::ping("Hello"))
                .expect(Expect::Pong(b"Hello".to_vec()))
                .send(deflated(HELLO_AGAIN))
                .expect(hello()),
            "Control frames do not get into the window.",
        ),
        (
            "A frame that refers over empty ones to the one before",
            "",
            first()
                .send(deflated([0]))
                .expect(Expect::text(""))
                .send(deflated([0]))
                .expect(Expect::text(""))
                .send(deflated(HELLO_AGAIN))
                .expect(hello()),
            "Frames that inflate to nothing leave the window as it is.",
        ),
        (
            "The second fragment of a message refers to the first",
            "",
            with_references()
                .send(deflated(HELLO).not_final())
                .send(more(HELLO_AGAIN))
                .expect(Expect::text("HelloHello")),
            "The window goes on from frame to frame.",
        ),
        (
            "A fragment that refers over a plain one to the message before",
            "",
            first()
                .send(Frame::text("and ").not_final())
                .send(more(HELLO_AGAIN))
                .expect(Expect::text("and Hello")),
            "The window goes on from message to message, and plain frames do not get into it.",
        ),
        (
            "Frames that do not refer back, though they may",
            "",
            first().send(deflated(HELLO)).expect(hello()),
            "Both are understood.",
        ),
        (
            "The same message three times to a subject that keeps no context",
            "; no_context_takeover",
            with_frames().echo(text).echo(text).echo(text),
            "Every frame of the subject inflates without the ones before.",
        ),
        (
            "The subject keeps no context, the judge does",
            "; no_context_takeover",
            first().send(deflated(HELLO_AGAIN)).expect(hello()),
            "The parameter binds whoever receives it: the judge's reference is understood.",
        ),
        (
            "A window of 9 bits and no context, for messages longer than that",
            "; max_window_bits=9; no_context_takeover",
            (0..2).fold(with_frames(), |dialogue, _| dialogue.echo(text.repeat(30))),
            "Each frame keeps to its window and to itself.",
        ),
        (
            "A frame that refers to the one before, whose block had BFINAL set, and a new window \
             after that",
            "",
            with_references()
                .send(deflated(HELLO))
                .expect(hello())
                .send(deflated(FINAL))
                .expect(hello())
                .send(deflated(HELLO))
                .expect(hello())
                .send(deflated(HELLO_AGAIN))
                .expect(hello()),
            "A block with BFINAL set ends a stream; what follows begins another.",
        ),
    ]
}

pub(super) fn contexts() -> Vec<Case> {
    let mut cases: Vec<_> = understood()
        .into_iter()
        .map(|(title, params, dialogue, expectation)| {
            Case::new("x", title, dialogue)
                .opening(asked(params))
                .expect(expectation)
        })
        .collect();
    // After BFINAL the window is empty.
    let beyond = with_references()
        .send(deflated(FINAL))
        .expect(hello())
        .act(Act::Send(deflated(HELLO_AGAIN)))
        .expect(Expect::OneOf(vec![
            (Verdict::Ok, Expect::Fails(vec![1002, 1007])),
            (Verdict::NonStrict, hello()),
        ]))
        .may_refuse(&[1002, 1007]);
    cases.push(
        Case::new(
            "x",
            "A reference over the end of a stream, marked by BFINAL",
            beyond,
        )
        .opening(asked(""))
        .expect(
            "The window is empty after BFINAL, so the connection fails with 1002, 1007 or \
                 without a code. To keep the window is NON-STRICT.",
        ),
    );
    numbered("context", "deflate-frame draft, no_context_takeover", cases)
}
