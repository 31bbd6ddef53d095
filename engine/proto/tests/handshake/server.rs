//! Requests that are accepted, and how.

use std::sync::Arc;

use cloverleaf_proto::extension::Why;
use cloverleaf_proto::handshake::{
    Decision, DecisionError, HandshakeError, OriginPolicy, Received, Rejection, ServerHandshake,
    ServerOptions, ServerProgress, Subprotocol,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::rig::{ACCEPT, Lines, config, config_with_bits, now, request, serve, serve_with};

fn options() -> ServerOptions {
    ServerOptions::default()
}

/// A server with this request before it.
fn deciding(options: ServerOptions, request: &Lines) -> ServerHandshake {
    let mut server = ServerHandshake::new(Arc::new(options), config_with_bits(), now());
    server.handle_input(&request.octets());
    assert_eq!(server.progress(), ServerProgress::Deciding);
    server
}

fn accept(protocol: Subprotocol) -> Decision {
    Decision::Accept {
        protocol,
        headers: HeaderMap::new(),
    }
}

fn transmit(server: &ServerHandshake) -> String {
    String::from_utf8(server.poll_transmit().to_vec()).unwrap()
}

// RFC 9112 §3.2.2
#[test]
fn the_host_of_an_absolute_target_is_the_only_one_that_anybody_sees() {
    let request = |origin: &str| {
        request()
            .first("GET http://real.example/chat HTTP/1.1")
            .set("Host", "claimed.example")
            .with(format!("Origin: http://{origin}"))
    };
    let (written, opened) = serve(&options(), &request("real.example").octets());
    assert!(written.starts_with("HTTP/1.1 101 "), "{written}");
    let opened = opened.unwrap();
    assert_eq!(opened.handshake.request().headers()["host"], "real.example");
    let (written, _) = serve(&options(), &request("claimed.example").octets());
    assert!(written.starts_with("HTTP/1.1 403 "), "{written}");
}

// RFC 9112 §2.2
#[test]
fn an_empty_line_before_the_request_is_passed_over() {
    let octets = [b"\r\n", &request().octets()[..]].concat();
    let (written, _) = serve(&options(), &octets);
    assert!(written.starts_with("HTTP/1.1 101 "), "{written}");
}

// Cases 1 and 37.
#[test]
fn the_minimal_request_gets_a_101_to_the_octet() {
    let (written, opened) = serve(&options(), &request().octets());
    assert_eq!(
        written,
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         \r\n"
    );
    let opened = opened.unwrap();
    assert!(opened.leftover.is_empty());
    assert_eq!(opened.handshake.protocol(), None);
}

#[test]
fn requests_that_are_as_good() {
    let long_name = format!("{}.example", "a".repeat(240));
    for (name, request) in [
        // Cases 2 and 31, H09, H13, H24.
        (
            "tokens have no case",
            request()
                .set("Upgrade", "WebSocket")
                .set("Connection", "keep-alive, UPGRADE"),
        ),
        (
            "header names have no case",
            request().without("Host").with("hOST: a"),
        ),
        (
            "a list of protocols",
            request().set("Upgrade", "websocket, h2c"),
        ),
        (
            "a list the other way",
            request().set("Upgrade", "h2c,websocket"),
        ),
        ("two Upgrade lines", request().with("Upgrade: h2c")),
        (
            "two Connection lines",
            request().with("Connection: keep-alive"),
        ),
        (
            "no whitespace",
            request().without("Upgrade").with("Upgrade:websocket"),
        ),
        (
            "whitespace around",
            request()
                .without("Upgrade")
                .with("Upgrade: \t websocket \t "),
        ),
        (
            "an absolute target",
            request().first("GET http://example.com/chat HTTP/1.1"),
        ),
        (
            "an absolute target of ours",
            request().first("GET ws://Example.com:80/chat HTTP/1.1"),
        ),
        (
            "an absolute target of another host than Host has",
            request().first("GET http://other.example:81/chat HTTP/1.1"),
        ),
        (
            "a higher minor version",
            request().first("GET /chat HTTP/1.2"),
        ),
        ("a query", request().first("GET /chat?a=b&c=%2f?/ HTTP/1.1")),
        ("a port", request().set("Host", "example.com:9001")),
        ("an IPv6 host", request().set("Host", "[::1]:9001")),
        ("a long host", request().set("Host", long_name)),
        (
            "opaque octets in a value",
            request().with(b"X-Any: \x80\xff"),
        ),
        ("an empty value", request().with("X-Any:")),
        (
            "an announcement of no content",
            request().with("Content-Length: 0"),
        ),
        ("an expectation", request().with("Expect: 100-continue")),
        (
            "empty Extensions",
            request().with("Sec-WebSocket-Extensions:"),
        ),
        (
            "unknown extensions",
            request().with("Sec-WebSocket-Extensions: foo, bar; x=\"1\""),
        ),
        (
            "unknown protocols",
            request().with("Sec-WebSocket-Protocol: foo, bar"),
        ),
    ] {
        let (written, opened) = serve(&options(), &request.octets());
        assert!(written.starts_with("HTTP/1.1 101 "), "{name}: {written}");
        assert!(written.contains(ACCEPT), "{name}");
        // H13: whatever was listed, the answer names only what is spoken.
        assert_eq!(
            written.matches("Upgrade: websocket\r\n").count(),
            1,
            "{name}"
        );
        assert!(opened.is_ok(), "{name}");
    }
}

// B13: everything that was said is there for the application.
#[test]
fn the_application_sees_the_whole_handshake() {
    let octets = request()
        .first("GET /Chat?room=%31 HTTP/1.1")
        .with("Cookie: a=B")
        .octets();
    let (written, opened) = serve(&options(), &octets);
    let handshake = opened.unwrap().handshake;
    assert_eq!(handshake.request().uri().path(), "/Chat");
    assert_eq!(handshake.request().uri().query(), Some("room=%31"));
    assert_eq!(handshake.request().headers()["cookie"], "a=B");
    assert_eq!(handshake.request_head(), octets);
    assert_eq!(
        handshake.response().status(),
        StatusCode::SWITCHING_PROTOCOLS
    );
    assert_eq!(
        handshake.response().headers()["sec-websocket-accept"],
        ACCEPT
    );
    assert_eq!(handshake.response_head(), written.as_bytes());
}

// H18, B11; case 35.
#[test]
fn octets_behind_the_request_are_the_first_frames() {
    let frames = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    let octets = [&request().octets()[..], frames].concat();
    let (written, opened) = serve(&options(), &octets);
    assert!(written.starts_with("HTTP/1.1 101 "));
    assert_eq!(opened.unwrap().leftover, frames[..]);
}

// H19: the second is the beginning of a frame with reserved bits, and nobody's request.
#[test]
fn of_two_glued_requests_the_second_is_no_request() {
    let octets = [request().octets(), request().octets()].concat();
    let (written, opened) = serve(&options(), &octets);
    assert_eq!(written.matches("HTTP/1.1").count(), 1);
    assert_eq!(opened.unwrap().leftover[..2], [0x47, 0x45]);
}

// H18: what may come early has a bound.
#[test]
fn a_client_that_floods_an_undecided_server_is_refused() {
    let mut server = deciding(options(), &request());
    server.handle_input(&[0; 64 << 10]);
    assert_eq!(server.progress(), ServerProgress::Deciding);
    server.handle_input(&[0]);
    assert_eq!(server.progress(), ServerProgress::Failed);
    assert!(transmit(&server).starts_with("HTTP/1.1 400 "));
}

// B8; cases 20, 21 and 23.
#[test]
fn a_subprotocol_is_chosen_from_what_both_speak() {
    let both = ServerOptions::default();
    for (ours, client_order, theirs, chosen) in [
        (&["b"][..], false, &["a, b"][..], Some("b")),
        (&["b", "a"], false, &["a, b"], Some("b")),
        (&["b", "a"], true, &["a, b"], Some("a")),
        (&["c", "b"], false, &["a", "b"], Some("b")),
        (&["c"], false, &["a, b"], None),
        (&["A"], false, &["a"], None),
        (&["a"], false, &[], None),
        (&[], false, &["a"], None),
    ] {
        let mut options = both.clone();
        options.protocols = ours.iter().map(ToString::to_string).collect();
        options.client_protocol_order = client_order;
        let request = theirs.iter().fold(request(), |request, line| {
            request.with(format!("Sec-WebSocket-Protocol: {line}"))
        });
        let (written, opened) = serve(&options, &request.octets());
        assert_eq!(
            opened.unwrap().handshake.protocol(),
            chosen,
            "{ours:?} {theirs:?}"
        );
        let line = chosen.map(|name| format!("\r\nSec-WebSocket-Protocol: {name}\r\n"));
        match line {
            Some(line) => assert!(written.contains(&line), "{written}"),
            None => assert!(!written.contains("Protocol:"), "{written}"),
        }
    }
}

#[test]
fn a_required_subprotocol_that_nobody_offers_is_a_400() {
    let mut options = options();
    options.protocols = vec!["a".to_owned()];
    options.require_protocol = true;
    let (written, _) = serve(&options, &request().octets());
    assert!(written.starts_with("HTTP/1.1 400 "));
    let offered = request().with("Sec-WebSocket-Protocol: a");
    assert!(serve(&options, &offered.octets()).1.is_ok());
}

#[test]
fn a_required_extension_that_cannot_be_agreed_is_refused_as_the_server_chooses() {
    for (status, line) in [
        (StatusCode::BAD_REQUEST, "HTTP/1.1 400 "),
        (StatusCode::UPGRADE_REQUIRED, "HTTP/1.1 426 "),
    ] {
        let mut options = options();
        options.required_extensions = vec!["x-bits".to_owned()];
        options.missing_extension_status = status;
        for offer in ["", "x-other", "x-bits; bits=16"] {
            let request = request().with(format!("Sec-WebSocket-Extensions: {offer}"));
            let (written, opened) = serve_with(&options, &config_with_bits(), &request.octets());
            assert!(written.starts_with(line), "{written}");
            assert!(written.contains("x-bits"), "{written}");
            let upgrade = written.contains("\r\nUpgrade: websocket\r\n");
            assert_eq!(upgrade, status == StatusCode::UPGRADE_REQUIRED);
            assert!(opened.is_err());
        }
        let request = request().with("Sec-WebSocket-Extensions: x-bits");
        let (_, opened) = serve_with(&options, &config_with_bits(), &request.octets());
        assert!(opened.unwrap().extensions.has("x-bits"));
    }
}

#[test]
fn an_interim_status_cannot_refuse_and_is_an_error_here_and_a_500_there() {
    let mut options = options();
    options.required_extensions = vec!["x-bits".to_owned()];
    options.missing_extension_status = StatusCode::SWITCHING_PROTOCOLS;
    let mut server = deciding(options, &request());
    let done = server.respond(Decision::accept());
    assert_eq!(done, Err(DecisionError::Status(101)));
    let written = transmit(&server);
    assert!(written.starts_with("HTTP/1.1 500 "), "{written}");
}

// H22: nothing of a decision that cannot be carried out reaches the client.
#[test]
fn a_decision_that_cannot_be_carried_out_is_an_error_here_and_a_500_there() {
    let reserved = HeaderName::from_static("sec-websocket-accept");
    let mut headers = HeaderMap::new();
    headers.insert(reserved.clone(), HeaderValue::from_static("x"));
    let offers = request().with("Sec-WebSocket-Protocol: a");
    for (decision, error) in [
        (
            accept(Subprotocol::Chosen("b".to_owned())),
            DecisionError::ProtocolNotOffered("b".to_owned()),
        ),
        (
            accept(Subprotocol::Chosen("a\r\nX: y".to_owned())),
            DecisionError::ProtocolNotOffered("a\r\nX: y".to_owned()),
        ),
        (
            Decision::Accept {
                protocol: Subprotocol::None,
                headers,
            },
            DecisionError::ReservedHeader(reserved),
        ),
        (
            Decision::Reject(Rejection::new(StatusCode::CONTINUE, "go on")),
            DecisionError::Status(100),
        ),
    ] {
        let mut server = deciding(options(), &offers);
        assert_eq!(server.respond(decision), Err(error));
        let written = transmit(&server);
        assert!(written.starts_with("HTTP/1.1 500 "), "{written}");
        assert!(!written.contains("X: y"), "{written}");
        assert_eq!(server.progress(), ServerProgress::Failed);
    }
    // The types of `http` let no line break through.
    assert!(HeaderValue::from_bytes(b"a\r\nX: y").is_err());
    assert!(HeaderValue::from_bytes(b"a\0").is_err());
}

#[test]
fn a_decision_without_a_request_is_an_error_and_nothing_else() {
    let mut server = ServerHandshake::new(Arc::new(options()), config(), now());
    assert_eq!(
        server.respond(Decision::accept()),
        Err(DecisionError::NotAsked)
    );
    assert_eq!(server.poll_transmit(), b"");
    let mut server = deciding(options(), &request());
    server.respond(Decision::accept()).unwrap();
    let once = transmit(&server);
    assert_eq!(
        server.respond(Decision::accept()),
        Err(DecisionError::NotAsked)
    );
    assert_eq!(transmit(&server), once);
}

// B15.
#[test]
fn the_101_carries_headers_of_the_options_the_guards_and_the_application() {
    let mut options = options();
    options
        .response_headers
        .insert("server", HeaderValue::from_static("cloverleaf"));
    options.guards.push(Arc::new(|received: &mut Received| {
        received
            .response_headers
            .append("set-cookie", HeaderValue::from_static("a=1"));
        Ok(())
    }));
    let mut headers = HeaderMap::new();
    headers.insert("set-cookie", HeaderValue::from_static("b=2"));
    let mut server = deciding(options, &request());
    server
        .respond(Decision::Accept {
            protocol: Subprotocol::Preferred,
            headers,
        })
        .unwrap();
    assert!(
        transmit(&server)
            .ends_with("xOo=\r\nServer: cloverleaf\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n")
    );
}

// Cases 17, 18 and 19.
#[test]
fn origins_and_guards_are_asked_before_the_application() {
    let mut options = options();
    options.guards.push(Arc::new(|received: &mut Received| {
        match received.request.uri().path() {
            "/chat" => Ok(()),
            _ => Err(Rejection::not_found()),
        }
    }));
    for (request, status) in [
        (request(), "101"),
        (request().with("Origin: https://example.com"), "101"),
        (
            request().with("Origin: https://example.com.evil.com"),
            "403",
        ),
        (request().with("Origin: null"), "403"),
        (request().first("GET /nosuch HTTP/1.1"), "404"),
    ] {
        let (written, _) = serve(&options, &request.octets());
        assert_eq!(written[9..12], *status, "{request:?}");
    }
    options.origin = OriginPolicy::Any;
    let (written, _) = serve(&options, &request().with("Origin: null").octets());
    assert_eq!(written[9..12], *"101");
}

#[test]
fn guards_find_the_context_and_leave_facts() {
    #[derive(Clone, Debug, PartialEq)]
    struct User(String);
    let mut options = options();
    options.guards.push(Arc::new(|received: &mut Received| {
        let address = received.request.extensions().get::<u32>().copied();
        let user = User(format!("user at {address:?}"));
        received.request.extensions_mut().insert(user);
        Ok(())
    }));
    let mut server = ServerHandshake::new(Arc::new(options), config(), now());
    server.context_mut().insert(7_u32);
    server.handle_input(&request().octets());
    server.respond(Decision::accept()).unwrap();
    server.handle_written(usize::MAX);
    let handshake = server.finish().unwrap().handshake;
    let user = User("user at Some(7)".to_owned());
    assert_eq!(handshake.extension::<User>(), Some(&user));
    assert_eq!(handshake.extension::<u32>(), Some(&7));
    assert_eq!(handshake.extension::<u8>(), None);
    assert_eq!(handshake.request().extensions().get(), Some(&user));
}

#[test]
fn what_guards_change_in_a_request_is_changed_for_the_application_and_the_head_is_not() {
    let mut options = options();
    options.guards.push(Arc::new(|received: &mut Received| {
        let headers = received.request.headers_mut();
        headers.remove("cookie");
        headers.insert("x-user", HeaderValue::from_static("someone"));
        *received.request.uri_mut() = "/inner".parse().unwrap();
        received.request.extensions_mut().insert(7_u32);
        Ok(())
    }));
    let octets = request().with("Cookie: a=B").octets();
    let (_, opened) = serve(&options, &octets);
    let handshake = opened.unwrap().handshake;
    for _ in 0..2 {
        let request = handshake.request();
        assert_eq!(request.uri(), "/inner");
        assert_eq!(request.headers().get("cookie"), None);
        assert_eq!(request.headers()["x-user"], "someone");
        assert_eq!(request.extensions().get::<u32>(), Some(&7));
    }
    assert_eq!(handshake.request_head(), octets);
}

#[test]
fn a_server_without_guards_finds_the_context_in_the_request() {
    let mut server = ServerHandshake::new(Arc::new(ServerOptions::default()), config(), now());
    server.context_mut().insert(7_u32);
    server.handle_input(&request().octets());
    server.respond(Decision::accept()).unwrap();
    server.handle_written(usize::MAX);
    let handshake = server.finish().unwrap().handshake;
    assert_eq!(handshake.extension::<u32>(), Some(&7));
    assert_eq!(handshake.request().extensions().get::<u32>(), Some(&7));
}

// Cases 24, 26, 29 and 30.
#[test]
fn extensions_are_negotiated_from_all_lines_in_order() {
    for (lines, answer) in [
        (&["foo, x-bits"][..], Some("x-bits")),
        (&["x-bits; bits=16, x-bits; bits=9"], Some("x-bits; bits=9")),
        (&["x-bits; bits=\"1\\0\""], Some("x-bits; bits=10")),
        (&[",, x-bits ,"], Some("x-bits")),
        (&["foo", "x-bits; bits=8", "x-bits"], Some("x-bits; bits=8")),
        (&["x-bits; bits; bits"], None),
        (&["X-Bits"], None),
    ] {
        let request = lines.iter().fold(request(), |request, line| {
            request.with(format!("Sec-WebSocket-Extensions: {line}"))
        });
        let (written, opened) = serve_with(&options(), &config_with_bits(), &request.octets());
        let extensions = opened.unwrap().extensions;
        assert_eq!(extensions.answer().as_deref(), answer, "{lines:?}");
        match answer {
            Some(answer) => {
                let line = format!("\r\nSec-WebSocket-Extensions: {answer}\r\n");
                assert!(written.contains(&line), "{written}");
            }
            None => assert!(!written.contains("Extensions"), "{written}"),
        }
    }
}

// H21.
#[test]
fn of_three_thousand_offers_32_are_looked_at() {
    let many = "x-bits;bits=7,".repeat(1_100);
    let request = request().with(format!("Sec-WebSocket-Extensions: {many} x-bits"));
    let mut server = deciding(options(), &request);
    server.respond(Decision::accept()).unwrap();
    server.handle_written(usize::MAX);
    let extensions = server.finish().unwrap().extensions;
    assert_eq!(extensions.answer(), None);
    let too_many = |why: &Why| *why == Why::TooMany;
    let skipped = extensions.skipped();
    assert_eq!(skipped.iter().filter(|it| !too_many(&it.why)).count(), 32);
    assert_eq!(skipped.len(), 1_101);
}

// H12: the other half of the choice.
#[test]
fn a_plain_get_is_shown_to_an_application_that_wants_it() {
    let plain = Lines::of(&["GET /status HTTP/1.1", "Host: a"]);
    let mut options = options();
    options.plain_http = true;

    let mut server = deciding(options.clone(), &plain);
    assert!(!server.received().unwrap().is_websocket());
    let page = Rejection::new(StatusCode::OK, "")
        .with_body(HeaderValue::from_static("text/html"), "<p>".into());
    server.respond(Decision::Reject(page)).unwrap();
    assert_eq!(
        transmit(&server),
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\n\
         Content-Length: 3\r\n\r\n<p>"
    );

    let mut server = deciding(options.clone(), &plain);
    assert_eq!(
        server.respond(Decision::accept()),
        Err(DecisionError::NotWebSocket)
    );
    assert!(transmit(&server).starts_with("HTTP/1.1 500 "));
    assert!(
        deciding(options, &request())
            .received()
            .unwrap()
            .is_websocket()
    );
}

#[test]
fn nothing_is_finished_before_it_is_written() {
    let mut server = deciding(options(), &request());
    server.respond(Decision::accept()).unwrap();
    server.handle_written(3);
    assert!(transmit(&server).starts_with("P/1.1 101"));
    assert!(matches!(server.finish(), Err(HandshakeError::Unfinished)));
    assert!(matches!(
        deciding(options(), &request()).finish(),
        Err(HandshakeError::Unfinished)
    ));
}

#[test]
fn a_client_that_hangs_up_is_gone() {
    let mut server = deciding(options(), &request());
    server.handle_eof();
    assert_eq!(server.poll_transmit(), b"");
    assert!(matches!(server.finish(), Err(HandshakeError::Eof)));
}
