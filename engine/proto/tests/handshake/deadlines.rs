//! The opening handshake has a deadline of its own, from its start (hardening: H04, H05, H07, C08).

use std::sync::Arc;
use std::time::Duration;

use cloverleaf_proto::handshake::{
    ClientHandshake, ClientProgress, Decision, HandshakeError, ServerHandshake, ServerOptions,
    ServerProgress,
};

use crate::rig::{NONCE, ask, config, now, request};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn octets_do_not_move_the_servers_deadline() {
    let start = now();
    let mut server = ServerHandshake::new(Arc::new(ServerOptions::default()), config(), start);
    server.handle_input(b"GET / HTTP/1.1\r\nHost: a\r\n");
    for second in 1..10 {
        server.handle_timeout(start + SECOND * second);
        server.handle_input(format!("X{second}: y\r\n").as_bytes());
        assert_eq!(server.progress(), ServerProgress::NeedsInput);
        assert_eq!(server.poll_timeout(), Some(start + SECOND * 10));
    }
    server.handle_timeout(start + SECOND * 10);
    assert_eq!(server.progress(), ServerProgress::Failed);
    let written = String::from_utf8(server.poll_transmit().to_vec()).unwrap();
    assert!(written.starts_with("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"));
    assert_eq!(server.poll_timeout(), None);
}

#[test]
fn a_client_that_said_nothing_is_told_nothing() {
    let start = now();
    let mut server = ServerHandshake::new(Arc::new(ServerOptions::default()), config(), start);
    server.handle_timeout(start + SECOND * 10);
    assert_eq!(server.poll_transmit(), b"");
    assert!(matches!(server.finish(), Err(HandshakeError::TimedOut)));
}

#[test]
fn a_decision_that_is_not_made_in_time_is_a_408() {
    let start = now();
    let mut server = ServerHandshake::new(Arc::new(ServerOptions::default()), config(), start);
    server.handle_input(&request().octets());
    server.handle_timeout(start + SECOND * 10);
    assert!(server.poll_transmit().starts_with(b"HTTP/1.1 408 "));
    assert!(server.respond(Decision::accept()).is_err());
}

#[test]
fn a_client_that_does_not_read_its_101_is_left() {
    let start = now();
    let mut server = ServerHandshake::new(Arc::new(ServerOptions::default()), config(), start);
    server.handle_input(&request().octets());
    server.respond(Decision::accept()).unwrap();
    assert_eq!(server.poll_timeout(), Some(start + SECOND * 10));
    server.handle_written(1);
    server.handle_timeout(start + SECOND * 10);
    assert_eq!(server.poll_transmit(), b"");
    assert!(matches!(server.finish(), Err(HandshakeError::TimedOut)));
}

#[test]
fn a_101_that_is_out_has_no_deadline() {
    let start = now();
    let mut server = ServerHandshake::new(Arc::new(ServerOptions::default()), config(), start);
    server.handle_input(&request().octets());
    server.respond(Decision::accept()).unwrap();
    server.handle_written(usize::MAX);
    assert_eq!(server.poll_timeout(), None);
    server.handle_timeout(start + SECOND * 100);
    assert!(server.finish().is_ok());
}

#[test]
fn octets_do_not_move_the_clients_deadline() {
    let start = now();
    let mut client = ClientHandshake::new(ask(), NONCE, config(), start).unwrap();
    for (i, octet) in b"HTTP/1.1 101 ".iter().take(9).enumerate() {
        let now = start + SECOND * u32::try_from(i).unwrap();
        client.handle_timeout(now);
        client.handle_input(now, &[*octet]);
        assert_eq!(client.progress(), ClientProgress::NeedsInput);
    }
    assert_eq!(client.poll_timeout(), Some(start + SECOND * 10));
    client.handle_timeout(start + SECOND * 10);
    assert!(matches!(client.finish(), Err(HandshakeError::TimedOut)));
}

// C07.
#[test]
fn the_content_of_a_refusal_is_waited_for_three_seconds() {
    let start = now();
    let mut client = ClientHandshake::new(ask(), NONCE, config(), start).unwrap();
    let later = start + SECOND * 2;
    client.handle_input(later, b"HTTP/1.1 404 Not Found\r\n\r\ndrib");
    assert_eq!(client.poll_timeout(), Some(start + SECOND * 5));
    client.handle_input(later, b"ble");
    client.handle_timeout(start + SECOND * 5);
    assert_eq!(client.progress(), ClientProgress::Refused);
    assert_eq!(client.response().unwrap().body(), "dribble");
}
