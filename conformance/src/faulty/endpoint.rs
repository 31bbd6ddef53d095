//! An open connection: frames as they come, checked in the order of RFC 6455 §5.

use std::time::Duration;

use cloverleaf_judge::frame::{self, Head};
use cloverleaf_judge::random::Random;
use cloverleaf_reports::Role;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Faulty;
use super::codec::Codec;
use super::fault::Kind;
use super::message::Message;
use super::wire::{Gone, Wire};

/// The longest message, in octets.
pub(super) const MAX_MESSAGE: u64 = 64 << 20;

/// Longer than anybody waits.
pub(super) const LONG: Duration = Duration::from_secs(120);

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The peer ended TCP.
    Gone,
    /// The closing handshake is complete.
    Closed,
    /// The peer is to learn with this code what it did (§7.1.7).
    Fail(u16),
    /// TCP ends without a word.
    Drop,
    /// Nothing happens any more.
    Hang,
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// What to do with a frame that is no reason to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Take,
    Skip,
}

pub(super) struct Endpoint<S> {
    pub(super) wire: Wire<S>,
    pub(super) role: Role,
    pub(super) faulty: Faulty,
    pub(super) codec: Option<Codec>,
    pub(super) random: Random,
    /// The message that has begun.
    pub(super) message: Option<Message>,
    /// Pings that are not answered yet.
    pub(super) pings: Vec<Vec<u8>>,
    /// How many messages were echoed.
    pub(super) echoes: u32,
    /// The closing handshake is complete.
    pub(super) closed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Endpoint<S> {
    pub(super) fn new(wire: Wire<S>, role: Role, faulty: Faulty, codec: Option<Codec>) -> Self {
        Self {
            wire,
            role,
            faulty,
            codec,
            random: Random::new(),
            message: None,
            pings: Vec::new(),
            echoes: 0,
            closed: false,
        }
    }

    /// Echoes to the end of the connection.
    pub(super) async fn run(mut self) {
        let end = match self.greet().await {
            Err(end) => end,
            Ok(()) => loop {
                if let Err(end) = self.frame().await {
                    break end;
                }
            },
        };
        self.end(end).await;
    }

    /// What is sent before anything was received: nothing, of course.
    async fn greet(&mut self) -> Result<(), End> {
        let unasked = match self.faulty.0 {
            Some(Kind::OpensWithATextFrame) => frame::Frame::text("Welcome!"),
            Some(Kind::OpensWithAPong) => frame::Frame::pong("Welcome!"),
            Some(Kind::OpensWithLongPing) => frame::Frame::ping(vec![b'*'; 126]),
            Some(Kind::OpensWithFragmentedPing) => frame::Frame::ping("Welcome!").not_final(),
            _ => return Ok(()),
        };
        self.send(unasked).await
    }

    /// Receives one frame and does what it asks for.
    pub(super) async fn frame(&mut self) -> Result<(), End> {
        let head = self.head().await?;
        match self.check(&head) {
            Ok(Use::Take) if head.is_control() => {
                let payload = self.payload(&head).await?;
                self.after_frame();
                self.control(&head, payload).await
            }
            Ok(Use::Take) => self.data(&head).await,
            Ok(Use::Skip) => self.payload(&head).await.map(drop),
            Err(_) if self.has(Kind::OverlooksErrors) => self.payload(&head).await.map(drop),
            Err(_) if self.has(Kind::HangsOnErrors) => Err(End::Hang),
            Err(code) => Err(End::Fail(code)),
        }
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.faulty.has(kind)
    }

    async fn head(&mut self) -> Result<Head, End> {
        loop {
            if let Some((mut head, mut size)) = Head::parse(self.wire.pending()) {
                match head.short_length {
                    // §5.2: 126 stands for two octets more, 127 for eight.
                    126 if self.has(Kind::ReadsLength126As126) => {
                        size -= 2;
                        head.length = 126;
                        let key = self.wire.pending()[2..].first_chunk().copied();
                        head.key = head.key.and(key);
                    }
                    127 if self.has(Kind::ReadsHalfOfLongLengths) => head.length &= 0xFFFF,
                    127 if self.has(Kind::AcceptsHighestLengthBit) => {
                        head.length &= u64::MAX >> 1;
                    }
                    _ => {}
                }
                self.wire.consume(size);
                return Ok(head);
            }
            let in_pieces = !self.wire.pending().is_empty();
            if in_pieces && self.has(Kind::ExpectsOneFrameARead) {
                return Err(End::Fail(1002));
            }
            self.wire.read().await?;
        }
    }

    /// What has come of a payload, unmasked; `come` is how much of it came before.
    pub(super) async fn piece(&mut self, head: &Head, come: u64) -> Result<Vec<u8>, End> {
        if self.wire.pending().is_empty() {
            self.wire.read().await?;
        }
        let missing = usize::try_from(head.length - come).unwrap_or(usize::MAX);
        let waiting = self.wire.pending().len();
        if waiting < missing && self.has(Kind::ExpectsOneFrameARead) {
            return Err(End::Fail(1002));
        }
        let taken = waiting.min(missing);
        let mut piece = self.wire.pending()[..taken].to_vec();
        self.wire.consume(taken);
        if let Some(key) = head.key {
            // §5.3: the key goes on where it stood.
            let offset = match self.has(Kind::WrongUnmasking) {
                true => 0,
                false => (come % 4) as usize,
            };
            frame::mask(&mut piece, key, offset);
        }
        Ok(piece)
    }

    async fn payload(&mut self, head: &Head) -> Result<Vec<u8>, End> {
        let mut payload = Vec::new();
        while (payload.len() as u64) < head.length {
            let piece = self.piece(head, payload.len() as u64).await?;
            payload.extend_from_slice(&piece);
        }
        Ok(payload)
    }

    /// A frame is whole.
    pub(super) fn after_frame(&mut self) {
        if self.has(Kind::LosesWhatFollowsAFrame) {
            self.wire.lose_pending();
        }
    }

    /// The rules for heads; an error is the code to fail the connection with.
    fn check(&self, head: &Head) -> Result<Use, u16> {
        // §5.2: a reserved bit must be 0 unless an extension owns it.
        if head.rsv & !self.owned_bits(head) != 0 {
            return Err(1002);
        }
        // §5.1: a client masks, a server does not.
        let masked = head.key.is_some();
        if masked != (self.role == Role::Server) && !self.has(Kind::IgnoresMaskRule) {
            return Err(1002);
        }
        // §5.2: the highest bit of a length is 0, and its form the shortest.
        if head.length > u64::MAX >> 1 {
            return Err(1002);
        }
        let lenient = self.has(Kind::AcceptsNonMinimalLength)
            || self.has(Kind::AcceptsHighestLengthBit)
            || self.has(Kind::ReadsLength126As126)
            || self.has(Kind::ReadsHalfOfLongLengths);
        if !head.is_shortest() && !lenient {
            return Err(1002);
        }
        if head.is_control() {
            self.check_control(head)
        } else {
            self.check_data(head)
        }
    }

    /// The reserved bits that may be set.
    fn owned_bits(&self, head: &Head) -> u8 {
        let bits = self.codec.as_ref().map_or(0, Codec::bits);
        let compressed = bits & 4 != 0;
        let begins = matches!(head.opcode, frame::TEXT | frame::BINARY);
        // RFC 7692 §6.1: RSV1 says of a message, in its first frame, that it is compressed.
        let mut owned = if begins { bits } else { 0 };
        let per_frame = self.codec.as_ref().is_some_and(Codec::is_per_frame);
        if per_frame && head.opcode == frame::CONTINUATION {
            // deflate-frame: RSV1 says it of each frame.
            owned |= match self.has(Kind::RefusesRsv1OnContinuations) {
                true => 0,
                false => 4,
            };
        }
        owned |= match self.faulty.0 {
            Some(Kind::AcceptsRsv1) if !compressed => 4,
            Some(Kind::AcceptsRsv2) => 2,
            Some(Kind::AcceptsRsv3) => 1,
            Some(Kind::AcceptsRsvOnControl) if head.is_control() => 7,
            Some(Kind::AcceptsRsv1OnControl) if compressed && head.is_control() => 4,
            Some(Kind::AcceptsRsv1OnContinuations)
                if compressed && head.opcode == frame::CONTINUATION =>
            {
                4
            }
            _ => 0,
        };
        owned
    }

    /// §5.5
    fn check_control(&self, head: &Head) -> Result<Use, u16> {
        let close = head.opcode == frame::CLOSE;
        if head.opcode > frame::PONG {
            return match self.has(Kind::AcceptsReservedControlOpcodes) {
                true if head.length <= MAX_MESSAGE => Ok(Use::Skip),
                _ => Err(1002),
            };
        }
        if !head.fin
            && !match close {
                true => self.has(Kind::AcceptsFragmentedClose),
                false => self.has(Kind::AcceptsFragmentedControl),
            }
        {
            return Err(1002);
        }
        let long = match close {
            true => self.has(Kind::AcceptsLongClose),
            false => self.has(Kind::AcceptsLongControl),
        };
        if head.length > 125 && !(long && head.length <= MAX_MESSAGE) {
            return Err(1002);
        }
        // §5.4: control frames may come between fragments.
        if self.message.is_some() && !close && self.has(Kind::RefusesControlInsideMessage) {
            return Err(1002);
        }
        Ok(Use::Take)
    }

    /// §5.4 and §5.6
    fn check_data(&self, head: &Head) -> Result<Use, u16> {
        let inside = self.message.is_some();
        if head.opcode > frame::BINARY {
            return match self.faulty.0 {
                Some(Kind::AcceptsReservedDataOpcodes) if !inside => Ok(Use::Take),
                Some(Kind::IgnoresReservedDataOpcodes) if head.length <= MAX_MESSAGE => {
                    Ok(Use::Skip)
                }
                _ => Err(1002),
            };
        }
        if head.opcode == frame::CONTINUATION && !inside {
            return match self.faulty.0 {
                Some(Kind::AcceptsStrayContinuation) => Ok(Use::Take),
                Some(Kind::IgnoresStrayContinuation) if head.length <= MAX_MESSAGE => Ok(Use::Skip),
                _ => Err(1002),
            };
        }
        if head.opcode != frame::CONTINUATION && inside {
            return match self.faulty.0 {
                Some(Kind::AcceptsInterleavedMessage | Kind::ContinuesWithAnyOpcode) => {
                    Ok(Use::Take)
                }
                _ => Err(1002),
            };
        }
        // §7.4.1: too big to process.
        let so_far = self.message.as_ref().map_or(0, Message::length);
        if so_far + head.length > MAX_MESSAGE {
            return Err(1009);
        }
        Ok(Use::Take)
    }
}
