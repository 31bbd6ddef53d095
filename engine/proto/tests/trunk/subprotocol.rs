//! Channels for browsers, which cannot offer extensions: a subprotocol stands for the carrier.

use std::sync::Arc;

use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::handshake::{Decision, Opened, ServerHandshake, ServerOptions, Subprotocol};
use cloverleaf_proto::trunk::{Key, News};
use cloverleaf_proto::{Role, Trunk};

use crate::ends::{at, toy};
use crate::toy::Settings;

fn options() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.channels_over = Some("x-channels".to_owned());
    options.protocols = vec!["chat".to_owned()];
    options.required_extensions = vec!["x-needed".to_owned()];
    options
}

fn physical(protocols: &str) -> Vec<u8> {
    format!(
        "GET /all HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Extensions: x-toy\r\nOrigin: http://a\r\nCookie: c=1\r\n\
         Sec-WebSocket-Protocol: {protocols}\r\n\r\n"
    )
    .into_bytes()
}

fn answer(options: ServerOptions, protocols: &str) -> (String, Opened) {
    let config = Arc::new(toy(Settings::default()));
    let mut handshake = ServerHandshake::new(Arc::new(options), config, at(0.0));
    handshake.handle_input(&physical(protocols));
    handshake.respond(Decision::accept()).expect("it is asked");
    let head = String::from_utf8_lossy(handshake.poll_transmit()).into_owned();
    let written = handshake.poll_transmit().len();
    handshake.handle_written(written);
    (head, handshake.finish().expect("it is open"))
}

fn trunk() -> Trunk {
    let (_, opened) = answer(options(), "x-channels");
    let Opened {
        handshake,
        mut extensions,
        ..
    } = opened;
    let carrier = extensions.take_carrier().expect("it is there");
    let mut options = options();
    options.required_extensions.clear();
    Trunk::new(
        Role::Server,
        &toy(Settings::default()),
        Arc::new(options),
        &handshake,
        extensions,
        carrier,
        at(0.0),
    )
}

fn ask(trunk: &mut Trunk, head: &str) -> Option<Key> {
    let length = u8::try_from(2 + head.len()).expect("it is short");
    let mut frame = match length {
        0..=125 => vec![0x82, 0x80 | length],
        _ => vec![0x82, 0x80 | 126, 0, length],
    };
    frame.extend([0, 0, 0, 0, 2, b'r']);
    frame.extend_from_slice(head.as_bytes());
    trunk.handle_input(at(0.0), &mut frame);
    core::iter::from_fn(|| trunk.poll_news()).find_map(|news| match news {
        News::Requested(key) => Some(key),
        _ => None,
    })
}

#[test]
fn the_subprotocol_is_chosen_before_all_others_and_no_extension_is_agreed() {
    let (head, opened) = answer(options(), "chat, x-channels");
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.contains("Sec-WebSocket-Protocol: x-channels\r\n"));
    assert!(!head.contains("Sec-WebSocket-Extensions"));
    assert!(opened.extensions.has_carrier());
    assert!(opened.extensions.agreed().is_empty());
}

#[test]
fn without_a_carrier_or_without_the_option_it_is_a_subprotocol_like_any_other() {
    let mut plain = ServerOptions::default();
    plain.protocols = vec!["chat".to_owned()];
    let (head, _) = answer(plain, "x-channels, chat");
    assert!(head.contains("Sec-WebSocket-Protocol: chat\r\n"));
    assert!(head.contains("Sec-WebSocket-Extensions: x-toy\r\n"));

    let mut options = options();
    options.required_extensions.clear();
    let config = cloverleaf_proto::extension::Extensions::new();
    let config = Arc::new(crate::ends::config(config));
    let mut handshake = ServerHandshake::new(Arc::new(options), config, at(0.0));
    handshake.handle_input(&physical("x-channels"));
    handshake.respond(Decision::accept()).expect("it is asked");
    let head = String::from_utf8_lossy(handshake.poll_transmit()).into_owned();
    assert!(!head.contains("Sec-WebSocket-Protocol"), "{head}");
}

#[test]
fn an_application_may_choose_another_subprotocol_and_then_there_is_no_carrier() {
    let mut options = options();
    options.required_extensions.clear();
    let config = Arc::new(toy(Settings::default()));
    let mut handshake = ServerHandshake::new(Arc::new(options), config, at(0.0));
    handshake.handle_input(&physical("x-channels, chat"));
    let decision = Decision::Accept {
        protocol: Subprotocol::Chosen("chat".to_owned()),
        headers: http::HeaderMap::new(),
    };
    handshake.respond(decision).expect("it was offered");
    let written = handshake.poll_transmit().len();
    handshake.handle_written(written);
    let opened = handshake.finish().expect("it is open");
    // The extension itself was offered too.
    assert!(opened.extensions.has("x-toy"));
    assert_eq!(opened.handshake.protocol(), Some("chat"));
}

#[test]
fn there_is_no_first_channel_and_the_others_open_as_usual() {
    let mut trunk = trunk();
    assert_eq!(trunk.channels().count(), 0);
    let key = ask(
        &mut trunk,
        "GET /room HTTP/1.1\r\nConnection: Upgrade\r\n\r\n",
    );
    let key = key.expect("it is asked for");
    let received = trunk.received(key).expect("it waits");
    assert_eq!(received.request.uri().path(), "/room");
    trunk.respond(key, Decision::accept()).expect("it is asked");
    assert_eq!(trunk.channels().count(), 1);
}

#[test]
fn host_origin_and_cookies_of_a_channel_are_those_that_the_browser_sent() {
    let mut trunk = trunk();
    let request = "GET /room HTTP/1.1\r\nHost: b\r\nOrigin: http://b\r\nCookie: c=2\r\n\
                   Connection: Upgrade\r\nX-Y: z\r\n\r\n";
    let key = ask(&mut trunk, request).expect("it is asked for");
    let headers = trunk.received(key).expect("it waits").request.headers();
    for (name, value) in [
        ("host", "a"),
        ("origin", "http://a"),
        ("cookie", "c=1"),
        ("x-y", "z"),
    ] {
        let values: Vec<_> = headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name}");
    }
}

#[test]
fn a_target_that_names_a_host_is_refused() {
    let mut trunk = trunk();
    let asked = ask(
        &mut trunk,
        "GET http://b/ HTTP/1.1\r\nConnection: Upgrade\r\n\r\n",
    );
    assert_eq!(asked, None);
    let Transmit::Write(front, _) = trunk.poll_transmit() else {
        panic!("an answer");
    };
    assert!(front.ends_with(b"\x02xHTTP/1.1 400 Bad Request\r\n\r\n"));
}
