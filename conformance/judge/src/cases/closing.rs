//! 7: the closing handshake, begun by the judge.

use crate::case::{Case, Closer, ExpectedEnd, Script, Step, text};
use crate::frame::{CLOSE, Frame};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("7", "Closing"),
    ("7.1", "Frames around a close frame"),
    ("7.3", "Length of a close frame"),
    ("7.5", "Reason of a close frame"),
    ("7.7", "Codes that may be sent"),
    ("7.9", "Codes that may not be sent"),
    ("7.13", "Codes that the standard does not know"),
];

const TEXT: &str = "A short text";
const CLEAN: &str = "The subject answers with 1000, and the connection ends cleanly.";
const REFUSED: &str = "The subject answers with 1002, or drops the connection.";

/// Text whose end is good and whose middle is a surrogate, which UTF-8 does not have.
const NOT_UTF8: &[u8] = b"gr\xc3\xbc\xc3\x9fe\xed\xa0\x80verdrehtes";

/// Codes that an endpoint may send (§7.4.1, §7.4.2).
const VALID: [u16; 13] = [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
];

/// Codes that no endpoint may send.
const INVALID: [u16; 9] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = around();
    cases.extend(lengths());
    cases.push(
        Case::new(
            "7.5.1",
            "A close frame whose reason is not UTF-8",
            closing(Some(1000), NOT_UTF8).end(answered(&[1002, 1007], false)),
        )
        .expect("The subject answers with 1002 or 1007, or drops the connection.")
        .section("RFC 6455 §5.5.1, §8.1"),
    );
    for (item, code) in (1..).zip(VALID) {
        let script = closing(Some(code), b"").end(answered(&[1000, code], true));
        cases.push(
            Case::new(
                format!("7.7.{item}"),
                format!("A close frame with {code}, which may be sent"),
                script,
            )
            .expect("The subject answers with the same code or 1000, and the end is clean.")
            .section("RFC 6455 §5.5.1, §7.4"),
        );
    }
    for (item, code) in (1..).zip(INVALID) {
        let script = closing(Some(code), b"").end(answered(&[1002], false));
        cases.push(
            Case::new(
                format!("7.9.{item}"),
                format!("A close frame with {code}, which may not be sent"),
                script,
            )
            .expect(REFUSED)
            .section("RFC 6455 §7.4"),
        );
    }
    for (item, code) in (1..).zip([5000, 65535]) {
        let script = closing(Some(code), b"")
            .end(answered(&[1000, code, 1002], false))
            .informational();
        cases.push(
            Case::new(
                format!("7.13.{item}"),
                format!("A close frame with {code}, of which the standard says nothing"),
                script,
            )
            .expect("The report shows what the subject does; nothing is wrong.")
            .section("RFC 6455 §7.4.2"),
        );
    }
    cases
}

/// 7.1: what comes before and behind the close frame.
fn around() -> Vec<Case> {
    let big: Vec<u8> = b"0123456789"
        .iter()
        .copied()
        .cycle()
        .take(256 << 10)
        .collect();
    let end = || answered(&[1000], true);
    let behind = |frame| {
        Script::new()
            .close(1000)
            .send(frame)
            .kill_after(1000)
            .ok([])
            .closes_itself()
            .end(end())
    };
    vec![
        Case::new(
            "7.1.1",
            "A text message, and a close frame when it is back",
            Script::new()
                .send(Frame::text(TEXT))
                .kill_after(1000)
                .ok([text(TEXT)])
                .end(end()),
        )
        .expect("The message comes back; then a clean close with 1000.")
        .section("RFC 6455 §7.1.2"),
        Case::new(
            "7.1.2",
            "Two close frames, the second one empty",
            behind(Frame::new(CLOSE, "")),
        )
        .expect("The first is answered with 1000 and the second ignored; the end is clean.")
        .section("RFC 6455 §5.5.1"),
        Case::new(
            "7.1.3",
            "A ping behind a close frame",
            behind(Frame::ping("")),
        )
        .expect("The close frame is answered with 1000, the ping not at all.")
        .section("RFC 6455 §5.5.1, §5.5.2"),
        Case::new(
            "7.1.4",
            "A text message behind a close frame",
            behind(Frame::text(TEXT)),
        )
        .expect("The close frame is answered with 1000, the message not at all.")
        .section("RFC 6455 §1.4, §5.5.1"),
        Case::new(
            "7.1.5",
            "A close frame between the two fragments of a text message",
            Script::new()
                .send(Frame::text("One part,").not_final())
                .close(1000)
                .send(Frame::continuation(" another,"))
                .kill_after(1000)
                .ok([])
                .closes_itself()
                .end(end()),
        )
        .expect("The close frame is answered with 1000, the message not at all.")
        .section("RFC 6455 §5.4, §5.5.1"),
        Case::new(
            "7.1.6",
            "A text message of 256 KiB, a short one, a close frame and a ping, all at once",
            Script::new()
                .send(Frame::text(big))
                .send(Frame::text(TEXT))
                .close(1000)
                .send(Frame::ping(""))
                .kill_after(1000)
                .ok([text(TEXT)])
                .non_strict([])
                .closes_itself()
                .informational(),
        )
        .expect(
            "Whether the messages come back before the closing handshake is the subject's choice; \
             the report shows it.",
        )
        .section("RFC 6455 §5.5.1, §7.1.2"),
    ]
}

/// 7.3: close frames of every length that matters.
fn lengths() -> Vec<Case> {
    let case = |id, title, code, reason: &[u8]| {
        Case::new(id, title, closing(code, reason)).section("RFC 6455 §5.5, §5.5.1")
    };
    let refused = |id, title, code, reason: &[u8]| {
        Case::new(
            id,
            title,
            closing(code, reason).end(answered(&[1002], false)),
        )
        .expect(REFUSED)
        .section("RFC 6455 §5.5, §5.5.1")
    };
    vec![
        case("7.3.1", "An empty close frame", None, b"").expect(CLEAN),
        refused("7.3.2", "A close frame of one octet", None, b"?"),
        case("7.3.3", "A close frame with a code only", Some(1000), b"").expect(CLEAN),
        case(
            "7.3.4",
            "A close frame with a code and a reason",
            Some(1000),
            b"All is said.",
        )
        .expect(CLEAN),
        case(
            "7.3.5",
            "A close frame with a reason of 123 octets, the longest there may be",
            Some(1000),
            &[b'.'; 123],
        )
        .expect(CLEAN),
        refused(
            "7.3.6",
            "A close frame with a reason of 124 octets, one too many",
            Some(1000),
            &[b'.'; 124],
        ),
    ]
}

/// Only a close frame; a clean end with 1000 unless told otherwise.
fn closing(code: Option<u16>, reason: &[u8]) -> Script {
    Script::new()
        .step(Step::Close(code, reason.to_vec()))
        .kill_after(1000)
        .ok([])
        .closes_itself()
        .end(answered(&[1000], true))
}

/// The judge closes; another code than these in answer fails the behaviour, too.
fn answered(codes: &[u16], clean: bool) -> ExpectedEnd {
    ExpectedEnd {
        closer: Closer::Suite,
        codes: codes.to_vec(),
        clean,
        wrong_closer_fails: false,
        wrong_code_fails: true,
    }
}
