//! Many messages on many channels at once, and many channels one after the other.

use crate::mux::{Block, Happened, Ledger, State, channel_id};

/// The judge sends frames of at most so many octets.
const PIECE: usize = 4096;

/// A message to each open channel.
///
/// First all are sent, as far as there is quota, while the subject may send nothing. Then it may
/// send everything, and how far the channels get beside each other shows whether it is fair.
#[derive(Debug)]
pub(super) struct Load {
    octets: usize,
    channels: Vec<One>,
    pushing: bool,
    released: bool,
    first_done: bool,
}

#[derive(Debug)]
struct One {
    at: usize,
    sent: usize,
    done: bool,
    /// What had been received before.
    before: u64,
}

impl Load {
    pub(super) fn new(ledger: &Ledger, octets: usize) -> Self {
        let open = ledger.channels.iter().enumerate();
        let open = open.filter(|(_, channel)| channel.state == State::Open);
        let channels = open.map(|(at, channel)| One {
            at,
            sent: 0,
            done: false,
            before: channel.received,
        });
        Self {
            octets,
            channels: channels.collect(),
            pushing: true,
            released: false,
            first_done: false,
        }
    }

    /// The octet that a channel's message consists of.
    fn letter(at: usize) -> u8 {
        b'a' + (at % 26) as u8
    }

    /// What is to be sent now.
    pub(super) fn go_on(&mut self, ledger: &mut Ledger) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        loop {
            let mut some = false;
            for one in &mut self.channels {
                let channel = &ledger.channels[one.at];
                let head = match one.sent {
                    0 => 0x02,
                    _ => 0x00,
                };
                let room = channel.ours.saturating_sub(u64::from(one.sent == 0));
                let room = usize::try_from(room).unwrap_or(usize::MAX).min(PIECE);
                let size = room.min(self.octets - one.sent);
                if size == 0 {
                    continue;
                }
                one.sent += size;
                let fin = if one.sent == self.octets { 0x80 } else { 0 };
                let mut message = channel_id(channel.id);
                message.push(head | fin);
                message.resize(message.len() + size, Self::letter(one.at));
                ledger.sent(&message);
                messages.push(message);
                some = true;
            }
            if !some {
                break;
            }
        }
        if !self.pushing && !self.released {
            self.released = true;
            let ids = self.channels.iter().map(|one| ledger.channels[one.at].id);
            let grants: Vec<_> = ids
                .map(|id| Block::flow(id, self.octets as u64 + 1))
                .collect();
            let message = Block::message(&grants);
            ledger.sent(&message);
            messages.push(message);
        }
        messages
    }

    pub(super) fn happen(&mut self, happened: &Happened) -> Result<(), String> {
        let Happened::Message {
            channel,
            payload,
            binary: true,
        } = happened
        else {
            return Err(format!(
                "Something else came than an echo: {happened:.100?}"
            ));
        };
        let one = self.channels.iter_mut().find(|one| one.at == *channel);
        let one = one.ok_or("An echo came on a channel without a message.")?;
        let letter = Self::letter(one.at);
        let right = payload.len() == self.octets && payload.iter().all(|octet| *octet == letter);
        if one.done || !right {
            return Err("An echo is not what was sent on its channel.".to_owned());
        }
        one.done = true;
        Ok(())
    }

    pub(super) fn is_pushing(&self) -> bool {
        self.pushing
    }

    /// The subject takes no more before it may send.
    pub(super) fn stop_pushing(&mut self) {
        self.pushing = false;
    }

    pub(super) fn is_done(&self) -> bool {
        self.channels.iter().all(|one| one.done)
    }

    /// When the first message is back, the others should have come half the way.
    pub(super) fn unfair(&mut self, ledger: &Ledger) -> Option<String> {
        // Where quota comes bit by bit, who is ahead is chance.
        let chance = ledger.replenishes;
        if chance || self.first_done || !self.channels.iter().any(|one| one.done) {
            return None;
        }
        self.first_done = true;
        let come = |one: &One| ledger.channels[one.at].received - one.before;
        let slowest = self.channels.iter().min_by_key(|one| come(one))?;
        let least = come(slowest);
        (least * 2 < self.octets as u64).then(|| {
            let (octets, at, sent) = (self.octets, slowest.at, slowest.sent);
            format!(
                "When the first {octets} octets were back, of the {sent} sent on channel [{at}] \
                 there were {least}."
            )
        })
    }
}

/// Channels opened and dropped at once.
#[derive(Debug)]
pub(super) struct Churn {
    left: u32,
    next: u32,
}

impl Churn {
    pub(super) fn new(times: u32, next: u32) -> Self {
        Self { left: times, next }
    }

    /// What is to be sent now. `head`: of a request, behind its length.
    pub(super) fn go_on(&mut self, ledger: &mut Ledger, head: &[u8]) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while self.left > 0 && !ledger.slots.is_empty() {
            let id = channel_id(self.next);
            let drop = Block::drop(self.next, None).encode();
            let message = [&[0, 0], &id[..], head, &drop].concat();
            ledger.sent(&message);
            messages.push(message);
            self.next += 1;
            self.left -= 1;
        }
        messages
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }
}
