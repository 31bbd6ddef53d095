//! Extensions at work: RFC 6455 §5.8 and §9, and what a third party may rely on.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::{ConnectionError, ProtocolError, UsageError};
use cloverleaf_proto::extension::{
    Claims, Decoded, Encoded, Extensions, Failure, Hints, Placement, Stage,
};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_proto::{Config, Event, Message};

use crate::subject::{ROLES, Subject, binary, config, feed, feed_both, text};
use crate::toy::{Toy, marker};
use crate::wire::{frame, frames};

fn with(toys: impl IntoIterator<Item = Toy>) -> Config {
    config(|config| {
        config.extensions = toys.into_iter().fold(Extensions::new(), |all, toy| {
            all.with(toy).expect("toys are well-formed")
        });
    })
}

/// A toy that changes every octet of every data frame with one function, and back with another.
fn octetwise(name: &'static str, stage: Stage, there: fn(u8) -> u8, back: fn(u8) -> u8) -> Toy {
    let change = |head: Head, f: fn(u8) -> u8, payload: &[u8]| {
        let all: Vec<u8> = payload.iter().map(|octet| f(*octet)).collect();
        (!head.opcode.is_control()).then_some(all)
    };
    Toy::new(name, Claims::at(stage))
        .encoding(
            move |head, _, payload, out| match change(head, there, payload) {
                Some(all) => out.write(&all).map(|()| Encoded::Replaced(Rsv::NONE)),
                None => Ok(Encoded::Unchanged),
            },
        )
        .decoding(
            move |head, payload, out| match change(head, back, payload) {
                Some(all) => out.write(&all).map(|()| Decoded::Replaced),
                None => Ok(Decoded::Unchanged),
            },
        )
}

fn plus_one(stage: Stage) -> Toy {
    octetwise(
        "x-plus-one",
        stage,
        |octet| octet.wrapping_add(1),
        |octet| octet.wrapping_sub(1),
    )
}

fn inverted(stage: Stage) -> Toy {
    octetwise("x-inverted", stage, |octet| !octet, |octet| !octet)
}

type Seen = Arc<Mutex<Vec<(Head, Vec<u8>)>>>;

/// A toy that notes what its decoder sees and changes nothing.
fn witness(name: &'static str, claims: Claims) -> (Toy, Seen) {
    let seen = Seen::default();
    let notes = Arc::clone(&seen);
    let toy = Toy::new(name, claims).decoding(move |head, payload, _| {
        notes
            .lock()
            .expect("nobody panics here")
            .push((head, payload.to_vec()));
        Ok(Decoded::Unchanged)
    });
    (toy, seen)
}

fn take(seen: &Seen) -> Vec<(Head, Vec<u8>)> {
    core::mem::take(&mut *seen.lock().expect("nobody panics here"))
}

// Order.

#[test]
fn outgoing_data_passes_from_the_first_agreed_extension_to_the_last_and_incoming_data_back() {
    for (first, second) in [
        (Stage::Message, Stage::Message),
        (Stage::Message, Stage::Frame),
        (Stage::Frame, Stage::Frame),
    ] {
        // 0x61 plus one is 0x62, inverted 0x9d; inverted first it is 0x9e, plus one 0x9f.
        for (config, wire) in [
            (with([plus_one(first), inverted(second)]), b"\x9d"),
            (with([inverted(first), plus_one(second)]), b"\x9f"),
        ] {
            for role in ROLES {
                let mut sender = Subject::new(role, &config);
                sender
                    .connection
                    .send(Message::binary("a"), Hints::new())
                    .unwrap();
                let sent = sender.settle().outcome();
                assert_eq!(sent.frames()[0].payload, wire);
                assert_eq!(
                    feed(role.peer(), &config, &sent.sent).events,
                    [binary(*b"a")]
                );
            }
        }
    }
}

#[test]
fn two_extensions_each_set_their_own_bit_and_each_find_it_again() {
    let config = with([
        marker("x-a", Stage::Frame, Rsv::RSV1, b'a'),
        marker("x-b", Stage::Frame, Rsv::RSV2, b'b'),
    ]);
    for role in ROLES {
        let mut sender = Subject::new(role, &config);
        sender
            .connection
            .send(Message::text("hi"), Hints::new())
            .unwrap();
        let sent = sender.settle().outcome();
        assert_eq!(
            (sent.frames()[0].first, &sent.frames()[0].payload[..]),
            (0xE1, &b"hiab"[..])
        );
        assert_eq!(feed(role.peer(), &config, &sent.sent).events, [text("hi")]);
    }
    // In the wrong order the second does not find its mark.
    for outcome in feed_both(&config, |to| frame(to, 0xE1, b"hiba")) {
        outcome.assert_failed(Failure::protocol("mark missing"));
    }
}

#[test]
fn the_message_stage_stands_before_the_fragmenter_and_the_frame_stage_behind_it() {
    let mut config = with([
        marker("x-a", Stage::Message, Rsv::RSV1, b'a'),
        marker("x-b", Stage::Frame, Rsv::RSV2, b'b'),
    ]);
    config.limits.out_fragment = 2;
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        subject
            .connection
            .send(Message::text("hi!"), Hints::new())
            .unwrap();
        let sent: Vec<(u8, Vec<u8>)> = subject
            .settle()
            .sent()
            .into_iter()
            .map(|frame| (frame.first, frame.payload))
            .collect();
        assert_eq!(sent, [(0x61, b"hib".to_vec()), (0xA0, b"!ab".to_vec())]);
    }
}

// What the stages see.

#[test]
fn the_frame_stage_sees_whole_frames_however_they_come_and_control_frames_too() {
    for role in ROLES {
        let octets = frames(
            role,
            &[
                (0x01, &[b'x'; 300]),
                (0x89, b"?"),
                (0x80, b""),
                (0x82, b"y"),
            ],
        );
        for size in [1, 7, 1000] {
            let (toy, seen) = witness("x-witness", Claims::at(Stage::Frame));
            let mut subject = Subject::new(role, &with([toy]));
            for piece in octets.chunks(size) {
                subject.input(piece);
            }
            let head = Head::new(OpCode::TEXT);
            assert_eq!(
                take(&seen),
                [
                    (head.with_fin(false), vec![b'x'; 300]),
                    (Head::new(OpCode::PING), b"?".to_vec()),
                    (Head::new(OpCode::CONTINUATION), Vec::new()),
                    (Head::new(OpCode::BINARY), b"y".to_vec()),
                ]
            );
            assert_eq!(subject.outcome().messages().len(), 2);
        }
    }
}

#[test]
fn the_message_stage_sees_pieces_as_fragments_and_no_control_frame() {
    let claims = Claims::at(Stage::Message).rsv(Rsv::RSV1, Placement::MessageStart);
    for role in ROLES {
        let (toy, seen) = witness("x-witness", claims);
        let mut subject = Subject::new(role, &with([toy]));
        let octets = frames(role, &[(0xC1, b"abc"), (0x89, b"?")]);
        let payload = octets.len() - frame(role, 0x89, b"?").len() - 3;
        subject
            .input(&octets[..payload + 1])
            .input(&octets[payload + 1..payload + 2]);
        subject.input(&octets[payload + 2..]);
        let first = Head::new(OpCode::TEXT).with_rsv(Rsv::RSV1).with_fin(false);
        let next = Head::new(OpCode::CONTINUATION).with_fin(false);
        assert_eq!(
            take(&seen),
            [
                (first, b"a".to_vec()),
                (next, b"b".to_vec()),
                (next.with_fin(true), b"c".to_vec()),
            ]
        );
        assert_eq!(subject.events(), [text("abc"), Event::Ping("?".into())]);
    }
}

#[test]
fn a_decoder_sees_its_own_bits_and_nobody_elses() {
    let (first, sees_first) = witness(
        "x-one",
        Claims::at(Stage::Frame).rsv(Rsv::RSV1, Placement::DataFrames),
    );
    let (second, sees_second) = witness(
        "x-two",
        Claims::at(Stage::Frame).rsv(Rsv::RSV2, Placement::MessageStart),
    );
    let config = with([first, second]);
    for role in ROLES {
        Subject::new(role, &config)
            .frame(0x61, b"a")
            .frame(0xC0, b"b");
        let bits = |seen| {
            take(seen)
                .iter()
                .map(|(head, _)| head.rsv)
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&sees_first), [Rsv::RSV1, Rsv::RSV1]);
        assert_eq!(bits(&sees_second), [Rsv::RSV2, Rsv::NONE]);
    }
}

#[test]
fn an_encoder_cannot_set_a_bit_outside_its_claim() {
    let greedy = |stage, placement| {
        Toy::new("x-greedy", Claims::at(stage).rsv(Rsv::RSV2, placement)).encoding(
            |_, _, payload, out| {
                out.write(payload)?;
                Ok(Encoded::Replaced(Rsv::ALL))
            },
        )
    };
    for (stage, placement, expected) in [
        (Stage::Message, Placement::MessageStart, [0x21, 0x80, 0x89]),
        (Stage::Frame, Placement::MessageStart, [0x21, 0x80, 0x89]),
        (Stage::Frame, Placement::DataFrames, [0x21, 0xA0, 0x89]),
    ] {
        let mut config = with([greedy(stage, placement)]);
        config.limits.out_fragment = 1;
        for role in ROLES {
            let mut subject = Subject::new(role, &config);
            subject
                .connection
                .send(Message::text("ab"), Hints::new())
                .unwrap();
            subject.connection.ping(b"").unwrap();
            let firsts: Vec<u8> = subject
                .settle()
                .sent()
                .iter()
                .map(|frame| frame.first)
                .collect();
            assert_eq!(firsts, expected, "{stage:?}, {placement:?}");
        }
    }
}

#[test]
fn a_claimed_bit_on_a_control_frame_fails_whoever_claims_it() {
    let claims = Claims::at(Stage::Frame).rsv(Rsv::ALL, Placement::DataFrames);
    let config = with([Toy::new("x-all", claims)]);
    for first in [0xC8, 0xA9, 0x9A] {
        for outcome in feed_both(&config, |_| vec![first]) {
            outcome.assert_failed(ProtocolError::ReservedBitSet);
        }
    }
    for outcome in feed_both(&config, |to| frames(to, &[(0x71, b"a"), (0xF0, b"b")])) {
        assert_eq!(outcome.events, [text("ab")]);
    }
}

// Unchanged.

#[test]
fn what_an_extension_wrote_before_it_said_unchanged_is_dropped() {
    for stage in [Stage::Message, Stage::Frame] {
        let shy = Toy::new("x-shy", Claims::at(stage))
            .encoding(|_, _, _, out| out.write(b"no").map(|()| Encoded::Unchanged))
            .decoding(|_, _, out| out.write(b"no").map(|()| Decoded::Unchanged));
        for toys in [
            vec![shy.clone()],
            vec![plus_one(stage), shy.clone()],
            vec![shy.clone(), plus_one(stage)],
        ] {
            let config = with(toys);
            for role in ROLES {
                let mut sender = Subject::new(role, &config);
                sender
                    .connection
                    .send(Message::text("abc"), Hints::new())
                    .unwrap();
                let octets = sender.settle().outcome().sent;
                assert_eq!(feed(role.peer(), &config, &octets).events, [text("abc")]);
            }
        }
    }
}

// Hints.

#[test]
fn the_hints_of_a_message_reach_every_encoder_for_every_frame_of_it_and_for_no_other() {
    for stage in [Stage::Message, Stage::Frame] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let toy = Toy::new("x-hints", Claims::at(stage)).encoding(move |head, hints, _, _| {
            notes
                .lock()
                .unwrap()
                .push((head.opcode, hints.may_compress()));
            Ok(Encoded::Unchanged)
        });
        let mut config = with([toy]);
        config.limits.out_fragment = 1;
        let mut subject = Subject::new(ROLES[1], &config);
        let secret = Hints::new().do_not_compress();
        subject
            .connection
            .send(Message::text("ab"), secret)
            .unwrap();
        subject
            .connection
            .send(Message::binary("c"), Hints::new())
            .unwrap();
        subject.settle();
        let expected: &[_] = match stage {
            Stage::Frame => &[
                (OpCode::TEXT, false),
                (OpCode::CONTINUATION, false),
                (OpCode::BINARY, true),
            ],
            _ => &[(OpCode::TEXT, false), (OpCode::BINARY, true)],
        };
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}

// Claimed opcodes.

const SIGNAL: OpCode = OpCode::new(0xB);
const RECORD: OpCode = OpCode::new(0x3);

fn owner(stage: Stage) -> Toy {
    Toy::new("x-owner", Claims::at(stage).opcode(SIGNAL).opcode(RECORD))
}

#[test]
fn a_claimed_opcode_that_its_owner_leaves_alone_surfaces_as_an_event() {
    for stage in [Stage::Message, Stage::Frame] {
        let config = with([owner(stage)]);
        for outcome in feed_both(&config, |to| {
            frames(
                to,
                &[
                    (0x8B, b"sig"),
                    (0x83, b"rec"),
                    (0x01, b"a"),
                    (0x8B, b""),
                    (0x80, b"b"),
                ],
            )
        }) {
            let event = |opcode, payload: &'static str| Event::Extension {
                opcode,
                payload: payload.into(),
            };
            assert_eq!(
                outcome.events,
                [
                    event(SIGNAL, "sig"),
                    event(RECORD, "rec"),
                    event(SIGNAL, ""),
                    text("ab")
                ]
            );
        }
    }
}

#[test]
fn an_owner_may_swallow_its_frame() {
    for stage in [Stage::Message, Stage::Frame] {
        let config = with([owner(stage).decoding(|_, _, _| Ok(Decoded::Consumed))]);
        for outcome in feed_both(&config, |to| frames(to, &[(0x8B, b"sig"), (0x83, b"rec")])) {
            outcome.assert_quiet();
            assert_eq!(outcome.events, []);
        }
    }
}

#[test]
fn an_owner_may_answer_with_a_frame_of_an_opcode_it_owns() {
    for answer in [SIGNAL, RECORD] {
        let config = with([owner(Stage::Frame).decoding(move |_, payload, out| {
            out.write(payload)?;
            out.write(b"!")?;
            Ok(Decoded::Answered(answer))
        })]);
        for outcome in feed_both(&config, |to| frame(to, 0x8B, b"sig")) {
            assert_eq!(outcome.events, []);
            let sent = &outcome.frames()[0];
            assert_eq!(
                (sent.first, &sent.payload[..]),
                (0x80 | answer.number(), &b"sig!"[..])
            );
        }
    }
}

#[test]
fn nobody_but_the_owner_swallows_or_answers_and_only_with_what_is_claimed() {
    for decoded in [
        Decoded::Consumed,
        Decoded::Answered(SIGNAL),
        Decoded::Answered(OpCode::TEXT),
    ] {
        let config = with([
            Toy::new("x-thief", Claims::at(Stage::Frame)).decoding(move |_, _, _| Ok(decoded)),
            owner(Stage::Frame),
        ]);
        for outcome in feed_both(&config, |to| frames(to, &[(0x8B, b"sig"), (0x81, b"text")])) {
            outcome.assert_quiet();
            assert_eq!(outcome.events.len(), 2);
        }
    }
    let config =
        with([owner(Stage::Frame).decoding(|_, _, _| Ok(Decoded::Answered(OpCode::new(0xC))))]);
    for outcome in feed_both(&config, |to| frame(to, 0x8B, b"sig")) {
        outcome.assert_quiet();
        assert_eq!(outcome.events.len(), 1);
    }
}

#[test]
fn an_owner_may_not_answer_with_more_than_a_control_frame_holds() {
    let config = with([owner(Stage::Frame).decoding(|_, _, out| {
        out.write(&[0; 126])?;
        Ok(Decoded::Answered(SIGNAL))
    })]);
    for outcome in feed_both(&config, |to| frame(to, 0x8B, b"")) {
        outcome.assert_failed(Failure::too_big());
    }
}

#[test]
fn a_frame_of_a_claimed_opcode_starts_and_ends_at_its_owner() {
    let (before, sees) = witness("x-before", Claims::at(Stage::Frame));
    let encoded = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&encoded);
    let before = before.encoding(move |head, _, _, _| {
        notes.lock().unwrap().push(head.opcode);
        Ok(Encoded::Unchanged)
    });
    let config = with([
        before,
        owner(Stage::Frame),
        marker("x-behind", Stage::Frame, Rsv::RSV2, b'+'),
    ]);
    for role in ROLES {
        let mut sender = Subject::new(role, &config);
        sender
            .connection
            .send_extension(RECORD, Bytes::from("rec"))
            .unwrap();
        sender
            .connection
            .send_extension(SIGNAL, Bytes::from("sig"))
            .unwrap();
        let sent = sender.settle().outcome();
        let frames: Vec<_> = sent
            .frames()
            .into_iter()
            .map(|frame| (frame.first, frame.payload))
            .collect();
        assert_eq!(frames, [(0xA3, b"rec+".to_vec()), (0x8B, b"sig".to_vec())]);
        assert_eq!(*encoded.lock().unwrap(), []);

        let outcome = feed(role.peer(), &config, &sent.sent);
        let event = |opcode, payload: &'static str| Event::Extension {
            opcode,
            payload: payload.into(),
        };
        assert_eq!(outcome.events, [event(RECORD, "rec"), event(SIGNAL, "sig")]);
        assert_eq!(
            take(&sees),
            [],
            "what it did not see go, it must not see come"
        );
    }
}

#[test]
fn frames_of_claimed_opcodes_keep_the_rules_of_their_half() {
    let config = with([owner(Stage::Message)]);
    for (octets, error) in [
        // Control: FIN, and at most 125 octets.
        (
            &[(0x0B, &b""[..])][..],
            ProtocolError::ControlFrameFragmented,
        ),
        (&[(0x8B, &[0; 126])], ProtocolError::ControlFrameTooLong),
        // Data: a message of one frame, not inside another.
        (&[(0x03, b"")], ProtocolError::ReservedOpCode),
        (
            &[(0x01, b"a"), (0x83, b"")],
            ProtocolError::MessageInsideMessage,
        ),
        // And no other opcode has become legal.
        (&[(0x8C, b"")], ProtocolError::ReservedOpCode),
        (&[(0x84, b"")], ProtocolError::ReservedOpCode),
    ] {
        for outcome in feed_both(&config, |to| frames(to, octets)) {
            outcome.assert_failed(error);
        }
    }
}

#[test]
fn send_extension_wants_an_owner_and_keeps_the_rules() {
    for role in ROLES {
        let mut subject = Subject::new(role, &with([]));
        let nobody = subject.connection.send_extension(SIGNAL, Bytes::new());
        assert_eq!(nobody, Err(UsageError::OpCode(SIGNAL)));

        let mut subject = Subject::new(role, &with([owner(Stage::Message)]));
        let connection = &mut subject.connection;
        for opcode in [OpCode::TEXT, OpCode::CLOSE, OpCode::new(0xC)] {
            let refused = connection.send_extension(opcode, Bytes::new());
            assert_eq!(refused, Err(UsageError::OpCode(opcode)));
        }
        let long = connection.send_extension(SIGNAL, vec![0; 126].into());
        assert_eq!(long, Err(UsageError::TooLong));
        connection
            .send_extension(SIGNAL, vec![0; 125].into())
            .unwrap();
        assert_eq!(subject.settle().sent()[0].first, 0x8B);
        subject.connection.close(CloseCode::NORMAL, "").unwrap();
        let closed = subject.connection.send_extension(SIGNAL, Bytes::new());
        assert_eq!(closed, Err(UsageError::Closed));
    }
}

#[test]
fn a_control_frame_of_the_application_is_refused_rather_than_lost_while_another_waits() {
    for role in ROLES {
        let config = with([owner(Stage::Message)]);
        let mut subject = Subject::new(role, &config);
        // A large payload waits to be written, and nothing can be encoded behind it.
        let large = Message::binary(vec![0; 64 << 10]);
        subject.connection.send(large, Hints::new()).unwrap();
        let mut signal = |payload: &'static str| {
            subject
                .connection
                .send_extension(SIGNAL, Bytes::from(payload))
        };
        // Where masking copies the payload, there may still be room for both.
        let taken = [signal("1"), signal("2"), signal("3")];
        let count = taken.iter().filter(|result| result.is_ok()).count();
        assert!(count >= 1, "{taken:?}");
        for refused in taken.iter().filter(|result| result.is_err()) {
            assert_eq!(*refused, Err(UsageError::WriteBufferFull));
        }
        let frames = subject.settle().sent();
        let signals = frames.iter().filter(|frame| frame.first == 0x8B).count();
        assert_eq!(signals, count, "what was taken is sent");
        if role == cloverleaf_proto::Role::Server {
            assert_eq!(count, 1);
        }
    }
}

#[test]
fn a_large_record_of_a_claimed_opcode_is_one_frame_and_is_understood() {
    let config = with([owner(Stage::Message)]);
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        let record = Bytes::from(vec![7; 200_000]);
        subject
            .connection
            .send_extension(RECORD, record.clone())
            .unwrap();
        let octets = subject.settle().outcome().sent;
        let mut peer = Subject::new(role.peer(), &config);
        assert_eq!(
            peer.input(&octets).events(),
            [Event::Extension {
                opcode: RECORD,
                payload: record
            }]
        );
    }
}

// Failures.

#[test]
fn a_failing_decoder_fails_the_connection_with_its_code() {
    for stage in [Stage::Message, Stage::Frame] {
        for (failure, code) in [
            (Failure::protocol("bad seal"), 1002),
            (Failure::invalid_data("bad block"), 1007),
            (Failure::too_big(), 1009),
        ] {
            let answer = failure.clone();
            let config =
                with([Toy::new("x-no", Claims::at(stage))
                    .decoding(move |_, _, _| Err(answer.clone()))]);
            for outcome in feed_both(&config, |to| frames(to, &[(0x81, b"a"), (0x81, b"b")])) {
                outcome.assert_failed(failure.clone());
                assert_eq!(outcome.close_code(), Some(code));
                assert_eq!(outcome.messages(), []);
            }
        }
    }
}

#[test]
fn a_failing_encoder_refuses_the_message_and_the_connection_closes_behind_what_was_sent() {
    for role in ROLES {
        let config = with([Toy::new("x-no", Claims::at(Stage::Message)).encoding(
            |head, _, _, _| match head.opcode {
                OpCode::TEXT => Err(Failure::protocol("no text")),
                _ => Ok(Encoded::Unchanged),
            },
        )]);
        let mut subject = Subject::new(role, &config);
        subject
            .connection
            .send(Message::binary("a"), Hints::new())
            .unwrap();
        let refused = subject.connection.send(Message::text("b"), Hints::new());
        assert_eq!(
            refused,
            Err(UsageError::Encode(Failure::protocol("no text")))
        );
        let again = subject.connection.send(Message::binary("c"), Hints::new());
        assert_eq!(again, Err(UsageError::Closed));
        let sent = subject.settle().sent();
        assert_eq!((sent.len(), &sent[0].payload[..]), (2, &b"a"[..]));
        assert_eq!(sent[1].payload, b"\x03\xf3no text");
    }
}

#[test]
fn a_failing_frame_stage_encoder_fails_the_connection() {
    for role in ROLES {
        let config = with([Toy::new("x-no", Claims::at(Stage::Frame))
            .encoding(|_, _, _, out| out.write(&[0; 126]).map(|()| Encoded::Replaced(Rsv::NONE)))]);
        let mut subject = Subject::new(role, &config);
        // 126 octets are no ping any more; not even the close frame gets through.
        subject.connection.ping(b"").unwrap();
        let outcome = subject.settle().outcome();
        assert_eq!(
            outcome.error(),
            Some(&ConnectionError::Extension(Failure::too_big()))
        );
        assert_eq!(
            (outcome.state, &outcome.sent[..]),
            (State::Failing, &b""[..])
        );
        assert!(outcome.shutdown);
    }
}
