//! The judge's account of a connection with channels: what either end may send on each, what has
//! come, and what the subject does that it must not.

use std::collections::VecDeque;

use cloverleaf_reports::Role;

use super::{Agreed, Block, CONTROL, Encoding, FIRST, Wrong, take_channel_id};
use crate::deflate::{Element, Offer, Requirement, choose, judge_answer};
use crate::frame::{BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT};
use crate::http::Head;
use crate::session::Compression;

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// What a request for a channel does not say: the physical one said it.
const NOT_IN_REQUESTS: [&str; 3] = ["Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version"];

/// The answer that refuses, and the one that accepts up to its last line.
const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";

/// Where a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a channel has these")]
pub enum State {
    /// Asked for, and not answered.
    Asked,
    /// Open, or closing.
    Open,
    /// Both close frames have crossed.
    Closed,
    /// The server has refused it.
    Refused,
    /// The subject has dropped it.
    DroppedBySubject,
    /// The judge has dropped it, and the subject has not acknowledged that.
    DroppedByJudge,
    /// Neither end knows it any more.
    Dropped,
}

/// A channel, whatever became of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Channel {
    /// Its number.
    pub id: u32,
    /// Where it stands.
    pub state: State,
    /// So many octets the subject may send.
    pub theirs: u64,
    /// So many octets the judge may send.
    pub ours: u64,
    /// The sum of all that the subject has granted.
    pub granted: u64,
    /// Octets of data that came.
    pub received: u64,
    /// Frames of data that came.
    pub frames: u64,
    /// The head of the client's request, whole.
    pub request: Option<Head>,
    /// The head of the server's response.
    pub response: Option<Head>,
    /// How many responses there were.
    pub responses: u32,
    /// What was agreed on for it.
    pub compression: Option<Compression>,
    data: Option<Data>,
    control: Option<(u8, Vec<u8>)>,
    close_sent: bool,
    close_came: bool,
}

/// A message that has begun.
#[derive(Debug)]
struct Data {
    binary: bool,
    compressed: bool,
    octets: Vec<u8>,
}

impl Channel {
    fn new(id: u32, state: State, theirs: u64, ours: u64) -> Self {
        Self {
            id,
            state,
            theirs,
            ours,
            granted: 0,
            received: 0,
            frames: 0,
            request: None,
            response: None,
            responses: 0,
            compression: None,
            data: None,
            control: None,
            close_sent: false,
            close_came: false,
        }
    }

    /// Whether its number is taken.
    pub fn lives(&self) -> bool {
        matches!(self.state, State::Asked | State::Open)
    }

    /// The values of `Sec-WebSocket-Extensions` in the server's response.
    pub fn answered_extensions(&self) -> String {
        let response = self.response.as_ref();
        let values = response.map(|head| head.values(EXTENSIONS).collect::<Vec<_>>());
        values.unwrap_or_default().join(", ")
    }
}

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
    base: Vec<(String, String)>,
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

    fn set_base(&mut self, head: Head) {
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

    fn living(&mut self, id: u32) -> Option<&mut Channel> {
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
                if self.subject == Role::Server
                    && id != CONTROL
                    && self.living(id).is_none() =>
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

    fn answered(
        &mut self,
        id: u32,
        rejected: bool,
        head: &[u8],
    ) -> Result<Option<Happened>, String> {
        let at = self
            .find(id)
            .ok_or_else(|| nobody("AddChannelResponse", id))?;
        let (head, status) = match whole(head) {
            Some(head) => (head.clone(), head.status()),
            None => return Err(format!("The response for channel {id} cannot be read.")),
        };
        let channel = &mut self.channels[at];
        channel.responses += 1;
        if channel.state != State::Asked {
            // It crossed our DropChannel; or it is a second refusal, which pywebsocket sends.
            return Ok(None);
        }
        if rejected == (status == Some(101)) {
            return Err(format!(
                "The response for channel {id} has {:?}, and {}.",
                head.start_line,
                if rejected { "refuses" } else { "accepts" }
            ));
        }
        channel.state = match rejected {
            true => State::Refused,
            false => State::Open,
        };
        let lines: Vec<_> = head.values(EXTENSIONS).collect();
        let without_context = Offer {
            server_no_context_takeover: true,
            ..Offer::default()
        };
        let offers = [Offer::default(), without_context];
        let answer = judge_answer(&offers, &lines).map_err(|error| error.to_string())?;
        if let Some((at, answer)) = answer {
            let agreed = crate::deflate::Agreed::new(&offers[at], &answer);
            channel.compression = Some(Compression::new(&agreed, Role::Server));
        }
        channel.response = Some(head);
        Ok(Some(Happened::Answered(at, !rejected, status)))
    }

    fn requested(&mut self, id: u32, encoding: Encoding, head: &[u8]) -> Result<Happened, String> {
        if id == CONTROL || self.living(id).is_some() {
            return Err(format!("Channel {id} is asked for, which is there."));
        }
        let quota = self
            .slots
            .pop_front()
            .ok_or_else(|| format!("Channel {id} is asked for without a slot."))?;
        let mut head =
            whole(head).ok_or_else(|| format!("The request for channel {id} cannot be read."))?;
        if encoding == Encoding::Delta {
            let said = |name: &str| head.values(name).next().is_some();
            let base = self.base.iter().filter(|(name, _)| !said(name)).cloned();
            let base: Vec<_> = base.collect();
            head.fields.retain(|(_, value)| !value.is_empty());
            head.fields.extend(base);
        }
        let mut channel = Channel::new(id, State::Asked, quota, 0);
        channel.request = Some(head);
        self.channels.push(channel);
        let at = self.channels.len() - 1;
        if self.answers {
            let answer = self.answer(at);
            self.sent(&answer);
            self.outbox.push(answer);
            if encoding == Encoding::Identity
                && let Some(head) = self.channels[at].request.clone()
            {
                self.set_base(head);
            }
        }
        Ok(Happened::Requested(at))
    }

    /// The message that accepts this channel.
    pub fn answer(&mut self, at: usize) -> Vec<u8> {
        let channel = &mut self.channels[at];
        let mut head = ACCEPTED.to_owned();
        if let (true, Some(request)) = (self.deflates, &channel.request) {
            let lines = request.values(EXTENSIONS);
            let elements = lines.flat_map(|line| Element::list(line).unwrap_or_default());
            let offers: Vec<_> = elements.filter_map(|one| Offer::read(&one).ok()).collect();
            if let Some((chosen, answer)) = choose(&offers, &[Requirement::default()]) {
                let agreed = crate::deflate::Agreed::new(&offers[chosen], &answer);
                channel.compression = Some(Compression::new(&agreed, Role::Client));
                head += &format!("{EXTENSIONS}: {answer}\r\n");
            }
        }
        head += "\r\n";
        Block::message(&[Block::response(channel.id, false, head)])
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

impl Channel {
    /// A frame that was paid for.
    fn frame(&mut self, at: usize, head: u8, payload: &[u8]) -> Result<Option<Happened>, String> {
        let (fin, rsv, opcode) = (head & 0x80 != 0, head >> 4 & 7, head & 0x0F);
        let id = self.id;
        let broken = |what: &str| Err(format!("On channel {id} {what}."));
        let owned = match (&self.compression, opcode) {
            (Some(_), TEXT | BINARY) => 4,
            _ => 0,
        };
        if rsv & !owned != 0 {
            return broken("a reserved bit is set that nobody owns");
        }
        if self.control.is_some() && opcode != CONTINUATION {
            return broken("a frame comes inside a control frame");
        }
        match opcode {
            CLOSE | PING | PONG => {
                self.control = Some((opcode, payload.to_vec()));
            }
            CONTINUATION => match (&mut self.control, &mut self.data) {
                (Some((_, octets)), _) => octets.extend_from_slice(payload),
                (None, Some(data)) => {
                    data.octets.extend_from_slice(payload);
                    self.received += payload.len() as u64;
                    self.frames += 1;
                }
                (None, None) => return broken("a continuation continues nothing"),
            },
            TEXT | BINARY if self.data.is_some() => {
                return broken("a message begins inside another");
            }
            TEXT | BINARY => {
                self.received += payload.len() as u64;
                self.frames += 1;
                self.data = Some(Data {
                    binary: opcode == BINARY,
                    compressed: rsv & 4 != 0,
                    octets: payload.to_vec(),
                });
            }
            _ => return broken("a frame has a reserved opcode"),
        }
        if let Some((_, octets)) = &self.control
            && octets.len() > 125
        {
            return broken("a control frame has more than 125 octets");
        }
        if !fin {
            return Ok(None);
        }
        if let Some((opcode, octets)) = self.control.take() {
            return self.control_frame(at, opcode, octets);
        }
        let Some(data) = self.data.take() else {
            return Ok(None);
        };
        let payload = match (data.compressed, &mut self.compression) {
            (true, Some(compression)) => {
                let mut plain = Vec::new();
                let inflated = compression
                    .inflater
                    .message(&data.octets, 64 << 20, &mut plain);
                if let Err(error) = inflated {
                    return broken(&format!("a message cannot be inflated: {error}"));
                }
                plain
            }
            _ => data.octets,
        };
        if !data.binary && std::str::from_utf8(&payload).is_err() {
            return broken("a text is not UTF-8");
        }
        Ok(Some(Happened::Message {
            channel: at,
            payload,
            binary: data.binary,
        }))
    }

    fn control_frame(
        &mut self,
        at: usize,
        opcode: u8,
        octets: Vec<u8>,
    ) -> Result<Option<Happened>, String> {
        match opcode {
            PONG => Ok(Some(Happened::Pong(at, octets))),
            CLOSE => {
                let code = match octets.split_first_chunk() {
                    Some((code, _)) => Some(u16::from_be_bytes(*code)),
                    None if octets.is_empty() => None,
                    None => {
                        return Err(format!(
                            "A close frame of channel {} has one octet.",
                            self.id
                        ));
                    }
                };
                self.close_came = true;
                self.settle();
                Ok(Some(Happened::Close(at, code)))
            }
            // Nobody waits for an answer.
            _ => Ok(None),
        }
    }

    fn settle(&mut self) {
        if self.close_sent && self.close_came && self.state == State::Open {
            self.state = State::Closed;
        }
    }
}

/// The message that carries this frame of a channel.
pub(crate) fn frame(id: u32, head: u8, payload: &[u8]) -> Vec<u8> {
    let mut message = super::channel_id(id);
    message.push(head);
    message.extend_from_slice(payload);
    message
}

/// What a frame costs: its payload, and one octet if it begins a message.
pub(crate) fn cost(head: u8, payload: usize) -> u64 {
    payload as u64 + u64::from(head & 0x0F != CONTINUATION)
}

fn nobody(block: &str, id: u32) -> String {
    format!("There is a {block} for channel {id}, which never was.")
}

/// A head with or without its last empty line.
fn whole(octets: &[u8]) -> Option<Head> {
    let mut octets = octets.to_vec();
    if !octets.ends_with(b"\r\n\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    let (head, size) = Head::parse(&octets)?;
    let is_line = head.start_line.split(' ').count() >= 2;
    // Behind a refusal there may be a body.
    let refusal = head.status().is_some_and(|status| status != 101);
    (is_line && (refusal || size == octets.len())).then_some(head)
}
