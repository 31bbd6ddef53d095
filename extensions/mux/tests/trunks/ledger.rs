//! The naive twin of the carriers: it reads what goes over the wire in both directions and keeps the
//! books. Who may send how much, who has promised to hold how much, which channel has which number,
//! and how many messages have come whole.
//!
//! Each direction is read twice: when its octets leave, and when they arrive. A channel is a serial,
//! the target of its request, so that a number used twice is told apart.

use std::collections::{BTreeMap, VecDeque};

use crate::pair::{CLIENT, SERVER};
use crate::wire::Said;

/// As a reason: it acknowledges another.
const ACK: Option<u16> = Some(3008);

/// One direction of a channel, as far as the octets say.
#[derive(Default)]
struct Way {
    serial: u64,
    in_message: bool,
    in_control: Option<u8>,
    closed: bool,
    /// Messages that were complete.
    messages: u64,
}

impl Way {
    fn of(serial: u64) -> Self {
        Self {
            serial,
            ..Self::default()
        }
    }

    /// A frame: which may follow which, and what it completes.
    fn frame(&mut self, first: u8) {
        assert!(
            !self.closed,
            "{}: a frame behind a close frame",
            self.serial
        );
        let fin = first & 0x80 != 0;
        match (first & 0x0f, self.in_control) {
            (0, Some(opcode)) => self.complete_control(opcode, fin),
            (0, None) => {
                assert!(self.in_message, "{}: nothing to continue", self.serial);
                self.in_message = !fin;
                self.messages += u64::from(fin);
            }
            (_, Some(_)) => panic!("{}: a frame inside a control frame", self.serial),
            (opcode @ 8.., None) => self.complete_control(opcode, fin),
            (_, None) => {
                assert!(!self.in_message, "{}: a message inside one", self.serial);
                self.in_message = !fin;
                self.messages += u64::from(fin);
            }
        }
    }

    fn complete_control(&mut self, opcode: u8, fin: bool) {
        self.in_control = (!fin).then_some(opcode);
        self.closed |= fin && opcode == 8;
    }
}

/// What an end has promised for a channel.
#[derive(Default)]
struct Held {
    granted: u64,
    arrived: u64,
    consumed: u64,
}

/// One end.
#[derive(Default)]
struct End {
    /// By number: what leaves, and what arrives.
    out: BTreeMap<u32, Way>,
    into: BTreeMap<u32, Way>,
    /// By serial: what may still be sent, and what the other end may still make us hold.
    credit: BTreeMap<u64, u64>,
    held: BTreeMap<u64, Held>,
    /// Messages that came whole, by serial.
    whole: BTreeMap<u64, u64>,
    /// The last serial of numbers that are free again. What waited to leave when the other end's last
    /// word came may still leave.
    gone: BTreeMap<u32, u64>,
}

pub(crate) struct Ledger {
    ends: [End; 2],
    /// The most that each end may promise to hold.
    memory: [u64; 2],
    /// Slots that are given, by quota: those that the client knows of, and all.
    slots: VecDeque<u64>,
    promised: VecDeque<u64>,
    /// Channels that an end has dropped without a closing handshake.
    pub(crate) dropped: BTreeMap<u64, Option<u16>>,
    /// So many frames of channels were seen to leave, and so many were cut to quota.
    pub(crate) frames: u64,
    pub(crate) exhausted: u64,
    /// Numbers that were used for the second time.
    pub(crate) reused: u64,
    most_numbers: BTreeMap<u32, u64>,
}

fn cost(first: u8, payload: &[u8]) -> u64 {
    payload.len() as u64 + u64::from(first & 0x0f != 0)
}

impl Ledger {
    /// `offered`: the quota for channel 1 in the client's offer.
    pub(crate) fn new(memory: [u64; 2], offered: u64) -> Self {
        let mut ledger = Self {
            ends: [End::default(), End::default()],
            memory,
            slots: VecDeque::new(),
            promised: VecDeque::new(),
            dropped: BTreeMap::new(),
            frames: 0,
            exhausted: 0,
            reused: 0,
            most_numbers: BTreeMap::new(),
        };
        for end in &mut ledger.ends {
            end.out.insert(1, Way::of(0));
            end.into.insert(1, Way::of(0));
            end.credit.insert(0, 0);
            end.held.insert(0, Held::default());
        }
        ledger.ends[SERVER].credit.insert(0, offered);
        let held = ledger.ends[CLIENT].held.get_mut(&0);
        held.expect("channel 1").granted = offered;
        ledger
    }

    /// Octets leave an end.
    pub(crate) fn leaves(&mut self, from: usize, said: Said) {
        let end = &mut self.ends[from];
        match said {
            Said::Frame(id, first, payload) => {
                self.frames += 1;
                let way = end.out.get_mut(&id).expect("a channel that is open");
                let serial = way.serial;
                way.frame(first);
                let closed = way.closed;
                let credit = end.credit.get_mut(&serial).expect("a channel");
                let cost = cost(first, &payload);
                let left = credit.checked_sub(cost);
                *credit = left.unwrap_or_else(|| {
                    panic!("{from} exceeds the quota of {serial}: {cost} of {credit}")
                });
                self.exhausted += u64::from(*credit == 0);
                if closed && end.into.get(&id).is_none_or(|way| way.closed) {
                    end.forget(id);
                }
            }
            Said::Request(id, target) => {
                assert_eq!(from, CLIENT);
                let serial = target[1..].parse().expect("a serial");
                assert!(!end.out.contains_key(&id), "channel {id} is in use");
                let uses = self.most_numbers.entry(id).or_default();
                *uses += 1;
                self.reused += u64::from(*uses > 1);
                end.out.insert(id, Way::of(serial));
                end.into.insert(id, Way::of(serial));
                let quota = self.slots.pop_front().expect("there is a slot");
                end.credit.insert(serial, quota);
                end.held.insert(serial, Held::default());
            }
            Said::Response(id, accepted) => {
                assert_eq!(from, SERVER);
                if accepted {
                    // The client has dropped it meanwhile, perhaps.
                    let serial = end.serial(id).expect("a channel that was asked for");
                    end.out.insert(id, Way::of(serial));
                } else {
                    end.forget(id);
                }
            }
            Said::Grant(id, quota) => {
                let Some(way) = end.into.get(&id) else {
                    assert!(end.gone.contains_key(&id), "a grant for no channel: {id}");
                    return;
                };
                let held = end.held.get_mut(&way.serial).expect("a channel");
                held.granted += quota;
                self.check_memory(from);
            }
            Said::Drop(id, ACK) => {
                end.out.remove(&id);
            }
            Said::Drop(id, code) => {
                let serial = end.serial(id).expect("a channel, or one that was");
                self.dropped.insert(serial, code);
                end.forget(id);
            }
            Said::Slots(slots, quota) => {
                assert_eq!(from, SERVER);
                self.promised.extend((0..slots).map(|_| quota));
                self.check_memory(from);
            }
            Said::Physical(..) => {}
        }
    }

    /// Octets arrive at an end.
    pub(crate) fn arrives(&mut self, to: usize, said: Said) {
        let end = &mut self.ends[to];
        match said {
            Said::Frame(id, first, payload) => {
                // Gone at this end, perhaps.
                let Some(way) = end.into.get_mut(&id) else {
                    return;
                };
                let held = end.held.get_mut(&way.serial).expect("a channel");
                held.arrived += cost(first, &payload);
                assert!(held.arrived <= held.granted, "more than was granted");
                let before = way.messages;
                way.frame(first);
                *end.whole.entry(way.serial).or_default() += way.messages - before;
                if way.closed && end.out.get(&id).is_none_or(|way| way.closed) {
                    end.forget(id);
                }
            }
            Said::Request(id, target) => {
                let serial = target[1..].parse().expect("a serial");
                end.into.insert(id, Way::of(serial));
                let granted = self.promised.pop_front().expect("a slot");
                let held = Held {
                    granted,
                    ..Held::default()
                };
                end.held.insert(serial, held);
                end.credit.insert(serial, 0);
            }
            Said::Response(id, accepted) => {
                if !accepted {
                    end.forget(id);
                }
            }
            Said::Grant(id, quota) => {
                if let Some(way) = end.into.get(&id) {
                    let credit = end.credit.get_mut(&way.serial).expect("a channel");
                    *credit += quota;
                }
            }
            Said::Drop(id, code) => {
                if let Some(way) = end.into.get(&id) {
                    self.dropped.insert(way.serial, code);
                }
                // What waits to leave may still do so, in front of the acknowledgement.
                if let Some(way) = end.into.remove(&id) {
                    end.held.remove(&way.serial);
                    end.gone.insert(id, way.serial);
                }
            }
            Said::Slots(slots, quota) => self.slots.extend((0..slots).map(|_| quota)),
            Said::Physical(..) => {}
        }
    }

    /// The application of an end has taken all that came on a channel.
    pub(crate) fn took(&mut self, end: usize, serial: u64) {
        if let Some(held) = self.ends[end].held.get_mut(&serial) {
            held.consumed = held.arrived;
        }
    }

    /// So many messages have come whole to this end of a channel.
    pub(crate) fn whole(&self, end: usize, serial: u64) -> u64 {
        self.ends[end].whole.get(&serial).copied().unwrap_or(0)
    }

    fn check_memory(&self, end: usize) {
        let held = self.ends[end].held.values();
        let held: u64 = held.map(|held| held.granted - held.consumed).sum();
        let promised: u64 = match end {
            CLIENT => 0,
            _ => self.promised.iter().sum(),
        };
        assert!(
            held + promised <= self.memory[end],
            "{end} may have to hold {held} and {promised}"
        );
    }

    /// The channels that an end has, by the octets.
    pub(crate) fn numbers(&self, end: usize) -> Vec<u32> {
        let end = &self.ends[end];
        end.out.keys().chain(end.into.keys()).copied().collect()
    }
}

impl End {
    /// Of the channel that has this number, or had it last.
    fn serial(&self, id: u32) -> Option<u64> {
        let live = self.into.get(&id).map(|way| way.serial);
        live.or_else(|| self.gone.get(&id).copied())
    }

    fn forget(&mut self, id: u32) {
        self.out.remove(&id);
        if let Some(way) = self.into.remove(&id) {
            self.held.remove(&way.serial);
            self.gone.insert(id, way.serial);
        }
    }
}
