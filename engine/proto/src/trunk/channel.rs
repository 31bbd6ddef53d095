//! One logical channel: an endpoint, or the opening handshake that leads to one.

use std::sync::Arc;
use std::time::Instant;

use crate::config::Config;
use crate::endpoint::Endpoint;
use crate::error::UsageError;
use crate::extension::{ChannelId, Dropped, Negotiated};
use crate::frame::{Frame, Head, OpCode, Rsv};
use crate::handshake::{ClientHandshake, Handshake, ServerHandshake};
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
    /// Frames that came and were not asked for yet.
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

/// Frames one behind the other, with few octets beside their own: a peer may send a great many that
/// are empty.
#[derive(Debug, Default)]
pub(super) struct Tail {
    octets: Vec<u8>,
    start: usize,
}

/// In front of each payload: first octet of the header, length, cost.
pub(super) const HEADER: usize = 1 + 4 + 4;

impl Tail {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.octets.len()
    }

    /// Octets that it holds, those beside the frames included.
    pub(super) fn len(&self) -> usize {
        self.octets.len() - self.start
    }

    pub(super) fn push(&mut self, head: Head, payload: &[u8], cost: usize) {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        self.octets.push(head.octet());
        self.octets.extend_from_slice(&number(payload.len()));
        self.octets.extend_from_slice(&number(cost));
        self.octets.extend_from_slice(payload);
    }

    /// The next frame: its head, where its payload is, and its cost.
    pub(super) fn next(&mut self) -> Option<(Head, core::ops::Range<usize>, usize)> {
        let header: [u8; HEADER] = self
            .octets
            .get(self.start..)?
            .get(..HEADER)?
            .try_into()
            .ok()?;
        let [first, a, b, c, d, e, f, g, h] = header;
        let begin = self.start + HEADER;
        let end = begin + u32::from_le_bytes([a, b, c, d]) as usize;
        self.start = end;
        let cost = u32::from_le_bytes([e, f, g, h]) as usize;
        Some((Head::from_octet(first), begin..end, cost))
    }

    pub(super) fn payload(&self, at: core::ops::Range<usize>) -> &[u8] {
        self.octets.get(at).unwrap_or_default()
    }

    /// Behind a frame that was used: gives room back when there is much of it.
    pub(super) fn compact(&mut self) {
        if self.is_empty() {
            self.octets = Vec::new();
            self.start = 0;
        } else if self.start > self.octets.len() / 2 {
            self.octets.drain(..self.start);
            self.start = 0;
        }
    }
}
