//! Connections that we accept.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cloverleaf_proto::Config;
use cloverleaf_proto::handshake::{Decision, Peer, Rejection, ServerOptions, TrustedProxies};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::driver::Drain;
use crate::error::{Error, ErrorKind};
use crate::opening::{Incoming, Open, undivided};
use crate::proxy_protocol::{self, Source};
use crate::serving::{MAX_CHANNELS, serve};
use crate::socket::WebSocket;
use crate::tcp;
#[cfg(feature = "rustls")]
use crate::tls::{ServerTls, TlsSession};
use crate::transport::Transport;

/// Accepts a WebSocket on a byte stream with the default settings.
///
/// # Errors
///
/// A client that asked for something else, which has been answered, or an error of the stream.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Result<WebSocket<S>, Error> {
    Acceptor::new(crate::config(), ServerOptions::default())
        .accept(stream)
        .await
}

/// Accepts WebSockets on byte streams that the caller accepts.
#[derive(Clone, Debug)]
pub struct Acceptor {
    config: Arc<Config>,
    /// The same without what splits connections.
    undivided: Arc<Config>,
    options: Arc<ServerOptions>,
}

impl Acceptor {
    /// An acceptor with these settings.
    #[must_use]
    pub fn new(config: Config, options: ServerOptions) -> Self {
        Self {
            undivided: undivided(&config),
            config: Arc::new(config),
            options: Arc::new(options),
        }
    }

    /// Accepts a WebSocket as the options say. Multiplexing is not accepted: see
    /// [`serve`](Self::serve).
    ///
    /// # Errors
    ///
    /// As [`accept`].
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<WebSocket<S>, Error> {
        self.receive(stream).await?.accept().await
    }

    /// Reads a request and leaves the decision to the caller.
    ///
    /// # Errors
    ///
    /// As [`accept`].
    pub async fn receive<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<Incoming<S>, Error> {
        let (options, config) = (Arc::clone(&self.options), Arc::clone(&self.undivided));
        let context = http::Extensions::new();
        Incoming::read(stream, options, config, context, None, Instant::now()).await
    }

    /// Serves one connection until its end, with every WebSocket on it: one, or as many as its client
    /// opens, if multiplexing is agreed. Each is handed to a handler; several at once, each in a task
    /// of its own.
    ///
    /// # Errors
    ///
    /// As [`accept`], and what the handler of a connection without multiplexing returns.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, if multiplexing is agreed.
    pub async fn serve<S, H, F>(&self, stream: S, handler: H) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: Fn(WebSocket<S>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (options, config) = (Arc::clone(&self.options), Arc::clone(&self.config));
        let context = http::Extensions::new();
        let incoming =
            Incoming::read(stream, options, config, context, None, Instant::now()).await?;
        let open = incoming.open().await?;
        serve(open, &Arc::new(handler), None, MAX_CHANNELS).await
    }
}

/// A server on TCP, with or without TLS: accepts, hands each WebSocket to a handler in a task of its
/// own, and stops gracefully. With an extension for multiplexing in its configuration, one connection
/// may carry many of them; a handler cannot tell, unless it asks for the
/// [byte stream](WebSocket::get_ref).
///
/// ```no_run
/// # #[tokio::main] async fn main() -> Result<(), cloverleaf::Error> {
/// let server = cloverleaf::Server::bind("127.0.0.1:9001").await?;
/// server
///     .serve(|mut socket| async move {
///         while let Some(message) = socket.recv().await? {
///             socket.send(message).await?;
///         }
///         Ok(())
///     })
///     .await
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    config: Arc<Config>,
    options: ServerOptions,
    #[cfg(feature = "rustls")]
    tls: Option<ServerTls>,
    proxy_protocol: TrustedProxies,
    max_connections: Option<usize>,
    max_channels: usize,
    max_pending: usize,
    drain_timeout: Duration,
}

/// How the connections of a server that was told to stop came to their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Their handlers ended.
    pub clean: usize,
    /// They were cut off when the time was up.
    pub forced: usize,
}

impl Server {
    /// Listens on an address. Port 0 takes a free one; see [`local_addr`](Self::local_addr).
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub async fn bind(address: impl ToSocketAddrs) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Error::new(ErrorKind::Io, format!("cannot listen: {error}")).caused_by(error)
        })?;
        Ok(Self::on(listener))
    }

    /// Serves on a listener that there is already.
    #[must_use]
    pub fn on(listener: TcpListener) -> Self {
        Self {
            listener,
            config: Arc::new(crate::config()),
            options: ServerOptions::default(),
            #[cfg(feature = "rustls")]
            tls: None,
            proxy_protocol: TrustedProxies::none(),
            max_connections: None,
            max_channels: MAX_CHANNELS,
            max_pending: 1024,
            drain_timeout: Duration::from_secs(30),
        }
    }

    /// Sets how connections behave.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = Arc::new(config);
        self
    }

    /// Sets how requests are answered: origins, subprotocols, guards, headers.
    #[must_use]
    pub fn options(mut self, options: ServerOptions) -> Self {
        self.options = options;
        self
    }

    /// Serves channels also over this subprotocol: for browsers, which cannot offer extensions. The
    /// extension for it must be in the configuration. Default: no.
    /// See [`ServerOptions::channels_over`].
    #[must_use]
    pub fn channels_over(mut self, subprotocol: impl Into<String>) -> Self {
        self.options.channels_over = Some(subprotocol.into());
        self
    }

    /// Serves `wss` with this certificate.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Connections from these addresses begin with a header of the PROXY protocol, version 1 or 2,
    /// before TLS if there is any: it says whose connection it is, and that address is the one that
    /// guards, logs and [`ServerOptions::trusted_proxies`] see. One that does not begin so is closed;
    /// from other addresses such a header is no request, and refused as any other. What a proxy says
    /// of itself (`LOCAL`, `UNKNOWN`) changes nothing. Default: nobody.
    ///
    /// For proxies that pass on TCP, such as HAProxy in TCP mode or a load balancer of the network.
    /// Those that speak HTTP: [`ServerOptions::trusted_proxies`].
    #[must_use]
    pub fn proxy_protocol(mut self, proxies: TrustedProxies) -> Self {
        self.proxy_protocol = proxies;
        self
    }

    /// So many WebSockets of one connection may be in the hands of handlers at once, those included
    /// that are closed already and still held; one more is refused with 503. Default 1,000. How many
    /// may be open is the extension's to say.
    #[must_use]
    pub const fn max_channels(mut self, channels: usize) -> Self {
        self.max_channels = channels;
        self
    }

    /// Answers 503 while so many connections are open, however many WebSockets each carries. Default:
    /// no bound.
    #[must_use]
    pub const fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// So many connections may be in their handshake; one more ends the oldest, so that stalled
    /// ones cannot keep others out. Default 1,024.
    #[must_use]
    pub const fn max_pending(mut self, pending: usize) -> Self {
        self.max_pending = pending;
        self
    }

    /// When told to stop, connections have so long to end. Default 30 s.
    #[must_use]
    pub const fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// Where the server listens.
    ///
    /// # Errors
    ///
    /// If the operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves for ever. A handler that returns closes its connection, with 1000, or with 1011 if it
    /// panics; an error that it returns is logged.
    ///
    /// # Errors
    ///
    /// None, as it is: what goes wrong with one connection is no end for the others.
    pub async fn serve<H, F>(self, handler: H) -> Result<(), Error>
    where
        H: Fn(WebSocket<Transport>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.serve_until(std::future::pending(), handler).await;
        Ok(())
    }

    /// Serves until `stop` is ready. Then no connection is accepted any more, every open one is
    /// closed with 1001 behind what was sent on it, and after `drain_timeout` what is left is cut
    /// off. Dropping the future cuts everything off at once.
    pub async fn serve_until<H, F>(self, stop: impl Future<Output = ()>, handler: H) -> Drained
    where
        H: Fn(WebSocket<Transport>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let drain_timeout = self.drain_timeout;
        let drain = Arc::new(Drain::default());
        let mut tasks = JoinSet::new();
        self.accept_until(stop, &Arc::new(handler), &drain, &mut tasks)
            .await;
        drain.start();
        let deadline = Instant::now() + drain_timeout;
        let mut drained = Drained::default();
        while let Ok(Some(_)) = tokio::time::timeout_at(deadline, tasks.join_next()).await {
            drained.clean += 1;
        }
        drained.forced = tasks.len();
        tasks.shutdown().await;
        drained
    }

    async fn accept_until<H, F>(
        self,
        stop: impl Future<Output = ()>,
        handler: &Arc<H>,
        drain: &Arc<Drain>,
        tasks: &mut JoinSet<()>,
    ) where
        H: Fn(WebSocket<Transport>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let permits = Arc::new(Semaphore::new(
            self.max_connections
                .unwrap_or(Semaphore::MAX_PERMITS)
                .min(Semaphore::MAX_PERMITS),
        ));
        #[cfg_attr(not(feature = "rustls"), expect(unused_mut))]
        let mut options = self.options;
        #[cfg(feature = "rustls")]
        {
            options.tls |= self.tls.is_some();
        }
        let opener = Arc::new(Opener {
            options: Arc::new(options),
            config: self.config,
            max_channels: self.max_channels,
            #[cfg(feature = "rustls")]
            tls: self.tls,
            proxy_protocol: self.proxy_protocol,
            drain: Arc::clone(drain),
        });
        let mut pending = Pending {
            oldest_first: VecDeque::new(),
            most: self.max_pending.max(1),
        };
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => return,
                Some(_) = tasks.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    // Out of descriptors or memory: whoever is connected goes on, and some time
                    // later there may be room again.
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let permit = Arc::clone(&permits).try_acquire_owned().ok();
            let shed = pending.push();
            let (opener, handler) = (Arc::clone(&opener), Arc::clone(handler));
            tasks.spawn(async move {
                run(opener, handler, stream, peer, permit, shed).await;
            });
        }
    }
}

/// One connection, from TCP to its end.
async fn run<H, F>(
    opener: Arc<Opener>,
    handler: Arc<H>,
    stream: TcpStream,
    peer: SocketAddr,
    permit: Option<OwnedSemaphorePermit>,
    shed: oneshot::Receiver<()>,
) where
    H: Fn(WebSocket<Transport>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    // Boxed: the state of a handshake is large, and gone once it is over.
    // One spelling of an address, whichever kind of socket it came to.
    let mut known = Peer::at(SocketAddr::new(peer.ip().to_canonical(), peer.port()));
    let open = Box::pin(opener.open(stream, &mut known, permit.is_some()));
    let opened = tokio::select! {
        opened = open => opened,
        // Not when the server stops and nobody can shed any more: who asks then gets an answer.
        Ok(()) = shed => {
            let peer = known.address.map(tracing::field::display);
            tracing::debug!(peer, "shed: too many handshakes at once");
            return;
        }
    };
    let result = match opened {
        Ok(open) => serve(open, &handler, Some(&opener.drain), opener.max_channels).await,
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        let peer = error.peer().unwrap_or(&known).address;
        let peer = peer.map(tracing::field::display);
        tracing::debug!(peer, %error, "connection ended");
    }
    drop(permit);
}

/// What it takes to get from a TCP connection to a WebSocket.
struct Opener {
    options: Arc<ServerOptions>,
    config: Arc<Config>,
    max_channels: usize,
    #[cfg(feature = "rustls")]
    tls: Option<ServerTls>,
    proxy_protocol: TrustedProxies,
    drain: Arc<Drain>,
}

impl Opener {
    /// `known`: what is known of the client. More and more, also where this fails.
    async fn open(
        &self,
        mut stream: TcpStream,
        known: &mut Peer,
        has_room: bool,
    ) -> Result<Open<Transport>, Error> {
        // One deadline for everything, from the moment of the connection on.
        let started = Instant::now();
        let deadline = started + self.options.open_timeout;
        tcp::prepare(&stream);
        let direct = known.address.map(|it| it.ip());
        if direct.is_some_and(|it| self.proxy_protocol.contains(it))
            && let Source::Client(client) = proxy_protocol::read(&mut stream, deadline).await?
        {
            known.address = Some(client);
        }
        let stream = self.secure(stream, deadline).await?;
        known.secure = stream.is_tls();
        #[cfg(feature = "rustls")]
        if let Some(session) = stream.tls() {
            known.certificates = session.certificates();
            known.server_name = session.server_name().map(str::to_owned);
        }
        let mut context = http::Extensions::new();
        context.insert(known.clone());
        let incoming = Incoming::read(
            stream,
            Arc::clone(&self.options),
            Arc::clone(&self.config),
            context,
            Some(Arc::clone(&self.drain)),
            started,
        )
        .await?;
        if let Some(peer) = incoming.received().peer() {
            known.clone_from(peer);
        }
        if !has_room || self.drain.has_started() {
            let rejection = Rejection::service_unavailable(Some(Duration::from_secs(5)));
            incoming.respond(Decision::Reject(rejection)).await?;
            return Err(Error::new(ErrorKind::Limit, "too many connections"));
        }
        incoming.open().await
    }

    #[cfg(feature = "rustls")]
    async fn secure(&self, stream: TcpStream, deadline: Instant) -> Result<Transport, Error> {
        let Some(tls) = &self.tls else {
            return Ok(Transport::Plain(stream));
        };
        match tokio::time::timeout_at(deadline, tls.accept(stream)).await {
            Ok(session) => Ok(Transport::Tls(Box::new(TlsSession(session?.into())))),
            Err(_) => Err(Error::new(
                ErrorKind::Timeout,
                "TLS with the client took too long",
            )),
        }
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_async, reason = "the same shape as with TLS")]
    async fn secure(&self, stream: TcpStream, _: Instant) -> Result<Transport, Error> {
        Ok(Transport::Plain(stream))
    }
}

/// The connections that are in their handshake.
struct Pending {
    oldest_first: VecDeque<oneshot::Sender<()>>,
    most: usize,
}

impl Pending {
    /// One more. It ends when the receiver is told so, and has left when the receiver is dropped.
    fn push(&mut self) -> oneshot::Receiver<()> {
        if self.oldest_first.len() >= self.most {
            self.oldest_first.retain(|sender| !sender.is_closed());
            if self.oldest_first.len() >= self.most
                && let Some(oldest) = self.oldest_first.pop_front()
            {
                let _ = oldest.send(());
            }
        }
        let (sender, receiver) = oneshot::channel();
        self.oldest_first.push_back(sender);
        receiver
    }
}

/// Errors of `accept` that concern the connection that was to be accepted, not the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
