//! Two ends, or one end and what a peer does wrong.

use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_proto::extension::{Extensions, Hints, Negotiated, Offer, Params};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Event, Message, Role};

use crate::halves::noise;
use crate::peer::{Peer, frame, frames};

const ROLES: [Role; 2] = [Role::Client, Role::Server];
const HELLO: &[u8] = &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];

fn peer(role: Role) -> Peer {
    Peer::new(role, DeflateFrame::new())
}

#[test]
fn a_ping_may_stand_between_two_compressed_fragments() {
    for role in ROLES {
        let octets = [
            frame(
                role,
                0x41,
                &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0xD7, 0x51, 0x00, 0x00],
            ),
            frame(role, 0x89, b"x"),
            frame(
                role,
                0xC0,
                &[0x2A, 0xCF, 0x2F, 0xCA, 0x49, 0x51, 0x04, 0x00],
            ),
        ]
        .concat();
        for chunk in 1..=octets.len() {
            let mut peer = peer(role);
            let expected = [
                Event::Ping(b"x"[..].into()),
                Event::Message(Message::text("Hello, world!")),
            ];
            assert_eq!(peer.receive(&octets, chunk), expected, "{chunk}");
            assert_eq!(frames(&peer.transmit()), [(0x8A, b"x".to_vec())]);
        }
    }
}

#[test]
fn what_a_peer_does_wrong_is_answered_with_its_close_code() {
    let table: &[(u8, &[u8], u16)] = &[
        // RSV1 on control frames, which are never compressed.
        (0xC9, b"abc", 1002),
        (0xCA, b"", 1002),
        (0xC8, &[0x03, 0xE8], 1002),
        // Bits nobody has claimed.
        (0xA1, b"Hello", 1002),
        (0x91, b"Hello", 1002),
        (0xE1, HELLO, 1002),
        (0xD2, HELLO, 1002),
        // An opcode nobody has claimed, with a bit somebody has.
        (0xC3, HELLO, 1002),
        // A continuation of nothing.
        (0xC0, HELLO, 1002),
        // A text that is not UTF-8 once it is inflated, known before the message ends.
        (
            0xC1,
            &[0x00, 0x02, 0x00, 0xFD, 0xFF, 0xFF, 0xFE, 0x00],
            1007,
        ),
        (
            0x41,
            &[0x00, 0x02, 0x00, 0xFD, 0xFF, 0xFF, 0xFE, 0x00],
            1007,
        ),
    ];
    for role in ROLES {
        for (first, payload, code) in table {
            let octets = frame(role, *first, payload);
            for chunk in [1, 7, 1000] {
                let mut peer = peer(role);
                let events = peer.receive(&octets, chunk);
                let messages = events.iter().filter(|e| matches!(e, Event::Message(_)));
                assert_eq!(messages.count(), 0, "{first:02x}");
                assert_eq!(peer.close_code(), Some(*code), "{first:02x} {payload:02x?}");
            }
        }
    }
}

#[test]
fn without_an_agreement_rsv1_is_answered_with_1002() {
    for role in ROLES {
        let mut peer = Peer::plain(role);
        peer.receive(&frame(role, 0xC1, HELLO), 1000);
        assert_eq!(peer.close_code(), Some(1002));
    }
}

#[test]
fn rsv1_on_a_continuation_is_an_error_with_permessage_deflate_alone() {
    let octets = [
        frame(Role::Server, 0x01, b"Hello, "),
        frame(
            Role::Server,
            0xC0,
            &[0x2A, 0xCF, 0x2F, 0xCA, 0x49, 0x51, 0x04, 0x00],
        ),
    ]
    .concat();
    let mut server = peer(Role::Server);
    let expected = [Event::Message(Message::text("Hello, world!"))];
    assert_eq!(server.receive(&octets, 1000), expected);

    let extensions = Extensions::new().with(PermessageDeflate::new());
    let extensions = extensions.expect("legal");
    let offer = Offer::new("permessage-deflate", Params::new());
    let negotiated = Negotiated::accept(&extensions, vec![offer]);
    let mut server = Peer::with(Role::Server, extensions, negotiated);
    server.receive(&octets, 1000);
    assert_eq!(server.close_code(), Some(1002));
}

#[test]
fn messages_large_and_small_whole_and_in_parts_cross_in_both_directions() {
    let text = "to be, or not to be; ".repeat(30_000);
    let whole = ["", "a", "to be, or not to be", &text];
    for takeover in [false, true] {
        let config = || DeflateFrame::new().threshold(0).context_takeover(takeover);
        let mut peers = ROLES.map(|role| Peer::new(role, config()));
        for _ in 0..2 {
            peers.swap(0, 1);
            let [from, to] = &mut peers;
            for message in whole {
                let sent = from.connection.send(Message::text(message), Hints::new());
                assert_eq!(sent, Ok(()));
            }
            for (part, fin) in [("to be, ", false), ("", false), (text.as_str(), true)] {
                let part = part.to_owned().into();
                let sent = from
                    .connection
                    .send_part(Kind::Text, part, fin, Hints::new());
                assert_eq!(sent, Ok(()));
            }
            let wire = from.transmit();
            assert!(wire.len() < text.len() / 20, "{}", wire.len());
            let parts = format!("to be, {text}");
            let expected = whole.into_iter().chain([parts.as_str()]);
            let expected: Vec<Event> = expected.map(|m| Event::Message(Message::text(m))).collect();
            let events = to.receive(&wire, 1000);
            assert!(events == expected, "{} events", events.len());
        }
    }
}

#[test]
fn a_large_message_is_cut_first_and_every_fragment_is_compressed_on_its_own() {
    let text = "all work and no play makes a dull message; ".repeat(5000);
    for role in ROLES {
        let mut sender = peer(role);
        let sent = sender
            .connection
            .send(Message::text(text.as_str()), Hints::new());
        assert_eq!(sent, Ok(()));
        let wire = frames(&sender.transmit());
        let firsts: Vec<u8> = wire.iter().map(|(first, _)| *first).collect();
        assert_eq!(firsts, [0x41, 0x40, 0x40, 0xC0]);
        // Each inflates without the ones before it.
        let mut inflated = Vec::new();
        for (_, payload) in &wire {
            let plain = crate::walker::Walker::default().message(payload);
            inflated.extend(plain.expect("on its own"));
        }
        assert_eq!(inflated, text.as_bytes());
    }
}

#[test]
fn what_does_not_shrink_goes_as_it_is_and_so_do_secrets_and_control_frames() {
    for role in ROLES {
        let mut sender = peer(role);
        let random = Message::binary(noise(65_536));
        assert_eq!(sender.connection.send(random, Hints::new()), Ok(()));
        let secret = Message::text("s".repeat(1000));
        let hints = Hints::new().do_not_compress();
        assert_eq!(sender.connection.send(secret, hints), Ok(()));
        let ping = sender.connection.ping(&[b'p'; 125]);
        assert_eq!(ping, Ok(()));
        let wire = frames(&sender.transmit());
        let mut heads: Vec<(u8, usize)> = wire.iter().map(|(f, p)| (*f, p.len())).collect();
        heads.sort_unstable();
        assert_eq!(heads, [(0x81, 1000), (0x82, 65_536), (0x89, 125)]);
    }
}

#[test]
fn a_bomb_is_answered_with_1009_however_it_comes() {
    for role in ROLES {
        let other = if role == Role::Server {
            Role::Client
        } else {
            Role::Server
        };
        // 64 KiB of zeros in each of 272 frames, which is 17 MiB; the limit is one.
        let mut sender = Peer::new(other, DeflateFrame::new().level(9));
        let zeros = Message::binary(vec![0; 17 << 20]);
        sender.connection.send(zeros, Hints::new()).expect("open");
        let bomb = sender.transmit();
        assert!(bomb.len() < 40_000, "{}", bomb.len());
        let mut receiver = peer(role);
        let events = receiver.receive(&bomb, 1000);
        assert!(!events.iter().any(|e| matches!(e, Event::Message(_))));
        assert_eq!(receiver.close_code(), Some(1009));
    }
}
