//! Frames from the peer: admission, control frames, data.

use bytes::Bytes;

use super::{Endpoint, MAX_CONTROL, State};
use crate::close::CloseFrame;
use crate::error::{ConnectionError, LimitExceeded, ProtocolError};
use crate::event::Event;
use crate::extension::{Direction, Failure, Step, View};
use crate::frame::{Head, OpCode, Rsv};
use crate::message::{Assembler, Kind, Message, Utf8Bytes};

impl Endpoint {
    /// Whether a frame with this head may come now. Pure: it may be asked again and again.
    ///
    /// # Errors
    ///
    /// A reserved bit or opcode that no agreed extension claims, a fragmented control frame, a
    /// continuation of nothing, or a message inside a message.
    pub fn admit(&self, head: Head) -> Result<(), ProtocolError> {
        let Head { fin, rsv, opcode } = head;
        let control = opcode.is_control();
        if !rsv.is_empty() {
            // §5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero
            // values." Core control frames carry no bit of anybody.
            let claimed = match &self.pipelines {
                Some(pipelines) if !control => pipelines.bits_on(head.starts_message()),
                _ => Rsv::NONE,
            };
            if !claimed.contains(rsv) {
                return Err(ProtocolError::ReservedBitSet);
            }
        }
        if opcode.is_reserved() {
            // §5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the
            // WebSocket Connection_."
            if !self
                .pipelines
                .as_ref()
                .is_some_and(|pipelines| pipelines.owns(opcode))
            {
                return Err(ProtocolError::ReservedOpCode);
            }
        }
        if control {
            // §5.5: control frames "MUST NOT be fragmented".
            return if fin {
                Ok(())
            } else {
                Err(ProtocolError::ControlFrameFragmented)
            };
        }
        // §5.4: fragments of one message are not interleaved with another message.
        match (
            self.assembler.kind().is_some(),
            opcode == OpCode::CONTINUATION,
        ) {
            (true, false) => Err(ProtocolError::MessageInsideMessage),
            (false, true) => Err(ProtocolError::UnexpectedContinuation),
            // A claimed data opcode is a message of one frame.
            _ if opcode.is_reserved() && !fin => Err(ProtocolError::ReservedOpCode),
            _ => Ok(()),
        }
    }

    /// Whether frames must be handed over whole: some extension depends on their boundaries, or the
    /// frame is not an ordinary data frame.
    pub(crate) fn needs_whole(&self, opcode: OpCode) -> bool {
        opcode.is_control()
            || opcode.is_reserved()
            || self
                .pipelines
                .as_ref()
                .is_some_and(|pipelines| pipelines.whole_frames())
    }

    /// Whether a frame can be a message just as it stands on the wire: nobody wants to see it, and
    /// nothing is joined to it.
    pub(crate) fn passes_untouched(&self, head: Head) -> bool {
        head.fin
            && head.starts_message()
            && self.pipelines.is_none()
            && self.watchers.is_none()
            && !self.config.parts
            && self.state() == State::Open
    }

    /// The message that this frame is, if it is one just as it stands and nothing is wrong with it.
    /// Nothing else has changed then.
    #[inline]
    pub(crate) fn whole_message(&self, head: Head, payload: &[u8]) -> Option<Message> {
        let passes = self.passes_untouched(head)
            && head.rsv.is_empty()
            && !self.is_inside_message()
            && payload.len() <= self.config.limits.max_message_size;
        if !passes {
            return None;
        }
        match head.opcode {
            OpCode::BINARY => Some(Message::Binary(Bytes::copy_from_slice(payload))),
            OpCode::TEXT => {
                let text = simdutf8::basic::from_utf8(payload).ok()?;
                Some(Message::Text(Utf8Bytes::from(text)))
            }
            _ => None,
        }
    }

    /// A header has come: checks its length against the message's budget and counts fragments.
    pub(crate) fn begin(&mut self, head: Head, length: usize) -> Result<(), LimitExceeded> {
        if head.opcode.is_control() || self.state() != State::Open {
            return Ok(());
        }
        let limits = &self.config.limits;
        // Without an extension the length on the wire is the length of the message, and a header
        // that crosses the limit is refused before its payload.
        if self.pipelines.is_none() && length > limits.max_message_size - self.assembler.size() {
            return Err(LimitExceeded::MessageSize);
        }
        if !(head.fin && head.starts_message()) {
            self.assembler.count(length == 0 && !head.fin, limits)?;
        }
        Ok(())
    }

    /// A whole frame came, unmasked.
    ///
    /// What is wrong with it becomes a close frame and the end of the connection. There may be more
    /// than one event: ask [`poll_event`](Self::poll_event) for the others.
    pub fn handle_frame(&mut self, head: Head, payload: &[u8]) -> Option<Event> {
        if let Some(message) = self.whole_message(head, payload) {
            return Some(Event::Message(message));
        }
        // Behind its close frame or an error, the peer has nothing more to say that counts.
        if !matches!(self.state(), State::Open | State::Closing) {
            return None;
        }
        let checked = self
            .admit(head)
            .map_err(ConnectionError::from)
            .and_then(|()| {
                if head.opcode.is_control() && payload.len() > MAX_CONTROL {
                    return Err(ProtocolError::ControlFrameTooLong.into());
                }
                self.begin(head, payload.len())?;
                Ok(())
            });
        match checked {
            Ok(()) => {
                let event = self.take(head, payload);
                self.in_order(event)
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// An admitted frame, or a piece of one dressed as a fragment.
    pub(crate) fn take(&mut self, head: Head, payload: &[u8]) -> Option<Event> {
        self.show(View::Wire, Direction::Incoming, head, payload);
        let taken = match self.state() {
            State::Open => self.take_open(head, payload),
            // What came before the answer to our close frame is thrown away, but the answer counts.
            State::Closing if head.opcode == OpCode::CLOSE => self.take_control(head, payload),
            State::Closing => {
                self.skip(head);
                Ok(None)
            }
            State::Replying | State::Failing | State::Closed => Ok(None),
        };
        taken.unwrap_or_else(|error| {
            self.fail(error);
            None
        })
    }

    fn take_open(&mut self, head: Head, payload: &[u8]) -> Result<Option<Event>, ConnectionError> {
        if head.opcode.is_control() || head.opcode.is_reserved() {
            self.take_control(head, payload)
        } else {
            self.take_data(head, payload)
        }
    }

    /// Keeps track of fragments without keeping them.
    fn skip(&mut self, head: Head) {
        if head.opcode.is_control() {
            return;
        }
        if head.fin {
            self.assembler = Assembler::default();
        } else if head.starts_message() {
            self.assembler.start(Kind::Binary);
        }
    }

    fn take_control(
        &mut self,
        head: Head,
        payload: &[u8],
    ) -> Result<Option<Event>, ConnectionError> {
        let budget = if head.opcode.is_control() {
            MAX_CONTROL
        } else {
            self.config.limits.max_message_size
        };
        let step = self.decode(head, payload, budget)?;
        let payload = match (&self.pipelines, step) {
            (_, Step::Consumed) => return Ok(None),
            (_, Step::Passed(front)) => Bytes::copy_from_slice(&payload[front..]),
            (None, _) => Bytes::copy_from_slice(payload),
            (Some(pipelines), Step::Replaced) => Bytes::copy_from_slice(pipelines.output()),
            (Some(pipelines), Step::Answered(opcode)) => {
                let answer = Bytes::copy_from_slice(pipelines.output());
                // A peer that asks and never reads must not make us keep all the answers.
                if self.queued < self.config.limits.max_write_buffer {
                    // An answer over 125 octets was stopped by the budget; in the middle of a
                    // message that we send in parts, a data frame has no place and is dropped.
                    let _ = self.answer(opcode, answer);
                }
                return Ok(None);
            }
        };
        match head.opcode {
            OpCode::CLOSE => {
                let frame = CloseFrame::parse(&payload)?;
                self.closing.receive(frame, self.role);
                // §5.5.2: no pong is owed behind a close frame.
                self.control = super::Control::default();
                Ok(None)
            }
            OpCode::PING => {
                // §5.5.3: "A Pong frame sent in response to a Ping frame must have identical
                // 'Application data' as found in the message body of the Ping frame".
                self.control.slots().pong = Some(payload.clone());
                Ok(Some(Event::Ping(payload)))
            }
            OpCode::PONG => Ok(Some(Event::Pong(payload))),
            opcode => Ok(Some(Event::Extension { opcode, payload })),
        }
    }

    /// Through the extensions, if there are any.
    fn decode(&mut self, head: Head, payload: &[u8], budget: usize) -> Result<Step, Failure> {
        let watchers = self.watchers.as_deref_mut();
        match (&mut self.pipelines, watchers) {
            (Some(pipelines), watchers) => pipelines.decode(head, payload, budget, watchers),
            (None, watchers) => {
                if let Some(watchers) = watchers {
                    watchers.frame(View::Fragments, Direction::Incoming, head, payload);
                }
                Ok(Step::Passed(0))
            }
        }
    }

    fn take_data(&mut self, head: Head, payload: &[u8]) -> Result<Option<Event>, ConnectionError> {
        let max = self.config.limits.max_message_size;
        if head.starts_message() {
            let text = head.opcode == OpCode::TEXT;
            self.assembler
                .start(if text { Kind::Text } else { Kind::Binary });
        }
        let step = self.decode(head, payload, max - self.assembler.size())?;
        let payload = match step {
            Step::Passed(front) => &payload[front..],
            _ => payload,
        };
        let replaced = self.pipelines.as_mut().filter(|_| step == Step::Replaced);
        if let Some(watchers) = &mut self.watchers {
            let payload = replaced.as_ref().map_or(payload, |all| all.output());
            let head = head.with_rsv(Rsv::NONE);
            watchers.frame(View::Messages, Direction::Incoming, head, payload);
        }
        if self.config.parts {
            let payload = match replaced {
                Some(pipelines) => Bytes::copy_from_slice(pipelines.output()),
                None => Bytes::copy_from_slice(payload),
            };
            return self.take_part(head, payload, max);
        }
        // A message in one piece does not pass through the assembler's buffer.
        let alone = head.fin && head.starts_message();
        let payload = match replaced {
            Some(pipelines) if alone => {
                self.assembler.check(pipelines.output(), max)?;
                Some(exact(pipelines.take_output()))
            }
            None if alone => {
                self.assembler.check(payload, max)?;
                Some(Bytes::copy_from_slice(payload))
            }
            Some(pipelines) => {
                self.assembler.push(pipelines.output(), max)?;
                None
            }
            None => {
                self.assembler.push(payload, max)?;
                None
            }
        };
        if !head.fin {
            return Ok(None);
        }
        let message = match payload {
            Some(payload) => self.assembler.finish_with(payload)?,
            None => self.assembler.finish()?,
        };
        Ok(Some(Event::Message(message)))
    }

    fn take_part(
        &mut self,
        head: Head,
        payload: Bytes,
        max: usize,
    ) -> Result<Option<Event>, ConnectionError> {
        self.assembler.check(&payload, max)?;
        let Some(kind) = self.assembler.kind() else {
            return Ok(None);
        };
        if head.fin {
            self.assembler.finish_parts()?;
        }
        // An empty piece in the middle says nothing.
        if payload.is_empty() && !head.fin {
            return Ok(None);
        }
        Ok(Some(Event::Part {
            kind,
            payload,
            fin: head.fin,
        }))
    }

    /// Whether a data message has begun and not ended.
    pub(crate) const fn is_inside_message(&self) -> bool {
        self.assembler.kind().is_some()
    }

    /// Where the payload of the message that is coming in may be read to directly: nobody but the
    /// assembler wants to see it.
    pub(crate) fn assembler_target(&mut self) -> Option<&mut Assembler> {
        let direct = self.pipelines.is_none()
            && self.watchers.is_none()
            && !self.config.parts
            && self.state() == State::Open;
        direct.then_some(&mut self.assembler)
    }
}

/// The same octets, in an allocation not much larger than they are.
fn exact(payload: Vec<u8>) -> Bytes {
    if payload.capacity() > 2 * payload.len() + 64 {
        Bytes::copy_from_slice(&payload)
    } else {
        Bytes::from(payload)
    }
}
