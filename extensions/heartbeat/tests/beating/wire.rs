//! Literal octets, both roles.

use cloverleaf_heartbeat::{Heartbeat, Resolution};
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::error::UsageError;
use cloverleaf_proto::extension::{Extensions, Negotiated, Offer, Params};
use cloverleaf_proto::{Event, Role};

use crate::{Clock, both_ways, ends};

/// A frame as this role sends it, with a masking key of zeros.
pub(crate) fn frame(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u8;
    assert!(length < 126);
    let mut octets = vec![first];
    match role {
        Role::Client => octets.extend_from_slice(&[0x80 | length, 0, 0, 0, 0]),
        Role::Server => octets.push(length),
    }
    octets.extend_from_slice(payload);
    octets
}

#[test]
fn a_beat_is_answered_by_the_other_end_alone_and_its_answer_becomes_a_latency() {
    both_ways(|role, mut asker, mut other| {
        asker.clock.set(0x0001_0203);
        other.clock.set(0x0A0B_0C0D_0E0F);
        asker.send_beat();
        let beat = asker.output();
        let on_the_wire = b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03";
        assert_eq!(beat, frame(role, 0x8B, on_the_wire));
        assert_eq!(asker.beats.unanswered(), 1);

        assert_eq!(
            other.input(&beat),
            [],
            "the application does not hear of it"
        );
        let answer = other.output();
        let peer = match role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        let on_the_wire = b"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\
                            \x00\x00\x0A\x0B\x0C\x0D\x0E\x0F";
        assert_eq!(answer, frame(peer, 0x8B, on_the_wire));

        asker.clock.set(0x0001_0203 + 700);
        let events = asker.input(&answer);
        let [Event::Notice { extension, .. }] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(**extension, *"x-heartbeat");
        let latency = asker.beats.measure(&events[0]).expect("it was asked for");
        assert_eq!(latency.round_trip().as_micros(), 700);
        assert_eq!(latency.sequence(), 0);
        assert_eq!(
            latency.offset().micros(),
            0x0A0B_0C0D_0E0F - 0x0001_0203 - 350
        );
        assert_eq!(latency.offset().error().as_micros(), 350);
        assert_eq!(asker.beats.unanswered(), 0);
        assert_eq!(asker.output(), b"", "an answer is not answered");
    });
}

#[test]
fn the_answer_is_understood_however_it_is_cut() {
    for cut in 1..22 {
        let [mut client, mut server] = ends([Resolution::Microseconds; 2]);
        client.send_beat();
        let beat = client.output();
        let at = cut.min(beat.len());
        server.input(&beat[..at]);
        server.input(&beat[at..]);
        let answer = server.output();
        let mut events = client.input(&answer[..cut]);
        events.extend(client.input(&answer[cut..]));
        assert_eq!(events.len(), 1);
        assert!(client.beats.measure(&events[0]).is_some());
    }
}

#[test]
fn numbers_count_up_and_times_are_as_coarse_as_was_said() {
    let [mut client, _] = ends([Resolution::Milliseconds, Resolution::Microseconds]);
    client.clock.set(5999);
    for number in 0..3 {
        let beat = client.beats.beat();
        assert_eq!(beat[..5], [0, 0, 0, 0, number]);
        assert_eq!(beat[5..], 5000_u64.to_be_bytes());
    }
}

#[test]
fn offers_and_answers_each_speak_of_their_own_end() {
    let (us, ms) = (Resolution::Microseconds, Resolution::Milliseconds);
    let coarse = Params::new().value("resolution", "ms");
    for (server, offer, answer) in [
        (us, Params::new(), "x-heartbeat"),
        (us, coarse.clone(), "x-heartbeat"),
        (ms, Params::new(), "x-heartbeat; resolution=ms"),
        (ms, coarse, "x-heartbeat; resolution=ms"),
        (us, Params::new().value("resolution", "us"), "x-heartbeat"),
    ] {
        let heartbeat = Clock::default().heartbeat(server);
        let extensions = Extensions::new().with(heartbeat).unwrap();
        let offers = vec![Offer::new("x-heartbeat", offer)];
        let accepted = Negotiated::accept(&extensions, offers);
        assert_eq!(accepted.answer().as_deref(), Some(answer));
    }
    for bad in ["s", "", "US", "1"] {
        let heartbeat = Clock::default().heartbeat(us);
        let extensions = Extensions::new().with(heartbeat).unwrap();
        let said = || {
            vec![Offer::new(
                "x-heartbeat",
                Params::new().value("resolution", bad),
            )]
        };
        assert_eq!(Negotiated::accept(&extensions, said()).answer(), None);
        assert!(Negotiated::confirm(&extensions, said()).is_err());
    }
}

#[test]
fn behind_our_close_frame_no_beat_is_sent() {
    both_ways(|_, mut asker, _| {
        asker.connection.close(CloseCode::NORMAL, "").unwrap();
        let beat = asker.beats.beat();
        assert_eq!(
            asker.connection.send_extension(Heartbeat::OPCODE, beat),
            Err(UsageError::Closed)
        );
    });
}
