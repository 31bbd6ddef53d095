//! Frames of channels: messages, control frames, and what only the channel must fail for.

use super::{Row, case, numbered};
use crate::case::{Case, Hope, Multiplexed, MultiplexedAct as Act, frame};

pub(super) fn cases() -> Vec<Case> {
    let rows = messages()
        .into_iter()
        .chain(control())
        .chain(fragmentation())
        .chain(protocol());
    numbered("frame", rows.map(case))
}

fn messages() -> Vec<Row> {
    let two = Multiplexed::two;
    vec![
        (
            "Text on channel 1",
            "It comes back on channel 1.",
            two().echo(0, "Hello").echo(0, "κόσμε"),
        ),
        (
            "Text on a further channel",
            "It comes back on that channel.",
            two().echo(1, "Hello").echo(1, "κόσμε"),
        ),
        (
            "Binary messages on both channels in turn",
            "Each comes back on its own channel.",
            (0..6u8).fold(two(), |plan, at| {
                let channel = usize::from(at % 2);
                plan.frame(channel, 0x82, [at, 0xFF])
                    .expect(Hope::binary(channel, [at, 0xFF]))
            }),
        ),
        (
            "Empty messages, text and binary",
            "They come back.",
            two()
                .echo(1, "")
                .frame(0, 0x82, "")
                .expect(Hope::binary(0, ""))
                .echo(0, ""),
        ),
        (
            "A message in three fragments",
            "It comes back.",
            two()
                .frame(1, 0x01, "Hel")
                .frame(1, 0x00, "lo, ")
                .frame(1, 0x80, "world")
                .expect(Hope::text(1, "Hello, world")),
        ),
        (
            "Messages on three channels, in fragments that take turns",
            "Each comes back whole on its own channel.",
            Multiplexed::three()
                .frame(0, 0x01, "one ")
                .frame(1, 0x02, "two ")
                .frame(2, 0x01, "three ")
                .frame(1, 0x00, "2 ")
                .frame(0, 0x00, "1 ")
                .frame(2, 0x80, "3")
                .expect(Hope::text(2, "three 3"))
                .frame(0, 0x80, "i")
                .expect(Hope::text(0, "one 1 i"))
                .frame(1, 0x80, "ii")
                .expect(Hope::binary(1, "two 2 ii")),
        ),
        (
            "A whole message of one channel between the fragments of another",
            "It comes back first.",
            two()
                .frame(0, 0x01, "Hello")
                .echo(1, "bye")
                .frame(0, 0x80, " world")
                .expect(Hope::text(0, "Hello world")),
        ),
        (
            "A character of text over two fragments",
            "It comes back whole.",
            two()
                .frame(1, 0x01, [0xCE])
                .frame(1, 0x80, [0xBA])
                .expect(Hope::text(1, "κ")),
        ),
        (
            "A message whose first and last fragments are empty",
            "It comes back.",
            two()
                .frame(1, 0x01, "")
                .frame(1, 0x00, "Hello")
                .frame(1, 0x80, "")
                .expect(Hope::text(1, "Hello")),
        ),
    ]
}

fn control() -> Vec<Row> {
    let two = Multiplexed::two;
    vec![
        (
            "A ping on a further channel",
            "The pong comes on that channel.",
            two().frame(1, 0x89, "Ping!").expect(Hope::pong(1, "Ping!")),
        ),
        (
            "An empty ping, and one of 125 octets, on channel 1",
            "Both are answered there.",
            two()
                .frame(0, 0x89, "")
                .expect(Hope::pong(0, ""))
                .frame(0, 0x89, [b'*'; 125])
                .expect(Hope::pong(0, [b'*'; 125])),
        ),
        (
            "A pong that nobody asked for",
            "It is ignored.",
            two().frame(1, 0x8A, "unasked").quiet(100).echo(1, "Hello"),
        ),
        (
            "A ping between the fragments of a message",
            "The pong comes first.",
            two()
                .frame(1, 0x01, "Hel")
                .frame(1, 0x89, "Ping!")
                .expect(Hope::pong(1, "Ping!"))
                .frame(1, 0x80, "lo")
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "A ping in two fragments",
            "It is put together and answered: what fits no quota may be cut anywhere.",
            two()
                .frame(1, 0x09, "Pi")
                .frame(1, 0x80, "ng!")
                .expect(Hope::pong(1, "Ping!"))
                .echo(1, "Hello"),
        ),
        (
            "A ping in two fragments between those of a message",
            "The ping is answered, and the message goes on behind it.",
            two()
                .frame(1, 0x01, "Hello ")
                .frame(1, 0x09, "Pi")
                .frame(1, 0x80, "ng!")
                .expect(Hope::pong(1, "Ping!"))
                .frame(1, 0x80, "World!")
                .expect(Hope::text(1, "Hello World!")),
        ),
        (
            "A ping of 125 octets in fragments of one, with a message of another channel in between",
            "Both are answered.",
            {
                let mut plan = two().frame(1, 0x09, "*");
                for _ in 0..60 {
                    plan = plan.frame(1, 0x00, "*");
                }
                plan = plan.echo(0, "Hello");
                for _ in 0..63 {
                    plan = plan.frame(1, 0x00, "*");
                }
                plan.frame(1, 0x80, "*")
                    .expect(Hope::pong(1, [b'*'; 125]))
                    .echo(1, "Hello")
            },
        ),
    ]
}

/// What fails the channel with 3009, and no other.
fn fragmentation() -> Vec<Row> {
    const FAILS: &str = "The channel is dropped with 3009, and the other goes on.";
    let two = Multiplexed::two;
    let drops = |plan: Multiplexed| plan.drops(1, 3009).echo(0, "Hello");
    vec![
        (
            "A continuation that continues nothing",
            FAILS,
            drops(two().frame(1, 0x80, "Hello")),
        ),
        (
            "A message inside another",
            FAILS,
            drops(two().frame(1, 0x01, "Hel").frame(1, 0x81, "lo")),
        ),
        (
            "A message that begins in fragments inside another",
            FAILS,
            drops(two().frame(1, 0x01, "Hel").frame(1, 0x02, "lo")),
        ),
        (
            "A message while a ping is in fragments",
            FAILS,
            drops(two().frame(1, 0x09, "Pi").frame(1, 0x81, "data")),
        ),
        (
            "A ping while another is in fragments",
            FAILS,
            drops(two().frame(1, 0x09, "Pi").frame(1, 0x89, "ng")),
        ),
        (
            "A continuation behind a ping in fragments, and nothing else to continue",
            FAILS,
            drops(
                two()
                    .frame(1, 0x09, "Pi")
                    .frame(1, 0x80, "ng")
                    .expect(Hope::pong(1, "Ping"))
                    .frame(1, 0x80, "more"),
            ),
        ),
        (
            "A continuation on channel 1 that continues the message of another channel",
            "Channel 1 is dropped with 3009, and the other goes on.",
            two()
                .frame(1, 0x01, "Hel")
                .frame(0, 0x80, "lo")
                .drops(0, 3009)
                .frame(1, 0x80, "lo")
                .expect(Hope::text(1, "Hello")),
        ),
        (
            "20,000 empty continuations",
            "The channel is dropped, or copes; the other goes on.",
            two()
                .frame(1, 0x01, "Hel")
                .act(Act::Flood(frame(1, 0x00, ""), 20_000))
                .act(Act::Expect(
                    vec![
                        (cloverleaf_reports::Verdict::Ok, Hope::DroppedAnyhow(1)),
                        (cloverleaf_reports::Verdict::Ok, Hope::ClosedAnyhow(1)),
                        (cloverleaf_reports::Verdict::Ok, Hope::Nothing),
                    ],
                    std::time::Duration::from_millis(1000),
                ))
                .echo(0, "Hello"),
        ),
    ]
}

/// What fails a WebSocket fails the channel, and no other.
fn protocol() -> Vec<Row> {
    const FAILS: &str = "The channel is closed with 1002, or dropped with 3000, and the other goes \
                         on. To forget it in silence, as pywebsocket does, is tolerable.";
    const TEXT: &str = "The channel is closed with 1007, or dropped with 3000, and the other goes \
                        on. To forget it in silence, as pywebsocket does, is tolerable.";
    let fails = |plan: Multiplexed, code| {
        plan.expect_or(
            vec![
                Hope::Close(1, vec![Some(code)]),
                Hope::Dropped(1, vec![3000]),
            ],
            vec![Hope::ClosedAnyhow(1), Hope::DroppedAnyhow(1), Hope::Nothing],
        )
        .echo(0, "Hello")
    };
    let two = Multiplexed::two;
    vec![
        (
            "RSV1 on a text frame, and nobody owns it",
            FAILS,
            fails(two().frame(1, 0xC1, "Hello"), 1002),
        ),
        (
            "RSV2 on a continuation",
            FAILS,
            fails(two().frame(1, 0x01, "Hel").frame(1, 0xA0, "lo"), 1002),
        ),
        (
            "RSV3 on a ping",
            FAILS,
            fails(two().frame(1, 0x99, "Hello"), 1002),
        ),
        (
            "The reserved opcode 3",
            FAILS,
            fails(two().frame(1, 0x83, "Hello"), 1002),
        ),
        (
            "The reserved control opcode 11",
            FAILS,
            fails(two().frame(1, 0x8B, "Hello"), 1002),
        ),
        (
            "A text that is not UTF-8",
            TEXT,
            fails(two().frame(1, 0x81, [0xFF, 0xFE]), 1007),
        ),
        (
            "A ping of 126 octets",
            FAILS,
            fails(two().frame(1, 0x89, [b'*'; 126]), 1002),
        ),
        (
            "A ping of 126 octets in two fragments",
            FAILS,
            fails(
                two().frame(1, 0x09, [b'*'; 63]).frame(1, 0x80, [b'*'; 63]),
                1002,
            ),
        ),
        (
            "A close frame of one octet",
            FAILS,
            fails(two().frame(1, 0x88, [3]), 1002),
        ),
        (
            "A close frame with the code 1005",
            FAILS,
            fails(two().frame(1, 0x88, [3, 0xED]), 1002),
        ),
    ]
}
