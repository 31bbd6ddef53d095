//! 6: UTF-8 in text messages.

mod sequences;

use crate::case::{Case, Script, Step, text, timeout};
use crate::frame::Frame;
use sequences::{GREEK, Sequence, families};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("6", "UTF-8"),
    ("6.1", "Text without octets"),
    ("6.2", "Valid text, whole and in fragments"),
    ("6.3", "Invalid text, whole and in fragments"),
    ("6.4", "Invalid text is noticed as it comes"),
    ("6.5", "Valid text"),
    ("6.6", "Every beginning of a word"),
    ("6.7", "The first code point of each length"),
    ("6.8", "The first code points of five and six octets"),
    ("6.9", "The last code point of each length"),
    ("6.10", "The last code points of forms beyond Unicode"),
    ("6.11", "Code points at the edges of gaps"),
    ("6.12", "Continuation octets alone"),
    ("6.13", "Leads alone"),
    ("6.14", "Forms without their last octet"),
    ("6.15", "Many forms without their last octet"),
    ("6.16", "Octets that never occur"),
    ("6.17", "A slash in too many octets"),
    ("6.18", "The highest code points in one octet too many"),
    ("6.19", "NUL in too many octets"),
    ("6.20", "Surrogates"),
    ("6.21", "Pairs of surrogates"),
    ("6.22", "Code points that are no characters, yet valid"),
    ("6.23", "Specials"),
];

const ECHOED: &str =
    "The text is UTF-8: the same message comes back; then a clean close with 1000.";
const REFUSED: &str =
    "The text is not UTF-8: the subject fails the connection, with 1007 or no code.";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = empty();
    cases.extend(valid());
    cases.extend(invalid());
    cases.extend(as_it_comes());
    for (section, family) in (5..).zip(families()) {
        for (item, sequence) in (1..).zip(family) {
            cases.push(decoder(format!("6.{section}.{item}"), &sequence));
        }
    }
    cases
}

/// A script at whose end the subject must have failed the connection; whoever leaves that to the
/// judge has not noticed the error.
fn refused(script: Script) -> Script {
    let mut script = script.subject_fails(&[1007]);
    script.end.wrong_closer_fails = true;
    script
}

/// 6.1: frames without octets.
fn empty() -> Vec<Case> {
    let middle = "between empty frames";
    let in_three = |payload: &str| {
        Script::new().send_all([
            Frame::text("").not_final(),
            Frame::continuation(payload).not_final(),
            Frame::continuation(""),
        ])
    };
    [
        (
            "An empty text message",
            Script::new().send(Frame::text("")),
            "",
        ),
        ("A text message of three empty fragments", in_three(""), ""),
        (
            "A text message between two empty fragments",
            in_three(middle),
            middle,
        ),
    ]
    .into_iter()
    .zip(1..)
    .map(|((title, script, payload), item)| {
        Case::new(
            format!("6.1.{item}"),
            title,
            script.close_after(1000).ok([text(payload)]),
        )
        .expect("The same message comes back; then a clean close with 1000.")
        .section("RFC 6455 §5.4, §5.6")
    })
    .collect()
}

/// 6.2: valid text, with fragments that end between characters or within them.
fn valid() -> Vec<Case> {
    let (left, right) = (
        "Hello-\u{B5}@\u{DF}\u{F6}\u{E4}",
        "\u{FC}\u{E0}\u{E1}-UTF-8!!",
    );
    let whole = [left, right].concat();
    let octet_by_octet =
        |payload: &str| Script::new().step(Step::SendFragmented(payload.into(), 1));
    [
        (
            "Text in one frame",
            Script::new().send(Frame::text(&*whole)),
            &*whole,
        ),
        (
            "Text in two fragments, cut between characters",
            Script::new().send_all([Frame::text(left).not_final(), Frame::continuation(right)]),
            &whole,
        ),
        (
            "Text in fragments of one octet",
            octet_by_octet(&whole),
            &whole,
        ),
        (
            "A Greek word in fragments of one octet",
            octet_by_octet(GREEK),
            GREEK,
        ),
    ]
    .into_iter()
    .zip(1..)
    .map(|((title, script, payload), item)| {
        Case::new(
            format!("6.2.{item}"),
            title,
            script.close_after(1000).ok([text(payload)]),
        )
        .expect(ECHOED)
        .section("RFC 6455 §5.4, §5.6")
    })
    .collect()
}

/// 6.3: a surrogate between valid text.
fn invalid() -> Vec<Case> {
    let payload = [GREEK.as_bytes(), b"\xED\xA0\x80", b"edited"].concat();
    [
        (
            "Text with a surrogate, in one frame",
            Step::Send(Frame::text(&*payload)),
        ),
        (
            "Text with a surrogate, in fragments of one octet",
            Step::SendFragmented(payload, 1),
        ),
    ]
    .into_iter()
    .zip(1..)
    .map(|((title, step), item)| {
        let script = refused(Script::new().step(step).kill_after(1000).ok([]));
        Case::new(format!("6.3.{item}"), title, script)
            .expect(REFUSED)
            .section("RFC 6455 §8.1")
    })
    .collect()
}

/// 6.4: a code point beyond Unicode between valid text, in three parts with time between them.
fn as_it_comes() -> Vec<Case> {
    let payload = [GREEK.as_bytes(), b"\xF4\x90\x80\x80", b"edited"].concat();
    // F4 may begin a character; 90 after it may not go on with it.
    let (before, within) = ((11, 15), (12, 13));
    [
        (
            "in three frames, the code point in the second",
            before,
            false,
        ),
        (
            "in three frames, the octet that breaks it in the second",
            within,
            false,
        ),
        (
            "in three parts of one frame, the code point in the second",
            before,
            true,
        ),
        (
            "in three parts of one frame, the octet that breaks it in the second",
            within,
            true,
        ),
    ]
    .into_iter()
    .zip(1..)
    .map(|((parts, (one, two), one_frame), item)| {
        let frame = Frame::text(&*payload).not_final();
        let script = if one_frame {
            let part = |range| Step::SendPart(frame.clone(), range);
            Script::new()
                .step(part(0..one))
                .pause_as(1000, "first")
                .step(part(one..two))
                .pause_as(1000, "second")
                .step(part(two..payload.len()))
                .send(Frame::continuation(""))
        } else {
            Script::new()
                .send(Frame::text(&payload[..one]).not_final())
                .pause_as(1000, "first")
                .send(Frame::continuation(&payload[one..two]).not_final())
                .pause_as(1000, "second")
                .send(Frame::continuation(&payload[two..]))
        };
        let script = script
            .kill_after(1000)
            .ok([timeout("first")])
            .non_strict([timeout("first"), timeout("second")]);
        Case::new(
            format!("6.4.{item}"),
            format!("Invalid text {parts}"),
            refused(script),
        )
        .expect(
            "The first part may be valid yet, the second cannot: the subject fails the \
                 connection upon it, with 1007 or no code. It may also do so upon the third: \
                 NON-STRICT.",
        )
        .section("RFC 6455 §8.1")
    })
    .collect()
}

/// 6.5 to 6.23: one sequence of octets in one frame.
fn decoder(id: String, sequence: &Sequence) -> Case {
    let octets = &*sequence.octets;
    let title = format!("Text in one frame: {} ({})", sequence.what, hex(octets));
    let script = Script::new().send(Frame::text(octets)).kill_after(500);
    if sequence.is_valid() {
        Case::new(id, title, script.ok([text(octets)]))
            .expect(ECHOED)
            .section("RFC 3629 §3, §4")
    } else {
        Case::new(id, title, refused(script.ok([])))
            .expect(REFUSED)
            .section("RFC 6455 §8.1, RFC 3629 §3, §4")
    }
}

/// Octets in hexadecimal; of a long row, the beginning.
fn hex(octets: &[u8]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<_> = octets
        .iter()
        .take(SHOWN)
        .map(|octet| format!("{octet:02x}"))
        .collect();
    let more = if octets.len() > SHOWN { " ..." } else { "" };
    shown.join(" ") + more
}
