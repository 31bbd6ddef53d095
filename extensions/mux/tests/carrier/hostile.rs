//! What a peer does on purpose.

use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::Action;
use cloverleaf_proto::message::Kind;

use crate::harness::{ACCEPTED, REQUEST, Subject, TEXT, like_pywebsocket};
use crate::testing::octets;

/// A DropChannel in answer to the last message, and whether the connection lives.
fn dropped(subject: &mut Subject, message: &str) -> Option<String> {
    let mut told = subject.told(message);
    told.retain(|line| line.starts_with("> 00 60"));
    told.pop()
}

#[test]
fn a_channel_over_its_quota_leaves_no_state_and_the_others_go_on() {
    let mut server = Subject::server();
    server.add(2);
    server.add(3);
    // The first frame at once over the quota.
    let message = format!("02 82 '{}'", "x".repeat(8192));
    let answer = dropped(&mut server, &message);
    assert_eq!(answer.as_deref(), Some("> 00 60 02 02 0b bd"));
    // Now it is one that never was.
    assert!(server.told("02 82 'x'").is_empty());
    assert!(server.told("00 60 02 00").is_empty());
    assert_eq!(server.room(2, TEXT), None);
    assert_eq!(server.told("03 82 'x'").len(), 1);
    server.add(2);
    assert_eq!(server.told("02 82 'x'").len(), 1);
}

#[test]
fn no_sum_of_quotas_panics_or_wraps() {
    let most = "7f 7f ff ff ff ff ff ff ff";
    let mut server = Subject::server();
    server.add(2);
    server.add(3);
    assert_eq!(
        server.told(&format!("00 40 02 {most}")),
        ["channel 2: room"]
    );
    assert_eq!(server.room(2, TEXT), Some((1 << 63) - 2));
    let answer = dropped(&mut server, &format!("00 40 02 {most}"));
    assert_eq!(answer.as_deref(), Some("> 00 60 02 02 0b be"));
    let answer = dropped(&mut server, &format!("00 40 03 {most} 40 03 01"));
    assert_eq!(answer.as_deref(), Some("> 00 60 03 02 0b be"));
    // 2^63 and more cannot be written.
    assert_eq!(
        server.physical("00 40 01 7f 80 00 00 00 00 00 00 00"),
        Some(2005)
    );
}

#[test]
fn slots_past_two_to_the_63_or_of_too_many_kinds_are_2008() {
    let mut client = Subject::new_client(&Mux::new());
    client.start();
    client.told("00 80 7f 7f ff ff ff ff ff ff fe 01");
    client.told("00 80 01 02");
    assert_eq!(client.carrier.slots(), Some(64));
    assert_eq!(client.physical("00 80 01 02"), Some(2008));

    let mut client = Subject::new_client(&Mux::new());
    client.start();
    for kind in 0..64 {
        assert_eq!(client.told(&format!("00 80 01 {kind:02x}")), ["slots"]);
    }
    assert_eq!(client.physical("00 80 01 64"), Some(2008));
}

#[test]
fn a_head_over_16_kib_is_2009_and_2011_also_if_a_difference_makes_it() {
    let block = |first: u8, head: usize| {
        let mut message = vec![0x00, first, 0x02, 0x7e];
        message.extend_from_slice(&u16::try_from(head).expect("short").to_be_bytes());
        message.extend_from_slice(b"GET / HTTP/1.1\r\na: ");
        message.resize(message.len() + head - 23, b'x');
        message.extend_from_slice(b"\r\n\r\n");
        message
    };
    let mut server = Subject::server();
    let told = server.told_as(Kind::Binary, &block(0x00, 16_384));
    assert!(told[0].starts_with("channel 2: requested"), "{told:?}");
    for (first, length) in [(0x00, 16_385), (0x01, 16_385), (0x01, 16_384)] {
        let mut server = Subject::server();
        let code = server.physical_as(Kind::Binary, &block(first, length));
        assert_eq!(code, Some(2009), "{first} {length}");
    }
    for first in [0x20, 0x30, 0x21] {
        let mut client = Subject::greeted_client(&like_pywebsocket());
        client.open(REQUEST);
        let code = client.physical_as(Kind::Binary, &block(first, 16_385));
        assert_eq!(code, Some(2011), "{first}");
    }
}

#[test]
fn a_thousand_differences_hold_no_more_than_a_thousand_heads() {
    // The base is kept once; what a request expands to goes to the endpoint and is not kept.
    let mux = Mux::new().channels(1000).memory(8 << 20);
    let mut server = Subject::server_of(&mux, 0);
    let long = format!(
        "'GET / HTTP/1.1' CRLF 'a: {}' CRLF CRLF",
        "x".repeat(16_000)
    );
    server.told(&format!("00 00 02 7e 3e 97 {long}"));
    server.answer(2, true, ACCEPTED);
    let mut heads = 0;
    for id in 200..1100_u32 {
        let [_, _, high, low] = (id | 0x8000).to_be_bytes();
        let message = octets(&format!("00 01 {high:02x} {low:02x} 16 {REQUEST}"));
        let mut actions = Vec::new();
        let result = server.carrier.receive(Kind::Binary, &message, &mut actions);
        assert_eq!(result, Ok(()));
        let [Action::Requested(_, head)] = &actions[..] else {
            panic!("{actions:?}");
        };
        assert!(head.len() <= 16 * 1024);
        // Nobody else holds it: the carrier kept none.
        assert!(head.is_unique());
        heads += 1;
    }
    assert_eq!(heads, 900);
}

#[test]
fn a_million_empty_frames_end_with_3009_after_a_hundred() {
    let mut server = Subject::server();
    server.add(2);
    server.told("02 01");
    let mut passed = 0;
    let answer = loop {
        match dropped(&mut server, "02 00") {
            None => passed += 1,
            Some(answer) => break answer,
        }
    };
    assert_eq!(passed, 100);
    // As many again when time has passed.
    server.add(3);
    server.told("03 01");
    for _ in 0..3 {
        for _ in 0..100 {
            assert_eq!(server.told("03 00").len(), 1);
        }
        server.act(|carrier, actions| carrier.replenish(actions));
    }
    assert_eq!(answer, "> 00 60 02 02 0b c1");
    // Of empty messages, each costs one: they end with the quota.
    let mut server = Subject::server();
    for _ in 0..8192 {
        assert_eq!(server.told("01 81").len(), 1);
    }
    let answer = dropped(&mut server, "01 81");
    assert_eq!(answer.as_deref(), Some("> 00 60 01 02 0b bd"));
}

/// Opens and drops a channel until the connection fails; how often that went.
fn rapid_reset(server: &mut Subject) -> usize {
    for round in 0..100_000 {
        let told = server.told(&format!("00 01 02 16 {REQUEST} 60 02 02 03 e8"));
        if told.last().is_some_and(|line| line == "fails") {
            return round;
        }
    }
    100_000
}

#[test]
fn a_rapid_reset_ends_with_2007_once_the_slots_of_its_time_are_used() {
    let mut server = Subject::server();
    let rounds = rapid_reset(&mut server);
    assert_eq!(rounds, 100);

    // Within the budget of each ten seconds it may go on for ever.
    let mut server = Subject::server();
    for _ in 0..100 {
        for _ in 0..100 {
            let told = server.told(&format!("00 01 02 16 {REQUEST} 60 02 02 03 e8"));
            assert_ne!(told.last().map(String::as_str), Some("fails"));
        }
        server.act(|carrier, actions| carrier.replenish(actions));
    }
    // What was owed came back, all of it and no more.
    for id in 2..=65 {
        server.add(id);
    }
    assert_eq!(
        server.physical(&format!("00 01 42 16 {REQUEST}")),
        Some(2007)
    );
}

#[test]
fn refusals_count_as_opened_channels() {
    let mut server = Subject::server();
    let rounds = (0..100_000).find(|_| {
        let told = server.told("00 00 02 05 'GET /'");
        told.last().is_some_and(|line| line == "fails")
    });
    assert_eq!(rounds, Some(100));
}

#[test]
fn random_octets_never_panic_and_the_answers_to_them_are_bounded() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..50_000 {
        let mut subject = if round % 2 == 0 {
            let mut server = Subject::server_of(&Mux::new().lenient(round % 4 == 0), 100);
            server.add(2);
            server
        } else {
            let mut client = Subject::greeted_client(&Mux::new());
            client.open(REQUEST);
            client
        };
        for _ in 0..4 {
            // Mostly a control block with a first octet that means something.
            let length = random() % 24;
            let mut message: Vec<u8> = (0..length).map(|_| (random() >> 32) as u8).collect();
            if let [channel, block, id, ..] = &mut message[..] {
                *channel &= 3;
                if random() % 4 != 0 {
                    *block &= 0xe3;
                    *id &= 0x03;
                }
            }
            let mut actions = Vec::new();
            let result = subject
                .carrier
                .receive(Kind::Binary, &message, &mut actions);
            let out: usize = actions
                .iter()
                .map(|action| match action {
                    Action::Transmit(message) => message.len(),
                    _ => 0,
                })
                .sum();
            assert!(out <= 400, "{message:02x?}: {actions:02x?}");
            if result.is_err() {
                break;
            }
        }
    }
}
