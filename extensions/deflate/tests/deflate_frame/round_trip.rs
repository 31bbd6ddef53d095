//! What one side compresses the other inflates, frame by frame; and what nobody compressed is taken
//! by the inflater and by a naive decoder alike, or by neither.

use cloverleaf_deflate::DeflateFrame;
use cloverleaf_proto::extension::{Extension, Hints, Negotiated};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Event, Message, Role};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::halves::{FRAGMENTS, Halves, WHOLE, params, with_takeover};
use crate::peer::Peer;
use crate::walker::Walker;

/// Text that repeats itself, and noise.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let words = vec("[a-d]{1,6} ", 0..300).prop_map(|words| words.concat().into_bytes());
    let runs = vec((any::<u8>(), 1_usize..9000), 0..4).prop_map(|runs| {
        let runs = runs.into_iter().map(|(octet, length)| vec![octet; length]);
        runs.collect::<Vec<_>>().concat()
    });
    prop_oneof![4 => words, 2 => runs, 2 => vec(any::<u8>(), 0..3000), 1 => Just(Vec::new())]
}

fn configuration() -> impl Strategy<Value = (u8, bool, bool, u8, u8, usize)> {
    let threshold = prop_oneof![Just(0_usize), Just(256)];
    (
        8_u8..=15,
        any::<bool>(),
        any::<bool>(),
        1_u8..=9,
        1_u8..=9,
        threshold,
    )
}

fn configured(
    (bits, takeover, no_takeover, level, memory_level, threshold): (u8, bool, bool, u8, u8, usize),
) -> DeflateFrame {
    DeflateFrame::new()
        .max_window_bits(bits)
        .context_takeover(takeover)
        .no_context_takeover(no_takeover)
        .level(level)
        .memory_level(memory_level)
        .threshold(threshold)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_frame_survives_under_every_setting_of_both_sides(
        frames in vec((payload(), 0_usize..4), 1..8),
        of_client in configuration(),
        of_server in configuration(),
        from_server: bool,
    ) {
        let (client, server) = (configured(of_client), configured(of_server));
        let offers = client.offers();
        let accepted = server.accept(&offers[0]).expect("an own offer");
        let answer = params(&accepted.params().to_string());
        let confirmed = client.confirm(&offers, &answer).expect("an own answer");
        let (mut sender, mut receiver) = (Halves::from(accepted), Halves::from(confirmed));
        // What the receiver demanded.
        let mut demands = of_client;
        if !from_server {
            core::mem::swap(&mut sender, &mut receiver);
            demands = of_server;
        }
        let mut walker = Walker::default();
        for (payload, head) in frames {
            let head = FRAGMENTS.get(head).copied().unwrap_or(WHOLE);
            let Some(wire) = sender.compress_as(head, &payload) else {
                continue;
            };
            let inflated = receiver.inflate(&wire);
            prop_assert_eq!(inflated.as_ref(), Ok(&payload));
            if demands.2 {
                walker = Walker::default();
            }
            prop_assert_eq!(walker.message(&wire), Ok(payload));
            prop_assert!(walker.max_distance <= 1 << demands.0);
        }
    }

    #[test]
    fn two_ends_understand_each_other_under_every_chunking(
        messages in vec(vec(payload(), 1..4), 1..4),
        configuration in configuration(),
        chunk in 1_usize..3000,
        from_server: bool,
    ) {
        let of_all = |parts: &[Vec<u8>]| Event::Message(Message::binary(parts.concat()));
        let mut client = Peer::new(Role::Client, configured(configuration).no_context_takeover(false));
        let mut server = Peer::new(Role::Server, configured(configuration).no_context_takeover(false));
        let (from, to) = if from_server { (&mut server, &mut client) } else { (&mut client, &mut server) };
        for parts in &messages {
            for (i, part) in parts.iter().enumerate() {
                let fin = i + 1 == parts.len();
                let sent = from.connection.send_part(Kind::Binary, part.clone().into(), fin, Hints::new());
                prop_assert_eq!(sent, Ok(()));
                // A control frame between the parts.
                prop_assert_eq!(from.connection.ping(b"between"), Ok(()));
            }
        }
        let events = to.receive(&from.transmit(), chunk);
        let got: Vec<Event> = events.into_iter().filter(|e| matches!(e, Event::Message(_))).collect();
        let expected: Vec<Event> = messages.iter().map(|parts| of_all(parts)).collect();
        prop_assert!(got == expected);
    }

    #[test]
    fn garbage_is_decoded_alike_or_refused_alike(
        wire in vec(prop_oneof![any::<u8>(), 0_u8..8], 0..60),
    ) {
        let naive = Walker::default().message(&wire).ok();
        for takeover in [false, true] {
            let inflated = with_takeover(takeover).inflate(&wire).ok();
            prop_assert_eq!(&inflated, &naive, "{:02x?}", wire);
        }
    }
}

#[test]
fn a_client_and_a_server_agree_by_their_own_headers() {
    let extensions = cloverleaf_proto::extension::Extensions::new().with(DeflateFrame::webkit());
    let extensions = extensions.expect("legal");
    let accepted = Negotiated::accept(&extensions, Negotiated::offers(&extensions));
    assert_eq!(accepted.answer().as_deref(), Some("x-webkit-deflate-frame"));
    let mut server = Peer::with(Role::Server, extensions.clone(), accepted);
    let answers = Negotiated::offers(&extensions);
    let confirmed = Negotiated::confirm(&extensions, answers).expect("its own answer");
    let mut client = Peer::with(Role::Client, extensions, confirmed);
    let text = "Hello, ".repeat(100);
    let sent = client
        .connection
        .send(Message::text(text.as_str()), Hints::new());
    assert_eq!(sent, Ok(()));
    let wire = client.transmit();
    assert!(wire[0] == 0xC1 && wire.len() < 60);
    let expected = [Event::Message(Message::text(text))];
    assert_eq!(server.receive(&wire, 1), expected);
}
