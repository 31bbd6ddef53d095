//! Messages: fragments are joined, inflated, checked for UTF-8, and sent back.

use cloverleaf_judge::frame::{BINARY, CONTINUATION, Head, TEXT};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;

use super::codec::Codec;
use super::endpoint::{End, Endpoint, LONG};
use super::fault::Kind;
use super::text::Check;

/// An honest message has no use for more empty fragments.
const MAX_EMPTY_FRAGMENTS: u32 = 100;

/// Where messages become large for the faults that do not like it.
const LARGE: usize = 64 << 10;

/// A message that has begun.
#[derive(Debug)]
pub(super) struct Message {
    binary: bool,
    /// The bits of extensions that it went through.
    bits: u8,
    /// Its frames are compressed one by one, or not.
    per_frame: bool,
    octets: Vec<u8>,
    /// Where its fragments begin.
    fragments: Vec<usize>,
    empty_fragments: u32,
    utf8: Check,
}

impl Message {
    pub(super) fn length(&self) -> u64 {
        self.octets.len() as u64
    }

    /// The fragments in their order.
    fn parts(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let ends = self.fragments.iter().skip(1).copied();
        let ends: Vec<_> = ends.chain([self.octets.len()]).collect();
        let parts = self.fragments.iter().zip(ends);
        let parts: Vec<_> = parts.map(|(&from, to)| &self.octets[from..to]).collect();
        parts.into_iter()
    }
}

/// RSV1, where it speaks for a frame and not for the message.
fn own_bit(one_by_one: bool) -> u8 {
    if one_by_one { 4 } else { 0 }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Endpoint<S> {
    /// Receives the payload of a data frame whose head is right.
    pub(super) async fn data(&mut self, head: &Head) -> Result<(), End> {
        let begins = head.opcode != CONTINUATION && !self.has(Kind::ContinuesWithAnyOpcode);
        let per_frame = self.codec.as_ref().is_some_and(Codec::is_per_frame);
        let one_by_one = per_frame && !self.has(Kind::InflatesFramesAsAMessage);
        let mut message = match self.message.take() {
            Some(message) if !begins => message,
            _ => Message {
                binary: head.opcode != TEXT,
                // RFC 7692 §6.1
                bits: head.rsv & self.codec.as_ref().map_or(0, Codec::bits) & !own_bit(one_by_one),
                per_frame,
                octets: Vec::new(),
                fragments: Vec::new(),
                empty_fragments: 0,
                utf8: Check::new(self.faulty),
            },
        };
        message.fragments.push(message.octets.len());
        self.check_fragment(&mut message, head)?;
        if self.has(Kind::Utf8CheckedByFrame) {
            message.utf8 = Check::new(self.faulty);
        }
        let mut come = 0;
        while come < head.length {
            let piece = self.piece(head, come).await?;
            come += piece.len() as u64;
            // RFC 6455 §8.1: text is known to be broken at its first wrong octet.
            let checked = self.checks_utf8(&message) && !self.has(Kind::LateUtf8);
            if checked && !message.utf8.push(&piece) {
                return Err(self.bad_utf8());
            }
            message.octets.extend_from_slice(&piece);
        }
        self.after_frame();
        if one_by_one && !self.inflate_frame(&mut message, head)? {
            return Ok(());
        }
        let by_frame = self.has(Kind::Utf8CheckedByFrame) && self.checks_utf8(&message);
        if by_frame && !message.utf8.is_complete() {
            return Err(self.bad_utf8());
        }
        // §5.4: only the final fragment makes a message whole.
        if !head.fin && !self.has(Kind::EndsMessagesAtTheFirstFragment) {
            self.message = Some(message);
            return Ok(());
        }
        self.deliver(message).await?;
        self.answer_held_pings().await
    }

    /// Inflates the last frame of a message in its place, if it is compressed. False if the message
    /// is to be forgotten.
    fn inflate_frame(&mut self, message: &mut Message, head: &Head) -> Result<bool, End> {
        let start = message.fragments.last().copied().unwrap_or_default();
        let payload = message.octets.split_off(start);
        let Some(codec) = &mut self.codec else {
            return Ok(true);
        };
        match codec.decode_frame(&payload, head.rsv, self.faulty) {
            Ok(plain) => {
                message.octets.extend(plain);
                Ok(true)
            }
            Err(_) if self.has(Kind::IgnoresBadDeflate) => Ok(false),
            Err(_) if self.has(Kind::HangsOnBadDeflate) => Err(End::Hang),
            Err(code) => Err(End::Fail(code)),
        }
    }

    fn check_fragment(&self, message: &mut Message, head: &Head) -> Result<(), End> {
        let several = message.fragments.len() > 1 || !head.fin;
        if several && self.has(Kind::RefusesFragments) {
            return Err(End::Fail(1003));
        }
        if message.fragments.len() > 3 && self.has(Kind::CountsFragments) {
            return Err(End::Fail(1009));
        }
        if several && head.length == 0 {
            if self.has(Kind::RefusesEmptyFragments) {
                return Err(End::Fail(1002));
            }
            message.empty_fragments += 1;
            // §10.4: an endpoint protects itself.
            if message.empty_fragments > MAX_EMPTY_FRAGMENTS {
                return Err(End::Fail(1008));
            }
        }
        Ok(())
    }

    /// Whether the text of a message is checked as it comes.
    fn checks_utf8(&self, message: &Message) -> bool {
        let text = !message.binary || self.has(Kind::ChecksBinaryForUtf8);
        text && message.bits == 0 && !message.per_frame && !self.overlooks_utf8()
    }

    fn overlooks_utf8(&self) -> bool {
        self.has(Kind::NoUtf8) || self.has(Kind::ReplacesBadUtf8)
    }

    fn bad_utf8(&self) -> End {
        match self.faulty.0 {
            Some(Kind::WrongCodeForBadUtf8) => End::Fail(1002),
            _ => End::Fail(1007),
        }
    }

    async fn deliver(&mut self, mut message: Message) -> Result<(), End> {
        let mut payload = self.joined(&message);
        let mut check = message.utf8.clone();
        if let Some(codec) = &mut self.codec {
            payload = match codec.decode(payload, message.bits, self.faulty) {
                Ok(plain) => plain,
                Err(_) if self.has(Kind::IgnoresBadDeflate) => return Ok(()),
                Err(_) if self.has(Kind::HangsOnBadDeflate) => return Err(End::Hang),
                Err(code) => return Err(End::Fail(code)),
            };
        }
        if !message.binary || self.has(Kind::ChecksBinaryForUtf8) {
            let transformed = message.bits != 0 || message.per_frame;
            let late = transformed || self.has(Kind::LateUtf8);
            let unchecked =
                self.overlooks_utf8() || transformed && self.has(Kind::Utf8UncheckedWhenCompressed);
            if late && !check.push(&payload) && !unchecked {
                return Err(self.bad_utf8());
            }
            if !check.is_complete() && !unchecked {
                return Err(self.bad_utf8());
            }
        }
        if !message.binary && self.has(Kind::ReplacesBadUtf8) {
            payload = String::from_utf8_lossy(&payload).into_owned().into_bytes();
        }
        if message.fragments.len() > 1 && self.has(Kind::TypeOfTheLastFragment) {
            message.binary = true;
        }
        self.echo(message.binary, payload).await
    }

    /// §5.4: the payload of a message is that of its fragments, in order.
    fn joined(&self, message: &Message) -> Vec<u8> {
        let several = message.fragments.len() > 1;
        match self.faulty.0 {
            Some(Kind::LosesMiddleFragments) if several => {
                let mut parts = message.parts();
                let first = parts.next().unwrap_or_default();
                let last = parts.next_back().unwrap_or_default();
                [first, last].concat()
            }
            Some(Kind::LosesFirstFragment) if several => {
                message.parts().skip(1).collect::<Vec<_>>().concat()
            }
            Some(Kind::JoinsFragmentsInReverse) => {
                message.parts().rev().collect::<Vec<_>>().concat()
            }
            _ => message.octets.clone(),
        }
    }

    /// An echo server's purpose: every message goes back as it came.
    async fn echo(&mut self, binary: bool, mut payload: Vec<u8>) -> Result<(), End> {
        let mut opcode = if binary { BINARY } else { TEXT };
        let large = payload.len() >= LARGE;
        let Some(fault) = self.faulty.0 else {
            return self.send_message(opcode, &payload).await;
        };
        self.echoes += 1;
        match fault {
            Kind::PongsAfterClose if self.closed => return Ok(()),
            Kind::DropsTcpEarly => return Err(End::Drop),
            Kind::DropsTcpOnLargeMessages if large => return Err(End::Drop),
            Kind::Refuses64Kib if large => return Err(End::Fail(1009)),
            Kind::SwallowsMessages => return Ok(()),
            Kind::SwallowsEmptyMessages if payload.is_empty() => return Ok(()),
            Kind::SwallowsBinary if binary => return Ok(()),
            Kind::EchoesOnlyTheFirst if self.echoes > 1 => return Ok(()),
            Kind::EchoesLate => sleep(LONG).await,
            Kind::TextAsBinary => opcode = BINARY,
            Kind::BinaryAsText => opcode = TEXT,
            Kind::TruncatesMessages => {
                payload.pop();
            }
            Kind::CorruptsMessages => {
                if let Some(last) = payload.last_mut() {
                    *last = if *last == b'?' { b'!' } else { b'?' };
                }
            }
            Kind::CorruptsLargeMessages if large => {
                let middle = payload.len() / 2;
                payload[middle] ^= 1;
            }
            _ => {}
        }
        self.send_message(opcode, &payload).await?;
        match fault {
            Kind::EchoesTwice => self.send_message(opcode, &payload).await,
            Kind::ClosesAfterFirstEcho => Err(End::Fail(1000)),
            Kind::DropsTcpAfterEcho => Err(End::Drop),
            _ => Ok(()),
        }
    }
}
