//! Requests as the client writes them, and answers that it takes.

use std::sync::Arc;

use cloverleaf_proto::handshake::{
    ClientHandshake, ClientProgress, ClientRequest, HandshakeError, ServerOptions,
};
use http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::rig::{NONCE, answer, ask, client, config, config_with_bits, now, receive, serve_with};

fn written(request: ClientRequest) -> String {
    let client = ClientHandshake::new(request, NONCE, config_with_bits(), now()).unwrap();
    String::from_utf8(client.poll_transmit().to_vec()).unwrap()
}

#[test]
fn the_minimal_request_to_the_octet() {
    let client = ClientHandshake::new(ask(), NONCE, config(), now()).unwrap();
    assert_eq!(
        String::from_utf8(client.poll_transmit().to_vec()).unwrap(),
        "GET /chat HTTP/1.1\r\n\
         Host: example.com\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\
         \r\n"
    );
}

// B9.
#[test]
fn a_request_with_everything_to_the_octet() {
    let request = ClientRequest::new("wss://me:pw@[::1]:9001/Chat?a=%20")
        .and_then(|it| it.header(COOKIE, HeaderValue::from_static("a=B")))
        .and_then(|it| it.header(ORIGIN, HeaderValue::from_static("https://a.example")))
        .and_then(|it| it.header(COOKIE, HeaderValue::from_static("c=D")))
        .and_then(|it| it.protocol("v2"))
        .and_then(|it| it.protocol("v1"))
        .unwrap();
    assert_eq!(
        written(request),
        "GET /Chat?a=%20 HTTP/1.1\r\n\
         Host: [::1]:9001\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Origin: https://a.example\r\n\
         Sec-WebSocket-Protocol: v2, v1\r\n\
         Sec-WebSocket-Extensions: x-bits; bits\r\n\
         Cookie: a=B\r\n\
         Cookie: c=D\r\n\
         \r\n"
    );
}

#[test]
fn host_may_be_another_one() {
    let request = ask()
        .header(HOST, HeaderValue::from_static("b.example:81"))
        .unwrap();
    assert_eq!(
        written(request.clone())
            .matches("\r\nHost: b.example:81\r\n")
            .count(),
        1
    );
    assert_eq!(written(request.clone()).matches("Host:").count(), 1);
    let client = ClientHandshake::new(request, NONCE, config(), now()).unwrap();
    assert_eq!(client.request().headers()[HOST], "b.example:81");
}

#[test]
fn the_minimal_answer_opens_the_connection() {
    let (left, opened) = receive(&ask(), &config(), &answer().octets());
    assert_eq!(left, b"");
    let opened = opened.unwrap();
    assert!(opened.leftover.is_empty());
    assert_eq!(opened.handshake.protocol(), None);
    assert_eq!(
        opened.handshake.response().status(),
        StatusCode::SWITCHING_PROTOCOLS
    );
    assert_eq!(opened.handshake.response_head(), answer().octets());
    assert_eq!(opened.handshake.request().uri(), "ws://example.com/chat");
    assert!(
        opened
            .handshake
            .request_head()
            .starts_with(b"GET /chat HTTP/1.1\r\n")
    );
}

// What it has written it can read: every octet that a header of the application's may have.
#[test]
fn a_request_is_read_again_as_it_was_made() {
    let mut request = ClientRequest::new("wss://[::1]:8443/a?b=/%20'").unwrap();
    let name = HeaderName::from_static("x!#$%&'*+-.^_`|~09az");
    let mut all = 0;
    for octet in 0..=255_u8 {
        if let Ok(value) = HeaderValue::from_bytes(&[b'<', octet, b'>']) {
            request = request.header(name.clone(), value).unwrap();
            all += 1;
        }
    }
    let client = ClientHandshake::new(request.clone(), NONCE, config(), now()).unwrap();
    let made = client.request().clone();
    let (_, opened) = receive(&request, &config(), &answer().octets());
    let read = opened.unwrap().handshake.request();
    assert_eq!(read.uri(), "wss://[::1]:8443/a?b=/%20'");
    assert_eq!(read.uri(), made.uri());
    assert_eq!(read.method(), made.method());
    assert_eq!(read.headers(), made.headers());
    assert_eq!(read.headers().get_all(&name).iter().count(), all);
}

#[test]
fn answers_that_are_as_good() {
    for (name, answer) in [
        (
            "tokens have no case",
            answer()
                .set("Upgrade", "WebSocket")
                .set("Connection", "UPGRADE"),
        ),
        (
            "a list of options",
            answer().set("Connection", "keep-alive, Upgrade"),
        ),
        // Case 47.
        (
            "spaces around Accept",
            answer().set("Sec-WebSocket-Accept", " \ts3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t"),
        ),
        ("no reason phrase", answer().first("HTTP/1.1 101")),
        (
            "another reason phrase",
            answer().first("HTTP/1.1 101 Web Socket Protocol Handshake"),
        ),
        (
            "other headers",
            answer().with(b"Server: \xff").with("Set-Cookie: a=b"),
        ),
        // RFC 9110 §8.6 forbids it to servers, and gives it no meaning.
        ("a length", answer().with("Content-Length: 0")),
        (
            "empty Extensions",
            answer().with("Sec-WebSocket-Extensions:"),
        ),
    ] {
        let (_, opened) = receive(&ask(), &config(), &answer.octets());
        assert!(opened.is_ok(), "{name}: {opened:?}");
    }
}

// C09, B11; case 48.
#[test]
fn octets_behind_the_answer_are_the_first_frames() {
    let frame = b"\x81\x05Hello";
    let octets = [&answer().octets()[..], frame].concat();
    let (_, opened) = receive(&ask(), &config(), &octets);
    assert_eq!(opened.unwrap().leftover, frame[..]);
}

// C06.
#[test]
fn ten_interim_answers_are_passed_over_and_no_more() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(9);
    let hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let ten = [&interim[..], hints, &answer().octets()].concat();
    assert!(receive(&ask(), &config(), &ten).1.is_ok());
    let eleven = [&interim[..], hints, hints, &answer().octets()].concat();
    assert!(matches!(
        receive(&ask(), &config(), &eleven).1,
        Err(HandshakeError::TooManyInterim)
    ));
}

#[test]
fn the_subprotocol_is_what_the_server_chose() {
    let request = ask().protocol("a").and_then(|it| it.protocol("b")).unwrap();
    let chosen = answer().with("Sec-WebSocket-Protocol: b").octets();
    let (_, opened) = receive(&request, &config(), &chosen);
    assert_eq!(opened.unwrap().handshake.protocol(), Some("b"));
}

// RFC 6455 §4.1 lets the connection go on; the WHATWG does not.
#[test]
fn a_server_without_the_subprotocol_is_good_enough_unless_it_is_required() {
    let request = ask().protocol("a").unwrap();
    let octets = answer().octets();
    let (_, opened) = receive(&request, &config(), &octets);
    assert_eq!(opened.unwrap().handshake.protocol(), None);
    let strict = request.require_protocol(true);
    assert!(matches!(
        receive(&strict, &config(), &octets).1,
        Err(HandshakeError::MissingProtocol)
    ));
    let nothing_offered = ask().require_protocol(true);
    assert!(receive(&nothing_offered, &config(), &octets).1.is_ok());
}

#[test]
fn agreed_extensions_are_there() {
    let octets = answer()
        .with("Sec-WebSocket-Extensions: x-bits; bits=\"1\\0\"")
        .octets();
    let request = ask().require_extension("x-bits");
    let (left, opened) = receive(&request, &config_with_bits(), &octets);
    assert_eq!(left, b"");
    let extensions = opened.unwrap().extensions;
    assert_eq!(extensions.agreed()[0].name, "x-bits");
    assert_eq!(extensions.agreed()[0].params.to_string(), "; bits=10");
}

// RFC 6455 §7.4.1.
#[test]
fn a_missing_required_extension_is_a_close_frame_with_1010_and_its_name() {
    let request = ask()
        .require_extension("x-bits")
        .require_extension("x-other");
    let (left, result) = receive(&request, &config_with_bits(), &answer().octets());
    let Err(HandshakeError::MissingExtension(missing)) = result else {
        panic!("{result:?}");
    };
    assert_eq!(missing, ["x-bits", "x-other"]);
    let (head, payload) = left.split_at(6);
    assert_eq!(head, b"\x88\x91\x37\xfa\x21\x3d");
    let key = head[2..].iter().cycle();
    let unmasked: Vec<u8> = payload
        .iter()
        .zip(key)
        .map(|(octet, key)| octet ^ key)
        .collect();
    assert_eq!(unmasked, b"\x03\xf2x-bits, x-other");
}

#[test]
fn the_list_of_missing_extensions_fits_a_close_frame() {
    let long = "\u{e9}".repeat(100);
    let request = ask().require_extension(&long);
    let (left, result) = receive(&request, &config(), &answer().octets());
    assert!(matches!(result, Err(HandshakeError::MissingExtension(_))));
    // 122 octets of the reason: the 123rd would be half a letter.
    assert_eq!(left[1], 0x80 | 124);
    assert_eq!(left.len(), 6 + 124);
}

#[test]
fn a_client_and_a_server_of_ours_agree() {
    let mut options = ServerOptions::default();
    options.protocols = vec!["v1".to_owned()];
    let request = ask()
        .protocol("v2")
        .and_then(|it| it.protocol("v1"))
        .and_then(|it| it.header(AUTHORIZATION, HeaderValue::from_static("Basic x")))
        .unwrap();
    let config = config_with_bits();
    let client = ClientHandshake::new(request.clone(), NONCE, Arc::clone(&config), now()).unwrap();
    let (answer, _) = serve_with(&options, &config, client.poll_transmit());
    // The offer names bits without a number, which is no answer: the extension declines.
    assert!(matches!(
        receive(&request, &config, answer.as_bytes()).1,
        Err(HandshakeError::Extension(_))
    ));
    let (answer, _) = serve_with(&options, &crate::rig::config(), client.poll_transmit());
    let (_, opened) = receive(&request, &config, answer.as_bytes());
    assert_eq!(opened.unwrap().handshake.protocol(), Some("v1"));
}

#[test]
fn nothing_is_finished_before_the_answer() {
    let mut half = client(ask(), &config());
    half.handle_input(now(), b"HTTP/1.1 101 Switching");
    assert_eq!(half.progress(), ClientProgress::NeedsInput);
    assert!(matches!(half.finish(), Err(HandshakeError::Unfinished)));
}
