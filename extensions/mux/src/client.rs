//! What only a client does: it uses slots, and asks for channels.

use std::collections::VecDeque;

use bytes::Bytes;
use cloverleaf_proto::extension::{Action, ChannelId};

use crate::block::{Block, Encoding};
use crate::carrier::{Channel, Ended, Multiplexing, State, transmit};
use crate::channel_id::{self, FIRST};
use crate::code::{DropCode, Physical};
use crate::heads::{self, BadHead, Base};
use crate::number;

/// So many channels that are gone are remembered.
const MAX_RETIRED: usize = 128;
/// Slots of so many different quotas may wait.
const MAX_KINDS: usize = 64;

pub(crate) struct Client {
    /// What our requests may be differences to: the last accepted one that stood for itself.
    request_base: Base,
    /// Nobody knows any more what the server takes for it.
    base_is_lost: bool,
    /// What the server's responses may be differences to.
    response_base: Base,
    /// How many slots with which quota, oldest first.
    slots: VecDeque<(u64, u64)>,
    fallback: bool,
    /// Where to look for a free number.
    next: u32,
    retired: VecDeque<Retired>,
}

/// A channel that is gone.
struct Retired {
    id: u32,
    /// The server does not know: the number may not be used again.
    waits: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            request_base: Base::default(),
            base_is_lost: false,
            response_base: Base::default(),
            slots: VecDeque::new(),
            fallback: false,
            next: FIRST + 1,
            retired: VecDeque::new(),
        }
    }
}

impl Client {
    pub(crate) fn start(&mut self, request_head: &[u8], response_head: &[u8], token: &str) {
        self.request_base =
            Base::physical(request_head, heads::NOT_IN_REQUESTS, token).unwrap_or_default();
        self.response_base =
            Base::physical(response_head, heads::NOT_IN_RESPONSES, token).unwrap_or_default();
    }

    pub(crate) fn has_slots(&self) -> bool {
        !self.slots.is_empty()
    }

    /// The server gives slots, or says that there will be no more here.
    pub(crate) fn receive_slots(
        &mut self,
        fallback: bool,
        slots: u64,
        quota: u64,
    ) -> Result<(), Physical> {
        const OVERFLOW: Physical = Physical::new(DropCode::SLOT_OVERFLOW, "too many slots");
        self.fallback = fallback;
        if slots == 0 {
            return Ok(());
        }
        let sum = self.slots.iter().map(|(slots, _)| slots).sum::<u64>();
        // Both are below 2^63.
        if sum + slots > number::LARGEST {
            return Err(OVERFLOW);
        }
        let kinds = self.slots.len();
        match self.slots.back_mut() {
            Some((count, of)) if *of == quota => *count += slots,
            _ if kinds == MAX_KINDS => return Err(OVERFLOW),
            _ => self.slots.push_back((slots, quota)),
        }
        Ok(())
    }

    fn take_slot(&mut self) -> Option<u64> {
        let (count, quota) = self.slots.front_mut()?;
        let quota = *quota;
        *count -= 1;
        if *count == 0 {
            self.slots.pop_front();
        }
        Some(quota)
    }

    pub(crate) fn retire(&mut self, id: u32, ended: Ended, request_stands_for_itself: bool) {
        let waits = ended == Ended::ByUs;
        // The server may have accepted it before it hears of that, and made it its base.
        self.base_is_lost |= waits && request_stands_for_itself;
        if self.retired.len() == MAX_RETIRED {
            self.retired.pop_front();
        }
        self.retired.push_back(Retired { id, waits });
    }

    /// The server knows that the channel is gone.
    pub(crate) fn acknowledged(&mut self, id: u32) {
        if let Some(retired) = self.retired.iter_mut().find(|retired| retired.id == id) {
            retired.waits = false;
        }
    }

    fn is_retired(&self, id: u32) -> bool {
        self.retired.iter().any(|retired| retired.id == id)
    }
}

impl Multiplexing {
    pub(crate) fn free_slots(&self) -> Option<usize> {
        let client = self.client_ref()?;
        let given: u64 = client.slots.iter().map(|(slots, _)| slots).sum();
        if given == 0 && client.fallback {
            return None;
        }
        let others = self.channels.keys().filter(|id| **id != FIRST).count();
        let free = (self.config.channels as usize).saturating_sub(others);
        Some(free.min(usize::try_from(given).unwrap_or(usize::MAX)))
    }

    /// A number that no channel has. Small ones as long as they do, and each as late again as may
    /// be, so that what is still on its way for the last one of it does not meet the next.
    fn free_id(&mut self) -> Option<u32> {
        let live = self.channels.len();
        let client = self.client_mut()?;
        let waiting = client.retired.iter().filter(|retired| retired.waits);
        let last = match live + waiting.count() {
            // Fewer are taken than there are.
            0..120 => 0x7f,
            120..16_000 => 0x3fff,
            _ => channel_id::LAST,
        };
        let mut id = client.next;
        loop {
            if id > last {
                id = FIRST + 1;
            }
            let is_free = !self.channels.contains_key(&id);
            let client = self.client_mut()?;
            let waits = |retired: &Retired| retired.id == id && retired.waits;
            if is_free && !client.retired.iter().any(waits) {
                client.next = id + 1;
                client.retired.retain(|retired| retired.id != id);
                return Some(id);
            }
            id += 1;
        }
    }

    /// Asks for a channel.
    pub(crate) fn ask(&mut self, head: &[u8], actions: &mut Vec<Action>) -> Option<ChannelId> {
        if self.free_slots()? == 0 || head.len() > heads::MAX_HEAD {
            return None;
        }
        let id = self.free_id()?;
        // While a whole request waits for its answer, nobody knows what the server's base is when a
        // difference comes to it.
        let certain = !self
            .channels
            .values()
            .any(|channel| matches!(&channel.state, State::Asked(Some(_))));
        let keep = self.config.delta;
        let receive = self.windows.initial;
        let client = self.client_mut()?;
        let send = client.take_slot()?;
        let difference = (keep && certain && !client.base_is_lost)
            .then(|| client.request_base.difference(head))
            .flatten();
        let (encoding, said) = match &difference {
            Some(difference) => (Encoding::Delta, &difference[..]),
            None => (Encoding::Identity, head),
        };
        actions.push(transmit(&[
            Block::AddChannelRequest {
                id,
                encoding,
                head: said,
            },
            Block::FlowControl { id, quota: receive },
        ]));
        let base = (keep && encoding == Encoding::Identity).then(|| Bytes::copy_from_slice(head));
        self.channels.insert(
            id,
            Box::new(Channel::new(State::Asked(base), send, receive)),
        );
        Some(ChannelId::new(id))
    }

    /// The server answers.
    pub(crate) fn answered(
        &mut self,
        id: u32,
        rejected: bool,
        encoding: Encoding,
        head: &[u8],
        actions: &mut Vec<Action>,
    ) -> Result<(), Physical> {
        if let Encoding::Unknown(_) = encoding {
            return Err(Physical::new(
                DropCode::RESPONSE_ENCODING,
                "unknown encoding of a response",
            ));
        }
        let asked = match self.channels.get(&id).map(|channel| &channel.state) {
            Some(State::Asked(request)) => Some(request.clone()),
            // A second answer: pywebsocket refuses twice.
            Some(State::Open) => return Ok(()),
            None => None,
        };
        let Some(client) = self.client_mut() else {
            return Ok(());
        };
        let Some(request) = asked else {
            if !client.is_retired(id) {
                return Err(Physical::new(
                    DropCode::BAD_RESPONSE,
                    "a response to no request",
                ));
            }
            if rejected {
                // It crossed our DropChannel, which the server will not answer any more.
                client.acknowledged(id);
            }
            return Ok(());
        };
        let whole = match encoding {
            Encoding::Delta => client.response_base.expand(head),
            _ if rejected => heads::refusal(head),
            _ => heads::whole(head),
        };
        let whole = whole.map_err(|bad| {
            let text = match bad {
                BadHead::Malformed => "a response that cannot be read",
                BadHead::TooLong => "response over 16 KiB",
            };
            Physical::new(DropCode::BAD_RESPONSE, text)
        })?;
        let whole = Bytes::from(whole);
        if rejected {
            self.forget(id, Ended::Agreed, actions);
        } else {
            if let Some(request) = request
                && let Ok(base) = Base::new(&request, heads::NOT_IN_REQUESTS)
            {
                client.request_base = base;
            }
            if encoding == Encoding::Identity
                && let Ok(base) = Base::new(&whole, heads::NOT_IN_RESPONSES)
            {
                client.response_base = base;
            }
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.state = State::Open;
            }
        }
        actions.push(Action::Answered {
            id: ChannelId::new(id),
            accepted: !rejected,
            response_head: whole,
        });
        Ok(())
    }
}
