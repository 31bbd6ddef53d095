//! 4: opcodes that nobody has given a meaning.

use crate::case::{Case, Script, text};
use crate::frame::Frame;

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("4", "Reserved opcodes"),
    ("4.1", "Of data frames"),
    ("4.2", "Of control frames"),
];

const RULE: &str = "RFC 6455 §5.2";
const TEXT: &str = "A few letters";
const PAYLOAD: &str = "Nobody knows what it is";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (section, first) in [(1, 3), (2, 11)] {
        let id = |item| format!("4.{section}.{item}");
        cases.push(alone(id(1), first, ""));
        cases.push(alone(id(2), first + 1, PAYLOAD));
        cases.push(after_a_message(id(3), first + 2, "", false));
        cases.push(after_a_message(id(4), first + 3, TEXT, false));
        cases.push(after_a_message(id(5), first + 4, TEXT, true));
    }
    cases
}

fn alone(id: String, opcode: u8, payload: &str) -> Case {
    let with = if payload.is_empty() {
        "without"
    } else {
        "with"
    };
    let script = Script::new()
        .send(Frame::new(opcode, payload))
        .kill_after(1000)
        .ok([])
        .subject_fails(&[1002]);
    Case::new(
        id,
        format!("A frame with opcode {opcode}, {with} payload"),
        script,
    )
    .expect("The subject fails the connection with 1002, or drops it, and sends no message.")
    .section(RULE)
}

fn after_a_message(id: String, opcode: u8, payload: &str, octet_by_octet: bool) -> Case {
    let with = if payload.is_empty() {
        "without"
    } else {
        "with"
    };
    let mut title =
        format!("A text message, a frame with opcode {opcode} {with} payload, and a ping");
    let mut frames = [
        Frame::text(TEXT),
        Frame::new(opcode, payload),
        Frame::ping(""),
    ];
    if octet_by_octet {
        title += ", written octet by octet";
        frames = frames.map(|frame| frame.chopped(1));
    }
    let script = Script::new()
        .send_all(frames)
        .kill_after(1000)
        .ok([text(TEXT)])
        .non_strict([])
        .subject_fails(&[1002]);
    Case::new(id, title, script)
        .expect(
            "The message comes back (without it: NON-STRICT); then the subject fails the \
             connection with 1002, or drops it. No pong comes.",
        )
        .section(RULE)
}
