//! 5: messages in fragments, with control frames between them, and fragments out of place.

use crate::case::{Case, Script, pong, text};
use crate::frame::{Frame, PING, PONG};

pub(super) const SECTIONS: &[(&str, &str)] = &[("5", "Fragmentation")];

const RULE: &str = "RFC 6455 §5.4";
const ECHOED: &str = "The whole message comes back; then a clean close with 1000.";
const FAILS: &str =
    "The subject fails the connection with 1002, or drops it, and sends no message.";

// Each as long as Autobahn's.
const ONE: &str = "One part,";
const TWO: &str = " another,";
const THREE: &str = " a third,";
const FOUR: &str = " a fourth";
const FIVE: &str = " and last";
const BETWEEN: &str = "Still there?";
const EARLY: &str = "ping no 1";
const LATE: &str = "ping no 2";
const STRAY: &str = "A sequel without a start";
const WHOLE: &str = "A few letters";

/// How frames reach TCP.
#[derive(Clone, Copy)]
enum Written {
    Together,
    FrameByFrame,
    OctetByOctet,
}

use Written::{FrameByFrame, OctetByOctet, Together};

impl Written {
    const ALL: [Self; 3] = [Together, FrameByFrame, OctetByOctet];

    fn apply(self, frame: Frame) -> Frame {
        match self {
            Together => frame,
            FrameByFrame => frame.alone(),
            OctetByOctet => frame.chopped(1),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Together => "written together",
            FrameByFrame => "written frame by frame",
            OctetByOctet => "written octet by octet",
        }
    }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        fails(
            "5.1",
            "A ping in two fragments",
            "RFC 6455 §5.5",
            [Frame::new(PING, ONE).not_final(), Frame::continuation(TWO)],
        ),
        fails(
            "5.2",
            "A pong in two fragments",
            "RFC 6455 §5.5",
            [Frame::new(PONG, ONE).not_final(), Frame::continuation(TWO)],
        ),
    ];
    for (id, written) in ["5.3", "5.4", "5.5"].into_iter().zip(Written::ALL) {
        let frames = [Frame::text(ONE).not_final(), Frame::continuation(TWO)];
        let script = Script::new()
            .send_all(frames.map(|frame| written.apply(frame)))
            .close_after(1000)
            .ok([text([ONE, TWO].concat())]);
        let title = format!("A text message in two fragments, {}", written.in_words());
        cases.push(Case::new(id, title, script).expect(ECHOED).section(RULE));
    }
    for (id, written) in ["5.6", "5.7", "5.8"].into_iter().zip(Written::ALL) {
        let frames = [
            Frame::text(ONE).not_final(),
            Frame::ping(BETWEEN),
            Frame::continuation(TWO),
        ];
        let script = Script::new()
            .send_all(frames.map(|frame| written.apply(frame)))
            .close_after(1000)
            .ok([pong(BETWEEN), text([ONE, TWO].concat())]);
        let title = format!("A ping between two fragments, {}", written.in_words());
        cases.push(
            Case::new(id, title, script)
                .expect("First the pong, then the message; then a clean close with 1000.")
                .section(RULE),
        );
    }
    for (id, written) in ["5.9", "5.10", "5.11"].into_iter().zip(Written::ALL) {
        let frames = [Frame::continuation(STRAY), Frame::text(WHOLE)];
        let title = format!(
            "A final continuation of nothing and a text message, {}",
            written.in_words()
        );
        cases.push(fails(
            id,
            title,
            RULE,
            frames.map(|frame| written.apply(frame)),
        ));
    }
    for (id, written) in ["5.12", "5.13", "5.14"].into_iter().zip(Written::ALL) {
        let frames = [Frame::continuation(STRAY).not_final(), Frame::text(WHOLE)];
        let title = format!(
            "A continuation of nothing with more to come and a text message, {}",
            written.in_words()
        );
        cases.push(fails(
            id,
            title,
            RULE,
            frames.map(|frame| written.apply(frame)),
        ));
    }
    let frames = [
        Frame::text(ONE).not_final(),
        Frame::continuation(TWO),
        Frame::continuation(THREE).not_final(),
        Frame::text(FOUR),
    ];
    let script = Script::new()
        .send_all(frames)
        .kill_after(1000)
        .ok([text([ONE, TWO].concat())])
        .non_strict([])
        .subject_fails(&[1002]);
    cases.push(
        Case::new(
            "5.15",
            "A text message in two fragments, a continuation of nothing, and a text message",
            script,
        )
        .expect(
            "The first message comes back (without it: NON-STRICT); then the subject fails the \
             connection with 1002, or drops it.",
        )
        .section(RULE),
    );
    for (id, stray, kind) in [
        (
            "5.16",
            Frame::continuation(ONE).not_final(),
            "with more to come",
        ),
        ("5.17", Frame::continuation(ONE), "that is final"),
    ] {
        let message = [Frame::text(TWO).not_final(), Frame::continuation(THREE)];
        let round = [&[stray][..], &message].concat();
        let title = format!(
            "Twice: a continuation of nothing {kind}, then a text message in two fragments"
        );
        cases.push(fails(id, title, RULE, [&round[..], &round].concat()));
    }
    cases.push(fails(
        "5.18",
        "A text message in two fragments that both have the opcode of text",
        RULE,
        [Frame::text(ONE).not_final(), Frame::text(TWO)],
    ));
    cases.push(in_two_parts("5.19", Together));
    cases.push(in_two_parts("5.20", FrameByFrame));
    cases
}

fn fails(
    id: &str,
    title: impl Into<String>,
    section: &'static str,
    frames: impl IntoIterator<Item = Frame>,
) -> Case {
    let script = Script::new()
        .send_all(frames)
        .kill_after(1000)
        .ok([])
        .subject_fails(&[1002]);
    Case::new(id, title, script).expect(FAILS).section(section)
}

fn in_two_parts(id: &str, written: Written) -> Case {
    let first = [
        Frame::text(ONE).not_final(),
        Frame::continuation(TWO).not_final(),
        Frame::ping(EARLY),
    ];
    let second = [
        Frame::continuation(THREE).not_final(),
        Frame::continuation(FOUR).not_final(),
        Frame::ping(LATE),
        Frame::continuation(FIVE),
    ];
    let script = Script::new()
        .send_all(first.map(|frame| written.apply(frame)))
        .pause(1000)
        .send_all(second.map(|frame| written.apply(frame)))
        .close_after(1000)
        .ok([
            pong(EARLY),
            pong(LATE),
            text([ONE, TWO, THREE, FOUR, FIVE].concat()),
        ]);
    let title = format!(
        "Five fragments of a text message, a ping and a second's pause after the second, a ping \
         before the last, {}",
        written.in_words()
    );
    Case::new(id, title, script)
        .expect("Both pongs, then the whole message; then a clean close with 1000.")
        .section(RULE)
}
