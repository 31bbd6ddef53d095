//! Messages: there and back, in every way there is to send and to receive them.

use std::pin::pin;

use bytes::Bytes;
use cloverleaf::proto::extension::{Extensions, Hints};
use cloverleaf::{Acceptor, CloseCode, ErrorKind, Event, Kind, Message, ServerOptions, config};
use cloverleaf_deflate::PermessageDeflate;
use futures_util::stream::FusedStream;
use futures_util::{SinkExt, StreamExt};

use crate::ends::{Peer, REQUEST, client, pair, poll, quiet, scripted_server, server};
use crate::wire::{PING, PONG, TEXT, closing, frame, masked, whole_frames};

#[tokio::test]
async fn messages_of_every_kind_and_length_arrive_as_they_were_sent_in_both_directions() {
    for length in [
        0, 1, 125, 126, 127, 4096, 16383, 16384, 65535, 65536, 300_000,
    ] {
        let (mut client, mut server) = pair(quiet(), quiet(), 1 << 20).await;
        let text = "ä".repeat(length / 2);
        let octets: Vec<u8> = (0..length).map(|i| i as u8).collect();
        client.send(text.as_str()).await.unwrap();
        client.send(octets.clone()).await.unwrap();
        server.send(text.as_str()).await.unwrap();
        server.send(octets.clone()).await.unwrap();
        for socket in [&mut client, &mut server] {
            let received = socket.recv().await.unwrap().unwrap();
            assert_eq!(received, Message::text(text.as_str()), "{length}");
            let received = socket.recv().await.unwrap().unwrap();
            assert_eq!(received, Message::binary(octets.clone()), "{length}");
        }
    }
}

#[tokio::test]
async fn with_raised_limits_64_mib_make_one_message() {
    const SIZE: usize = 64 << 20;
    let raised = || {
        let mut config = quiet();
        config.limits.max_message_size = SIZE;
        config
    };
    let (mut client, mut server) = pair(raised(), raised(), 1 << 16).await;
    let octets: Bytes = (0..SIZE).map(|i| (i / 7) as u8).collect();
    let (sent, received) =
        tokio::join!(client.send(Message::Binary(octets.clone())), server.recv());
    sent.unwrap();
    assert!(received.unwrap().unwrap() == Message::Binary(octets));
}

#[tokio::test]
async fn a_message_sent_in_parts_is_one_message_of_fragments() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    socket.send_part(Kind::Text, "Hel", false).await.unwrap();
    socket.ping(b"!").await.unwrap();
    socket.send_part(Kind::Text, "lo", false).await.unwrap();
    socket.send_part(Kind::Text, "", true).await.unwrap();
    assert_eq!(
        peer.read(5 + 3 + 4 + 2).await,
        b"\x01\x03Hel\x89\x01!\x00\x02lo\x80\x00"
    );
}

#[tokio::test]
async fn between_the_parts_of_a_message_no_other_message_can_be_sent() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    socket.send_part(Kind::Text, "a", false).await.unwrap();
    let other = socket.send("other").await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Usage);
    let kind = socket.send_part(Kind::Binary, "b", true).await.unwrap_err();
    assert_eq!(kind.kind(), ErrorKind::Usage);
    socket.send_part(Kind::Text, "b", true).await.unwrap();
    socket.send("other").await.unwrap();
    assert_eq!(peer.read(13).await, b"\x01\x01a\x80\x01b\x81\x05other");
}

#[tokio::test]
async fn parts_are_delivered_as_they_come_to_those_who_ask_for_them() {
    let mut config = quiet();
    config.parts = true;
    let (mut socket, mut peer) = server(config, 4096).await;
    peer.write(&masked(0x01, b"Hel")).await;
    peer.write(&masked(0x80, b"lo")).await;
    let part = |payload: &'static str, fin| Event::Part {
        kind: Kind::Text,
        payload: payload.into(),
        fin,
    };
    assert_eq!(socket.recv_event().await, Some(part("Hel", false)));
    assert_eq!(socket.recv_event().await, Some(part("lo", true)));
}

#[tokio::test]
async fn recv_event_shows_pings_pongs_and_the_end_and_then_nothing_more() {
    let (mut socket, mut peer) = client(quiet(), 4096).await;
    peer.write(&frame(PING, b"in")).await;
    peer.write(&frame(PONG, b"po")).await;
    peer.write(&frame(0x88, &closing(4000, "bye"))).await;
    assert_eq!(socket.recv_event().await, Some(Event::Ping("in".into())));
    assert_eq!(socket.recv_event().await, Some(Event::Pong("po".into())));
    drop(peer);
    let Some(Event::Closed(closed)) = socket.recv_event().await else {
        panic!("not the end");
    };
    assert_eq!((closed.code.number(), &*closed.reason), (4000, "bye"));
    assert_eq!(socket.closed(), Some(&closed));
    assert_eq!(socket.recv_event().await, None);
    assert_eq!(socket.recv().await.unwrap(), None);
}

#[tokio::test]
async fn recv_answers_pings_and_shows_messages_only() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    peer.write(&masked(PING, b"there?")).await;
    peer.write(&masked(PONG, b"unasked")).await;
    peer.write(&masked(TEXT, b"hello")).await;
    assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
    assert!(poll(pin!(socket.recv())).await.is_pending());
    assert_eq!(peer.read(8).await, b"\x8a\x06there?");
}

#[tokio::test]
async fn a_ping_carries_at_most_125_octets() {
    let (mut socket, mut peer) = client(quiet(), 4096).await;
    let error = socket.ping(&[0; 126]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    socket.ping(&[7; 125]).await.unwrap();
    let frames = whole_frames(&peer.read(6 + 125).await);
    assert_eq!(frames, [(PING, vec![7; 125])]);
}

#[tokio::test]
async fn as_stream_and_sink_a_socket_forwards_to_itself() {
    let (mut client, server) = pair(quiet(), quiet(), 4096).await;
    let (sink, stream) = StreamExt::split(server);
    let echo = stream.forward(sink);
    let talk = async {
        for i in 0..100 {
            client.send(format!("message {i}")).await.unwrap();
        }
        for i in 0..100 {
            let echoed = client.recv().await.unwrap();
            assert_eq!(echoed, Some(format!("message {i}").into()));
        }
        client.close().await.unwrap();
    };
    let (echoed, ()) = tokio::join!(echo, talk);
    echoed.unwrap();
}

#[tokio::test]
async fn the_stream_ends_when_the_connection_does_and_says_so() {
    let (mut client, mut server) = pair(quiet(), quiet(), 4096).await;
    client.send("one").await.unwrap();
    assert!(!server.is_terminated());
    let (closed, ()) = tokio::join!(client.close(), async {
        assert_eq!(server.next().await.unwrap().unwrap(), "one".into());
        assert!(server.next().await.is_none());
    });
    closed.unwrap();
    assert!(server.is_terminated());
    assert!(server.next().await.is_none());
}

#[tokio::test]
async fn closing_the_sink_is_the_closing_handshake() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    let (closed, ()) = tokio::join!(SinkExt::close(&mut socket), async {
        assert_eq!(peer.read(4).await, b"\x88\x02\x03\xe8");
        peer.write(&masked(0x88, &closing(1000, ""))).await;
    });
    closed.unwrap();
    assert!(socket.closed().unwrap().clean);
    let refused = SinkExt::send(&mut socket, "late".into()).await.unwrap_err();
    assert!(refused.is_closed());
}

#[tokio::test]
async fn fed_to_the_sink_messages_wait_for_the_flush() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    for _ in 0..10 {
        socket.feed("x".into()).await.unwrap();
    }
    assert!(hand.writes().is_empty());
    SinkExt::flush(&mut socket).await.unwrap();
    assert_eq!(hand.writes(), [30]);
}

#[tokio::test]
async fn a_hint_keeps_one_message_out_of_the_compressor() {
    let mut config = config();
    config.extensions = Extensions::new().with(PermessageDeflate::new()).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(near);
    let acceptor = Acceptor::new(config, ServerOptions::default());
    let offer = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate";
    let request = std::str::from_utf8(REQUEST).unwrap();
    let request = request.replace("Sec-WebSocket-Version: 13", offer);
    let (socket, _) = tokio::join!(acceptor.accept(far), async {
        peer.write(request.as_bytes()).await;
        peer.head().await
    });
    let mut socket = socket.unwrap();
    assert_eq!(socket.opening().agreed.len(), 1);
    let secret = "secret ".repeat(100);
    let hints = Hints::new().do_not_compress();
    socket.send_with(secret.as_str(), hints).await.unwrap();
    assert_eq!(peer.read(4 + 700).await, frame(TEXT, secret.as_bytes()));
    socket.send(secret.as_str()).await.unwrap();
    drop(socket);
    let compressed = peer.rest().await;
    // RSV1 says so.
    assert_eq!(compressed[0], 0xC1);
    assert!(compressed.len() < 100, "{}", compressed.len());
}

#[tokio::test]
async fn what_the_opening_handshake_said_can_be_asked_for() {
    let (socket, _peer) = server(quiet(), 4096).await;
    let handshake = &socket.opening().handshake;
    assert_eq!(handshake.request().headers()["host"], "localhost");
    assert_eq!(handshake.response().status(), 101);
    assert!(handshake.request_head().starts_with(b"GET / HTTP/1.1\r\n"));
    assert!(handshake.response_head().ends_with(b"\r\n\r\n"));
    assert_eq!(socket.protocol(), None);
    assert_eq!(socket.closed(), None);
    assert_eq!(socket.round_trip(), None);
}

#[tokio::test]
async fn behind_the_closing_handshake_sending_is_an_error_and_closing_is_not() {
    let (mut client, mut server) = pair(quiet(), quiet(), 4096).await;
    let (closed, received) =
        tokio::join!(client.close_with(CloseCode::new(3000), ""), server.recv());
    closed.unwrap();
    assert_eq!(received.unwrap(), None);
    for socket in [&mut client, &mut server] {
        assert!(socket.send("late").await.unwrap_err().is_closed());
        assert!(socket.ping(b"").await.unwrap_err().is_closed());
        socket.close().await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), None);
    }
}
