//! What stands behind the head, and heads that are cut off.

use super::{FIELDS, gives_up, head_with, opens, response, response_then};
use crate::case::{Case, Dialogue, Expect};
use crate::frame::Frame;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = frames_behind_the_head();
    cases.extend(cut_off());
    cases
}

fn frames_behind_the_head() -> Vec<Case> {
    let may = "A server may send as soon as it has answered, and TCP knows no messages.";
    let broken = "Without an open connection no frame is read.";
    let section = "RFC 6455 §4.2.2";
    let after = |head: String, frames: &[Frame]| {
        let mut octets = head.into_bytes();
        octets.extend(frames.iter().flat_map(|frame| frame.encode(None)));
        octets
    };
    let behind = |frames: &[Frame]| after(head_with(""), frames);
    let early = Frame::text("early");
    let whole = behind(std::slice::from_ref(&early));
    let (first, last) = whole.split_at(whole.len() - 3);
    vec![
        response_then(
            "A message right behind the head",
            opens().raw(whole.clone()),
            may,
            section,
            Dialogue::new().expect(Expect::text("early")).echo("late"),
        ),
        response_then(
            "A ping and two messages right behind the head",
            opens().raw(behind(&[
                Frame::ping("one"),
                Frame::text("two"),
                Frame::binary("three"),
            ])),
            may,
            section,
            Dialogue::new()
                .expect(Expect::Pong(b"one".to_vec()))
                .expect(Expect::text("two"))
                .expect(Expect::binary("three"))
                .echo("late"),
        ),
        response_then(
            "The beginning of a message right behind the head, its rest later",
            opens().raw(first),
            may,
            section,
            Dialogue::new()
                .octets(last)
                .expect(Expect::text("early"))
                .echo("late"),
        ),
        response_then(
            "Head and message in single octets",
            opens().raw(whole.clone()).chopped(1, 0),
            may,
            section,
            Dialogue::new().expect(Expect::text("early")).echo("late"),
        ),
        response_then(
            "A frame with a reserved opcode right behind the head",
            opens().raw(behind(&[Frame::new(3, "")])),
            "The connection opens and fails at once.",
            "RFC 6455 §5.2",
            Dialogue::new().fails(&[1002]),
        ),
        response(
            "A message right behind a head with a wrong Accept",
            gives_up()
                .raw(whole)
                .accept(|accept| accept.replace('=', "A")),
            broken,
            "RFC 6455 §4.1",
        ),
        response(
            "A message right behind a head with an extension that was not offered",
            gives_up().raw(after(
                head_with("Sec-WebSocket-Extensions: x-unknown\r\n"),
                &[early],
            )),
            broken,
            "RFC 6455 §4.1",
        ),
    ]
}

fn cut_off() -> Vec<Case> {
    let ends = "There is nothing to wait for.";
    let section = "RFC 6455 §4.1, §7.1.7";
    let head = head_with("");
    let unfinished = head.trim_end_matches("\r\n").to_owned() + "\r\n";
    vec![
        response(
            "TCP ends without an answer",
            gives_up().raw("").then_drop(),
            ends,
            section,
        ),
        response(
            "TCP ends in the status line",
            gives_up().raw("HTTP/1.1 101 Swi").then_drop(),
            ends,
            section,
        ),
        response(
            "TCP ends among the fields",
            gives_up()
                .raw(&head[..head.len() - FIELDS.len()])
                .then_drop(),
            ends,
            section,
        ),
        response(
            "TCP ends where only the empty line is missing",
            gives_up().raw(unfinished).then_drop(),
            ends,
            section,
        ),
        response(
            "TCP ends right behind the head",
            gives_up().then_drop(),
            ends,
            "RFC 6455 §7.1.5",
        ),
    ]
}
