//! Who may send next: channels take turns, one frame each.

use super::channel::{Channel, Stage};
use super::{Key, News, State, Trunk};
use crate::endpoint::MAX_CONTROL;
use crate::error::{ConnectionError, Deadline};
use crate::extension::EndsFor;
use crate::frame::{Frame, Head};
use crate::message::Message;

/// A channel sends at most so many octets before it is another's turn.
const QUANTUM: usize = 8 << 10;

/// The same while nobody else wants to send.
const ALONE: usize = 16 << 10;

/// Up to so many octets, a message may take the short way.
const SHORT_WAY: usize = 4 << 10;

/// What came of a turn.
enum Turn {
    /// A frame has left.
    Sent,
    /// There is nothing to send, or no room for it.
    Passed,
}

impl Trunk {
    /// A channel may have something to send: it gets a turn.
    pub(super) fn wake(&mut self, key: Key) {
        if let Some(channel) = self.channels.get_mut(&key)
            && channel.has_frames()
            && !channel.queued
        {
            channel.queued = true;
            self.turns.push_back(key);
        }
    }

    /// The short way of a small message on an idle channel without extensions, while it is nobody
    /// else's turn: the same octets as by the long way.
    pub(super) fn send_untouched(&mut self, key: Key, message: &Message) -> bool {
        let payload = message.payload();
        let busy = payload.len() > SHORT_WAY
            || !self.turns.is_empty()
            || self.physical.is_write_buffer_high()
            || self.physical.state() != State::Open;
        let Some(channel) = self.channels.get(&key).filter(|_| !busy) else {
            return false;
        };
        let Stage::Open(endpoint) = &channel.stage else {
            return false;
        };
        if channel.over || channel.cutting.is_some() || !endpoint.sends_untouched(payload.len()) {
            return false;
        }
        let head = Head::new(message.kind().opcode());
        if self.carrier.room(channel.id, head) < Some(payload.len()) {
            return false;
        }
        self.prefix.clear();
        self.carrier
            .wrap(channel.id, head, payload.len(), &mut self.prefix);
        // Open and not full, so that it is taken.
        let _ = self.physical.send_binary(&self.prefix, payload);
        true
    }

    /// Fills the physical connection's write buffer, in turns.
    pub(super) fn fill(&mut self) {
        while !self.physical.is_write_buffer_high() && self.physical.state() == State::Open {
            let Some(key) = self.turns.pop_front() else {
                return;
            };
            if let Some(channel) = self.channels.get_mut(&key) {
                channel.queued = false;
            }
            if let Turn::Sent = self.turn(key) {
                self.wake(key);
            }
            self.settle(key);
            // What is due now that a close frame has left: nobody may ask again before input comes.
            self.carry_out(&[]);
        }
    }

    fn turn(&mut self, key: Key) -> Turn {
        let Some(channel) = self.channels.get_mut(&key) else {
            return Turn::Passed;
        };
        let high = self.config.limits.write_high_water;
        let was_high = channel.buffered() >= high;
        let Stage::Open(endpoint) = &mut channel.stage else {
            return Turn::Passed;
        };
        if channel.over {
            return Turn::Passed;
        }
        if channel.cutting.is_none() {
            let quantum = if self.turns.is_empty() {
                ALONE
            } else {
                QUANTUM
            };
            channel.cutting = endpoint.poll_frame(quantum.max(MAX_CONTROL));
        }
        let Some(frame) = &channel.cutting else {
            return Turn::Passed;
        };
        let Some(room) = self.carrier.room(channel.id, frame.head) else {
            return Turn::Passed;
        };
        let Some(frame) = Channel::cut(&mut channel.cutting, room) else {
            return Turn::Passed;
        };
        self.prefix.clear();
        let Frame { head, payload } = frame;
        self.carrier
            .wrap(channel.id, head, payload.len(), &mut self.prefix);
        // Open and not full, so that it is taken.
        let _ = self.physical.send_binary(&self.prefix, &payload);
        // The last piece of a close frame, be it cut or not.
        channel.close_sent |= channel.cutting.is_none()
            && matches!(
                endpoint.state(),
                State::Closing | State::Closed | State::Failing
            )
            && !endpoint.has_frames();
        let crossed = channel.close_sent && channel.close_came;
        if was_high && channel.buffered() < high {
            self.news.push_back(News::Room(key));
        }
        if crossed {
            self.cross(key);
        }
        Turn::Sent
    }

    /// Draws the conclusions of where a channel stands now.
    pub(super) fn settle(&mut self, key: Key) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let Stage::Open(endpoint) = &mut channel.stage else {
            return;
        };
        if channel.over || endpoint.state() == State::Open {
            return;
        }
        let silent = channel.cutting.is_none() && !endpoint.has_frames();
        match endpoint.state() {
            State::Closed if silent => {}
            // RFC 6455 §7.1.7 for a channel: its close frame is out, and nobody waits for an answer.
            State::Failing if silent => {
                let id = channel.id;
                self.carrier
                    .drop_channel(id, EndsFor::Failed, &mut self.actions);
                self.end(key);
            }
            _ if channel.deadline.is_none() => {
                let within = self.config.timing.close_timeout;
                self.undated.entry(key).or_insert(within);
            }
            _ => {}
        }
    }

    /// Both close frames of a channel have passed: its number is free. Ours may wait to be asked for.
    pub(super) fn cross(&mut self, key: Key) {
        if let Some(channel) = self.channels.get(&key) {
            let id = channel.id;
            self.carrier.closed(id, &mut self.actions);
            self.end(key);
            self.throw_away(key);
            self.drain(key);
        }
    }

    /// What came behind our close frame is thrown away once somebody asks, and here at once: nothing is
    /// kept of it while the number and its quota are another channel's.
    fn throw_away(&mut self, key: Key) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let Stage::Open(endpoint) = &mut channel.stage else {
            return;
        };
        while endpoint.state() == State::Closing
            && let Some((head, at, _)) = channel.tail.next()
        {
            // It leads to no event.
            endpoint.handle_frame(head, channel.tail.payload(at));
        }
        channel.tail.compact();
    }

    /// A closing or opening handshake has taken too long.
    pub(super) fn time_out(&mut self, key: Key) {
        self.set_deadline(key, None);
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let ends_for = match &mut channel.stage {
            Stage::Open(endpoint) => {
                endpoint.fail(ConnectionError::Deadline(Deadline::Close));
                EndsFor::Failed
            }
            Stage::Asked(handshake) => {
                handshake.handle_timeout(self.now);
                self.answer(key);
                return;
            }
            Stage::Asking(handshake) => {
                handshake.handle_timeout(self.now);
                EndsFor::Normal
            }
        };
        let id = channel.id;
        self.carrier.drop_channel(id, ends_for, &mut self.actions);
        self.end(key);
        self.refuse(key);
    }

    /// The carrier has forgotten a channel: nothing more goes out or comes in, but what came is still
    /// there to be asked for.
    pub(super) fn end(&mut self, key: Key) {
        self.set_deadline(key, None);
        if let Some(channel) = self.channels.get_mut(&key) {
            channel.over = true;
            channel.cutting = None;
            // The number may be another's already.
            if self.keys.get(&channel.id) == Some(&key) {
                self.keys.remove(&channel.id);
            }
            self.news.push_back(News::Ready(key));
        }
    }
}
