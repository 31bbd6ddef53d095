//! Which channels there are: requests whole and as differences, refusals, slots, numbers.

use cloverleaf_deflate::DeflateFrame;
use cloverleaf_mux::Mux;
use cloverleaf_proto::Message;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::extension::Extensions;
use cloverleaf_proto::handshake::HandshakeError;
use cloverleaf_proto::trunk::{Key, OpenError};

use super::{line, noise};
use crate::line::{connect, mux, only, request};
use crate::python::python;
use crate::wire::{End, Seen};

#[test]
fn channels_open_by_whole_requests_and_by_differences_and_echo() {
    let Some(python) = python() else { return };
    let server = python.serve();
    for delta in [false, true] {
        let mut line = line(server.port, mux().delta(delta));
        let mut keys = vec![Key::FIRST];
        keys.extend((0..5).map(|_| line.open("/echo")));
        for round in 0..3 {
            for (n, key) in keys.iter().enumerate() {
                line.send(*key, format!("Grüße {round} {n}"));
                line.send(*key, noise(200, n as u32));
            }
            for (n, key) in keys.iter().enumerate() {
                assert_eq!(
                    line.message(*key),
                    Message::text(format!("Grüße {round} {n}"))
                );
                assert_eq!(line.message(*key), Message::binary(noise(200, n as u32)));
            }
        }
        for id in 2..7 {
            let host = format!("Host: 127.0.0.1:{}\r\n", server.port);
            let head = match delta {
                true => "GET /echo HTTP/1.1\r\n\r\n".to_owned(),
                false => {
                    format!("GET /echo HTTP/1.1\r\n{host}Connection: Upgrade\r\n\r\n")
                }
            };
            let requested = Seen::Request(id, delta, head);
            assert!(
                line.wire.has(End::Client, &requested),
                "{:?}",
                line.wire.of(End::Client)
            );
            // What it may send is granted behind the request.
            assert_eq!(line.wire.grants(End::Client, id)[0], 8065);
        }
        // The first channel's are in the offer; and the one answer says nothing.
        let heads: Vec<&Seen> = line
            .wire
            .seen
            .iter()
            .map(|(_, seen)| seen)
            .take(2)
            .collect();
        let [Seen::Head(offer), Seen::Head(answer)] = heads[..] else {
            panic!("{heads:?}")
        };
        assert!(offer.contains("mux_DO_NOT_USE; quota=8065\r\n"), "{offer}");
        assert!(
            answer.contains("Sec-WebSocket-Extensions: mux_DO_NOT_USE\r\n"),
            "{answer}"
        );
        assert_eq!(line.wire.grants(End::Server, 1)[0], 8192);
        assert!(line.wire.has(End::Server, &Seen::Slots(64, 8192)));
    }
}

#[test]
fn a_difference_overrides_and_removes_and_it_remembers_that_too_long() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let room = |name: Option<&'static str>| {
        let request = request(server.port, "/command");
        match name {
            Some(name) => {
                let header = "x-room".parse().expect("a name");
                let value = name.parse().expect("a value");
                request.header(header, value).expect("it is not ours")
            }
            None => request,
        }
    };
    let extensions = only(mux().delta(true));
    let mut line = connect(room(Some("one")), extensions).expect("it knows mux");
    for (n, (wanted, difference, seen)) in [
        (Some("two"), "X-Room: two\r\n", "two"),
        (None, "x-room:\r\n", "none"),
        // It has taken the header out of what the next difference is one to.
        (Some("one"), "", "none"),
        (Some("two"), "X-Room: two\r\n", "two"),
        (Some("one"), "", "two"),
    ]
    .into_iter()
    .enumerate()
    {
        let key = line
            .trunk
            .open(room(wanted), [9; 16])
            .expect("there is a slot");
        line.until("answer", |it| it.opened.contains_key(&key).then_some(()));
        line.send(key, "header x-room");
        assert_eq!(line.message(key), Message::text(seen));
        let head = format!("GET /command HTTP/1.1\r\n{difference}\r\n");
        let requested = Seen::Request(n as u32 + 2, true, head);
        assert!(
            line.wire.has(End::Client, &requested),
            "{:?}",
            line.wire.of(End::Client)
        );
    }
}

#[test]
fn a_channel_has_a_subprotocol_of_its_own() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let asked = request(server.port, "/echo?chat").protocol("superchat");
    let asked = asked
        .and_then(|it| it.protocol("chat"))
        .expect("they are tokens");
    let chat = line.trunk.open(asked, [9; 16]).expect("there is a slot");
    let plain = line.open("/echo");
    assert_eq!(line.opened[&chat].handshake.protocol(), Some("chat"));
    assert_eq!(line.opened[&plain].handshake.protocol(), None);
    line.echoes(chat, "Hello");
    line.echoes(plain, "Hello");
}

#[test]
fn there_are_64_channels_beside_the_first_and_no_more() {
    let Some(python) = python() else { return };
    let server = python.serve();
    for delta in [false, true] {
        let mut line = line(server.port, mux().channels(100).delta(delta));
        let mut keys = vec![Key::FIRST];
        assert_eq!(line.trunk.slots(), Some(64));
        keys.extend((0..64).map(|_| line.open("/echo")));
        for (n, key) in keys.iter().enumerate() {
            line.send(*key, noise(1000, n as u32));
        }
        for (n, key) in keys.iter().enumerate() {
            assert_eq!(line.message(*key), Message::binary(noise(1000, n as u32)));
        }
        // We know, and do not ask.
        assert_eq!(line.trunk.slots(), Some(0));
        let refused = line.trunk.open(request(server.port, "/echo"), [1; 16]);
        assert!(matches!(refused, Err(OpenError::NoSlot)), "{refused:?}");
        // It never gives a slot back.
        line.trunk
            .close(keys[1], CloseCode::NORMAL, "")
            .expect("it is open");
        assert!(line.closed(keys[1]).clean);
        line.echoes(Key::FIRST, "Hello");
        assert_eq!(line.trunk.slots(), Some(0));
        // Did we ask all the same, it would drop that channel with a code of the connection.
        line.as_if_it_came(&[0x82, 0x06, 0x00, 0x80, 0x01, 0x7E, 0x20, 0x00]);
        let key = line.ask("/echo");
        line.until("refusal", |it| it.refused.contains_key(&key).then_some(()));
        let Some(HandshakeError::Dropped(dropped)) = line.refused.get(&key) else {
            panic!("{:?}", line.refused)
        };
        assert_eq!(dropped.code, Some(2007));
        assert!(line.wire.has(End::Server, &Seen::Drop(66, Some(2007))));
        for key in &keys[2..] {
            line.echoes(*key, "still there");
        }
    }
}

#[test]
fn a_number_is_used_again_once_its_channel_is_closed() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux().max_opens(1000));
    let command = line.open("/command");
    line.send(command, "slots 100 500");
    line.until("slots", |it| {
        it.wire
            .has(End::Server, &Seen::Slots(100, 500))
            .then_some(())
    });
    let mut ids = Vec::new();
    for n in 0..150 {
        let key = line.open("/echo");
        line.echoes(key, noise(1000, n));
        ids.push(line.id(key));
        line.trunk
            .close(key, CloseCode::NORMAL, "")
            .expect("it is open");
        assert!(line.closed(key).clean);
    }
    // Each as late again as may be.
    let expected = (3..128).chain(3..28);
    assert_eq!(ids, expected.collect::<Vec<u32>>());
    line.echoes(Key::FIRST, "still there");
}

#[test]
fn a_refused_request_is_answered_twice_and_harms_no_other() {
    let Some(python) = python() else { return };
    let server = python.serve();
    for delta in [false, true] {
        let mut line = line(server.port, mux().delta(delta));
        let refused = line.ask("/echo?refuse");
        let accepted = line.ask("/echo");
        line.until("answer", |it| {
            it.opened.contains_key(&accepted).then_some(())
        });
        let Some(HandshakeError::Status(response)) = line.refused.get(&refused) else {
            panic!("{:?}", line.refused)
        };
        assert_eq!(response.status(), 403);
        let answers = [
            "HTTP/1.1 403 ???\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\n\r\n",
        ];
        for answer in answers {
            let answer = Seen::Response(2, true, answer.to_owned());
            assert!(
                line.wire.has(End::Server, &answer),
                "{:?}",
                line.wire.of(End::Server)
            );
        }
        line.echoes(accepted, "Hello");
        line.echoes(Key::FIRST, "Hello");
    }
}

#[test]
fn a_request_for_what_it_does_not_have_ends_the_connection() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let open = line.open("/echo");
    let asked = line.ask("/nosuch");
    let end = line.end();
    assert_eq!((end.code, end.clean), (CloseCode::NORMAL, true));
    assert!(line.refused.contains_key(&asked), "{:?}", line.refused);
    for key in [Key::FIRST, open] {
        assert_eq!(line.closed(key).code, CloseCode::ABNORMAL);
    }
}

#[test]
fn without_its_token_or_behind_deflate_frame_there_is_no_multiplexing() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let agreed = connect(request(server.port, "/echo"), only(Mux::new())).err();
    assert_eq!(agreed, Some(vec![]));
    let both = Extensions::new().with(DeflateFrame::new());
    let both = both.and_then(|all| all.with(mux())).expect("they fit");
    let agreed = connect(request(server.port, "/echo"), both).err();
    assert_eq!(agreed, Some(vec!["deflate-frame".to_owned()]));
}
