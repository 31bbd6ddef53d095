//! Connections that we open.

use std::sync::Arc;
use std::time::Duration;

use cloverleaf_proto::Config;
use cloverleaf_proto::handshake::ClientRequest;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::opening::{self, shared};
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
    #[cfg(feature = "rustls")]
    tls: Option<ClientTls>,
    open_timeout: Duration,
}

impl Client {
    /// A client with these settings.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config: shared(config),
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
    /// extensions.
    ///
    /// # Errors
    ///
    /// As [`connect`].
    pub async fn request(&self, request: ClientRequest) -> Result<WebSocket<Transport>, Error> {
        let started = Instant::now();
        let request = request.open_timeout(self.open_timeout);
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
        let Ok(stream) = tokio::time::timeout_at(started + self.open_timeout, open).await else {
            return Err(Error::new(
                ErrorKind::Timeout,
                "the server could not be reached in time",
            ));
        };
        // Boxed: the state of a handshake is large, and gone once it is over.
        Box::pin(opening::connect(
            stream?,
            request,
            Arc::clone(&self.config),
            started,
        ))
        .await
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
        opening::connect(stream, request, Arc::clone(&self.config), Instant::now()).await
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
