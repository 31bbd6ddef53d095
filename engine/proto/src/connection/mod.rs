//! One end of a connection over a byte stream: wire, endpoint, keepalive and deadlines.

mod deadlines;
mod receive;
mod transmit;

pub use receive::{MessageRef, Received};
pub use transmit::Transmit;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::close::CloseCode;
use crate::config::Config;
use crate::endpoint::{Endpoint, State};
use crate::error::UsageError;
use crate::event::{Closed, Event};
use crate::extension::{Hints, Negotiated, Statistics};
use crate::frame::{Head, OpCode};
use crate::handshake::Handshake;
use crate::keepalive::Keepalive;
use crate::message::{Kind, Message};
use crate::role::Role;
use crate::wire::{Decoder, WriteBuffer};
use deadlines::Deadlines;
use receive::Input;

/// One end of a WebSocket connection over a byte stream. No I/O, no clock, no randomness of its own.
///
/// Its methods are of four kinds:
///
/// - `handle_*` takes what the network and the clock bring. They never fail: the peer's errors
///   become a close frame and an event.
/// - Commands ([`send`](Self::send), [`ping`](Self::ping), [`close`](Self::close) …) take what the
///   application wants. They fail only with [`UsageError`].
/// - `poll_*` gives what the caller is to do. After every `handle_*` and every command, call
///   [`poll_event`](Self::poll_event) and [`poll_transmit`](Self::poll_transmit) until they have
///   nothing more, then look at [`poll_timeout`](Self::poll_timeout).
/// - The rest are questions.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Instant;
/// # use cloverleaf_proto::{Config, Connection, Event, Message, Role, extension::Negotiated, frame::MaskSource, connection::Transmit};
/// # #[derive(Debug)] struct Fixed;
/// # impl MaskSource for Fixed { fn mask_key(&self) -> [u8; 4] { [0x37, 0xfa, 0x21, 0x3d] } }
/// # let config = Arc::new(Config::new(Arc::new(Fixed)));
/// # let now = Instant::now();
/// // Behind the opening handshake:
/// let mut server = Connection::new(Role::Server, config, Negotiated::default(), now);
/// // "Hello" from a client, as in RFC 6455 section 5.7.
/// let mut octets = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// server.handle_input(now, &mut octets);
/// while let Some(event) = server.poll_event() {
///     if let Event::Message(message) = event {
///         server.send(message, Default::default())?;
///     }
/// }
/// if let Transmit::Write(front, back) = server.poll_transmit() {
///     assert_eq!((front, back), (&b"\x81\x05Hello"[..], &b""[..]));
///     let written = front.len() + back.len();
///     server.handle_written(now, written);
/// }
/// # Ok::<(), cloverleaf_proto::error::UsageError>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    decoder: Decoder,
    input: Input,
    write: WriteBuffer,
    keepalive: Keepalive,
    deadlines: Deadlines,
    /// The last moment we were told of.
    now: Instant,
    transport: Transport,
    /// Whether the last event has been given out.
    reported: bool,
}

/// Up to so many octets, a message may take the short way into the write buffer.
const SHORT_WAY: usize = 4 << 10;

/// What has become of the byte stream below.
#[derive(Clone, Copy, Debug, Default)]
struct Transport {
    /// The peer has ended its side.
    eof: bool,
    /// We have ended ours.
    shut: bool,
    /// There is nothing more to wait for.
    done: bool,
}

impl Connection {
    /// A connection behind a finished opening handshake.
    ///
    /// Octets that came behind the peer's head go to [`handle_input`](Self::handle_input) first.
    #[must_use]
    pub fn new(role: Role, config: Arc<Config>, negotiated: Negotiated, now: Instant) -> Self {
        let spread = u32::from_ne_bytes(config.mask_source.mask_key());
        let keepalive = Keepalive::new(&config.timing, spread, now);
        let decoder = Decoder::new(role, config.limits.max_frame_size, config.accept_unmasked);
        Self {
            endpoint: Endpoint::new(role, config, negotiated),
            decoder,
            input: Input::default(),
            write: WriteBuffer::default(),
            keepalive,
            deadlines: Deadlines::default(),
            now,
            transport: Transport::default(),
            reported: false,
        }
    }

    // Commands of the application.

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// [`UsageError::WriteBufferFull`] while `max_write_buffer` octets wait, and the errors of
    /// [`Endpoint::send`].
    #[inline]
    pub fn send(&mut self, message: Message, hints: Hints) -> Result<(), UsageError> {
        self.check_room()?;
        if self.send_untouched(&message) {
            return Ok(());
        }
        self.endpoint.send(message, hints)?;
        self.fill();
        Ok(())
    }

    /// The short way of a small message through an idle connection without extensions: the same
    /// octets as by the long way, without a queue in between.
    #[inline]
    fn send_untouched(&mut self, message: &Message) -> bool {
        let payload = message.payload();
        let short = payload.len() <= SHORT_WAY
            && self.write.is_open()
            && self.write.len() < self.config().limits.write_high_water
            && self.endpoint.sends_untouched(payload.len());
        if short {
            let key = self.mask_key();
            self.write
                .push_copy(Head::new(message.kind().opcode()), payload, key);
        }
        short
    }

    /// Sends a binary message in two parts that is copied at once.
    pub(crate) fn send_binary(&mut self, front: &[u8], back: &[u8]) -> Result<(), UsageError> {
        if self.passes_at_once(front.len() + back.len())? {
            let key = self.mask_key();
            self.write
                .push_copy_behind(Head::new(OpCode::BINARY), front, back, key);
            return Ok(());
        }
        self.send_joined(front, back)
    }

    /// Whether a message may go into the write buffer just as it is.
    fn passes_at_once(&self, length: usize) -> Result<bool, UsageError> {
        if self.transport.shut || self.state() != State::Open {
            return Err(UsageError::Closed);
        }
        Ok(self.write.is_open() && self.endpoint.sends_untouched(length))
    }

    fn send_joined(&mut self, front: &[u8], back: &[u8]) -> Result<(), UsageError> {
        let message = Message::binary([front, back].concat());
        self.endpoint.send(message, Hints::new())?;
        self.fill();
        Ok(())
    }

    /// Sends a message part by part; `fin` with the last.
    ///
    /// # Errors
    ///
    /// [`UsageError::WriteBufferFull`], and the errors of [`Endpoint::send_part`].
    pub fn send_part(
        &mut self,
        kind: Kind,
        part: Bytes,
        fin: bool,
        hints: Hints,
    ) -> Result<(), UsageError> {
        self.check_room()?;
        self.endpoint.send_part(kind, part, fin, hints)?;
        self.fill();
        Ok(())
    }

    /// Sends a frame of an opcode that an agreed extension owns.
    ///
    /// # Errors
    ///
    /// [`UsageError::WriteBufferFull`], and the errors of [`Endpoint::send_extension`].
    pub fn send_extension(&mut self, opcode: OpCode, payload: Bytes) -> Result<(), UsageError> {
        self.check_room()?;
        self.endpoint.send_extension(opcode, payload)?;
        self.fill();
        Ok(())
    }

    /// Sends a ping.
    ///
    /// # Errors
    ///
    /// Those of [`Endpoint::ping`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.endpoint.ping(payload)?;
        self.fill();
        Ok(())
    }

    /// Sends a pong that nobody asked for.
    ///
    /// # Errors
    ///
    /// Those of [`Endpoint::pong`].
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.endpoint.pong(payload)?;
        self.fill();
        Ok(())
    }

    /// Starts the closing handshake (RFC 6455 §7.1.2), behind all that was sent before. Again, it
    /// does nothing.
    ///
    /// # Errors
    ///
    /// Those of [`Endpoint::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        self.endpoint.close(code, reason)?;
        self.fill();
        Ok(())
    }

    fn check_room(&self) -> Result<(), UsageError> {
        // Before the room: a sender that waits for room here would wait for ever.
        if self.transport.shut || self.state() != State::Open {
            return Err(UsageError::Closed);
        }
        if self.buffered() < self.config().limits.max_write_buffer {
            Ok(())
        } else {
            Err(UsageError::WriteBufferFull)
        }
    }

    // To the caller.

    /// What has happened, oldest first, and what encoders tell behind what has come. The last event is
    /// [`Event::Closed`], exactly once.
    ///
    /// Input that has been handed over is decoded only as far as events are asked for.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.next_event() {
            return Some(event);
        }
        if self.transport.done && !self.reported {
            self.reported = true;
            let closed = self.closed();
            self.endpoint.show_closed(&closed);
            return Some(Event::Closed(closed));
        }
        None
    }

    /// Gives back memory that only a connection at work needs. For callers that are about to wait
    /// for the peer.
    #[inline]
    pub fn release(&mut self) {
        self.endpoint.release();
    }

    // Questions.

    /// Octets that wait to be written, encoded or not. For back-pressure.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.write.len() + self.endpoint.queued()
    }

    /// Whether senders should wait until more is written.
    #[must_use]
    pub fn is_write_buffer_high(&self) -> bool {
        self.buffered() >= self.config().limits.write_high_water
    }

    /// Where the connection stands between open and closed.
    #[must_use]
    pub fn state(&self) -> State {
        self.endpoint.state()
    }

    /// Whether everything is over and the byte stream can be dropped.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.transport.done
    }

    /// How the connection ended. Complete once [`is_done`](Self::is_done).
    #[must_use]
    pub fn closed(&self) -> Closed {
        self.endpoint.closed()
    }

    /// The last measured time from one of our pings to its pong.
    #[must_use]
    pub const fn round_trip(&self) -> Option<Duration> {
        self.keepalive.round_trip()
    }

    /// What each agreed extension has done so far; see [`Endpoint::statistics`].
    #[must_use]
    pub fn statistics(&self) -> Vec<Statistics> {
        self.endpoint.statistics()
    }

    /// Shows the taps the opening handshake. Before the first input, if at all.
    pub fn show_opening(&mut self, handshake: &Handshake) {
        self.endpoint.show_opening(handshake);
    }

    /// Which end this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.endpoint.role()
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.endpoint.config()
    }
}
