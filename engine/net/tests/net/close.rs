//! How connections end, and how the ends are told apart.

use std::io;
use std::pin::pin;

use cloverleaf::{Client, CloseCode, Error, ErrorKind, Event, Server, WebSocket};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::ends::{
    REQUEST, client, pair, poll, quiet, s, scripted_client, scripted_server, server,
};
use crate::script::Read;
use crate::wire::{
    BINARY, CLOSE, PING, TEXT, closing, frame, frames, masked, masked_head, whole_frames,
};

async fn end<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocket<S>) -> Error {
    loop {
        match socket.recv().await {
            Ok(message) => assert!(message.is_some(), "a clean end"),
            Err(error) => {
                assert_eq!(socket.recv().await.unwrap(), None, "told once");
                return error;
            }
        }
    }
}

#[tokio::test]
async fn a_clean_close_is_no_error_and_shows_the_peers_code_and_reason() {
    for code in [1000, 1001, 1003, 1009, 1011, 1014, 3000, 4999] {
        let (mut socket, mut peer) = server(quiet(), 4096).await;
        peer.write(&masked(CLOSE, &closing(code, "because"))).await;
        assert_eq!(socket.recv().await.unwrap(), None);
        let closed = socket.closed().unwrap();
        assert_eq!((closed.code.number(), &*closed.reason), (code, "because"));
        assert!(closed.clean && closed.error.is_none());
        assert_eq!(peer.rest().await, frame(CLOSE, &closing(code, "")));
    }
}

#[tokio::test]
async fn a_close_frame_without_a_code_is_1005_and_answered_likewise() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    peer.write(&masked(CLOSE, b"")).await;
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(socket.closed().unwrap().code, CloseCode::NO_STATUS);
    assert_eq!(peer.rest().await, frame(CLOSE, b""));
}

#[tokio::test]
async fn close_sends_its_code_and_reason_behind_what_was_sent_and_waits_for_the_answer() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    let (closed, ()) = tokio::join!(
        async {
            socket.send("last").await.unwrap();
            socket.close_with(CloseCode::new(4000), "bye").await
        },
        async {
            let expected = [frame(TEXT, b"last"), frame(CLOSE, &closing(4000, "bye"))].concat();
            assert_eq!(peer.read(expected.len()).await, expected);
            // What still comes is thrown away.
            peer.write(&masked(TEXT, b"late")).await;
            peer.write(&masked(CLOSE, &closing(4000, ""))).await;
        }
    );
    closed.unwrap();
    let closed = socket.closed().unwrap();
    assert!(closed.clean);
    assert_eq!(closed.code.number(), 4000);
}

#[tokio::test(start_paused = true)]
async fn l06_a_server_ends_at_once_when_both_close_frames_have_crossed() {
    // The peer keeps its side of the stream open.
    for begins in ["peer", "server"] {
        let (mut socket, mut peer) = server(quiet(), 4096).await;
        let start = Instant::now();
        let ending = async {
            if begins == "server" {
                socket.close().await
            } else {
                socket.recv().await.map(drop)
            }
        };
        let goodbye = masked(CLOSE, &closing(1000, ""));
        let (ended, ()) = tokio::join!(ending, peer.write(&goodbye));
        ended.unwrap();
        assert_eq!(start.elapsed(), s(0), "{begins} begins");
        assert_eq!(peer.rest().await, frame(CLOSE, &closing(1000, "")));
    }
}

#[tokio::test(start_paused = true)]
async fn l06_a_client_waits_for_the_server_to_end_the_stream_but_not_for_ever() {
    let (mut socket, mut peer) = client(quiet(), 4096).await;
    let start = Instant::now();
    peer.write(&frame(CLOSE, &closing(1000, ""))).await;
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(start.elapsed(), s(10));
    assert!(socket.closed().unwrap().clean);
}

#[tokio::test]
async fn the_end_of_the_stream_without_a_close_frame_is_abnormal() {
    for octets in [&b""[..], b"\x81", b"\x81\x85mask", b"\x01\x80mask"] {
        let (mut socket, mut peer) = server(quiet(), 4096).await;
        peer.write(&masked(TEXT, b"whole")).await;
        peer.write(octets).await;
        drop(peer);
        assert_eq!(socket.recv().await.unwrap(), Some("whole".into()));
        let error = end(&mut socket).await;
        assert_eq!(error.kind(), ErrorKind::Abnormal, "{octets:02x?}");
        assert_eq!(error.close_code(), Some(CloseCode::ABNORMAL));
        assert!(!socket.closed().unwrap().clean);
    }
}

#[tokio::test]
async fn a_failing_stream_is_an_io_error_with_its_cause() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(TEXT, b"whole"));
    hand.then(Read::Fail(io::ErrorKind::ConnectionReset));
    assert_eq!(socket.recv().await.unwrap(), Some("whole".into()));
    let error = end(&mut socket).await;
    assert_eq!(error.kind(), ErrorKind::Io);
    let cause = std::error::Error::source(&error).unwrap();
    let cause = cause.downcast_ref::<io::Error>().unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn what_the_peer_does_wrong_is_told_apart_and_told_to_the_peer() {
    let mut oversize = masked_head(BINARY, 2 << 20);
    oversize.extend([0; 100]);
    for (octets, kind, code) in [
        (vec![0xF1], ErrorKind::Protocol, 1002),
        (frame(TEXT, b"unmasked"), ErrorKind::Protocol, 1002),
        (masked(TEXT, b"\xff"), ErrorKind::Protocol, 1007),
        (oversize, ErrorKind::Limit, 1009),
        (
            [masked(0x01, b""), masked(0x00, b"").repeat(101)].concat(),
            ErrorKind::Limit,
            1008,
        ),
    ] {
        let (mut socket, mut peer) = server(quiet(), 4096).await;
        peer.write(&octets).await;
        let (error, told) = tokio::join!(end(&mut socket), async {
            let told = peer.read(4).await;
            drop(peer);
            told
        });
        assert_eq!(error.kind(), kind, "{octets:02x?}");
        assert_eq!((told[0], &told[2..]), (CLOSE, &closing(code, "")[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_the_close_frame_is_a_timeout_after_10_s() {
    let (mut socket, _peer) = server(quiet(), 4096).await;
    let start = Instant::now();
    let error = socket.close().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed(), s(10));
    assert_eq!(socket.closed().unwrap().code, CloseCode::ABNORMAL);
}

#[tokio::test(start_paused = true)]
async fn l10_a_peer_that_ends_its_side_and_does_not_read_is_not_waited_for_in_a_loop() {
    // The script panics if its end is read a hundred times.
    for octets in [&b""[..], b"\x81", b"\x01\x80mask"] {
        let (mut socket, hand) = scripted_server(quiet()).await;
        hand.room(Some(10));
        hand.send(octets);
        hand.end();
        let start = Instant::now();
        // Taken, or refused because the end was seen first.
        let _ = socket.send(vec![1; 100_000]).await;
        end(&mut socket).await;
        assert!(start.elapsed() <= s(30), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn l10_nor_is_one_that_says_goodbye_ends_its_side_and_does_not_read() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(0));
    hand.send(&masked(CLOSE, &closing(1000, "")));
    hand.end();
    let start = Instant::now();
    let _ = socket.recv().await;
    assert!(start.elapsed() <= s(10), "{:?}", start.elapsed());
    assert!(socket.closed().is_some());
}

#[tokio::test]
async fn what_was_sent_still_reaches_a_peer_that_has_only_ended_its_side() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(3));
    let mut sending = Box::pin(socket.send("hello"));
    assert!(poll(sending.as_mut()).await.is_pending());
    hand.end();
    assert!(poll(sending.as_mut()).await.is_pending());
    hand.room(None);
    sending.await.unwrap();
    assert_eq!(frames(&hand.take()).0, [(TEXT, b"hello".to_vec())]);
    assert_eq!(end(&mut socket).await.kind(), ErrorKind::Abnormal);
}

#[tokio::test]
async fn flush_is_an_error_when_what_was_sent_can_not_leave_any_more() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(3));
    assert!(poll(pin!(socket.send("hello"))).await.is_pending());
    hand.fail_writes(io::ErrorKind::BrokenPipe);
    assert!(socket.flush().await.unwrap_err().is_closed());
    // And stays one.
    assert!(socket.flush().await.unwrap_err().is_closed());
    assert_eq!(end(&mut socket).await.kind(), ErrorKind::Io);
}

#[tokio::test]
async fn a_stream_that_takes_nothing_and_says_so_is_broken() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.piece(0);
    let _ = socket.send("hello").await;
    let error = end(&mut socket).await;
    assert_eq!(error.kind(), ErrorKind::Io);
}

#[tokio::test]
async fn octets_that_the_stream_keeps_back_leave_when_it_can_be_flushed() {
    // As with TLS over a socket that is full.
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(PING, b"?"));
    hand.block_flush(true);
    assert!(poll(pin!(socket.recv())).await.is_pending());
    let flushes = hand.flushes();
    hand.block_flush(false);
    assert!(poll(pin!(socket.recv())).await.is_pending());
    assert_eq!(hand.flushes(), flushes + 1);
    assert!(poll(pin!(socket.recv())).await.is_pending());
    assert_eq!(hand.flushes(), flushes + 1, "once is enough");
}

#[tokio::test(start_paused = true)]
async fn a_send_ends_though_the_stream_never_flushes() {
    let (mut socket, hand) = scripted_server(cloverleaf::config()).await;
    hand.block_flush(true);
    let sent = tokio::time::timeout(s(120), socket.send("hello")).await;
    sent.expect("the sender sleeps").unwrap();
    assert_eq!(end(&mut socket).await.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_dropped_connection_says_1000_behind_what_it_held_back() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    peer.write(&masked(TEXT, b"x").repeat(2)).await;
    let message = socket.recv().await.unwrap().unwrap();
    socket.send(message).await.unwrap();
    drop(socket);
    let expected = [frame(TEXT, b"x"), frame(CLOSE, &closing(1000, ""))].concat();
    assert_eq!(peer.rest().await, expected);
}

#[tokio::test]
async fn dropped_in_a_panic_it_says_1011() {
    let (socket, mut peer) = server(quiet(), 4096).await;
    let task = tokio::spawn(async move {
        let _socket = socket;
        panic!("expected by the test");
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(peer.rest().await, frame(CLOSE, &closing(1011, "")));
}

#[tokio::test]
async fn dropped_when_closed_it_says_nothing_more() {
    let (mut socket, hand) = scripted_client(quiet()).await;
    hand.send(&frame(CLOSE, &closing(1000, "")));
    hand.end();
    assert_eq!(socket.recv().await.unwrap(), None);
    let said = hand.take();
    assert_eq!(whole_frames(&said), [(CLOSE, closing(1000, ""))]);
    drop(socket);
    assert!(hand.take().is_empty() && hand.is_dropped());
}

#[tokio::test]
async fn l07_when_both_close_at_once_both_end_cleanly_with_one_close_frame_each() {
    let (mut client, mut server) = pair(quiet(), quiet(), 4096).await;
    let (near, far) = tokio::join!(
        client.close_with(CloseCode::new(3001), "client"),
        server.close_with(CloseCode::new(3002), "server"),
    );
    near.unwrap();
    far.unwrap();
    assert_eq!(client.closed().unwrap().code.number(), 3002);
    assert_eq!(server.closed().unwrap().code.number(), 3001);
}

#[tokio::test]
async fn the_end_is_one_event_and_the_last() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(TEXT, b"x"));
    hand.send(&[0xFF]);
    hand.end();
    let mut events = Vec::new();
    while let Some(event) = socket.recv_event().await {
        events.push(event);
    }
    assert_eq!(events.len(), 2);
    assert!(matches!(events[1], Event::Closed(_)));
}

#[tokio::test]
async fn l09_1009_reaches_a_peer_that_is_still_sending_over_tcp() {
    // Without lingering, closing with octets unread would reset the connection, and the reset would
    // overtake the close frame.
    const RUNS: usize = 200;
    let server = Server::bind("127.0.0.1:0").await.unwrap().config(quiet());
    let address = server.local_addr().unwrap();
    let serving = tokio::spawn(server.serve(|mut socket| async move {
        let error = socket.recv().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        Err(error)
    }));
    let oversize = masked_head(BINARY, 16 << 20);
    let mut reached = 0;
    for _ in 0..RUNS {
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        writer.write_all(REQUEST).await.unwrap();
        let (oversize, payload) = (oversize.clone(), vec![0; 1 << 20]);
        let pumping = tokio::spawn(async move {
            writer.write_all(&oversize).await?;
            for _ in 0..16 {
                writer.write_all(&payload).await?;
            }
            io::Result::Ok(writer)
        });
        let mut answer = Vec::new();
        let mut buffer = [0; 1000];
        while let Ok(n @ 1..) = reader.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..n]);
        }
        let close = frame(CLOSE, &closing(1009, "frame too big"));
        reached += usize::from(answer.ends_with(&close));
        pumping.abort();
    }
    assert_eq!(reached, RUNS);
    serving.abort();
}

#[tokio::test]
async fn l09_our_own_client_sees_the_1009_while_it_sends() {
    const RUNS: usize = 50;
    let server = Server::bind("127.0.0.1:0").await.unwrap().config(quiet());
    let url = format!("ws://{}/", server.local_addr().unwrap());
    let serving = tokio::spawn(server.serve(|mut socket| async move {
        while socket.recv().await?.is_some() {}
        Ok(())
    }));
    for run in 0..RUNS {
        let mut socket = Client::new(quiet()).connect(&url).await.unwrap();
        let _ = socket.send(vec![0; 16 << 20]).await;
        let _ = socket.recv().await;
        let closed = socket.closed().unwrap();
        assert_eq!(closed.code.number(), 1009, "run {run}: {closed:?}");
    }
    serving.abort();
}
