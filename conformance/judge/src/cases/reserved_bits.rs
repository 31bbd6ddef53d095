//! 3: reserved bits that no extension owns.

use crate::case::{Case, Script, text};
use crate::frame::{CLOSE, Frame, PING};

pub(super) const SECTIONS: &[(&str, &str)] = &[("3", "Reserved bits")];

const RULE: &str = "RFC 6455 §5.2";
const TEXT: &str = "A few letters";
const FAILS: &str =
    "The subject fails the connection with 1002, or drops it, and sends no message.";

pub(super) fn cases() -> Vec<Case> {
    let plain = || Frame::text(TEXT);
    let ping = || Frame::new(PING, "");
    vec![
        fails("3.1", "A text message with RSV3", plain().rsv(1)),
        after_a_message(
            "3.2",
            "A good text message, one with RSV2, and a ping, in one write",
            [plain(), plain().rsv(2), ping()],
        ),
        after_a_message(
            "3.3",
            "A good text message, one with RSV2 and RSV3, and a ping, in a write each",
            [plain(), plain().rsv(3), ping()].map(Frame::alone),
        ),
        after_a_message(
            "3.4",
            "A good text message, one with RSV1, and a ping, written octet by octet",
            [plain(), plain().rsv(4), ping()].map(|frame| frame.chopped(1)),
        ),
        fails(
            "3.5",
            "A binary message with RSV1 and RSV3",
            Frame::binary(b"\xff\x00\xc0\xaf\x80\x00\xfe\xff").rsv(5),
        ),
        // Autobahn's own words speak of a ping here; what it sends is a binary message.
        fails(
            "3.6",
            "A binary message with RSV1 and RSV2",
            Frame::binary(TEXT).rsv(6),
        ),
        fails(
            "3.7",
            "A close frame with all three reserved bits",
            Frame::new(CLOSE, "").rsv(7),
        ),
    ]
}

fn fails(id: &str, title: &str, frame: Frame) -> Case {
    let script = Script::new()
        .send(frame)
        .kill_after(1000)
        .ok([])
        .subject_fails(&[1002]);
    Case::new(id, title, script).expect(FAILS).section(RULE)
}

fn after_a_message(id: &str, title: &str, frames: [Frame; 3]) -> Case {
    let script = Script::new()
        .send_all(frames)
        .kill_after(1000)
        .ok([text(TEXT)])
        .non_strict([])
        .subject_fails(&[1002]);
    Case::new(id, title, script)
        .expect(
            "The first message comes back (without it: NON-STRICT); then the subject fails the \
             connection with 1002, or drops it. No pong comes.",
        )
        .section(RULE)
}
