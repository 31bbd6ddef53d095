//! Octets from the caller into events, in place where that is possible.

use std::time::Instant;

use bytes::buf::{BufMut, Limit};
use bytes::{Bytes, BytesMut};

use super::Connection;
use crate::endpoint::State;
use crate::error::{ConnectionError, ProtocolError};
use crate::event::Event;
use crate::frame::{Head, OpCode, mask};
use crate::message::{Kind, Message, Utf8Bytes};

/// Once so much of a frame's payload has come, the rest may be read straight into the message.
const DIRECT: usize = 16 << 10;

/// The receiving side between two calls.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// What was handed over and not decoded yet: at most a header or a control frame, and the frames
    /// that nobody has asked for so far.
    tail: Vec<u8>,
    decoded: usize,
    /// The frame whose payload is coming in piece by piece.
    partial: Option<Partial>,
    /// Where the target of a direct read began.
    direct: usize,
    /// An event that is known already. While the endpoint has more of what came, there is one here.
    ready: Option<Event>,
    /// Octets thrown away behind the end.
    discarded: usize,
}

/// A data frame that has begun.
#[derive(Clone, Copy, Debug)]
struct Partial {
    /// The head of the next piece.
    head: Head,
    /// FIN of the frame itself.
    fin: bool,
    key: Option<[u8; 4]>,
    /// Octets of payload that have come.
    come: usize,
    remaining: usize,
}

impl Input {
    /// Drops the frame whose end nobody waits for any more.
    pub(super) fn clear(&mut self) {
        self.partial = None;
    }
}

/// What a piece of input came to.
enum Outcome {
    /// More is needed.
    Nothing,
    Event(Event),
    /// `input[start..end]` is a whole message just as it stands. Text is not checked yet.
    Whole {
        kind: Kind,
        start: usize,
        end: usize,
    },
}

/// A message that still lies in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 has two kinds")]
pub enum MessageRef<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
}

impl From<MessageRef<'_>> for Message {
    fn from(message: MessageRef<'_>) -> Self {
        match message {
            MessageRef::Text(text) => Self::Text(Utf8Bytes::from(text)),
            MessageRef::Binary(payload) => Self::Binary(Bytes::copy_from_slice(payload)),
        }
    }
}

/// What [`Connection::receive`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "borrowed or owned")]
pub enum Received<'a> {
    /// A message that came unfragmented and unencoded, where it lies: not copied, not allocated.
    Message(MessageRef<'a>),
    /// Everything else.
    Event(Event),
}

impl Connection {
    /// Takes octets from the network.
    ///
    /// They are decoded and unmasked in place, as far as the first event; what is left moves into
    /// the connection and is decoded as [`poll_event`](Self::poll_event) asks for it. Hand over more
    /// only when that has nothing more, or what is left piles up.
    #[inline]
    pub fn handle_input(&mut self, now: Instant, input: &mut [u8]) {
        if !self.is_drained() {
            self.arrived(now, input.len());
            self.input.tail.extend_from_slice(input);
            return;
        }
        let (used, received) = self.receive_first(now, input);
        match received {
            Some(Received::Message(message)) => {
                self.input.ready = Some(Event::Message(message.into()));
            }
            Some(Received::Event(event)) => self.hold(event),
            None => {}
        }
        self.keep(&input[used..]);
    }

    /// Takes octets from the network up to the first event, and says how many.
    ///
    /// The borrowed form of [`handle_input`](Self::handle_input) and
    /// [`poll_event`](Self::poll_event), for callers that handle a message where it lies. Call it
    /// until it has nothing more, and hand over what was not used again, with what comes behind it,
    /// or give it to [`keep`](Self::keep). An unfinished header stays unused.
    ///
    /// The forms may be mixed. While the connection keeps octets of before, everything is used, and
    /// what comes of it is owned.
    #[inline]
    pub fn receive<'a>(
        &mut self,
        now: Instant,
        input: &'a mut [u8],
    ) -> (usize, Option<Received<'a>>) {
        if !self.is_drained() {
            self.arrived(now, input.len());
            // What came before comes first.
            self.keep(input);
            return (input.len(), self.next_event().map(Received::Event));
        }
        match self.receive_first(now, input) {
            (used, None) => (used, self.endpoint.poll_event().map(Received::Event)),
            found => found,
        }
    }

    /// Takes octets behind which nothing waits, up to the first event of what came.
    #[inline]
    fn receive_first<'a>(
        &mut self,
        now: Instant,
        input: &'a mut [u8],
    ) -> (usize, Option<Received<'a>>) {
        self.arrived(now, input.len());
        let (used, outcome) = self.advance(input);
        let received = match outcome {
            Outcome::Nothing => None,
            Outcome::Event(event) => Some(Received::Event(event)),
            Outcome::Whole { kind, start, end } => self
                .message(kind, &input[start..end])
                .map(Received::Message),
        };
        if received.is_none() {
            self.deadlines
                .handle_message(now, self.is_inside_message(used < input.len()));
            self.settle(now);
        }
        (used, received)
    }

    /// Whether everything that was handed over is used up, so that [`receive`](Self::receive) can
    /// lend messages.
    #[must_use]
    #[inline]
    pub fn is_drained(&self) -> bool {
        self.input.tail.is_empty() && self.input.ready.is_none()
    }

    /// Whether the encoder of an extension has told something, for [`poll_event`](Self::poll_event)
    /// to give. It is no input: nobody need stop reading or writing because of it.
    #[must_use]
    #[inline]
    pub fn has_notices(&self) -> bool {
        self.endpoint.has_notices()
    }

    /// Keeps what [`receive`](Self::receive) has not used, for [`poll_event`](Self::poll_event).
    #[inline]
    pub fn keep(&mut self, unused: &[u8]) {
        if !unused.is_empty() {
            self.input.tail.extend_from_slice(unused);
        }
    }

    /// The peer has ended its side of the stream. What came before is still delivered.
    pub fn handle_eof(&mut self, now: Instant) {
        self.now = now;
        self.transport.eof = true;
        self.end_if_drained();
    }

    /// Nothing can be written any more, but what the peer has sent may still be read: the reason,
    /// perhaps. Behind it, call [`handle_eof`](Self::handle_eof) or
    /// [`handle_lost`](Self::handle_lost).
    pub const fn handle_write_lost(&mut self) {
        self.transport.shut = true;
    }

    /// The stream is broken: nothing can be read or written any more. What came before is still
    /// delivered.
    pub fn handle_lost(&mut self, now: Instant) {
        self.transport.shut = true;
        self.handle_eof(now);
    }

    /// Behind the last octet and the last event: what is not closed by now is lost.
    pub(super) fn end_if_drained(&mut self) {
        if !self.transport.eof || self.transport.done || !self.is_drained() {
            return;
        }
        self.endpoint.handle_eof();
        let writing = !self.write.is_empty() || self.endpoint.has_frames();
        // A peer that has ended its side may still read: our last frames go out first.
        let waiting = match self.endpoint.state() {
            State::Replying | State::Closed => true,
            _ => writing,
        };
        self.transport.done = self.transport.shut || !waiting;
        self.settle(self.now);
    }

    /// Whether a frame is waiting, whole, to be asked for.
    #[must_use]
    #[inline]
    pub fn has_input(&self) -> bool {
        if self.is_drained() {
            return false;
        }
        let tail = self
            .input
            .tail
            .get(self.input.decoded..)
            .unwrap_or_default();
        if self.input.ready.is_some() || tail.is_empty() {
            return self.input.ready.is_some();
        }
        // The inside of a frame, of which every octet counts.
        if self.input.partial.is_some() {
            return true;
        }
        match self.decoder.header(tail) {
            Ok(Some(header)) => tail.len() - header.size >= header.length,
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Where the next octets may be read to directly, and no more than fit there.
    ///
    /// `Some` in the middle of a large frame that nobody needs to look at: reading straight into the
    /// message saves a copy. Call [`handle_filled`](Self::handle_filled) behind it. The room grows
    /// with what has come, never with what a header promises.
    pub fn read_target(&mut self) -> Option<Limit<&mut BytesMut>> {
        let partial = self.input.partial?;
        if partial.come < DIRECT || !self.input.tail.is_empty() || self.input.ready.is_some() {
            return None;
        }
        let buffer = self.endpoint.assembler_target()?.target();
        let room = partial.remaining.min(buffer.len().max(DIRECT));
        self.input.direct = buffer.len();
        buffer.reserve(room);
        Some(buffer.limit(partial.remaining.min(buffer.capacity() - buffer.len())))
    }

    /// Octets were read into the last [`read_target`](Self::read_target).
    pub fn handle_filled(&mut self, now: Instant) {
        let Some(mut partial) = self.input.partial else {
            return;
        };
        let start = self.input.direct;
        let max = self.config().limits.max_message_size;
        let Some(assembler) = self.endpoint.assembler_target() else {
            return;
        };
        let n = assembler
            .target()
            .len()
            .saturating_sub(start)
            .min(partial.remaining);
        if n == 0 {
            return;
        }
        let come = partial.come;
        let filled = assembler.filled(start, max, |new| {
            if let Some(key) = partial.key {
                mask(new, key, come);
            }
        });
        partial.come += n;
        partial.remaining -= n;
        let finished = partial.remaining == 0 && partial.fin;
        let message = if finished && filled.is_ok() {
            Some(assembler.finish())
        } else {
            None
        };
        self.input.partial = (partial.remaining > 0).then_some(partial);
        self.arrived(now, n);
        let checked = filled.and_then(|()| Ok(message.transpose()?));
        match checked {
            Ok(message) => self.input.ready = message.map(Event::Message),
            Err(error) => self.endpoint.fail(error),
        }
        self.deadlines
            .handle_message(now, self.is_inside_message(false));
        self.settle(now);
    }

    #[inline]
    fn arrived(&mut self, now: Instant, n: usize) {
        self.now = now;
        if n > 0 {
            self.keepalive.handle_input(now);
        }
    }

    /// Whether the peer owes us the end of a message or of a frame.
    fn is_inside_message(&self, unused: bool) -> bool {
        unused || self.input.partial.is_some() || self.endpoint.is_inside_message()
    }

    /// The next event out of what was handed over before, and behind it what an encoder tells.
    #[inline]
    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.next_received().or_else(|| self.endpoint.poll_event())
    }

    /// The next event out of what was handed over before.
    #[inline]
    pub(super) fn next_received(&mut self) -> Option<Event> {
        if self.input.ready.is_some() {
            return core::mem::replace(&mut self.input.ready, self.endpoint.poll_received());
        }
        if !self.input.tail.is_empty() {
            let event = self.next_from_tail();
            if event.is_some() {
                return event;
            }
        }
        if self.transport.eof {
            self.drop_unfinished();
            self.end_if_drained();
        }
        None
    }

    /// Decodes up to the next event and keeps it for [`poll_event`](Self::poll_event). Whether there
    /// is one.
    ///
    /// For callers that must not take an event yet and want to read on as long as there is none. What
    /// an encoder tells does not count.
    pub fn look_ahead(&mut self) -> bool {
        if self.input.ready.is_none()
            && let Some(event) = self.next_received()
        {
            self.hold(event);
        }
        self.input.ready.is_some()
    }

    /// At the end of the stream, an unfinished header or control frame will stay so.
    fn drop_unfinished(&mut self) {
        self.input.tail = Vec::new();
        self.input.decoded = 0;
    }

    fn next_from_tail(&mut self) -> Option<Event> {
        let mut tail = core::mem::take(&mut self.input.tail);
        let (used, outcome) = self.advance(&mut tail[self.input.decoded..]);
        let event = match outcome {
            Outcome::Nothing => None,
            Outcome::Event(event) => Some(event),
            Outcome::Whole { kind, start, end } => {
                let payload = &tail[self.input.decoded..][start..end];
                self.message(kind, payload)
                    .map(|message| Event::Message(message.into()))
            }
        };
        self.input.decoded += used;
        let left = tail.len() - self.input.decoded;
        if left > 0 {
            // Moved to the front only when little is left, so that it is not moved again and again.
            if event.is_none() {
                tail.drain(..self.input.decoded);
                self.input.decoded = 0;
            }
            self.input.tail = tail;
        } else {
            self.input.decoded = 0;
        }
        if event.is_none() {
            self.deadlines
                .handle_message(self.now, self.is_inside_message(left > 0));
            self.settle(self.now);
        }
        event
    }

    /// A message that lies in the input, once its text is checked.
    #[inline]
    fn message<'a>(&mut self, kind: Kind, payload: &'a [u8]) -> Option<MessageRef<'a>> {
        match kind {
            Kind::Binary => Some(MessageRef::Binary(payload)),
            Kind::Text => match simdutf8::basic::from_utf8(payload) {
                Ok(text) => Some(MessageRef::Text(text)),
                Err(_) => {
                    self.endpoint.fail(ProtocolError::TextNotUtf8);
                    None
                }
            },
        }
    }

    /// Decodes up to the first event. Returns how many octets of `input` are used up.
    #[inline]
    fn advance(&mut self, input: &mut [u8]) -> (usize, Outcome) {
        let mut used = 0;
        loop {
            match self.endpoint.state() {
                State::Open | State::Closing => {}
                // The peer has nothing more to say that counts.
                _ => {
                    self.discard(input.len() - used);
                    return (input.len(), Outcome::Nothing);
                }
            }
            let rest = &mut input[used..];
            if self.input.partial.is_some() {
                let (n, event) = self.next_piece(rest);
                used += n;
                match event {
                    Some(event) => return (used, Outcome::Event(event)),
                    None if rest.len() == n => return (used, Outcome::Nothing),
                    None => continue,
                }
            }
            match self.next_frame(rest) {
                Ok(Found::Incomplete) => return (used, Outcome::Nothing),
                Ok(Found::Partial(header)) => used += header,
                Ok(Found::Whole { kind, start, end }) => {
                    let (start, end) = (used + start, used + end);
                    return (end, Outcome::Whole { kind, start, end });
                }
                Ok(Found::Frame { end, event }) => {
                    used += end;
                    // A pong must not wait for the application.
                    self.fill();
                    if let Some(event) = event {
                        return (used, Outcome::Event(event));
                    }
                }
                Err(error) => self.endpoint.fail(error),
            }
        }
    }

    #[inline]
    fn next_frame(&mut self, input: &mut [u8]) -> Result<Found, ConnectionError> {
        let Some(first) = input.first() else {
            return Ok(Found::Incomplete);
        };
        // Before the second octet has come: a wrong bit or opcode needs no more.
        self.endpoint.admit(Head::from_octet(*first))?;
        let Some(header) = self.decoder.header(input)? else {
            return Ok(Found::Incomplete);
        };
        let head = header.head;
        let end = header.size + header.length;
        let complete = input.len() >= end;
        if !complete && self.endpoint.needs_whole(head.opcode) {
            return Ok(Found::Incomplete);
        }
        self.endpoint.begin(head, header.length)?;
        if !complete {
            let head = head.with_fin(false);
            self.input.partial = Some(Partial {
                head,
                fin: header.head.fin,
                key: header.key,
                come: 0,
                remaining: header.length,
            });
            return Ok(Found::Partial(header.size));
        }
        let payload = &mut input[header.size..end];
        if let Some(key) = header.key {
            mask(payload, key, 0);
        }
        if self.endpoint.passes_untouched(head) {
            self.deadlines.handle_message(self.now, false);
            let kind = if head.opcode == OpCode::TEXT {
                Kind::Text
            } else {
                Kind::Binary
            };
            return Ok(Found::Whole {
                kind,
                start: header.size,
                end,
            });
        }
        let event = self.endpoint.take(head, payload);
        // Counted from the first fragment: what comes between fragments starts nothing anew.
        let inside = self.endpoint.is_inside_message();
        self.deadlines.handle_message(self.now, inside);
        self.time_pong(&event);
        let event = self.in_order(event);
        Ok(Found::Frame { end, event })
    }

    /// The next octets of a frame that did not come whole, dressed as a fragment.
    fn next_piece(&mut self, input: &mut [u8]) -> (usize, Option<Event>) {
        let Some(mut partial) = self.input.partial else {
            return (0, None);
        };
        let n = input.len().min(partial.remaining);
        if n == 0 {
            return (0, None);
        }
        let payload = &mut input[..n];
        if let Some(key) = partial.key {
            mask(payload, key, partial.come);
        }
        partial.come += n;
        partial.remaining -= n;
        let last = partial.remaining == 0;
        let event = self
            .endpoint
            .take(partial.head.with_fin(last && partial.fin), payload);
        partial.head = partial
            .head
            .with_opcode(OpCode::CONTINUATION)
            .with_rsv(crate::frame::Rsv::NONE);
        self.input.partial = (!last).then_some(partial);
        let inside = !last || self.endpoint.is_inside_message();
        self.deadlines.handle_message(self.now, inside);
        (n, self.in_order(event))
    }

    /// The event that is due now, if this one came behind what extensions have to tell.
    #[inline]
    fn in_order(&mut self, event: Option<Event>) -> Option<Event> {
        let event = self.endpoint.in_order(event);
        if event.is_some() {
            self.tell();
        }
        event
    }

    /// Keeps an event that was the next one, in front of all that waits.
    fn hold(&mut self, event: Event) {
        if let Some(behind) = self.input.ready.replace(event) {
            self.endpoint.put_back(behind);
        }
    }

    /// What decoders have to tell waits to be asked for.
    #[inline]
    fn tell(&mut self) {
        if self.input.ready.is_none() {
            self.input.ready = self.endpoint.poll_received();
        }
    }

    fn time_pong(&mut self, event: &Option<Event>) {
        if let Some(Event::Pong(payload)) = event {
            self.keepalive.handle_pong(payload, self.now);
        }
    }

    /// Throws octets away, up to a point: a peer that goes on and on is cut off.
    fn discard(&mut self, n: usize) {
        self.input.discarded += n;
        if self.input.discarded > self.config().limits.max_linger {
            self.transport.done = true;
        }
    }
}

/// What stood at the start of some input.
enum Found {
    /// Not enough to tell.
    Incomplete,
    /// A data frame whose payload is still coming, behind a header of so many octets.
    Partial(usize),
    /// A message to be handed on as it stands.
    Whole {
        kind: Kind,
        start: usize,
        end: usize,
    },
    /// A frame that the endpoint took.
    Frame { end: usize, event: Option<Event> },
}
