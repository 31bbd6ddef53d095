//! A connection with channels: an honest end of `mux`, but for its fault.
//!
//! It reads a message of the connection, does what it asks for, lets each channel that has quota
//! send a piece in turn, and writes.

mod blocks;
mod channel;
mod frames;
mod requests;
mod sending;

use std::collections::{BTreeMap, VecDeque};

use cloverleaf_judge::frame::{self, Frame, Head};
use cloverleaf_judge::http;
use cloverleaf_judge::mux::{Block, CONTROL, FIRST, Wrong, take_channel_id};
use cloverleaf_judge::random::Random;
use cloverleaf_reports::Role;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;

use super::Faulty;
use super::closing::LAST_READS;
use super::codec::Codec;
use super::endpoint::{End, LONG, MAX_MESSAGE};
use super::fault::Kind;
use super::wire::Wire;

use channel::Channel;

/// What the peer may send on each channel at first.
const WINDOW: u64 = 8192;

/// How many channels there may be beside the first.
const SLOTS: u64 = 64;

/// What an opening handshake agreed on.
pub(super) struct Agreed {
    /// What the server may send on channel 1 at first.
    pub(super) quota: u64,
    /// The head of the request.
    pub(super) request: http::Head,
}

pub(super) struct Trunk<S> {
    wire: Wire<S>,
    role: Role,
    faulty: Faulty,
    random: Random,
    channels: BTreeMap<u32, Channel>,
    /// Slots that are not used: the quota of each.
    slots: VecDeque<u64>,
    host: String,
    target: String,
    /// The fields that requests may be differences to, and those of the connection.
    base: Vec<(String, String)>,
    first_base: Vec<(String, String)>,
    /// A message of the connection that has begun, and whether it is text.
    message: Option<(bool, Vec<u8>)>,
    /// What is to be written.
    out: Vec<u8>,
    /// The channel that sent last.
    turn: u32,
    /// All numbers that were used, and the largest.
    used: Vec<u32>,
    requests: u32,
    refused: bool,
    asked: u32,
    empty: u32,
    /// Frames of channels that are not there.
    early: BTreeMap<u32, channel::Data>,
    /// The fragments of all channels together.
    mixed: Option<channel::Data>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Trunk<S> {
    pub(super) fn new(
        wire: Wire<S>,
        role: Role,
        faulty: Faulty,
        codec: Option<Codec>,
        agreed: Agreed,
    ) -> Self {
        let mut quota = agreed.quota;
        if role == Role::Client {
            quota = 0;
        } else if faulty.has(Kind::MuxIgnoresTheOfferedQuota) {
            quota = 65_536;
        }
        let theirs = match role {
            Role::Server => 0,
            Role::Client => agreed.quota,
        };
        let mut first = Channel::new(true, quota, theirs);
        first.codec = codec;
        let target = agreed.request.target().unwrap_or("/").to_owned();
        let host = agreed.request.value("Host").unwrap_or_default().to_owned();
        let base = requests::base(&agreed.request, faulty);
        Self {
            wire,
            role,
            faulty,
            random: Random::new(),
            channels: BTreeMap::from([(FIRST, first)]),
            slots: VecDeque::new(),
            host,
            target,
            first_base: base.clone(),
            base,
            message: None,
            out: Vec::new(),
            turn: 0,
            used: vec![FIRST],
            requests: 0,
            refused: false,
            asked: 0,
            empty: 0,
            early: BTreeMap::new(),
            mixed: None,
        }
    }

    fn has(&self, kind: Kind) -> bool {
        self.faulty.has(kind)
    }

    pub(super) async fn run(mut self) {
        self.welcome();
        let end = loop {
            self.ask();
            self.send_all();
            if let Err(gone) = self.flush().await {
                break gone;
            }
            if let Err(end) = self.frame().await {
                break end;
            }
        };
        self.send_all();
        self.end(end).await;
    }

    /// What a server says first.
    fn welcome(&mut self) {
        if self.role == Role::Client {
            if self.has(Kind::MuxAsksWithoutSlots) {
                self.slots.push_back(0);
            }
            return;
        }
        self.grant(FIRST, WINDOW);
        let slots = match self.faulty.0 {
            Some(Kind::MuxGivesNoSlots) => return,
            Some(Kind::MuxGivesSlotsOnce) => 1,
            _ => SLOTS,
        };
        self.give_slots(slots);
    }

    fn give_slots(&mut self, slots: u64) {
        self.slots.extend((0..slots).map(|_| WINDOW));
        self.transmit(&Block::message(&[Block::slots(slots, WINDOW)]));
    }

    /// Sends a message of the connection.
    fn transmit(&mut self, message: &[u8]) {
        self.put(&Frame::binary(message));
    }

    fn put(&mut self, frame: &Frame) {
        let key = match self.role {
            Role::Client => Some(self.random.masking_key()),
            Role::Server => None,
        };
        self.out.extend(frame.encode(key));
    }

    async fn flush(&mut self) -> Result<(), End> {
        let out = std::mem::take(&mut self.out);
        if out.is_empty() {
            return Ok(());
        }
        Ok(self.wire.write(&out).await?)
    }

    /// Receives one frame of the connection and does what it asks for.
    async fn frame(&mut self) -> Result<(), End> {
        let (head, payload) = self.receive().await?;
        if head.rsv != 0 && !self.has(Kind::MuxIgnoresPhysicalBits) {
            return Err(End::Fail(1002));
        }
        match head.opcode {
            frame::PING if self.has(Kind::MuxNeverAnswersPhysicalPings) => Ok(()),
            frame::PING => {
                self.put(&Frame::pong(payload));
                Ok(())
            }
            frame::CLOSE if self.has(Kind::MuxOverlooksTheCloseOfAll) => Ok(()),
            frame::CLOSE => {
                self.put(&Frame::new(frame::CLOSE, payload));
                Err(End::Closed)
            }
            frame::TEXT | frame::BINARY | frame::CONTINUATION => self.data(&head, payload),
            _ => Ok(()),
        }
    }

    async fn receive(&mut self) -> Result<(Head, Vec<u8>), End> {
        loop {
            if let Some((head, size)) = Head::parse(self.wire.pending()) {
                if head.length > MAX_MESSAGE {
                    return Err(End::Fail(1009));
                }
                let whole = size + usize::try_from(head.length).unwrap_or(0);
                if self.wire.pending().len() >= whole {
                    let mut payload = self.wire.pending()[size..whole].to_vec();
                    self.wire.consume(whole);
                    if let Some(key) = head.key {
                        frame::mask(&mut payload, key, 0);
                    }
                    return Ok((head, payload));
                }
            }
            self.wire.read().await?;
        }
    }

    fn data(&mut self, head: &Head, payload: Vec<u8>) -> Result<(), End> {
        if self.has(Kind::MuxExpectsWholeMessages) {
            return self.message(head.opcode == frame::TEXT, &payload);
        }
        match &mut self.message {
            Some((_, message)) => message.extend_from_slice(&payload),
            None => self.message = Some((head.opcode == frame::TEXT, payload)),
        }
        if !head.fin {
            return Ok(());
        }
        match self.message.take() {
            Some((text, message)) => self.message(text, &message),
            None => Ok(()),
        }
    }

    /// A message of the connection.
    fn message(&mut self, text: bool, message: &[u8]) -> Result<(), End> {
        if text {
            return self.wrong(Kind::MuxTakesText, 2001);
        }
        let mut rest = message;
        let Ok(id) = self.take_id(&mut rest) else {
            return self.wrong(Kind::MuxIgnoresBrokenIds, 2002);
        };
        if id == CONTROL {
            return self.control(rest);
        }
        match rest.split_first() {
            Some((head, payload)) => self.channel_frame(id, *head, payload),
            None => self.wrong(Kind::MuxIgnoresMissingFrames, 2003),
        }
    }

    fn take_id(&self, rest: &mut &[u8]) -> Result<u32, Wrong> {
        let before = *rest;
        let taken = take_channel_id(rest);
        match (&taken, before) {
            (Err(wrong), [first, ..])
                if wrong.what.contains("longer") && self.has(Kind::MuxTakesLongIds) =>
            {
                let size = match first {
                    0x80..=0xBF => 2,
                    0xC0..=0xDF => 3,
                    _ => 4,
                };
                *rest = &before[size..];
                Ok(u32::from(before[size - 1]))
            }
            _ => taken,
        }
    }

    /// Fails the connection with this code, unless the fault overlooks it.
    fn wrong(&self, overlooks: Kind, code: u16) -> Result<(), End> {
        match self.has(overlooks) {
            true => Ok(()),
            false => Err(End::Fail(code)),
        }
    }

    async fn end(mut self, end: End) {
        match end {
            End::Fail(code) => self.say_why(code),
            End::Hang => {
                let _ = self.flush().await;
                sleep(LONG).await;
                return;
            }
            End::Gone | End::Closed | End::Drop => {}
        }
        if self.flush().await.is_ok() {
            self.wire.shutdown().await;
            // Octets that nobody reads would turn the end into a reset.
            self.wire.drain(LAST_READS).await;
        }
    }

    fn say_why(&mut self, code: u16) {
        if code < 2000 {
            self.put(&Frame::close(code, ""));
            return;
        }
        let code = match self.has(Kind::MuxHasOneCode) {
            true => 2000,
            false => code,
        };
        if !self.has(Kind::MuxFailsWithoutADrop) {
            self.transmit(&Block::message(&[Block::drop(CONTROL, code)]));
        }
        let close = match self.has(Kind::MuxFailsWith1002) {
            true => 1002,
            false => 1011,
        };
        self.put(&Frame::close(close, ""));
    }
}
