//! The two ends of a connection, each of them ours or written by hand.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use cloverleaf::proto::handshake::accept_key;
use cloverleaf::{Acceptor, Client, Config, ServerOptions, WebSocket, config, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::script::{Hand, Script};

pub(crate) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\
    Host: localhost\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

/// The answer to a request, as a server by hand gives it.
pub(crate) fn answer(request: &[u8]) -> Vec<u8> {
    let request = std::str::from_utf8(request).unwrap();
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap();
    let accept = accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes()
}

/// The default settings, without pings of its own accord.
pub(crate) fn quiet() -> Config {
    let mut config = config();
    config.timing.ping_interval = None;
    config
}

/// A client and a server of ours over a pipe that holds `capacity` octets each way.
pub(crate) async fn pair(
    client: Config,
    server: Config,
    capacity: usize,
) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (near, far) = duplex(capacity);
    let acceptor = Acceptor::new(server, ServerOptions::default());
    let opener = Client::new(client);
    let (client, server) = tokio::join!(
        opener.open(near, request("ws://localhost/").unwrap()),
        acceptor.accept(far),
    );
    (client.unwrap(), server.unwrap())
}

/// A server of ours, and a client by hand.
pub(crate) async fn server(config: Config, capacity: usize) -> (WebSocket<DuplexStream>, Peer) {
    let (near, far) = duplex(capacity);
    let mut peer = Peer(near);
    let acceptor = Acceptor::new(config, ServerOptions::default());
    let (socket, _) = tokio::join!(acceptor.accept(far), async {
        peer.write(REQUEST).await;
        peer.head().await
    });
    (socket.unwrap(), peer)
}

/// A client of ours, and a server by hand.
pub(crate) async fn client(config: Config, capacity: usize) -> (WebSocket<DuplexStream>, Peer) {
    let (near, far) = duplex(capacity);
    let mut peer = Peer(far);
    let opener = Client::new(config);
    let (socket, ()) = tokio::join!(
        opener.open(near, request("ws://localhost/").unwrap()),
        async {
            let answer = answer(&peer.head().await);
            peer.write(&answer).await;
        }
    );
    (socket.unwrap(), peer)
}

/// A server of ours over a script.
pub(crate) async fn scripted_server(config: Config) -> (WebSocket<Script>, Hand) {
    let (stream, hand) = Script::new();
    hand.send(REQUEST);
    let acceptor = Acceptor::new(config, ServerOptions::default());
    let socket = acceptor.accept(stream).await.unwrap();
    hand.take();
    (socket, hand)
}

/// A client of ours over a script.
pub(crate) async fn scripted_client(config: Config) -> (WebSocket<Script>, Hand) {
    let (stream, hand) = Script::new();
    let opener = Client::new(config);
    let (socket, ()) = tokio::join!(
        opener.open(stream, request("ws://localhost/").unwrap()),
        async {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                tokio::task::yield_now().await;
                request.extend(hand.take());
            }
            hand.send(&answer(&request));
        }
    );
    hand.take();
    (socket.unwrap(), hand)
}

/// The other end, by hand.
#[derive(Debug)]
pub(crate) struct Peer(pub(crate) DuplexStream);

impl Peer {
    pub(crate) async fn write(&mut self, octets: &[u8]) {
        self.0.write_all(octets).await.unwrap();
    }

    /// The head of a request or of an answer.
    pub(crate) async fn head(&mut self) -> Vec<u8> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        head
    }

    pub(crate) async fn read(&mut self, n: usize) -> Vec<u8> {
        let mut octets = vec![0; n];
        self.0.read_exact(&mut octets).await.unwrap();
        octets
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.0.read_to_end(&mut octets).await.unwrap();
        octets
    }
}

/// Seconds.
pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Polls once.
pub(crate) async fn poll<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
