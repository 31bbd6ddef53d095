//! The server's side of the opening handshake (RFC 6455 §4.2).

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;
use std::time::Instant;

use bytes::{Buf, BytesMut};
use http::header::HOST;
use http::{HeaderMap, Request, StatusCode};

use super::decision::switching_protocols;
use super::opened::one_host;
use super::validate::{Asked, validate};
use super::{
    Decision, DecisionError, Handshake, HandshakeError, Opened, Peer, Received, Rejection,
    ServerOptions, Subprotocol, forwarded, is_own_header,
};
use crate::config::Config;
use crate::extension::Negotiated;
use crate::http::{HeadScan, parse_extensions, parse_request};

/// So many requests may come on one connection, all but the last answered with 401.
const MAX_ATTEMPTS: u32 = 3;

/// So many octets behind a request may come before it is answered. A client should not send any.
const MAX_EARLY: usize = 64 << 10;

/// The server's side of the opening handshake.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Instant;
///
/// use cloverleaf_proto::Config;
/// use cloverleaf_proto::handshake::{Decision, ServerHandshake, ServerOptions, ServerProgress};
/// # use cloverleaf_proto::frame::MaskSource;
/// # #[derive(Debug)]
/// # struct NoMask;
/// # impl MaskSource for NoMask { fn mask_key(&self) -> [u8; 4] { [0; 4] } }
/// # let config = Arc::new(Config::new(Arc::new(NoMask)));
/// # let now = Instant::now();
///
/// let mut handshake = ServerHandshake::new(Arc::new(ServerOptions::default()), config, now);
/// handshake.handle_input(
///     b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
/// );
/// assert_eq!(handshake.progress(), ServerProgress::Deciding);
/// handshake.respond(Decision::accept())?;
/// let written = handshake.poll_transmit().len();
/// handshake.handle_written(written);
/// let opened = handshake.finish()?;
/// assert_eq!(opened.handshake.request().uri().path(), "/chat");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ServerHandshake {
    options: Arc<ServerOptions>,
    config: Arc<Config>,
    deadline: Instant,
    context: Arc<http::Extensions>,
    /// What trusted proxies have said of the client.
    peer: Option<Peer>,
    attempts: u32,
    scan: HeadScan,
    input: BytesMut,
    output: BytesMut,
    state: State,
}

#[derive(Debug)]
enum State {
    Reading,
    Checking(Guards),
    Deciding(Box<Received>),
    Accepted(Box<(Handshake, Negotiated)>),
    Failed(HandshakeError),
}

/// What the guards find, one behind the other, and the request that they have seen.
type Found = (Box<Received>, Result<(), Rejection>);

/// Guards at work.
struct Guards(Pin<Box<dyn Future<Output = Found> + Send>>);

impl Guards {
    fn check(options: Arc<ServerOptions>, mut received: Box<Received>) -> Self {
        Self(Box::pin(async move {
            for guard in &options.guards {
                if let Err(rejection) = guard.check(&mut received).await {
                    return (received, Err(rejection));
                }
            }
            (received, Ok(()))
        }))
    }
}

impl fmt::Debug for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guards")
    }
}

/// How far a [`ServerHandshake`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must act on each")]
pub enum ServerProgress {
    /// The request is not complete: read on.
    NeedsInput,
    /// A guard has not come to its decision yet: [`ServerHandshake::poll_check`] until it has. Guards
    /// that decide at once are never waited for.
    Checking,
    /// A request waits for [`ServerHandshake::respond`].
    Deciding,
    /// Accepted: write what is left to transmit, then [`ServerHandshake::finish`].
    Accepted,
    /// Refused or failed: write what is left to transmit, then close. `finish` says why.
    Failed,
}

/// Without octets: there may be credentials among them.
impl fmt::Debug for ServerHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandshake")
            .field("progress", &self.progress())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl ServerHandshake {
    /// A handshake that starts now.
    #[must_use]
    pub fn new(options: Arc<ServerOptions>, config: Arc<Config>, now: Instant) -> Self {
        Self {
            deadline: now + options.open_timeout,
            options,
            config,
            context: Arc::default(),
            peer: None,
            attempts: 0,
            scan: HeadScan::of_request(),
            input: BytesMut::new(),
            output: BytesMut::new(),
            state: State::Reading,
        }
    }

    /// What guards and the application shall find in the request's `http::Extensions`: the address
    /// of the client, its certificate. To be filled in before the first input.
    pub fn context_mut(&mut self) -> &mut http::Extensions {
        Arc::make_mut(&mut self.context)
    }

    /// The same for all channels of a connection, and in memory once.
    pub(crate) fn share_context(&mut self, context: Arc<http::Extensions>) {
        self.context = context;
    }

    /// What is known of the client: what trusted proxies said with its last request, or else the
    /// [context](Self::context_mut). It stays when the request is refused.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref().or_else(|| self.context.get())
    }

    /// How far the handshake is.
    #[must_use]
    pub const fn progress(&self) -> ServerProgress {
        match self.state {
            State::Reading => ServerProgress::NeedsInput,
            State::Checking(_) => ServerProgress::Checking,
            State::Deciding(_) => ServerProgress::Deciding,
            State::Accepted(_) => ServerProgress::Accepted,
            State::Failed(_) => ServerProgress::Failed,
        }
    }

    /// The request that waits for a decision, if one does.
    #[must_use]
    pub const fn received(&self) -> Option<&Received> {
        match &self.state {
            State::Deciding(received) => Some(received),
            _ => None,
        }
    }

    /// Octets of the client. Better not read any while a decision is being made: they are kept for
    /// the connection, and beyond 64 KiB they are an error.
    pub fn handle_input(&mut self, octets: &[u8]) {
        match self.state {
            State::Reading => match self.scan.push(octets, &self.options.limits) {
                Ok(None) => self.input.extend_from_slice(octets),
                Ok(Some(end)) => {
                    let (head, behind) = octets.split_at(end);
                    self.input.extend_from_slice(head);
                    let head = self.input.split();
                    self.input.extend_from_slice(behind);
                    self.judge(head);
                }
                Err(error) => self.reject(Rejection::of_head(error)),
            },
            State::Checking(_) | State::Deciding(_)
                if self.input.len() + octets.len() > MAX_EARLY =>
            {
                self.reject(Rejection::bad_request("frames before the answer"));
            }
            State::Checking(_) | State::Deciding(_) | State::Accepted(_) => {
                self.input.extend_from_slice(octets);
            }
            // RFC 9112 §9.6: what comes behind a refused request is not looked at.
            State::Failed(_) => {}
        }
    }

    /// The client sends no more.
    pub fn handle_eof(&mut self) {
        if matches!(
            self.state,
            State::Reading | State::Checking(_) | State::Deciding(_)
        ) {
            self.state = State::Failed(HandshakeError::Eof);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout). A refusal has no deadline of its own:
    /// whoever writes it bounds the time for that.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Reading | State::Checking(_) | State::Deciding(_) => Some(self.deadline),
            State::Accepted(_) if !self.output.is_empty() => Some(self.deadline),
            State::Accepted(_) | State::Failed(_) => None,
        }
    }

    /// Lets the guards go on, if they do: [`ServerProgress::Checking`]. Ready once they are done; until
    /// then the task of `cx` is woken when it is worth another call.
    pub fn poll_check(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Checking(guards) = &mut self.state else {
            return Poll::Ready(());
        };
        let Poll::Ready((received, found)) = guards.0.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        match found {
            Ok(()) => self.state = State::Deciding(received),
            // An interim answer refuses nothing, and a 101 would say the contrary.
            Err(rejection) if rejection.status().is_informational() => {
                self.reject(Rejection::internal_error());
            }
            Err(rejection) => self.reject(rejection),
        }
        Poll::Ready(())
    }

    /// The time is now this. At the deadline a request that has begun is answered with 408, or with
    /// 503 if a guard has not decided; of a client that has sent nothing, nothing is said.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|deadline| now < deadline) {
            return;
        }
        if matches!(self.state, State::Accepted(_)) {
            // A part of the 101 may be out, so that nothing else can be said.
            self.output.clear();
            self.state = State::Failed(HandshakeError::TimedOut);
        } else if matches!(self.state, State::Checking(_)) {
            self.reject(Rejection::service_unavailable(None));
        } else if self.output.is_empty() && (self.scan.has_begun() || self.received().is_some()) {
            self.reject(Rejection::request_timeout());
        } else {
            self.state = State::Failed(HandshakeError::TimedOut);
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

    /// Answers the request.
    ///
    /// # Errors
    ///
    /// A decision that cannot be carried out. The client is told 500, and nothing of the decision.
    pub fn respond(&mut self, decision: Decision) -> Result<(), DecisionError> {
        if self.received().is_none() {
            return Err(DecisionError::NotAsked);
        }
        let done = match decision {
            Decision::Reject(rejection) if rejection.status().is_informational() => {
                Err(DecisionError::Status(rejection.status().as_u16()))
            }
            Decision::Reject(rejection) => {
                self.reject(rejection);
                Ok(())
            }
            Decision::Accept { protocol, headers } => self.accept(protocol, &headers),
        };
        if done.is_err() {
            self.reject(Rejection::internal_error());
        }
        done
    }

    /// The opened connection.
    ///
    /// # Errors
    ///
    /// Why there is none: [`HandshakeError::Unfinished`] if the request has not been accepted, or
    /// not all octets of the answer were reported as written.
    pub fn finish(self) -> Result<Opened, HandshakeError> {
        match self.state {
            State::Accepted(accepted) if self.output.is_empty() => {
                let (handshake, extensions) = *accepted;
                Ok(Opened {
                    handshake,
                    extensions,
                    leftover: self.input,
                })
            }
            State::Failed(error) => Err(error),
            _ => Err(HandshakeError::Unfinished),
        }
    }

    /// A whole head has come.
    fn judge(&mut self, mut head: BytesMut) {
        self.attempts += 1;
        // The scan has passed over it (RFC 9112 §2.2).
        if head.starts_with(b"\r\n") {
            head.advance(2);
        }
        match self.receive(head) {
            Ok(received) if self.options.guards.is_empty() => {
                self.state = State::Deciding(Box::new(received));
            }
            Ok(received) => {
                let options = Arc::clone(&self.options);
                self.state = State::Checking(Guards::check(options, Box::new(received)));
                // Most guards decide at once. For the others there is a second call, with a waker.
                let _ = self.poll_check(&mut Context::from_waker(Waker::noop()));
            }
            Err(rejection) => self.reject(rejection),
        }
    }

    fn receive(&mut self, head: BytesMut) -> Result<Received, Rejection> {
        let mut request = parse_request(&head, self.scan.headers()).map_err(Rejection::of_head)?;
        let (accept, protocols, offers) = match validate(&request)? {
            Asked::WebSocket {
                accept,
                protocols,
                offers,
            } => (Some(accept), protocols, offers),
            Asked::Plain if self.options.plain_http => (None, Vec::new(), Vec::new()),
            Asked::Plain => {
                return Err(Rejection::upgrade_required(
                    "this server speaks WebSocket; ask for `Upgrade: websocket`",
                ));
            }
        };
        one_host(&mut request);
        *request.extensions_mut() = (*self.context).clone();
        let tls_is_known = self.look_behind_proxies(&mut request)?;
        let received = Received {
            request,
            head: head.freeze(),
            protocols,
            offers,
            response_headers: self.options.response_headers.clone(),
            accept,
            tls: self.options.tls && !tls_is_known,
        };
        let headers = received.request.headers();
        self.options.origin.check(headers, received.is_secure())?;
        Ok(received)
    }

    /// Puts what trusted proxies say of the client in place of what is known of the last of them. From
    /// there on [`Peer::secure`] is all there is to know of TLS: then this is true.
    fn look_behind_proxies(&mut self, request: &mut Request<()>) -> Result<bool, Rejection> {
        let trusted = &self.options.trusted_proxies;
        let Some(direct) = self.context.get::<Peer>().filter(|_| !trusted.is_empty()) else {
            return Ok(false);
        };
        let mut peer = direct.clone();
        // Without a word on it, the client came as the proxy did.
        peer.secure |= self.options.tls;
        if let Some(said) = forwarded::read(direct, request.headers(), trusted)? {
            peer.address = said.address;
            peer.secure = said.secure.unwrap_or(peer.secure);
            // What TLS has shown us is the proxy's, and proves nothing of its client.
            peer.certificates = Vec::new();
            peer.server_name = None;
            if let Some(host) = said.host {
                request.headers_mut().insert(HOST, host);
            }
        }
        request.extensions_mut().insert(peer.clone());
        self.peer = Some(peer);
        Ok(true)
    }

    /// The subprotocol that stands for a carrier, if the client offers it and there is one.
    fn channels_over(&self, offered: &[String]) -> Option<String> {
        let name = self.options.channels_over.as_ref()?;
        (offered.contains(name) && self.config.extensions.has_carrier()).then(|| name.clone())
    }

    fn reject(&mut self, rejection: Rejection) {
        // What came behind the request would be taken for the next one, so there is none then.
        let again = rejection.status() == StatusCode::UNAUTHORIZED
            && self.attempts < MAX_ATTEMPTS
            && self.input.is_empty();
        self.output.extend_from_slice(&rejection.encode(again));
        self.state = if again {
            self.scan = HeadScan::of_request();
            State::Reading
        } else {
            State::Failed(HandshakeError::Rejected(rejection))
        };
    }

    fn accept(&mut self, protocol: Subprotocol, headers: &HeaderMap) -> Result<(), DecisionError> {
        let State::Deciding(received) = &self.state else {
            return Err(DecisionError::NotAsked);
        };
        let Some(accept) = &received.accept else {
            return Err(DecisionError::NotWebSocket);
        };
        // RFC 6455 §4.2.2, item 5.5: one that the client offered, or no header at all.
        let protocol = match protocol {
            Subprotocol::None => None,
            Subprotocol::Chosen(name) if received.protocols.contains(&name) => Some(name),
            Subprotocol::Chosen(name) => return Err(DecisionError::ProtocolNotOffered(name)),
            Subprotocol::Preferred => {
                let chosen = self
                    .channels_over(&received.protocols)
                    .or_else(|| self.options.choose_protocol(&received.protocols));
                if chosen.is_none() && self.options.require_protocol {
                    self.reject(Rejection::bad_request(
                        "none of the offered subprotocols is spoken here",
                    ));
                    return Ok(());
                }
                chosen
            }
        };
        let mut others = received.response_headers.clone();
        for (name, value) in headers {
            others.append(name.clone(), value.clone());
        }
        if let Some(name) = others.keys().find(|name| is_own_header(name)) {
            return Err(DecisionError::ReservedHeader(name.clone()));
        }
        let for_channels =
            protocol.is_some() && protocol == self.channels_over(&received.protocols);
        let extensions = if for_channels {
            Negotiated::carrier_alone(&self.config.extensions)
        } else {
            Negotiated::accept(&self.config.extensions, received.offers.clone())
        };
        // What is required is required of each channel, whose handshakes come later.
        let missing = |name: &&String| !for_channels && !extensions.has(name);
        if let Some(name) = self.options.required_extensions.iter().find(missing) {
            let status = self.options.missing_extension_status;
            // An interim answer refuses nothing, and a 101 would say the contrary.
            if status.is_informational() {
                return Err(DecisionError::Status(status.as_u16()));
            }
            self.reject(Rejection::missing_extension(status, name));
            return Ok(());
        }
        let answer = extensions.answer();
        if let Some(answer) = &answer
            && parse_extensions(answer.as_bytes()).is_err()
        {
            return Err(DecisionError::ExtensionAnswer(answer.clone()));
        }
        let head = switching_protocols(accept, protocol.as_deref(), answer.as_deref(), &others);
        self.output.extend_from_slice(&head);
        let changed = !self.options.guards.is_empty() || self.peer.is_some();
        let passed = changed.then_some(&received.request);
        let handshake =
            Handshake::of_server(&received.head, &head, protocol, &self.context, passed);
        self.state = State::Accepted(Box::new((handshake, extensions)));
        Ok(())
    }
}
