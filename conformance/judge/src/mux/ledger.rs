//! The judge's account of a connection with channels: what either end may send on each, what has
//! come, and what the subject does that it must not.

use std::collections::VecDeque;

use cloverleaf_reports::Role;

use super::channel::{cost, frame};
use super::{Agreed, Block, CONTROL, Channel, FIRST, State, Wrong, take_channel_id};
use crate::frame::CLOSE;
use crate::http::Head;

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// What a request for a channel does not say: the physical one said it.
const NOT_IN_REQUESTS: [&str; 3] = ["Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version"];

/// Something that the subject did, as far as a case may expect it. Channels are counted in the order
/// in which they were asked for, from 0, which is the first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happened {
    /// A whole message.
    Message {
        /// The channel.
        channel: usize,
        /// Inflated.
        payload: Vec<u8>,
        /// Binary or text.
        binary: bool,
    },
    /// A pong.
    Pong(usize, Vec<u8>),
    /// A close frame.
    Close(usize, Option<u16>),
    /// A DropChannel.
    Dropped(usize, Option<u16>),
    /// A DropChannel for channel 0: the connection fails.
    AllDropped(Option<u16>),
    /// The server's response for a channel: whether it is accepted, and the status.
    Answered(usize, bool, Option<u16>),
    /// The client asks for a channel.
    Requested(usize),
    /// The server says that there will be no more channels here.
    Fallback,
    /// A pong of the connection itself.
    PhysicalPong(Vec<u8>),
    /// A close frame of the connection itself.
    PhysicalClose(Option<u16>),
    /// The end of TCP.
    End,
    /// The time is up.
    Nothing,
}

/// The account.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ledger {
    subject: Role,
    /// All channels there ever were, in the order in which they were asked for.
    pub channels: Vec<Channel>,
    /// Slots that were given and not used: the quota of each.
    pub slots: VecDeque<u64>,
    /// Whatever is used of a quota is granted again at once.
    pub replenishes: bool,
    /// As the server: requests are answered at once.
    pub answers: bool,
    /// As the server: permessage-deflate is accepted where it is offered.
    pub deflates: bool,
    /// What is to be sent at once: answers.
    pub outbox: Vec<Vec<u8>>,
    /// What requests may be differences to.
    pub(super) base: Vec<(String, String)>,
}

impl Ledger {
    /// At the end of the opening handshake.
    pub fn new(subject: Role, agreed: Agreed) -> Self {
        let (theirs, ours) = match subject {
            Role::Server => (agreed.quota, 0),
            Role::Client => (0, agreed.quota),
        };
        let mut first = Channel::new(FIRST, State::Open, theirs, ours);
        first.compression = agreed.first;
        let mut ledger = Self {
            subject,
            channels: vec![first],
            slots: VecDeque::new(),
            replenishes: true,
            answers: true,
            deflates: false,
            outbox: Vec::new(),
            base: Vec::new(),
        };
        ledger.set_base(agreed.request);
        for (name, value) in &mut ledger.base {
            if name.eq_ignore_ascii_case(EXTENSIONS) {
                let elements = value.split(',').map(str::trim);
                let before = elements
                    .take_while(|one| one.split(';').next().map(str::trim) != Some(super::TOKEN));
                *value = before.collect::<Vec<_>>().join(", ");
            }
        }
        ledger
    }

    pub(super) fn set_base(&mut self, head: Head) {
        let left_out = |name: &str| {
            NOT_IN_REQUESTS
                .iter()
                .any(|one| one.eq_ignore_ascii_case(name))
        };
        self.base = head.fields;
        self.base.retain(|(name, _)| !left_out(name));
    }

    /// The channel with this number that lives, or else the last that had it.
    pub fn find(&self, id: u32) -> Option<usize> {
        let last = self.channels.iter().rposition(|channel| channel.id == id);
        let living = |channel: &Channel| channel.id == id && channel.lives();
        self.channels.iter().rposition(living).or(last)
    }

    pub(super) fn living(&mut self, id: u32) -> Option<&mut Channel> {
        let living = |channel: &&mut Channel| channel.id == id && channel.lives();
        self.channels.iter_mut().rev().find(living)
    }

    // --- what the judge sends --------------------------------------------------------------------

    /// The judge sends this message, right or wrong. What is right in it counts.
    pub fn sent(&mut self, message: &[u8]) {
        let mut rest = message;
        let Ok(id) = take_channel_id(&mut rest) else {
            return;
        };
        if id != CONTROL {
            if let (Some((head, payload)), Some(channel)) = (rest.split_first(), self.living(id)) {
                let cost = cost(*head, payload.len());
                channel.ours = channel.ours.saturating_sub(cost);
                if head & 0x0F == CLOSE {
                    channel.close_sent = true;
                    channel.settle();
                }
            }
            return;
        }
        while let (false, Ok(block)) = (rest.is_empty(), Block::take(&mut rest)) {
            self.sent_block(block);
        }
    }

    fn sent_block(&mut self, block: Block) {
        match block {
            Block::AddChannelRequest { id, .. }
                if self.subject == Role::Server && id != CONTROL && self.living(id).is_none() =>
            {
                let ours = self.slots.pop_front().unwrap_or(0);
                self.channels.push(Channel::new(id, State::Asked, 0, ours));
            }
            Block::AddChannelResponse { id, rejected, .. } if self.subject == Role::Client => {
                if let Some(channel) = self.living(id)
                    && channel.state == State::Asked
                {
                    channel.state = match rejected {
                        true => State::Refused,
                        false => State::Open,
                    };
                }
            }
            Block::FlowControl { id, quota } => {
                if let Some(channel) = self.living(id) {
                    channel.theirs = channel.theirs.saturating_add(quota);
                }
            }
            Block::DropChannel { id, .. } => {
                if let Some(channel) = self.living(id) {
                    channel.state = State::DroppedByJudge;
                }
            }
            Block::NewChannelSlot { slots, quota, .. } if self.subject == Role::Client => {
                // More than these are for tests of counting.
                let slots = usize::try_from(slots).map_or(1 << 10, |slots| slots.min(1 << 10));
                self.slots.extend(std::iter::repeat_n(quota, slots));
            }
            _ => {}
        }
    }

    // --- what the subject sends ------------------------------------------------------------------

    /// The subject sent this message.
    ///
    /// # Errors
    ///
    /// The rule that it breaks, in a sentence.
    pub fn receive(&mut self, message: &[u8], binary: bool) -> Result<Vec<Happened>, String> {
        if !binary {
            return Err("An encapsulating message is text.".to_owned());
        }
        let mut rest = message;
        let wrong = |wrong: Wrong| format!("A message of the subject is wrong: {wrong}.");
        let id = take_channel_id(&mut rest).map_err(wrong)?;
        let mut happened = Vec::new();
        if id != CONTROL {
            let (head, payload) = rest
                .split_first()
                .ok_or("A channel id stands without a frame.")?;
            happened.extend(self.receive_frame(id, *head, payload)?);
            return Ok(happened);
        }
        loop {
            let block = Block::take(&mut rest).map_err(wrong)?;
            happened.extend(self.receive_block(block)?);
            if rest.is_empty() {
                return Ok(happened);
            }
        }
    }

    fn receive_block(&mut self, block: Block) -> Result<Option<Happened>, String> {
        match (block, self.subject) {
            (Block::FlowControl { id, quota }, _) => {
                let at = self.find(id).ok_or_else(|| nobody("FlowControl", id))?;
                let channel = &mut self.channels[at];
                channel.granted = channel.granted.saturating_add(quota);
                channel.ours = channel.ours.saturating_add(quota);
                if channel.ours > i64::MAX as u64 {
                    return Err(format!("Channel {id} is granted 2^63 octets or more."));
                }
                Ok(None)
            }
            (Block::DropChannel { id, reason }, _) => {
                self.dropped(id, reason.map(|(code, _)| code))
            }
            (
                Block::NewChannelSlot {
                    fallback,
                    slots,
                    quota,
                },
                Role::Server,
            ) => {
                if fallback {
                    return Ok(Some(Happened::Fallback));
                }
                let slots = usize::try_from(slots).map_or(1 << 16, |slots| slots.min(1 << 16));
                self.slots.extend(std::iter::repeat_n(quota, slots));
                Ok(None)
            }
            (
                Block::AddChannelResponse {
                    id, rejected, head, ..
                },
                Role::Server,
            ) => self.answered(id, rejected, &head),
            (Block::AddChannelRequest { id, encoding, head }, Role::Client) => {
                self.requested(id, encoding, &head).map(Some)
            }
            _ => Err("A control block goes in the wrong direction.".to_owned()),
        }
    }

    fn dropped(&mut self, id: u32, code: Option<u16>) -> Result<Option<Happened>, String> {
        if id == CONTROL {
            return Ok(Some(Happened::AllDropped(code)));
        }
        // A flood may use a number again before that is acknowledged.
        let waits = |one: &Channel| one.id == id && one.state == State::DroppedByJudge;
        let waiting = self.channels.iter().position(waits);
        let at = waiting.or_else(|| self.find(id));
        let at = at.ok_or_else(|| nobody("DropChannel", id))?;
        let channel = &mut self.channels[at];
        if channel.close_came && matches!(channel.state, State::Open | State::Closed) {
            // Behind a close frame a DropChannel may follow.
            channel.state = State::Dropped;
            return Ok(None);
        }
        match (channel.state, code) {
            (State::DroppedByJudge, _) => channel.state = State::Dropped,
            (State::Asked | State::Open, Some(3008)) => {
                return Err(format!(
                    "Nobody dropped channel {id}, and it is acknowledged."
                ));
            }
            (State::Asked | State::Open, _) => {
                channel.state = State::DroppedBySubject;
                self.outbox.push(Block::message(&[Block::drop(id, 3008)]));
            }
            (State::Closed | State::Refused | State::DroppedBySubject | State::Dropped, _) => {
                return Err(format!("Channel {id} is dropped, and it is no more."));
            }
        }
        Ok(Some(Happened::Dropped(at, code)))
    }

    fn receive_frame(
        &mut self,
        id: u32,
        head: u8,
        payload: &[u8],
    ) -> Result<Option<Happened>, String> {
        let at = self
            .find(id)
            .ok_or_else(|| format!("A frame comes on channel {id}, which never was."))?;
        let replenishes = self.replenishes;
        let channel = &mut self.channels[at];
        match channel.state {
            State::Open => {}
            // The subject does not know yet.
            State::DroppedByJudge => return Ok(None),
            _ => return Err(format!("A frame comes on channel {id}, which is not open.")),
        }
        if channel.close_came {
            return Err(format!(
                "A frame comes on channel {id} behind its close frame."
            ));
        }
        let cost = cost(head, payload.len());
        channel.theirs = channel.theirs.checked_sub(cost).ok_or_else(|| {
            format!(
                "A frame on channel {id} costs {cost}; only {} were granted.",
                channel.theirs
            )
        })?;
        if replenishes && cost > 0 {
            channel.theirs += cost;
            self.outbox.push(Block::message(&[Block::flow(id, cost)]));
        }
        let happened = channel.frame(at, head, payload)?;
        match &happened {
            Some(Happened::Close(..)) => self.answer_close(at),
            Some(Happened::Pong(..)) | None => {}
            _ => {}
        }
        Ok(happened)
    }

    /// The judge's half of a closing handshake, as far as there is quota.
    fn answer_close(&mut self, at: usize) {
        let channel = &mut self.channels[at];
        if !channel.close_sent && channel.ours >= 3 {
            let frame = frame(channel.id, 0x80 | CLOSE, &1000u16.to_be_bytes());
            self.sent(&frame);
            self.outbox.push(frame);
        }
    }
}

pub(super) fn nobody(block: &str, id: u32) -> String {
    format!("There is a {block} for channel {id}, which never was.")
}
