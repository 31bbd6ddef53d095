//! Frames behind the judge's close frame, in the same segment: nobody may answer them.

use super::looks::{nothing_behind, well_formed};
use super::{LOOK, SOON};
use crate::case::{Act, Case, Dialogue};
use crate::frame::Frame;

pub(super) fn cases() -> Vec<Case> {
    let table = [
        ("a text message", Act::Send(Frame::text("too late"))),
        ("a ping", Act::Send(Frame::ping("too late"))),
        ("a hundred pings", Act::Flood(Frame::ping("too late"), 100)),
        ("a pong", Act::Send(Frame::pong("too late"))),
        (
            "the first half of a message",
            Act::Send(Frame::binary("too").not_final()),
        ),
        (
            "a close frame with another code",
            Act::Send(Frame::close(1001, "no, this")),
        ),
        (
            "text that is not UTF-8",
            Act::Send(Frame::text([0xC0, 0x80])),
        ),
        (
            "a frame with a reserved opcode",
            Act::Send(Frame::new(3, "what?")),
        ),
        ("half of a head", Act::Octets(vec![0x82])),
        (
            "what is no frame at all",
            Act::Octets(b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ),
    ];
    (1..)
        .zip(table)
        .map(|(number, (what, act))| {
            let dialogue = Dialogue::new()
                .echo("before")
                .close(Frame::close(1000, ""))
                .act(act)
                .until_closed(SOON)
                .pause(LOOK)
                .check(well_formed)
                .check(nothing_behind)
                .linger(2 * LOOK);
            let title = format!("A close frame, and behind it {what}");
            Case::new(format!("close.behind.{number}"), title, dialogue)
                .expect(
                    "The close frame is answered as if nothing had come behind it, and nothing \
                     else is sent.",
                )
                .section("RFC 6455 §1.4, §5.5.1, §5.5.2")
        })
        .collect()
}
