//! A client: it waits for slots, asks for channels, and bears with what pywebsocket does.

use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::{ChannelId, EndsFor};

use crate::harness::{
    ACCEPTED, REFUSED, REQUEST, REST, Subject, TEXT, like_pywebsocket, transmits,
};
use crate::testing::octets;

#[test]
fn it_says_nothing_first_and_may_send_nothing_on_channel_1() {
    let mut client = Subject::new_client(&like_pywebsocket());
    assert!(client.start().is_empty());
    assert_eq!(client.room(1, TEXT), None);
    assert_eq!(client.carrier.slots(), Some(0));
    assert_eq!(client.told("00 40 01 7e 20 00"), ["channel 1: room"]);
    assert_eq!(client.room(1, TEXT), Some(8191));
    assert_eq!(client.room(1, REST), Some(8192));
}

#[test]
fn it_waits_for_a_slot() {
    let mut client = Subject::new_client(&like_pywebsocket());
    client.start();
    assert!(client.open(REQUEST).is_empty());
    assert_eq!(client.told("00 80 00 05"), ["slots"]);
    assert!(client.open(REQUEST).is_empty());
    assert_eq!(client.told("00 80 01 05"), ["slots"]);
    assert_eq!(client.carrier.slots(), Some(1));
    assert_eq!(client.open(REQUEST).len(), 1);
    assert_eq!(client.carrier.slots(), Some(0));
    assert!(client.open(REQUEST).is_empty());
}

#[test]
fn a_request_and_the_quota_for_its_answer_go_out_in_one_message() {
    let mut client = Subject::greeted_client(&like_pywebsocket());
    let head = "'GET /echo HTTP/1.1' CRLF 'Host: server.example.com' CRLF \
         'Connection: Upgrade' CRLF 'Origin: http://example.com' CRLF CRLF";
    let expected = format!("00 00 02 61 {head} 40 02 7e 20 00");
    assert_eq!(client.open(head), transmits(&[&expected]));
    // Not before the answer.
    assert_eq!(client.room(2, TEXT), None);
    assert_eq!(
        client.told(&format!("00 20 02 39 {ACCEPTED}")),
        [
            "channel 2: accepted \"HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\n\\r\\n\""
        ]
    );
    // The quota of the slot.
    assert_eq!(client.room(2, TEXT), Some(8191));
    assert_eq!(client.carrier.slots(), Some(63));
}

#[test]
fn slots_are_used_in_the_order_they_came() {
    let mut client = Subject::new_client(&like_pywebsocket());
    client.start();
    client.told("00 80 01 05 80 02 07 80 01 05");
    assert_eq!(client.carrier.slots(), Some(4));
    for (id, quota) in [(2, 5), (3, 7), (4, 7), (5, 5)] {
        client.open(REQUEST);
        client.told(&format!("00 20 {id:02x} 39 {ACCEPTED}"));
        assert_eq!(client.room(id, REST), Some(quota));
    }
}

#[test]
fn behind_the_last_slot_a_fallback_sends_it_elsewhere() {
    let mut client = Subject::new_client(&like_pywebsocket());
    client.start();
    assert_eq!(client.told("00 80 01 05 81 00 00"), ["slots", "slots"]);
    assert_eq!(client.carrier.slots(), Some(1));
    client.open(REQUEST);
    assert_eq!(client.carrier.slots(), None);
    assert!(client.open(REQUEST).is_empty());
    // A server may think better of it.
    client.told("00 80 01 05");
    assert_eq!(client.carrier.slots(), Some(1));
}

#[test]
fn a_client_uses_no_more_channels_than_it_wants() {
    let mut client = Subject::greeted_client(&like_pywebsocket().channels(2));
    assert_eq!(client.carrier.slots(), Some(2));
    client.open(REQUEST);
    client.open(REQUEST);
    assert_eq!(client.carrier.slots(), Some(0));
    assert!(client.open(REQUEST).is_empty());
    let told = client.told(&format!("00 30 02 1c {REFUSED}"));
    assert_eq!(told[0], "slots");
    assert_eq!(client.carrier.slots(), Some(1));
}

#[test]
fn a_refusal_shows_the_head_and_a_second_one_is_ignored() {
    let mut client = Subject::greeted_client(&like_pywebsocket());
    client.open(REQUEST);
    let refusal = format!("00 30 02 1c {REFUSED}");
    assert_eq!(
        client.told(&refusal),
        [
            "slots",
            "channel 2: refused \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\""
        ]
    );
    // pywebsocket says it twice.
    assert!(client.told(&refusal).is_empty());
    assert!(client.told("02 81 'Hello'").is_empty());
}

#[test]
fn a_second_answer_for_an_open_channel_is_ignored() {
    let mut client = Subject::client();
    assert!(client.told(&format!("00 20 02 39 {ACCEPTED}")).is_empty());
    assert!(client.told(&format!("00 30 02 1c {REFUSED}")).is_empty());
    assert_eq!(client.told("02 81 'Hello'").len(), 1);
}

#[test]
fn the_codes_of_a_connection_that_fails() {
    for (code, message) in [
        (2002, ""),
        (2002, "80"),
        (2003, "02"),
        (2004, "00 a0"),
        (2005, "00 41 01 02"),
        // In the wrong direction.
        (2005, "00 01 03 16 'GET /echo HTTP/1.1' CRLF CRLF"),
        // A fallback that gives slots.
        (2005, "00 81 01 02"),
        // The first makes it one; 64 from the greeting are there.
        (2008, "00 80 7f 7f ff ff ff ff ff ff ff 01"),
        // Nobody asked.
        (2011, "00 20 03 1c 'HTTP/1.1 400 Bad Request' CRLF CRLF"),
        (2011, "00 20 00 1c 'HTTP/1.1 400 Bad Request' CRLF CRLF"),
        (2012, "00 22 02 00"),
        (2012, "00 33 02 00"),
    ] {
        let mut client = Subject::client();
        assert_eq!(client.physical(message), Some(code), "{message}");
    }
    // Somebody asked, but cannot read the answer.
    for message in ["00 20 02 00", "00 20 02 05 'HTTP/'", "00 31 02 03 'H' CRLF"] {
        let mut client = Subject::greeted_client(&like_pywebsocket());
        client.open(REQUEST);
        let readable = message.ends_with("CRLF");
        let code = client.physical(message);
        assert_eq!(code, (!readable).then_some(2011), "{message}");
    }
}

#[test]
fn a_peer_that_fails_the_connection_is_not_answered() {
    assert_eq!(Subject::client().told("00 60 00 02 07 d0"), ["fails"]);
}

#[test]
fn an_answer_may_be_a_difference_to_an_earlier_one() {
    let mut client = Subject::greeted_client(&like_pywebsocket());
    for _ in 0..3 {
        client.open(REQUEST);
    }
    let delta = "'HTTP/1.1 101 Switching Protocols' CRLF 'X-A: 1' CRLF CRLF";
    assert_eq!(octets(delta).len(), 44);
    // To the physical one, with the extensions in front of mux.
    assert_eq!(
        client.told(&format!("00 21 02 2c {delta}")),
        [
            "channel 2: accepted \"HTTP/1.1 101 Switching Protocols\\r\\nconnection: Upgrade\\r\\n\
          sec-websocket-extensions: permessage-deflate\\r\\nX-A: 1\\r\\n\\r\\n\""
        ]
    );
    client.told(&format!("00 20 03 39 {ACCEPTED}"));
    assert_eq!(
        client.told(&format!("00 21 04 2c {delta}")),
        [
            "channel 4: accepted \"HTTP/1.1 101 Switching Protocols\\r\\nconnection: Upgrade\\r\\n\
          X-A: 1\\r\\n\\r\\n\""
        ]
    );
}

#[test]
fn a_drop_with_2007_ends_its_channel_and_nothing_else() {
    // As pywebsocket answers a request without a slot.
    let mut client = Subject::greeted_client(&like_pywebsocket());
    client.open(REQUEST);
    assert_eq!(
        client.told("00 60 02 02 07 d7"),
        [
            transmits(&["00 60 02 02 0b c0"]),
            vec![
                "channel 2: dropped Some(2007)".to_owned(),
                "slots".to_owned()
            ]
        ]
        .concat()
    );
    assert_eq!(client.told("01 81 'Hello'").len(), 1);
}

#[test]
fn a_drop_is_acknowledged_and_an_acknowledgement_is_not() {
    let mut client = Subject::client();
    let told = client.told("00 60 02 09 03 e8 'Success'");
    assert_eq!(told[..1], transmits(&["00 60 02 02 0b c0"]));
    assert_eq!(told[1], "channel 2: dropped Some(1000)");
    assert!(client.told("00 60 02 02 0b c0").is_empty());
    assert!(client.told("00 60 02 00").is_empty());
}

#[test]
fn quota_past_two_to_the_63_ends_the_channel_with_3006() {
    let mut client = Subject::client();
    let most = "00 40 02 7f 7f ff ff ff ff ff ff ff";
    let told = client.told(most);
    assert_eq!(told[..1], transmits(&["00 60 02 02 0b be"]));
    assert_eq!(told[1], "channel 2: dropped Some(3006)");
    assert_eq!(client.room(2, TEXT), None);
    assert_eq!(client.told("01 81 'Hello'").len(), 1);
}

fn drop_channel(client: &mut Subject, id: u32) {
    client.act(|carrier, actions| {
        carrier.drop_channel(ChannelId::new(id), EndsFor::Normal, actions);
    });
}

/// Opens channels one after the other and drops them, until a number comes back.
fn numbers_until_one_comes_back(client: &mut Subject, watched: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    for _ in 0..300 {
        client.told("00 80 01 05");
        let mut id = None;
        client.act(|carrier, actions| id = carrier.open(&octets(REQUEST), actions));
        let id = id.expect("a slot").get();
        numbers.push(id);
        if id == watched {
            break;
        }
        // Refused: gone at once, and the server knows.
        client.told(&format!("00 30 {id:02x} 1c {REFUSED}"));
    }
    numbers
}

#[test]
fn numbers_come_back_as_late_as_may_be() {
    let mut client = Subject::client();
    client.act(|carrier, actions| carrier.closed(ChannelId::new(2), actions));
    let numbers = numbers_until_one_comes_back(&mut client, 2);
    let expected: Vec<u32> = (3..=127).chain([2]).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn the_number_of_a_dropped_channel_waits_for_the_acknowledgement() {
    let mut client = Subject::client();
    drop_channel(&mut client, 2);
    let numbers = numbers_until_one_comes_back(&mut client, 3);
    assert_eq!(numbers, [3]);
    client.told(&format!("00 30 03 1c {REFUSED}"));
    let numbers = numbers_until_one_comes_back(&mut client, 3);
    assert!(!numbers.contains(&2));
    client.told(&format!("00 30 03 1c {REFUSED}"));
    // Frames that were on their way are ignored; a drop that crosses ours is as good as an answer.
    assert!(client.told("02 81 'Hello'").is_empty());
    assert!(client.told("00 60 02 02 0b bd").is_empty());
    let numbers = numbers_until_one_comes_back(&mut client, 2);
    assert_eq!(numbers.last(), Some(&2));
}

#[test]
fn a_refusal_may_say_why_behind_its_head_and_nothing_else_may() {
    let head = "'HTTP/1.1 404 Not Found' CRLF 'Content-Length: 5' CRLF CRLF";
    let mut client = Subject::client();
    client.open(REQUEST);
    let refused = client.told(&format!("00 30 03 32 {head} 'no: x'"));
    let whole = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nno: x";
    let shown = format!("channel 3: refused {whole:?}");
    assert_eq!(refused, ["slots", &shown]);

    let accepted = format!("00 20 03 3d {ACCEPTED} 'a: x'");
    let mut client = Subject::client();
    client.open(REQUEST);
    assert_eq!(client.physical(&accepted), Some(2011));
}

#[test]
fn a_refusal_that_crosses_our_drop_frees_the_number() {
    let mut client = Subject::greeted_client(&like_pywebsocket());
    client.open(REQUEST);
    drop_channel(&mut client, 2);
    assert!(client.told(&format!("00 30 02 1c {REFUSED}")).is_empty());
    let numbers = numbers_until_one_comes_back(&mut client, 2);
    assert_eq!(numbers.last(), Some(&2));
}

#[test]
fn requests_are_differences_where_the_base_is_certain() {
    let mut client = Subject::greeted_client(&Mux::new().delta(true));
    let same = "'GET /b HTTP/1.1' CRLF 'Host: server.example.com' CRLF 'Connection: Upgrade' CRLF \
         'Sec-WebSocket-Extensions: permessage-deflate' CRLF CRLF";
    let delta = "00 01 02 13 'GET /b HTTP/1.1' CRLF CRLF 40 02 7e 1f 81";
    assert_eq!(client.open(same), transmits(&[delta]));

    // An empty field has no difference: the request stands for itself.
    let odd = "'GET /b HTTP/1.1' CRLF 'X:' CRLF 'Y: 1' CRLF CRLF";
    let identity = |id: &str| format!("00 00 {id} 1d {odd} 40 {id} 7e 1f 81");
    assert_eq!(client.open(odd), transmits(&[&identity("03")]));
    // While it waits, another does too.
    let other = "'GET /b HTTP/1.1' CRLF 'Y: 1' CRLF CRLF";
    let whole = format!("00 00 04 19 {other} 40 04 7e 1f 81");
    assert_eq!(client.open(other), transmits(&[&whole]));
    client.told(&format!("00 20 04 39 {ACCEPTED}"));
    client.told(&format!("00 30 03 1c {REFUSED}"));
    // The accepted one is the base now.
    let delta = "00 01 05 13 'GET /b HTTP/1.1' CRLF CRLF 40 05 7e 1f 81";
    assert_eq!(client.open(other), transmits(&[delta]));
    // One that we drop before its answer may have become the server's base, or not.
    client.open(odd);
    drop_channel(&mut client, 6);
    let whole = format!("00 00 07 19 {other} 40 07 7e 1f 81");
    assert_eq!(client.open(other), transmits(&[&whole]));
}

#[test]
fn a_head_that_no_server_would_take_is_not_sent() {
    let mut client = Subject::greeted_client(&like_pywebsocket());
    let head = format!(
        "'GET / HTTP/1.1' CRLF 'A: {}' CRLF CRLF",
        "a".repeat(16 * 1024)
    );
    assert!(client.open(&head).is_empty());
    assert_eq!(client.carrier.slots(), Some(64));
}
