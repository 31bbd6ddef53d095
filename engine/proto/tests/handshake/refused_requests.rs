//! Requests that are refused, and with which status.

use cloverleaf_proto::handshake::{HandshakeError, ServerOptions};

use crate::rig::{KEY, Lines, chops, request, serve};

/// One answer with this status that ends the connection, whatever is glued on (H15).
fn refuses(name: &str, octets: &[u8], status: u16) {
    let glued = [octets, &request().octets()].concat();
    let (written, result) = serve(&ServerOptions::default(), &glued);
    assert!(
        written.starts_with(&format!("HTTP/1.1 {status} ")),
        "{name}: expected {status}, got {written}"
    );
    assert_eq!(
        written.matches("HTTP/1.1 ").count(),
        1 + written.matches("only HTTP/1.1 ").count()
    );
    let (head, body) = written.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nConnection: close"), "{name}: {head}");
    // RFC 9110 §9.3.2: an answer to HEAD has no content, whatever it announces.
    let announced = if octets.starts_with(b"HEAD") {
        assert_eq!(body, "");
        "only GET is allowed\n".len()
    } else {
        body.len()
    };
    assert!(
        head.contains(&format!("\r\nContent-Length: {announced}")),
        "{name}: {head}"
    );
    assert_eq!(
        head.contains("\r\nAllow: GET"),
        status == 405,
        "{name}: {head}"
    );
    for line in [
        "\r\nUpgrade: websocket\r\n",
        "\r\nConnection: close, Upgrade\r\n",
        "\r\nSec-WebSocket-Version: 13\r\n",
    ] {
        assert_eq!(head.contains(line), status == 426, "{name}: {head}");
    }
    match result {
        Err(HandshakeError::Rejected(rejection)) => {
            assert_eq!(rejection.status(), status, "{name}")
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn all_refuse(table: &[(&str, Lines, u16)]) {
    for (name, request, status) in table {
        refuses(name, &request.octets(), *status);
    }
}

// H10; cases 6 and 7.
#[test]
fn another_method_or_version() {
    all_refuse(&[
        ("POST", request().first("POST /chat HTTP/1.1"), 405),
        ("HEAD", request().first("HEAD /chat HTTP/1.1"), 405),
        ("OPTIONS *", request().first("OPTIONS * HTTP/1.1"), 405),
        (
            "CONNECT",
            request().first("CONNECT example.com:80 HTTP/1.1"),
            405,
        ),
        (
            "methods have a case",
            request().first("get /chat HTTP/1.1"),
            405,
        ),
        ("no token", request().first("G(T /chat HTTP/1.1"), 400),
        ("HTTP/1.0", request().first("GET /chat HTTP/1.0"), 505),
        ("HTTP/2.0", request().first("GET /chat HTTP/2.0"), 505),
        ("HTTP/0.9", request().first("GET /chat"), 400),
        ("http/1.1", request().first("GET /chat http/1.1"), 400),
        ("HTTP/1.1x", request().first("GET /chat HTTP/1.1x"), 400),
        ("HTTP/11", request().first("GET /chat HTTP/11"), 400),
    ]);
    refuses(
        "a preface of HTTP/2",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        505,
    );
}

// H08; cases 5 and 32.
#[test]
fn what_is_no_http() {
    all_refuse(&[
        ("obs-fold", request().with("X: a\r\n b"), 400),
        ("obs-fold with a tab", request().with("X: a\r\n\tb"), 400),
        (
            "a fold of nothing",
            request().first("GET / HTTP/1.1\r\n x"),
            400,
        ),
        (
            "a space before the colon",
            request().without("Host").with("Host : a"),
            400,
        ),
        ("a tab before the colon", request().with("X\t: a"), 400),
        ("an empty name", request().with(": a"), 400),
        ("no colon", request().with("X"), 400),
        ("a name that is no token", request().with("X(: a"), 400),
        ("a name beyond ASCII", request().with(b"X\xe9: a"), 400),
        ("a NUL in a value", request().with("X: a\0b"), 400),
        (
            "a control character in a value",
            request().with("X: a\x01b"),
            400,
        ),
        ("DEL in a value", request().with("X: a\x7fb"), 400),
        ("a CR in a value", request().with("X: a\rb"), 400),
        ("an LF in a value", request().with("X: a\nY: b"), 400),
        ("a NUL in a name", request().with("X\0: b"), 400),
        (
            "two spaces in the request line",
            request().first("GET  /chat HTTP/1.1"),
            400,
        ),
        (
            "a tab in the request line",
            request().first("GET\t/chat HTTP/1.1"),
            400,
        ),
        (
            "a space in the target",
            request().first("GET /a b HTTP/1.1"),
            400,
        ),
        (
            "a space behind the version",
            request().first("GET /chat HTTP/1.1 "),
            400,
        ),
        (
            "a space before the method",
            request().first(" GET /chat HTTP/1.1"),
            400,
        ),
        ("no request line", request().first(""), 400),
    ]);
    refuses(
        "bare LF",
        &String::from_utf8(request().octets())
            .unwrap()
            .replace("\r\n", "\n")
            .into_bytes(),
        400,
    );
    refuses("CR CR LF", b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400);
    refuses(
        "a TLS hello",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        400,
    );
}

// H11, H09; cases 3 and 4.
#[test]
fn a_host_that_is_none() {
    all_refuse(&[
        ("no Host", request().without("Host"), 400),
        ("two Hosts", request().with("Host: example.com"), 400),
        ("an empty Host", request().set("Host", ""), 400),
        (
            "a user in Host",
            request().set("Host", "me@example.com"),
            400,
        ),
        ("a space in Host", request().set("Host", "a b"), 400),
        ("a list in Host", request().set("Host", "a,b"), 400),
        ("a path in Host", request().set("Host", "a/b"), 400),
        ("a long Host", request().set("Host", "a".repeat(300)), 400),
        ("a port that is none", request().set("Host", "a:b"), 400),
        ("a port over 65535", request().set("Host", "a:65536"), 400),
        ("an open bracket", request().set("Host", "[::1"), 400),
        ("a Host beyond ASCII", request().set("Host", b"a\xff"), 400),
    ]);
}

// H24.
#[test]
fn a_target_that_is_none() {
    all_refuse(&[
        ("asterisk", request().first("GET * HTTP/1.1"), 400),
        (
            "a host alone",
            request().first("GET example.com:80 HTTP/1.1"),
            400,
        ),
        ("no slash", request().first("GET chat HTTP/1.1"), 400),
        (
            "two slashes",
            request().first("GET //evil.example HTTP/1.1"),
            400,
        ),
        ("a fragment", request().first("GET /chat#a HTTP/1.1"), 400),
        (
            "an encoded NUL",
            request().first("GET /chat%00 HTTP/1.1"),
            400,
        ),
        (
            "an encoded NUL in the query",
            request().first("GET /chat?%00 HTTP/1.1"),
            400,
        ),
        (
            "a target beyond ASCII",
            request().first("GET /\u{e9} HTTP/1.1"),
            400,
        ),
        (
            "another scheme",
            request().first("GET ftp://example.com/ HTTP/1.1"),
            400,
        ),
        (
            "a user",
            request().first("GET http://me@example.com/ HTTP/1.1"),
            400,
        ),
    ]);
}

// H12, H13, H14; cases 8, 9, 14, 15 and 16.
#[test]
fn another_protocol_or_version_of_it() {
    all_refuse(&[
        (
            "a plain GET",
            Lines::of(&["GET / HTTP/1.1", "Host: a"]),
            426,
        ),
        ("no Upgrade", request().without("Upgrade"), 426),
        (
            "HTTP/2",
            request()
                .set("Upgrade", "h2c")
                .with("HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
            426,
        ),
        ("a longer word", request().set("Upgrade", "websockets"), 426),
        (
            "a word around it",
            request().set("Upgrade", "not websocket"),
            426,
        ),
        ("no Connection", request().without("Connection"), 400),
        (
            "Connection: close",
            request().set("Connection", "close"),
            400,
        ),
        (
            "a word around Upgrade",
            request().set("Connection", "upgrades"),
            400,
        ),
        (
            "version 8",
            request().set("Sec-WebSocket-Version", "8"),
            426,
        ),
        (
            "version 0",
            request().set("Sec-WebSocket-Version", "0"),
            426,
        ),
        (
            "version 013",
            request().set("Sec-WebSocket-Version", "013"),
            426,
        ),
        (
            "version 13,8",
            request().set("Sec-WebSocket-Version", "13,8"),
            426,
        ),
        (
            "version 13, 13",
            request().set("Sec-WebSocket-Version", "13, 13"),
            426,
        ),
        (
            "no version",
            request().without("Sec-WebSocket-Version"),
            426,
        ),
        (
            "version twice",
            request().with("Sec-WebSocket-Version: 13"),
            426,
        ),
    ]);
}

// H16, H09; cases 10 to 13.
#[test]
fn a_key_that_is_none() {
    let key = |key: &str| request().set("Sec-WebSocket-Key", key);
    all_refuse(&[
        ("no key", request().without("Sec-WebSocket-Key"), 400),
        ("an empty key", key(""), 400),
        (
            "two keys",
            request().with(format!("Sec-WebSocket-Key: {KEY}")),
            400,
        ),
        ("15 octets", key("AQIDBAUGBwgJCgsMDQ4P"), 400),
        ("17 octets", key("AQIDBAUGBwgJCgsMDQ4PEBE="), 400),
        ("illegal characters", key("AQIDBAUGBwgJCgsMDQ4P*A=="), 400),
        ("no padding", key("AQIDBAUGBwgJCgsMDQ4PEA"), 400),
        ("bits left over", key("AQIDBAUGBwgJCgsMDQ4PEC=="), 400),
        (
            "beyond ASCII",
            request().set("Sec-WebSocket-Key", b"\xff\xff"),
            400,
        ),
    ]);
}

// H17.
#[test]
fn content_where_frames_should_be() {
    all_refuse(&[
        ("five octets", request().with("Content-Length: 5"), 400),
        (
            "a length that is none",
            request().with("Content-Length: x"),
            400,
        ),
        (
            "two lengths",
            request()
                .with("Content-Length: 0")
                .with("Content-Length: 5"),
            400,
        ),
        (
            "a list of lengths",
            request().with("Content-Length: 0, 0"),
            400,
        ),
        ("chunks", request().with("Transfer-Encoding: chunked"), 400),
        (
            "both",
            request()
                .with("Content-Length: 0")
                .with("Transfer-Encoding: chunked"),
            400,
        ),
    ]);
}

// H20, H21; cases 22, 25, 27 and 28.
#[test]
fn lists_that_break_their_grammar() {
    let protocol = |value: &str| request().with(format!("Sec-WebSocket-Protocol: {value}"));
    let extensions = |value: &str| request().with(format!("Sec-WebSocket-Extensions: {value}"));
    all_refuse(&[
        ("empty", protocol(""), 400),
        ("two words", protocol("a b"), 400),
        ("an empty element", protocol("a,,b"), 400),
        ("a comma at the end", protocol("a,"), 400),
        ("twice the same", protocol("a, b, a"), 400),
        (
            "twice the same, on two lines",
            protocol("a").with("Sec-WebSocket-Protocol: a"),
            400,
        ),
        (
            "15,000 spaces",
            protocol(&format!("b{}x", " ".repeat(15_000))),
            400,
        ),
        ("a quoted protocol", protocol("\"a\""), 400),
        (
            "a semicolon at the end",
            extensions("permessage-deflate;"),
            400,
        ),
        (
            "a value that is no token",
            extensions("foo; a=\"b c\""),
            400,
        ),
        ("an open quote", extensions("foo; a=\""), 400),
        (
            "15 KiB of backslashes",
            extensions(&format!("a; b=\"{}", "\\".repeat(15 << 10))),
            400,
        ),
        ("no comma", extensions("foo bar"), 400),
        ("a value without a name", extensions("foo; =1"), 400),
    ]);
    // H20: 5,000 distinct names are a lot, and nothing else.
    let many: Vec<String> = (0..5_000).map(|i| format!("{i:x}")).collect();
    let lines = Lines::of(&["GET / HTTP/1.1", "Host: a"])
        .with("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13")
        .with(format!("Sec-WebSocket-Key: {KEY}"))
        .with(format!("Sec-WebSocket-Protocol: {}", many.join(",")));
    let mut options = ServerOptions::default();
    options.limits.max_header_bytes = 64 << 10;
    assert!(serve(&options, &lines.octets()).1.is_ok());
    let twice = lines.with("Sec-WebSocket-Protocol: 0");
    assert!(serve(&options, &twice.octets()).1.is_err());
}

// H01, H02, H24; case 33.
#[test]
fn heads_beyond_the_limits() {
    let headers =
        |count: usize| (5..count).fold(request(), |request, i| request.with(format!("a{i}: x")));
    let (written, _) = serve(&ServerOptions::default(), &headers(100).octets());
    assert!(written.starts_with("HTTP/1.1 101 "), "{written}");
    refuses("101 headers", &headers(101).octets(), 431);
    refuses("2,000 headers", &headers(2_000).octets(), 431);

    let target = |length: usize| {
        let path = format!("/{}", "a".repeat(length - "GET / HTTP/1.1".len()));
        request().first(&format!("GET {path} HTTP/1.1"))
    };
    let (written, _) = serve(&ServerOptions::default(), &target(8 << 10).octets());
    assert!(written.starts_with("HTTP/1.1 101 "), "{written}");
    refuses(
        "a request line of 8 KiB and one",
        &target((8 << 10) + 1).octets(),
        414,
    );
    refuses("a request line without end", &vec![b'A'; 100 << 10], 414);

    let large = |length: usize| {
        let padding = length - request().octets().len() - "X: \r\n".len();
        request().with(format!("X: {}", "x".repeat(padding)))
    };
    assert_eq!(large(16 << 10).octets().len(), 16 << 10);
    // H03: 16 KiB in pieces of one octet, and in all others.
    let (written, _) = serve(&ServerOptions::default(), &large(16 << 10).octets());
    assert!(written.starts_with("HTTP/1.1 101 "), "{written}");
    refuses(
        "a head of 16 KiB and one",
        &large((16 << 10) + 1).octets(),
        431,
    );
    refuses("a head of 100 KiB", &large(100 << 10).octets(), 431);
}

// H02: what is not looked at is not kept either.
#[test]
fn a_header_of_a_mebibyte_is_refused_when_16_kib_have_come() {
    use cloverleaf_proto::handshake::{ServerHandshake, ServerProgress};
    use std::sync::Arc;

    let endless = [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; 1 << 20]].concat();
    let options = Arc::new(ServerOptions::default());
    let mut server = ServerHandshake::new(options, crate::rig::config(), crate::rig::now());
    let mut fed = 0;
    for piece in endless.chunks(4096) {
        server.handle_input(piece);
        fed += piece.len();
        if server.progress() == ServerProgress::Failed {
            break;
        }
    }
    assert!(fed <= (16 << 10) + 4096, "{fed}");
}

#[test]
fn every_way_to_cut_is_a_way_to_cut() {
    let octets = request().octets();
    let chops = chops(&octets);
    assert!(chops.len() > octets.len());
    for pieces in chops {
        assert_eq!(pieces.concat(), octets);
    }
}
