//! Answers that fail the connection, and why (RFC 6455 §4.1).

use cloverleaf_proto::extension::Refused;
use cloverleaf_proto::handshake::{HandshakeError, HeadError};
use http::header::CONTENT_TYPE;

use crate::rig::{ACCEPT, Lines, answer, ask, config, config_with_bits, receive};

/// How the handshake fails, though a frame is glued on, of which nothing may be seen (C01).
fn error(answer: &Lines) -> HandshakeError {
    let octets = [&answer.octets()[..], b"\x81\x05Hello"].concat();
    let request = ask().protocol("a").and_then(|it| it.protocol("b")).unwrap();
    let (left, result) = receive(&request, &config_with_bits(), &octets);
    assert_eq!(left, b"", "there is nobody to talk to");
    result.expect_err("the answer is bad")
}

// C01; cases 40 and 41.
#[test]
fn an_accept_that_does_not_answer_our_key() {
    let truncated = &ACCEPT[..27];
    for (name, answer) in [
        ("missing", answer().without("Sec-WebSocket-Accept")),
        ("empty", answer().set("Sec-WebSocket-Accept", "")),
        (
            "of another key",
            answer().set("Sec-WebSocket-Accept", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
        ),
        (
            "in another case",
            answer().set("Sec-WebSocket-Accept", ACCEPT.to_lowercase()),
        ),
        ("truncated", answer().set("Sec-WebSocket-Accept", truncated)),
        (
            "longer",
            answer().set("Sec-WebSocket-Accept", format!("{ACCEPT}=")),
        ),
        (
            "twice",
            answer().with(format!("Sec-WebSocket-Accept: {ACCEPT}")),
        ),
        (
            "our key itself",
            answer().set("Sec-WebSocket-Accept", "dGhlIHNhbXBsZSBub25jZQ=="),
        ),
    ] {
        assert!(
            matches!(error(&answer), HandshakeError::BadAccept),
            "{name}"
        );
    }
}

// C02; cases 42, 43 and 50.
#[test]
fn a_101_that_switches_to_something_else() {
    for answer in [
        answer().without("Upgrade"),
        answer().set("Upgrade", "h2c"),
        answer().set("Upgrade", "websocket, h2c"),
        answer().set("Upgrade", "websockets"),
        answer().with("Upgrade: websocket"),
    ] {
        assert!(
            matches!(error(&answer), HandshakeError::UpgradeHeader),
            "{answer:?}"
        );
    }
    for answer in [
        answer().without("Connection"),
        answer().set("Connection", "close"),
        answer().set("Connection", "upgraded"),
    ] {
        assert!(
            matches!(error(&answer), HandshakeError::ConnectionHeader),
            "{answer:?}"
        );
    }
    let old = answer().first("HTTP/1.0 101 Switching Protocols");
    assert!(matches!(
        error(&old),
        HandshakeError::Head(HeadError::Version)
    ));
}

// C03, D6; cases 44 to 46.
#[test]
fn a_subprotocol_or_extension_that_was_not_offered() {
    for value in ["c", "A", "a, b", "", "\"a\""] {
        let answer = answer().with(format!("Sec-WebSocket-Protocol: {value}"));
        assert!(
            matches!(error(&answer), HandshakeError::UnsolicitedProtocol),
            "{value}"
        );
    }
    let twice = answer()
        .with("Sec-WebSocket-Protocol: a")
        .with("Sec-WebSocket-Protocol: a");
    assert!(matches!(error(&twice), HandshakeError::UnsolicitedProtocol));

    for value in [
        "foo",
        "x-bits; bits=9, foo",
        "X-Bits; bits=9",
        "permessage-deflate",
    ] {
        let answer = answer().with(format!("Sec-WebSocket-Extensions: {value}"));
        assert!(
            matches!(
                error(&answer),
                HandshakeError::Extension(Refused::NotOffered(_))
            ),
            "{value}"
        );
    }
    // Case 49: two lines are as one, in which the name then stands twice.
    let twice = answer()
        .with("Sec-WebSocket-Extensions: x-bits; bits=9")
        .with("Sec-WebSocket-Extensions: x-bits; bits=9");
    assert!(matches!(
        error(&twice),
        HandshakeError::Extension(Refused::Conflict(..))
    ));
}

// C03, C04.
#[test]
fn parameters_that_were_not_offered_so() {
    for params in [
        "bits=7",
        "bits=16",
        "bits=99",
        "bits=015",
        "bits",
        "bits=9; bits=9",
        "bits=9; other",
        "bits=99999999999999999999",
        "bits=-8",
        "bits=\"\\7\"",
    ] {
        let answer = answer().with(format!("Sec-WebSocket-Extensions: x-bits; {params}"));
        assert!(
            matches!(
                error(&answer),
                HandshakeError::Extension(Refused::Declined(..))
            ),
            "{params}"
        );
    }
    for params in ["bits=", "bits=\"10", "bits=\"\"", "bits=\"1 0\"", "", "=9"] {
        let answer = answer().with(format!("Sec-WebSocket-Extensions: x-bits; {params}"));
        assert!(
            matches!(error(&answer), HandshakeError::MalformedExtensions(_)),
            "{params}"
        );
    }
}

#[test]
fn what_is_no_http() {
    for octets in [
        &b"HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n\n"[..],
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/2 101\r\n\r\n",
        b"HTTP/1.1 099 x\r\n\r\n",
        b"HTTP/1.1 1010 x\r\n\r\n",
        b"HTTP/1.1 101 x\r\n X: y\r\n\r\n",
        b"HTTP/1.1 101 x\r\nX : y\r\n\r\n",
        b"HTTP/1.1 101 x\r\nX: \0\r\n\r\n",
        b"\r\nHTTP/1.1 101 x\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46\0",
    ] {
        let (_, result) = receive(&ask(), &config(), octets);
        assert!(
            matches!(result, Err(HandshakeError::Head(HeadError::Malformed(_)))),
            "{}: {result:?}",
            octets.escape_ascii()
        );
    }
}

// C05.
#[test]
fn heads_beyond_the_limits() {
    let head = |lines: &Lines| match receive(&ask(), &config(), &lines.octets()).1 {
        Err(HandshakeError::Head(error)) => error,
        other => panic!("{other:?}"),
    };
    let endless = "x".repeat(20 << 10);
    assert_eq!(head(&answer().first(&endless)), HeadError::LineTooLong);
    assert_eq!(
        head(&answer().with(format!("X: {endless}"))),
        HeadError::TooLarge
    );
    let many = (0..98).fold(answer(), |answer, i| answer.with(format!("a{i}: x")));
    assert_eq!(head(&many), HeadError::TooManyHeaders);
}

// Cases 38 and 39, C07, C10.
#[test]
fn any_other_status_is_an_error_with_its_content() {
    for (octets, status, content) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello!",
            200,
            "Hello",
        ),
        (
            "HTTP/1.1 301 x\r\nLocation: ws://other/\r\nContent-Length: 0\r\n\r\n",
            301,
            "",
        ),
        (
            "HTTP/1.1 404 Not Found\r\n\r\nup to the end",
            404,
            "up to the end",
        ),
        ("HTTP/1.0 426 x\r\n\r\n", 426, ""),
        (
            "HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n",
            503,
            "Hello",
        ),
        (
            "HTTP/1.1 403 x\r\nContent-Length: 99\r\n\r\ncut off",
            403,
            "cut off",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    ] {
        let (_, result) = receive(&ask(), &config(), octets.as_bytes());
        let Err(HandshakeError::Status(response)) = result else {
            panic!("{octets}: {result:?}");
        };
        assert_eq!(response.status(), status);
        assert_eq!(response.body(), content);
        assert!(!response.headers().contains_key(CONTENT_TYPE));
    }
}

#[test]
fn a_stream_that_ends_first() {
    for octets in [
        &b""[..],
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n",
    ] {
        let mut client = crate::rig::client(ask(), &config());
        client.handle_input(crate::rig::now(), octets);
        client.handle_eof();
        assert!(matches!(client.finish(), Err(HandshakeError::Eof)));
    }
}

#[test]
fn no_error_prints_what_the_peer_wrote() {
    let escape = "\u{1b}[2J";
    let status = format!("HTTP/1.1 404 {escape}\r\nX: y\r\nContent-Length: 4\r\n\r\n{escape}");
    let answers = [
        status.into_bytes(),
        answer().with("Sec-WebSocket-Extensions: a\u{9b}b").octets(),
        answer().with("Sec-WebSocket-Extensions: evil").octets(),
        answer().with("Sec-WebSocket-Protocol: \u{9b}").octets(),
        b"HTTP/1.1 101 \x1b[2J\r\n\r\n".to_vec(),
    ];
    for octets in answers {
        let (_, result) = receive(&ask(), &config(), &octets);
        let error = result.expect_err("the answer is bad");
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(text.chars().all(|letter| !letter.is_control()), "{text:?}");
            assert!(!text.is_empty());
        }
    }
}
