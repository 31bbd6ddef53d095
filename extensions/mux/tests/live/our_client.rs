//! Our client, its server.

use std::time::Duration;

use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_mux::Mux;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::extension::{Agreement, Claims, Declined, Extension, Extensions, Params};
use cloverleaf_proto::handshake::HandshakeError;
use cloverleaf_proto::trunk::{Key, OpenError};
use cloverleaf_proto::{Event, Message};

use crate::line::{Line, connect, mux, only, request};
use crate::python::python;
use crate::wire::{End, Seen};

fn line(port: u16, mux: Mux) -> Line {
    connect(request(port, "/echo"), only(mux)).expect("it knows mux")
}

/// Something whose every octet can be told from its neighbours.
fn noise(length: usize, seed: u32) -> Vec<u8> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8)
    };
    std::iter::repeat_n((), length)
        .scan(seed, |state, ()| next(state))
        .collect()
}

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
    assert_eq!(
        line.opened[&chat].handshake.protocol.as_deref(),
        Some("chat")
    );
    assert_eq!(line.opened[&plain].handshake.protocol, None);
    line.echoes(chat, "Hello");
    line.echoes(plain, "Hello");
}

#[test]
fn messages_far_over_the_quota_go_through_it_on_several_channels_at_once() {
    let Some(python) = python() else { return };
    let server = python.serve();
    // What we grant: much, little, and the least there is.
    for (mux, granted) in [
        (mux(), 1 << 16),
        (mux().window(1000), 1000),
        (mux().window(128).memory(128 * 65), 128),
    ] {
        let length = if granted == 128 { 10_000 } else { 100_000 };
        let mut line = line(server.port, mux);
        let mut keys = vec![Key::FIRST];
        keys.extend((0..3).map(|_| line.open("/echo")));
        for (n, key) in keys.iter().enumerate() {
            line.send(*key, noise(length, n as u32));
            // A ping between them, which no channel holds up.
            line.trunk.ping(*key, b"Ping!").expect("it is open");
            line.send(*key, "x".repeat(length));
        }
        for (n, key) in keys.iter().enumerate() {
            let mut events: Vec<Event> = (0..3).map(|_| line.event(*key)).collect();
            let is_pong = |event: &Event| *event == Event::Pong(b"Ping!"[..].into());
            events.remove(events.iter().position(is_pong).expect("a pong"));
            let expected = [
                Message::binary(noise(length, n as u32)),
                Message::text("x".repeat(length)),
            ];
            assert_eq!(events, expected.map(Event::Message));
        }
        for id in 1..5 {
            // Both have gone to the last octet, or to where it had to wait, and nobody further.
            let least = |end| line.wire.least[&(end, id)];
            let most = |end| line.wire.most[&(end, id)];
            assert_eq!(
                (most(End::Client), most(End::Server)),
                (8192, granted),
                "{id}"
            );
            assert!(
                length < 8192 || least(End::Client) == 0,
                "{id}: {}",
                least(End::Client)
            );
            assert!(granted == 1 << 16 || least(End::Server) == 0, "{id}");
            // It cuts nothing that fits, and nor do we.
            let frames = line.wire.frames(End::Server, id);
            let octets = |frames: Vec<(u8, &[u8])>| -> usize {
                frames.iter().map(|(_, payload)| payload.len()).sum()
            };
            assert_eq!(octets(frames), 2 * length + 5);
            assert_eq!(octets(line.wire.frames(End::Client, id)), 2 * length + 5);
        }
    }
}

#[test]
fn a_channel_that_nobody_reads_holds_up_no_other() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let stalled = line.open("/command");
    line.unread.insert(stalled);
    line.send(stalled, "send 100000");
    for n in 0..20 {
        line.echoes(Key::FIRST, noise(10_000, n));
    }
    // It has sent what it was granted, and the octet that each message costs is one of it.
    let id = line.id(stalled);
    let sent = |line: &Line| -> usize {
        let frames = line.wire.frames(End::Server, id);
        frames.iter().map(|(_, payload)| payload.len()).sum()
    };
    assert_eq!(
        (sent(&line), line.wire.least[&(End::Server, id)]),
        (8064, 0)
    );
    line.unread.clear();
    assert_eq!(line.message(stalled).payload().len(), 100_000);
}

#[test]
fn control_frames_are_cut_to_quota_in_both_directions_and_put_together_again() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux().channels(200).window(128));
    let command = line.open("/command");
    // Behind a text of 60, 67 octets of our quota are left.
    line.send(command, "ping 60 125");
    assert_eq!(line.message(command), Message::text("x".repeat(60)));
    assert_eq!(line.event(command), Event::Ping(vec![b'p'; 125].into()));
    assert_eq!(line.message(command), Message::text("pong 125"));
    let id = line.id(command);
    let frames = line.wire.frames(End::Server, id);
    let shape: Vec<(u8, usize)> = frames.iter().map(|it| (it.0, it.1.len())).collect();
    assert_eq!(shape, [(0x81, 60), (0x09, 66), (0x80, 59), (0x81, 8)]);

    // Slots of three octets, behind the 64.
    line.send(command, "slots 2 3");
    line.until("slots", |it| (it.trunk.slots() > Some(64)).then_some(()));
    for _ in 0..63 {
        line.open("/echo");
    }
    let small = line.open("/echo");
    line.trunk.ping(small, b"Ping!").expect("it is open");
    assert_eq!(line.event(small), Event::Pong(b"Ping!"[..].into()));
    line.echoes(small, "Hello");
    line.trunk
        .close(small, CloseCode::NORMAL, "bye")
        .expect("it is open");
    assert!(line.closed(small).clean);
    let frames: Vec<(u8, &[u8])> = line.wire.frames(End::Client, 66);
    let expected: [(u8, &[u8]); 7] = [
        (0x09, b"Pi"),
        (0x80, b"ng!"),
        (0x01, b"He"),
        (0x80, b"llo"),
        (0x08, b"\x03\xe8"),
        (0x80, b"bye"),
        (0x00, b""),
    ];
    assert_eq!(frames, expected[..6]);
}

#[test]
fn pings_of_a_channel_and_of_the_connection_are_answered_each_where_it_came() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let other = line.open("/echo");
    for key in [other, Key::FIRST] {
        line.trunk.ping(key, b"Ping!").expect("it is open");
        assert_eq!(line.event(key), Event::Pong(b"Ping!"[..].into()));
        let id = line.id(key);
        assert_eq!(line.wire.frames(End::Client, id), [(0x89, &b"Ping!"[..])]);
        assert_eq!(line.wire.frames(End::Server, id), [(0x8A, &b"Ping!"[..])]);
    }
    // Twenty seconds of silence, and a ping that is of no channel.
    for n in 1..4 {
        line.later(Duration::from_secs(25));
        let pongs = line.until("pong", |it| {
            let pongs = it.wire.of(End::Server).into_iter();
            let pongs: Vec<Seen> = pongs
                .filter(|it| matches!(it, Seen::Physical(10, _)))
                .cloned()
                .collect();
            (pongs.len() == n).then_some(pongs)
        });
        let pings = line.wire.of(End::Client).into_iter();
        let pings = pings.filter_map(|it| match it {
            Seen::Physical(9, payload) => Some(Seen::Physical(10, payload.clone())),
            _ => None,
        });
        assert_eq!(pings.collect::<Vec<_>>(), pongs);
    }
    line.echoes(other, "Hello");
}

#[test]
fn it_puts_no_empty_message_on_the_wire() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let key = line.open("/echo");
    line.send(key, "");
    line.send(key, Vec::new());
    line.trunk.ping(key, b"").expect("it is open");
    line.echoes(key, "Hello");
    assert_eq!(line.wire.frames(End::Server, 2), [(0x81, &b"Hello"[..])]);
    let sent: Vec<u8> = line
        .wire
        .frames(End::Client, 2)
        .iter()
        .map(|it| it.0)
        .collect();
    // A ping goes first.
    assert_eq!(sent, [0x89, 0x81, 0x82, 0x81]);
    assert_eq!(line.wire.grants(End::Server, 2), [1, 1, 1, 6]);
}

#[test]
fn a_channel_closes_alone_and_the_last_one_ends_the_connection() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let keys = [Key::FIRST, line.open("/echo"), line.open("/echo")];
    for (n, key) in keys.into_iter().enumerate() {
        line.trunk
            .close(key, CloseCode::NORMAL, "done")
            .expect("it is open");
        let closed = line.closed(key);
        assert_eq!((closed.code, closed.clean), (CloseCode::NORMAL, true));
        for others in &keys[n + 1..] {
            line.echoes(*others, "still there");
        }
    }
    for id in 1..4 {
        let frames = line.wire.frames(End::Client, id);
        assert_eq!(frames.last(), Some(&(0x88, &b"\x03\xe8done"[..])));
        let frames = line.wire.frames(End::Server, id);
        assert_eq!(frames.last(), Some(&(0x88, &b"\x03\xe8"[..])));
    }
    // It closes then, by itself; and nobody has dropped anything.
    let end = line.end();
    assert_eq!((end.code, end.clean), (CloseCode::NORMAL, true));
    let of_server = line.wire.of(End::Server);
    assert_eq!(
        of_server.last(),
        Some(&&Seen::Physical(8, vec![0x03, 0xE8]))
    );
    let is_drop = |(_, seen): &(End, Seen)| matches!(seen, Seen::Drop(..));
    assert!(!line.wire.seen.iter().any(is_drop));
}

#[test]
fn we_close_the_connection_and_every_channel_ends() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let keys = [Key::FIRST, line.open("/echo"), line.open("/echo")];
    line.trunk
        .close_all(CloseCode::NORMAL, "enough")
        .expect("it is open");
    let end = line.end();
    assert_eq!((end.code, end.clean), (CloseCode::NORMAL, true));
    for key in keys {
        assert_eq!(line.closed(key).code, CloseCode::ABNORMAL);
    }
}

#[test]
fn its_handler_that_fails_drops_the_channel_which_we_acknowledge() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    for (id, (command, code)) in [("raise", 1000), ("fail 3000", 3000), ("fail 3007", 3007)]
        .into_iter()
        .enumerate()
    {
        let id = id as u32 + 2;
        let key = line.open("/command");
        line.send(key, command);
        let closed = line.closed(key);
        assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
        assert!(
            line.wire.has(End::Server, &Seen::Drop(id, Some(code))),
            "{command}"
        );
        line.echoes(Key::FIRST, "still there");
        assert!(
            line.wire.has(End::Client, &Seen::Drop(id, Some(3008))),
            "{command}"
        );
    }
}

#[test]
fn its_handler_that_returns_says_nothing_so_that_we_drop_the_channel() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let key = line.open("/command");
    line.send(key, "return");
    assert_eq!(line.message(key), Message::text("returns"));
    line.echoes(Key::FIRST, "Hello");
    // Open still, as far as anybody can know.
    assert_eq!(line.next_event(key), None);
    line.trunk
        .close(key, CloseCode::NORMAL, "")
        .expect("it is open");
    line.echoes(Key::FIRST, "Hello");
    assert_eq!(line.next_event(key), None);
    line.later(Duration::from_secs(11));
    let closed = line.closed(key);
    assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
    line.echoes(Key::FIRST, "Hello");
    assert!(line.wire.has(End::Client, &Seen::Drop(2, Some(3000))));
    // It has forgotten the channel, and acknowledges nothing.
    assert_eq!(line.wire.frames(End::Server, 2), [(0x81, &b"returns"[..])]);
    let is_drop = |seen: &&&Seen| matches!(seen, Seen::Drop(..));
    assert_eq!(line.wire.of(End::Server).iter().find(is_drop), None);
}

#[test]
fn it_acknowledges_that_we_drop_a_channel() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let key = line.open("/command");
    // Its handler waits for quota, and so does not see our close frame.
    line.unread.insert(key);
    line.send(key, "send 100000");
    line.until("8064 octets", |it| {
        (it.wire.least.get(&(End::Server, 2)) == Some(&0)).then_some(())
    });
    line.trunk
        .close(key, CloseCode::NORMAL, "")
        .expect("it is open");
    line.echoes(Key::FIRST, "Hello");
    line.later(Duration::from_secs(11));
    line.until("acknowledgement", |it| {
        it.wire
            .has(End::Server, &Seen::Drop(2, Some(3008)))
            .then_some(())
    });
    assert!(line.wire.has(End::Client, &Seen::Drop(2, Some(3000))));
    line.unread.clear();
    let closed = line.closed(key);
    assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
    line.echoes(Key::FIRST, "Hello");
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

/// permessage-deflate under the name and with the one parameter that it had before.
#[derive(Debug)]
struct PermessageCompress(PermessageDeflate);

impl Extension for PermessageCompress {
    fn name(&self) -> &str {
        "permessage-compress"
    }

    fn claims(&self) -> Claims {
        self.0.claims()
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new().value("method", "deflate")]
    }

    fn accept(&self, _offer: &Params) -> Result<Agreement, Declined> {
        Err(Declined::new("only for a client"))
    }

    fn confirm(&self, offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        assert_eq!(offered[0].to_string(), answer.to_string());
        self.0.confirm(&self.0.offers(), &Params::new())
    }
}

#[test]
fn a_channel_compresses_with_a_context_of_its_own() {
    let Some(python) = python() else { return };
    let server = python.serve();
    for delta in [false, true] {
        let deflate = PermessageDeflate::new()
            .threshold(0)
            .client_no_context_takeover(false)
            .server_no_context_takeover(false);
        let all = Extensions::new().with(PermessageCompress(deflate));
        let all = all
            .and_then(|all| all.with(mux().delta(delta)))
            .expect("they fit");
        let mut line = connect(request(server.port, "/echo"), all).expect("it knows mux");
        let keys = [line.open("/echo"), line.open("/echo")];
        for key in keys {
            let agreed = line.opened[&key].agreed.iter();
            let agreed: Vec<String> = agreed
                .map(|it| format!("{}{}", it.name, it.params))
                .collect();
            assert_eq!(agreed, ["permessage-compress; method=deflate"]);
        }
        for key in keys {
            line.echoes(key, "Hello");
            line.echoes(key, "Hello");
            line.echoes(key, noise(40_000, 5));
            line.echoes(key, "x".repeat(40_000));
        }
        for key in keys {
            let id = line.id(key);
            for end in [End::Client, End::Server] {
                let frames = line.wire.frames(end, id);
                let hello = (0xC1, &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..]);
                // The first one on either channel refers to nothing; the second does.
                assert_eq!(frames[0], hello, "{end:?} {id}");
                assert!(!frames[1..].contains(&hello), "{end:?} {id}");
            }
        }
        // What it does not say, and we cannot know: it compresses on the first channel as well.
        line.send(Key::FIRST, "Hello");
        let closed = line.closed(Key::FIRST);
        assert_eq!(line.wire.frames(End::Server, 1)[0].0, 0xC1);
        assert_eq!(closed.code, CloseCode::ABNORMAL);
        line.echoes(keys[0], "still there");
        // It encodes a text twice before it compresses it, and fails when that makes a difference.
        line.send(keys[0], "Grüße");
        assert_eq!(line.closed(keys[0]).code, CloseCode::ABNORMAL);
        assert!(line.wire.has(End::Server, &Seen::Drop(2, Some(1000))));
        line.echoes(keys[1], "still there");
    }
}
