//! What was on the wire: every octet of both directions, read again with nothing of the crate's own
//! code, and every quota counted.

use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Client,
    Server,
}

impl End {
    const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// One thing that was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The head of the physical opening handshake.
    Head(String),
    /// A control frame of the physical connection: its opcode and payload.
    Physical(u8, Vec<u8>),
    /// A frame of a channel: its first octet and payload.
    Frame(u32, u8, Vec<u8>),
    /// A request for a channel: whether it is a difference, and the head.
    Request(u32, bool, String),
    /// An answer: whether the channel is refused, and the head.
    Response(u32, bool, String),
    Flow(u32, u64),
    Drop(u32, Option<u16>),
    Slots(u64, u64),
}

/// What an end may send on a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    pub(crate) left: u64,
    /// The most and the least that it ever was.
    pub(crate) most: u64,
    pub(crate) least: u64,
}

impl Quota {
    const fn new(left: u64) -> Self {
        Self {
            left,
            most: left,
            least: left,
        }
    }
}

#[derive(Default)]
struct Direction {
    /// What is not read yet.
    rest: Vec<u8>,
    /// The head has passed.
    open: bool,
    /// The message at hand.
    message: Vec<u8>,
}

/// Both directions, as one end sees them one after the other.
#[derive(Default)]
pub(crate) struct Wire {
    client: Direction,
    server: Direction,
    pub(crate) seen: Vec<(End, Seen)>,
    /// The quotas of the slots that are free.
    slots: VecDeque<u64>,
    /// The end that may exceed what it was given: it is the other's to notice.
    pub(crate) tolerates: Option<End>,
    /// What each end may send on each channel.
    quotas: BTreeMap<(End, u32), Quota>,
}

impl Wire {
    /// These octets have passed. Fails when they break the format, or exceed a quota.
    pub(crate) fn pass(&mut self, from: End, octets: &[u8]) {
        let direction = self.direction(from);
        direction.rest.extend_from_slice(octets);
        if !direction.open {
            let end = direction.rest.windows(4).position(|it| it == b"\r\n\r\n");
            let Some(end) = end else { return };
            direction.open = true;
            let head: Vec<u8> = direction.rest.drain(..end + 4).collect();
            let head = String::from_utf8(head).expect("a head is ASCII");
            if from == End::Client {
                // What the server may send on channel 1 before it is granted more.
                let quota = head.split_once("quota=").map_or(0, |(_, after)| {
                    let digits = after.split(|it: char| !it.is_ascii_digit()).next();
                    digits.and_then(|it| it.parse().ok()).unwrap_or(0)
                });
                self.quotas = [
                    ((End::Client, 1), Quota::new(0)),
                    ((End::Server, 1), Quota::new(quota)),
                ]
                .into();
            }
            self.seen.push((from, Seen::Head(head)));
        }
        while let Some((first, payload)) = frame(&mut self.direction(from).rest) {
            let opcode = first & 0x0F;
            if opcode & 8 != 0 {
                self.seen.push((from, Seen::Physical(opcode, payload)));
                continue;
            }
            assert_eq!(first & 0x70, 0, "a reserved bit of the physical connection");
            let message = &mut self.direction(from).message;
            assert_eq!(opcode, if message.is_empty() { 2 } else { 0 }, "{from:?}");
            message.extend_from_slice(&payload);
            if first & 0x80 != 0 {
                let message = core::mem::take(message);
                self.message(from, &message);
            }
        }
    }

    fn direction(&mut self, from: End) -> &mut Direction {
        match from {
            End::Client => &mut self.client,
            End::Server => &mut self.server,
        }
    }

    fn message(&mut self, from: End, message: &[u8]) {
        let mut rest = message;
        let id = channel_id(&mut rest);
        if id != 0 {
            let (first, payload) = rest.split_first().expect("a frame");
            let cost = payload.len() as u64 + u64::from(first & 0x0F != 0);
            if let Some(quota) = self.quotas.get_mut(&(from, id)) {
                let left = quota.left.checked_sub(cost);
                let within = left.is_some() || self.tolerates == Some(from);
                assert!(within, "{from:?} exceeds {quota:?} on {id}: {message:x?}");
                quota.left = left.unwrap_or(0);
                quota.least = quota.least.min(quota.left);
            }
            self.seen
                .push((from, Seen::Frame(id, *first, payload.to_vec())));
            return;
        }
        while !rest.is_empty() {
            let block = self.block(from, &mut rest);
            self.seen.push((from, block));
        }
    }

    fn block(&mut self, from: End, rest: &mut &[u8]) -> Seen {
        let [first] = *take(rest, 1) else {
            unreachable!("one was asked for")
        };
        match first {
            0x00 | 0x01 => {
                assert_eq!(from, End::Client);
                let id = channel_id(rest);
                let slot = self.slots.pop_front();
                assert!(slot.is_some() || self.tolerates == Some(from), "no slot");
                let slot = Quota::new(slot.unwrap_or(0));
                self.quotas.insert((End::Client, id), slot);
                self.quotas.insert((End::Server, id), Quota::new(0));
                Seen::Request(id, first & 1 != 0, text(rest))
            }
            0x20 | 0x30 => {
                assert_eq!(from, End::Server);
                let id = channel_id(rest);
                Seen::Response(id, first & 0x10 != 0, text(rest))
            }
            0x40 => {
                let (id, more) = (channel_id(rest), number(rest));
                if let Some(quota) = self.quotas.get_mut(&(from.other(), id)) {
                    quota.left += more;
                    quota.most = quota.most.max(quota.left);
                }
                Seen::Flow(id, more)
            }
            0x60 => {
                let id = channel_id(rest);
                let length = number(rest);
                let reason = take(rest, usize::try_from(length).expect("it is short"));
                let code = reason.first_chunk().map(|code| u16::from_be_bytes(*code));
                Seen::Drop(id, code)
            }
            0x80 => {
                assert_eq!(from, End::Server);
                let (slots, quota) = (number(rest), number(rest));
                self.slots.extend((0..slots).map(|_| quota));
                Seen::Slots(slots, quota)
            }
            _ => panic!("{from:?} sends a block {first:#04x}"),
        }
    }

    // What tests ask for.

    /// What this end has sent, without flow control.
    pub(crate) fn of(&self, end: End) -> Vec<&Seen> {
        let of_end = self.seen.iter().filter(|(from, _)| *from == end);
        let but = |it: &&Seen| !matches!(it, Seen::Head(_) | Seen::Flow(..) | Seen::Slots(..));
        of_end.map(|(_, seen)| seen).filter(but).collect()
    }

    /// What this end may send on a channel.
    pub(crate) fn quota(&self, end: End, channel: u32) -> Quota {
        self.quotas[&(end, channel)]
    }

    /// The frames of a channel that this end has sent.
    pub(crate) fn frames(&self, end: End, channel: u32) -> Vec<(u8, &[u8])> {
        let frames = self.seen.iter().filter_map(|(from, seen)| match seen {
            Seen::Frame(id, first, payload) if *from == end && *id == channel => {
                Some((*first, payload.as_slice()))
            }
            _ => None,
        });
        frames.collect()
    }

    /// The quotas that this end has granted on a channel, one after the other.
    pub(crate) fn grants(&self, end: End, channel: u32) -> Vec<u64> {
        let grants = self.seen.iter().filter_map(|(from, seen)| match seen {
            Seen::Flow(id, quota) if *from == end && *id == channel => Some(*quota),
            _ => None,
        });
        grants.collect()
    }

    pub(crate) fn has(&self, from: End, seen: &Seen) -> bool {
        self.seen.iter().any(|it| it.0 == from && it.1 == *seen)
    }
}

/// The next frame, unmasked, once it is there whole.
fn frame(rest: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let [first, second, ..] = rest[..] else {
        return None;
    };
    let (length, start) = match second & 0x7F {
        126 => (rest.get(2..4)?, 4),
        127 => (rest.get(2..10)?, 10),
        _ => (&[second & 0x7F][..], 2),
    };
    let length = length
        .iter()
        .fold(0, |n, octet| n << 8 | usize::from(*octet));
    let key = match second & 0x80 {
        0 => [0; 4],
        _ => *rest.get(start..)?.first_chunk()?,
    };
    let start = start + if second & 0x80 == 0 { 0 } else { 4 };
    let payload = rest.get(start..start + length)?;
    let masked = payload.iter().zip(key.iter().cycle());
    let payload = masked.map(|(octet, key)| octet ^ key).collect();
    rest.drain(..start + length);
    Some((first, payload))
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> &'a [u8] {
    let (taken, after) = rest.split_at_checked(n).expect("the block is whole");
    *rest = after;
    taken
}

fn channel_id(rest: &mut &[u8]) -> u32 {
    let first = *rest.first().expect("a channel id");
    let (octets, ones) = match first {
        0x00..0x80 => (1, 0x00),
        0x80..0xC0 => (2, 0x80),
        0xC0..0xE0 => (3, 0xC0),
        0xE0.. => (4, 0xE0),
    };
    let octets = take(rest, octets).iter().skip(1);
    octets.fold(u32::from(first ^ ones), |n, octet| {
        n << 8 | u32::from(*octet)
    })
}

fn number(rest: &mut &[u8]) -> u64 {
    let octets = match take(rest, 1) {
        [126] => take(rest, 2),
        [127] => take(rest, 8),
        one => one,
    };
    octets.iter().fold(0, |n, octet| n << 8 | u64::from(*octet))
}

fn text(rest: &mut &[u8]) -> String {
    let length = usize::try_from(number(rest)).expect("it is short");
    String::from_utf8(take(rest, length).to_vec()).expect("a head is ASCII")
}
