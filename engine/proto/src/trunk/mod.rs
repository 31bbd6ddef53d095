//! Many WebSockets over one connection.
//!
//! A [`Trunk`] is a physical [`Connection`], a [`Carrier`] that an extension has agreed on, and an
//! [`Endpoint`](crate::Endpoint) for every logical channel. It runs the opening handshake of each channel, cuts
//! frames to what the carrier has room for, and takes turns between the channels. Like a
//! [`Connection`] it does no I/O.

mod channel;
mod heads;
mod receive;
mod turns;

use core::fmt;
use core::task::Context;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HOST;

use crate::close::CloseCode;
use crate::config::Config;
use crate::connection::{Connection, Transmit};
use crate::endpoint::State;
use crate::error::UsageError;
use crate::event::{Closed, Event};
use crate::extension::{
    Action, Agreed, Carrier, ChannelId, EndsFor, Hints, Negotiated, Skipped, Statistics,
};
use crate::frame::OpCode;
use crate::handshake::{
    ClientHandshake, ClientRequest, Decision, DecisionError, Handshake, HandshakeError, Peer,
    Received, RequestError, ServerOptions, TrustedProxies,
};
use crate::message::{Kind, Message};
use crate::role::Role;

use channel::{Channel, Stage};

/// A channel of a trunk, for those who hold it.
///
/// Its number on the wire, a [`ChannelId`], may belong to another channel as soon as both close
/// frames have crossed, and what came before may be asked for later. So a key is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

impl Key {
    /// The channel that is there from the start.
    pub const FIRST: Self = Self(1);
}

/// Something that happened on a trunk. What happens on a channel is asked for with
/// [`Trunk::poll_channel`].
#[derive(Debug)]
#[non_exhaustive]
pub enum News {
    /// There is something for [`Trunk::poll_channel`].
    Ready(Key),
    /// There is room for more to be sent on this channel.
    Room(Key),
    /// Server: the client asks for a channel, and waits for [`Trunk::respond`].
    Requested(Key),
    /// A channel is open.
    Opened(Key, Box<Opening>),
    /// Client: the server has refused a channel, or an answer that cannot be was given.
    Refused(Key, Box<HandshakeError>),
    /// Client: [`Trunk::slots`] has changed.
    Slots,
    /// The physical connection has ended, and every channel with it. The last news.
    Closed(Box<Closed>),
}

/// What came of the opening handshake of a channel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opening {
    /// What was said.
    pub handshake: Handshake,
    /// The extensions in use, in the order of the answer.
    pub agreed: Vec<Agreed>,
    /// The offers that led to nothing, and why.
    pub skipped: Vec<Skipped>,
}

/// Why there is no channel.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The peer gives no slot for one now. It may later: see [`News::Slots`].
    NoSlot,
    /// The physical connection is closed or closing.
    Closed,
    /// The request cannot be made.
    Request(RequestError),
    /// Only a client opens channels.
    NotClient,
    /// The request is larger than the carrier takes.
    TooLarge,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSlot => f.write_str("the server gives no slot for another channel"),
            Self::Closed => f.write_str("the connection is closed"),
            Self::Request(error) => error.fmt(f),
            Self::NotClient => f.write_str("only a client opens channels"),
            Self::TooLarge => f.write_str("the request is too large for a channel"),
        }
    }
}

impl core::error::Error for OpenError {}

/// One end of a connection that carries many. See the [module](self).
///
/// After every `handle_*` call and every command, ask the `poll_*` methods until they have nothing
/// more.
pub struct Trunk {
    role: Role,
    /// Of the channels.
    config: Arc<Config>,
    /// Server: how requests for channels are answered.
    options: Arc<ServerOptions>,
    physical: Connection,
    carrier: Box<dyn Carrier>,
    /// Each in a box of its own: nodes that are mostly half full would take half as much again.
    channels: BTreeMap<Key, Box<Channel>>,
    /// The channels that the carrier knows, by their numbers.
    keys: BTreeMap<ChannelId, Key>,
    /// So many channels there have been.
    count: u64,
    /// Channels that have something to send and, as far as is known, room for it, in turn.
    turns: VecDeque<Key>,
    /// When a handshake, opening or closing, must be over.
    deadlines: BTreeSet<(Instant, Key)>,
    /// Handshakes that have begun without a clock at hand, and how long they may take.
    undated: BTreeMap<Key, Duration>,
    /// Channels whose guards have not decided yet.
    checking: Vec<Key>,
    news: VecDeque<News>,
    /// What the carrier wants done.
    actions: Vec<Action>,
    /// What stands in front of a payload, while its physical message is made.
    prefix: Vec<u8>,
    /// When what is limited by time began anew.
    replenished: Instant,
    /// Server: what stands for the `Host`, `Origin` and `Cookie` of every channel, if the connection
    /// speaks a subprotocol for channels.
    vouched: Option<Vec<u8>>,
    /// Octets in the tails of channels that were dropped.
    left_behind: usize,
    /// What every request for a channel finds in its `http::Extensions`.
    context: Arc<http::Extensions>,
    /// What trusted proxies have said of the client. It goes into the context with the first request.
    peer: Option<Peer>,
    now: Instant,
    over: bool,
}

/// What a carrier limits by time begins anew after so long.
const WINDOW: Duration = Duration::from_secs(10);

/// So many octets that came on channels which the peer then dropped wait to be asked for; what is
/// beyond is thrown away. Without a bound, a peer could fill one channel after the other.
const MAX_LEFT_BEHIND: usize = 1 << 20;

/// So many octets of what the carrier says, at least, may wait to be written.
const MAX_ANSWERS: usize = 1 << 20;

impl Trunk {
    /// A trunk behind the opening handshake of its physical connection, whose agreed carrier was
    /// [taken out](Negotiated::take_carrier). What is left of the agreement, and the handshake
    /// itself, are those of the first channel. There is none if the connection speaks the subprotocol
    /// of [`ServerOptions::channels_over`].
    ///
    /// Octets that came behind the peer's head go to [`handle_input`](Self::handle_input) first.
    #[must_use]
    pub fn new(
        role: Role,
        config: &Config,
        options: Arc<ServerOptions>,
        opening: &Handshake,
        first: Negotiated,
        carrier: Box<dyn Carrier>,
        now: Instant,
    ) -> Self {
        let mut of_channels = config.clone();
        of_channels.extensions = config.extensions.without_carriers();
        let of_channels = Arc::new(of_channels);
        let mut options = without_carriers(options, config, &of_channels);
        let peer = known_of_client(&mut options, opening);
        let mut of_physical = config.clone();
        of_physical.limits.max_message_size = carrier.max_message();
        of_physical.limits.max_frame_size = carrier.max_message();
        of_physical.parts = false;
        of_physical.taps = Vec::new();
        let none = Negotiated::default();
        let mut trunk = Self {
            role,
            config: of_channels,
            options,
            physical: Connection::new(role, Arc::new(of_physical), none, now),
            carrier,
            channels: BTreeMap::new(),
            keys: BTreeMap::new(),
            count: 0,
            turns: VecDeque::new(),
            deadlines: BTreeSet::new(),
            undated: BTreeMap::new(),
            checking: Vec::new(),
            news: VecDeque::new(),
            actions: Vec::new(),
            prefix: Vec::new(),
            replenished: now,
            vouched: None,
            left_behind: 0,
            context: Arc::default(),
            peer,
            now,
            over: false,
        };
        let mut channel = Channel::open(ChannelId::FIRST, role, &trunk.config, first);
        channel.show_opening(opening);
        trunk.add(channel);
        trunk.carrier.start(
            opening.request_head(),
            opening.response_head(),
            &mut trunk.actions,
        );
        if opening.protocol().is_some()
            && opening.protocol() == trunk.options.channels_over.as_deref()
        {
            let request = opening.request();
            let host = request.headers().get(HOST);
            trunk.vouched = Some(heads::vouched(opening.request_head(), host));
            trunk.carrier.closed(ChannelId::FIRST, &mut trunk.actions);
            trunk.end(Key::FIRST);
            trunk.channels.remove(&Key::FIRST);
            trunk.news.clear();
        }
        trunk.carry_out(&[]);
        trunk
    }

    /// What guards and the application shall find in the `http::Extensions` of every channel's
    /// request: the address of the client, its certificate. To be filled in before the first input.
    /// What the guards of the physical connection left is not in it: each channel shows credentials
    /// of its own.
    pub fn context_mut(&mut self) -> &mut http::Extensions {
        Arc::make_mut(&mut self.context)
    }

    // Commands.

    /// Client: asks for another channel. [`News::Opened`] or [`News::Refused`] will tell.
    ///
    /// # Errors
    ///
    /// Why it cannot be asked for.
    pub fn open(&mut self, request: ClientRequest, nonce: [u8; 16]) -> Result<Key, OpenError> {
        if self.role != Role::Client {
            return Err(OpenError::NotClient);
        }
        if self.over || self.physical.state() != State::Open {
            return Err(OpenError::Closed);
        }
        let config = Arc::clone(&self.config);
        let mut handshake =
            ClientHandshake::new(request, nonce, config, self.now).map_err(OpenError::Request)?;
        let head = heads::without_upgrade(handshake.poll_transmit());
        let opened = self.carrier.open(&head, &mut self.actions);
        let Some(id) = opened else {
            let has_slot = self.carrier.slots().is_some_and(|slots| slots > 0);
            return Err(if has_slot {
                OpenError::TooLarge
            } else {
                OpenError::NoSlot
            });
        };
        let written = handshake.poll_transmit().len();
        handshake.handle_written(written);
        let within = handshake.poll_timeout().map(|deadline| deadline - self.now);
        let key = self.add(Channel::new(id, Stage::Asking(Box::new(handshake))));
        if let Some(within) = within {
            self.undated.insert(key, within);
        }
        self.carry_out(&[]);
        Ok(key)
    }

    fn add(&mut self, channel: Channel) -> Key {
        self.count += 1;
        let key = Key(self.count);
        self.keys.insert(channel.id, key);
        self.channels.insert(key, Box::new(channel));
        key
    }

    /// Client: how many more channels may be asked for now; `None`: not here any more.
    #[must_use]
    pub fn slots(&self) -> Option<usize> {
        self.carrier.slots()
    }

    /// Server: the request for a channel, while it waits for [`respond`](Self::respond).
    #[must_use]
    pub fn received(&self, key: Key) -> Option<&Received> {
        match &self.channels.get(&key)?.stage {
            Stage::Asked(handshake) => handshake.received(),
            _ => None,
        }
    }

    /// Server: answers the request for a channel. If it is accepted, [`News::Opened`] follows.
    ///
    /// # Errors
    ///
    /// A decision that cannot be carried out; the client is told 500.
    pub fn respond(&mut self, key: Key, decision: Decision) -> Result<(), DecisionError> {
        let done = match self
            .channels
            .get_mut(&key)
            .map(|channel| &mut channel.stage)
        {
            Some(Stage::Asked(handshake)) => handshake.respond(decision),
            _ => return Err(DecisionError::NotAsked),
        };
        self.answer(key);
        done
    }

    /// Server: lets guards go on that have not decided on requests for channels;
    /// see [`ServerHandshake::poll_check`](crate::handshake::ServerHandshake::poll_check). News tell
    /// of those that have. To be called whenever [`has_checks`](Self::has_checks) says so, with the
    /// waker of the task that shall be woken for another call.
    pub fn poll_checks(&mut self, cx: &mut Context<'_>) {
        for key in core::mem::take(&mut self.checking) {
            let channel = self.channels.get_mut(&key);
            if let Some(Stage::Asked(handshake)) = channel.map(|channel| &mut channel.stage) {
                if handshake.poll_check(cx).is_ready() {
                    self.answer(key);
                } else {
                    self.checking.push(key);
                }
            }
        }
    }

    /// Whether guards have yet to decide on a channel.
    #[must_use]
    pub const fn has_checks(&self) -> bool {
        !self.checking.is_empty()
    }

    /// Sends a message on a channel.
    ///
    /// # Errors
    ///
    /// As [`Connection::send`].
    pub fn send(&mut self, key: Key, message: Message, hints: Hints) -> Result<(), UsageError> {
        if self.send_untouched(key, &message) {
            return Ok(());
        }
        self.command(key, |channel| channel.endpoint()?.send(message, hints))
    }

    /// Sends a message part by part.
    ///
    /// # Errors
    ///
    /// As [`Connection::send_part`].
    pub fn send_part(
        &mut self,
        key: Key,
        kind: Kind,
        part: Bytes,
        fin: bool,
        hints: Hints,
    ) -> Result<(), UsageError> {
        self.command(key, |channel| {
            channel.endpoint()?.send_part(kind, part, fin, hints)
        })
    }

    /// Sends a frame of an opcode that an extension of this channel owns.
    ///
    /// # Errors
    ///
    /// As [`Connection::send_extension`].
    pub fn send_extension(
        &mut self,
        key: Key,
        opcode: OpCode,
        payload: Bytes,
    ) -> Result<(), UsageError> {
        self.command(key, |channel| {
            channel.endpoint()?.send_extension(opcode, payload)
        })
    }

    /// Sends a ping on a channel. The physical connection has its own.
    ///
    /// # Errors
    ///
    /// As [`Connection::ping`].
    pub fn ping(&mut self, key: Key, payload: &[u8]) -> Result<(), UsageError> {
        self.command(key, |channel| channel.endpoint()?.ping(payload))
    }

    /// Starts the closing handshake of a channel. The others go on.
    ///
    /// # Errors
    ///
    /// As [`Connection::close`].
    pub fn close(&mut self, key: Key, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        // Not as other commands: a channel that is full may be closed all the same, and one that has
        // ended keeps its end, as a connection does.
        let Some(channel) = self.channels.get_mut(&key) else {
            return Ok(());
        };
        match &mut channel.stage {
            Stage::Open(_) if channel.over => {}
            Stage::Open(endpoint) => endpoint.close(code, reason)?,
            _ => return Err(UsageError::Closed),
        }
        self.wake(key);
        Ok(())
    }

    /// Nobody will ask for the events of this channel any more: it is closed with this code, if it is
    /// not closing already, and forgotten once it is over.
    pub fn abandon(&mut self, key: Key, code: CloseCode) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        channel.abandoned = true;
        if channel.over {
            // Its number may be another's already.
            self.drain(key);
            return;
        }
        match channel.endpoint() {
            Ok(endpoint) => {
                if endpoint.close(code, "").is_err() {
                    // One that must not be sent: then the plainest.
                    let _ = endpoint.close(CloseCode::NORMAL, "");
                }
                self.wake(key);
            }
            Err(_) => {
                let id = channel.id;
                self.carrier
                    .drop_channel(id, EndsFor::Normal, &mut self.actions);
                self.end(key);
            }
        }
        self.drain(key);
        self.carry_out(&[]);
    }

    /// Closes the physical connection, and with it all channels, as they stand.
    ///
    /// # Errors
    ///
    /// As [`Connection::close`].
    pub fn close_all(&mut self, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        self.physical.close(code, reason)
    }

    fn command(
        &mut self,
        key: Key,
        run: impl FnOnce(&mut Channel) -> Result<(), UsageError>,
    ) -> Result<(), UsageError> {
        let full = self.buffered(key) >= self.config.limits.max_write_buffer;
        let channel = self.channels.get_mut(&key).ok_or(UsageError::Closed)?;
        if full {
            return Err(UsageError::WriteBufferFull);
        }
        run(channel)?;
        if channel.has_notices() {
            // An encoder has told something.
            self.news.push_back(News::Ready(key));
        }
        self.wake(key);
        Ok(())
    }

    // To the caller.

    /// What has happened, oldest first.
    pub fn poll_news(&mut self) -> Option<News> {
        if self.news.is_empty() {
            self.hear_physical();
        }
        self.news.pop_front()
    }

    /// Whether [`poll_news`](Self::poll_news) has something: a command may have led to it, or what was
    /// written.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// What has happened on a channel, oldest first. The last event is [`Event::Closed`], exactly
    /// once, and the channel is forgotten then.
    ///
    /// What comes on a channel is decoded only as far as it is asked for, and the peer is given room
    /// for more only then: a channel that nobody reads costs its quota and holds up no other.
    pub fn poll_channel(&mut self, key: Key) -> Option<Event> {
        let event = self.next_event(key);
        self.carry_out(&[]);
        if event.is_none()
            && let Some(channel) = self.channels.get_mut(&key)
        {
            channel.release();
            channel.asking = true;
        }
        event
    }

    /// Whether something that has come on this channel waits for [`poll_channel`](Self::poll_channel).
    #[must_use]
    pub fn has_input(&self, key: Key) -> bool {
        let channel = self.channels.get(&key);
        channel.is_some_and(|channel| channel.kept() > 0)
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) may have something.
    #[must_use]
    pub fn has_transmit(&self) -> bool {
        !self.turns.is_empty() || self.physical.has_transmit()
    }

    /// What is to be written.
    pub fn poll_transmit(&mut self) -> Transmit<'_> {
        self.fill();
        self.physical.poll_transmit()
    }

    /// Whether the ping schedule of the physical connection is all that is running: as
    /// [`Connection::is_quiet`].
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.undated.is_empty() && self.deadlines.is_empty() && self.physical.is_quiet()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if !self.undated.is_empty() && !self.over {
            // At once, then, to date them.
            return Some(self.now);
        }
        let channels = self.deadlines.first().map(|(deadline, _)| *deadline);
        let physical = self.physical.poll_timeout();
        match (channels, physical) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Octets of this channel that wait to leave it.
    #[must_use]
    pub fn buffered(&self, key: Key) -> usize {
        self.channels
            .get(&key)
            .map_or(0, |channel| channel.buffered())
    }

    /// Whether senders on this channel should wait.
    #[must_use]
    pub fn is_write_buffer_high(&self, key: Key) -> bool {
        self.buffered(key) >= self.config.limits.write_high_water
    }

    /// Where a channel stands; `None` if there is none of this number, or it is not open yet.
    #[must_use]
    pub fn state(&self, key: Key) -> Option<State> {
        let channel = self.channels.get(&key)?;
        let Stage::Open(endpoint) = &channel.stage else {
            return None;
        };
        match endpoint.state() {
            // The carrier has forgotten it, and its last event was not asked for yet.
            State::Open | State::Closing if channel.over => Some(State::Failing),
            state => Some(state),
        }
    }

    /// What the extensions of a channel have done.
    #[must_use]
    pub fn statistics(&self, key: Key) -> Vec<Statistics> {
        match self.channels.get(&key).map(|channel| &channel.stage) {
            Some(Stage::Open(endpoint)) => endpoint.statistics(),
            _ => Vec::new(),
        }
    }

    /// The number of a channel on the wire.
    #[must_use]
    pub fn id(&self, key: Key) -> Option<ChannelId> {
        self.channels.get(&key).map(|channel| channel.id)
    }

    /// The channels there are: open, not yet, or over with something left to be asked for.
    pub fn channels(&self) -> impl Iterator<Item = Key> {
        self.channels.keys().copied()
    }

    /// Which end this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whether everything is over and the byte stream can be dropped.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.physical.is_done()
    }

    /// It is known what time it is: handshakes that have begun since it was last told begin now.
    fn date(&mut self) {
        while let Some((key, within)) = self.undated.pop_first() {
            self.set_deadline(key, Some(self.now + within));
        }
    }

    fn set_deadline(&mut self, key: Key, deadline: Option<Instant>) {
        self.undated.remove(&key);
        let before = self.channels.get_mut(&key);
        if let Some(old) =
            before.and_then(|channel| core::mem::replace(&mut channel.deadline, deadline))
        {
            self.deadlines.remove(&(old, key));
        }
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, key));
        }
    }
}

/// What carries the channels is agreed already: no channel is refused for the lack of it.
fn without_carriers(
    mut options: Arc<ServerOptions>,
    config: &Config,
    of_channels: &Config,
) -> Arc<ServerOptions> {
    let is_carrier = |name: &String| {
        config.extensions.get(name).is_some() && of_channels.extensions.get(name).is_none()
    };
    if options.required_extensions.iter().any(is_carrier) {
        let options = Arc::make_mut(&mut options);
        options.required_extensions.retain(|name| !is_carrier(name));
    }
    options
}

/// Server: proxies have spoken in the request of the connection. They do not see those of channels, in
/// which it would be the client that speaks.
fn known_of_client(options: &mut Arc<ServerOptions>, opening: &Handshake) -> Option<Peer> {
    if options.trusted_proxies.is_empty() {
        return None;
    }
    let peer = opening.extension::<Peer>().cloned();
    let options = Arc::make_mut(options);
    options.trusted_proxies = TrustedProxies::none();
    options.tls &= peer.is_none();
    peer
}

impl fmt::Debug for Trunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trunk")
            .field("role", &self.role)
            .field("channels", &self.channels.len())
            .field("physical", &self.physical.state())
            .finish_non_exhaustive()
    }
}
