//! Connections that we open.

use std::sync::Arc;
use std::time::Duration;

use cloverleaf_proto::Config;
use cloverleaf_proto::handshake::{Authenticator, ClientRequest, HandshakeError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::multiplexer::{Multiplexer, Place, start};
use crate::opening::{self, Asking, Open, unasked, undivided};
use crate::proxy::Proxies;
use crate::socket::WebSocket;
use crate::tcp;
#[cfg(feature = "rustls")]
use crate::tls::{ClientTls, TlsSession};
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
    authenticator: Option<Arc<dyn Authenticator>>,
    max_redirects: usize,
    proxies: Proxies,
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
            authenticator: None,
            max_redirects: 0,
            proxies: Proxies::default(),
            open_timeout: Duration::from_secs(10),
        }
    }

    /// Answers challenges with this, such as the credentials of the crate `cloverleaf-auth`: on the
    /// connection there is, or on a new one if the server ends it. Nothing is sent to an origin that a
    /// redirect leads to. Default: a challenge is an error.
    #[must_use]
    pub fn authenticate(mut self, authenticator: impl Authenticator + 'static) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Follows so many redirects (301, 302, 303, 307, 308), never from `wss` to `ws`; see
    /// [`ClientRequest::redirected`]. Default 0, as in browsers. A connection that carries many is
    /// opened without.
    #[must_use]
    pub const fn max_redirects(mut self, redirects: usize) -> Self {
        self.max_redirects = redirects;
        self
    }

    /// Checks servers like this. Default: [`ClientTls::webpki`].
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Reaches servers through this [`Proxy`](crate::Proxy), or through
    /// [those of the environment](Proxies::from_environment). Default: through none.
    #[must_use]
    pub fn proxy(mut self, proxies: impl Into<Proxies>) -> Self {
        self.proxies = proxies.into();
        self
    }

    /// What [`open_timeout`](Self::open_timeout) says.
    pub(crate) const fn patience(&self) -> Duration {
        self.open_timeout
    }

    /// Name look-up, TCP, what a proxy asks, TLS and the opening handshake together may take this long.
    /// Default 10 s.
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
        let mut request = request.open_timeout(self.open_timeout);
        let mut authenticator = self.authenticator.as_deref();
        for _ in 0..self.max_redirects {
            let config = Arc::clone(&self.undivided);
            let opened = self.ask(&request, authenticator, config, started).await;
            let next = match opened {
                Err(error) => redirected(&request, error)?,
                Ok(open) => return one(open),
            };
            if !next.is_same_origin(&request) {
                authenticator = None;
            }
            request = next;
        }
        let config = Arc::clone(&self.undivided);
        one(self.ask(&request, authenticator, config, started).await?)
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
        let (config, place) = (Arc::clone(&self.config), Place::of(&request));
        let open = self.ask_over(stream, request, config).await?;
        Ok(self.divide(open, place, None))
    }

    /// `idle`: without a WebSocket for so long, the connection is closed.
    pub(crate) async fn multiplex_until(
        &self,
        request: ClientRequest,
        idle: Option<Duration>,
    ) -> Result<(WebSocket<Transport>, Option<Multiplexer<Transport>>), Error> {
        let started = Instant::now();
        let request = request.open_timeout(self.open_timeout);
        let (config, place) = (Arc::clone(&self.config), Place::of(&request));
        let authenticator = self.authenticator.as_deref();
        let open = self.ask(&request, authenticator, config, started).await?;
        Ok(self.divide(open, place, idle))
    }

    fn divide<S>(
        &self,
        open: Open<S>,
        place: Place,
        idle: Option<Duration>,
    ) -> (WebSocket<S>, Option<Multiplexer<S>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match open {
            Open::One(socket) => (socket, None),
            Open::Many(physical, opening) => {
                let socket = start(&physical, *opening, idle);
                let authenticator = self.authenticator.clone();
                let multiplexer =
                    Multiplexer::new(physical, place, authenticator, self.open_timeout);
                (socket, Some(multiplexer))
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
        let config = Arc::clone(&self.undivided);
        one(self.ask_over(stream, request, config).await?)
    }

    /// The opening handshake, on as many connections as it takes.
    async fn ask(
        &self,
        request: &ClientRequest,
        authenticator: Option<&dyn Authenticator>,
        config: Arc<Config>,
        started: Instant,
    ) -> Result<Open<Transport>, Error> {
        let mut asking = Asking::new(request.clone(), authenticator, config, started)?;
        loop {
            let stream = self.reach(request, started).await?;
            // Boxed: the state of a handshake is large, and gone once it is over.
            match Box::pin(asking.over(stream)).await? {
                Ok(open) => return Ok(open),
                Err(again) => asking = again,
            }
        }
    }

    /// The same on the one connection there is.
    async fn ask_over<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        request: ClientRequest,
        config: Arc<Config>,
    ) -> Result<Open<S>, Error> {
        let request = request.open_timeout(self.open_timeout);
        let authenticator = self.authenticator.as_deref();
        let asking = Asking::new(request, authenticator, config, Instant::now())?;
        Box::pin(asking.over(stream)).await?.map_err(|_| {
            let message = "the server asks for credentials and ends the connection: \
                           open another stream and try again, or let the client connect";
            Error::new(ErrorKind::Closed, message)
        })
    }

    /// Name look-up, TCP and TLS.
    async fn reach(&self, request: &ClientRequest, started: Instant) -> Result<Transport, Error> {
        let open = async {
            let stream = match self.proxies.of(request) {
                Some(proxy) => proxy.reach(request).await?,
                None => direct(request).await?,
            };
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
        Ok(Transport::Tls(Box::new(TlsSession(session.into()))))
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

/// Without a proxy.
async fn direct(request: &ClientRequest) -> Result<TcpStream, Error> {
    let address = (request.host(), request.port());
    let stream = TcpStream::connect(address).await.map_err(|error| {
        let message = format!("cannot connect to {}:{}: {error}", address.0, address.1);
        Error::new(ErrorKind::Io, message).caused_by(error)
    })?;
    tcp::prepare(&stream);
    Ok(stream)
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

/// Where an answer that is an error sends us on.
fn redirected(request: &ClientRequest, error: Error) -> Result<ClientRequest, Error> {
    let Some(response) = error.response() else {
        return Err(error);
    };
    match request.redirected(response.status(), response.headers()) {
        Ok(Some(next)) => Ok(next),
        Ok(None) => Err(error),
        Err(impossible) => {
            let response = response.clone();
            Err(unasked(impossible).with_response(response))
        }
    }
}

/// What an undivided configuration leads to.
fn one<S: AsyncRead + AsyncWrite + Unpin>(open: Open<S>) -> Result<WebSocket<S>, Error> {
    match open {
        Open::One(socket) => Ok(socket),
        Open::Many(..) => Err(opening::failed(HandshakeError::Unfinished)),
    }
}
