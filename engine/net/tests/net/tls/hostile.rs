//! Peers that mean harm, or know no better, before and in TLS.

use std::pin::pin;
use std::time::Duration;

use cloverleaf::{Server, ServerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ALL_VERSIONS;

use super::authority::{Authority, client, echo, serve, visit};
use super::greeting::{config, handshake, hello, offering};
use crate::ends::poll;

/// Types of records (RFC 8446 §5.1) and alerts (§6) as they are on the wire.
const ALERT: u8 = 21;
const PROTOCOL_VERSION: u8 = 70;
const HANDSHAKE_FAILURE: u8 = 40;

/// Sends these octets to a server, and reads what it answers until it ends the stream.
async fn answer(port: u16, octets: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    // The server may end before it has read everything.
    let _ = tokio::join!(writer.write_all(octets), reader.read_to_end(&mut answer));
    answer
}

/// The alert that an answer consists of.
fn alert(answer: &[u8]) -> Option<u8> {
    match answer {
        [ALERT, 3, _, 0, 2, 2, number] => Some(*number),
        _ => None,
    }
}

#[tokio::test]
async fn s01_a_thousand_who_never_begin_are_let_go_in_time_and_keep_nobody_out() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let mut silent = Vec::new();
    for _ in 0..1000 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let client = client(authority.trusted());
    // Served behind them, so all of them have been accepted.
    visit(&client, "localhost", port).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(9_000)).await;
    for stream in &mut silent {
        assert!(poll(pin!(stream.read(&mut [0]))).await.is_pending());
    }
    tokio::time::advance(Duration::from_millis(1_000)).await;
    tokio::time::resume();
    for stream in &mut silent {
        assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
    }
    visit(&client, "localhost", port).await.unwrap();
}

#[tokio::test]
async fn s02_a_greeting_in_records_of_one_octet_is_a_greeting() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let (mut session, octets) = hello(offering(&authority, &[b"http/1.1"]));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let [kind, major, minor, _, _, payload @ ..] = &octets[..] else {
        panic!("no record");
    };
    for octet in payload {
        let record = [*kind, *major, *minor, 0, 1, *octet];
        stream.write_all(&record).await.unwrap();
    }
    let mut buffer = [0; 4096];
    while session.is_handshaking() {
        let n = stream.read(&mut buffer).await.unwrap();
        assert!(n > 0, "refused");
        let mut read = &buffer[..n];
        while !read.is_empty() {
            session.read_tls(&mut read).unwrap();
            session.process_new_packets().unwrap();
        }
    }
}

#[tokio::test]
async fn s02_a_greeting_of_one_octet_a_second_is_cut_off_with_the_opening_timeout() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let (_, octets) = hello(offering(&authority, &[b"http/1.1"]));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    // Served behind it, so it has been accepted.
    visit(&client(authority.trusted()), "localhost", port)
        .await
        .unwrap();
    tokio::time::pause();
    for octet in &octets[..9] {
        stream.write_all(&[*octet]).await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(poll(pin!(stream.read(&mut [0]))).await.is_pending());
    }
    stream.write_all(&octets[9..10]).await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn s04_an_end_right_behind_the_greeting_ends_that_connection_and_no_other() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let (_, mut octets) = hello(offering(&authority, &[b"http/1.1"]));
    // close_notify, in the clear (RUSTSEC-2024-0336).
    octets.extend_from_slice(b"\x15\x03\x03\x00\x02\x01\x00");
    answer(port, &octets).await;
    visit(&client(authority.trusted()), "localhost", port)
        .await
        .unwrap();
}

#[tokio::test]
async fn s06_floods_before_the_handshake_end_with_an_alert() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let (_, octets) = hello(offering(&authority, &[b"http/1.1"]));
    for (what, record) in [
        ("empty records", &b"\x16\x03\x01\x00\x00"[..]),
        ("warnings", b"\x15\x03\x03\x00\x02\x01\x5a"),
    ] {
        for greets in [false, true] {
            let mut flood = if greets { octets.clone() } else { Vec::new() };
            flood.extend_from_slice(&record.repeat(100_000));
            let answer = answer(port, &flood).await;
            // Ended, or this would wait for ever; behind a greeting the answer to that stands first.
            let end = &answer[answer.len().saturating_sub(7)..];
            assert!(
                greets || answer.is_empty() || alert(end).is_some(),
                "{what}: {end:?}"
            );
        }
        visit(&client(authority.trusted()), "localhost", port)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn s06_a_flood_of_key_updates_is_cut_off_and_a_bystander_goes_on() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let bystander = client(authority.trusted());
    let url = format!("wss://localhost:{port}/");
    let mut bystander = bystander.connect(&url).await.unwrap();
    let mut session = handshake(config(&authority, ALL_VERSIONS), "localhost", port)
        .await
        .unwrap();
    let mut updates = 0;
    while updates < 100_000 {
        if session.get_mut().1.refresh_traffic_keys().is_err() || session.flush().await.is_err() {
            break;
        }
        updates += 1;
        if updates % 100 == 0 {
            super::authority::alive(&mut bystander).await;
        }
    }
    assert!(updates < 100_000, "nobody minded");
    super::authority::alive(&mut bystander).await;
    bystander.close().await.unwrap();
}

#[tokio::test]
async fn s09_who_speaks_only_h2_is_refused_and_who_speaks_both_or_says_nothing_is_not() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    for (offer, agreed) in [
        (&[&b"h2"[..]][..], None),
        (&[b"http/1.0"], None),
        (&[b"h2", b"http/1.1"], Some(Some(&b"http/1.1"[..]))),
        (&[], Some(None)),
    ] {
        let session = handshake(offering(&authority, offer), "localhost", port).await;
        match (session, agreed) {
            (Ok(session), Some(agreed)) => assert_eq!(session.get_ref().1.alpn_protocol(), agreed),
            (Err(error), None) => {
                // RFC 7301 §3.2.
                assert!(
                    error.to_string().contains("NoApplicationProtocol"),
                    "{error}"
                );
            }
            (session, _) => panic!("{offer:?}: {:?}", session.err()),
        }
    }
}

/// A greeting of the version before the last two, with what was common then: TLS 1.1 (RFC 4346
/// §7.4.1.2), ECDHE-ECDSA and ECDHE-RSA with AES-128-CBC, no extensions.
const TLS_1_1: &[u8] = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x02\
    0123456789abcdef0123456789abcdef\x00\x00\x04\xc0\x09\xc0\x13\x01\x00";

/// The same of a client that knows of signature_algorithms, and still means 1.1.
const FALLEN_BACK: &[u8] = b"\x16\x03\x01\x00\x39\x01\x00\x00\x35\x03\x02\
    0123456789abcdef0123456789abcdef\x00\x00\x04\xc0\x09\xc0\x13\x01\x00\
    \x00\x08\x00\x0d\x00\x04\x00\x02\x04\x03";

#[tokio::test]
async fn s09_tls_1_1_is_refused() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    for (greeting, expected) in [
        (TLS_1_1, HANDSHAKE_FAILURE),
        (FALLEN_BACK, PROTOCOL_VERSION),
    ] {
        let answer = answer(port, greeting).await;
        assert_eq!(alert(&answer), Some(expected), "{answer:?}");
    }
}

#[tokio::test]
async fn s08_more_handshakes_at_once_than_may_pend_leave_the_newest_and_who_is_connected() {
    let authority = Authority::new();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server
        .tls(authority.server("localhost"))
        .options(ServerOptions::default())
        .max_pending(10);
    let port = server.local_addr().unwrap().port();
    let _server = tokio::spawn(server.serve(echo));
    let client = client(authority.trusted());
    let url = format!("wss://localhost:{port}/");
    let mut connected = client.connect(&url).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    visit(&client, "localhost", port).await.unwrap();
    super::authority::alive(&mut connected).await;
    for stream in &mut silent[..90] {
        assert!(
            matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)),
            "shed"
        );
    }
    for stream in &mut silent[91..] {
        assert!(poll(pin!(stream.read(&mut [0]))).await.is_pending());
    }
    connected.close().await.unwrap();
}
