//! What happens on channels: messages, closing, ends.

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::{ProtocolError, UsageError};
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::{Extensions, Hints};
use cloverleaf_proto::handshake::ServerOptions;
use cloverleaf_proto::trunk::{Key, News};
use cloverleaf_proto::{Event, Message, Role};

use crate::ends::{Pair, at, config, text};
use crate::toy::{Settings, Toy};

const BOTH: [Role; 2] = [Role::Client, Role::Server];

fn closed(events: &[(Role, Key, Event)], role: Role) -> Option<&Closed> {
    events.iter().find_map(|(at, _, event)| match event {
        Event::Closed(closed) if *at == role => Some(closed),
        _ => None,
    })
}

#[test]
fn messages_longer_than_the_quota_are_cut_to_it_and_arrive_whole() {
    for piece in [1, 7, usize::MAX] {
        let settings = Settings {
            window: 10,
            ..Settings::default()
        };
        let mut pair = Pair::new(settings);
        pair.piece = piece;
        let id = pair.open(1)[0];
        for role in BOTH {
            let message = Message::text("0123456789".repeat(50));
            pair.end(role).send(id, message, Hints::new()).unwrap();
        }
        let heard = pair.run(&[id]);
        let messages: Vec<_> = heard
            .iter()
            .map(|(role, _, event)| (*role, event))
            .collect();
        let whole = text(&"0123456789".repeat(50));
        assert_eq!(messages.len(), 2);
        for role in BOTH {
            assert!(messages.contains(&(role, &whole)));
        }
    }
}

/// Notes the channels that it is shown.
#[derive(Debug, Default)]
struct Numbers(std::sync::Mutex<Vec<(Role, u32)>>);

impl cloverleaf_proto::extension::Tap for Numbers {
    fn attach(&self, _: Role) -> Box<dyn cloverleaf_proto::extension::Watcher> {
        panic!("there is nothing but channels")
    }

    fn attach_channel(
        &self,
        role: Role,
        id: cloverleaf_proto::extension::ChannelId,
    ) -> Box<dyn cloverleaf_proto::extension::Watcher> {
        self.0
            .lock()
            .expect("nobody panicked")
            .push((role, id.get()));
        Box::new(Blind)
    }
}

struct Blind;

impl cloverleaf_proto::extension::Watcher for Blind {
    fn frame(
        &mut self,
        _: cloverleaf_proto::extension::View,
        _: cloverleaf_proto::extension::Direction,
        _: cloverleaf_proto::frame::Head,
        _: &[u8],
    ) {
    }
}

#[test]
fn a_tap_is_attached_once_for_each_channel_of_each_end_and_told_its_number() {
    let numbers = std::sync::Arc::new(Numbers::default());
    let mut config = crate::ends::toy(Settings::default());
    config.taps = vec![std::sync::Arc::clone(&numbers) as _];
    let mut pair = Pair::with(&config, ServerOptions::default());
    pair.open(2);
    let mut seen = numbers.0.lock().expect("nobody panicked").clone();
    seen.sort_unstable_by_key(|(role, number)| (*number, *role == Role::Client));
    let mut all = Vec::new();
    for number in 1..=3 {
        all.extend([(Role::Server, number), (Role::Client, number)]);
    }
    assert_eq!(seen, all);
}

#[test]
fn each_channel_compresses_with_a_context_of_its_own() {
    let extensions = Extensions::new()
        .with(
            PermessageDeflate::new()
                .threshold(0)
                .server_no_context_takeover(false)
                .client_no_context_takeover(false),
        )
        .and_then(|all| all.with(Toy(Settings::default())))
        .unwrap();
    let mut pair = Pair::with(&config(extensions), ServerOptions::default());
    let mut ids = vec![Key::FIRST];
    ids.extend(pair.open(2));
    for round in 0..3 {
        for id in &ids {
            let message = Message::text(format!("Hello, hello, hello from {id:?}, {round}"));
            pair.client.send(*id, message, Hints::new()).unwrap();
        }
    }
    let heard = pair.run(&ids);
    assert_eq!(heard.len(), 9);
    for (role, id, event) in heard {
        let Event::Message(Message::Text(said)) = event else {
            panic!("a text");
        };
        assert_eq!(role, Role::Server);
        assert!(said.as_str().contains(&format!("{id:?}")));
    }
    for id in ids {
        let statistics = pair.client.statistics(id);
        assert_eq!(statistics[0].name, "permessage-deflate");
        assert_eq!(statistics[0].sent.changed, 3, "{id:?}");
    }
}

#[test]
fn a_channel_closes_with_its_code_and_its_number_is_free_again() {
    for role in BOTH {
        let mut pair = Pair::new(Settings::default());
        let id = pair.open(1)[0];
        let number = pair.client.id(id);
        let code = CloseCode::new(4321);
        pair.end(role).close(id, code, "enough").unwrap();
        let heard = pair.run(&[id]);
        for at in BOTH {
            let closed = closed(&heard, at).expect("both are told");
            assert_eq!(closed.code, code);
            assert_eq!(closed.initiator, Some(role));
            assert!(closed.clean);
        }
        let again = pair.open(1)[0];
        assert_eq!(pair.client.id(again), number);
        assert_ne!(again, id);
        let message = Message::text("anew");
        pair.client.send(again, message, Hints::new()).unwrap();
        pair.exchange();
        assert_eq!(pair.events(Role::Server, again), [text("anew")]);
    }
}

#[test]
fn a_channel_whose_peer_breaks_the_rules_fails_alone() {
    let mut pair = Pair::new(Settings::default());
    let ids = pair.open(2);
    // A continuation of nothing, by the back door: text that is not UTF-8, in parts.
    let part = bytes::Bytes::from_static(b"\xFF");
    let kind = cloverleaf_proto::message::Kind::Text;
    pair.client
        .send_part(ids[0], kind, part, true, Hints::new())
        .unwrap();
    let heard = pair.run(&ids);
    let server = closed(&heard, Role::Server).expect("it failed");
    assert_eq!(server.error, Some(ProtocolError::TextNotUtf8.into()));
    let client = closed(&heard, Role::Client).expect("it was told");
    assert_eq!(client.code, CloseCode::INVALID_PAYLOAD);
    let message = Message::text("the other one");
    pair.client.send(ids[1], message, Hints::new()).unwrap();
    pair.exchange();
    assert_eq!(pair.events(Role::Server, ids[1]), [text("the other one")]);
}

#[test]
fn a_close_frame_that_finds_no_room_is_given_up_at_the_deadline() {
    let settings = Settings {
        window: 4,
        ..Settings::default()
    };
    let mut pair = Pair::new(settings);
    let id = pair.open(1)[0];
    // Four octets with the head; the server does not take them.
    pair.client
        .send(id, Message::text("abc"), Hints::new())
        .unwrap();
    pair.client.close(id, CloseCode::NORMAL, "").unwrap();
    pair.exchange();
    assert_eq!(pair.client.state(id), Some(State::Closing));
    pair.now = at(10.0);
    pair.client.handle_timeout(at(10.0));
    let heard = pair.run(&[id]);
    assert!(!closed(&heard, Role::Client).expect("it is over").clean);
    let server: Vec<_> = heard
        .iter()
        .filter(|(role, ..)| *role == Role::Server)
        .map(|(_, _, event)| event)
        .collect();
    assert_eq!(server[0], &text("abc"), "what came is not lost");
    assert!(matches!(server[1], Event::Closed(closed) if closed.code == CloseCode::ABNORMAL));
}

#[test]
fn when_the_physical_connection_ends_so_does_every_channel_once() {
    for role in BOTH {
        let mut pair = Pair::new(Settings::default());
        let mut ids = vec![Key::FIRST];
        ids.extend(pair.open(3));
        let words_on = ids[2];
        let message = Message::text("last words");
        pair.client.send(ids[2], message, Hints::new()).unwrap();
        pair.exchange();
        pair.end(role).handle_lost(at(1.0));
        let trunk = pair.end(role);
        let news: Vec<_> = core::iter::from_fn(|| trunk.poll_news()).collect();
        let ended = news.iter().filter(|one| matches!(one, News::Closed(_)));
        assert_eq!(ended.count(), 1);
        for id in ids {
            let events = pair.events(role, id);
            let (last, before) = events.split_last().expect("it is told");
            assert!(
                matches!(last, Event::Closed(closed) if closed.code == CloseCode::ABNORMAL),
                "{last:?}"
            );
            let words = role == Role::Server && id == words_on;
            assert_eq!(before.len(), usize::from(words));
            let refused = pair.end(role).send(id, Message::text("?"), Hints::new());
            assert_eq!(refused, Err(UsageError::Closed));
        }
    }
}

#[test]
fn what_breaks_the_carrier_fails_the_physical_connection_with_1011() {
    let mut pair = Pair::new(Settings::default());
    let id = pair.open(1)[0];
    // A text message, masked with zeros.
    pair.server
        .handle_input(at(0.0), &mut b"\x81\x80\0\0\0\0".map(|octet| octet));
    let news = pair.exchange();
    let code = news.iter().find_map(|(role, one)| match one {
        News::Closed(closed) if *role == Role::Client => Some(closed.code),
        _ => None,
    });
    assert_eq!(code, Some(CloseCode::INTERNAL_ERROR));
    for role in BOTH {
        assert!(matches!(pair.events(role, id)[..], [Event::Closed(_)]));
    }
}

#[test]
fn an_abandoned_channel_closes_politely_and_is_forgotten() {
    for role in BOTH {
        let mut pair = Pair::new(Settings::default());
        let id = pair.open(1)[0];
        pair.end(role.peer())
            .send(id, Message::text("unheard"), Hints::new())
            .unwrap();
        pair.end(role).abandon(id, CloseCode::NORMAL);
        let told = pair.run(&[id]);
        let [(told, _, Event::Closed(closed))] = &told[..] else {
            panic!("the peer alone is told: {told:?}");
        };
        assert_eq!((*told, closed.code), (role.peer(), CloseCode::NORMAL));
        let left: Vec<_> = pair.end(role).channels().collect();
        assert_eq!(left, [Key::FIRST]);
    }
}
