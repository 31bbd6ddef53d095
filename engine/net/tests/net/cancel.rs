//! Every method may be dropped half way.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use cloverleaf::{Acceptor, Client, CloseCode, Message, ServerOptions, WebSocket, request};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::ends::{
    REQUEST, answer, client, pair, poll, quiet, scripted_client, scripted_server, server,
};
use crate::script::{Hand, Read, Script};
use crate::wire::{BINARY, CLOSE, PING, TEXT, closing, frame, frames, masked, whole_frames};

/// Polls a future so many times, then drops it.
fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    None
}

/// Messages in every shape, and what they are.
fn conversation(write: fn(u8, &[u8]) -> Vec<u8>) -> (Vec<u8>, Vec<Message>) {
    let octets = [
        write(TEXT, "größer".as_bytes()),
        write(PING, b"ping"),
        write(0x01, "z\u{1F340}".as_bytes()),
        write(PING, b""),
        write(0x80, b"end"),
        write(BINARY, &[5; 300]),
        write(TEXT, b""),
        write(CLOSE, &closing(1000, "done")),
    ];
    let messages = vec![
        "größer".into(),
        "z\u{1F340}end".into(),
        vec![5; 300].into(),
        "".into(),
    ];
    (octets.concat(), messages)
}

fn receive_all<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    times: usize,
) -> Vec<Message> {
    let mut received = Vec::new();
    for _ in 0..10_000 {
        match poll_times(socket.recv(), times) {
            Some(Ok(Some(message))) => received.push(message),
            Some(end) => {
                assert_eq!(end.unwrap(), None);
                return received;
            }
            None => {}
        }
    }
    panic!("no end after {received:?}");
}

#[tokio::test]
async fn x01_recv_dropped_after_any_number_of_polls_loses_nothing() {
    for times in 1..=8 {
        let (mut socket, hand) = scripted_server(quiet()).await;
        let (octets, messages) = conversation(masked);
        hand.drip(&octets);
        assert_eq!(receive_all(&mut socket, times), messages, "{times}");
        assert_eq!(socket.closed().unwrap().code, CloseCode::NORMAL);

        let (mut socket, hand) = scripted_client(quiet()).await;
        let (octets, messages) = conversation(frame);
        hand.drip(&octets);
        hand.end();
        assert_eq!(receive_all(&mut socket, times), messages, "{times}");
        assert_eq!(socket.closed().unwrap().code, CloseCode::NORMAL);
    }
}

/// What stands on the wire, and how often the last message does.
async fn cancelled_send(room: usize, message: &Message) -> (Vec<(u8, Vec<u8>)>, bool) {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(room));
    let done = poll_times(socket.send(message.clone()), 1).is_some();
    hand.room(None);
    socket.send("next").await.unwrap();
    (whole_frames(&hand.take()), done)
}

#[tokio::test]
async fn x02_send_dropped_at_any_offset_has_taken_its_message_whole() {
    for length in [0, 5, 130, 5000] {
        let message = Message::binary(vec![3; length]);
        let size = frame(BINARY, &vec![3; length]).len();
        for room in (0..=size).step_by(length / 100 + 1) {
            let (frames, done) = cancelled_send(room, &message).await;
            let expected = [(BINARY, vec![3; length]), (TEXT, b"next".to_vec())];
            assert_eq!(frames, expected, "{room} of {size}");
            assert_eq!(done, room >= size);
        }
    }
}

#[tokio::test]
async fn x02_send_dropped_at_any_offset_of_a_fragmented_message_leaves_a_stream_to_be_parsed() {
    let message = Message::binary(vec![3; 200_000]);
    for room in [
        0, 1, 9, 10, 11, 65_536, 65_545, 65_546, 65_547, 150_000, 200_000,
    ] {
        let (frames, _) = cancelled_send(room, &message).await;
        let (last, fragments) = frames.split_last().unwrap();
        assert_eq!(*last, (TEXT, b"next".to_vec()));
        let payload: usize = fragments.iter().map(|(_, payload)| payload.len()).sum();
        assert_eq!(payload, 200_000, "{room}");
    }
}

#[tokio::test]
async fn x02_send_dropped_while_it_waits_for_room_has_not_touched_its_message() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(0));
    assert!(poll_times(socket.send(vec![1; 70_000]), 1).is_none());
    for _ in 0..3 {
        assert!(poll_times(socket.send("never"), 3).is_none());
    }
    hand.room(None);
    socket.send("next").await.unwrap();
    let frames = whole_frames(&hand.take());
    assert!(frames.iter().all(|(_, payload)| payload != b"never"));
    assert_eq!(frames.last(), Some(&(TEXT, b"next".to_vec())));
}

#[tokio::test(start_paused = true)]
async fn x03_select_with_an_interval_loses_no_message() {
    let (mut client, mut server) = pair(quiet(), quiet(), 100).await;
    let sending = tokio::spawn(async move {
        for i in 0..10_000u32 {
            client.send(i.to_be_bytes().to_vec()).await.unwrap();
            if i % 7 == 0 {
                tokio::time::sleep(Duration::from_micros(900)).await;
            }
        }
        client.close().await.unwrap();
    });
    let mut interval = tokio::time::interval(Duration::from_millis(1));
    let mut next = 0u32;
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            received = server.recv() => match received.unwrap() {
                Some(message) => {
                    assert_eq!(message.payload(), next.to_be_bytes());
                    next += 1;
                }
                None => break,
            },
        }
    }
    assert_eq!(next, 10_000);
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn x04_a_timeout_around_recv_loses_no_octet_of_a_slow_frame() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    let writing = tokio::spawn(async move {
        for octet in masked(TEXT, b"slowly").repeat(3) {
            tokio::time::sleep(Duration::from_micros(1500)).await;
            peer.write(&[octet]).await;
        }
        peer
    });
    let mut received = 0;
    while received < 3 {
        let waited = tokio::time::timeout(Duration::from_millis(1), socket.recv()).await;
        if let Ok(message) = waited {
            assert_eq!(message.unwrap(), Some("slowly".into()));
            received += 1;
        }
    }
    drop(writing);
}

#[tokio::test]
async fn x05_close_and_flush_may_be_dropped_and_called_again() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(0));
    assert!(poll_times(socket.send("last"), 1).is_none());
    for _ in 0..5 {
        assert!(poll_times(socket.flush(), 2).is_none());
        assert!(poll_times(socket.close(), 2).is_none());
    }
    hand.room(Some(3));
    assert!(poll_times(socket.close(), 2).is_none());
    hand.room(None);
    assert!(poll_times(socket.close(), 2).is_none());
    assert_eq!(
        hand.take(),
        [frame(TEXT, b"last"), frame(CLOSE, &closing(1000, ""))].concat()
    );
    hand.send(&masked(CLOSE, &closing(1000, "")));
    socket.close().await.unwrap();
    assert!(hand.is_shut());
}

#[tokio::test]
async fn x06_both_ends_send_64_mib_at_once_through_a_tiny_pipe() {
    const SIZE: usize = 64 << 20;
    let raised = || {
        let mut config = quiet();
        config.limits.max_message_size = SIZE;
        config
    };
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>, octets: Bytes) {
        socket.send(Message::Binary(octets.clone())).await.unwrap();
        let received = socket.recv().await.unwrap().unwrap();
        assert!(received == Message::Binary(octets));
        socket.close().await.unwrap();
    }
    let (client, server) = pair(raised(), raised(), 4096).await;
    let octets: Bytes = (0..SIZE).map(|i| (i / 3) as u8).collect();
    tokio::join!(talk(client, octets.clone()), talk(server, octets));
}

#[tokio::test]
async fn x06_an_echo_with_a_single_task_takes_a_message_larger_than_the_pipe() {
    let mut raised = quiet();
    raised.limits.max_message_size = 8 << 20;
    let (mut client, mut server) = pair(raised.clone(), raised, 1000).await;
    let echo = async {
        while let Some(message) = server.recv().await.unwrap() {
            server.send(message).await.unwrap();
        }
    };
    let talk = async {
        let octets = vec![8; 8 << 20];
        client.send(octets.clone()).await.unwrap();
        assert!(client.recv().await.unwrap() == Some(octets.into()));
        client.close().await.unwrap();
    };
    tokio::join!(echo, talk);
}

/// Drops the future that `open` makes after every number of polls until it is ready.
fn dropped_at_every_poll<T>(open: impl Fn() -> (Pin<Box<dyn Future<Output = T>>>, Hand)) {
    for times in 1.. {
        let (opening, hand) = open();
        let opened = poll_times(opening, times);
        let ready = opened.is_some();
        drop(opened);
        assert!(hand.is_dropped(), "{times}");
        if ready {
            assert!(times > 100, "the script waited at every octet");
            return;
        }
    }
}

#[tokio::test]
async fn x11_a_handshake_dropped_at_any_poll_lets_go_of_its_stream() {
    dropped_at_every_poll(|| {
        let (stream, hand) = Script::new();
        hand.drip(REQUEST);
        let accepting = async {
            let acceptor = Acceptor::new(quiet(), ServerOptions::default());
            acceptor.accept(stream).await.unwrap();
        };
        (Box::pin(accepting), hand)
    });
    dropped_at_every_poll(|| {
        let (stream, hand) = Script::new();
        // The key is random: the answer is to another one, and ends the handshake.
        hand.drip(&answer(REQUEST));
        hand.then(Read::Eof);
        let connecting = async {
            let opener = Client::new(quiet());
            let request = request("ws://localhost/").unwrap();
            opener.open(stream, request).await.unwrap_err();
        };
        (Box::pin(connecting), hand)
    });
}

#[tokio::test]
async fn an_unfinished_frame_stays_unfinished_across_a_cancelled_recv_and_a_send() {
    let (mut socket, mut peer) = client(quiet(), 4096).await;
    peer.write(b"\x81\x05He").await;
    assert!(poll(pin!(socket.recv())).await.is_pending());
    socket.send("between").await.unwrap();
    peer.write(b"llo").await;
    assert_eq!(socket.recv().await.unwrap(), Some("Hello".into()));
    assert_eq!(
        frames(&peer.read(6 + 7).await).0,
        [(TEXT, b"between".to_vec())]
    );
}
