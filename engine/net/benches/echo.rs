//! Echo from end to end, over a pipe in memory and over TCP on the loopback: what a message costs
//! both ends together. The server runs the loop that everybody writes first.
//!
//! `cargo bench -p cloverleaf --bench echo`

use std::time::Duration;

use bytes::Bytes;
use cloverleaf::{Client, Config, Message, Server, WebSocket, accept, config, request};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use futures_util::SinkExt;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};

/// Octets in a message, and how many messages are on their way at once.
const LOADS: [(usize, usize); 6] = [
    (20, 1),
    (20, 16),
    (1 << 10, 1),
    (1 << 10, 16),
    (64 << 10, 1),
    (64 << 10, 16),
];

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system has what a runtime needs")
}

fn quiet() -> Config {
    let mut config = config();
    config.timing.ping_interval = Some(Duration::from_secs(3600));
    config
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocket<S>,
) -> Result<(), cloverleaf::Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// Sends so many messages in one go and takes as many answers. What is on its way at once fits into
/// the pipe, or into the buffers of the kernel: nobody reads while this writes.
async fn round<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    payload: &Bytes,
    in_flight: usize,
) {
    for _ in 0..in_flight {
        let message = Message::Binary(payload.clone());
        socket.feed(message).await.expect("the connection is open");
    }
    SinkExt::flush(socket)
        .await
        .expect("the connection is open");
    for _ in 0..in_flight {
        let echoed = socket.recv().await.expect("the connection is open");
        assert_eq!(
            echoed.map_or(0, |message| message.payload().len()),
            payload.len()
        );
    }
}

fn measure<S: AsyncRead + AsyncWrite + Unpin>(
    bencher: Bencher<'_, '_>,
    runtime: &Runtime,
    mut socket: WebSocket<S>,
    (length, in_flight): (usize, usize),
) {
    let payload = Bytes::from(vec![b'x'; length]);
    bencher
        .counter(ItemsCount::new(in_flight))
        .counter(BytesCount::new(length * in_flight))
        .bench_local(|| runtime.block_on(round(&mut socket, &payload, in_flight)));
}

#[divan::bench(args = LOADS)]
fn pipe(bencher: Bencher<'_, '_>, load: (usize, usize)) {
    let runtime = runtime();
    let socket: WebSocket<DuplexStream> = runtime.block_on(async {
        // Room for everything: the client writes all of it before it reads.
        let (near, far) = duplex(2 << 20);
        tokio::spawn(async move { echo(accept(far).await?).await });
        let request = request("ws://localhost/").expect("a URL");
        let client = Client::new(quiet());
        client.open(near, request).await.expect("it is accepted")
    });
    measure(bencher, &runtime, socket, load);
}

#[divan::bench(args = LOADS)]
fn tcp(bencher: Bencher<'_, '_>, load: (usize, usize)) {
    let runtime = runtime();
    let socket = runtime.block_on(async {
        let server = Server::bind("127.0.0.1:0").await.expect("a free port");
        let address = server.local_addr().expect("it listens");
        tokio::spawn(server.serve(echo));
        let url = format!("ws://{address}/");
        let client = Client::new(quiet());
        client.connect(&url).await.expect("it is accepted")
    });
    measure(bencher, &runtime, socket, load);
}
