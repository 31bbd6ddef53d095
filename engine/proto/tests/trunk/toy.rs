//! A carrier whose wire can be read at a glance: the number of the channel, a letter, the rest.
//!
//! ```text
//! 1 f <octet 0 of the frame> payload      a frame
//! 2 r head, 2 a head, 2 x head            a request, an answer that accepts, one that refuses
//! 2 c <4 octets>                          credit
//! 2 d why                                 dropped
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use cloverleaf_proto::Role;
use cloverleaf_proto::extension::{
    Action, Agreement, Carrier, ChannelId, Claims, Declined, Dropped, EndsFor, Extension, Failure,
    Params, Stage,
};
use cloverleaf_proto::frame::{Head, OpCode};
use cloverleaf_proto::message::Kind;

/// What it is set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How much each end may send on a channel before it is given credit.
    pub(crate) window: usize,
    /// How many channels a client may ask for in all.
    pub(crate) slots: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: 1000,
            slots: 100,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Toy(pub(crate) Settings);

impl Extension for Toy {
    fn name(&self) -> &str {
        "x-toy"
    }

    fn claims(&self) -> Claims {
        const { Claims::at(Stage::Carrier) }
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new()]
    }

    fn accept(&self, _: &Params) -> Result<Agreement, Declined> {
        Ok(Agreement::new(Params::new()).carrier(ToyCarrier::new(Role::Server, self.0)))
    }

    fn confirm(&self, _: &[Params], _: &Params) -> Result<Agreement, Declined> {
        Ok(Agreement::new(Params::new()).carrier(ToyCarrier::new(Role::Client, self.0)))
    }
}

struct Credit {
    /// What we may send.
    ours: usize,
    /// What the peer may send.
    theirs: usize,
    /// A control frame that comes in pieces.
    control: Option<(Head, Vec<u8>)>,
}

struct ToyCarrier {
    role: Role,
    settings: Settings,
    channels: BTreeMap<ChannelId, Credit>,
    asked: usize,
}

impl ToyCarrier {
    fn new(role: Role, settings: Settings) -> Self {
        let mut carrier = Self {
            role,
            settings,
            channels: BTreeMap::new(),
            asked: 0,
        };
        carrier.add(ChannelId::FIRST);
        carrier
    }

    fn add(&mut self, id: ChannelId) {
        let window = self.settings.window;
        let credit = Credit {
            ours: window,
            theirs: window,
            control: None,
        };
        self.channels.insert(id, credit);
    }
}

/// As in the draft: a first frame costs one more, so that empty ones are not free.
fn cost(head: Head, payload: usize) -> usize {
    payload + usize::from(head.opcode != OpCode::CONTINUATION)
}

fn block(id: ChannelId, letter: u8, rest: &[u8]) -> Action {
    let number = id.get() as u8;
    Action::Transmit([&[number, letter], rest].concat())
}

/// The first octet of a frame.
fn octet(head: Head) -> u8 {
    let mut octets = Vec::new();
    cloverleaf_proto::frame::Frame::new(head, "").encode_into(None, &mut octets);
    octets[0]
}

fn head(octet: u8) -> Head {
    use cloverleaf_proto::frame::Rsv;
    let mut rsv = Rsv::NONE;
    for (bit, one) in [(0x40, Rsv::RSV1), (0x20, Rsv::RSV2), (0x10, Rsv::RSV3)] {
        if octet & bit != 0 {
            rsv = rsv | one;
        }
    }
    Head::new(OpCode::new(octet & 15))
        .with_fin(octet & 0x80 != 0)
        .with_rsv(rsv)
}

impl Carrier for ToyCarrier {
    fn start(&mut self, request: &[u8], response: &[u8], _: &mut Vec<Action>) {
        assert!(request.starts_with(b"GET ") && response.starts_with(b"HTTP/1.1 101"));
    }

    fn receive(
        &mut self,
        kind: Kind,
        message: &[u8],
        actions: &mut Vec<Action>,
    ) -> Result<(), Failure> {
        let (Kind::Binary, [number, letter, rest @ ..]) = (kind, message) else {
            return Err(Failure::protocol("no message of this carrier"));
        };
        let id = ChannelId::new(u32::from(*number));
        let head_of = || Bytes::copy_from_slice(rest);
        match (letter, self.channels.get_mut(&id)) {
            (b'r', None) => {
                self.add(id);
                actions.push(Action::Requested(id, head_of()));
            }
            (b'a' | b'x', Some(_)) => {
                let accepted = *letter == b'a';
                if !accepted {
                    self.channels.remove(&id);
                }
                actions.push(Action::Answered {
                    id,
                    accepted,
                    response_head: head_of(),
                });
            }
            (b'c', Some(credit)) => {
                let more = u32::from_be_bytes(rest.try_into().expect("four octets"));
                credit.ours += more as usize;
                actions.push(Action::Room(id));
            }
            (b'f', Some(credit)) => {
                let head = head(rest[0]);
                let cost = cost(head, rest.len() - 1);
                assert!(cost <= credit.theirs, "the engine keeps to the quota");
                credit.theirs -= cost;
                let payload = &rest[1..];
                if head.opcode.is_control() && !head.fin {
                    credit.control = Some((head.with_fin(true), payload.to_vec()));
                    actions.push(Action::Swallowed { id, cost });
                    return Ok(());
                }
                if let Some((whole, mut octets)) = credit.control.take() {
                    assert_eq!(head.opcode, OpCode::CONTINUATION, "it comes first");
                    octets.extend_from_slice(payload);
                    if head.fin {
                        actions.push(Action::Control {
                            id,
                            head: whole,
                            payload: octets.into(),
                            cost,
                        });
                    } else {
                        actions.push(Action::Swallowed { id, cost });
                        credit.control = Some((whole, octets));
                    }
                    return Ok(());
                }
                actions.push(Action::Frame {
                    id,
                    head,
                    payload: 3..message.len(),
                    cost,
                });
            }
            (b'd', Some(_)) => {
                self.channels.remove(&id);
                let why = String::from_utf8_lossy(rest);
                actions.push(Action::Dropped(id, Dropped::new(None, why)));
            }
            // On its way when we dropped the channel.
            (b'f' | b'c' | b'd' | b'a' | b'x', None) => {}
            _ => return Err(Failure::protocol("this makes no sense")),
        }
        Ok(())
    }

    fn max_message(&self) -> usize {
        self.settings.window + 20_000
    }

    fn room(&self, id: ChannelId, head: Head) -> Option<usize> {
        let credit = self.channels.get(&id)?;
        credit.ours.checked_sub(cost(head, 0))
    }

    fn wrap(&mut self, id: ChannelId, head: Head, length: usize, prefix: &mut Vec<u8>) {
        let credit = self.channels.get_mut(&id).expect("it has room");
        credit.ours -= cost(head, length);
        prefix.extend_from_slice(&[id.get() as u8, b'f', octet(head)]);
    }

    fn consumed(&mut self, id: ChannelId, cost: usize, actions: &mut Vec<Action>) {
        if let Some(credit) = self.channels.get_mut(&id)
            && cost > 0
        {
            credit.theirs += cost;
            assert!(credit.theirs <= self.settings.window, "taken twice");
            actions.push(block(id, b'c', &(cost as u32).to_be_bytes()));
        }
    }

    fn slots(&self) -> Option<usize> {
        Some(self.settings.slots - self.asked)
    }

    fn open(&mut self, request_head: &[u8], actions: &mut Vec<Action>) -> Option<ChannelId> {
        assert_eq!(self.role, Role::Client);
        if self.asked == self.settings.slots {
            return None;
        }
        self.asked += 1;
        let id = (2..).map(ChannelId::new);
        let id = { id }.find(|id| !self.channels.contains_key(id))?;
        self.add(id);
        actions.push(block(id, b'r', request_head));
        Some(id)
    }

    fn answer(&mut self, id: ChannelId, accepted: bool, head: &[u8], actions: &mut Vec<Action>) {
        assert_eq!(self.role, Role::Server);
        actions.push(block(id, if accepted { b'a' } else { b'x' }, head));
        if !accepted {
            self.channels.remove(&id);
        }
    }

    fn closed(&mut self, id: ChannelId, _: &mut Vec<Action>) {
        self.channels.remove(&id);
    }

    fn drop_channel(&mut self, id: ChannelId, _: EndsFor, actions: &mut Vec<Action>) {
        if self.channels.remove(&id).is_some() {
            actions.push(block(id, b'd', b""));
        }
    }
}
