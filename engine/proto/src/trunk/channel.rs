//! One logical channel: an endpoint, or the opening handshake that leads to one.

use std::sync::Arc;
use std::time::Instant;

use crate::config::Config;
use crate::endpoint::Endpoint;
use crate::error::UsageError;
use crate::extension::{ChannelId, Dropped, Negotiated};
use crate::frame::{Frame, Head, OpCode, Rsv};
use crate::handshake::{ClientHandshake, Handshake, ServerHandshake};
use crate::message::Message;
use crate::role::Role;

/// How far a channel is.
#[derive(Debug)]
pub(super) enum Stage {
    /// We have asked for it.
    Asking(Box<ClientHandshake>),
    /// The client has asked for it, and waits for an answer.
    Asked(Box<ServerHandshake>),
    Open(Box<Endpoint>),
}

#[derive(Debug)]
pub(super) struct Channel {
    /// Its number on the wire, as long as the carrier knows it.
    pub(super) id: ChannelId,
    pub(super) stage: Stage,
    /// The frame on its way out, as far as it has not found room yet.
    pub(super) cutting: Option<Frame>,
    /// Its events were asked for, and there was none.
    pub(super) asking: bool,
    /// A message that came when it was asked for, and its cost.
    pub(super) ready: Option<(Message, usize)>,
    /// Frames that came behind that and were not asked for yet.
    pub(super) tail: Tail,
    /// When its handshake, opening or closing, must be over.
    pub(super) deadline: Option<Instant>,
    /// It stands in the queue of those that want to send.
    pub(super) queued: bool,
    /// The carrier has forgotten it.
    pub(super) over: bool,
    /// Close frames that have passed, from us and from the peer.
    pub(super) close_sent: bool,
    pub(super) close_came: bool,
    /// Nobody will ask for its events.
    pub(super) abandoned: bool,
    /// Why it was dropped, if it was.
    pub(super) dropped: Option<Box<Dropped>>,
}

impl Channel {
    pub(super) fn new(id: ChannelId, stage: Stage) -> Self {
        Self {
            id,
            stage,
            cutting: None,
            asking: false,
            ready: None,
            tail: Tail::default(),
            deadline: None,
            queued: false,
            over: false,
            close_sent: false,
            close_came: false,
            abandoned: false,
            dropped: None,
        }
    }

    pub(super) fn open(
        id: ChannelId,
        role: Role,
        config: &Arc<Config>,
        negotiated: Negotiated,
    ) -> Self {
        let endpoint = Endpoint::of_channel(role, Arc::clone(config), negotiated, id);
        Self::new(id, Stage::Open(Box::new(endpoint)))
    }

    pub(super) fn endpoint(&mut self) -> Result<&mut Endpoint, UsageError> {
        match &mut self.stage {
            Stage::Open(endpoint) if !self.over => Ok(endpoint),
            _ => Err(UsageError::Closed),
        }
    }

    pub(super) fn show_opening(&mut self, opening: &Handshake) {
        if let Stage::Open(endpoint) = &mut self.stage {
            endpoint.show_opening(opening);
        }
    }

    /// Octets that came and were not asked for yet, some more beside them: none only if nothing came.
    pub(super) fn kept(&self) -> usize {
        let ready = self.ready.as_ref();
        self.tail.len() + ready.map_or(0, |(message, _)| kept(message))
    }

    /// What came and was not asked for is thrown away.
    pub(super) fn throw_away(&mut self) {
        self.ready = None;
        self.tail = Tail::default();
    }

    /// Octets that wait to leave.
    pub(super) fn buffered(&self) -> usize {
        let cutting = self.cutting.as_ref().map_or(0, |frame| frame.payload.len());
        match &self.stage {
            // What waited has been thrown away.
            _ if self.over => 0,
            Stage::Open(endpoint) => endpoint.queued() + cutting,
            _ => 0,
        }
    }

    /// Gives back memory that only a channel at work needs.
    pub(super) fn release(&mut self) {
        if let Stage::Open(endpoint) = &mut self.stage {
            endpoint.release();
        }
    }

    /// Whether an extension has told something that was not asked for yet.
    pub(super) fn has_notices(&self) -> bool {
        matches!(&self.stage, Stage::Open(endpoint) if endpoint.has_notices())
    }

    /// Whether there is a frame to send.
    pub(super) fn has_frames(&self) -> bool {
        match &self.stage {
            _ if self.over => false,
            Stage::Open(endpoint) => self.cutting.is_some() || endpoint.has_frames(),
            _ => false,
        }
    }

    /// The next frame, cut to `room` octets of payload; `None` if not even its first octet fits.
    pub(super) fn cut(frame: &mut Option<Frame>, room: usize) -> Option<Frame> {
        let whole = frame.as_ref()?;
        if whole.payload.len() <= room {
            return frame.take();
        }
        if room == 0 {
            return None;
        }
        let rest = frame.as_mut()?;
        let head = rest.head;
        let payload = rest.payload.split_to(room);
        // RFC 6455 §5.4. A control frame is cut so too: the carrier puts it together again.
        rest.head = head.with_opcode(OpCode::CONTINUATION).with_rsv(Rsv::NONE);
        Some(Frame::new(head.with_fin(false), payload))
    }
}

/// What a message that waits counts: never nothing.
pub(super) fn kept(message: &Message) -> usize {
    message.payload().len() + 1
}

/// Frames one behind the other, with few octets beside their own: a peer may send a great many that
/// are empty. In front of each payload stand the first octet of its header, its length, and its cost
/// if that is unusual.
#[derive(Debug, Default)]
pub(super) struct Tail {
    octets: Vec<u8>,
    start: usize,
}

/// So many octets of an empty tail are not given back: a short message needs no new ones.
const KEPT: usize = 64;

/// The first octet, and two numbers of 64 bits.
const MAX_HEADER: usize = 1 + 10 + 10;

/// What carriers charge for a frame, mostly: its payload, and an octet if it begins a message.
fn usual_cost(head: Head, length: usize) -> usize {
    length + usize::from(head.opcode != OpCode::CONTINUATION)
}

impl Tail {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.octets.len()
    }

    /// Octets that it holds, those beside the frames included.
    pub(super) fn len(&self) -> usize {
        self.octets.len() - self.start
    }

    pub(super) fn push(&mut self, head: Head, payload: &[u8], cost: usize) {
        let size = MAX_HEADER + payload.len();
        if self.octets.capacity() - self.octets.len() < size {
            // By half, not to twice: a peer decides how long it stays.
            self.octets.reserve_exact(size.max(self.octets.len() / 2));
        }
        let usual = cost == usual_cost(head, payload.len());
        self.octets.push(head.octet());
        self.put_number(payload.len() << 1 | usize::from(!usual));
        if !usual {
            self.put_number(cost);
        }
        self.octets.extend_from_slice(payload);
    }

    /// The next frame: its head, where its payload is, and its cost.
    pub(super) fn next(&mut self) -> Option<(Head, core::ops::Range<usize>, usize)> {
        let head = Head::from_octet(*self.octets.get(self.start)?);
        self.start += 1;
        let length = self.take_number();
        let (length, usual) = (length >> 1, length & 1 == 0);
        let cost = if usual {
            usual_cost(head, length)
        } else {
            self.take_number()
        };
        let begin = self.start;
        self.start += length;
        Some((head, begin..self.start, cost))
    }

    /// Seven bits an octet, the lowest first; the top bit is set on all but the last.
    fn put_number(&mut self, mut number: usize) {
        while number > 0x7f {
            self.octets.push(0x80 | (number & 0x7f) as u8);
            number >>= 7;
        }
        self.octets.push(number as u8);
    }

    fn take_number(&mut self) -> usize {
        let mut number = 0;
        let mut bits = 0;
        while let Some(octet) = self.octets.get(self.start) {
            self.start += 1;
            number |= usize::from(octet & 0x7f) << bits;
            bits += 7;
            if octet & 0x80 == 0 {
                break;
            }
        }
        number
    }

    pub(super) fn payload(&self, at: core::ops::Range<usize>) -> &[u8] {
        self.octets.get(at).unwrap_or_default()
    }

    /// Behind a frame that was used: gives room back when there is much of it.
    pub(super) fn compact(&mut self) {
        if self.is_empty() {
            if self.octets.capacity() > KEPT {
                self.octets = Vec::new();
            }
            self.octets.clear();
            self.start = 0;
        } else if self.start > self.octets.len() / 2 {
            self.octets.drain(..self.start);
            self.start = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_whatever_they_cost() {
        let mut tail = Tail::default();
        let mut waiting = std::collections::VecDeque::new();
        for n in 0..2000_usize {
            let opcode = [OpCode::TEXT, OpCode::CONTINUATION, OpCode::PING][n % 3];
            let head = Head::new(opcode).with_fin(n % 2 == 0);
            let payload = vec![n as u8; [0, 1, 63, 64, 127, 128, 9000][n % 7]];
            let cost = [usual_cost(head, payload.len()), 0, 1, 70_000, usize::MAX][n % 5];
            tail.push(head, &payload, cost);
            waiting.push_back((head, payload, cost));
            // Sometimes some, sometimes all.
            let taken = [0, 1, 2, waiting.len()][n * 7 % 4].min(waiting.len());
            for (head, payload, cost) in waiting.drain(..taken) {
                let (found, at, of) = tail.next().expect("there is one");
                assert_eq!((found, of), (head, cost));
                assert_eq!(tail.payload(at), payload);
                tail.compact();
            }
            assert_eq!(tail.is_empty(), waiting.is_empty());
        }
    }

    #[test]
    fn a_frame_of_nothing_takes_two_octets() {
        let mut tail = Tail::default();
        for _ in 0..10_000 {
            tail.push(Head::new(OpCode::TEXT), b"", 1);
        }
        assert_eq!(tail.len(), 20_000);
        assert!(tail.octets.capacity() <= 31_000);
    }
}
