//! Connections that we open.

use std::sync::Arc;
use std::time::Duration;

use cloverleaf_proto::Config;
use cloverleaf_proto::handshake::{ClientRequest, HandshakeError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::multiplexer::{Multiplexer, Place, start};
use crate::opening::{self, Open, undivided};
use crate::socket::WebSocket;
use crate::tcp;
#[cfg(feature = "rustls")]
use crate::tls::ClientTls;
use crate::transport::Transport;

/// Opens a WebSocket to a `ws://` or `wss://` URL with the default settings.
///
/// Certificates are checked against the authorities of the Mozilla programme. For anything else, use
/// a [`Client`].
///
/// # Errors
///
/// What is no such URL, what cannot be reached within 10 s, a certificate that is not trusted, or a
/// server that answers anything but 101.
pub async fn connect(url: &str) -> Result<WebSocket<Transport>, Error> {
    Client::new(crate::config()).connect(url).await
}

/// Opens connections with one set of settings.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<Config>,
    /// The same without what splits connections.
    undivided: Arc<Config>,
    #[cfg(feature = "rustls")]
    tls: Option<ClientTls>,
    open_timeout: Duration,
}

impl Client {
    /// A client with these settings.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            undivided: undivided(&config),
            config: Arc::new(config),
            #[cfg(feature = "rustls")]
            tls: None,
            open_timeout: Duration::from_secs(10),
        }
    }

    /// Checks servers like this. Default: [`ClientTls::webpki`].
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// What [`open_timeout`](Self::open_timeout) says.
    pub(crate) const fn patience(&self) -> Duration {
        self.open_timeout
    }

    /// Name look-up, TCP, TLS and the opening handshake together may take this long. Default 10 s.
    #[must_use]
    pub const fn open_timeout(mut self, timeout: Duration) -> Self {
        self.open_timeout = timeout;
        self
    }

    /// Opens a WebSocket to a `ws://` or `wss://` URL.
    ///
    /// # Errors
    ///
    /// As [`connect`].
    pub async fn connect(&self, url: &str) -> Result<WebSocket<Transport>, Error> {
        self.request(request(url)?).await
    }

    /// Opens a WebSocket with a request that says more than a URL: headers, subprotocols, required
    /// extensions. It has a connection of its own: multiplexing is not offered.
    ///
    /// # Errors
    ///
    /// As [`connect`].
    pub async fn request(&self, request: ClientRequest) -> Result<WebSocket<Transport>, Error> {
        let started = Instant::now();
        let request = request.open_timeout(self.open_timeout);
        let stream = self.reach(&request, started).await?;
        let config = Arc::clone(&self.undivided);
        // Boxed: the state of a handshake is large, and gone once it is over.
        let open = Box::pin(opening::connect(stream, request, config, started));
        one(open.await?)
    }

    /// Opens a WebSocket over a connection that may carry more of them, and a handle to open those
    /// with. `None` in its place if the server does not speak the extension for that, or there is
    /// none in [`Config::extensions`].
    ///
    /// # Errors
    ///
    /// As [`connect`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn multiplex(
        &self,
        request: ClientRequest,
    ) -> Result<(WebSocket<Transport>, Option<Multiplexer<Transport>>), Error> {
        self.multiplex_until(request, None).await
    }

    /// The same over a byte stream that there is already.
    ///
    /// # Errors
    ///
    /// As [`connect`], but for what concerns reaching the server.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn multiplex_over<S>(
        &self,
        stream: S,
        request: ClientRequest,
    ) -> Result<(WebSocket<S>, Option<Multiplexer<S>>), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let request = request.open_timeout(self.open_timeout);
        self.divide(stream, request, Instant::now(), None).await
    }

    /// `idle`: without a WebSocket for so long, the connection is closed.
    pub(crate) async fn multiplex_until(
        &self,
        request: ClientRequest,
        idle: Option<Duration>,
    ) -> Result<(WebSocket<Transport>, Option<Multiplexer<Transport>>), Error> {
        let started = Instant::now();
        let request = request.open_timeout(self.open_timeout);
        let stream = self.reach(&request, started).await?;
        self.divide(stream, request, started, idle).await
    }

    async fn divide<S>(
        &self,
        stream: S,
        request: ClientRequest,
        started: Instant,
        idle: Option<Duration>,
    ) -> Result<(WebSocket<S>, Option<Multiplexer<S>>), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let place = Place::of(&request);
        let config = Arc::clone(&self.config);
        let open = Box::pin(opening::connect(stream, request, config, started));
        match open.await? {
            Open::One(socket) => Ok((socket, None)),
            Open::Many(physical, opening) => {
                let socket = start(&physical, *opening, idle);
                let multiplexer = Multiplexer::new(physical, place, self.open_timeout);
                Ok((socket, Some(multiplexer)))
            }
        }
    }

    /// Opens a WebSocket over a byte stream that there is already; TLS, if there is any, is below
    /// it.
    ///
    /// # Errors
    ///
    /// As [`connect`], but for what concerns reaching the server.
    pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        request: ClientRequest,
    ) -> Result<WebSocket<S>, Error> {
        let request = request.open_timeout(self.open_timeout);
        let config = Arc::clone(&self.undivided);
        one(opening::connect(stream, request, config, Instant::now()).await?)
    }

    /// Name look-up, TCP and TLS.
    async fn reach(&self, request: &ClientRequest, started: Instant) -> Result<Transport, Error> {
        let open = async {
            let address = (request.host(), request.port());
            let stream = TcpStream::connect(address).await.map_err(|error| {
                let message = format!("cannot connect to {}:{}: {error}", address.0, address.1);
                Error::new(ErrorKind::Io, message).caused_by(error)
            })?;
            tcp::prepare(&stream);
            if request.is_secure() {
                self.secure(request.host(), stream).await
            } else {
                Ok(Transport::Plain(stream))
            }
        };
        match tokio::time::timeout_at(started + self.open_timeout, open).await {
            Ok(stream) => stream,
            Err(_) => Err(not_reached()),
        }
    }

    #[cfg(feature = "rustls")]
    async fn secure(&self, host: &str, stream: TcpStream) -> Result<Transport, Error> {
        let tls = self.tls.clone().unwrap_or_else(ClientTls::webpki);
        let session = tls.connect(host, stream).await?;
        Ok(Transport::ClientTls(Box::new(
            crate::transport::TlsSession(session),
        )))
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_async, reason = "the same shape as with TLS")]
    async fn secure(&self, _: &str, _: TcpStream) -> Result<Transport, Error> {
        Err(Error::new(
            ErrorKind::Url,
            "built without TLS; enable the feature `rustls`",
        ))
    }
}

/// A request for a URL, to add headers and subprotocols to.
///
/// # Errors
///
/// What is no `ws://` or `wss://` URL.
pub fn request(url: &str) -> Result<ClientRequest, Error> {
    ClientRequest::new(url)
        .map_err(|error| Error::new(ErrorKind::Url, error.to_string()).caused_by(error))
}

pub(crate) fn not_reached() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "the server could not be reached in time",
    )
}

/// What an undivided configuration leads to.
fn one<S: AsyncRead + AsyncWrite + Unpin>(open: Open<S>) -> Result<WebSocket<S>, Error> {
    match open {
        Open::One(socket) => Ok(socket),
        Open::Many(..) => Err(opening::failed(HandshakeError::Unfinished)),
    }
}
