//! 1: messages of every length form, in one frame each.

use crate::case::{Case, Script, binary, text};
use crate::frame::Frame;

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("1", "Framing"),
    ("1.1", "Text messages"),
    ("1.2", "Binary messages"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (section, kind) in [(1, "text"), (2, "binary")] {
        let sizes = [0, 125, 126, 127, 128, 65535, 65536, 65536];
        for (item, size) in (1..).zip(sizes) {
            let (octet, chop) = (if section == 1 { b'*' } else { 0xFE }, item == 8);
            let payload = vec![octet; size];
            let (mut frame, seen) = match section {
                1 => (Frame::text(&*payload), text(&*payload)),
                _ => (Frame::binary(&*payload), binary(&*payload)),
            };
            let mut title = format!("A {kind} message of {size} octets");
            if chop {
                frame = frame.chopped(997);
                title += ", written in pieces of 997";
            }
            let patience = if size < 65535 { 1000 } else { 10_000 };
            cases.push(
                Case::new(
                    format!("1.{section}.{item}"),
                    title,
                    Script::new().send(frame).kill_after(patience).ok([seen]),
                )
                .expect("The same message comes back; then a clean close with 1000.")
                .section("RFC 6455 §5.2, §5.6"),
            );
        }
    }
    cases
}
