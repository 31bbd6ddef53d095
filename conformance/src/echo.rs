//! The echo server: our subject in the role of a server.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cloverleaf::proto::Config;
use cloverleaf::proto::extension::Statistics;
use cloverleaf::{Error, Server, ServerOptions, ServerTls, Transport, WebSocket};

/// When told to stop, connections have so long to end.
const DRAIN: Duration = Duration::from_secs(2);

/// A server that sends every message back as it came.
pub struct EchoServer {
    server: Server,
    scheme: &'static str,
    observer: Option<Arc<dyn Observer>>,
}

/// Learns of every WebSocket of an [`EchoServer`].
pub trait Observer: Send + Sync {
    /// One is open.
    fn opened(&self, socket: &WebSocket<Transport>);

    /// It has ended, cleanly without an error, and its extensions have done this.
    fn ended(
        &self,
        socket: &WebSocket<Transport>,
        statistics: &[Statistics],
        error: Option<&Error>,
    );
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
        let (server, scheme) = match tls {
            Some(tls) => (server.tls(tls), "wss"),
            None => (server, "ws"),
        };
        Ok(Self {
            server,
            scheme,
            observer: None,
        })
    }

    /// Sets how requests are answered.
    #[must_use]
    pub fn options(mut self, options: ServerOptions) -> Self {
        self.server = self.server.options(options);
        self
    }

    /// Tells an observer of every connection.
    #[must_use]
    pub fn observed(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
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
        let observer = self.observer;
        let handler = move |socket| serve(socket, observer.clone());
        self.server.serve_until(stop, handler).await;
    }
}

impl std::fmt::Debug for EchoServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EchoServer")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

async fn serve(
    mut socket: WebSocket<Transport>,
    observer: Option<Arc<dyn Observer>>,
) -> Result<(), Error> {
    let Some(observer) = observer else {
        return echo(&mut socket).await;
    };
    observer.opened(&socket);
    let (result, statistics) = if socket.get_ref().is_some() {
        let result = echo(&mut socket).await;
        (result, socket.statistics())
    } else {
        let mut statistics = Vec::new();
        let result = echo_counted(&mut socket, &mut statistics).await;
        (result, statistics)
    };
    observer.ended(&socket, &statistics, result.as_ref().err());
    result
}

/// The same for one of many on a connection, which has no statistics any more when it has ended.
async fn echo_counted(
    socket: &mut WebSocket<Transport>,
    statistics: &mut Vec<Statistics>,
) -> Result<(), Error> {
    loop {
        let message = poll_fn(|cx| {
            *statistics = socket.statistics();
            pin!(socket.recv()).poll(cx)
        });
        let Some(message) = message.await? else {
            return Ok(());
        };
        socket.send(message).await?;
    }
}

async fn echo(socket: &mut WebSocket<Transport>) -> Result<(), Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
