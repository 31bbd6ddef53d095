//! What was agreed is kept: windows and contexts, by the subject and with a peer that uses all of
//! its own.

use super::{deflated, negotiated, plain, takeover as may_refer_back};
use crate::case::{Answer, Case, Dialogue, Expect, Opening, Reaction, RequestPlan, ResponsePlan};
use crate::deflate::{Block, Offer, Requirement, Stream, Symbol, fixed, stored};
use crate::frame::Frame;
use crate::random::Random;
use crate::session::Session;

/// RFC 7692 §7.2.3.1
const HELLO: [u8; 7] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
/// RFC 7692 §7.2.3.2: the same, in terms of the message before.
const HELLO_AGAIN: [u8; 5] = [0xF2, 0x00, 0x11, 0x00, 0x00];

/// Octets without repetitions worth the name.
fn noise(length: usize) -> Vec<u8> {
    let mut random = Random::seeded(7692);
    let mut octets = Vec::with_capacity(length + 4);
    while octets.len() < length {
        octets.extend(random.masking_key());
    }
    octets.truncate(length);
    octets
}

/// A binary message back and forth, compressed by the judge.
fn echo_binary(dialogue: Dialogue, octets: &[u8]) -> Dialogue {
    dialogue.binary(octets).expect(Expect::binary(octets))
}

/// The judge's window is as large as this.
fn own_window<const BITS: u8>(session: &Session) -> Result<(), String> {
    match session.own_compression() {
        Some((bits, _)) if bits == BITS => Ok(()),
        Some((bits, _)) => Err(format!("The judge's window has {bits} bits, not {BITS}.")),
        None => Err("permessage-deflate was not agreed on.".to_owned()),
    }
}

/// The judge may not refer back to its earlier messages.
fn no_takeover(session: &Session) -> Result<(), String> {
    match session.own_compression() {
        Some((_, false)) => Ok(()),
        _ => Err("The judge may refer back.".to_owned()),
    }
}

/// A compressed message that goes back `distance` octets, to its very beginning, and what it is.
fn reaching_back(distance: u16) -> (Frame, Vec<u8>) {
    let mut octets = noise(distance.into());
    let length = 200;
    let reference = [Symbol::Match { length, distance }];
    let payload = Stream::new()
        .block(Block::Stored(&octets))
        .block(Block::Fixed(&reference))
        .flushed();
    octets.extend_from_within(..usize::from(length));
    (Frame::binary(payload).rsv(4), octets)
}

type Need = fn(&Session) -> Result<(), String>;

pub(super) fn windows() -> Vec<Case> {
    let mut cases = Vec::new();
    for bits in 8..=15 {
        // The second half is the first again, just beyond the window.
        let half = noise((1 << bits) + 64);
        let octets = [&*half, &*half].concat();
        let mut dialogue = Dialogue::new().needs_compression();
        dialogue = echo_binary(dialogue, &octets);
        dialogue = echo_binary(dialogue, &octets);
        let offer = Offer {
            server_max_window_bits: Some(bits),
            ..Offer::default()
        };
        let requirement = Requirement {
            client_max_window_bits: Some(bits),
            ..Requirement::default()
        };
        let title = format!("A message that repeats itself beyond a window of {bits} bits");
        let case = Case::new("x", title, dialogue.echo("Hello")).expect(
            "The subject's compressed messages come back with no reference beyond its window.",
        );
        cases.push(case.opening(negotiated(offer, requirement)));
    }

    let full: [(u8, Need); 4] = [
        (8, own_window::<8>),
        (9, own_window::<9>),
        (12, own_window::<12>),
        (15, own_window::<15>),
    ];
    for (bits, need) in full {
        let (frame, octets) = reaching_back(1 << bits);
        let dialogue = Dialogue::new()
            .need(need)
            .send(frame)
            .expect(Expect::binary(octets));
        let title = format!("A reference over the whole of the judge's window of {bits} bits");
        let case = Case::new("x", title, dialogue).expect("The message is understood.");
        let offer = Offer {
            client_max_window_bits: Some(Some(bits)),
            ..Offer::default()
        };
        let request = RequestPlan::new(Answer::Opens).offering(vec![offer]);
        cases.push(
            case.clone()
                .for_servers()
                .opening(Opening::Request(request)),
        );
        let answer = format!(
            "permessage-deflate; server_no_context_takeover; server_max_window_bits={bits}"
        );
        cases.push(case.for_clients().opening(answered(&answer)));
    }

    let octets = noise(1 << 15);
    let reference = [Symbol::Match {
        length: 258,
        distance: 1 << 15,
    }];
    let dialogue = Dialogue::new()
        .need(own_window::<15>)
        .need(may_refer_back)
        .send(Frame::binary(stored(&octets)).rsv(4))
        .expect(Expect::binary(&*octets))
        .send(Frame::binary(fixed(&reference)).rsv(4))
        .expect(Expect::binary(&octets[..258]));
    cases.push(
        Case::new(
            "x",
            "A reference over the whole window into the message before",
            dialogue,
        )
        .expect("Both messages are understood.")
        .opening(plain()),
    );

    let offer = Offer {
        server_max_window_bits: Some(9),
        client_max_window_bits: Some(None),
        ..Offer::default()
    };
    let requirement = Requirement {
        client_max_window_bits: Some(9),
        ..Requirement::default()
    };
    let (frame, octets) = reaching_back(1 << 15);
    let dialogue = Dialogue::new()
        .need(own_window::<15>)
        .send(frame)
        .expect(Expect::binary(octets));
    cases.push(
        Case::new(
            "x",
            "A small window for the subject, the full one for the judge",
            dialogue,
        )
        .expect("Each direction has its own window: the judge's reference over 32 768 octets is understood, the subject's stay within 512.")
        .opening(negotiated(offer, requirement)),
    );

    let (frame, octets) = reaching_back((1 << 9) + 1);
    let dialogue = Dialogue::new()
        .need(own_window::<9>)
        .send(frame)
        .act(tolerated(Expect::binary(octets)))
        .informational();
    let case = Case::new(
        "x",
        "A reference one octet beyond the judge's window of 9 bits",
        dialogue,
    )
    .expect("The subject may fail the connection, or keep a larger window than it must.");
    let offer = Offer {
        client_max_window_bits: Some(Some(9)),
        ..Offer::default()
    };
    let request = RequestPlan::new(Answer::Opens).offering(vec![offer]);
    cases.push(
        case.clone()
            .for_servers()
            .opening(Opening::Request(request)),
    );
    let answer = "permessage-deflate; server_no_context_takeover; server_max_window_bits=9";
    cases.push(case.for_clients().opening(answered(answer)));

    numbered("window", "RFC 7692 §7.1.2", cases)
}

/// A client is answered so.
fn answered(answer: &str) -> Opening {
    Opening::Response(ResponsePlan::new(Reaction::Opens).answering(&[answer]))
}

/// The message, or the end.
fn tolerated(message: Expect) -> crate::case::Act {
    let choices = [message, Expect::Fails(vec![1002, 1007])];
    let choices = choices.map(|one| (cloverleaf_reports::Verdict::Ok, one));
    crate::case::Act::Expect(
        Expect::OneOf(choices.into()),
        std::time::Duration::from_secs(3),
    )
}

pub(super) fn takeover() -> Vec<Case> {
    let mut cases = Vec::new();
    let anew = Offer {
        server_no_context_takeover: true,
        ..Offer::default()
    };
    let required_anew = Requirement {
        client_no_context_takeover: true,
        ..Requirement::default()
    };
    let text = "A message like the one before, like the one before.";
    let hello = Expect::text("Hello");
    let referring = Dialogue::new()
        .need(may_refer_back)
        .send(deflated(HELLO))
        .expect(hello.clone());

    cases.push(
        Case::new(
            "x",
            "The same message three times to a subject that keeps no context",
            Dialogue::new()
                .needs_compression()
                .echo(text)
                .echo(text)
                .echo(text),
        )
        .expect("Every message of the subject inflates without the ones before.")
        .opening(negotiated(anew, required_anew)),
    );
    cases.push(
        Case::new(
            "x",
            "The second message refers to the first, and the third to the second",
            referring
                .clone()
                .send(deflated(HELLO_AGAIN))
                .expect(hello.clone())
                .send(deflated([0x02, 0x13, 0x00, 0x00]))
                .expect(hello.clone()),
        )
        .expect("All three are understood.")
        .opening(plain()),
    );
    cases.push(
        Case::new(
            "x",
            "A message that refers over an uncompressed one to the one before",
            referring
                .clone()
                .send(Frame::text("between"))
                .expect(Expect::text("between"))
                .send(deflated(HELLO_AGAIN))
                .expect(hello.clone()),
        )
        .expect("Uncompressed messages do not get into the window.")
        .opening(plain()),
    );
    cases.push(
        Case::new(
            "x",
            "A message in two fragments around a ping, referring to the one before",
            referring
                .clone()
                .send(deflated(&HELLO_AGAIN[..2]).not_final())
                .send(Frame::ping("between"))
                .expect(Expect::Pong(b"between".to_vec()))
                .send(Frame::continuation(&HELLO_AGAIN[2..]))
                .expect(hello.clone()),
        )
        .expect("Pong, then the message: control frames do not get into the window.")
        .opening(plain()),
    );
    cases.push(
        Case::new(
            "x",
            "Messages that do not refer back, though they may",
            Dialogue::new()
                .needs_compression()
                .send(deflated(HELLO))
                .expect(hello.clone())
                .send(deflated(HELLO))
                .expect(hello.clone()),
        )
        .expect("Both are understood.")
        .opening(plain()),
    );
    cases.push(
        Case::new(
            "x",
            "The subject keeps no context, the judge does",
            referring
                .clone()
                .send(deflated(HELLO_AGAIN))
                .expect(hello.clone())
                .echo(text)
                .echo(text),
        )
        .expect("The judge's references are understood; the subject makes none.")
        .opening(negotiated(anew, required_anew)),
    );
    let mut many = Dialogue::new().needs_compression();
    for number in 0..60 {
        many = many.echo(format!("{number}: {}", text.repeat(number * number % 37)));
    }
    cases.push(
        Case::new("x", "Sixty messages of many lengths", many)
            .expect("All come back.")
            .opening(plain()),
    );

    let broken_word = Dialogue::new()
        .need(no_takeover)
        .send(deflated(HELLO))
        .expect(hello.clone())
        .send(deflated(HELLO_AGAIN))
        .act(tolerated(hello))
        .informational();
    let case = Case::new(
        "x",
        "A message that refers to the one before, against the agreement",
        broken_word,
    )
    .expect("The subject may fail the connection, or have kept the context.");
    let offer = Offer {
        client_no_context_takeover: true,
        ..Offer::default()
    };
    let request = RequestPlan::new(Answer::Opens).offering(vec![offer]);
    cases.push(
        case.clone()
            .for_servers()
            .opening(Opening::Request(request)),
    );
    let answer = "permessage-deflate; server_no_context_takeover; server_max_window_bits=8";
    cases.push(case.for_clients().opening(answered(answer)));

    numbered("takeover", "RFC 7692 §7.1.1, §7.2", cases)
}

/// Gives the cases their ids.
fn numbered(theme: &str, section: &'static str, cases: Vec<Case>) -> Vec<Case> {
    (1..)
        .zip(cases)
        .map(|(number, mut case)| {
            let id = format!("negotiation.{theme}.{number}");
            case.id = id.parse().expect("an id");
            case.section(section)
        })
        .collect()
}
