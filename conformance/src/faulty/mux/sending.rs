//! What channels send: in turn, and only what they have quota for.

use cloverleaf_judge::frame::{CLOSE, CONTINUATION, PING};
use cloverleaf_judge::mux::channel_id;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Trunk;
use crate::faulty::fault::Kind;

/// One piece has at most so many octets.
const PIECE: usize = 4096;

impl<S: AsyncRead + AsyncWrite + Unpin> Trunk<S> {
    /// Sends all that may be sent now.
    pub(super) fn send_all(&mut self) {
        if self.has(Kind::MuxHoldsUpOthers) {
            let waits = |channel: &super::Channel| !channel.queue.is_empty() && channel.ours == 0;
            if self.channels.values().any(waits) {
                return;
            }
        }
        while self.send_one() {}
        if self.has(Kind::MuxLosesWhatWaits) {
            for channel in self.channels.values_mut() {
                channel.queue.clear();
            }
        }
        self.forget_closed();
    }

    /// Sends a piece of the next channel that can.
    fn send_one(&mut self) -> bool {
        let turn = self.turn;
        let later = self.channels.keys().filter(|id| **id > turn);
        let ids: Vec<u32> = later
            .chain(self.channels.keys().filter(|id| **id <= turn))
            .copied()
            .collect();
        ids.into_iter().any(|id| {
            let sent = self.send_piece(id);
            if sent && !self.has(Kind::MuxIsUnfair) {
                self.turn = id;
            }
            sent
        })
    }

    fn send_piece(&mut self, id: u32) -> bool {
        let faulty = self.faulty;
        let Some(channel) = self.channels.get_mut(&id).filter(|channel| channel.open) else {
            return false;
        };
        let Some(waiting) = channel.queue.front_mut() else {
            return false;
        };
        let frame = &waiting.frame;
        let opcode = match waiting.begun {
            true => CONTINUATION,
            false => frame.opcode,
        };
        let one_more =
            u64::from(opcode != CONTINUATION && !faulty.has(Kind::MuxForgetsTheExtraOctet));
        let left = frame.payload.len() - waiting.sent;
        let free = faulty.has(Kind::MuxIgnoresQuota)
            || frame.opcode > PING - 2 && faulty.has(Kind::MuxPongsWithoutQuota);
        let quota = if free { u64::MAX } else { channel.ours };
        let Some(room) = quota.checked_sub(one_more) else {
            return false;
        };
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let stuck = room == 0 && left > 0;
        if stuck || room < left && faulty.has(Kind::MuxSendsWholeFramesOnly) {
            return false;
        }
        let size = match faulty.has(Kind::MuxSendsWholeFramesOnly) {
            true => left,
            false => left.min(room).min(PIECE),
        };
        let last = size == left;
        let fin = frame.fin && last;
        let bits = if waiting.begun { 0 } else { frame.rsv << 4 };
        let mut message = match id > 127 && faulty.has(Kind::MuxWritesLongIds) {
            true => (id | 0xE000_0000).to_be_bytes().to_vec(),
            false => channel_id(id),
        };
        message.push(u8::from(fin) << 7 | bits | opcode);
        message.extend_from_slice(&frame.payload[waiting.sent..waiting.sent + size]);
        channel.ours = channel.ours.saturating_sub(one_more + size as u64);
        waiting.sent += size;
        waiting.begun = true;
        if last {
            channel.close_sent |= frame.opcode == CLOSE;
            channel.queue.pop_front();
        }
        self.transmit(&message);
        true
    }
}
