//! What comes on channels.

use cloverleaf_judge::frame::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT};
use cloverleaf_judge::mux::{Block, FIRST};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Trunk;
use super::channel::Data;
use crate::faulty::endpoint::End;
use crate::faulty::fault::Kind;

/// What becomes of a frame that cannot be taken.
enum Bad {
    /// The channel is dropped with this code.
    Drop(u16),
    /// It breaks RFC 6455: the channel is closed with this code.
    Close(u16),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Trunk<S> {
    pub(super) fn channel_frame(&mut self, id: u32, head: u8, payload: &[u8]) -> Result<(), End> {
        if self.empty > 100 && self.has(Kind::MuxEmptyFloodsFailAll) {
            return Err(End::Fail(2000));
        }
        let opcode = head & 0x0F;
        let cost = payload.len() as u64 + u64::from(opcode != CONTINUATION);
        let Some(channel) = self.channels.get_mut(&id) else {
            if self.has(Kind::MuxKeepsFramesOfNobody) {
                let octets = payload.to_vec();
                let data = Data {
                    opcode,
                    bits: 0,
                    octets,
                };
                self.early.insert(id, data);
            }
            return match self.has(Kind::MuxFailsForUnknownChannels) {
                true => Err(End::Fail(2000)),
                false => Ok(()),
            };
        };
        if !channel.open {
            self.drop_channel(id, 3000);
            return Ok(());
        }
        let exceeds = match self.faulty.0 {
            Some(Kind::MuxTakesTooMuch) => false,
            Some(Kind::MuxQuotaIsOneLess) => cost >= channel.theirs,
            _ => cost > channel.theirs,
        };
        if exceeds {
            if self.has(Kind::MuxFailsAllForTooMuch) {
                return Err(End::Fail(2000));
            }
            self.drop_channel(id, 3005);
            return Ok(());
        }
        channel.theirs = channel.theirs.saturating_sub(cost);
        if cost > 0 && !self.has(Kind::MuxNeverGrantsAgain) {
            self.grant(id, cost);
        }
        match self.take(id, head, payload) {
            Ok(()) => Ok(()),
            Err(Bad::Drop(code)) => {
                if code == 3009 && self.has(Kind::MuxFragmentationFailsAll) {
                    return Err(End::Fail(2000));
                }
                self.drop_channel(id, code);
                Ok(())
            }
            Err(Bad::Close(code)) => self.fail_channel(id, code),
        }?;
        let closed = self
            .channels
            .get(&id)
            .is_some_and(|channel| channel.close_came);
        let ends =
            self.has(Kind::MuxCloseEndsAll) || id == FIRST && self.has(Kind::MuxFirstCloseEndsAll);
        match closed && ends {
            true => {
                self.put(&Frame::close(1000, ""));
                Err(End::Closed)
            }
            false => Ok(()),
        }
    }

    /// RFC 6455 §7.1.7
    fn fail_channel(&mut self, id: u32, code: u16) -> Result<(), End> {
        match self.faulty.0 {
            Some(Kind::MuxOverlooksErrors) => {}
            Some(Kind::MuxForgetsFailedChannels) => {
                self.channels.remove(&id);
            }
            Some(Kind::MuxErrorsFailAll) => return Err(End::Fail(2000)),
            _ => {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.failed = true;
                    channel.queue.clear();
                    channel.send(Frame::close(code, ""));
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, id: u32, head: u8, payload: &[u8]) -> Result<(), Bad> {
        let faulty = self.faulty;
        let has = |kind| faulty.has(kind);
        let shares = has(Kind::MuxSharesContexts) && id != FIRST;
        let bits_owned = self
            .channels
            .get(&id)
            .and_then(|channel| channel.codec.as_ref())
            .map_or(0, |codec| codec.bits());
        let Some(channel) = self.channels.get_mut(&id) else {
            return Ok(());
        };
        if channel.failed || channel.close_came && !has(Kind::MuxEchoesBehindClose) {
            return Ok(());
        }
        let (fin, bits, opcode) = (head & 0x80 != 0, head >> 4 & 7, head & 0x0F);
        let owned = if matches!(opcode, TEXT | BINARY) {
            bits_owned
        } else {
            0
        };
        if bits & !owned != 0 {
            return Err(Bad::Close(1002));
        }
        if payload.is_empty() && !fin {
            self.empty += 1;
            if has(Kind::MuxRefusesEmptyFragments) {
                return Err(Bad::Drop(3009));
            }
        }
        if let (Some(_), true) = (&channel.control, opcode != CONTINUATION) {
            if !has(Kind::MuxTakesFramesInsideControl) {
                return Err(Bad::Drop(3009));
            }
            channel.control = None;
        }
        match opcode {
            CLOSE | PING | PONG => {
                if has(Kind::MuxControlEndsMessages) {
                    channel.data = None;
                }
                if !fin && has(Kind::MuxRefusesFragmentedControl) {
                    return Err(Bad::Drop(3009));
                }
                let octets = payload.to_vec();
                channel.control = Some(Data {
                    opcode,
                    bits: 0,
                    octets,
                });
            }
            TEXT | BINARY => {
                if channel.data.is_some() && !has(Kind::MuxTakesMessagesInsideOthers) {
                    return Err(Bad::Drop(3009));
                }
                let octets = payload.to_vec();
                let data = Data {
                    opcode,
                    bits,
                    octets,
                };
                if has(Kind::MuxMixesFragments) {
                    self.mixed = Some(data.clone());
                }
                channel.data = Some(data);
            }
            CONTINUATION => match (&mut channel.control, &mut channel.data) {
                (Some(control), _) => control.octets.extend_from_slice(payload),
                (None, Some(data)) => {
                    data.octets.extend_from_slice(payload);
                    if let Some(mixed) = &mut self.mixed {
                        mixed.octets.extend_from_slice(payload);
                    }
                }
                (None, None) if has(Kind::MuxTakesStrayContinuations) => return Ok(()),
                (None, None) => return Err(Bad::Drop(3009)),
            },
            _ => return Err(Bad::Close(1002)),
        }
        if let Some(control) = &channel.control {
            if control.octets.len() > 125 {
                return Err(Bad::Close(1002));
            }
            if !fin {
                return Ok(());
            }
        }
        if let Some(control) = channel.control.take() {
            return self.control_frame(id, control);
        }
        if let (Some(data), true) = (&channel.data, has(Kind::MuxChecksTextByFrame))
            && data.opcode == TEXT
            && std::str::from_utf8(payload).is_err()
        {
            return Err(Bad::Close(1007));
        }
        if !fin {
            return Ok(());
        }
        let Some(mut data) = channel.data.take() else {
            return Ok(());
        };
        if let Some(mixed) = self.mixed.take() {
            data.octets = mixed.octets;
        }
        let at = if shares { FIRST } else { id };
        let codec = self.channels.get_mut(&at);
        let mut codec = codec.and_then(|channel| channel.codec.as_mut());
        let plain = match &mut codec {
            Some(codec) => codec
                .decode(data.octets, data.bits, faulty)
                .map_err(Bad::Close)?,
            None => data.octets,
        };
        if data.opcode == TEXT && std::str::from_utf8(&plain).is_err() {
            return Err(Bad::Close(1007));
        }
        if plain.is_empty() && has(Kind::MuxLosesEmptyMessages) {
            return Ok(());
        }
        let opcode = match has(Kind::MuxReturnsEverythingAsText) {
            true => TEXT,
            false => data.opcode,
        };
        let frames = match &mut codec {
            Some(codec) => codec.frames(opcode, &plain, faulty),
            None => vec![Frame::new(opcode, plain)],
        };
        let to = match has(Kind::MuxEchoesOnTheFirstChannel) {
            true => FIRST,
            false => id,
        };
        if let Some(channel) = self.channels.get_mut(&to) {
            frames.into_iter().for_each(|frame| channel.send(frame));
        }
        Ok(())
    }

    fn control_frame(&mut self, id: u32, control: Data) -> Result<(), Bad> {
        let faulty = self.faulty;
        let has = |kind| faulty.has(kind);
        let Some(channel) = self.channels.get_mut(&id) else {
            return Ok(());
        };
        match control.opcode {
            PING if has(Kind::MuxNeverPongs) => {}
            PONG if !has(Kind::MuxAnswersPongs) => {}
            PING | PONG => channel.send(Frame::pong(control.octets)),
            _ => {
                let code = match control.octets.split_first_chunk() {
                    Some((code, _)) => u16::from_be_bytes(*code),
                    None if control.octets.is_empty() => 1000,
                    None => return Err(Bad::Close(1002)),
                };
                if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                    return Err(Bad::Close(1002));
                }
                channel.close_came = true;
                if !has(Kind::MuxNeverAnswersClose) {
                    channel.send(Frame::close(code, ""));
                }
            }
        }
        Ok(())
    }

    /// Lets the peer send so much more.
    pub(super) fn grant(&mut self, id: u32, quota: u64) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.theirs += quota;
        }
        self.transmit(&Block::message(&[Block::flow(id, quota)]));
    }

    /// The channel failed.
    pub(super) fn drop_channel(&mut self, id: u32, code: u16) {
        self.transmit(&Block::message(&[Block::drop(id, code)]));
        self.forget(id);
    }

    /// Channels whose close frames have crossed are gone.
    pub(super) fn forget_closed(&mut self) {
        let closed = self.channels.iter();
        let closed = closed.filter(|(_, channel)| channel.close_sent && channel.close_came);
        let closed: Vec<u32> = closed.map(|(id, _)| *id).collect();
        if self.has(Kind::MuxEchoesBehindClose) {
            return;
        }
        for id in closed {
            self.forget(id);
        }
    }
}
