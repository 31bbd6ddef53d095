//! The client's side of the opening handshake (RFC 6455 §4.1).

use core::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};

use super::key::encode_nonce;
use super::{ClientRequest, Handshake, HandshakeError, Opened, RequestError, answer, attempt};
use crate::config::Config;
use crate::extension::{Negotiated, Offer};
use crate::http::{Body, HeadScan, parse_extensions, parse_response};

/// So many interim answers (100 to 199, but for 101) are passed over.
const MAX_INTERIM: u32 = 10;

/// So many requests are made, the first included.
const MAX_ATTEMPTS: u32 = 3;

/// The content of a refusal may take this long; it is only there to explain.
const BODY_TIMEOUT: Duration = Duration::from_secs(3);

/// The client's side of the opening handshake.
pub struct ClientHandshake {
    request: ClientRequest,
    config: Arc<Config>,
    deadline: Instant,
    attempts: u32,
    key: String,
    sent: Request<()>,
    sent_head: Bytes,
    interim: u32,
    scan: HeadScan,
    input: BytesMut,
    output: BytesMut,
    state: State,
}

#[derive(Debug)]
enum State {
    Head,
    Body(Box<Refusal>),
    Opened(Box<(Handshake, Negotiated)>),
    Failed {
        error: HandshakeError,
        reusable: bool,
    },
}

/// An answer that is not a 101, while its content comes in.
#[derive(Debug)]
struct Refusal {
    response: Response<()>,
    body: Body,
    deadline: Instant,
}

/// How far a [`ClientHandshake`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must act on each")]
pub enum ClientProgress {
    /// The answer is not complete: write what is there to transmit, and read.
    NeedsInput,
    /// The connection is open: [`ClientHandshake::finish`].
    Opened,
    /// The server answered something other than 101; see [`ClientHandshake::response`]. Either
    /// [`ClientHandshake::retry`], or close; `finish` says why.
    Refused,
    /// Write what is left to transmit, then close. `finish` says why.
    Failed,
}

/// Where another attempt is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third place")]
pub enum Retry {
    /// On the connection there is.
    SameConnection,
    /// On a new one to the same place; the server ends this one.
    NewConnection,
}

/// Without octets: there may be credentials among them.
impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("request", &self.request)
            .field("progress", &self.progress())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl ClientHandshake {
    /// A handshake that starts now, with 16 octets of fresh randomness (RFC 6455 §4.1, item 7).
    ///
    /// # Errors
    ///
    /// Offers of extensions that cannot stand in a header.
    pub fn new(
        request: ClientRequest,
        nonce: [u8; 16],
        config: Arc<Config>,
        now: Instant,
    ) -> Result<Self, RequestError> {
        let mut handshake = Self {
            deadline: now + request.open_timeout,
            request,
            config,
            attempts: 0,
            key: String::new(),
            sent: Request::new(()),
            sent_head: Bytes::new(),
            interim: 0,
            scan: HeadScan::default(),
            input: BytesMut::new(),
            output: BytesMut::new(),
            state: State::Head,
        };
        handshake.ask(nonce)?;
        Ok(handshake)
    }

    /// How far the handshake is.
    #[must_use]
    pub const fn progress(&self) -> ClientProgress {
        match &self.state {
            State::Head | State::Body(_) => ClientProgress::NeedsInput,
            State::Opened(_) => ClientProgress::Opened,
            State::Failed { error, .. } => match error {
                HandshakeError::Status(_) => ClientProgress::Refused,
                _ => ClientProgress::Failed,
            },
        }
    }

    /// The request as it was made last.
    #[must_use]
    pub const fn request(&self) -> &Request<()> {
        &self.sent
    }

    /// The answer that refuses us, if one does.
    #[must_use]
    pub fn response(&self) -> Option<&Response<Bytes>> {
        match &self.state {
            State::Failed {
                error: HandshakeError::Status(response),
                ..
            } => Some(response),
            _ => None,
        }
    }

    /// Octets of the server.
    pub fn handle_input(&mut self, now: Instant, octets: &[u8]) {
        let mut rest = octets;
        while !rest.is_empty() {
            let taken = match &mut self.state {
                State::Head => match self.scan.push(rest, &self.request.limits) {
                    Ok(None) => {
                        self.input.extend_from_slice(rest);
                        rest.len()
                    }
                    Ok(Some(end)) => {
                        self.input.extend_from_slice(&rest[..end]);
                        let head = self.input.split().freeze();
                        if let Err(error) = self.judge(now, head) {
                            self.fail(error);
                        }
                        end
                    }
                    Err(error) => {
                        self.fail(error.into());
                        return;
                    }
                },
                State::Body(refusal) => refusal.body.push(rest),
                State::Opened(_) => {
                    self.input.extend_from_slice(rest);
                    rest.len()
                }
                State::Failed { reusable, .. } => {
                    // Octets that nobody asked for would be taken for the next answer.
                    *reusable = false;
                    return;
                }
            };
            rest = &rest[taken..];
            if let State::Body(refusal) = &self.state
                && refusal.body.is_complete()
            {
                self.refuse();
            }
        }
    }

    /// The server sends no more.
    pub fn handle_eof(&mut self) {
        match self.state {
            State::Head => self.fail(HandshakeError::Eof),
            State::Body(_) => self.refuse(),
            State::Opened(_) => {}
            State::Failed {
                ref mut reusable, ..
            } => *reusable = false,
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Head => Some(self.deadline),
            State::Body(refusal) => Some(refusal.deadline.min(self.deadline)),
            State::Opened(_) | State::Failed { .. } => None,
        }
    }

    /// The time is now this.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.state {
            State::Body(_) => self.refuse(),
            _ => self.fail(HandshakeError::TimedOut),
        }
    }

    /// The octets to be written next; empty if there are none.
    #[must_use]
    pub fn poll_transmit(&self) -> &[u8] {
        &self.output
    }

    /// So many of them are written.
    pub fn handle_written(&mut self, n: usize) {
        self.output.advance(n.min(self.output.len()));
    }

    /// Makes another attempt after a refusal, with these headers in place of those of the same
    /// names, and a fresh nonce. The deadline stays.
    ///
    /// # Errors
    ///
    /// There is no refusal, there have been three attempts, the nonce is the last one, or a header
    /// belongs to the handshake. The state is as before.
    pub fn retry(&mut self, headers: &HeaderMap, nonce: [u8; 16]) -> Result<Retry, RequestError> {
        let State::Failed {
            error: HandshakeError::Status(_),
            reusable,
        } = self.state
        else {
            return Err(RequestError::NoRetry);
        };
        if self.attempts >= MAX_ATTEMPTS {
            return Err(RequestError::NoRetry);
        }
        if self.key == encode_nonce(nonce) {
            return Err(RequestError::NonceReused);
        }
        self.request.replace_headers(headers)?;
        self.interim = 0;
        self.state = State::Head;
        self.ask(nonce)?;
        Ok(if reusable {
            Retry::SameConnection
        } else {
            Retry::NewConnection
        })
    }

    /// The opened connection.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn finish(self) -> Result<Opened, HandshakeError> {
        match self.state {
            State::Opened(opened) => {
                let (handshake, extensions) = *opened;
                Ok(Opened {
                    handshake,
                    extensions,
                    leftover: self.input,
                })
            }
            State::Failed { error, .. } => Err(error),
            State::Head | State::Body(_) => Err(HandshakeError::Unfinished),
        }
    }

    pub(crate) fn fail(&mut self, error: HandshakeError) {
        if !matches!(error, HandshakeError::MissingExtension(_)) {
            self.output.clear();
        }
        self.state = State::Failed {
            error,
            reusable: false,
        };
    }

    /// The content of a refusal has ended, or is not waited for any longer.
    fn refuse(&mut self) {
        let state = core::mem::replace(&mut self.state, State::Head);
        let State::Body(refusal) = state else {
            self.state = state;
            return;
        };
        self.output.clear();
        let reusable = refusal.body.is_reusable();
        let Refusal { response, body, .. } = *refusal;
        let response = response.map(|()| body.into_content());
        self.state = State::Failed {
            error: HandshakeError::Status(Box::new(response)),
            reusable,
        };
    }

    /// A whole head has come.
    fn judge(&mut self, now: Instant, head: Bytes) -> Result<(), HandshakeError> {
        let scan = core::mem::take(&mut self.scan);
        let response = parse_response(&head, scan.headers())?;
        let status = response.status();
        if status != StatusCode::SWITCHING_PROTOCOLS && status.is_informational() {
            self.interim += 1;
            return if self.interim > MAX_INTERIM {
                Err(HandshakeError::TooManyInterim)
            } else {
                Ok(())
            };
        }
        if status != StatusCode::SWITCHING_PROTOCOLS {
            self.state = State::Body(Box::new(Refusal {
                body: Body::of(&response),
                response,
                deadline: now + BODY_TIMEOUT,
            }));
            return Ok(());
        }
        let (protocol, negotiated) =
            answer::check(&response, &self.key, &self.request, &self.config.extensions)?;
        let agreed = |name: &String| {
            negotiated
                .agreed()
                .iter()
                .any(|agreed| agreed.name == *name)
        };
        let mut missing = self.request.required_extensions.clone();
        missing.retain(|name| !agreed(name));
        if !missing.is_empty() {
            self.close_for(&missing);
            return Err(HandshakeError::MissingExtension(missing));
        }
        let handshake = Handshake::of_client(&self.request, &self.sent_head, &head, protocol);
        self.state = State::Opened(Box::new((handshake, negotiated)));
        Ok(())
    }

    /// Queues a close frame for extensions that are missing: RFC 6455 §7.4.1 has the client send
    /// 1010 and list them in the reason. There is a connection, but nobody is to use it.
    fn close_for(&mut self, missing: &[String]) {
        let key = self.config.mask_source.mask_key();
        self.output
            .extend_from_slice(&attempt::close_for(missing, key));
    }

    /// Queues a request (RFC 6455 §4.1).
    fn ask(&mut self, nonce: [u8; 16]) -> Result<(), RequestError> {
        self.attempts += 1;
        self.key = encode_nonce(nonce);
        let offers: Vec<String> = Negotiated::offers(&self.config.extensions)
            .iter()
            .map(Offer::to_string)
            .collect();
        let offers = offers.join(", ");
        if parse_extensions(offers.as_bytes()).is_err() {
            return Err(RequestError::Extension(offers));
        }
        let (sent, head) = attempt::encode(&self.request, &self.key, &offers);
        self.output.extend_from_slice(&head);
        self.sent_head = head.into();
        self.sent = sent;
        Ok(())
    }
}
