//! Servers that do wrong are found out: what they send is written by hand.

use std::time::Duration;

use cloverleaf_reports::{Role, Verdict};

use crate::cases;
use crate::frame::Frame;
use crate::random::Random;
use crate::session::{Log, Options, Session};

/// The verdict of a case on a server that sends these frames and then ends TCP.
fn verdict(id: &str, frames: &[Frame]) -> Verdict {
    let id = id.parse().expect("an id");
    let case = cases::find(&id).expect("a case");
    let random = Random::seeded(1);
    let options = Options::default();
    let mut session = Session::open(
        Role::Server,
        options,
        None,
        random,
        Log::default(),
        Duration::ZERO,
    );
    let mut program = case.start();
    program.on_open(&mut session);
    for frame in frames {
        session.handle_input(Duration::ZERO, &frame.encode(None));
        while let Some(event) = session.next_event() {
            program.on_event(&mut session, event);
        }
    }
    session.handle_end(Duration::ZERO);
    program.judge(&session).verdict
}

#[test]
fn a_server_that_does_right_passes() {
    let before = Frame::text("before");
    let (close, failed) = (Frame::close(1000, ""), Frame::close(1002, ""));
    for (id, frames) in [
        ("close.answer.1", vec![Frame::close_with("")]),
        (
            "close.answer.4",
            vec![Frame::text("last words"), close.clone()],
        ),
        ("close.answer.4", vec![close.clone()]),
        ("close.behind.1", vec![before.clone(), close]),
        ("close.broken.1", vec![failed.clone()]),
        ("close.broken.1", vec![]),
        ("close.codes.16", vec![failed.clone()]),
        ("close.failing.1", vec![before.clone(), failed]),
        ("close.failing.3", vec![before, Frame::close(1007, "")]),
        ("close.reason.7", vec![Frame::close(1007, "")]),
    ] {
        assert_eq!(verdict(id, &frames), Verdict::Ok, "{id} {frames:?}");
    }
}

#[test]
fn a_server_that_does_wrong_fails() {
    let before = Frame::text("before");
    let (close, failed) = (Frame::close(1000, ""), Frame::close(1002, ""));
    let masked = crate::frame::Masking::With([1, 2, 3, 4]);
    for (id, frames) in [
        // No answer at all.
        ("close.answer.2", vec![]),
        // An answer that breaks a rule of framing.
        ("close.answer.2", vec![Frame::close(1000, "").not_final()]),
        ("close.answer.2", vec![Frame::close(1000, "").rsv(4)]),
        (
            "close.answer.2",
            vec![Frame::close(1000, "").masking(masked)],
        ),
        // More behind the answer.
        (
            "close.answer.4",
            vec![close.clone(), Frame::text("last words")],
        ),
        (
            "close.answer.5",
            vec![close.clone(), Frame::pong("are you there?")],
        ),
        ("close.answer.9", vec![close.clone(), close.clone()]),
        (
            "close.behind.1",
            vec![before.clone(), close.clone(), Frame::text("too late")],
        ),
        (
            "close.behind.2",
            vec![before.clone(), close.clone(), Frame::pong("too late")],
        ),
        // An over-long close frame answered in kind, and one answered as if it were right.
        ("close.broken.1", vec![Frame::close(1000, [b'x'; 124])]),
        ("close.broken.1", vec![close.clone()]),
        // A code that may not be sent.
        ("close.codes.16", vec![Frame::close(1005, "our reason")]),
        // A reason that is not UTF-8, sent back.
        ("close.reason.7", vec![Frame::close(1000, [0xC3])]),
        // An error overlooked, and one answered by more than a close frame.
        ("close.failing.1", vec![before.clone(), Frame::text("RSV3")]),
        (
            "close.failing.1",
            vec![before.clone(), failed.clone(), failed.clone()],
        ),
        (
            "close.failing.12",
            vec![before.clone(), failed.clone(), Frame::pong("and now?")],
        ),
        (
            "close.failing.18",
            vec![before, failed, Frame::text("me, too")],
        ),
        // Pongs that are wrong, or in the wrong order.
        ("close.control.1", vec![Frame::pong("")]),
        (
            "limits.control.1",
            vec![Frame::pong("0009"), Frame::pong("0001")],
        ),
        (
            "limits.control.1",
            vec![Frame::pong("0001"), Frame::pong("0000")],
        ),
        // Large messages that come back with an octet less.
        ("close.echo.1", vec![Frame::binary(vec![0; 65_534])]),
        // A refusal with a code that says something else.
        ("limits.fragments.1", vec![Frame::close(1003, "")]),
    ] {
        assert_eq!(verdict(id, &frames), Verdict::Failed, "{id} {frames:?}");
    }
}
