//! Extension data: octets of an extension in front of the application's (RFC 6455 §5.2).

use cloverleaf_proto::Message;
use cloverleaf_proto::error::{ConnectionError, ProtocolError};
use cloverleaf_proto::extension::{
    Claims, Decoded, Encoded, Extensions, Failure, Hints, Placement, Stage,
};
use cloverleaf_proto::frame::Rsv;

use crate::subject::{ROLES, Subject, config, feed_both, text};
use crate::toy::{Toy, marker};
use crate::wire::frame;

/// Puts a mark in front of every data frame, as extension data, and takes it off.
fn prefix(name: &'static str, stage: Stage, bit: Rsv, mark: &'static [u8]) -> Toy {
    let placement = match stage {
        Stage::Message => Placement::MessageStart,
        Stage::Frame | Stage::Carrier => Placement::DataFrames,
    };
    Toy::new(name, Claims::at(stage).rsv(bit, placement))
        .encoding(move |head, _, _, out| {
            if head.opcode.is_control() || !head.starts_message() {
                return Ok(Encoded::Unchanged);
            }
            out.write(mark)?;
            Ok(Encoded::Prefixed(bit))
        })
        .decoding(move |head, payload, out| {
            if !head.rsv.contains(bit) {
                return Ok(Decoded::Unchanged);
            }
            out.write(b"dropped")?;
            if payload.starts_with(mark) {
                Ok(Decoded::Stripped(mark.len()))
            } else {
                Err(Failure::invalid_data("no mark"))
            }
        })
}

fn with(toys: impl IntoIterator<Item = Toy>) -> cloverleaf_proto::Config {
    config(|config| {
        config.extensions = toys.into_iter().fold(Extensions::new(), |all, toy| {
            all.with(toy).expect("toys are well-formed")
        });
    })
}

#[test]
fn extension_data_stands_in_front_of_the_application_data_and_is_taken_off_again() {
    // Not under one of the message stage: there the mark may come in pieces.
    let toys = [
        prefix("x-one", Stage::Frame, Rsv::RSV1, b"1"),
        marker("x-mark", Stage::Frame, Rsv::RSV2, b'!'),
        prefix("x-two", Stage::Frame, Rsv::RSV3, b"22"),
    ];
    let config = with(toys);
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        subject
            .connection
            .send(Message::text("hi"), Hints::new())
            .unwrap();
        let sent = subject.settle().sent();
        assert_eq!(
            (sent[0].first, &sent[0].payload[..]),
            (0xF1, &b"221hi!"[..])
        );
    }
    for outcome in feed_both(&config, |role| frame(role, 0xF1, b"221hi!")) {
        assert_eq!(outcome.events, [text("hi")]);
    }
    // Each alone.
    for (first, payload) in [(0xC1, &b"1hi"[..]), (0x91, b"22hi"), (0xD1, b"221hi")] {
        for outcome in feed_both(&config, |role| frame(role, first, payload)) {
            assert_eq!(outcome.events, [text("hi")], "{first:x}");
        }
    }
}

#[test]
fn a_message_that_is_extension_data_alone_is_empty() {
    let config = with([prefix("x-one", Stage::Frame, Rsv::RSV1, b"1")]);
    for outcome in feed_both(&config, |role| frame(role, 0xC1, b"1")) {
        assert_eq!(outcome.events, [text("")]);
    }
}

#[test]
fn extension_data_and_what_is_behind_it_are_cut_and_joined_like_any_payload() {
    let mut config = with([prefix("x-one", Stage::Message, Rsv::RSV1, b"11")]);
    config.limits.out_fragment = 1;
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        subject
            .connection
            .send(Message::text("ab"), Hints::new())
            .unwrap();
        let sent = subject.settle().sent();
        let sent: Vec<_> = sent
            .iter()
            .map(|frame| (frame.first, frame.payload[0]))
            .collect();
        assert_eq!(
            sent,
            [(0x41, b'1'), (0x00, b'1'), (0x00, b'a'), (0x80, b'b')]
        );
    }
}

#[test]
fn more_extension_data_than_there_is_payload_fails_the_connection() {
    let greedy = Toy::new("x-greedy", Claims::at(Stage::Frame))
        .decoding(|_, payload, _| Ok(Decoded::Stripped(payload.len() + 1)));
    for outcome in feed_both(&with([greedy]), |role| frame(role, 0x81, b"abc")) {
        let failure = Failure::protocol("extension data beyond the payload");
        outcome.assert_failed(ConnectionError::from(failure));
    }
}

#[test]
fn without_the_extension_its_bit_is_an_error() {
    for outcome in feed_both(&with([]), |role| frame(role, 0xC1, b"1hi")) {
        outcome.assert_failed(ProtocolError::ReservedBitSet);
    }
}
