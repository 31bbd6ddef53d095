//! What connections hold on to.
//!
//! Counting octets would take an allocator of our own, and that takes `unsafe`, which is forbidden
//! here: so these tests look at what connections report, and at how far a peer gets.

use std::pin::pin;

use cloverleaf::{CloseCode, ErrorKind};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::ends::{client, poll, quiet, s, scripted_server, server};
use crate::wire::{BINARY, TEXT, closing, frame, masked};

#[tokio::test]
async fn a_connection_that_waits_holds_no_octet_back() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    assert_eq!(socket.buffered(), 0);
    hand.send(&masked(BINARY, &vec![1; 500_000]));
    let message = socket.recv().await.unwrap().unwrap();
    socket.send(message).await.unwrap();
    assert!(poll(pin!(socket.recv())).await.is_pending());
    assert_eq!(socket.buffered(), 0);
}

#[tokio::test]
async fn a_waiting_connection_is_small_by_itself() {
    // Everything else is on the heap, and only while there is something to hold.
    let (socket, _peer) = server(quiet(), 4096).await;
    let size = size_of_val(&socket);
    assert!(size <= 1024, "{size}");
}

#[tokio::test(start_paused = true)]
async fn r01_a_peer_that_never_reads_makes_send_wait_and_not_memory_grow() {
    const CHUNK: usize = 16 << 10;
    let (mut socket, _peer) = server(quiet(), 4096).await;
    let start = Instant::now();
    let mut most = 0;
    let end = loop {
        let waited = tokio::time::timeout(s(1), socket.send(vec![0; CHUNK])).await;
        most = most.max(socket.buffered());
        if let Ok(Err(error)) = waited {
            break error;
        }
    };
    assert!(most <= (64 << 10) + CHUNK + 14, "{most}");
    assert_eq!(end.kind(), ErrorKind::Closed);
    assert_eq!(start.elapsed().as_secs(), 30);
    let error = socket.recv().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(socket.buffered(), 0);
}

#[tokio::test]
async fn c11_the_sink_is_ready_again_only_when_the_peer_has_read() {
    use futures_util::SinkExt;
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(0));
    for fed in 0.. {
        if poll(pin!(socket.feed(vec![0; 1000].into())))
            .await
            .is_pending()
        {
            assert!((60..70).contains(&fed), "{fed}");
            break;
        }
    }
    assert!(
        socket.buffered() <= (64 << 10) + 1004,
        "{}",
        socket.buffered()
    );
    hand.room(Some(10_000));
    assert!(poll(pin!(socket.feed("next".into()))).await.is_ready());
}

#[tokio::test]
async fn r04_an_application_that_never_receives_lets_its_peer_wait() {
    let (mut socket, mut peer) = client(quiet(), 1000).await;
    let pouring = tokio::spawn(async move {
        let message = frame(BINARY, &[0; 100_000]);
        let mut written = 0usize;
        while let Ok(n @ 1..) = peer.0.write(&message[written % message.len()..]).await {
            written += n;
        }
        written
    });
    // A sender that waits looks at the stream too: it takes one message in, and a part of the next
    // at most.
    assert!(poll(pin!(socket.send("x".repeat(2000)))).await.is_pending());
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        assert!(poll(pin!(socket.flush())).await.is_pending());
    }
    drop(socket);
    let written = pouring.await.unwrap();
    assert!(written <= 300_000, "{written}");
}

#[tokio::test]
async fn a_message_may_be_far_larger_than_the_marks_and_one_at_a_time_is_taken() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(0));
    assert!(
        poll(pin!(socket.send(vec![0; 10 << 20])))
            .await
            .is_pending()
    );
    let held = socket.buffered();
    assert!(held >= 10 << 20);
    assert!(poll(pin!(socket.send("next"))).await.is_pending());
    assert_eq!(socket.buffered(), held);
    hand.room(None);
    socket.send("next").await.unwrap();
    assert_eq!(socket.buffered(), 0);
    assert!(hand.take().ends_with(&frame(TEXT, b"next")));
}

#[tokio::test]
async fn what_waits_is_thrown_away_when_the_connection_fails() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(0));
    assert!(poll(pin!(socket.send(vec![0; 100_000]))).await.is_pending());
    hand.send(&[0xFF]);
    hand.end();
    assert!(poll(pin!(socket.recv())).await.is_pending());
    // No more than what had been encoded, and the close frame.
    assert!(socket.buffered() <= 70_000, "{}", socket.buffered());
    hand.room(None);
    assert_eq!(socket.recv().await.unwrap_err().kind(), ErrorKind::Protocol);
    assert_eq!(socket.buffered(), 0);
    assert_eq!(socket.closed().unwrap().code, CloseCode::ABNORMAL);
    let last = closing(1002, "reserved bit without an extension");
    assert!(hand.take().ends_with(&last));
}
