//! The opening handshake over a byte stream, in both roles.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use cloverleaf_proto::extension::Negotiated;
use cloverleaf_proto::handshake::{
    Authenticator, ClientHandshake, ClientProgress, ClientRequest, Decision, Handshake,
    HandshakeError, Opened, Received, RequestError, ResponseHandler, Retry, ServerHandshake,
    ServerOptions, ServerProgress,
};
use cloverleaf_proto::{Config, Connection, Role, Trunk};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::driver::Drain;
use crate::entropy::random;
use crate::error::{Error, ErrorKind};
use crate::io::now;
use crate::socket::{Opening, WebSocket};
use crate::trunk::Physical;

/// Octets read at a time while a head comes in.
const READ: usize = 4096;

/// A configuration for connections that carry one WebSocket each: extensions that split a connection
/// are not offered and not accepted.
pub(crate) fn undivided(config: &Config) -> Arc<Config> {
    let mut config = config.clone();
    config.extensions = config.extensions.without_carriers();
    Arc::new(config)
}

/// What an opening handshake has led to.
pub(crate) enum Open<S: AsyncRead + AsyncWrite + Unpin> {
    /// A WebSocket.
    One(WebSocket<S>),
    /// A connection that carries many, and its own opening handshake.
    Many(Arc<Physical<S>>, Box<Opening>),
}

/// A client's opening handshake: as many attempts as it takes to show who we are, on as many
/// connections as the server makes of it.
pub(crate) struct Asking {
    handshake: ClientHandshake,
    handler: Option<Box<dyn ResponseHandler>>,
    config: Arc<Config>,
}

impl Asking {
    pub(crate) fn new(
        mut request: ClientRequest,
        authenticator: Option<&dyn Authenticator>,
        config: Arc<Config>,
        started: Instant,
    ) -> Result<Self, Error> {
        let handler = begin(&mut request, authenticator)?;
        let handshake =
            ClientHandshake::new(request, random(), Arc::clone(&config), started.into_std())
                .map_err(unasked)?;
        Ok(Self {
            handshake,
            handler,
            config,
        })
    }

    /// Opens a connection over `stream`. `None` if it takes another one: the server has asked for
    /// something that we know, and ends this one.
    pub(crate) async fn over<S: AsyncRead + AsyncWrite + Unpin>(
        mut self,
        mut stream: S,
    ) -> Result<Result<Open<S>, Self>, Error> {
        let handshake = &mut self.handshake;
        let mut buffer = vec![0; READ];
        loop {
            // A close frame for a missing extension has no deadline of its own and gets a second.
            let farewell = Instant::now() + Duration::from_secs(1);
            let deadline = Some(
                handshake
                    .poll_timeout()
                    .unwrap_or_else(|| farewell.into_std()),
            );
            while !handshake.poll_transmit().is_empty() {
                let Some(n) = before(deadline, stream.write(handshake.poll_transmit())).await
                else {
                    handshake.handle_timeout(Instant::now().into_std());
                    break;
                };
                handshake.handle_written(some(n?)?);
            }
            match before(deadline, stream.flush()).await {
                Some(flushed) => flushed?,
                None => handshake.handle_timeout(Instant::now().into_std()),
            }
            match handshake.progress() {
                ClientProgress::NeedsInput => {}
                ClientProgress::Opened => break,
                ClientProgress::Refused | ClientProgress::Failed => {
                    let again = again(handshake, self.handler.as_deref_mut());
                    if again == Some(Retry::SameConnection) {
                        continue;
                    }
                    let _ = before(Some(farewell.into_std()), stream.shutdown()).await;
                    if again == Some(Retry::NewConnection) {
                        return Ok(Err(self));
                    }
                    break;
                }
            }
            match before(handshake.poll_timeout(), stream.read(&mut buffer)).await {
                Some(n) => match n? {
                    0 => handshake.handle_eof(),
                    n => handshake.handle_input(Instant::now().into_std(), &buffer[..n]),
                },
                None => handshake.handle_timeout(Instant::now().into_std()),
            }
        }
        let opened = self.handshake.finish().map_err(failed)?;
        if let Some(handler) = &mut self.handler {
            let said = &opened.handshake;
            handler
                .opened(&said.request(), &said.response())
                .map_err(untrusted)?;
        }
        Ok(Ok(open(
            Role::Client,
            stream,
            self.config,
            Arc::default(),
            http::Extensions::new(),
            opened,
            None,
        )))
    }
}

/// A handler for this request, and what it would have sent with the first attempt.
pub(crate) fn begin(
    request: &mut ClientRequest,
    authenticator: Option<&dyn Authenticator>,
) -> Result<Option<Box<dyn ResponseHandler>>, Error> {
    let Some(authenticator) = authenticator else {
        return Ok(None);
    };
    let mut handler = authenticator.begin(request);
    let headers = handler.prepare(&request.to_http());
    request.replace_headers(&headers).map_err(unasked)?;
    Ok(Some(handler))
}

/// Where another attempt is to be made, if the handler knows one.
fn again(
    handshake: &mut ClientHandshake,
    handler: Option<&mut (dyn ResponseHandler + '_)>,
) -> Option<Retry> {
    let headers = handler?.retry(handshake.request(), handshake.response()?)?;
    handshake.retry(&headers, random()).ok()
}

/// A request that cannot be made.
pub(crate) fn unasked(error: RequestError) -> Error {
    Error::new(ErrorKind::Url, error.to_string()).caused_by(error)
}

/// A server that has not shown what it should have.
pub(crate) fn untrusted(reason: String) -> Error {
    Error::new(ErrorKind::Handshake, reason)
}

/// A request that waits for an answer, at the start of a WebSocket on a server.
///
/// Dropped, it closes the stream without one.
pub struct Incoming<S> {
    stream: S,
    handshake: ServerHandshake,
    config: Arc<Config>,
    options: Arc<ServerOptions>,
    /// Without what the guards leave in the request.
    context: http::Extensions,
    drain: Option<Arc<Drain>>,
    buffer: Vec<u8>,
}

/// Without octets: there may be credentials among them.
impl<S> fmt::Debug for Incoming<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("handshake", &self.handshake)
            .finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Incoming<S> {
    /// Reads a request. What is no acceptable one has been answered when this returns.
    pub(crate) async fn read(
        stream: S,
        options: Arc<ServerOptions>,
        config: Arc<Config>,
        context: http::Extensions,
        drain: Option<Arc<Drain>>,
        started: Instant,
    ) -> Result<Self, Error> {
        let mut handshake = ServerHandshake::new(
            Arc::clone(&options),
            Arc::clone(&config),
            started.into_std(),
        );
        handshake.context_mut().clone_from(&context);
        let mut incoming = Self {
            stream,
            handshake,
            config,
            options,
            context,
            drain,
            buffer: vec![0; READ],
        };
        incoming.advance().await?;
        match incoming.handshake.progress() {
            ServerProgress::Failed => Err(incoming.into_error()),
            _ => Ok(incoming),
        }
    }

    /// The request.
    ///
    /// # Panics
    ///
    /// Never: it is there until it is answered.
    #[must_use]
    pub fn received(&self) -> &Received {
        self.handshake
            .received()
            .expect("there until it is answered")
    }

    /// Opens the connection as the server's options say.
    ///
    /// # Errors
    ///
    /// As [`respond`](Self::respond).
    pub async fn accept(self) -> Result<WebSocket<S>, Error> {
        match self.respond(Decision::accept()).await? {
            Answered::Opened(socket) => Ok(*socket),
            // Options that demand a subprotocol refuse a client without.
            Answered::Again(_) => Err(failed(HandshakeError::Unfinished)),
        }
    }

    /// Answers the request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`] for a decision that cannot be carried out, [`ErrorKind::Handshake`]
    /// behind a refusal that was sent, and the errors of the stream.
    pub async fn respond(self, decision: Decision) -> Result<Answered<S>, Error> {
        match self.decide(decision).await? {
            Ok(Open::One(socket)) => Ok(Answered::Opened(Box::new(socket))),
            // Not with the configuration that an `Acceptor` gives us.
            Ok(Open::Many(..)) => Err(failed(HandshakeError::Unfinished)),
            Err(again) => Ok(Answered::Again(again)),
        }
    }

    /// As the server's options say, in whatever that ends.
    pub(crate) async fn open(self) -> Result<Open<S>, Error> {
        match self.decide(Decision::accept()).await? {
            Ok(open) => Ok(open),
            // Options that demand a subprotocol refuse a client without.
            Err(_) => Err(failed(HandshakeError::Unfinished)),
        }
    }

    /// Answers the request. Inside, `Err` if the client was answered 401 and asks again.
    async fn decide(mut self, decision: Decision) -> Result<Result<Open<S>, Box<Self>>, Error> {
        let impossible = self.handshake.respond(decision).err();
        let advanced = self.advance().await;
        if let Some(error) = impossible {
            return Err(Error::new(ErrorKind::Usage, error.to_string()).caused_by(error));
        }
        advanced?;
        if self.handshake.progress() == ServerProgress::Deciding {
            return Ok(Err(Box::new(self)));
        }
        let opened = self.handshake.finish().map_err(failed)?;
        Ok(Ok(open(
            Role::Server,
            self.stream,
            self.config,
            self.options,
            self.context,
            opened,
            self.drain,
        )))
    }

    fn into_error(self) -> Error {
        let peer = self.handshake.peer().cloned();
        failed(
            self.handshake
                .finish()
                .err()
                .unwrap_or(HandshakeError::Unfinished),
        )
        .of_peer(peer)
    }

    /// Writes what is to be written and reads until there is something to decide or an end.
    async fn advance(&mut self) -> Result<(), Error> {
        let Self {
            stream,
            handshake,
            buffer,
            ..
        } = self;
        loop {
            // A refusal has no deadline of its own and gets what is left of a second.
            let refusal = Instant::now() + Duration::from_secs(1);
            let deadline = Some(
                handshake
                    .poll_timeout()
                    .unwrap_or_else(|| refusal.into_std()),
            );
            let said = !handshake.poll_transmit().is_empty();
            while !handshake.poll_transmit().is_empty() {
                let Some(n) = before(deadline, stream.write(handshake.poll_transmit())).await
                else {
                    return Err(does_not_read());
                };
                handshake.handle_written(some(n?)?);
            }
            match before(deadline, stream.flush()).await {
                Some(flushed) => flushed?,
                None => return Err(does_not_read()),
            }
            match handshake.progress() {
                ServerProgress::NeedsInput => {}
                ServerProgress::Checking => {
                    check(stream, handshake, buffer).await?;
                    continue;
                }
                ServerProgress::Deciding | ServerProgress::Accepted => return Ok(()),
                ServerProgress::Failed if said => {
                    linger(stream, buffer, refusal).await;
                    return Ok(());
                }
                ServerProgress::Failed => return Ok(()),
            }
            match before(handshake.poll_timeout(), stream.read(buffer)).await {
                Some(n) => match n? {
                    0 => handshake.handle_eof(),
                    n => handshake.handle_input(&buffer[..n]),
                },
                None => handshake.handle_timeout(Instant::now().into_std()),
            }
        }
    }
}

/// Waits for a guard, and not for a client that has gone.
async fn check<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    handshake: &mut ServerHandshake,
    buffer: &mut [u8],
) -> Result<(), Error> {
    let deadline = handshake.poll_timeout();
    let read = tokio::select! {
        biased;
        () = poll_fn(|cx| handshake.poll_check(cx)) => None,
        read = before(deadline, stream.read(buffer)) => Some(read),
    };
    match read {
        None => {}
        Some(Some(read)) => match read? {
            0 => handshake.handle_eof(),
            n => handshake.handle_input(&buffer[..n]),
        },
        Some(None) => handshake.handle_timeout(Instant::now().into_std()),
    }
    Ok(())
}

/// What came of [`Incoming::respond`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a request is answered or repeated")]
pub enum Answered<S: AsyncRead + AsyncWrite + Unpin> {
    /// The connection is open.
    Opened(Box<WebSocket<S>>),
    /// The client was answered 401 and asks again, on the same stream.
    Again(Box<Incoming<S>>),
}

/// Ends our side behind a refusal and reads on for a moment, so that the client gets to see it: a
/// socket closed with octets unread resets the connection.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    buffer: &mut [u8],
    deadline: Instant,
) {
    const MOST: usize = 256 << 10;
    let drain = async {
        stream.shutdown().await?;
        let mut read = 0;
        while read < MOST {
            match stream.read(buffer).await? {
                0 => break,
                n => read += n,
            }
        }
        io::Result::Ok(())
    };
    let _ = tokio::time::timeout_at(deadline, drain).await;
}

fn open<S: AsyncRead + AsyncWrite + Unpin>(
    role: Role,
    stream: S,
    config: Arc<Config>,
    options: Arc<ServerOptions>,
    context: http::Extensions,
    opened: Opened,
    drain: Option<Arc<Drain>>,
) -> Open<S> {
    let Opened {
        handshake,
        mut extensions,
        mut leftover,
        ..
    } = opened;
    let opening = Opening::new(handshake, &extensions);
    let Some(carrier) = extensions.take_carrier() else {
        let connection = connection(role, config, extensions, leftover, &opening.handshake);
        return Open::One(WebSocket::new(stream, connection, opening, drain));
    };
    let (now, first) = (now(), extensions);
    let handshake = &opening.handshake;
    let mut trunk = Trunk::new(role, &config, options, handshake, first, carrier, now);
    *trunk.context_mut() = context;
    if !leftover.is_empty() {
        trunk.handle_input(now, &mut leftover);
    }
    Open::Many(Physical::new(stream, trunk), Box::new(opening))
}

fn connection(
    role: Role,
    config: Arc<Config>,
    extensions: Negotiated,
    mut leftover: BytesMut,
    handshake: &Handshake,
) -> Connection {
    let now = now();
    let mut connection = Connection::new(role, config, extensions, now);
    connection.show_opening(handshake);
    if !leftover.is_empty() {
        connection.handle_input(now, &mut leftover);
    }
    connection
}

/// `None` if the deadline passes first.
async fn before<T>(
    deadline: Option<std::time::Instant>,
    future: impl Future<Output = T>,
) -> Option<T> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline.into(), future).await.ok(),
        None => Some(future.await),
    }
}

/// A stream that takes nothing will never take anything.
fn some(written: usize) -> io::Result<usize> {
    if written == 0 {
        Err(io::ErrorKind::WriteZero.into())
    } else {
        Ok(written)
    }
}

fn does_not_read() -> Error {
    Error::new(ErrorKind::Timeout, "the client does not read")
}

pub(crate) fn failed(error: HandshakeError) -> Error {
    let kind = match error {
        HandshakeError::TimedOut => ErrorKind::Timeout,
        _ => ErrorKind::Handshake,
    };
    let response = match &error {
        HandshakeError::Status(response) => Some((**response).clone()),
        _ => None,
    };
    let failed = Error::new(kind, error.to_string()).caused_by(error);
    match response {
        Some(response) => failed.with_response(response),
        None => failed,
    }
}
