//! Bodies, and what stands behind the head.

use super::{
    FIELDS, either, head_with, refuses, request, request_then, should_open, should_refuse,
};
use crate::case::{Case, Dialogue, Expect, RequestPlan};
use crate::frame::{Frame, Masking};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = framings();
    cases.extend(behind_the_head());
    cases
}

fn framings() -> Vec<Case> {
    let with = |plan: RequestPlan, lines: &str, body: &str| plan.raw(head_with(lines) + body);
    let body = "The server may refuse a body; if it opens the connection, the body is not taken \
        for frames.";
    let length = "The end of this request is uncertain: the server refuses and ends TCP.";
    vec![
        request(
            "A body of no octets is announced",
            with(should_open(), "Content-Length: 0\r\n", ""),
            "This is as good as no body.",
            "RFC 9112 §6.2",
        ),
        request(
            "The request has a body of five octets",
            with(either(), "Content-Length: 5\r\n", "hello"),
            body,
            "RFC 9112 §6.3, RFC 9110 §7.8",
        ),
        request(
            "The request has a body in chunks",
            with(
                either(),
                "Transfer-Encoding: chunked\r\n",
                "5\r\nhello\r\n0\r\n\r\n",
            ),
            body,
            "RFC 9112 §6.3, RFC 9110 §7.8",
        ),
        request(
            "Content-Length and Transfer-Encoding at once",
            with(
                should_refuse(),
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                "0\r\n\r\n",
            ),
            "A server that answers such a request ends TCP, so it cannot open a connection.",
            "RFC 9112 §6.1",
        ),
        request(
            "Two different values of Content-Length",
            with(
                refuses(&[400]),
                "Content-Length: 0\r\nContent-Length: 5\r\n",
                "",
            ),
            length,
            "RFC 9112 §6.3",
        ),
        request(
            "Content-Length is -1",
            with(refuses(&[400]), "Content-Length: -1\r\n", ""),
            length,
            "RFC 9112 §6.3",
        ),
        request(
            "Transfer-Encoding does not end with chunked",
            with(refuses(&[400, 501]), "Transfer-Encoding: gzip\r\n", ""),
            length,
            "RFC 9112 §6.1, §6.3",
        ),
        request(
            "Expect: 100-continue without a body",
            with(either(), "Expect: 100-continue\r\n", ""),
            "A server may send 100 (Continue) before its answer; 417 is right as well.",
            "RFC 9110 §10.1.1, §7.8",
        ),
    ]
}

fn behind_the_head() -> Vec<Case> {
    let early = "The standard asks clients to wait, and does not say what a server does that sees \
        otherwise. Octets may not get lost, though.";
    let section = "RFC 6455 §4.1";
    let frames = |list: &[Frame]| {
        let encoded = list
            .iter()
            .flat_map(|frame| frame.encode(Some([1, 2, 3, 4])));
        encoded.collect::<Vec<u8>>()
    };
    let behind = |plan: RequestPlan, octets: &[u8]| {
        let mut head = head_with("").into_bytes();
        head.extend_from_slice(octets);
        plan.raw(head)
    };
    let one = frames(&[Frame::text("early")]);
    let (first, last) = one.split_at(3);
    let several = frames(&[
        Frame::ping("one"),
        Frame::text("two"),
        Frame::binary("three"),
    ]);
    let again = head_with("").into_bytes();
    let version_14 = FIELDS.replace("Version: 13", "Version: 14");
    let refused = format!(
        "GET {{target}} HTTP/1.1\r\n{version_14}\r\n{}",
        head_with("")
    );
    vec![
        request_then(
            "A message right behind the head",
            behind(either(), &one),
            early,
            section,
            Dialogue::new().expect(Expect::text("early")).echo("late"),
        ),
        request_then(
            "The beginning of a message right behind the head, its rest later",
            behind(either(), first),
            early,
            section,
            Dialogue::new()
                .octets(last)
                .expect(Expect::text("early"))
                .echo("late"),
        ),
        request_then(
            "A ping and two messages right behind the head",
            behind(either(), &several),
            early,
            section,
            Dialogue::new()
                .expect(Expect::Pong(b"one".to_vec()))
                .expect(Expect::text("two"))
                .expect(Expect::binary("three"))
                .echo("late"),
        ),
        request_then(
            "A message without a mask right behind the head",
            behind(
                either(),
                &Frame::text("early").masking(Masking::Never).encode(None),
            ),
            "If the connection opens, this fails it like any frame of a client without a mask.",
            "RFC 6455 §5.1",
            Dialogue::new().fails(&[1002]),
        ),
        request_then(
            "A second request right behind the first",
            behind(either(), &again),
            "If the connection opens, the second request is a broken frame that fails it.",
            "RFC 6455 §5.2",
            Dialogue::new().fails(&[1002]),
        ),
        request(
            "A request with version 14, and a right one behind it",
            refuses(&[426, 400]).raw(refused),
            "The first is refused. If that answer says Connection: close, the second gets none.",
            "RFC 9112 §9.6",
        ),
    ]
}
