//! The echo server: our subject in the role of a server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use cloverleaf::proto::Config;
use cloverleaf::{Error, Server, ServerTls, WebSocket};

/// When told to stop, connections have so long to end.
const DRAIN: Duration = Duration::from_secs(2);

/// A server that sends every message back as it came.
#[derive(Debug)]
pub struct EchoServer {
    server: Server,
    scheme: &'static str,
}

impl EchoServer {
    /// Listens on `address`, with TLS if there is a certificate. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<ServerTls>,
        config: Config,
    ) -> Result<Self, Error> {
        let server = Server::bind(address)
            .await?
            .config(config)
            .drain_timeout(DRAIN);
        Ok(match tls {
            Some(tls) => Self {
                server: server.tls(tls),
                scheme: "wss",
            },
            None => Self {
                server,
                scheme: "ws",
            },
        })
    }

    /// Where it listens: `ws://127.0.0.1:9001`.
    ///
    /// # Errors
    ///
    /// If the operating system does not say.
    pub fn url(&self) -> io::Result<String> {
        Ok(format!("{}://{}", self.scheme, self.server.local_addr()?))
    }

    /// Serves until `stop` is ready.
    pub async fn serve_until(self, stop: impl Future<Output = ()>) {
        self.server.serve_until(stop, echo).await;
    }
}

async fn echo(mut socket: WebSocket<cloverleaf::Transport>) -> Result<(), Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
