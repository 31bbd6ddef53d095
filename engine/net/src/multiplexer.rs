//! A client's handle on a connection that carries many WebSockets.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::handshake::{Authenticator, ClientRequest, HandshakeError};
use cloverleaf_proto::trunk::{Key, OpenError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::entropy::random;
use crate::error::{Error, ErrorKind};
use crate::line::Line;
use crate::opening::{begin, failed, unasked, untrusted};
use crate::socket::{Opening, WebSocket};
use crate::trunk::{Channel, Physical, Pump};

/// A server that gives slots does so right behind its 101.
const FIRST_SLOTS: Duration = Duration::from_secs(1);

/// So many requests are made for one channel, as on a connection of its own.
const MAX_ATTEMPTS: u32 = 3;

/// Opens WebSockets over one connection, as
/// [`Client::multiplex`](crate::Client::multiplex) has agreed it with the server.
///
/// Each is a [`WebSocket`] like any other: with its own opening handshake, subprotocol, extensions and
/// close code. A task of its own keeps the connection going; the connection closes when all its
/// WebSockets and all clones of this handle are gone.
pub struct Multiplexer<S> {
    physical: Arc<Physical<S>>,
    place: Place,
    authenticator: Option<Arc<dyn Authenticator>>,
    open_timeout: Duration,
}

/// What every WebSocket of a connection has in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    secure: bool,
    host: String,
    port: u16,
}

impl Place {
    pub(crate) fn of(request: &ClientRequest) -> Self {
        Self {
            secure: request.is_secure(),
            host: request.host().to_ascii_lowercase(),
            port: request.port(),
        }
    }
}

impl<S> Multiplexer<S> {
    /// How many more WebSockets the server lets us open now. `None`: no more over this connection.
    #[must_use]
    pub fn slots(&self) -> Option<usize> {
        self.physical.lock().trunk.slots()
    }

    /// How many WebSockets there are on this connection, those included that are still opening or
    /// closing.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.physical.lock().trunk.channels().count()
    }

    /// Whether both are handles on one connection.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.physical, &other.physical)
    }

    /// Whether the connection has ended, and every WebSocket with it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.physical.lock().is_over()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Multiplexer<S> {
    pub(crate) fn new(
        physical: Arc<Physical<S>>,
        place: Place,
        authenticator: Option<Arc<dyn Authenticator>>,
        open_timeout: Duration,
    ) -> Self {
        physical.hold();
        Self {
            physical,
            place,
            authenticator,
            open_timeout,
        }
    }

    /// Opens another WebSocket over this connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if the server lets us open no more now; [`ErrorKind::Usage`] for a request
    /// to another scheme, host or port; [`ErrorKind::Closed`] if the connection is; and as
    /// [`Client::request`](crate::Client::request) when the server refuses.
    pub async fn open(&self, request: ClientRequest) -> Result<WebSocket<S>, Error> {
        if Place::of(&request) != self.place {
            let message = "a connection carries WebSockets to one scheme, host and port";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let mut request = request.open_timeout(self.open_timeout);
        let mut handler = begin(&mut request, self.authenticator.as_deref())?;
        let mut attempts = 1;
        loop {
            let (channel, answer) = self.ask(request.clone()).await?;
            let error = match answer.await {
                Ok(Ok(opening)) => {
                    let opening = Opening::of_channel(*opening);
                    if let Some(handler) = &mut handler {
                        let said = &opening.handshake;
                        handler
                            .opened(&said.request(), &said.response())
                            .map_err(untrusted)?;
                    }
                    return Ok(WebSocket::on(Line::Channel(channel), opening));
                }
                Ok(Err(error)) if !matches!(*error, HandshakeError::Eof) => error,
                _ => {
                    let message = "the connection ended before the server answered";
                    return Err(Error::new(ErrorKind::Closed, message));
                }
            };
            // A channel that was refused is gone: another attempt is another channel.
            let headers = match (&mut handler, &*error) {
                (Some(handler), HandshakeError::Status(response)) if attempts < MAX_ATTEMPTS => {
                    handler.retry(&request.to_http(), response)
                }
                _ => None,
            };
            let Some(headers) = headers else {
                return Err(failed(*error));
            };
            request.replace_headers(&headers).map_err(unasked)?;
            attempts += 1;
        }
    }

    /// Asks for a channel, as soon as the server has said how many there may be.
    async fn ask(
        &self,
        request: ClientRequest,
    ) -> Result<
        (
            Channel<S>,
            tokio::sync::oneshot::Receiver<crate::trunk::Answer>,
        ),
        Error,
    > {
        let deadline = Instant::now() + FIRST_SLOTS.min(self.open_timeout);
        loop {
            let mut slots = std::pin::pin!(self.physical.slots.notified());
            // Before the question, or what comes in between would be missed.
            slots.as_mut().enable();
            {
                let mut state = self.physical.lock();
                let may_come = state.trunk.slots() == Some(0)
                    && !state.has_had_slots
                    && !state.is_over()
                    && Instant::now() < deadline;
                if !may_come {
                    let key = state.trunk.open(request, random()).map_err(refused)?;
                    let answer = state.expect(key);
                    drop(state);
                    return Ok((Channel::new(Arc::clone(&self.physical), key), answer));
                }
            }
            // In vain or not: the next round tells.
            let _ = tokio::time::timeout_at(deadline, slots).await;
        }
    }

    /// Closes the connection, and with it every WebSocket on it as it stands, and waits for the end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`] for a code that may not be sent or a reason over 123 octets.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.physical.lock().trunk.close_all(code, reason)?;
        loop {
            let mut end = std::pin::pin!(self.physical.slots.notified());
            end.as_mut().enable();
            {
                let mut state = self.physical.lock();
                state.write_now();
                if state.is_over() {
                    return Ok(());
                }
            }
            end.await;
        }
    }
}

/// Starts the task of a client's connection. The first channel comes with it.
pub(crate) fn start<S>(
    physical: &Arc<Physical<S>>,
    opening: Opening,
    idle: Option<Duration>,
) -> WebSocket<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let channel = Channel::new(Arc::clone(physical), Key::FIRST);
    let mut pump = Pump::new(Arc::clone(physical), None, idle);
    tokio::spawn(async move { while poll_fn(|cx| pump.poll(cx)).await.is_some() {} });
    WebSocket::on(Line::Channel(channel), opening)
}

fn refused(error: OpenError) -> Error {
    let kind = match error {
        OpenError::NoSlot => ErrorKind::Limit,
        OpenError::Closed => ErrorKind::Closed,
        OpenError::Request(_) => ErrorKind::Url,
        _ => ErrorKind::Usage,
    };
    Error::new(kind, error.to_string()).caused_by(error)
}

impl<S> Clone for Multiplexer<S> {
    fn clone(&self) -> Self {
        self.physical.hold();
        Self {
            physical: Arc::clone(&self.physical),
            place: self.place.clone(),
            authenticator: self.authenticator.clone(),
            open_timeout: self.open_timeout,
        }
    }
}

impl<S> Drop for Multiplexer<S> {
    fn drop(&mut self) {
        self.physical.let_go();
    }
}

impl<S> fmt::Debug for Multiplexer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multiplexer")
            .field("place", &self.place)
            .field("channels", &self.channels())
            .field("slots", &self.slots())
            .finish_non_exhaustive()
    }
}
