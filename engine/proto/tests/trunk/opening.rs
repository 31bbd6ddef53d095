//! How channels come about.

use cloverleaf_proto::extension::{ChannelId, Hints};
use cloverleaf_proto::handshake::{Decision, HandshakeError, Rejection, ServerOptions};
use cloverleaf_proto::trunk::{Key, News, OpenError};
use cloverleaf_proto::{Message, Role};

use crate::ends::{Pair, at, request, text, toy};
use crate::toy::Settings;

const FIRST: Key = Key::FIRST;

#[test]
fn the_first_channel_is_there_from_the_start() {
    let mut pair = Pair::new(Settings::default());
    for role in [Role::Client, Role::Server] {
        let message = Message::text(format!("{role:?}"));
        pair.end(role).send(FIRST, message, Hints::new()).unwrap();
    }
    pair.exchange();
    assert_eq!(pair.events(Role::Server, FIRST), [text("Client")]);
    assert_eq!(pair.events(Role::Client, FIRST), [text("Server")]);
}

#[test]
fn a_channel_has_an_opening_handshake_of_its_own_without_the_upgrade() {
    let mut pair = Pair::new(Settings::default());
    let asked = request().protocol("chat.v2").unwrap();
    let id = pair.client.open(asked, [8; 16]).unwrap();
    assert_eq!(pair.client.id(id), Some(ChannelId::new(2)));
    pair.carry(Role::Client);
    let Some(News::Requested(requested)) = pair.server.poll_news() else {
        panic!("the server is asked");
    };
    let received = pair.server.received(requested).expect("it waits");
    assert_eq!(received.request.uri().path(), "/chat");
    assert_eq!(received.protocols, ["chat.v2"]);
    let protocol = cloverleaf_proto::handshake::Subprotocol::Chosen("chat.v2".to_owned());
    let headers = Default::default();
    pair.server
        .respond(requested, Decision::Accept { protocol, headers })
        .unwrap();
    for (role, one) in pair.exchange() {
        let News::Opened(opened, opening) = one else {
            continue;
        };
        assert_eq!(opened, id, "{role:?}");
        assert_eq!(opening.handshake.protocol(), Some("chat.v2"));
        assert_eq!(opening.handshake.response().status(), 101);
    }
    assert!(pair.client.state(id).is_some() && pair.server.state(id).is_some());
}

#[test]
fn a_refusal_is_told_with_its_status_and_the_others_go_on() {
    let mut pair = Pair::new(Settings::default());
    pair.decide = |_, _| Some(Decision::Reject(Rejection::not_found()));
    let id = pair.client.open(request(), [8; 16]).unwrap();
    let news = pair.exchange();
    let status = news.iter().find_map(|(role, one)| match one {
        News::Refused(refused, error) if *role == Role::Client && *refused == id => {
            match &**error {
                HandshakeError::Status(response) => Some(response.status().as_u16()),
                other => panic!("{other:?}"),
            }
        }
        _ => None,
    });
    assert_eq!(status, Some(404));
    assert_eq!((pair.client.state(id), pair.server.state(id)), (None, None));
    let message = Message::text("still here");
    pair.client.send(FIRST, message, Hints::new()).unwrap();
    pair.exchange();
    assert_eq!(pair.events(Role::Server, FIRST), [text("still here")]);
}

#[test]
fn guards_and_origins_are_asked_for_each_channel() {
    let mut options = ServerOptions::default();
    options.guards = vec![std::sync::Arc::new(
        |received: &mut cloverleaf_proto::handshake::Received| match received
            .request
            .headers()
            .get("x-pass")
        {
            None if received.request.uri().path() == "/chat" => Ok(()),
            _ => Err(Rejection::forbidden("not here")),
        },
    )];
    let mut pair = Pair::with(&toy(Settings::default()), options);
    let refused = request().header(
        http::HeaderName::from_static("x-pass"),
        http::HeaderValue::from_static("no"),
    );
    let bad = pair.client.open(refused.unwrap(), [8; 16]).unwrap();
    let good = pair.client.open(request(), [9; 16]).unwrap();
    pair.exchange();
    assert_eq!(pair.client.state(bad), None);
    assert!(pair.client.state(good).is_some());
}

#[test]
fn without_a_slot_nothing_is_asked_for_and_only_clients_ask() {
    let settings = Settings {
        slots: 1,
        ..Settings::default()
    };
    let mut pair = Pair::new(settings);
    pair.open(1);
    let refused = pair.client.open(request(), [9; 16]);
    assert!(matches!(refused, Err(OpenError::NoSlot)));
    let refused = pair.server.open(request(), [9; 16]);
    assert!(matches!(refused, Err(OpenError::NotClient)));
}

#[test]
fn a_server_that_does_not_answer_is_given_up_and_so_is_a_decision_that_takes_too_long() {
    let mut pair = Pair::new(Settings::default());
    pair.decide = |_, _| None;
    let id = pair.client.open(request(), [8; 16]).unwrap();
    pair.exchange();
    assert!(pair.server.received(id).is_some());
    pair.now = at(10.0);
    pair.client.handle_timeout(at(10.0));
    let refused = core::iter::from_fn(|| pair.client.poll_news())
        .any(|one| matches!(one, News::Refused(refused, _) if refused == id));
    assert!(refused);
    pair.exchange();
    assert!(pair.server.received(id).is_none(), "it was dropped");

    let id = pair.client.open(request(), [9; 16]).unwrap();
    pair.exchange();
    pair.now = at(20.0);
    pair.server.handle_timeout(at(20.0));
    let news = pair.exchange();
    let refused = news.iter().any(|(role, one)| {
        *role == Role::Client && matches!(one, News::Refused(refused, _) if *refused == id)
    });
    assert!(refused, "{news:?}");
}

#[test]
fn a_carrier_that_is_required_is_required_of_the_connection_and_not_of_its_channels() {
    let mut options = ServerOptions::default();
    options.required_extensions = vec!["x-toy".to_owned()];
    let mut pair = Pair::with(&toy(Settings::default()), options);
    let key = pair.client.open(request(), [8; 16]).unwrap();
    let news = pair.exchange();
    let opened = |(_, one): &(Role, News)| matches!(one, News::Opened(opened, _) if *opened == key);
    assert!(news.iter().any(opened), "{news:?}");
}
