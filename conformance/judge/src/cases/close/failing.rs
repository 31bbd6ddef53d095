//! The subject fails the connection, for a reason it is given: its close frame, and what it does
//! with what comes then.

use cloverleaf_reports::Verdict;

use super::looks::{nothing_behind, well_formed};
use super::{LOOK, SOON};
use crate::case::{Act, Case, Dialogue, Expect};
use crate::frame::{Frame, Masking};

/// Any code: which one is the best is judged with the end.
const ANY: &[u16] = &[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011];

/// The judge gives a reason to fail the connection, and leaves the answer to the case.
fn provoked(by: Act, code: u16) -> Dialogue {
    let mut dialogue = Dialogue::new()
        .answers_close()
        .linger(2 * LOOK)
        .echo("before")
        .act(by)
        .fails(&[code]);
    // A code that is not the best spoils the end, not what is looked at here.
    if let Some(Act::Expect(expect, _)) = dialogue.acts.last_mut() {
        *expect = Expect::Fails(ANY.to_vec());
    }
    dialogue.check(well_formed)
}

fn looked_at(dialogue: Dialogue) -> Dialogue {
    dialogue
        .pause(LOOK)
        .check(well_formed)
        .check(nothing_behind)
}

/// The ordinary reason.
fn reserved_bit() -> Act {
    Act::Send(Frame::text("RSV3").rsv(1))
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = reasons();
    cases.extend(answers());
    cases.extend(same_segment());
    let roles = [
        (
            "The server fails the connection, and its close frame is answered at once",
            "The server ends TCP within two seconds, before the client does.",
            "RFC 6455 §5.5.1, §7.1.1",
            provoked(reserved_bit(), 1002)
                .close(Frame::close(1002, ""))
                .expect_within(SOON, Expect::End),
        ),
        (
            "The client fails the connection, and its close frame is not answered for a second",
            "The client leaves it to the server to end TCP; a failure is no normal case, so that it \
             does not only informs.",
            "RFC 6455 §7.1.1, §7.1.7",
            provoked(reserved_bit(), 1002).expect_within(
                1_000,
                Expect::OneOf(vec![
                    (Verdict::Ok, Expect::Nothing),
                    (Verdict::Informational, Expect::End),
                ]),
            ),
        ),
    ];
    let [server, client] = roles.map(|(title, expectation, section, dialogue)| {
        Case::new("close.failing.0", title, dialogue)
            .expect(expectation)
            .section(section)
    });
    cases.push(server.for_servers());
    cases.push(client.for_clients());
    let masked = [
        (
            "The subject fails the connection for a frame without a mask",
            Masking::Never,
        ),
        (
            "The subject fails the connection for a frame with a mask",
            Masking::With([1, 2, 3, 4]),
        ),
    ];
    let [unmasked, masked] = masked.map(|(title, masking)| {
        let by = Act::Send(Frame::text("masked?").masking(masking));
        let dialogue = provoked(by, 1002).close(Frame::close(1002, ""));
        Case::new("close.failing.0", title, looked_at(dialogue))
            .expect("A client masks, a server does not: the connection fails with 1002.")
            .section("RFC 6455 §5.1")
    });
    cases.push(unmasked.for_servers());
    cases.push(masked.for_clients());
    for (number, case) in (1..).zip(&mut cases) {
        case.id = format!("close.failing.{number}").parse().expect("an id");
    }
    cases
}

/// The close frame is answered at once: all as it should be.
fn reasons() -> Vec<Case> {
    let table = [
        ("a reserved bit", reserved_bit(), 1002),
        ("a reserved opcode", Act::Send(Frame::new(7, "")), 1002),
        (
            "text that is not UTF-8",
            Act::Send(Frame::text([0xFF])),
            1007,
        ),
        (
            "a continuation of nothing",
            Act::Send(Frame::continuation("?")),
            1002,
        ),
        (
            "a ping with FIN clear",
            Act::Send(Frame::ping("").not_final()),
            1002,
        ),
        (
            "a ping of 126 octets",
            Act::Send(Frame::ping(vec![b'p'; 126])),
            1002,
        ),
    ];
    table
        .into_iter()
        .map(|(what, by, code)| {
            let dialogue = provoked(by, code).close(Frame::close(code, ""));
            Case::new(
                "close.failing.0",
                format!("The subject fails the connection for {what}"),
                looked_at(dialogue),
            )
            .expect(format!(
                "Its close frame, if it sends one, has {code} and breaks no rule; it is the last \
                 thing sent."
            ))
            .section("RFC 6455 §5.5.1, §7.1.7, §7.4.1")
        })
        .collect()
}

/// The close frame is answered late, never, or with something else.
fn answers() -> Vec<Case> {
    let close = || Frame::close(1002, "");
    let wrong_mask = |dialogue: Dialogue| {
        dialogue
            .send(Frame::text("not as masked as it should be").masking(Masking::Never))
            .send(Frame::text("masked, whoever sends it").masking(Masking::With([1, 2, 3, 4])))
    };
    let begun = || provoked(reserved_bit(), 1002);
    let table = [
        ("answered late", begun().pause(700).close(close())),
        (
            "answered with another code",
            begun().close(Frame::close(1000, "bye")),
        ),
        (
            "answered with an empty close frame",
            begun().close(Frame::close_with("")),
        ),
        ("answered twice", begun().send(close()).close(close())),
        (
            "followed by messages",
            begun()
                .send(Frame::text("and"))
                .send(Frame::binary("now?"))
                .pause(LOOK)
                .close(close()),
        ),
        (
            "followed by pings",
            begun()
                .act(Act::Flood(Frame::ping("and now?"), 3))
                .pause(LOOK)
                .close(close()),
        ),
        (
            "followed by another error",
            begun().act(reserved_bit()).pause(LOOK).close(close()),
        ),
        (
            "followed by text that is not UTF-8",
            begun().send(Frame::text([0xFF])).pause(LOOK).close(close()),
        ),
        (
            "followed by wrongly masked frames",
            wrong_mask(begun()).pause(LOOK).close(close()),
        ),
        (
            "followed by what is no frame",
            begun().octets(vec![0xFF; 1_000]).pause(LOOK).close(close()),
        ),
    ];
    let mut cases: Vec<_> = table
        .into_iter()
        .map(|(what, dialogue)| {
            Case::new(
                "close.failing.0",
                format!("The subject fails the connection; its close frame is {what}"),
                looked_at(dialogue),
            )
            .expect("Nothing is answered or echoed any more, and a server ends TCP.")
            .section("RFC 6455 §5.5.1, §7.1.7")
        })
        .collect();
    let never = begun().expect_within(
        3_000,
        Expect::OneOf(vec![
            (Verdict::Ok, Expect::End),
            (Verdict::Informational, Expect::Nothing),
        ]),
    );
    cases.push(
        Case::new(
            "close.failing.0",
            "The subject fails the connection; its close frame is never answered",
            looked_at(never),
        )
        .expect("The subject ends TCP within three seconds, or waits longer: both are allowed.")
        .section("RFC 6455 §7.1.1, §7.1.7"),
    );
    cases
}

/// More comes in the same segment as the reason to fail.
fn same_segment() -> Vec<Case> {
    let table = [
        ("a message", Frame::text("me, too")),
        ("a ping", Frame::ping("me, too")),
        ("a close frame", Frame::close(1000, "")),
    ];
    table
        .into_iter()
        .map(|(what, frame)| {
            let mut dialogue = provoked(reserved_bit(), 1002);
            // Before the subject's close frame is waited for.
            let at = dialogue.acts.len() - 2;
            dialogue.acts.insert(at, Act::Send(frame));
            Case::new(
                "close.failing.0",
                format!("A frame with a reserved bit, and in the same segment {what}"),
                looked_at(dialogue.close(Frame::close(1002, ""))),
            )
            .expect("The connection fails at the first frame; the second has no effect.")
            .section("RFC 6455 §7.1.7")
        })
        .collect()
}
