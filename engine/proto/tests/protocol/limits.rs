//! What a peer can make us hold, and what an application can.

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::error::{ConnectionError, LimitExceeded, UsageError};
use cloverleaf_proto::extension::{
    Claims, Decoded, Encoded, Extensions, Failure, Hints, Placement, Stage,
};
use cloverleaf_proto::frame::{OpCode, Rsv};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Config, Message};

use crate::subject::{ROLES, Subject, at, binary, config, connection, feed, feed_both};
use crate::toy::{EXPANSION, Toy, expander};
use crate::wire::{frame, frames};

fn expanding(max_message_size: usize) -> Config {
    config(|config| {
        config.limits.max_message_size = max_message_size;
        config.extensions = Extensions::new().with(expander()).expect("one extension");
    })
}

#[test]
fn p05_the_message_limit_counts_what_comes_out_of_the_extensions() {
    let config = expanding(4 * EXPANSION);
    for outcome in feed_both(&config, |to| frame(to, 0xC2, b"abcd")) {
        let expected: Vec<u8> = b"abcd"
            .iter()
            .flat_map(|octet| [*octet; EXPANSION])
            .collect();
        assert_eq!(outcome.events, [binary(expected)]);
    }
    for outcome in feed_both(&config, |to| frame(to, 0xC2, b"abcde")) {
        outcome.assert_failed(Failure::too_big());
        assert_eq!(outcome.close_code(), Some(1009));
    }
}

#[test]
fn p04_the_message_limit_counts_over_all_fragments_of_a_message_and_anew_for_the_next() {
    let config = expanding(4 * EXPANSION);
    for outcome in feed_both(&config, |to| {
        frames(
            to,
            &[(0x42, b"ab"), (0x00, b"cd"), (0x80, b""), (0xC2, b"abcd")],
        )
    }) {
        assert_eq!(outcome.messages().len(), 2);
    }
    for outcome in feed_both(&config, |to| {
        frames(
            to,
            &[
                (0x42, b"a"),
                (0x00, b"b"),
                (0x00, b"c"),
                (0x00, b"d"),
                (0x80, b"e"),
            ],
        )
    }) {
        outcome.assert_failed(Failure::too_big());
    }
}

#[test]
fn p02_a_bomb_of_64_mib_makes_us_hold_no_more_than_the_limit() {
    let config = expanding(1 << 20);
    for role in ROLES {
        for octets in [
            frame(role, 0xC2, &[0; 65_536]),
            [
                frame(role, 0x42, &[0; 4096]),
                frame(role, 0x00, &[0; 4096]).repeat(15),
            ]
            .concat(),
        ] {
            for size in [1, 100, 4096, octets.len()] {
                let mut subject = Subject::new(role, &config);
                for piece in octets.chunks(size) {
                    subject.input(piece);
                }
                let outcome = subject.outcome();
                outcome.assert_failed(Failure::too_big());
                assert_eq!(
                    (outcome.close_code(), outcome.messages()),
                    (Some(1009), vec![])
                );
            }
        }
    }
}

#[test]
fn every_link_is_bounded_not_only_the_last() {
    // The first to decode expands, the second would shrink it again.
    let shrink = Toy::new("x-shrink", Claims::at(Stage::Message)).decoding(|_, payload, out| {
        out.write(&payload[..payload.len().min(1)])?;
        Ok(Decoded::Replaced)
    });
    let config = config(|config| {
        config.limits.max_message_size = 2 * EXPANSION;
        config.extensions = Extensions::new()
            .with(shrink)
            .and_then(|all| all.with(expander()))
            .unwrap();
    });
    for role in ROLES {
        let fits = feed(role, &config, &frame(role, 0xC2, b"a"));
        assert_eq!(fits.events, [binary(*b"a")]);
        let mut subject = Subject::new(role, &config);
        subject
            .frame(0xC2, b"abc")
            .outcome()
            .assert_failed(Failure::too_big());
    }
}

#[test]
fn an_uncompressed_message_meets_the_limit_although_an_extension_is_there() {
    let claims = Claims::at(Stage::Frame).rsv(Rsv::RSV1, Placement::DataFrames);
    let config = config(|config| {
        config.limits.max_message_size = 10;
        config.extensions = Extensions::new().with(Toy::new("x-idle", claims)).unwrap();
    });
    for outcome in feed_both(&config, |to| frame(to, 0x82, &[1; 10])) {
        assert_eq!(outcome.events, [binary([1; 10])]);
    }
    for outcome in feed_both(&config, |to| {
        frames(to, &[(0x02, &[1; 6]), (0x80, &[1; 5])])
    }) {
        outcome.assert_failed(LimitExceeded::MessageSize);
    }
}

#[test]
fn a_decoder_that_shrinks_gets_a_message_through_that_is_larger_on_the_wire() {
    let shrink = Toy::new("x-half", Claims::at(Stage::Frame)).decoding(|head, payload, out| {
        if head.opcode.is_control() {
            return Ok(Decoded::Unchanged);
        }
        out.write(&payload[..payload.len() / 2])?;
        Ok(Decoded::Replaced)
    });
    let config = config(|config| {
        config.limits.max_message_size = 10;
        config.extensions = Extensions::new().with(shrink).unwrap();
    });
    for outcome in feed_both(&config, |to| frame(to, 0x82, &[1; 20])) {
        assert_eq!(outcome.events, [binary([1; 10])]);
    }
}

#[test]
fn limits_count_parts_as_they_count_messages() {
    let config = config(|config| {
        config.parts = true;
        config.limits.max_message_size = 10;
    });
    for outcome in feed_both(&config, |to| {
        frames(to, &[(0x02, &[1; 6]), (0x80, &[1; 5])])
    }) {
        outcome.assert_failed(LimitExceeded::MessageSize);
    }
}

// The write buffer.

#[test]
fn r01_sending_is_refused_once_the_write_buffer_is_full_and_welcome_again_behind_it() {
    for role in ROLES {
        let config = config(|_| ());
        let mut connection = connection(role, &config);
        let message = || Message::binary(vec![7; 1000]);
        let mut count = 0;
        let refused = loop {
            match connection.send(message(), Hints::new()) {
                Ok(()) => count += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(refused, UsageError::WriteBufferFull);
        assert!((1030..=1050).contains(&count), "{count}");
        let full = connection.buffered();
        assert!((1 << 20..(1 << 20) + 2000).contains(&full), "{full}");
        assert!(connection.is_write_buffer_high());
        let part = connection.send_part(Kind::Binary, "x".into(), true, Hints::new());
        assert_eq!(part, Err(UsageError::WriteBufferFull));

        // The peer reads it all, in small pieces: everything accepted arrives.
        let mut read = Subject::new(role.peer(), &config);
        while let Transmit::Write(front, back) = connection.poll_transmit() {
            let octets: Vec<u8> = [front, back].concat().into_iter().take(5000).collect();
            connection.handle_written(at(0.0), octets.len());
            read.input(&octets);
        }
        assert_eq!(connection.buffered(), 0);
        assert!(!connection.is_write_buffer_high());
        assert_eq!(read.events(), vec![binary([7; 1000]); count]);
        connection.send(message(), Hints::new()).unwrap();
    }
}

#[test]
fn one_message_larger_than_the_write_buffer_is_taken_and_then_no_other() {
    for role in ROLES {
        let mut connection = connection(role, &config(|_| ()));
        connection
            .send(Message::binary(vec![7; 5 << 20]), Hints::new())
            .unwrap();
        let refused = connection.send(Message::binary("x"), Hints::new());
        assert_eq!(refused, Err(UsageError::WriteBufferFull));
    }
}

#[test]
fn a_full_write_buffer_refuses_no_control_frame_and_no_close() {
    for role in ROLES {
        let mut connection = connection(role, &config(|_| ()));
        connection
            .send(Message::binary(vec![7; 5 << 20]), Hints::new())
            .unwrap();
        connection.ping(b"").unwrap();
        connection.pong(b"").unwrap();
        connection.close(CloseCode::NORMAL, "").unwrap();
    }
}

#[test]
fn empty_messages_fill_the_write_buffer_too() {
    for role in ROLES {
        let mut connection = connection(role, &config(|_| ()));
        connection
            .send(Message::binary(vec![7; 65_536]), Hints::new())
            .unwrap();
        let count = (0..1_000_000)
            .take_while(|_| connection.send(Message::text(""), Hints::new()).is_ok())
            .count();
        assert!(count < 100_000, "{count} messages wait");
    }
}

#[test]
fn a_write_high_water_of_nothing_still_lets_something_through() {
    let config = config(|config| config.limits.write_high_water = 0);
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        subject
            .connection
            .send(Message::text("hi"), Hints::new())
            .unwrap();
        assert_eq!(subject.settle().sent().len(), 1);
    }
}

#[test]
fn answers_of_an_extension_do_not_pile_up_for_a_peer_that_never_reads() {
    let record = OpCode::new(0x3);
    let echo = Toy::new("x-echo", Claims::at(Stage::Frame).opcode(record)).decoding(
        move |head, payload, out| {
            if head.opcode != record {
                return Ok(Decoded::Unchanged);
            }
            out.write(payload)?;
            Ok(Decoded::Answered(record))
        },
    );
    let config = config(|config| config.extensions = Extensions::new().with(echo).unwrap());
    for role in ROLES {
        let mut connection = connection(role, &config);
        for size in [0, 1000] {
            let mut octets = frame(role, 0x83, &vec![1; size]).repeat(1000);
            for _ in 0..20 {
                connection.handle_input(at(0.0), &mut octets.clone());
                assert_eq!(connection.poll_event(), None);
            }
            octets.clear();
        }
        assert!(
            connection.buffered() <= 3 << 19,
            "{}",
            connection.buffered()
        );
    }
}

#[test]
fn an_encoder_may_expand_a_message_as_far_as_it_likes() {
    let verbose = Toy::new("x-verbose", Claims::at(Stage::Message)).encoding(|_, _, _, out| {
        out.write(&[7; 3 << 20])?;
        Ok(Encoded::Replaced(Rsv::NONE))
    });
    let config = config(|config| config.extensions = Extensions::new().with(verbose).unwrap());
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        subject
            .connection
            .send(Message::binary("x"), Hints::new())
            .unwrap();
        let size: usize = subject
            .settle()
            .sent()
            .iter()
            .map(|frame| frame.payload.len())
            .sum();
        assert_eq!(size, 3 << 20);
    }
}

#[test]
fn behind_a_failure_a_mebibyte_is_thrown_away_and_then_the_peer_is_cut_off() {
    for role in ROLES {
        let mut subject = Subject::new(role, &config(|_| ()));
        subject.input(&[0xFF]);
        for _ in 0..16 {
            assert!(!subject.connection.is_done());
            subject.input(&[0; 65_536]);
        }
        subject.input(&[0]);
        assert!(subject.connection.is_done());
        assert_eq!(subject.connection.poll_timeout(), None);
    }
}

#[test]
fn what_was_read_before_the_failure_is_not_counted_as_thrown_away() {
    let config = config(|config| config.limits.max_linger = 1000);
    for role in ROLES {
        let octets = [
            frames(role, &[(0x02, &[1; 5000]), (0x00, &[1; 5000])]),
            vec![0xFF],
        ]
        .concat();
        let outcome = Subject::new(role, &config).input(&octets).outcome();
        assert_eq!(outcome.close_code(), Some(1002));
        assert!(matches!(
            outcome.error(),
            Some(ConnectionError::Protocol(_))
        ));
        assert!(!outcome.done);
    }
}
