//! The carrier: what both ends do. What only one of them does is in `server` and `client`.

use std::collections::BTreeMap;

use bytes::Bytes;
use cloverleaf_proto::extension::{Action, Carrier, ChannelId, Dropped, EndsFor, Failure};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_proto::message::Kind;

use crate::Mux;
use crate::block::Block;
use crate::channel_id::{self, CONTROL, FIRST};
use crate::client::Client;
use crate::code::{DropCode, Physical};
use crate::heads::MAX_HEAD;
use crate::quota::{self, ReceiveQuota, SendQuota, Windows};
use crate::reassembly::{Piece, Reassembly};
use crate::server::Server;

/// So many octets of the text of a peer's DropChannel are passed on, as of a close frame.
const MAX_REASON: usize = 123;

/// One physical connection.
pub(crate) struct Multiplexing {
    pub(crate) config: Mux,
    pub(crate) windows: Windows,
    /// Those that were asked for, and those that are open.
    pub(crate) channels: BTreeMap<u32, Box<Channel>>,
    side: Side,
}

enum Side {
    Client(Client),
    Server(Server),
}

/// One channel: about 150 octets, a head of at most 16 KiB while it is asked for, and at most 125
/// octets of a control frame in pieces.
pub(crate) struct Channel {
    pub(crate) state: State,
    pub(crate) send: SendQuota,
    pub(crate) receive: ReceiveQuota,
    reassembly: Reassembly,
}

pub(crate) enum State {
    /// Not answered yet. With the head of the request if that becomes the base of differences.
    Asked(Option<Bytes>),
    Open,
}

impl Channel {
    pub(crate) fn new(state: State, send: u64, receive: u64) -> Self {
        Self {
            state,
            send: SendQuota::new(send),
            receive: ReceiveQuota::new(receive),
            reassembly: Reassembly::default(),
        }
    }
}

/// Why the physical connection fails.
enum Fails {
    /// We say so, with a last DropChannel.
    Here(Physical),
    /// The peer said so.
    There(Option<DropCode>),
}

impl From<Physical> for Fails {
    fn from(physical: Physical) -> Self {
        Self::Here(physical)
    }
}

impl Multiplexing {
    /// `quota`: what the client lets us send on channel 1.
    pub(crate) fn server(config: &Mux, quota: u32) -> Self {
        Self::new(config, quota, Side::Server(Server::default()))
    }

    pub(crate) fn client(config: &Mux) -> Self {
        Self::new(config, 0, Side::Client(Client::default()))
    }

    fn new(config: &Mux, quota: u32, side: Side) -> Self {
        let windows = config.windows();
        let first = Channel::new(State::Open, u64::from(quota), windows.initial);
        Self {
            config: config.clone(),
            windows,
            channels: BTreeMap::from([(FIRST, Box::new(first))]),
            side,
        }
    }

    fn open_mut(&mut self, id: ChannelId) -> Option<&mut Box<Channel>> {
        self.channels
            .get_mut(&id.get())
            .filter(|channel| matches!(channel.state, State::Open))
    }

    fn translate(
        &mut self,
        kind: Kind,
        message: &[u8],
        actions: &mut Vec<Action>,
    ) -> Result<(), Fails> {
        if kind != Kind::Binary {
            return Err(Physical::new(DropCode::INVALID_MESSAGE, "not a binary message").into());
        }
        let mut rest = message;
        let id = channel_id::take(&mut rest, self.config.lenient)?;
        if id != CONTROL {
            let (octet, payload) = rest
                .split_first()
                .ok_or(Physical::new(DropCode::FRAME_TRUNCATED, "no frame"))?;
            self.receive_frame(id, head_of(*octet), message, payload.len(), actions);
            return Ok(());
        }
        // At least one block; each takes effect before the next is read.
        loop {
            let block = Block::take(&mut rest, self.config.lenient)?;
            self.receive_block(block, actions)?;
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// `length`: so many octets at the end of the message are the payload.
    fn receive_frame(
        &mut self,
        id: u32,
        head: Head,
        message: &[u8],
        length: usize,
        actions: &mut Vec<Action>,
    ) {
        // Not there any more, most likely: the peer did not know yet (section 9).
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let cost = quota::cost(head, length);
        let payload = message.len() - length..message.len();
        let piece = if matches!(channel.state, State::Asked(_)) {
            Err(DropCode::LOGICAL)
        } else if channel.receive.receive(cost).is_err() {
            Err(DropCode::QUOTA_VIOLATION)
        } else {
            let octets = &message[payload.clone()];
            channel
                .reassembly
                .receive(head, octets, self.config.max_empty)
        };
        let cost = usize::try_from(cost).unwrap_or(usize::MAX);
        let id = ChannelId::new(id);
        match piece {
            Ok(Piece::Passes) => actions.push(Action::Frame {
                id,
                head,
                payload,
                cost,
            }),
            // Its cost is reported with the whole: else pings in pieces, kept for an application that
            // does not read, were bounded by no quota.
            Ok(Piece::Kept) => {}
            Ok(Piece::Completes(head, payload)) => {
                let cost = payload.len() + 1;
                actions.push(Action::Control {
                    id,
                    head,
                    payload,
                    cost,
                });
            }
            Err(code) => self.fail_channel(id, code, actions),
        }
    }

    fn receive_block(&mut self, block: Block<'_>, actions: &mut Vec<Action>) -> Result<(), Fails> {
        match block {
            Block::FlowControl { id, quota } => {
                let Some(channel) = self.channels.get_mut(&id) else {
                    return Ok(());
                };
                let id = ChannelId::new(id);
                if channel.send.add(quota).is_err() {
                    self.fail_channel(id, DropCode::QUOTA_OVERFLOW, actions);
                } else if quota > 0 {
                    actions.push(Action::Room(id));
                }
                Ok(())
            }
            Block::DropChannel { id, reason } => self.receive_drop(id, reason, actions),
            Block::AddChannelRequest { id, encoding, head } => {
                if self.client_mut().is_some() {
                    return Err(Physical::block("a server opens no channels").into());
                }
                Ok(self.requested(id, encoding, head, actions)?)
            }
            Block::AddChannelResponse {
                id,
                rejected,
                encoding,
                head,
            } => {
                if self.server_mut().is_some() {
                    return Err(Physical::block("a client answers no requests").into());
                }
                Ok(self.answered(id, rejected, encoding, head, actions)?)
            }
            Block::NewChannelSlot {
                fallback,
                slots,
                quota,
            } => {
                let Some(client) = self.client_mut() else {
                    return Err(Physical::block("a client gives no slots").into());
                };
                client.receive_slots(fallback, slots, quota)?;
                actions.push(Action::Slots);
                Ok(())
            }
        }
    }

    fn receive_drop(
        &mut self,
        id: u32,
        reason: Option<(DropCode, &[u8])>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Fails> {
        let code = reason.map(|(code, _)| code);
        if id == CONTROL {
            return Err(Fails::There(code));
        }
        let is_ack = code == Some(DropCode::ACK);
        if is_ack || !self.channels.contains_key(&id) {
            // One that crosses ours says the same as an acknowledgement.
            if let Some(client) = self.client_mut() {
                client.acknowledged(id);
            }
            return Ok(());
        }
        // Also with a code of the physical connection, such as 2007 from pywebsocket: the number of
        // the channel is what says how much has failed.
        let text = reason.map_or(&[][..], |(_, text)| &text[..text.len().min(MAX_REASON)]);
        let text = String::from_utf8_lossy(text);
        actions.push(transmit_drop(id, Some((DropCode::ACK, b""))));
        actions.push(Action::Dropped(
            ChannelId::new(id),
            Dropped::new(code.map(DropCode::get), text),
        ));
        self.forget(id, Ended::Agreed, actions);
        Ok(())
    }

    /// The peer broke a rule on one channel: the others go on.
    fn fail_channel(&mut self, id: ChannelId, code: DropCode, actions: &mut Vec<Action>) {
        actions.push(transmit_drop(id.get(), Some((code, b""))));
        let text = code.meaning().unwrap_or_default();
        actions.push(Action::Dropped(id, Dropped::new(code.get(), text)));
        self.forget(id.get(), Ended::ByUs, actions);
    }

    /// A channel is gone; its slot and its memory are free.
    pub(crate) fn forget(&mut self, id: u32, ended: Ended, actions: &mut Vec<Action>) {
        let Some(channel) = self.channels.remove(&id) else {
            return;
        };
        self.windows.release(channel.receive);
        match &mut self.side {
            Side::Client(client) => {
                let request_stands_for_itself = matches!(channel.state, State::Asked(Some(_)));
                client.retire(id, ended, request_stands_for_itself);
                if client.has_slots() {
                    actions.push(Action::Slots);
                }
            }
            Side::Server(server) => {
                // The first channel had no slot; but its number may have been used again.
                if server.vacate(id) {
                    self.give_slot(actions);
                }
            }
        }
    }

    pub(crate) fn client_mut(&mut self) -> Option<&mut Client> {
        match &mut self.side {
            Side::Client(client) => Some(client),
            Side::Server(_) => None,
        }
    }

    pub(crate) fn client_ref(&self) -> Option<&Client> {
        match &self.side {
            Side::Client(client) => Some(client),
            Side::Server(_) => None,
        }
    }

    pub(crate) fn server_mut(&mut self) -> Option<&mut Server> {
        match &mut self.side {
            Side::Client(_) => None,
            Side::Server(server) => Some(server),
        }
    }
}

/// How a channel came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Both ends know.
    Agreed,
    /// We dropped it, and the peer does not know yet.
    ByUs,
}

pub(crate) fn transmit(blocks: &[Block<'_>]) -> Action {
    Action::Transmit(Block::message(blocks))
}

fn transmit_drop(id: u32, reason: Option<(DropCode, &[u8])>) -> Action {
    transmit(&[Block::DropChannel { id, reason }])
}

/// The octet in front of the payload: the first of an RFC 6455 frame (section 3).
fn head_of(octet: u8) -> Head {
    let rsv = [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3]
        .into_iter()
        .zip([0x40, 0x20, 0x10])
        .filter(|(_, bit)| octet & bit != 0)
        .fold(Rsv::NONE, |sum, (rsv, _)| sum.union(rsv));
    Head::new(OpCode::new(octet & 0x0f))
        .with_fin(octet & 0x80 != 0)
        .with_rsv(rsv)
}

fn octet_of(head: Head) -> u8 {
    let fin = if head.fin { 0x80 } else { 0 };
    [(Rsv::RSV1, 0x40), (Rsv::RSV2, 0x20), (Rsv::RSV3, 0x10)]
        .into_iter()
        .filter(|(rsv, _)| head.rsv.contains(*rsv))
        .fold(fin | head.opcode.number(), |octet, (_, bit)| octet | bit)
}

impl Carrier for Multiplexing {
    fn start(&mut self, request_head: &[u8], response_head: &[u8], actions: &mut Vec<Action>) {
        match &mut self.side {
            Side::Client(client) => {
                client.start(request_head, response_head, &self.config.token);
            }
            Side::Server(server) => {
                server.start(request_head, &self.config.token);
                self.welcome(actions);
            }
        }
    }

    fn receive(
        &mut self,
        kind: Kind,
        message: &[u8],
        actions: &mut Vec<Action>,
    ) -> Result<(), Failure> {
        self.translate(kind, message, actions)
            .map_err(|fails| match fails {
                Fails::Here(Physical { code, text }) => {
                    actions.push(transmit_drop(CONTROL, Some((code, text.as_bytes()))));
                    Failure::protocol(format!("{code}: {text}"))
                }
                Fails::There(Some(code)) => {
                    Failure::protocol(format!("the peer failed the connection: {code}"))
                }
                Fails::There(None) => Failure::protocol("the peer failed the connection"),
            })
    }

    fn max_message(&self) -> usize {
        // A few requests may share a message. The rest is the id, the head, other blocks.
        let payload = (self.config.window as usize).max(4 * MAX_HEAD);
        payload.saturating_add(64)
    }

    fn room(&self, id: ChannelId, head: Head) -> Option<usize> {
        let channel = self.channels.get(&id.get())?;
        match channel.state {
            State::Open => channel.send.room(head),
            State::Asked(_) => None,
        }
    }

    fn wrap(&mut self, id: ChannelId, head: Head, length: usize, prefix: &mut Vec<u8>) {
        let Some(channel) = self.open_mut(id) else {
            debug_assert!(false, "there is no room on {id}");
            return;
        };
        channel.send.spend(quota::cost(head, length));
        channel_id::put(id.get(), prefix);
        prefix.push(octet_of(head));
    }

    fn consumed(&mut self, id: ChannelId, cost: usize, actions: &mut Vec<Action>) {
        let living = self.channels.len();
        let Some(channel) = self.channels.get_mut(&id.get()) else {
            return;
        };
        let grant = self
            .windows
            .consumed(&mut channel.receive, cost as u64, living);
        if let Some(quota) = grant {
            let id = id.get();
            actions.push(transmit(&[Block::FlowControl { id, quota }]));
        }
    }

    fn slots(&self) -> Option<usize> {
        self.free_slots()
    }

    fn open(&mut self, request_head: &[u8], actions: &mut Vec<Action>) -> Option<ChannelId> {
        self.ask(request_head, actions)
    }

    fn answer(
        &mut self,
        id: ChannelId,
        accepted: bool,
        response_head: &[u8],
        actions: &mut Vec<Action>,
    ) {
        self.reply(id, accepted, response_head, actions);
    }

    fn closed(&mut self, id: ChannelId, actions: &mut Vec<Action>) {
        self.forget(id.get(), Ended::Agreed, actions);
    }

    fn drop_channel(&mut self, id: ChannelId, why: EndsFor, actions: &mut Vec<Action>) {
        if !self.channels.contains_key(&id.get()) {
            return;
        }
        let code = match why {
            EndsFor::Normal => DropCode::NORMAL,
            EndsFor::Idle => DropCode::IDLE,
            _ => DropCode::LOGICAL,
        };
        actions.push(transmit_drop(id.get(), Some((code, b""))));
        self.forget(id.get(), Ended::ByUs, actions);
    }

    fn replenish(&mut self, actions: &mut Vec<Action>) {
        for channel in self.channels.values_mut() {
            channel.reassembly.forget_empty();
        }
        self.give_slots_again(actions);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_as_small_as_the_readme_says() {
        let octets = size_of::<Channel>();
        assert!(octets <= 150, "{octets}");
    }
}
