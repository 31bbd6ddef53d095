//! The agreed extensions of one connection at work.

use core::fmt;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{
    Claims, Clock, Decoded, Decoder, Direction, Encoded, Encoder, Failure, Flow, Hints, Output,
    Stage, Statistics, View, Watchers,
};
use crate::event::Event;
use crate::frame::{Head, OpCode, Rsv};

/// So many events wait for the application on either side; a notice more is lost.
const MAX_PENDING: usize = 64;

/// One agreed extension: its claims and its halves.
pub(crate) struct Link {
    name: Arc<str>,
    claims: Claims,
    encoder: Option<Box<dyn Encoder>>,
    decoder: Option<Box<dyn Decoder>>,
    sent: Flow,
    received: Flow,
}

impl Link {
    pub(crate) fn new(
        name: Arc<str>,
        claims: Claims,
        encoder: Option<Box<dyn Encoder>>,
        decoder: Option<Box<dyn Decoder>>,
    ) -> Self {
        Self {
            name,
            claims,
            encoder,
            decoder,
            sent: Flow::default(),
            received: Flow::default(),
        }
    }

    pub(crate) const fn claims(&self) -> Claims {
        self.claims
    }

    /// Message-stage extensions see data; frame-stage ones see every frame; an opcode's owner sees
    /// its opcode wherever it stands.
    fn sees(&self, opcode: OpCode) -> bool {
        match self.claims.stage() {
            Stage::Frame => true,
            Stage::Message if opcode.is_reserved() => self.claims.owns(opcode),
            Stage::Message => !opcode.is_control(),
            Stage::Carrier => false,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("name", &self.name)
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

/// What came of an incoming frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The payload goes on as it is, without so many octets at its front.
    Passed(usize),
    /// [`Pipelines::output`] has the payload.
    Replaced,
    /// Its owner has swallowed it.
    Consumed,
    /// Its owner has swallowed it; [`Pipelines::output`] goes back under this opcode.
    Answered(OpCode),
}

/// All agreed extensions, in the order of the answer.
///
/// Two buffers are swapped between the links, so that a warm connection does not allocate.
#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    links: Vec<Link>,
    bits_at_start: Rsv,
    bits_on_data: Rsv,
    opcodes: u16,
    whole_frames: bool,
    output: Vec<u8>,
    /// So many octets of `output` are extension data that was taken off.
    stripped: usize,
    input: Vec<u8>,
    clock: Option<Arc<dyn Clock>>,
    /// What the extension at work has to say.
    notices: Vec<Bytes>,
    /// Events that wait for the application: notices of decoders, and what came behind them.
    pending: VecDeque<Event>,
    /// Notices of encoders. Apart, because nothing of the peer's waits behind them.
    told: VecDeque<Event>,
}

impl Pipelines {
    pub(crate) fn new(links: Vec<Link>, clock: Option<Arc<dyn Clock>>) -> Self {
        let mut all = Self {
            clock,
            ..Self::default()
        };
        for link in &links {
            all.bits_at_start = all.bits_at_start | link.claims.bits_on(true);
            all.bits_on_data = all.bits_on_data | link.claims.bits_on(false);
            all.opcodes |= link.claims.opcodes();
            all.whole_frames |= link.claims.stage() == Stage::Frame;
        }
        Self { links, ..all }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The reserved bits that a data frame may carry now.
    pub(crate) fn bits_on(&self, starts_message: bool) -> Rsv {
        if starts_message {
            self.bits_at_start
        } else {
            self.bits_on_data
        }
    }

    /// Whether some extension owns this opcode.
    pub(crate) fn owns(&self, opcode: OpCode) -> bool {
        self.opcodes & 1 << opcode.number() != 0
    }

    /// Whether some extension depends on where frames begin and end.
    pub(crate) fn whole_frames(&self) -> bool {
        self.whole_frames
    }

    /// The payload after a step that replaced or answered it.
    pub(crate) fn output(&self) -> &[u8] {
        &self.output[self.stripped..]
    }

    /// The same, to keep.
    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        self.output.drain(..core::mem::take(&mut self.stripped));
        core::mem::take(&mut self.output)
    }

    /// Gives the memory of the two buffers back.
    pub(crate) fn release(&mut self) {
        self.output = Vec::new();
        self.stripped = 0;
        self.input = Vec::new();
        self.notices = Vec::new();
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        pop(&mut self.pending)
    }

    /// Whether notices of encoders wait for the application.
    pub(crate) fn has_notices(&self) -> bool {
        !self.told.is_empty()
    }

    pub(crate) fn poll_notice(&mut self) -> Option<Event> {
        pop(&mut self.told)
    }

    pub(crate) fn put_back(&mut self, event: Event) {
        self.pending.push_front(event);
    }

    /// The event that is due now, if this one came behind all that waits.
    pub(crate) fn in_order(&mut self, event: Option<Event>) -> Option<Event> {
        if self.pending.is_empty() {
            return event;
        }
        self.pending.extend(event);
        self.poll_event()
    }

    /// What each extension has done, in order.
    pub(crate) fn statistics(&self) -> impl Iterator<Item = Statistics> {
        self.links.iter().map(|link| Statistics {
            name: String::from(&*link.name),
            sent: link.sent,
            received: link.received,
        })
    }

    /// Passes an incoming frame through the decoders, last to first (RFC 6455 §9.1).
    ///
    /// No decoder's output exceeds `budget`.
    pub(crate) fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        budget: usize,
        mut watchers: Option<&mut Watchers>,
    ) -> Result<Step, Failure> {
        let Self {
            links,
            output,
            input,
            stripped,
            clock,
            notices,
            pending,
            ..
        } = self;
        *stripped = 0;
        let mut replaced = false;
        // So many octets at the front of the payload, or of the output, are taken off.
        let mut start = 0;
        let mut head = head;
        for link in links.iter_mut().rev() {
            if link.claims.stage() == Stage::Message {
                // Everything of the frame stage stands behind everything of the message stage.
                if let Some(watchers) = watchers.take() {
                    let seen = if replaced { output.as_slice() } else { payload };
                    watchers.frame(View::Fragments, Direction::Incoming, head, &seen[start..]);
                }
            }
            if !link.sees(head.opcode) {
                continue;
            }
            let seen = head.with_rsv(head.rsv & link.claims.bits());
            head = head.with_rsv(head.rsv & !link.claims.bits());
            let Some(decoder) = &mut link.decoder else {
                continue;
            };
            // The previous link's output is this link's input.
            if replaced {
                core::mem::swap(output, input);
            }
            output.clear();
            let current = if replaced { input.as_slice() } else { payload };
            let current = &current[start..];
            let began = clock.as_ref().map(|clock| clock.now());
            let mut out = Output::new(output, budget).with_notices(notices);
            let decoded = decoder.decode(seen, current, &mut out);
            link.received.time += since(clock.as_ref(), began);
            let decoded = decoded?;
            let owner = link.claims.owns(head.opcode);
            let (changed, left) = match decoded {
                Decoded::Replaced => (true, output.len()),
                Decoded::Stripped(n) if n > current.len() => {
                    return Err(Failure::protocol("extension data beyond the payload"));
                }
                Decoded::Stripped(n) => (true, current.len() - n),
                Decoded::Consumed if owner => (true, 0),
                Decoded::Answered(opcode) if owner && link.claims.owns(opcode) => (true, 0),
                _ => (false, current.len()),
            };
            link.received.count(changed, left, current.len());
            for payload in notices.drain(..) {
                let extension = Arc::clone(&link.name);
                push(pending, Event::Notice { extension, payload });
            }
            match decoded {
                Decoded::Replaced => {
                    replaced = true;
                    start = 0;
                }
                Decoded::Consumed if owner => return Ok(Step::Consumed),
                Decoded::Answered(opcode) if owner && link.claims.owns(opcode) => {
                    return Ok(Step::Answered(opcode));
                }
                other => {
                    if let Decoded::Stripped(n) = other {
                        start += n;
                    }
                    if replaced {
                        core::mem::swap(output, input);
                    }
                }
            }
            // What its owner did not pass to the links before it when it was sent, they do not see
            // now.
            if owner {
                break;
            }
        }
        if let Some(watchers) = watchers {
            let seen = if replaced { output.as_slice() } else { payload };
            watchers.frame(View::Fragments, Direction::Incoming, head, &seen[start..]);
        }
        if !replaced {
            return Ok(Step::Passed(start));
        }
        *stripped = start;
        Ok(Step::Replaced)
    }

    /// Passes outgoing data through the message-stage encoders, first to last. Returns the bits for
    /// the frame, or `None` if the payload stays as it is.
    pub(crate) fn encode_message(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        budget: usize,
    ) -> Result<Option<Rsv>, Failure> {
        self.encode(Stage::Message, head, hints, payload, budget)
    }

    /// Passes an outgoing frame through the frame-stage encoders, first to last.
    pub(crate) fn encode_frame(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        budget: usize,
    ) -> Result<Option<Rsv>, Failure> {
        self.encode(Stage::Frame, head, hints, payload, budget)
    }

    fn encode(
        &mut self,
        stage: Stage,
        head: Head,
        hints: Hints,
        payload: &[u8],
        budget: usize,
    ) -> Result<Option<Rsv>, Failure> {
        let Self {
            links,
            output,
            input,
            stripped,
            clock,
            notices,
            told,
            ..
        } = self;
        *stripped = 0;
        // A frame of a reserved opcode is its owner's own, and starts behind it.
        let first = match links.iter().position(|link| link.claims.owns(head.opcode)) {
            Some(owner) => owner + 1,
            None => 0,
        };
        let mut result = None;
        for link in links
            .iter_mut()
            .skip(first)
            .filter(|link| link.claims.stage() == stage)
        {
            let Some(encoder) = &mut link.encoder else {
                continue;
            };
            if result.is_some() {
                core::mem::swap(output, input);
            }
            output.clear();
            let payload = if result.is_some() {
                input.as_slice()
            } else {
                payload
            };
            let began = clock.as_ref().map(|clock| clock.now());
            let mut out = Output::new(output, budget).with_notices(notices);
            let mut encoded = encoder.encode(head, hints, payload, &mut out);
            if let Ok(Encoded::Prefixed(bits)) = encoded {
                encoded = out.write(payload).map(|()| Encoded::Replaced(bits));
            }
            link.sent.time += since(clock.as_ref(), began);
            let replaced = match encoded? {
                Encoded::Replaced(bits) | Encoded::Prefixed(bits) => Some(bits),
                Encoded::Unchanged => None,
            };
            let left = if replaced.is_some() {
                output.len()
            } else {
                payload.len()
            };
            link.sent.count(replaced.is_some(), payload.len(), left);
            for payload in notices.drain(..) {
                let extension = Arc::clone(&link.name);
                push(told, Event::Notice { extension, payload });
            }
            match replaced {
                Some(bits) => {
                    let allowed = if head.opcode.is_control() {
                        Rsv::NONE
                    } else {
                        link.claims.bits_on(head.starts_message())
                    };
                    result = Some(result.unwrap_or(Rsv::NONE) | bits & allowed);
                }
                None if result.is_some() => core::mem::swap(output, input),
                None => {}
            }
        }
        Ok(result)
    }
}

/// The oldest event. An empty queue keeps no memory.
fn pop(events: &mut VecDeque<Event>) -> Option<Event> {
    let event = events.pop_front();
    if events.is_empty() {
        *events = VecDeque::new();
    }
    event
}

/// A notice at the end. Who only sends never asks for events, so that there is a bound.
fn push(pending: &mut VecDeque<Event>, notice: Event) {
    if pending.len() < MAX_PENDING {
        pending.push_back(notice);
    }
}

fn since(clock: Option<&Arc<dyn Clock>>, began: Option<std::time::Instant>) -> Duration {
    match (clock, began) {
        (Some(clock), Some(began)) => clock.now().saturating_duration_since(began),
        _ => Duration::ZERO,
    }
}
