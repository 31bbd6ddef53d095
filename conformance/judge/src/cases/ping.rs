//! 2: pings and pongs.

use crate::case::{Case, Script, pong};
use crate::frame::Frame;

pub(super) const SECTIONS: &[(&str, &str)] = &[("2", "Pings and pongs")];

const RULE: &str = "RFC 6455 §5.5.2, §5.5.3";
const ECHOED: &str = "A pong with the same payload comes back; then a clean close with 1000.";
const NOTHING: &str = "Nothing comes back; then a clean close with 1000.";

/// The octets of `ping_with` that are not UTF-8: a ping's payload is no text.
const NOT_TEXT: &[u8] = b"\xff\x00\xc0\xaf\x80\x00\xfe\xff";

/// As long as Autobahn's, like all payloads of sections 2 to 7: how long a frame is can decide
/// what a faulty subject does.
const UNASKED: &str = "Nobody asked for a pong.";
const ASKED: &str = "Do you hear?";

pub(super) fn cases() -> Vec<Case> {
    vec![
        answered("2.1", "A ping without payload", Frame::ping("")),
        answered(
            "2.2",
            "A ping with a short text",
            Frame::ping("Are you okay?"),
        ),
        answered(
            "2.3",
            "A ping whose payload is not UTF-8",
            Frame::ping(NOT_TEXT),
        ),
        answered(
            "2.4",
            "A ping with 125 octets, the most there may be",
            Frame::ping([0xFE; 125]),
        ),
        Case::new(
            "2.5",
            "A ping with 126 octets, one too many",
            Script::new()
                .send(Frame::ping([0xFE; 126]))
                .kill_after(1000)
                .ok([])
                .subject_fails(&[1002]),
        )
        .expect("The subject fails the connection with 1002, or drops it, and sends no pong.")
        .section("RFC 6455 §5.5"),
        Case::new(
            "2.6",
            "A ping with 125 octets, written octet by octet",
            Script::new()
                .send(Frame::ping([0xFE; 125]).chopped(1))
                .close_after(2000)
                .ok([pong([0xFE; 125])]),
        )
        .expect(ECHOED)
        .section(RULE),
        unasked("2.7", "A pong without payload that nobody asked for", ""),
        unasked(
            "2.8",
            "A pong with a payload that nobody asked for",
            UNASKED,
        ),
        Case::new(
            "2.9",
            "A pong that nobody asked for, then a ping",
            Script::new()
                .send(Frame::pong(UNASKED))
                .send(Frame::ping(ASKED))
                .close_after(1000)
                .ok([pong(ASKED)]),
        )
        .expect("Only the ping is answered; then a clean close with 1000.")
        .section(RULE),
        ten("2.10", "Ten pings in a row", |ping| ping),
        ten(
            "2.11",
            "Ten pings in a row, written octet by octet",
            |ping| ping.chopped(1),
        ),
    ]
}

fn answered(id: &str, title: &str, ping: Frame) -> Case {
    let expected = pong(&*ping.payload);
    let script = Script::new().send(ping).close_after(1000).ok([expected]);
    Case::new(id, title, script).expect(ECHOED).section(RULE)
}

fn unasked(id: &str, title: &str, payload: &str) -> Case {
    let script = Script::new()
        .send(Frame::pong(payload))
        .close(1000)
        .close_after(1000)
        .ok([]);
    Case::new(id, title, script)
        .expect(NOTHING)
        .section("RFC 6455 §5.5.3")
}

fn ten(id: &str, title: &str, written: fn(Frame) -> Frame) -> Case {
    let payloads: Vec<_> = (0..10).map(|number| format!("ping no {number}")).collect();
    let pings = payloads
        .iter()
        .map(|payload| written(Frame::ping(&**payload)));
    let script = Script::new()
        .send_all(pings)
        .close_after(3000)
        .ok(payloads.iter().map(|payload| pong(&**payload)));
    Case::new(id, title, script)
        .expect(
            "Ten pongs come back in order, though the standard would allow to answer the last \
             ping only; then a clean close with 1000.",
        )
        .section(RULE)
}
