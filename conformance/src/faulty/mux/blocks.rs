//! Control blocks that come.

use cloverleaf_judge::frame::Frame;
use cloverleaf_judge::mux::{Block, CONTROL, Encoding, FIRST, Wrong};
use cloverleaf_reports::Role;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Trunk;
use crate::faulty::endpoint::End;
use crate::faulty::fault::Kind;

impl<S: AsyncRead + AsyncWrite + Unpin> Trunk<S> {
    /// A message of the control channel: each block takes effect before the next is read.
    pub(super) fn control(&mut self, mut rest: &[u8]) -> Result<(), End> {
        if self.has(Kind::MuxChecksBlocksFirst) {
            let mut rest = rest;
            while !rest.is_empty() {
                if let Err(wrong) = Block::take(&mut rest) {
                    return self.wrong_block(wrong);
                }
            }
        }
        let mut requested = Vec::new();
        loop {
            let block = match Block::take(&mut rest) {
                Ok(block) => block,
                Err(wrong) => return self.wrong_block(wrong),
            };
            if self.has(Kind::MuxRefusesLongNumbers)
                && matches!(
                    block,
                    Block::FlowControl {
                        quota: 0x1_0000..,
                        ..
                    }
                )
            {
                return Err(End::Fail(2005));
            }
            if let Block::AddChannelRequest { id, .. } = block {
                requested.push(id);
            }
            let early = matches!(block, Block::FlowControl { id, .. } if requested.contains(&id));
            if !(early && self.has(Kind::MuxIgnoresEarlyQuota)) {
                self.block(block)?;
            }
            if rest.is_empty() || self.has(Kind::MuxReadsTheFirstBlock) {
                return Ok(());
            }
        }
    }

    fn wrong_block(&self, wrong: Wrong) -> Result<(), End> {
        let overlooked = match self.faulty.0 {
            Some(Kind::MuxIgnoresReservedBits) => wrong.what.contains("reserved"),
            Some(Kind::MuxIgnoresUnknownBlocks) => wrong.code == 2004,
            Some(Kind::MuxTakesAnyEncoding) => matches!(wrong.code, 2010 | 2012),
            Some(Kind::MuxIgnoresBadNumbers) => {
                wrong.what.contains("number") && !wrong.what.contains("cut off")
            }
            Some(Kind::MuxIgnoresCutBlocks) => wrong.what.contains("cut off"),
            Some(Kind::MuxTakesOneOctetReasons) => wrong.what.contains("one octet"),
            Some(Kind::MuxOverlooksFallbacksWithSlots) => wrong.what.contains("fallback"),
            _ => false,
        };
        match overlooked {
            true => Ok(()),
            false => Err(End::Fail(wrong.code)),
        }
    }

    fn block(&mut self, block: Block) -> Result<(), End> {
        match (block, self.role) {
            (Block::FlowControl { id, quota }, _) => self.granted(id, quota),
            (Block::DropChannel { id, reason }, _) => self.dropped(id, reason),
            (Block::AddChannelRequest { id, encoding, head }, Role::Server) => {
                self.requested(id, encoding, &head)
            }
            (
                Block::AddChannelResponse {
                    id,
                    rejected,
                    encoding,
                    head,
                },
                Role::Client,
            ) => self.answered(id, rejected, encoding == Encoding::Delta, &head),
            (
                Block::NewChannelSlot {
                    fallback,
                    slots,
                    quota,
                },
                Role::Client,
            ) => self.given(fallback, slots, quota),
            _ => self.wrong(Kind::MuxTakesAnyDirection, 2005),
        }
    }

    fn granted(&mut self, id: u32, quota: u64) -> Result<(), End> {
        if quota == 0 && self.has(Kind::MuxFailsForEmptyGrants) {
            return Err(End::Fail(2005));
        }
        let faulty = self.faulty;
        let Some(channel) = self.channels.get_mut(&id) else {
            return match self.has(Kind::MuxFailsForUnknownChannels) {
                true => Err(End::Fail(2000)),
                false => Ok(()),
            };
        };
        let most = match faulty.0 {
            Some(Kind::MuxLetsQuotasOverflow) => u64::MAX,
            Some(Kind::MuxOverflowsEarly) => 1 << 62,
            _ => i64::MAX as u64,
        };
        match channel.ours.checked_add(quota) {
            Some(sum) if sum <= most => channel.ours = sum,
            None if faulty.has(Kind::MuxLetsQuotasOverflow) => channel.ours = u64::MAX,
            _ => self.drop_channel(id, 3006),
        }
        Ok(())
    }

    fn dropped(&mut self, id: u32, reason: Option<(u16, Vec<u8>)>) -> Result<(), End> {
        let (code, text) = match &reason {
            Some((code, text)) => (Some(*code), &text[..]),
            None => (None, &[][..]),
        };
        if std::str::from_utf8(text).is_err() && self.has(Kind::MuxChecksTextsOfDrops)
            || text.len() > 123 && self.has(Kind::MuxRefusesLongReasons)
        {
            return Err(End::Fail(2005));
        }
        if id == CONTROL {
            if self.has(Kind::MuxOverlooksTheDropOfAll) {
                return Ok(());
            }
            self.put(&Frame::close(1011, ""));
            return Err(End::Closed);
        }
        if code == Some(2000) && self.has(Kind::MuxTakesCodesForAll)
            || id == FIRST && self.has(Kind::MuxDropOfTheFirstEndsAll)
        {
            self.put(&Frame::close(1011, ""));
            return Err(End::Closed);
        }
        let known = self.channels.contains_key(&id);
        if !known && self.has(Kind::MuxFailsForUnknownChannels) {
            return Err(End::Fail(2000));
        }
        let answers = known && code != Some(3008) || self.has(Kind::MuxAcknowledgesEverything);
        if answers && !self.has(Kind::MuxNeverAcknowledges) {
            let code = match self.has(Kind::MuxAcknowledgesWith1000) {
                true => 1000,
                false => 3008,
            };
            self.transmit(&Block::message(&[Block::drop(id, code)]));
        }
        if !self.has(Kind::MuxGoesOnBehindDrops) {
            self.forget(id);
        }
        Ok(())
    }
}
