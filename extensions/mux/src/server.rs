//! What only a server does: it gives slots, and answers requests.

use bytes::Bytes;
use cloverleaf_proto::extension::{Action, ChannelId};

use crate::block::{Block, Encoding};
use crate::carrier::{Channel, Ended, Multiplexing, State, transmit};
use crate::channel_id::{CONTROL, FIRST};
use crate::code::{DropCode, Physical};
use crate::heads::{self, BadHead, Base};

/// The answer to what cannot be read, where the endpoint is not asked.
const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";

#[derive(Default)]
pub(crate) struct Server {
    /// What requests are differences to: the last accepted one that stood for itself.
    base: Base,
    /// Given and not used.
    slots: u32,
    /// Free, but not given before the time is over.
    owed: u32,
    /// Used since the last time was over.
    opens: u32,
    /// Whether channel 1 has been asked for, as others are.
    first_has_slot: bool,
}

impl Server {
    pub(crate) fn start(&mut self, request_head: &[u8], token: &str) {
        // One that is too long for a base makes none: differences then lack their Host.
        self.base = Base::physical(request_head, heads::NOT_IN_REQUESTS, token).unwrap_or_default();
    }

    /// A channel is gone. Whether it leaves a slot.
    pub(crate) fn vacate(&mut self, id: u32) -> bool {
        id != FIRST || core::mem::take(&mut self.first_has_slot)
    }
}

impl Multiplexing {
    /// What a server says first (section 2).
    pub(crate) fn welcome(&mut self, actions: &mut Vec<Action>) {
        let quota = self.windows.initial;
        let slots = self.config.channels;
        if let Some(server) = self.server_mut() {
            server.slots = slots;
        }
        let slots = if slots == 0 {
            // Open another connection for more (section 6).
            Block::NewChannelSlot {
                fallback: true,
                slots: 0,
                quota: 0,
            }
        } else {
            Block::NewChannelSlot {
                fallback: false,
                slots: u64::from(slots),
                quota,
            }
        };
        actions.push(transmit(&[Block::FlowControl { id: FIRST, quota }, slots]));
    }

    pub(crate) fn give_slot(&mut self, actions: &mut Vec<Action>) {
        let max_opens = self.config.max_opens;
        let Some(server) = self.server_mut() else {
            return;
        };
        server.owed += 1;
        // What is given may be used at once.
        if server.opens.saturating_add(server.slots) < max_opens {
            self.give_owed(actions);
        }
    }

    /// The time is over: opens are counted anew.
    pub(crate) fn give_slots_again(&mut self, actions: &mut Vec<Action>) {
        if let Some(server) = self.server_mut() {
            server.opens = 0;
            self.give_owed(actions);
        }
    }

    fn give_owed(&mut self, actions: &mut Vec<Action>) {
        let quota = self.windows.initial;
        let Some(server) = self.server_mut() else {
            return;
        };
        let slots = core::mem::take(&mut server.owed);
        server.slots += slots;
        if slots > 0 {
            actions.push(transmit(&[Block::NewChannelSlot {
                fallback: false,
                slots: u64::from(slots),
                quota,
            }]));
        }
    }

    /// The client asks for a channel.
    pub(crate) fn requested(
        &mut self,
        id: u32,
        encoding: Encoding,
        head: &[u8],
        actions: &mut Vec<Action>,
    ) -> Result<(), Physical> {
        if id == CONTROL || self.channels.contains_key(&id) {
            return Err(Physical::new(
                DropCode::CHANNEL_EXISTS,
                "the channel exists",
            ));
        }
        let quota = self.windows.initial;
        let Some(server) = self.server_mut() else {
            return Ok(());
        };
        if server.slots == 0 {
            return Err(Physical::new(DropCode::SLOT_VIOLATION, "no slot left"));
        }
        let whole = match encoding {
            Encoding::Identity => heads::whole(head),
            Encoding::Delta => server.base.expand(head),
            Encoding::Unknown(_) => {
                return Err(Physical::new(
                    DropCode::REQUEST_ENCODING,
                    "unknown encoding of a request",
                ));
            }
        };
        if whole == Err(BadHead::TooLong) {
            return Err(Physical::new(DropCode::BAD_REQUEST, "request over 16 KiB"));
        }
        server.slots -= 1;
        server.opens = server.opens.saturating_add(1);
        if id == FIRST {
            server.first_has_slot = true;
        }
        let Ok(whole) = whole else {
            actions.push(response(id, false, BAD_REQUEST));
            if let Some(server) = self.server_mut() {
                server.vacate(id);
            }
            self.give_slot(actions);
            return Ok(());
        };
        let whole = Bytes::from(whole);
        let base = (encoding == Encoding::Identity).then(|| whole.clone());
        // The client grants quota for our side with a FlowControl behind its request.
        self.channels
            .insert(id, Box::new(Channel::new(State::Asked(base), 0, quota)));
        actions.push(Action::Requested(ChannelId::new(id), whole));
        Ok(())
    }

    /// The endpoint has decided.
    pub(crate) fn reply(
        &mut self,
        id: ChannelId,
        accepted: bool,
        head: &[u8],
        actions: &mut Vec<Action>,
    ) {
        let id = id.get();
        // The client may have dropped it meanwhile.
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let State::Asked(request) = core::mem::replace(&mut channel.state, State::Open) else {
            return;
        };
        let head = if accepted {
            head
        } else {
            heads::sendable(head)
        };
        actions.push(response(id, accepted, head));
        if !accepted {
            self.forget(id, Ended::Agreed, actions);
            return;
        }
        if let Some(request) = request
            && let Ok(base) = Base::new(&request, heads::NOT_IN_REQUESTS)
            && let Some(server) = self.server_mut()
        {
            server.base = base;
        }
    }
}

/// In identity encoding: nobody writes differences of responses.
fn response(id: u32, accepted: bool, head: &[u8]) -> Action {
    transmit(&[Block::AddChannelResponse {
        id,
        rejected: !accepted,
        encoding: Encoding::Identity,
        head,
    }])
}
