//! TCP that ends before the closing handshake does.

use cloverleaf_reports::Verdict;

use super::SOON;
use crate::case::{Act, Case, Dialogue, End, Expect};
use crate::frame::Frame;

/// What a subject may say when TCP is cut off.
const CODES: &[u16] = &[1000, 1001, 1002, 1007, 1011];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = half_closed();
    cases.extend(dropped());
    for (number, case) in (1..).zip(&mut cases) {
        case.id = format!("close.tcp.{number}").parse().expect("an id");
    }
    cases
}

fn half_closed() -> Vec<Case> {
    let begun = || Dialogue::new().echo("before");
    let table = [
        ("between two messages", begun()),
        ("in the middle of a frame", begun().octets([0x82])),
        (
            "between two fragments",
            begun().send(Frame::text("half").not_final()),
        ),
    ];
    let mut cases: Vec<_> = table
        .into_iter()
        .map(|(place, dialogue)| {
            let dialogue = dialogue.act(Act::HalfClose).expect_within(
                3_000,
                Expect::OneOf(vec![
                    (Verdict::Ok, Expect::Fails(CODES.to_vec())),
                    (Verdict::Informational, Expect::Nothing),
                ]),
            );
            Case::new(
                "close.tcp.0",
                format!("The judge's direction of TCP ends {place}"),
                dialogue.end(End::failed_by_subject(CODES)),
            )
            .expect("The subject fails the connection; that it waits only informs.")
            .section("RFC 6455 §7.1.7, §7.2.1")
        })
        .collect();
    let closing = Dialogue::new()
        .close(Frame::close(1000, ""))
        .act(Act::HalfClose)
        .expect_within(
            SOON,
            Expect::OneOf(vec![
                (Verdict::Ok, Expect::Close(vec![Some(1000), None])),
                (Verdict::Informational, Expect::End),
            ]),
        );
    cases.push(
        Case::new(
            "close.tcp.0",
            "A close frame, and the judge's direction of TCP ends behind it",
            closing,
        )
        .expect("The close frame is answered all the same; that it is not only informs.")
        .section("RFC 6455 §5.5.1, §7.1.1"),
    );
    cases
}

fn dropped() -> Vec<Case> {
    let table = [
        ("between two messages", Dialogue::new().echo("before")),
        (
            "in the middle of a frame",
            Dialogue::new().send(Frame::binary("half").claimed_length(8)),
        ),
        (
            "between two fragments",
            Dialogue::new().send(Frame::text("half").not_final()),
        ),
        (
            "while an echo of 512 KiB is on its way",
            Dialogue::new().binary(vec![0x5A; 512 << 10]),
        ),
    ];
    table
        .into_iter()
        .map(|(place, dialogue)| {
            Case::new(
                "close.tcp.0",
                format!("The judge drops TCP {place}"),
                dialogue.pause(100).act(Act::Drop).informational(),
            )
            .expect("The subject survives: the cases that follow show whether it did.")
            .section("RFC 6455 §7.1.7, §7.2.1")
        })
        .collect()
}
