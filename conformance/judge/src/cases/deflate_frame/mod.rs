//! deflate-frame: each frame compressed by itself (draft-tyoshino-hybi-websocket-perframe-deflate).
//!
//! No RFC has it, so what is judged is what the implementations that speak with each other agree
//! on. Without it a subject is UNIMPLEMENTED.

mod answers;
mod broken;
mod contexts;
mod frames;
mod limits;
mod offers;

use cloverleaf_reports::Verdict;

use crate::case::{
    Answer, Case, Dialogue, End, Expect, Opening, Reaction, RequestPlan, ResponsePlan,
};
use crate::deflate::{DEFLATE_FRAME, Element, FrameOffer};
use crate::frame::Frame;
use crate::http::Head;
use crate::session::Session;

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("deflate-frame", "Frames compressed one by one"),
    (
        "deflate-frame.offer",
        "Offers that a server takes or declines",
    ),
    ("deflate-frame.answer", "Answers that a client takes or not"),
    ("deflate-frame.window", "Windows are kept as asked for"),
    ("deflate-frame.context", "Contexts are kept or begun anew"),
    ("deflate-frame.frame", "Compressed and plain frames"),
    ("deflate-frame.bit", "Reserved bits out of place"),
    (
        "deflate-frame.broken",
        "Frames that do not inflate, text that is none",
    ),
    ("deflate-frame.limit", "Frames that inflate to much"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(offers::cases());
    cases.extend(answers::cases());
    cases.extend(contexts::windows());
    cases.extend(contexts::contexts());
    cases.extend(frames::cases());
    cases.extend(broken::bits());
    cases.extend(broken::broken());
    cases.extend(limits::cases());
    cases.sort_by(|one, other| one.id.cmp(&other.id));
    cases
}

/// RSV1.
const RSV1: u8 = 4;

/// "Hello" in one block of fixed codes.
const HELLO: [u8; 7] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
/// The same in terms of the frame before.
const HELLO_AGAIN: [u8; 5] = [0xF2, 0x00, 0x11, 0x00, 0x00];
/// And once more.
const HELLO_ONCE_MORE: [u8; 4] = [0x02, 0x13, 0x00, 0x00];
/// "Hello" in a block with BFINAL set, and the octet of an empty block.
const FINAL: [u8; 8] = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00];
/// "Hello, ", in blocks of fixed codes.
const GREETING: [u8; 9] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0xD7, 0x51, 0x00, 0x00];
/// "world!", which refers to nothing before it.
const WORLD: [u8; 8] = [0x2A, 0xCF, 0x2F, 0xCA, 0x49, 0x51, 0x04, 0x00];

/// A text frame whose payload is deflated already.
fn deflated(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::text(payload).rsv(RSV1)
}

/// A continuation whose payload is deflated already.
fn more(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::continuation(payload).rsv(RSV1)
}

/// deflate-frame was agreed on.
fn framed(session: &Session) -> Result<(), String> {
    match session.compresses_frames() {
        true => Ok(()),
        false => Err("deflate-frame was not agreed on.".to_owned()),
    }
}

/// And the judge may refer back to its earlier frames, as far as there is a window at all.
fn unbound(session: &Session) -> Result<(), String> {
    framed(session)?;
    match session.own_compression() {
        Some((15, true)) => Ok(()),
        _ => Err("The subject asks for small windows or frames without context.".to_owned()),
    }
}

/// A dialogue for subjects with deflate-frame.
fn with_frames() -> Dialogue {
    Dialogue::new().need(framed)
}

/// The same, with all the freedom that a sender has.
fn with_references() -> Dialogue {
    Dialogue::new().need(unbound)
}

/// A server is offered deflate-frame with these parameters, a client is answered with them: in
/// either role it is the subject whom they bind.
fn asked(params: &str) -> Opening {
    let line = format!("{}{params}", DEFLATE_FRAME[0]);
    let request = offering(&[&line], &line);
    let response = ResponsePlan::new(Reaction::Opens).answering(&[&line]);
    Opening::Both(Box::new((request, response)))
}

/// A request with these lines. What may be accepted of them is written out in `offers`.
fn offering(lines: &[&str], offers: &str) -> RequestPlan {
    let mut plan = RequestPlan::new(Answer::Opens);
    for line in lines {
        plan = plan.with("Sec-WebSocket-Extensions", *line);
    }
    if offers.is_empty() {
        return plan;
    }
    let offers = Element::list(offers).expect("a list in a table");
    let offers = offers.iter().map(FrameOffer::read);
    plan.frames(
        offers
            .map(|offer| {
                offer
                    .expect("parameters in a table")
                    .expect("a name in a table")
            })
            .collect(),
    )
}

/// The client offers deflate-frame by one of its names.
fn offers_frames(head: &Head) -> Result<(), String> {
    let mut lines = head.values("Sec-WebSocket-Extensions");
    let offered = lines.any(|line| {
        let elements = Element::list(line).unwrap_or_default();
        let mut names = elements.iter().map(|element| &*element.name);
        names.any(|name| DEFLATE_FRAME.contains(&name))
    });
    match offered {
        true => Ok(()),
        false => Err("it does not offer deflate-frame".to_owned()),
    }
}

/// The subject should fail the connection with one of these codes. Others are odd, and to fail is
/// what counts: no two implementations have the same ones.
fn fails(dialogue: Dialogue, codes: &[u16]) -> Dialogue {
    const ODD: &[u16] = &[1003, 1007, 1008, 1009, 1011];
    dialogue
        .expect(Expect::OneOf(vec![
            (Verdict::Ok, Expect::Fails(codes.to_vec())),
            (Verdict::NonStrict, Expect::Fails(ODD.to_vec())),
        ]))
        .end(End::failed_by_subject(&[codes, ODD].concat()))
}

/// Numbers a table.
fn numbered(group: &str, section: &'static str, cases: Vec<Case>) -> Vec<Case> {
    let number = |(number, mut case): (usize, Case)| {
        let id = format!("deflate-frame.{group}.{number}");
        case.id = id.parse().expect("an id");
        case.section(section)
    };
    (1..).zip(cases).map(number).collect()
}
