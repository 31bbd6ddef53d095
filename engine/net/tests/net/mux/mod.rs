//! Many WebSockets over one connection.

mod channels;
mod pool;
mod serving;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cloverleaf::proto::extension::Extensions;
use cloverleaf::proto::handshake::Peer;
use cloverleaf::{
    Acceptor, Client, Config, Error, Multiplexer, Server, ServerOptions, Transport, WebSocket,
    request,
};
use cloverleaf_mux::Mux;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::ends::quiet;

fn with(mux: Mux) -> Config {
    let mut config = quiet();
    config.extensions = Extensions::new().with(mux).unwrap();
    config
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) -> Result<(), Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// A client and a server over a pipe. The server hands its channels out.
struct Pair {
    first: WebSocket<DuplexStream>,
    /// The server's end of it.
    served: WebSocket<DuplexStream>,
    multiplexer: Multiplexer<DuplexStream>,
    accepted: mpsc::UnboundedReceiver<WebSocket<DuplexStream>>,
    server: JoinHandle<Result<(), Error>>,
}

impl Pair {
    async fn new() -> Self {
        Self::over(duplex(64 << 10), with(Mux::new()), ServerOptions::default()).await
    }

    async fn over(
        (near, far): (DuplexStream, DuplexStream),
        config: Config,
        options: ServerOptions,
    ) -> Self {
        let (sender, mut accepted) = mpsc::unbounded_channel();
        let acceptor = Acceptor::new(config.clone(), options);
        let handler = move |socket| {
            // A test that wants no more sockets has ended.
            let _ = sender.send(socket);
            std::future::ready(Ok(()))
        };
        let server = tokio::spawn(async move { acceptor.serve(far, handler).await });
        let client = Client::new(config);
        let request = request("ws://localhost/").unwrap();
        let (first, multiplexer) = client.multiplex_over(near, request).await.unwrap();
        let multiplexer = multiplexer.expect("the server speaks it");
        Self {
            first,
            served: accepted.recv().await.unwrap(),
            multiplexer,
            accepted,
            server,
        }
    }

    async fn accept(&mut self) -> WebSocket<DuplexStream> {
        self.accepted.recv().await.unwrap()
    }

    /// One more, at both ends.
    async fn open(&mut self) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
        let request = request("ws://localhost/more").unwrap();
        let client = self.multiplexer.open(request).await.unwrap();
        (client, self.accept().await)
    }
}

/// A server on TCP that counts its connections by the addresses of their clients.
struct Served {
    address: SocketAddr,
    sockets: Arc<AtomicUsize>,
    peers: Arc<std::sync::Mutex<std::collections::BTreeSet<SocketAddr>>>,
    stop: oneshot::Sender<()>,
    drained: JoinHandle<cloverleaf::Drained>,
}

impl Served {
    async fn start(configure: impl FnOnce(Server) -> Server) -> Self {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let server = configure(server.config(with(Mux::new())));
        let address = server.local_addr().unwrap();
        let sockets = Arc::new(AtomicUsize::new(0));
        let peers = Arc::<std::sync::Mutex<std::collections::BTreeSet<_>>>::default();
        let (counted, seen) = (Arc::clone(&sockets), Arc::clone(&peers));
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let handler = move |socket: WebSocket<Transport>| {
            counted.fetch_add(1, Ordering::SeqCst);
            let peer = socket.opening().handshake.extension::<Peer>();
            let peer = peer.unwrap().address.unwrap();
            seen.lock().unwrap().insert(peer);
            echo(socket)
        };
        let drained = tokio::spawn(server.serve_until(stopped, handler));
        Self {
            address,
            sockets,
            peers,
            stop,
            drained,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// WebSockets, and the connections that they came over.
    fn counts(&self) -> (usize, usize) {
        let connections = self.peers.lock().unwrap().len();
        (self.sockets.load(Ordering::SeqCst), connections)
    }

    async fn stop(self) -> cloverleaf::Drained {
        self.stop.send(()).unwrap();
        self.drained.await.unwrap()
    }
}

async fn echoes<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocket<S>, text: &str) {
    socket.send(text).await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(text.into()));
}
