//! Another attempt after a 401, from both ends.

use std::sync::Arc;

use bytes::Bytes;
use cloverleaf_proto::handshake::{
    ClientHandshake, ClientProgress, HandshakeError, Received, Rejection, RequestError,
    ResponseHandler, Retry, ServerHandshake, ServerOptions, ServerProgress,
};
use http::header::{AUTHORIZATION, CONNECTION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};

use crate::rig::{KEY, ask, client, config, now, request, serve, take_output};

fn guarded() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.guards.push(Arc::new(|received: &mut Received| {
        match received.request.headers().get(AUTHORIZATION) {
            Some(value) if value == "Basic right" => Ok(()),
            _ => Err(Rejection::unauthorized(HeaderValue::from_static(
                "Basic realm=\"a\"",
            ))),
        }
    }));
    options
}

fn server() -> ServerHandshake {
    ServerHandshake::new(Arc::new(guarded()), config(), now())
}

fn credentials(value: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
    headers
}

#[test]
fn a_client_may_try_again_on_the_same_connection() {
    let mut server = server();
    server.handle_input(&request().octets());
    assert_eq!(server.progress(), ServerProgress::NeedsInput);
    let written = take_output(&mut server);
    assert!(written.starts_with("HTTP/1.1 401 Unauthorized\r\nConnection: keep-alive\r\n"));
    assert!(written.contains("\r\nWWW-Authenticate: Basic realm=\"a\"\r\n"));
    server.handle_input(&request().with("Authorization: Basic right").octets());
    assert_eq!(server.progress(), ServerProgress::Deciding);
}

#[test]
fn the_third_failure_is_the_last() {
    let mut server = server();
    for _ in 0..2 {
        server.handle_input(&request().octets());
        assert!(take_output(&mut server).contains("\r\nConnection: keep-alive\r\n"));
    }
    server.handle_input(&request().octets());
    assert!(take_output(&mut server).contains("\r\nConnection: close\r\n"));
    assert_eq!(server.progress(), ServerProgress::Failed);
    server.handle_input(&request().with("Authorization: Basic right").octets());
    assert_eq!(server.poll_transmit(), b"");
}

// B12: what was sent ahead is never taken for a second request.
#[test]
fn a_client_that_sends_ahead_may_not() {
    let right = request().with("Authorization: Basic right").octets();
    let mut server = server();
    server.handle_input(&[request().octets(), right].concat());
    assert!(take_output(&mut server).contains("\r\nConnection: close\r\n"));
    assert!(matches!(server.finish(), Err(HandshakeError::Rejected(_))));
}

#[test]
fn any_other_refusal_ends_the_connection() {
    let mut options = ServerOptions::default();
    options
        .guards
        .push(Arc::new(|_: &mut Received| Err(Rejection::forbidden("no"))));
    let (written, result) = serve(&options, &request().octets());
    assert!(written.starts_with("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"));
    assert!(result.is_err());
}

/// Knows one answer to every challenge, and gives it once.
#[derive(Debug)]
struct OneAnswer(Option<HeaderMap>);

impl ResponseHandler for OneAnswer {
    fn retry(&mut self, request: &Request<()>, response: &Response<Bytes>) -> Option<HeaderMap> {
        assert_eq!(request.uri().path(), "/chat");
        if response.status() != StatusCode::UNAUTHORIZED
            || !response.headers().contains_key(WWW_AUTHENTICATE)
        {
            return None;
        }
        self.0.take()
    }
}

#[test]
fn a_client_and_a_server_of_ours_come_together_on_the_second_attempt() {
    let mut handler = OneAnswer(Some(credentials("Basic right")));
    let mut server = server();
    let mut client = ClientHandshake::new(ask(), [1; 16], config(), now()).unwrap();
    let mut keys = Vec::new();
    loop {
        server.handle_input(client.poll_transmit());
        client.handle_written(usize::MAX);
        keys.push(client.request().headers()["sec-websocket-key"].clone());
        if server.progress() == ServerProgress::Deciding {
            server
                .respond(cloverleaf_proto::handshake::Decision::accept())
                .unwrap();
        }
        client.handle_input(now(), take_output(&mut server).as_bytes());
        match client.progress() {
            ClientProgress::Refused => {
                let response = client.response().unwrap();
                let headers = handler.retry(client.request(), response).unwrap();
                assert_eq!(client.retry(&headers, [2; 16]), Ok(Retry::SameConnection));
            }
            ClientProgress::Opened => break,
            other => panic!("{other:?}"),
        }
    }
    // Trap 17: another attempt, another key.
    assert_ne!(keys[0], keys[1]);
    let handshake = client.finish().unwrap().handshake;
    assert_eq!(handshake.request().headers()[AUTHORIZATION], "Basic right");
    assert!(server.finish().is_ok());
}

const CHALLENGE: &str = "HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno";

#[test]
fn headers_of_another_attempt_take_the_place_of_those_before() {
    let mut client = client(
        ask()
            .header(AUTHORIZATION, HeaderValue::from_static("Basic wrong"))
            .unwrap(),
        &config(),
    );
    client.handle_input(now(), CHALLENGE.as_bytes());
    client.retry(&credentials("Basic right"), [2; 16]).unwrap();
    let written = String::from_utf8(client.poll_transmit().to_vec()).unwrap();
    assert_eq!(written.matches("Authorization:").count(), 1);
    assert!(written.contains("\r\nAuthorization: Basic right\r\n"));
    assert!(!written.contains(KEY));
}

#[test]
fn where_another_attempt_is_to_be_made() {
    for (octets, place) in [
        (CHALLENGE.to_owned(), Retry::SameConnection),
        (
            CHALLENGE.replace("Content-Length", "Connection: close\r\nContent-Length"),
            Retry::NewConnection,
        ),
        (
            CHALLENGE.replace("HTTP/1.1", "HTTP/1.0"),
            Retry::NewConnection,
        ),
        (
            CHALLENGE.replace("Content-Length: 2\r\n", ""),
            Retry::NewConnection,
        ),
        (
            format!("{CHALLENGE}HTTP/1.1 101 x\r\n"),
            Retry::NewConnection,
        ),
    ] {
        let mut client = client(ask(), &config());
        client.handle_input(now(), octets.as_bytes());
        if client.progress() == ClientProgress::NeedsInput {
            client.handle_eof();
        }
        assert_eq!(
            client.retry(&HeaderMap::new(), [2; 16]),
            Ok(place),
            "{octets}"
        );
    }
    let mut gone = client(ask(), &config());
    gone.handle_input(now(), CHALLENGE.as_bytes());
    gone.handle_eof();
    assert_eq!(
        gone.retry(&HeaderMap::new(), [2; 16]),
        Ok(Retry::NewConnection)
    );
}

#[test]
fn attempts_that_may_not_be_made() {
    let mut client = client(ask(), &config());
    let none = HeaderMap::new();
    assert_eq!(client.retry(&none, [2; 16]), Err(RequestError::NoRetry));
    client.handle_input(now(), CHALLENGE.as_bytes());
    assert_eq!(
        client.retry(&none, crate::rig::NONCE),
        Err(RequestError::NonceReused)
    );
    let mut reserved = HeaderMap::new();
    reserved.insert(CONNECTION, HeaderValue::from_static("close"));
    assert_eq!(
        client.retry(&reserved, [2; 16]),
        Err(RequestError::ReservedHeader(CONNECTION))
    );
    for nonce in [[2; 16], [3; 16]] {
        assert!(client.retry(&none, nonce).is_ok());
        client.handle_input(now(), CHALLENGE.as_bytes());
        assert_eq!(client.progress(), ClientProgress::Refused);
    }
    assert_eq!(client.retry(&none, [4; 16]), Err(RequestError::NoRetry));
    assert!(matches!(client.finish(), Err(HandshakeError::Status(_))));
}
