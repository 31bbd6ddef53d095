//! What comes: from the network, and from the carrier.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::channel::{Channel, Stage, kept};
use super::{Key, MAX_ANSWERS, MAX_LEFT_BEHIND, News, State, Trunk, WINDOW, heads};
use crate::close::{CloseCode, CloseFrame};
use crate::connection::{MessageRef, Received as Came};
use crate::endpoint::Endpoint;
use crate::error::ConnectionError;
use crate::event::Event;
use crate::extension::{Action, ChannelId, Dropped, EndsFor, Failure};
use crate::frame::{Head, OpCode};
use crate::handshake::{ClientProgress, HandshakeError, Opened, ServerHandshake, ServerProgress};
use crate::message::{Kind, Message};

impl Trunk {
    /// Takes octets from the network, decoded and unmasked in place. All of it is used.
    pub fn handle_input(&mut self, now: Instant, input: &mut [u8]) {
        self.now = now;
        self.count_anew();
        let mut used = 0;
        loop {
            let (n, came) = self.physical.receive(now, &mut input[used..]);
            used += n;
            match came {
                Some(Came::Message(MessageRef::Text(text))) => {
                    self.hear(Kind::Text, text.as_bytes())
                }
                Some(Came::Message(MessageRef::Binary(payload))) => {
                    self.hear(Kind::Binary, payload)
                }
                Some(Came::Event(event)) => self.hear_event(event),
                None => break,
            }
        }
        self.physical.keep(&input[used..]);
        self.hear_physical();
        self.date();
    }

    /// What is limited by time begins anew once the time is over.
    fn count_anew(&mut self) {
        if self.now >= self.replenished + WINDOW {
            self.replenished = self.now;
            self.carrier.replenish(&mut self.actions);
            self.carry_out(&[]);
        }
    }

    /// The peer has ended its side of the stream.
    pub fn handle_eof(&mut self, now: Instant) {
        self.now = now;
        self.physical.handle_eof(now);
        self.hear_physical();
    }

    /// Nothing can be written any more; see
    /// [`Connection::handle_write_lost`](crate::Connection::handle_write_lost).
    pub const fn handle_write_lost(&mut self) {
        self.physical.handle_write_lost();
    }

    /// The stream is broken.
    pub fn handle_lost(&mut self, now: Instant) {
        self.now = now;
        self.physical.handle_lost(now);
        self.hear_physical();
    }

    /// The time is now this.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.date();
        self.count_anew();
        self.physical.handle_timeout(now);
        while let Some((deadline, key)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.time_out(key);
            self.drain(key);
        }
        self.carry_out(&[]);
        self.hear_physical();
    }

    /// `n` octets of the last [`poll_transmit`](Self::poll_transmit) are out.
    pub fn handle_written(&mut self, now: Instant, n: usize) {
        self.now = now;
        self.date();
        self.physical.handle_written(now, n);
    }

    /// The sending side has been ended.
    pub fn handle_shutdown(&mut self, now: Instant) {
        self.now = now;
        self.physical.handle_shutdown(now);
        self.hear_physical();
    }

    /// What the physical connection has come to.
    pub(super) fn hear_physical(&mut self) {
        while let Some(event) = self.physical.poll_event() {
            self.hear_event(event);
        }
    }

    fn hear_event(&mut self, event: Event) {
        match event {
            Event::Message(Message::Binary(payload)) => self.hear(Kind::Binary, &payload),
            Event::Message(Message::Text(text)) => self.hear(Kind::Text, text.as_bytes()),
            Event::Closed(closed) if !self.over => {
                self.over = true;
                let keys: Vec<Key> = self.channels.keys().copied().collect();
                for key in keys {
                    self.lose(key, None);
                }
                self.news.push_back(News::Closed(Box::new(closed)));
            }
            _ => {}
        }
    }

    fn hear(&mut self, kind: Kind, message: &[u8]) {
        if self.over || self.physical.state() != State::Open {
            return;
        }
        let heard = self.carrier.receive(kind, message, &mut self.actions);
        self.carry_out(message);
        if let Err(failure) = heard {
            self.fail(&failure);
        }
    }

    /// Fails the physical connection.
    fn fail(&mut self, failure: &Failure) {
        let reason = CloseFrame::cut_reason(failure.reason());
        // The code is allowed and the reason fits.
        let _ = self.physical.close(CloseCode::INTERNAL_ERROR, reason);
    }

    /// Does what the carrier wants done, with the message that it has just seen.
    pub(super) fn carry_out(&mut self, message: &[u8]) {
        // Most often there is one, a frame.
        if self.actions.len() == 1
            && let Some(action) = self.actions.pop()
        {
            self.carry_out_one(action, message);
        }
        while !self.actions.is_empty() {
            let mut actions = core::mem::take(&mut self.actions);
            for action in actions.drain(..) {
                self.carry_out_one(action, message);
            }
            // Few: as many as a peer likes are not kept room for.
            if self.actions.is_empty() && actions.capacity() <= 16 {
                self.actions = actions;
            }
        }
    }

    fn carry_out_one(&mut self, action: Action, message: &[u8]) {
        match action {
            Action::Transmit(payload) => {
                // What a carrier says cannot be left out: an answer, or room for more. It stands
                // behind what channels have filled in. The bound of the configuration is that of a
                // channel, and may be less than one answer.
                let limits = &self.config.limits;
                let answers = limits.max_write_buffer.max(MAX_ANSWERS);
                if self.physical.buffered() >= limits.write_high_water.saturating_add(answers) {
                    self.fail(&Failure::protocol("answers are asked for, and not read"));
                } else {
                    // Closed: then there is nobody to hear it.
                    let _ = self.physical.send_binary(&payload, &[]);
                }
            }
            Action::Frame {
                id,
                head,
                payload,
                cost,
            } => {
                let payload = message.get(payload).unwrap_or_default();
                self.deliver(id, head, payload, cost);
            }
            Action::Control {
                id,
                head,
                payload,
                cost,
            } => self.deliver(id, head, &payload, cost),
            Action::Swallowed { id, cost } => self.carrier.consumed(id, cost, &mut self.actions),
            Action::Requested(id, head) => self.request(id, &head),
            Action::Answered {
                id,
                accepted,
                response_head,
            } => {
                if let Some(key) = self.keys.get(&id).copied() {
                    self.answered(key, accepted, &response_head);
                }
            }
            Action::Room(id) => {
                if let Some(key) = self.keys.get(&id).copied() {
                    self.wake(key);
                }
            }
            Action::Slots => self.news.push_back(News::Slots),
            Action::Dropped(id, dropped) => {
                if let Some(key) = self.keys.get(&id).copied() {
                    self.lose(key, Some(dropped));
                    self.drain(key);
                }
            }
        }
    }

    fn deliver(&mut self, id: ChannelId, head: Head, payload: &[u8], cost: usize) {
        let Some(key) = self.keys.get(&id).copied() else {
            return;
        };
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let was_empty = channel.kept() == 0;
        // Where it lies, if somebody waits for it. Only a whole message, and only one: what nobody
        // takes costs quota.
        if was_empty
            && channel.asking
            && let Stage::Open(endpoint) = &mut channel.stage
            && let Some(message) = endpoint.whole_message(head, payload)
        {
            channel.asking = false;
            channel.ready = Some((message, cost));
        } else {
            channel.tail.push(head, payload, cost);
        }
        channel.close_came |= head.opcode == OpCode::CLOSE;
        let crossed = channel.close_came && channel.close_sent;
        if channel.abandoned {
            self.drain(key);
        } else if was_empty {
            self.news.push_back(News::Ready(key));
        }
        if crossed {
            self.cross(key);
        }
    }

    /// The next event of a channel.
    pub(super) fn next_event(&mut self, key: Key) -> Option<Event> {
        loop {
            let channel = self.channels.get_mut(&key)?;
            let Stage::Open(endpoint) = &mut channel.stage else {
                return None;
            };
            if let Some(event) = endpoint.poll_event() {
                return Some(event);
            }
            let waiting = channel.tail.len();
            let (event, cost, taken) = if let Some((message, cost)) = channel.ready.take() {
                let taken = kept(&message);
                (Some(Event::Message(message)), cost, taken)
            } else if let Some((head, at, cost)) = channel.tail.next() {
                let taken = waiting - channel.tail.len();
                let event = endpoint.handle_frame(head, channel.tail.payload(at));
                channel.tail.compact();
                (event, cost, taken)
            } else {
                return self.closed(key);
            };
            if channel.dropped.is_some() {
                self.left_behind -= taken;
            }
            if !channel.over {
                let id = channel.id;
                self.carrier.consumed(id, cost, &mut self.actions);
            }
            let quiet = endpoint.state() == State::Open && !endpoint.has_frames();
            if !quiet {
                // A pong, an answer, a close frame.
                self.wake(key);
                self.settle(key);
            }
            if event.is_some() {
                return event;
            }
        }
    }

    /// The last event, of a channel that is over and has nothing more.
    fn closed(&mut self, key: Key) -> Option<Event> {
        let channel = self.channels.get_mut(&key)?;
        let Stage::Open(endpoint) = &mut channel.stage else {
            return None;
        };
        if !channel.over {
            return None;
        }
        // Without a closing handshake, the channel was lost.
        match channel.dropped.take() {
            Some(dropped) => endpoint.lose(ConnectionError::Dropped(*dropped)),
            None => endpoint.handle_eof(),
        }
        let closed = endpoint.closed();
        endpoint.show_closed(&closed);
        self.channels.remove(&key);
        Some(Event::Closed(closed))
    }

    /// Takes the events of a channel that nobody asks for.
    pub(super) fn drain(&mut self, key: Key) {
        while self
            .channels
            .get(&key)
            .is_some_and(|channel| channel.abandoned)
        {
            let handshaking = self
                .channels
                .get(&key)
                .is_some_and(|channel| channel.over && !matches!(channel.stage, Stage::Open(_)));
            if handshaking {
                self.channels.remove(&key);
            } else if self.next_event(key).is_none() {
                return;
            }
        }
    }

    /// A channel has ended without a closing handshake.
    pub(super) fn lose(&mut self, key: Key, dropped: Option<Dropped>) {
        let Some(channel) = self.channels.get_mut(&key).filter(|channel| !channel.over) else {
            return;
        };
        match &mut channel.stage {
            // What came before is still to be delivered.
            Stage::Open(_) => {
                let left = self.left_behind + channel.kept();
                if dropped.is_some() && left > MAX_LEFT_BEHIND {
                    channel.throw_away();
                } else if dropped.is_some() {
                    self.left_behind = left;
                }
                channel.dropped = dropped.map(Box::new);
            }
            Stage::Asking(handshake) => match dropped {
                Some(dropped) => handshake.fail(HandshakeError::Dropped(dropped)),
                None => handshake.handle_eof(),
            },
            Stage::Asked(handshake) => handshake.handle_eof(),
        }
        self.end(key);
        self.refuse(key);
    }

    /// A channel is over that never was open: the news of it, and an end.
    pub(super) fn refuse(&mut self, key: Key) {
        let channel = self.channels.get(&key);
        if !channel.is_some_and(|channel| !matches!(channel.stage, Stage::Open(_))) {
            return;
        }
        if let Some(channel) = self.channels.remove(&key)
            && let Stage::Asking(handshake) = channel.stage
        {
            let error = handshake
                .finish()
                .err()
                .unwrap_or(HandshakeError::Unfinished);
            self.news.push_back(News::Refused(key, Box::new(error)));
        }
    }

    // Opening handshakes.

    /// Server: the client asks for a channel.
    fn request(&mut self, id: ChannelId, head: &Bytes) {
        let head = match &self.vouched {
            Some(vouched) => heads::with_vouched(head, vouched),
            None => Some(head.to_vec()),
        };
        let Some(head) = head else {
            self.carrier
                .answer(id, false, heads::BAD_REQUEST, &mut self.actions);
            return;
        };
        let options = Arc::clone(&self.options);
        let config = Arc::clone(&self.config);
        let mut handshake = ServerHandshake::new(options, config, self.now);
        if let Some(peer) = self.peer.take() {
            self.context_mut().insert(peer);
        }
        handshake.share_context(Arc::clone(&self.context));
        handshake.handle_input(&heads::request(&head));
        let deadline = handshake.poll_timeout();
        let key = self.add(Channel::new(id, Stage::Asked(Box::new(handshake))));
        self.set_deadline(key, deadline);
        self.answer(key);
    }

    /// Server: carries out what a handshake has come to.
    pub(super) fn answer(&mut self, key: Key) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let id = channel.id;
        let Stage::Asked(handshake) = &mut channel.stage else {
            return;
        };
        let head = heads::without_upgrade(handshake.poll_transmit());
        let written = handshake.poll_transmit().len();
        handshake.handle_written(written);
        match handshake.progress() {
            ServerProgress::Deciding => self.news.push_back(News::Requested(key)),
            ServerProgress::Checking => {
                if !self.checking.contains(&key) {
                    self.checking.push(key);
                }
            }
            ServerProgress::Accepted => {
                self.carrier.answer(id, true, &head, &mut self.actions);
                self.finish(key);
            }
            // A 401 leaves an ordinary handshake waiting for another try; a channel is asked for
            // anew then.
            ServerProgress::NeedsInput | ServerProgress::Failed => {
                self.carrier.answer(id, false, &head, &mut self.actions);
                self.end(key);
                self.channels.remove(&key);
            }
        }
        self.carry_out(&[]);
    }

    /// Client: the server answers.
    fn answered(&mut self, key: Key, accepted: bool, head: &[u8]) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let id = channel.id;
        let Stage::Asking(handshake) = &mut channel.stage else {
            return;
        };
        let sent = handshake
            .request()
            .headers()
            .get(http::header::SEC_WEBSOCKET_KEY);
        let sent = sent.map_or(&b""[..], http::HeaderValue::as_bytes).to_vec();
        handshake.handle_input(self.now, &heads::response(head, &sent));
        handshake.handle_eof();
        match handshake.progress() {
            ClientProgress::Opened if accepted => self.finish(key),
            _ => {
                if accepted {
                    // It is open to the server, and not to us.
                    self.carrier
                        .drop_channel(id, EndsFor::Failed, &mut self.actions);
                }
                self.end(key);
                self.refuse(key);
            }
        }
    }

    /// A channel's opening handshake has succeeded.
    fn finish(&mut self, key: Key) {
        self.set_deadline(key, None);
        // Taken out, since its handshake ends in what takes its place.
        let Some(channel) = self.channels.remove(&key).map(|boxed| *boxed) else {
            return;
        };
        let opened = match channel.stage {
            Stage::Asked(handshake) => handshake.finish(),
            Stage::Asking(handshake) => handshake.finish(),
            Stage::Open(_) => Err(HandshakeError::Unfinished),
        };
        let Ok(Opened {
            handshake,
            extensions,
            ..
        }) = opened
        else {
            return;
        };
        let agreed = extensions.agreed().to_vec();
        let skipped = extensions.skipped().to_vec();
        let mut endpoint =
            Endpoint::of_channel(self.role, Arc::clone(&self.config), extensions, channel.id);
        endpoint.show_opening(&handshake);
        let stage = Stage::Open(Box::new(endpoint));
        let ready = !channel.tail.is_empty();
        self.channels
            .insert(key, Box::new(Channel { stage, ..channel }));
        self.news.push_back(News::Opened(
            key,
            Box::new(super::Opening {
                handshake,
                agreed,
                skipped,
            }),
        ));
        if ready {
            self.news.push_back(News::Ready(key));
        }
    }
}
