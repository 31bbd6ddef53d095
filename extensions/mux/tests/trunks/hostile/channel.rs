//! A mistake on one channel ends that one. What is said of a channel that is not there is ignored.

use crate::hand::{Hand, LENGTH, REQUEST, said};
use crate::testing::octets;

/// Channels 1, 2 and 3.
fn server() -> Hand {
    let mut server = Hand::server();
    server.add("02");
    server.add("03");
    server
}

fn client() -> Hand {
    let mut client = Hand::client();
    client.accept("02");
    client.accept("03");
    client
}

/// The others go on.
fn check_the_others(hand: &mut Hand, what: &str) {
    for id in ["01", "03"] {
        hand.say(&format!("00 40 {id} 0a"));
        hand.say(&format!("{id} 81 'Hello'"));
        let echo = said(&[&format!("82 {id} 81 'Hello'")]);
        assert_eq!(hand.heard(), echo, "{what}");
    }
}

#[test]
fn a_mistake_on_a_channel_is_a_drop_with_its_code_and_the_others_go_on() {
    let over = format!("02 82 '{}'", "x".repeat(8192));
    let rest = "x".repeat(8190);
    let exactly = [
        "02 02 'x'".to_owned(),
        format!("02 00 '{rest}'"),
        "02 80 'x'".to_owned(),
    ];
    let exactly: Vec<&str> = exactly.iter().map(String::as_str).collect();
    let most = "00 40 02 7f 7f ff ff ff ff ff ff ff";
    for (what, messages, code) in [
        // Nothing was there before: no state is left either.
        (
            "the first frame at once over the quota",
            &[&over[..]][..],
            3005_u16,
        ),
        ("one octet over the quota", &exactly, 3005),
        ("a quota past 2^63", &[most, most], 3006),
        ("a continuation of nothing", &["02 80 'x'"], 3009),
        ("a message in a message", &["02 01 'x'", "02 81 'x'"], 3009),
        ("a message in a ping", &["02 09 'x'", "02 81 'x'"], 3009),
        (
            "a ping of 126 octets",
            &["02 09 'x'", &format!("02 80 '{}'", &rest[..125])],
            3000,
        ),
    ] {
        for (mut hand, role) in [(server(), "server"), (client(), "client")] {
            let what = format!("{role}: {what}");
            for message in messages {
                hand.say(message);
            }
            let heard = hand.heard();
            let [high, low] = code.to_be_bytes();
            let drop = [&octets("82 00 60 02 02")[..], &[high, low]].concat();
            assert!(heard.contains(&drop), "{what}: {heard:02x?}");
            assert_eq!(hand.closed.len(), 1, "{what}");
            let closed = hand.closed.values().next().expect("one");
            assert!(
                !closed.clean && closed.error.is_some(),
                "{what}: {closed:?}"
            );
            // What is still on its way for it is thrown away, and so is the acknowledgement.
            hand.say("02 81 'x'");
            hand.say("00 40 02 01 60 02 02 0b c0");
            assert!(hand.heard().is_empty(), "{what}");
            check_the_others(&mut hand, &what);
            assert!(hand.over.is_none(), "{what}");
        }
    }
}

#[test]
fn what_breaks_rfc_6455_on_a_channel_is_a_close_frame_and_then_a_drop() {
    for (what, message, close) in [
        ("a reserved bit", "02 c1 'x'", "82 02 88 03 ea"),
        ("a reserved opcode", "02 83 'x'", "82 02 88 03 ea"),
        ("text that is not UTF-8", "02 81 ff", "82 02 88 03 ef"),
    ] {
        for mut hand in [server(), client()] {
            hand.say("00 40 02 7d");
            hand.say(message);
            let heard = hand.heard();
            let [closed, dropped, ..] = &heard[..] else {
                panic!("{what}: {heard:02x?}");
            };
            assert_eq!(closed[..5], octets(close), "{what}");
            assert_eq!(dropped, &octets("82 00 60 02 02 0b b8"), "{what}");
            check_the_others(&mut hand, what);
        }
    }
}

#[test]
fn a_close_frame_that_is_wrong_is_a_close_frame_all_the_same() {
    for body in ["03", "03 ee", "03 e8 ff"] {
        for mut hand in [server(), client()] {
            hand.say("00 40 02 7d");
            hand.say(&format!("02 88 {body}"));
            let heard = hand.heard();
            assert_eq!(heard[0][..3], octets("82 02 88"), "{body}");
            // Both have passed: no drop is needed, and the number is free.
            let drop = heard
                .iter()
                .any(|said| said.starts_with(&octets("82 00 60")));
            assert!(!drop, "{body}: {heard:02x?}");
            let closed = hand.closed.values().next().expect("one");
            assert!(
                !closed.clean && closed.error.is_some(),
                "{body}: {closed:?}"
            );
            check_the_others(&mut hand, body);
        }
    }
}

#[test]
fn what_is_said_of_a_channel_that_is_not_there_is_ignored() {
    for mut hand in [server(), client()] {
        for message in [
            "07 81 'Hello'",
            "07 80",
            "00 40 07 05",
            "00 60 07 00",
            "00 60 07 02 03 e8",
            "00 60 07 02 0b c0",
            "df ff ff 81 'Hello'",
            "00 60 ff ff ff ff 00",
        ] {
            hand.say(message);
            assert!(hand.heard().is_empty(), "{message}");
        }
        check_the_others(&mut hand, "unknown channels");
    }
}

#[test]
fn a_number_is_used_again_at_once_and_nothing_of_the_old_channel_is_in_the_new_one() {
    let mut server = server();
    server.echoes = false;
    for round in 0..50 {
        // Half a message, half a ping, more quota: nothing of that stays.
        server.say("00 40 02 7d");
        server.say("02 01 'old'");
        server.say("02 09 'old'");
        server.say("00 60 02 00");
        server.say(&format!("00 00 02 {LENGTH} {REQUEST}"));
        server.echoes = true;
        server.say("02 81 'too early'");
        server.say("00 40 02 06");
        // The slot comes back each time. A frame in front of the answer ends the new channel.
        let slot = "82 00 80 01 7e 20 00";
        let expected = ["82 00 60 02 02 0b c0", slot, "82 00 60 02 02 0b b8", slot];
        assert_eq!(server.heard(), said(&expected), "{round}");
        server.add("02");
        server.say("02 81 'Hello'");
        let echo = said(&["82 02 81 'Hello'"]);
        assert_eq!(server.heard(), echo, "{round}");
        if round % 15 == 14 {
            server.wait(10_000);
            server.heard();
        }
    }
}

#[test]
fn empty_frames_are_dropped_with_3009_after_a_hundred_in_ten_seconds() {
    for mut hand in [server(), client()] {
        hand.say("02 01");
        for _ in 0..99 {
            hand.say("02 00");
        }
        assert_eq!(hand.heard(), said(&[]));
        // Messages of nothing end with the quota: here, they are read, and cost what they cost.
        hand.echoes = false;
        for _ in 0..20 {
            for _ in 0..4000 {
                hand.say_octets(&[3, 0x82]);
            }
            hand.heard();
        }
        assert!(hand.closed.is_empty());
        for _ in 0..1_000_000 {
            hand.say_octets(&[2, 0]);
        }
        let drop = octets("82 00 60 02 02 0b c1");
        assert!(hand.heard().contains(&drop));
        hand.echoes = true;
        assert_eq!(hand.closed.len(), 1);
        check_the_others(&mut hand, "empty frames");
    }
}
