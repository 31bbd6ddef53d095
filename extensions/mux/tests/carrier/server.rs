//! A server: what pywebsocket was seen to answer (section 18 of the format), and the conformance
//! cases of section 20 that concern a carrier. Where pywebsocket is wrong, a comment says so.

use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::{ChannelId, EndsFor};
use cloverleaf_proto::frame::{Head, OpCode};
use cloverleaf_proto::message::Kind;

use crate::harness::{
    ACCEPTED, CLOSE, REFUSED, REQUEST, REST, Subject, TEXT, like_pywebsocket, transmits,
};
use crate::testing::octets;

/// Given back when a channel ends. pywebsocket never gives one back.
const ONE_SLOT: &str = "00 80 01 7e 20 00";

#[test]
fn it_begins_with_quota_for_channel_1_and_slots() {
    let mut server = Subject::new_server(&like_pywebsocket(), 20_000);
    // pywebsocket sends the same in two messages.
    let expected = transmits(&["00 40 01 7e 20 00 80 40 7e 20 00"]);
    assert_eq!(server.start(), expected);
}

#[test]
fn a_server_without_channels_says_so_at_once() {
    let mux = Mux::new().channels(0).window(200);
    let mut server = Subject::new_server(&mux, 0);
    assert_eq!(server.start(), transmits(&["00 40 01 7e 00 c8 81 00 00"]));
    assert_eq!(
        server.physical(&format!("00 01 02 16 {REQUEST}")),
        Some(2007)
    );
}

#[test]
fn the_codes_of_a_connection_that_fails() {
    for (code, message) in [
        (2002, ""),
        (2002, "80"),
        (2002, "c0 40"),
        (2002, "e0 20 00"),
        (2003, "01"),
        // Whether there is such a channel or not.
        (2003, "07"),
        (2003, "81 2c"),
        (2004, "00 a0"),
        (2004, "00 c0"),
        (2004, "00 e0"),
        // At least one block.
        (2005, "00"),
        (2005, "00 40 01 80"),
        (2005, "00 40 01 7e 00 7d"),
        (2005, "00 40 01 7e"),
        (2005, "00 60 01 01 00"),
        // In the wrong direction.
        (2005, "00 20 02 00"),
        (2005, "00 80 01 05"),
        (2005, "00 81 00 00"),
        // Channel 1 is there. For channel 0, pywebsocket only tears the connection down.
        (2006, "00 01 01 16 'GET /echo HTTP/1.1' CRLF CRLF"),
        (2006, "00 01 00 16 'GET /echo HTTP/1.1' CRLF CRLF"),
        (2010, "00 02 02 16 'GET /echo HTTP/1.1' CRLF CRLF"),
        (2010, "00 03 02 16 'GET /echo HTTP/1.1' CRLF CRLF"),
        // pywebsocket takes these for channels 1 and 0.
        (2002, "e0 00 00 01 81 'Hi'"),
        (2002, "80 00 40 01 05"),
    ] {
        let mut server = Subject::server();
        assert_eq!(server.physical(message), Some(code), "{message}");
    }
    let mut server = Subject::server();
    let message = octets("00 60 01 00");
    assert_eq!(server.physical_as(Kind::Text, &message), Some(2001));
}

#[test]
fn what_is_said_last_is_for_channel_0() {
    let mut server = Subject::server();
    let expected = [
        "> 00 60 00 17 07 d4 75 6e 6b 6e 6f 77 6e 20 63 6f 6e 74 72 6f 6c 20 62 6c 6f 63 6b",
        "fails",
    ];
    assert_eq!(server.told("00 a0"), expected);
}

#[test]
fn a_peer_that_fails_the_connection_is_not_answered() {
    // pywebsocket ignores it, and goes on.
    for message in [
        "00 60 00 00",
        "00 60 00 02 07 d0",
        "00 60 00 04 07 d0 ff fe",
    ] {
        assert_eq!(Subject::server().told(message), ["fails"]);
    }
}

#[test]
fn exactly_the_quota_passes_and_one_octet_more_is_3005() {
    let text = |octets: usize| format!("01 81 '{}'", "x".repeat(octets));
    let mut server = Subject::server();
    // 8191 octets and the one that a message costs.
    assert_eq!(
        server.replies(&text(8191)),
        transmits(&["00 40 01 7e 20 00"])
    );
    assert_eq!(
        server.replies(&text(8192)),
        transmits(&["00 60 01 02 0b bd"])
    );
    // The others go on.
    server.add(2);
    assert_eq!(server.replies("02 81 'Hello'"), transmits(&["00 40 02 06"]));
    let message = format!("02 81 '{}'", "x".repeat(9000));
    assert_eq!(
        server.told(&message),
        [
            transmits(&["00 60 02 02 0b bd"]),
            vec!["channel 2: dropped Some(3005)".to_owned()],
            transmits(&[ONE_SLOT])
        ]
        .concat()
    );
}

#[test]
fn consumed_octets_are_granted_again() {
    let mut server = Subject::server();
    for (message, granted) in [
        ("01 81 'Hello'", "00 40 01 06"),
        ("01 89 'Ping!'", "00 40 01 06"),
        ("01 81", "00 40 01 01"),
        ("01 89", "00 40 01 01"),
        ("01 01 'Hel'", "00 40 01 04"),
        ("01 80 'lo'", "00 40 01 02"),
        // Reserved bits and opcodes are for the endpoint of the channel to judge.
        ("01 c1 'Hello'", "00 40 01 06"),
        ("01 91 'Hello'", "00 40 01 06"),
        ("01 83 'Hello'", "00 40 01 06"),
        ("01 81 ff fe", "00 40 01 03"),
        ("01 88 03", "00 40 01 02"),
        ("01 88 03 e8", "00 40 01 03"),
    ] {
        assert_eq!(server.replies(message), transmits(&[granted]), "{message}");
    }
}

#[test]
fn grants_are_batched_until_half_of_the_window_is_consumed() {
    let mux = Mux::new().window(1000).memory(200_000);
    let mut server = Subject::server_of(&mux, 0);
    let message = format!("01 82 '{}'", "x".repeat(999));
    assert_eq!(server.told(&message).len(), 1);
    assert!(server.consumed(1, 499).is_empty());
    assert_eq!(server.consumed(1, 1), transmits(&["00 40 01 7e 01 f4"]));
    // More than was received is not granted.
    assert_eq!(
        server.consumed(1, 10_000),
        transmits(&["00 40 01 7e 01 f4"])
    );
    assert!(server.consumed(1, 10_000).is_empty());
    assert!(server.consumed(7, 10_000).is_empty());
}

#[test]
fn without_quota_nothing_goes_to_the_client() {
    let mut server = Subject::server_of(&like_pywebsocket(), 0);
    assert_eq!(server.room(1, TEXT), None);
    assert_eq!(server.room(1, REST), None);
    assert_eq!(server.room(1, CLOSE), None);
    assert!(server.told("00 40 01 00").is_empty());
    assert_eq!(server.room(1, TEXT), None);
    assert_eq!(server.told("00 40 01 03"), ["channel 1: room"]);
    assert_eq!(server.wrap(1, CLOSE, &[0x03, 0xe8]), "01 88 03 e8");
    assert_eq!(server.room(1, TEXT), None);
}

#[test]
fn a_quota_of_three_sends_hello_in_two_pieces() {
    let mut server = Subject::server_of(&like_pywebsocket(), 3);
    let open = TEXT.with_fin(false);
    assert_eq!(server.room(1, open), Some(2));
    assert_eq!(server.wrap(1, open, b"He"), "01 01 48 65");
    assert_eq!(server.room(1, REST), None);
    assert_eq!(server.told("00 40 01 03"), ["channel 1: room"]);
    assert_eq!(server.room(1, REST), Some(3));
    assert_eq!(server.wrap(1, REST, b"llo"), "01 80 6c 6c 6f");
}

#[test]
fn a_quota_of_125_is_124_octets_and_then_not_even_a_close() {
    let mut server = Subject::server();
    server.told(&format!("00 01 04 16 {REQUEST} 40 04 7d"));
    // Not before the answer.
    assert_eq!(server.room(4, TEXT), None);
    server.answer(4, true, ACCEPTED);
    assert_eq!(server.room(4, TEXT), Some(124));
    server.wrap(4, TEXT.with_fin(false), &[0; 124]);
    assert_eq!(server.room(4, CLOSE), None);
    assert_eq!(
        server.told("00 60 04 02 03 e8"),
        [
            transmits(&["00 60 04 02 0b c0"]),
            vec!["channel 4: dropped Some(1000)".to_owned()],
            transmits(&[ONE_SLOT])
        ]
        .concat()
    );
}

#[test]
fn the_transcript_of_a_channel() {
    let mut server = Subject::server();
    let request = "GET /echo HTTP/1.1\\r\\nhost: server.example.com\\r\\nconnection: Upgrade\\r\\n\
         sec-websocket-extensions: permessage-deflate\\r\\n\\r\\n";
    assert_eq!(
        server.told(&format!("00 01 02 16 {REQUEST} 40 02 7e 04 00")),
        [
            format!("channel 2: requested \"{request}\""),
            "channel 2: room".to_owned()
        ]
    );
    let accepted = format!("00 20 02 39 {ACCEPTED}");
    assert_eq!(server.answer(2, true, ACCEPTED), transmits(&[&accepted]));
    assert_eq!(server.room(2, TEXT), Some(1023));
    for (message, granted, reply) in [
        ("02 81 'Hello'", "00 40 02 06", "02 81 'Hello'"),
        ("02 89 'Ping!'", "00 40 02 06", "02 8a 'Ping!'"),
        ("02 88 03 e8", "00 40 02 03", "02 88 03 e8"),
    ] {
        assert_eq!(server.replies(message), transmits(&[granted]));
        let reply = octets(reply);
        let head = Head::new(OpCode::new(reply[1] & 0x0f));
        let sent = server.wrap(2, head, &reply[2..]);
        assert_eq!(octets(&sent), reply);
    }
    let closed = server.act(|carrier, actions| carrier.closed(id(2), actions));
    assert_eq!(closed, transmits(&[ONE_SLOT]));
    // What still comes for it is ignored; its number is free at once.
    assert!(server.told("02 81 'Hello'").is_empty());
    server.add(2);
    assert_eq!(
        server.told("00 60 01 00"),
        [
            transmits(&["00 60 01 02 0b c0"]),
            vec!["channel 1: dropped None".to_owned()]
        ]
        .concat()
    );
}

fn id(number: u32) -> ChannelId {
    ChannelId::new(number)
}

#[test]
fn a_request_that_stands_for_itself_becomes_the_base_once_it_is_accepted() {
    let mut server = Subject::server();
    let identity = "'GET /echo HTTP/1.1' CRLF 'Host: other.example' CRLF 'X-A: 1' CRLF CRLF";
    let request = |id: &str| format!("00 00 {id} 33 {identity}");
    let seen = "\"GET /echo HTTP/1.1\\r\\nHost: other.example\\r\\nX-A: 1\\r\\n\\r\\n\"";
    let delta = |id: u8| format!("00 01 {id:02x} 16 {REQUEST}");
    let physical = "\"GET /echo HTTP/1.1\\r\\nhost: server.example.com\\r\\n\
         connection: Upgrade\\r\\nsec-websocket-extensions: permessage-deflate\\r\\n\\r\\n\"";
    assert_eq!(octets(identity).len(), 0x33, "the length in the block");

    // One that is refused does not.
    assert_eq!(
        server.told(&request("02")),
        [format!("channel 2: requested {seen}")]
    );
    server.answer(2, false, REFUSED);
    let line = format!("channel 3: requested {physical}");
    assert_eq!(server.told(&delta(3)), [line]);
    // Nor one that waits.
    server.told(&request("04"));
    let line = format!("channel 5: requested {physical}");
    assert_eq!(server.told(&delta(5)), [line]);
    // A difference does not, accepted or not.
    server.answer(3, true, ACCEPTED);
    server.answer(4, true, ACCEPTED);
    server.answer(5, true, ACCEPTED);
    let line = "channel 6: requested \"GET /echo HTTP/1.1\\r\\nhost: other.example\\r\\n\
         x-a: 1\\r\\n\\r\\n\"";
    assert_eq!(server.told(&delta(6)), [line]);
}

#[test]
fn a_difference_overrides_and_removes() {
    let mut server = Subject::server();
    let delta = "'GET /b HTTP/1.1' CRLF 'HOST: b' CRLF 'Sec-WebSocket-Extensions:' CRLF CRLF";
    assert_eq!(octets(delta).len(), 0x37);
    assert_eq!(
        server.told(&format!("00 01 02 37 {delta}")),
        [
            "channel 2: requested \"GET /b HTTP/1.1\\r\\nconnection: Upgrade\\r\\nHOST: b\\r\\n\\r\\n\""
        ]
    );
}

#[test]
fn a_refusal_of_more_than_16_kib_goes_out_without_its_content() {
    let head = "'HTTP/1.1 404 Not Found' CRLF CRLF";
    let refuse = |octets| {
        let mut server = Subject::server();
        server.told(&format!("00 01 02 16 {REQUEST}"));
        let content = "x".repeat(octets);
        let mut said = server.answer(2, false, &format!("{head} '{content}'"));
        said.swap_remove(0).len()
    };
    // A channel id, a first octet, another id and a length, and `>` in front.
    assert_eq!(refuse(16_384 - 26), 3 * (6 + 16_384) + 1);
    assert_eq!(refuse(16_384 - 25), 3 * (4 + 26) + 1);
}

#[test]
fn a_request_that_cannot_be_read_is_refused_with_400_once() {
    for encoding in ["00", "01"] {
        let mut server = Subject::server();
        let refused = format!("00 30 0a 1c {REFUSED}");
        let expected = transmits(&[&refused, ONE_SLOT]);
        let told = server.told(&format!("00 {encoding} 0a 05 'GET /'"));
        assert_eq!(told, expected);
        // The channel is gone, and its number free.
        assert!(server.told("0a 81 'Hello'").is_empty());
        server.add(10);
    }
}

#[test]
fn a_refusal_carries_the_head_of_the_endpoint_and_gives_the_slot_back() {
    let mut server = Subject::server();
    server.told(&format!("00 01 09 16 {REQUEST}"));
    let not_found = "'HTTP/1.1 404 Not Found' CRLF CRLF";
    assert_eq!(
        server.answer(9, false, not_found),
        transmits(&[&format!("00 30 09 1a {not_found}"), ONE_SLOT])
    );
    // pywebsocket fails the whole connection here.
    assert_eq!(server.replies("01 81 'Hello'"), transmits(&["00 40 01 06"]));
    // An answer to nothing, or a second one, says nothing.
    assert!(server.answer(9, true, ACCEPTED).is_empty());
    assert!(server.answer(1, true, ACCEPTED).is_empty());
}

#[test]
fn what_is_said_of_a_channel_that_is_not_there_is_ignored() {
    let mut server = Subject::server();
    for message in [
        "07 81 'Hello'",
        "07 80",
        "00 40 07 05 60 07 00",
        "00 60 07 02 0b c0",
        "00 40 00 05",
        // An acknowledgement of nothing ends nothing.
        "00 60 01 02 0b c0",
    ] {
        assert!(server.told(message).is_empty(), "{message}");
    }
    assert_eq!(server.replies("01 81 'Hello'"), transmits(&["00 40 01 06"]));
}

#[test]
fn fragments_that_do_not_fit_end_their_channel_with_3009() {
    for (first, granted, last) in [
        (None, &[][..], "02 80 'Hello'"),
        (Some("02 01 'Hel'"), &["00 40 02 04"], "02 81 'lo'"),
        (Some("02 09 'Pi'"), &[], "02 81 'data'"),
        (Some("02 09 'Pi'"), &[], "02 8a 'Po'"),
    ] {
        let mut server = Subject::server();
        server.add(2);
        if let Some(first) = first {
            assert_eq!(server.replies(first), transmits(granted));
        }
        // pywebsocket grants for the frame at fault first.
        let expected = transmits(&["00 60 02 02 0b c1", ONE_SLOT]);
        assert_eq!(server.replies(last), expected, "{last}");
        assert_eq!(server.replies("01 81 'Hello'"), transmits(&["00 40 01 06"]));
    }
}

#[test]
fn a_ping_in_pieces_inside_a_message_is_granted_when_it_is_whole() {
    let mut server = Subject::server();
    server.add(8);
    for (message, granted) in [
        ("08 01 'Hel'", &["00 40 08 04"][..]),
        // pywebsocket grants piece by piece: 3 and 3.
        ("08 09 'Pi'", &[]),
        ("08 80 'ng!'", &["00 40 08 06"]),
        ("08 80 'lo'", &["00 40 08 02"]),
    ] {
        assert_eq!(server.replies(message), transmits(granted));
    }
}

#[test]
fn a_ping_of_126_octets_ends_its_channel_with_3000() {
    // pywebsocket forgets the channel without a word.
    let mut server = Subject::server();
    server.add(9);
    let message = format!("09 89 '{}'", "x".repeat(126));
    let expected = transmits(&["00 60 09 02 0b b8", ONE_SLOT]);
    assert_eq!(server.replies(&message), expected);
}

#[test]
fn a_frame_on_a_channel_that_is_not_answered_yet_ends_it() {
    let mut server = Subject::server();
    server.told(&format!("00 01 02 16 {REQUEST}"));
    let expected = transmits(&["00 60 02 02 0b b8", ONE_SLOT]);
    assert_eq!(server.replies("02 81 'Hello'"), expected);
    assert!(server.answer(2, true, ACCEPTED).is_empty());
}

#[test]
fn each_block_takes_effect_before_the_next_is_read() {
    let mut server = Subject::server_of(&like_pywebsocket(), 0);
    let told = server.told("00 40 01 0b a0");
    assert_eq!(told[0], "channel 1: room");
    assert_eq!(told.last().map(String::as_str), Some("fails"));
    assert_eq!(server.room(1, TEXT), Some(10));
}

#[test]
fn sixty_four_channels_and_not_one_more() {
    let mut server = Subject::server();
    for id in 2..=65 {
        server.add(id);
    }
    // By its number 2007 fails the connection; pywebsocket drops the one channel.
    let message = format!("00 01 42 16 {REQUEST}");
    assert_eq!(server.physical(&message), Some(2007));
}

#[test]
fn the_engine_ends_a_channel_with_the_code_for_its_reason() {
    for (why, dropped) in [
        (EndsFor::Normal, "00 60 02 02 03 e8"),
        (EndsFor::Failed, "00 60 02 02 0b b8"),
        (EndsFor::Idle, "00 60 02 02 0b bf"),
    ] {
        let mut server = Subject::server();
        server.add(2);
        let ended = server.act(|carrier, actions| carrier.drop_channel(id(2), why, actions));
        assert_eq!(ended, transmits(&[dropped, ONE_SLOT]));
        let again = server.act(|carrier, actions| carrier.drop_channel(id(2), why, actions));
        assert!(again.is_empty());
        // Its acknowledgement is not answered, nor what was on its way.
        assert!(server.told("02 81 'Hello'").is_empty());
        assert!(server.told("00 60 02 02 0b c0").is_empty());
        server.add(2);
    }
}

#[test]
fn the_boundary_between_ids_of_two_and_of_three_octets() {
    let mut server = Subject::server();
    for (id, octets) in [(16_383, "bf ff"), (16_384, "c0 40 00")] {
        server.told(&format!("00 01 {octets} 16 {REQUEST} 40 {octets} 06"));
        assert_eq!(
            server.answer(id, true, ACCEPTED),
            transmits(&[&format!("00 20 {octets} 39 {ACCEPTED}")])
        );
        assert_eq!(
            server.wrap(id, TEXT, b"Hello"),
            format!("{octets} 81 48 65 6c 6c 6f")
        );
    }
}

#[test]
fn a_lenient_server_takes_ids_that_are_too_long() {
    let mut server = Subject::server_of(&like_pywebsocket().lenient(true), 0);
    let granted = transmits(&["00 40 01 03"]);
    assert_eq!(server.replies("e0 00 00 01 81 'Hi'"), granted);
    assert_eq!(server.told("80 00 40 80 01 05"), ["channel 1: room"]);
}

#[test]
fn the_first_channel_leaves_no_slot_but_its_number_may_be_used_again() {
    let mut server = Subject::server();
    let closed = server.act(|carrier, actions| carrier.closed(id(1), actions));
    assert!(closed.is_empty());
    server.add(1);
    let closed = server.act(|carrier, actions| carrier.closed(id(1), actions));
    assert_eq!(closed, transmits(&[ONE_SLOT]));
}
