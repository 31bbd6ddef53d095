//! Who waits is woken, in time and not in vain.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use cloverleaf::{
    Acceptor, Client, CloseCode, ErrorKind, Multiplexer, Pool, Server, ServerOptions, WebSocket,
    request,
};
use cloverleaf_mux::Mux;
use futures_util::SinkExt;
use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, copy_bidirectional, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::{Pair, echo, with};
use crate::ends::quiet;

/// Longer than any deadline.
const HOUR: Duration = Duration::from_secs(3600);

/// A client whose server hears and says nothing any more, from the opening handshake on.
async fn with_a_deaf_server() -> (WebSocket<DuplexStream>, Multiplexer<DuplexStream>) {
    let (near, mut near_end) = duplex(64 << 10);
    let (far, mut far_end) = duplex(64 << 10);
    let acceptor = Acceptor::new(with(Mux::new()), ServerOptions::default());
    tokio::spawn(async move { acceptor.serve(far, echo).await });
    tokio::spawn(async move {
        let relayed = copy_bidirectional(&mut near_end, &mut far_end);
        let relayed = timeout(Duration::from_millis(200), relayed).await;
        assert!(relayed.is_err(), "nobody has gone");
        // Open, and not read from.
        std::future::pending::<()>().await;
    });
    let client = Client::new(with(Mux::new()));
    let request = request("ws://localhost/").unwrap();
    let (first, multiplexer) = client.multiplex_over(near, request).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    (first, multiplexer.unwrap())
}

/// Counts how often a future is polled.
async fn counted<T>(future: impl Future<Output = T>, polls: &AtomicUsize) -> T {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let polls = polls.fetch_add(1, Ordering::SeqCst);
        assert!(polls < 10_000, "it is polled again and again");
        future.as_mut().poll(cx)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn closing_ends_in_time_whichever_way_it_is_asked_for() {
    let (_first, multiplexer) = with_a_deaf_server().await;
    let begun = Instant::now();
    let closing = multiplexer.close(CloseCode::NORMAL, "");
    timeout(HOUR, closing).await.unwrap().unwrap();
    assert_eq!(begun.elapsed().as_secs(), 10);

    let (first, _multiplexer) = with_a_deaf_server().await;
    let begun = Instant::now();
    let (sender, mut receiver) = first.split();
    let receiving = tokio::spawn(async move { timeout(HOUR, receiver.recv()).await });
    tokio::time::sleep(Duration::from_millis(1)).await;
    sender.close(CloseCode::NORMAL, "").await.unwrap();
    let error = receiving.await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_has_ended_is_closed_again_like_any_socket() {
    let mut pair = Pair::new().await;
    let (mut client, mut server) = pair.open().await;
    let (closed, heard) = tokio::join!(SinkExt::close(&mut client), server.recv());
    closed.unwrap();
    assert_eq!(heard.unwrap(), None);

    let (mut client, _server) = pair.open().await;
    pair.server.abort();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let error = client.close().await.unwrap_err();
    assert_eq!(error.close_code(), Some(CloseCode::ABNORMAL));
    assert_eq!(client.recv().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_full_can_be_closed() {
    let mut pair = Pair::new().await;
    let (mut client, _server) = pair.open().await;
    client.send(vec![0; 20 << 20]).await.unwrap();
    let error = timeout(HOUR, client.close()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn two_that_wait_for_room_do_not_wake_each_other_for_ever() {
    let mut pair = Pair::new().await;
    let polls = Arc::new(AtomicUsize::new(0));
    let mut flushing = vec![];
    for _ in 0..2 {
        let (mut client, server) = pair.open().await;
        let polls = Arc::clone(&polls);
        flushing.push(tokio::spawn(async move {
            let _unread = server;
            client.send(vec![1; 200_000]).await.unwrap();
            counted(client.flush(), &polls).await
        }));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let polls = polls.load(Ordering::SeqCst);
    assert!((2..50).contains(&polls), "{polls}");
    assert!(flushing.iter().all(|flush| !flush.is_finished()));
}

#[tokio::test(start_paused = true)]
async fn a_flush_behind_a_close_of_everything_is_not_polled_in_vain() {
    let (mut first, multiplexer) = with_a_deaf_server().await;
    let closing = tokio::spawn(async move { multiplexer.close(CloseCode::NORMAL, "").await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let polls = AtomicUsize::new(0);
    let flushed = async {
        // It may still be taken: the channel itself is open.
        let _ = first.send("x").await;
        first.flush().await
    };
    let flushed = timeout(HOUR, counted(flushed, &polls)).await;
    assert!(flushed.unwrap().is_err(), "it is thrown away");
    assert!(polls.load(Ordering::SeqCst) < 50);
    closing.await.unwrap().unwrap();
}

/// A stream whose writing side breaks when it is told to.
struct Breaking {
    stream: DuplexStream,
    broken: Arc<AtomicBool>,
}

impl AsyncRead for Breaking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Breaking {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.broken.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_under_a_channel_ends_all_of_them() {
    let (stream, far) = duplex(64 << 10);
    let broken = Arc::new(AtomicBool::new(false));
    let near = Breaking {
        stream,
        broken: Arc::clone(&broken),
    };
    let acceptor = Acceptor::new(with(Mux::new()), ServerOptions::default());
    tokio::spawn(async move { acceptor.serve(far, echo).await });
    let client = Client::new(with(Mux::new()));
    let opening = request("ws://localhost/").unwrap();
    let (mut first, multiplexer) = client.multiplex_over(near, opening).await.unwrap();
    let more = request("ws://localhost/").unwrap();
    let mut other = multiplexer.unwrap().open(more).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    broken.store(true, Ordering::SeqCst);
    first.send("x").await.unwrap();
    for socket in [&mut first, &mut other] {
        let ended = timeout(Duration::from_secs(1), socket.recv()).await;
        assert_eq!(ended.unwrap().unwrap_err().kind(), ErrorKind::Io);
    }
}

#[tokio::test(start_paused = true)]
async fn all_that_a_pool_is_asked_for_fails_in_time_when_the_server_is_deaf() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let pool = Pool::new(Client::new(with(Mux::new())));
    let begun = Instant::now();
    let opened = join_all((0..5).map(|_| pool.connect(&url))).await;
    assert!(opened.iter().all(Result::is_err));
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_server_without_multiplexing_is_asked_by_all_at_once() {
    let server = Server::bind("127.0.0.1:0").await.unwrap().config(quiet());
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(echo));
    // In front of it, somebody who holds each connection back until all but the first are there.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let relay = |mut near: TcpStream| async move {
            let mut far = TcpStream::connect(address).await.unwrap();
            let _ = copy_bidirectional(&mut near, &mut far).await;
        };
        let (first, _) = listener.accept().await.unwrap();
        tokio::spawn(relay(first));
        let mut held = vec![];
        while held.len() < 9 {
            held.push(listener.accept().await.unwrap().0);
        }
        join_all(held.into_iter().map(relay)).await;
    });
    let pool = Pool::new(Client::new(with(Mux::new())));
    let opened = timeout(HOUR, join_all((0..10).map(|_| pool.connect(&url)))).await;
    assert!(opened.unwrap().iter().all(Result::is_ok));
}
