//! One logical connection: frames in, events out; commands in, frames out.
//!
//! An [`Endpoint`] knows nothing of octets, masks or time. [`Connection`](crate::Connection) puts
//! it behind a wire; a multiplexer can put many behind one.

mod closing;
mod control;
mod receive;

use closing::Closing;
pub use closing::State;
use control::Control;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::close::{CloseCode, CloseFrame};
use crate::config::Config;
use crate::error::{ConnectionError, UsageError};
use crate::event::{Closed, Event};
use crate::extension::{
    ChannelId, Direction, Failure, Hints, Negotiated, Pipelines, Statistics, View, Watcher,
    Watchers,
};
use crate::frame::{Frame, Head, OpCode};
use crate::handshake::Handshake;
use crate::message::{Assembler, Fragmenter, Kind, Message};
use crate::role::Role;

/// The most octets a control frame carries (RFC 6455 §5.5).
pub(crate) const MAX_CONTROL: usize = 125;

/// What a waiting message counts beside its octets: the header it will have, at most. Without it,
/// any number of empty messages would count nothing.
const HEADER: usize = 14;

/// One end of one logical connection, in frames.
///
/// `handle_*` takes what the peer sent and never fails: the peer's errors become a close frame and
/// an end. Commands fail only with [`UsageError`]. [`poll_frame`](Self::poll_frame) gives what is to
/// be sent.
#[derive(Debug)]
pub struct Endpoint {
    role: Role,
    config: Arc<Config>,
    pipelines: Option<Box<Pipelines>>,
    watchers: Option<Box<Watchers>>,
    assembler: Assembler,
    control: Control,
    closing: Closing,
    /// The message on its way out, and those behind it. Apart, because most often there is one.
    current: Option<Fragmenter>,
    queue: VecDeque<Fragmenter>,
    queued: usize,
    /// The message that the application sends in parts.
    parts: Option<Parts>,
}

/// A message that the application sends in parts.
#[derive(Clone, Copy, Debug)]
struct Parts {
    kind: Kind,
    /// Its first frame is out.
    begun: bool,
}

impl Endpoint {
    /// An endpoint in the open state, behind a finished opening handshake.
    #[must_use]
    pub fn new(role: Role, config: Arc<Config>, negotiated: Negotiated) -> Self {
        let watchers = config.taps.iter().map(|tap| tap.attach(role)).collect();
        Self::watched(role, config, negotiated, watchers)
    }

    /// The endpoint of a channel.
    pub(crate) fn of_channel(
        role: Role,
        config: Arc<Config>,
        negotiated: Negotiated,
        id: ChannelId,
    ) -> Self {
        let taps = config.taps.iter();
        let watchers = taps.map(|tap| tap.attach_channel(role, id)).collect();
        Self::watched(role, config, negotiated, watchers)
    }

    fn watched(
        role: Role,
        config: Arc<Config>,
        negotiated: Negotiated,
        watchers: Vec<Box<dyn Watcher>>,
    ) -> Self {
        let pipelines = negotiated.into_pipelines(config.clock.clone());
        Self {
            role,
            config,
            pipelines: (!pipelines.is_empty()).then(|| Box::new(pipelines)),
            watchers: (!watchers.is_empty()).then(|| Box::new(Watchers::new(watchers))),
            assembler: Assembler::default(),
            control: Control::default(),
            closing: Closing::default(),
            current: None,
            queue: VecDeque::new(),
            queued: 0,
            parts: None,
        }
    }

    /// Which end this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Where the endpoint stands between open and closed.
    #[must_use]
    #[inline]
    pub fn state(&self) -> State {
        self.closing.state()
    }

    /// How it ended. Complete once the transport has ended too.
    #[must_use]
    pub fn closed(&self) -> Closed {
        self.closing.closed()
    }

    /// What failed the connection, if anything did.
    #[must_use]
    pub fn error(&self) -> Option<&ConnectionError> {
        self.closing.error()
    }

    /// Octets of messages that wait to become frames, with a header each.
    #[must_use]
    pub const fn queued(&self) -> usize {
        self.queued
    }

    /// What each agreed extension has done so far, in the order of the answer; in front of them
    /// those of [`Extensions::with_local`](crate::extension::Extensions::with_local).
    #[must_use]
    pub fn statistics(&self) -> Vec<Statistics> {
        match &self.pipelines {
            Some(pipelines) => pipelines.statistics().collect(),
            None => Vec::new(),
        }
    }

    /// Shows the taps the opening handshake. Before the first frame, if at all.
    pub fn show_opening(&mut self, handshake: &Handshake) {
        if let Some(watchers) = &mut self.watchers {
            watchers.opened(handshake);
        }
    }

    /// Shows the taps the end.
    pub(crate) fn show_closed(&mut self, closed: &Closed) {
        if let Some(watchers) = &mut self.watchers {
            watchers.closed(closed);
        }
    }

    fn show(&mut self, view: View, direction: Direction, head: Head, payload: &[u8]) {
        if let Some(watchers) = &mut self.watchers {
            watchers.frame(view, direction, head, payload);
        }
    }

    pub(crate) const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    // Commands.

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// [`UsageError::Closed`], [`UsageError::PartExpected`] in the middle of a message sent in
    /// parts, or [`UsageError::Encode`].
    pub fn send(&mut self, message: Message, hints: Hints) -> Result<(), UsageError> {
        self.check_open()?;
        if self.parts.is_some() {
            return Err(UsageError::PartExpected);
        }
        self.encode(
            Head::new(message.kind().opcode()),
            message.into_payload(),
            hints,
        )
    }

    /// Sends a message part by part; `fin` with the last. The hints of the first part count.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); also [`UsageError::PartExpected`] if `kind` changes half way. The
    /// octets of a text are not checked here: send whole characters, or valid pieces of them.
    pub fn send_part(
        &mut self,
        kind: Kind,
        part: Bytes,
        fin: bool,
        hints: Hints,
    ) -> Result<(), UsageError> {
        self.check_open()?;
        let parts = self.parts.unwrap_or(Parts { kind, begun: false });
        if parts.kind != kind {
            return Err(UsageError::PartExpected);
        }
        // An empty fragment says nothing, and a peer may count it against us.
        let silent = part.is_empty() && !fin;
        if !silent {
            let opcode = if parts.begun {
                OpCode::CONTINUATION
            } else {
                kind.opcode()
            };
            self.encode(Head::new(opcode).with_fin(fin), part, hints)?;
        }
        let begun = parts.begun || !silent;
        self.parts = (!fin).then_some(Parts { begun, ..parts });
        Ok(())
    }

    /// Sends a frame of an opcode that an agreed extension owns.
    ///
    /// # Errors
    ///
    /// [`UsageError::OpCode`] if none does, [`UsageError::TooLong`] for a control opcode with more
    /// than 125 octets, [`UsageError::WriteBufferFull`] while the control frame before it waits,
    /// [`UsageError::Closed`].
    pub fn send_extension(&mut self, opcode: OpCode, payload: Bytes) -> Result<(), UsageError> {
        self.check_open()?;
        if !self
            .pipelines
            .as_ref()
            .is_some_and(|pipelines| pipelines.owns(opcode))
        {
            return Err(UsageError::OpCode(opcode));
        }
        if !opcode.is_control() {
            return self.push_extension(opcode, payload);
        }
        if payload.len() > MAX_CONTROL {
            return Err(UsageError::TooLong);
        }
        if self.control.slots().extension.is_some() {
            return Err(UsageError::WriteBufferFull);
        }
        self.control.slots().extension = Some(Frame::new(Head::new(opcode), payload));
        Ok(())
    }

    /// What an extension answers on its own. One slot for control frames, as for pongs: a peer that
    /// asks and never reads gets the latest.
    fn answer(&mut self, opcode: OpCode, payload: Bytes) -> Result<(), UsageError> {
        if !opcode.is_control() {
            return self.push_extension(opcode, payload);
        }
        if payload.len() > MAX_CONTROL {
            return Err(UsageError::TooLong);
        }
        self.control.slots().answer = Some(Frame::new(Head::new(opcode), payload));
        Ok(())
    }

    fn push_extension(&mut self, opcode: OpCode, payload: Bytes) -> Result<(), UsageError> {
        if self.parts.is_some() {
            return Err(UsageError::PartExpected);
        }
        self.push(Fragmenter::new(Head::new(opcode), payload, Hints::new()));
        Ok(())
    }

    /// Sends a ping. One not yet sent is replaced.
    ///
    /// # Errors
    ///
    /// [`UsageError::TooLong`] over 125 octets, [`UsageError::Closed`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.check_open()?;
        if payload.len() > MAX_CONTROL {
            return Err(UsageError::TooLong);
        }
        self.control.slots().ping = Some(Bytes::copy_from_slice(payload));
        Ok(())
    }

    /// Sends a pong that nobody asked for, as a sign of life (RFC 6455 §5.5.3).
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.check_open()?;
        if payload.len() > MAX_CONTROL {
            return Err(UsageError::TooLong);
        }
        self.control.slots().pong = Some(Bytes::copy_from_slice(payload));
        Ok(())
    }

    /// Starts the closing handshake, behind all that was sent before. Again, it does nothing.
    ///
    /// # Errors
    ///
    /// [`UsageError::CloseCode`] for a code that may not be sent, [`UsageError::TooLong`] for a
    /// reason over 123 octets.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        if !code.is_allowed_on_wire() {
            return Err(UsageError::CloseCode(code));
        }
        if reason.len() > CloseFrame::MAX_REASON {
            return Err(UsageError::TooLong);
        }
        self.closing.start(code, reason, self.role);
        Ok(())
    }

    /// Fails the connection (RFC 6455 §7.1.7): messages not yet sent are dropped, and a close frame
    /// goes out if there is a code for the error.
    pub fn fail(&mut self, error: impl Into<ConnectionError>) {
        self.closing.fail(error.into(), self.role);
        self.current = None;
        self.queue.clear();
        self.queued = 0;
        self.control = Control::default();
    }

    /// The peer's frames have ended.
    pub fn handle_eof(&mut self) {
        self.lose(ConnectionError::Lost);
    }

    /// The peer's frames have ended, for this reason.
    pub(crate) fn lose(&mut self, error: ConnectionError) {
        // Behind the peer's close frame, the end of its stream is no loss.
        if matches!(self.state(), State::Open | State::Closing) {
            self.fail(error);
        }
    }

    fn check_open(&self) -> Result<(), UsageError> {
        if self.state() == State::Open {
            Ok(())
        } else {
            Err(UsageError::Closed)
        }
    }

    /// Message-stage encoders, then into the queue.
    fn encode(&mut self, head: Head, payload: Bytes, hints: Hints) -> Result<(), UsageError> {
        self.show(View::Messages, Direction::Outgoing, head, &payload);
        let Some(pipelines) = &mut self.pipelines else {
            self.push(Fragmenter::new(head, payload, hints));
            return Ok(());
        };
        let encoded = match pipelines.encode_message(head, hints, &payload, usize::MAX) {
            Ok(Some(bits)) => {
                let payload = Bytes::from(pipelines.take_output());
                Fragmenter::new(head.with_rsv(bits), payload, hints)
            }
            Ok(None) => Fragmenter::new(head, payload, hints),
            Err(failure) => {
                // Nobody knows what the encoders before the failing one have remembered.
                self.closing
                    .start(CloseCode::INTERNAL_ERROR, failure.reason(), self.role);
                return Err(UsageError::Encode(failure));
            }
        };
        self.push(encoded);
        Ok(())
    }

    fn push(&mut self, outgoing: Fragmenter) {
        self.queued += outgoing.len() + HEADER;
        if self.current.is_none() {
            self.current = Some(outgoing);
        } else {
            self.queue.push_back(outgoing);
        }
    }

    // To the caller.

    /// The next frame to send, with at most `room` octets of payload if it is a data frame.
    ///
    /// Control frames overtake messages between two fragments; a close frame comes last.
    pub fn poll_frame(&mut self, room: usize) -> Option<Frame> {
        loop {
            let (frame, hints) = self.next_frame(room)?;
            self.show(
                View::Fragments,
                Direction::Outgoing,
                frame.head,
                &frame.payload,
            );
            let frame = match self.encode_frame(frame, hints) {
                Ok(frame) => frame,
                Err(failure) => {
                    self.fail(failure);
                    continue;
                }
            };
            self.show(View::Wire, Direction::Outgoing, frame.head, &frame.payload);
            return Some(frame);
        }
    }

    /// What has happened beside what [`handle_frame`](Self::handle_frame) returned, oldest first:
    /// an extension may have something to tell. Ask until there is nothing more.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        let pipelines = self.pipelines.as_mut()?;
        pipelines.poll_event().or_else(|| pipelines.poll_notice())
    }

    /// The next event of what came.
    #[inline]
    pub(crate) fn poll_received(&mut self) -> Option<Event> {
        self.pipelines.as_mut()?.poll_event()
    }

    /// Whether an encoder has told something.
    #[inline]
    pub(crate) fn has_notices(&self) -> bool {
        self.pipelines
            .as_ref()
            .is_some_and(|pipelines| pipelines.has_notices())
    }

    /// The event that was polled last is to be the next again.
    pub(crate) fn put_back(&mut self, event: Event) {
        if let Some(pipelines) = &mut self.pipelines {
            pipelines.put_back(event);
        }
    }

    /// What is due now, if this event came behind all that waits.
    #[inline]
    pub(crate) fn in_order(&mut self, event: Option<Event>) -> Option<Event> {
        match &mut self.pipelines {
            Some(pipelines) => pipelines.in_order(event),
            None => event,
        }
    }

    fn next_frame(&mut self, room: usize) -> Option<(Frame, Hints)> {
        if let Some(frame) = self.control.next() {
            return Some((frame, Hints::new()));
        }
        if let Some(current) = &mut self.current {
            let (frame, last) = current.next(room.min(self.config.limits.out_fragment));
            let hints = current.hints;
            self.queued -= frame.payload.len();
            if last {
                self.queued -= HEADER;
                self.current = self.queue.pop_front();
                if self.queue.is_empty() {
                    self.queue = VecDeque::new();
                }
            }
            return Some((frame, hints));
        }
        // §5.5.1: "The application MUST NOT send any more data frames after sending a Close frame",
        // and inside a message sent in parts a close frame may stand.
        Some((self.closing.next()?, Hints::new()))
    }

    fn encode_frame(&mut self, frame: Frame, hints: Hints) -> Result<Frame, Failure> {
        let Some(pipelines) = self.pipelines.as_mut().filter(|all| all.whole_frames()) else {
            return Ok(frame);
        };
        let limit = if frame.head.opcode.is_control() {
            MAX_CONTROL
        } else {
            usize::MAX
        };
        let bits = pipelines.encode_frame(frame.head, hints, &frame.payload, limit)?;
        Ok(match bits {
            Some(bits) => {
                let head = frame.head.with_rsv(frame.head.rsv | bits);
                Frame::new(head, pipelines.take_output())
            }
            None => frame,
        })
    }

    /// Whether a message sent now would leave as one frame, just as it is: nobody wants to see it,
    /// and nothing waits before it.
    #[inline]
    pub(crate) fn sends_untouched(&self, length: usize) -> bool {
        self.pipelines.is_none()
            && self.parts.is_none()
            && length <= self.config.limits.out_fragment
            && self.watchers.is_none()
            && !self.has_frames()
            && self.state() == State::Open
    }

    /// Whether there is a frame to send.
    #[must_use]
    #[inline]
    pub fn has_frames(&self) -> bool {
        self.current.is_some() || !self.control.is_empty() || self.closing.is_due()
    }

    /// Gives back the memory that only a connection at work needs.
    #[inline]
    pub(crate) fn release(&mut self) {
        if let Some(pipelines) = &mut self.pipelines {
            pipelines.release();
        }
    }
}
