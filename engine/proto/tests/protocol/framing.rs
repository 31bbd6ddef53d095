//! Frames: RFC 6455 §5.1 (masking), §5.2 (the header), §5.3 (the key).

use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::{ConnectionError, LimitExceeded, ProtocolError};
use cloverleaf_proto::extension::{Claims, Extensions, Placement, Stage};
use cloverleaf_proto::frame::{OpCode, Rsv};
use cloverleaf_proto::{Config, Event, Role};

use crate::subject::{
    KEY, Outcome, ROLES, Random, Subject, binary, config, defaults, feed, feed_both, text,
};
use crate::toy::Toy;
use crate::wire::{frame, frames, long_header};

#[test]
fn the_frames_of_section_5_7_are_read_by_the_end_they_are_meant_for() {
    for (role, octets, event) in [
        (Role::Client, &b"\x81\x05Hello"[..], text("Hello")),
        (
            Role::Server,
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            text("Hello"),
        ),
        (Role::Client, b"\x01\x03Hel\x80\x02lo", text("Hello")),
        (Role::Client, b"\x89\x05Hello", Event::Ping("Hello".into())),
        (
            Role::Server,
            b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            Event::Pong("Hello".into()),
        ),
    ] {
        assert_eq!(feed(role, &defaults(), octets).events, [event]);
    }
    let mut octets = b"\x82\x7e\x01\x00".to_vec();
    octets.extend([7; 256]);
    assert_eq!(
        feed(Role::Client, &defaults(), &octets).events,
        [binary([7; 256])]
    );
    let mut octets = b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00".to_vec();
    octets.extend([7; 65536]);
    assert_eq!(
        feed(Role::Client, &defaults(), &octets).events,
        [binary([7; 65536])]
    );
}

#[test]
fn what_we_send_is_masked_by_a_client_and_by_nobody_else() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject
            .connection
            .send("Hello".into(), Default::default())
            .unwrap();
        subject.connection.ping(b"Hello").unwrap();
        let expected: &[u8] = match role {
            Role::Client => {
                b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
            }
            Role::Server => b"\x81\x05Hello\x89\x05Hello",
        };
        assert_eq!(subject.settle().outcome().sent, expected);
    }
}

#[test]
fn what_we_send_has_its_length_in_the_shortest_form() {
    for (length, header) in [
        (0, &b"\x82\x00"[..]),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65_535, b"\x82\x7e\xff\xff"),
        (65_536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
    ] {
        for role in ROLES {
            let mut subject = Subject::new(role, &defaults());
            let message = cloverleaf_proto::Message::binary(vec![0; length]);
            subject
                .connection
                .send(message, Default::default())
                .unwrap();
            let mut header = header.to_vec();
            if role == Role::Client {
                header[1] |= 0x80;
            }
            assert_eq!(subject.settle().outcome().sent[..header.len()], header);
        }
    }
}

/// F09. What two octets at the very start of a connection come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    /// Nothing is wrong so far.
    Fine,
    Wrong(ProtocolError),
}

/// What may stand in the first octet at the start, by opcode, without its reserved bits: with FIN 0
/// and with FIN 1.
fn row(opcode: u8, claimed: &[u8]) -> [Prefix; 2] {
    use Prefix::{Fine, Wrong};
    use ProtocolError::{ControlFrameFragmented, ReservedOpCode, UnexpectedContinuation};
    match opcode {
        0x0 => [Wrong(UnexpectedContinuation); 2],
        0x1 | 0x2 => [Fine, Fine],
        0x8..=0xA => [Wrong(ControlFrameFragmented), Fine],
        0x3..=0x7 if claimed.contains(&opcode) => [Wrong(ReservedOpCode), Fine],
        0xB..=0xF if claimed.contains(&opcode) => [Wrong(ControlFrameFragmented), Fine],
        _ => [Wrong(ReservedOpCode); 2],
    }
}

struct Claimer {
    extensions: Extensions,
    opcodes: &'static [u8],
    at_start: u8,
    on_data: u8,
}

impl Claimer {
    /// The verdict of the table on a first octet.
    fn first(&self, octet: u8) -> Prefix {
        let (fin, rsv, opcode) = (octet >> 7, octet & 0x70, octet & 0xF);
        let allowed = match opcode {
            8..=15 => 0,
            0 => self.on_data,
            _ => self.on_data | self.at_start,
        };
        if rsv & !allowed != 0 {
            return Prefix::Wrong(ProtocolError::ReservedBitSet);
        }
        row(opcode, self.opcodes)[usize::from(fin)]
    }

    /// The verdict on two octets; the first goes first.
    fn both(&self, role: Role, first: u8, second: u8) -> Prefix {
        let masked = second >= 0x80;
        match self.first(first) {
            Prefix::Fine if role == Role::Server && !masked => {
                Prefix::Wrong(ProtocolError::UnmaskedByClient)
            }
            Prefix::Fine if role == Role::Client && masked => {
                Prefix::Wrong(ProtocolError::MaskedByServer)
            }
            Prefix::Fine if first & 8 != 0 && second & 0x7F > 125 => {
                Prefix::Wrong(ProtocolError::ControlFrameTooLong)
            }
            verdict => verdict,
        }
    }
}

fn verdict(error: Option<&ConnectionError>) -> Prefix {
    match error {
        None => Prefix::Fine,
        Some(ConnectionError::Protocol(error)) => Prefix::Wrong(*error),
        Some(error) => panic!("{error:?} is no protocol error"),
    }
}

#[test]
fn f09_all_65536_two_octet_prefixes_are_judged_as_in_the_table() {
    let nobody = Claimer {
        extensions: Extensions::new(),
        opcodes: &[],
        at_start: 0,
        on_data: 0,
    };
    let claims = Claims::at(Stage::Frame)
        .rsv(Rsv::RSV1, Placement::MessageStart)
        .rsv(Rsv::RSV2, Placement::DataFrames)
        .opcode(OpCode::new(0x3))
        .opcode(OpCode::new(0xB));
    let toy = Claimer {
        extensions: Extensions::new()
            .with(Toy::new("x-claims", claims))
            .unwrap(),
        opcodes: &[0x3, 0xB],
        at_start: 0x40,
        on_data: 0x20,
    };
    for claimer in [nobody, toy] {
        let config = config(|config| config.extensions = claimer.extensions.clone());
        for role in ROLES {
            for first in 0..=0xFF {
                let mut subject = Subject::new(role, &config);
                let found = verdict(subject.input(&[first]).outcome().error());
                assert_eq!(found, claimer.first(first), "{role:?} {first:02x}");
                for second in 0..=0xFF {
                    let expected = claimer.both(role, first, second);
                    let mut subject = Subject::new(role, &config);
                    let found = verdict(
                        subject
                            .input(&[first, second])
                            .connection
                            .closed()
                            .error
                            .as_ref(),
                    );
                    assert_eq!(found, expected, "{role:?} {first:02x} {second:02x}");
                }
            }
        }
    }
}

#[test]
fn f07_a_reserved_bit_nobody_claimed_fails_with_1002_on_the_first_octet() {
    for first in [0xC1, 0xA1, 0x91, 0xF2, 0xC9, 0xA8, 0x9A, 0x40] {
        for outcome in feed_both(&defaults(), |_| vec![first]) {
            outcome.assert_failed(ProtocolError::ReservedBitSet);
            assert_eq!(outcome.close_code(), Some(1002));
        }
    }
}

#[test]
fn f07_a_reserved_bit_on_a_continuation_fails_although_its_message_began_well() {
    for outcome in feed_both(&defaults(), |to| frames(to, &[(0x01, b"a"), (0xC0, b"b")])) {
        outcome.assert_failed(ProtocolError::ReservedBitSet);
        assert_eq!(outcome.events, []);
    }
}

#[test]
fn f08_an_opcode_nobody_claimed_fails_with_1002_on_the_first_octet() {
    for opcode in [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF] {
        for fin in [0, 0x80] {
            for outcome in feed_both(&defaults(), |_| vec![fin | opcode]) {
                outcome.assert_failed(ProtocolError::ReservedOpCode);
                assert_eq!(outcome.close_code(), Some(1002));
            }
        }
    }
}

#[test]
fn f06_the_wrong_masking_fails_with_1002_on_the_second_octet() {
    let server = feed(Role::Server, &defaults(), b"\x82\x7f");
    server.assert_failed(ProtocolError::UnmaskedByClient);
    let client = feed(Role::Client, &defaults(), b"\x81\x85");
    client.assert_failed(ProtocolError::MaskedByServer);
    for outcome in [server, client] {
        assert_eq!(outcome.close_code(), Some(1002));
    }
}

#[test]
fn a_server_that_is_told_to_accepts_unmasked_frames_and_masked_ones_beside_them() {
    let config = config(|config| config.accept_unmasked = true);
    let outcome = feed(
        Role::Server,
        &config,
        b"\x81\x02hi\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
    );
    assert_eq!(outcome.events, [text("hi"), text("Hello")]);
}

#[test]
fn f01_a_length_with_its_top_bit_set_fails_with_1002_before_mask_and_payload() {
    for outcome in feed_both(&defaults(), |to| long_header(to, 0x82, 1 << 63)) {
        outcome.assert_failed(ProtocolError::LengthOverflow);
        assert_eq!(outcome.close_code(), Some(1002));
    }
}

#[test]
fn f02_a_length_over_the_limit_fails_with_1009_before_mask_and_payload() {
    for length in [(1 << 20) + 1, 16 << 20, u64::from(u32::MAX), (1 << 63) - 1] {
        for outcome in feed_both(&defaults(), |to| long_header(to, 0x82, length)) {
            outcome.assert_failed(LimitExceeded::FrameSize);
            assert_eq!(outcome.close_code(), Some(1009));
        }
    }
}

#[test]
fn f05_a_length_in_a_longer_form_than_it_needs_fails_with_1002() {
    let short = |to: Role, length: u16| {
        let mut octets = vec![0x82, if to == Role::Server { 0xFE } else { 0x7E }];
        octets.extend(length.to_be_bytes());
        octets
    };
    for length in [0, 5, 125] {
        for outcome in feed_both(&defaults(), |to| short(to, length)) {
            outcome.assert_failed(ProtocolError::NonMinimalLength);
        }
    }
    for length in [0, 5, 200, 65535] {
        for outcome in feed_both(&defaults(), |to| long_header(to, 0x82, length)) {
            outcome.assert_failed(ProtocolError::NonMinimalLength);
        }
    }
}

#[test]
fn f10_every_length_around_the_borders_of_its_forms_arrives_however_it_is_cut() {
    let lengths = (0..=300).step_by(7).chain(120..=130);
    for length in lengths {
        let payload = Random(length as u64).octets(length);
        for outcome in feed_both(&defaults(), |to| frame(to, 0x82, &payload)) {
            assert_eq!(outcome.events, [binary(&*payload)]);
        }
    }
    for length in 65_530..=65_540 {
        let payload = Random(1).octets(length);
        for role in ROLES {
            let octets = frame(role, 0x82, &payload);
            for cut in 1..16 {
                let mut subject = Subject::new(role, &defaults());
                subject.input(&octets[..cut]).input(&octets[cut..]);
                assert_eq!(
                    subject.events(),
                    [binary(&*payload)],
                    "{length} cut at {cut}"
                );
            }
        }
    }
}

#[test]
fn f12_a_hundred_thousand_tiny_frames_in_one_read_arrive_in_order() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        let octets: Vec<u8> = (0..100_000u32)
            .flat_map(|i| frame(role, 0x82, &i.to_be_bytes()))
            .collect();
        let events = subject.input(&octets).events();
        assert_eq!(events.len(), 100_000);
        for (i, event) in (0..100_000u32).zip(events) {
            assert_eq!(event, binary(i.to_be_bytes()));
        }
    }
}

#[test]
fn f15_a_frame_of_exactly_the_limit_arrives_and_one_octet_more_is_refused_at_its_header() {
    for limit in [125, 126, 1000] {
        let config = config(|config| config.limits.max_frame_size = limit);
        for outcome in feed_both(&config, |to| frame(to, 0x82, &vec![1; limit])) {
            assert_eq!(outcome.events, [binary(vec![1; limit])]);
        }
        let header = |to| {
            let whole = frame(to, 0x82, &vec![1; limit + 1]);
            let mask = if to == Role::Server { 4 } else { 0 };
            whole[..whole.len() - limit - 1 - mask].to_vec()
        };
        for outcome in feed_both(&config, header) {
            outcome.assert_failed(LimitExceeded::FrameSize);
        }
    }
}

#[test]
fn f16_frames_that_end_with_the_read_and_frames_that_share_one_all_arrive() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        let octets = frame(role, 0x81, b"one");
        assert_eq!(subject.input(&octets).events(), [text("one")]);
        assert_eq!(
            subject.input(&octets.repeat(1000)).events(),
            vec![text("one"); 1000]
        );
        let (all, half) = octets.split_at(4);
        let mut cut = octets.repeat(999);
        cut.extend(all);
        assert_eq!(subject.input(&cut).events(), vec![text("one"); 999]);
        assert_eq!(subject.input(half).events(), [text("one")]);
    }
}

#[test]
fn f17_wherever_the_stream_ends_whole_messages_are_delivered_and_the_rest_is_lost() {
    for role in ROLES {
        let script = [
            frame(role, 0x81, b"one"),
            frame(role, 0x89, b"two"),
            frames(role, &[(0x02, b"th"), (0x80, b"ree")]),
        ];
        let all = [text("one"), Event::Ping("two".into()), binary(*b"three")];
        let octets = script.concat();
        for end in 0..=octets.len() {
            let whole = (0..=3)
                .rev()
                .find(|n| script[..*n].concat().len() <= end)
                .unwrap();
            for way in [
                &mut [&octets[..end]].into_iter() as &mut dyn Iterator<Item = &[u8]>,
                &mut octets[..end].chunks(1),
            ] {
                let mut subject = Subject::new(role, &defaults());
                way.for_each(|piece| {
                    subject.input(piece);
                });
                let outcome = subject.eof().outcome();
                let (last, events) = outcome.events.split_last().unwrap();
                assert_eq!(events, &all[..whole], "cut at {end}");
                let Event::Closed(closed) = last else {
                    panic!("{last:?}")
                };
                assert_eq!(closed.error, Some(ConnectionError::Lost));
                assert_eq!((closed.code.number(), closed.clean), (1006, false));
                assert_eq!(outcome.close_code(), None);
                assert!(outcome.done);
            }
        }
    }
}

#[test]
fn f18_random_octets_end_with_a_close_code_and_never_hang() {
    let mut failed = 0;
    for seed in 0..1000 {
        for role in ROLES {
            let octets = Random(seed).octets(4096);
            let outcome = Subject::new(role, &defaults()).input(&octets).outcome();
            if outcome.error().is_some() {
                let code = outcome.close_code().unwrap();
                assert!(
                    [1002, 1007, 1009].contains(&code),
                    "{role:?}, seed {seed}: {code}"
                );
                failed += 1;
            }
        }
    }
    // What has not failed waits for the rest of a frame, or was closed by chance.
    assert!(failed > 1900, "{failed}");
}

#[test]
fn f18_a_valid_stream_with_flipped_bits_looks_the_same_however_it_is_cut() {
    for seed in 0..60 {
        for role in ROLES {
            let mut octets = frames(
                role,
                &[
                    (0x01, "αβγ".as_bytes()),
                    (0x89, b"?"),
                    (0x80, b"end"),
                    (0x82, &[0; 130]),
                    (0x81, b"text"),
                    (0x88, b"\x03\xe8bye"),
                ],
            );
            let mut random = Random(seed);
            for _ in 0..1 + seed % 2 {
                let place = random.below(octets.len());
                octets[place] ^= 1 << random.below(8);
            }
            feed_sparsely(role, &defaults(), &octets);
        }
    }
}

/// Whole, in single octets, and cut once at every offset; the ordinary way only.
fn feed_sparsely(role: Role, config: &Config, octets: &[u8]) -> Outcome {
    let whole = Subject::new(role, config).input(octets).outcome();
    let mut single = Subject::new(role, config);
    octets.chunks(1).for_each(|octet| {
        single.input(octet);
    });
    assert_eq!(single.outcome(), whole, "{role:?} {octets:02x?}");
    for cut in 1..octets.len() {
        let mut subject = Subject::new(role, config);
        subject.input(&octets[..cut]).input(&octets[cut..]);
        assert_eq!(
            subject.outcome(),
            whole,
            "{role:?} {octets:02x?} cut at {cut}"
        );
    }
    whole
}

#[test]
fn nothing_is_delivered_behind_the_octet_that_fails() {
    for outcome in feed_both(&defaults(), |to| {
        frames(
            to,
            &[
                (0x81, b"before"),
                (0x83, b""),
                (0x81, b"behind"),
                (0x89, b""),
            ],
        )
    }) {
        outcome.assert_failed(ProtocolError::ReservedOpCode);
        assert_eq!(outcome.events, [text("before")]);
        assert_eq!(outcome.frames().len(), 1, "the close frame and no pong");
    }
}

#[test]
fn the_close_frame_of_a_failure_says_what_was_wrong() {
    let outcome = feed(Role::Client, &defaults(), b"\xc1");
    assert_eq!(
        outcome.frames()[0].payload,
        b"\x03\xeareserved bit without an extension"
    );
    assert_eq!(outcome.frames()[0].key, Some(KEY));
    assert_eq!(outcome.state, State::Failing);
}
