//! The opening handshake over streams that are slow, silent or broken, in both roles.

use std::io;

use cloverleaf::proto::extension::{
    Agreement, Claims, Declined, Extension, Extensions, Params, Stage,
};
use cloverleaf::{Acceptor, Client, Error, ErrorKind, ServerOptions, WebSocket, accept, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use crate::ends::{Peer, REQUEST, answer, quiet, s};
use crate::script::{Read, Script};
use crate::wire::{PING, PONG, TEXT, frame, masked};

async fn open<S>(stream: S) -> Result<WebSocket<S>, Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let request = request("ws://localhost/").unwrap();
    Client::new(quiet()).open(stream, request).await
}

fn pipe() -> (Peer, DuplexStream) {
    let (near, far) = duplex(1 << 16);
    (Peer(near), far)
}

#[tokio::test(start_paused = true)]
async fn h04_a_request_of_an_octet_every_50_ms_is_accepted() {
    let (mut peer, stream) = pipe();
    let asking = async {
        for octet in REQUEST {
            tokio::time::sleep(s(9) / u32::try_from(REQUEST.len()).unwrap()).await;
            peer.write(&[*octet]).await;
        }
        peer.head().await
    };
    let (accepted, head) = tokio::join!(accept(stream), asking);
    accepted.unwrap();
    assert!(head.starts_with(b"HTTP/1.1 101 "));
}

#[tokio::test(start_paused = true)]
async fn h05_a_header_every_second_for_ever_is_answered_408_after_10_s() {
    let (peer, stream) = pipe();
    let start = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(peer.0);
    let asking = async {
        let _ = writer.write_all(b"GET / HTTP/1.1\r\n").await;
        loop {
            tokio::time::sleep(s(1)).await;
            let _ = writer.write_all(b"X-More: and more\r\n").await;
        }
    };
    let listening = async {
        let mut answer = vec![0; 12];
        reader.read_exact(&mut answer).await.unwrap();
        (answer, start.elapsed())
    };
    let (error, (answer, after)) = tokio::select! {
        done = async { tokio::join!(accept(stream), listening) } => done,
        () = asking => unreachable!("it never ends"),
    };
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Handshake);
    assert_eq!(answer, b"HTTP/1.1 408");
    assert_eq!(after, s(10));
    // The answer is given a second to arrive.
    assert!(start.elapsed() <= s(11));
}

#[tokio::test(start_paused = true)]
async fn h07_who_says_nothing_is_let_go_after_10_s_without_a_word() {
    let (mut peer, stream) = pipe();
    let start = Instant::now();
    let error = accept(stream).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed(), s(10));
    assert_eq!(peer.rest().await, b"");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_the_answer_is_let_go_after_10_s() {
    let (stream, hand) = Script::new();
    hand.send(REQUEST);
    hand.room(Some(10));
    let start = Instant::now();
    let error = accept(stream).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed(), s(10));

    // Nor one over a stream that keeps octets back, as TLS does.
    let (stream, hand) = Script::new();
    hand.send(REQUEST);
    hand.block_flush(true);
    let start = Instant::now();
    let error = tokio::time::timeout(s(60), accept(stream)).await;
    let error = error.expect("it waits for ever").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed(), s(10));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_nobody_reads_is_given_up_after_a_second() {
    let (stream, hand) = Script::new();
    hand.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hand.room(Some(10));
    let start = Instant::now();
    accept(stream).await.unwrap_err();
    assert!(start.elapsed() <= s(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn c08_a_server_that_answers_an_octet_every_3_s_is_a_timeout_after_10_s() {
    let (mut peer, stream) = pipe();
    let start = Instant::now();
    let answering = async {
        let answer = answer(&peer.head().await);
        for octet in answer {
            tokio::time::sleep(s(3)).await;
            let _ = peer.0.write_all(&[octet]).await;
        }
    };
    let error = tokio::select! {
        error = open(stream) => error.unwrap_err(),
        () = answering => unreachable!("it takes minutes"),
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed(), s(10));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_the_request_is_a_timeout_after_10_s() {
    for blocked in ["write", "flush"] {
        let (stream, hand) = Script::new();
        if blocked == "write" {
            hand.room(Some(10));
        } else {
            hand.block_flush(true);
        }
        let start = Instant::now();
        let error = tokio::time::timeout(s(60), open(stream)).await;
        let error = error.expect("it waits for ever").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{blocked}");
        assert_eq!(start.elapsed(), s(10), "{blocked}");
    }
}

#[tokio::test(start_paused = true)]
async fn c07_a_refusal_whose_body_drips_is_reported_within_3_s_with_what_there_is() {
    let (mut peer, stream) = pipe();
    let start = Instant::now();
    let answering = async {
        peer.head().await;
        peer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9223372036854775807\r\n\r\nno")
            .await;
        loop {
            tokio::time::sleep(s(1)).await;
            let _ = peer.0.write_all(b"!").await;
        }
    };
    let error = tokio::select! {
        error = open(stream) => error.unwrap_err(),
        () = answering => unreachable!("it never ends"),
    };
    assert!(start.elapsed() <= s(3), "{:?}", start.elapsed());
    assert_eq!(error.kind(), ErrorKind::Handshake);
    assert_eq!(error.status().unwrap(), 403);
    assert!(error.response().unwrap().body().starts_with(b"no"));
}

#[tokio::test]
async fn a_stream_that_ends_or_breaks_ends_the_handshake_at_every_octet() {
    for (cut, _) in REQUEST.iter().enumerate() {
        let (stream, hand) = Script::new();
        if cut > 0 {
            hand.send(&REQUEST[..cut]);
        }
        hand.end();
        let error = accept(stream).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Handshake, "{cut}");

        let (stream, hand) = Script::new();
        hand.send(&REQUEST[..cut]);
        hand.then(Read::Fail(io::ErrorKind::ConnectionReset));
        let error = accept(stream).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{cut}");
    }
    let (stream, hand) = Script::new();
    hand.end();
    assert_eq!(open(stream).await.unwrap_err().kind(), ErrorKind::Handshake);
    let (stream, hand) = Script::new();
    hand.fail_writes(io::ErrorKind::BrokenPipe);
    assert_eq!(open(stream).await.unwrap_err().kind(), ErrorKind::Io);
}

#[tokio::test]
async fn h18_frames_in_the_same_segment_as_the_request_are_received() {
    let frames = [
        masked(PING, b"?"),
        masked(TEXT, b"early"),
        masked(TEXT, b"bird"),
    ]
    .concat();
    for cut in 0..=frames.len() {
        let (mut peer, stream) = pipe();
        peer.write(&[REQUEST, &frames[..cut]].concat()).await;
        let mut socket = accept(stream).await.unwrap();
        peer.write(&frames[cut..]).await;
        assert_eq!(socket.recv().await.unwrap(), Some("early".into()), "{cut}");
        assert_eq!(socket.recv().await.unwrap(), Some("bird".into()), "{cut}");
        socket.flush().await.unwrap();
        peer.head().await;
        assert_eq!(peer.read(3).await, frame(PONG, b"?"), "{cut}");
    }
}

#[tokio::test]
async fn c09_frames_in_the_same_segment_as_the_answer_are_received() {
    let (mut peer, stream) = pipe();
    let (socket, ()) = tokio::join!(open(stream), async {
        let answer = answer(&peer.head().await);
        peer.write(&[answer, frame(TEXT, b"early")].concat()).await;
    });
    let mut socket = socket.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("early".into()));
}

#[tokio::test]
async fn what_is_no_websocket_url_is_told_before_anything_is_sent() {
    for url in [
        "ftp://a/",
        "ws://",
        "ws://a b/",
        "ws:/a",
        "",
        "ws://a:99999/",
    ] {
        let error = cloverleaf::connect(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Url, "{url:?}");
    }
}

#[tokio::test]
async fn a_subprotocol_is_agreed_by_both_ends() {
    let mut options = ServerOptions::default();
    options.protocols = vec!["b".to_owned(), "a".to_owned()];
    let (near, far) = duplex(4096);
    let request = request("ws://localhost/").unwrap();
    let request = request.protocol("a").unwrap().protocol("b").unwrap();
    let acceptor = Acceptor::new(quiet(), options);
    let opener = Client::new(quiet());
    let (client, server) = tokio::join!(opener.open(near, request), acceptor.accept(far));
    assert_eq!(client.unwrap().protocol(), Some("b"));
    assert_eq!(server.unwrap().protocol(), Some("b"));
}

/// Would split the connection, if anything drove it.
#[derive(Debug)]
struct Splitting;

impl Extension for Splitting {
    fn name(&self) -> &str {
        "x-split"
    }
    fn claims(&self) -> Claims {
        Claims::at(Stage::Carrier)
    }
    fn offers(&self) -> Vec<Params> {
        vec![Params::new()]
    }
    fn accept(&self, _: &Params) -> Result<Agreement, Declined> {
        Ok(Agreement::new(Params::new()))
    }
}

#[tokio::test]
async fn an_extension_that_splits_connections_is_neither_offered_nor_accepted() {
    let config = || {
        let mut config = quiet();
        config.extensions = Extensions::new().with(Splitting).unwrap();
        config
    };
    let (mut peer, stream) = pipe();
    let client = Client::new(config());
    let asking = client.open(stream, request("ws://localhost/").unwrap());
    let asked = async {
        let head = String::from_utf8(peer.head().await).unwrap();
        drop(peer);
        head
    };
    let (refused, head) = tokio::join!(asking, asked);
    assert!(refused.is_err());
    assert!(!head.contains("x-split"), "{head}");

    let (mut peer, stream) = pipe();
    let acceptor = Acceptor::new(config(), ServerOptions::default());
    let offered = String::from_utf8(REQUEST.to_vec()).unwrap();
    let offered = offered.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: x-split\r\n\r\n");
    peer.write(offered.as_bytes()).await;
    let socket = acceptor.accept(stream).await.unwrap();
    assert_eq!(socket.opening().agreed, []);
    assert_eq!(socket.opening().skipped[0].to_string(), "x-split: unknown");
}
