//! What the subject sends, frame by frame, checked as the original suite checks it.

use std::fmt;

use cloverleaf_reports::Role;

use super::{Event, Order, Session, State, Timer, log};
use crate::deflate::InflateError;
use crate::frame::{self, Frame, Head};
use crate::utf8::Validator;

/// What has come and is not done with.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    /// Octets that came; those before `read` are done with.
    input: Vec<u8>,
    read: usize,
    /// The frame whose payload is coming, and how much of it has come.
    frame: Option<(Head, usize)>,
    /// The payload of a control frame.
    control: Vec<u8>,
    /// The message that has begun.
    message: Option<Message>,
    /// Octets of the message so far, as they were on the wire.
    octets: Vec<u8>,
    /// An empty buffer for the next inflated message.
    spare: Vec<u8>,
    /// Where the present frame begins in `octets`.
    frame_start: usize,
    /// The present frame is deflated by itself.
    frame_deflated: bool,
}

/// Why a message cannot be inflated.
enum Broken {
    /// It is wrong itself.
    Here(InflateError),
    /// One before it ended within a block.
    Before,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(error) => error.fmt(f),
            Self::Before => f.write_str("an earlier message did not end as it should"),
        }
    }
}

#[derive(Debug)]
struct Message {
    binary: bool,
    compressed: bool,
    /// Its frames may be compressed, each by itself.
    per_frame: bool,
    /// The octets of its frames as they came.
    on_wire: usize,
    /// It went through the extension that the case brings along.
    layered: bool,
    /// For text that is checked as it comes.
    utf8: Option<Validator>,
}

impl Receiving {
    pub(super) fn buffer(&mut self, octets: &[u8]) {
        if self.read == self.input.len() {
            self.input.clear();
        } else {
            self.input.drain(..self.read);
        }
        self.read = 0;
        self.input.extend_from_slice(octets);
    }

    pub(super) fn recycle(&mut self, mut payload: Vec<u8>) {
        if payload.capacity() > self.spare.capacity() {
            payload.clear();
            self.spare = payload;
        }
    }
}

impl Session {
    /// Works through the input up to the next event.
    pub(super) fn receive(&mut self) -> Option<Event> {
        while self.state != State::Closed {
            let receiving = &mut self.receiving;
            let Some((head, come)) = receiving.frame else {
                let (head, size) = Head::parse(&receiving.input[receiving.read..])?;
                receiving.read += size;
                self.begin_frame(head);
                continue;
            };
            let missing = head.length - come as u64;
            let waiting = receiving.input.len() - receiving.read;
            let taken = waiting.min(usize::try_from(missing).unwrap_or(usize::MAX));
            if taken == 0 && missing > 0 {
                return None;
            }
            let piece = receiving.read..receiving.read + taken;
            receiving.read = piece.end;
            let piece = &mut receiving.input[piece];
            if let Some(key) = head.key.filter(|_| self.options.apply_mask) {
                frame::mask(piece, key, come);
            }
            receiving.frame = Some((head, come + taken));
            if head.is_control() {
                receiving.control.extend_from_slice(piece);
            } else {
                // After a failure nothing is delivered any more, and nothing need be kept. Text is
                // checked all the same: its next fault drops TCP, as in the original.
                if !self.close.failed_by_suite {
                    receiving.octets.extend_from_slice(piece);
                }
                let text = receiving
                    .message
                    .as_mut()
                    .and_then(|message| message.utf8.as_mut());
                if text.is_some_and(|utf8| !utf8.push(piece)) {
                    self.fail(1007, "the text is not UTF-8");
                }
                let length = self.receiving.octets.len() as u64;
                if length > self.options.max_message && !self.close.failed_by_suite {
                    self.fail(1009, "the message is too long");
                }
            }
            if come + taken == usize::try_from(head.length).unwrap_or(usize::MAX)
                && let Some(event) = self.end_frame(head)
            {
                return Some(event);
            }
        }
        None
    }

    /// The checks that the original makes of a head, in its order. It goes on with a frame that
    /// it found wrong.
    fn begin_frame(&mut self, head: Head) {
        let layer_rsv = self.layer.map_or(0, |(layer, _)| layer.rsv);
        let layered = layer_rsv != 0 && head.rsv & layer_rsv == layer_rsv;
        let rsv = if layered {
            head.rsv & !layer_rsv
        } else {
            head.rsv
        };
        let compressed = self.compression.is_some() && rsv == 4;
        let per_frame = self.compresses_frames();
        let inside = self.receiving.message.is_some();
        // §5.2: reserved bits must be 0 unless an extension was negotiated.
        if rsv != 0 && !compressed {
            self.violation("a reserved bit is set that nobody owns");
        }
        // §5.1: a client masks, a server does not.
        match (self.subject, head.key) {
            (Role::Client, None) if self.options.require_masked_client_frames => {
                self.violation("a client's frame is not masked");
            }
            (Role::Server, Some(_)) if !self.options.accept_masked_server_frames => {
                self.violation("a server's frame is masked");
            }
            _ => {}
        }
        if head.is_control() {
            // §5.5
            if !head.fin {
                self.violation("a control frame is fragmented");
            }
            if head.short_length > 125 {
                self.violation("a control frame has more than 125 octets");
            }
            if head.opcode > frame::PONG {
                self.violation("a control frame has a reserved opcode");
            }
            if head.opcode == frame::CLOSE && head.short_length == 1 {
                self.violation("a close frame has one octet");
            }
            if compressed {
                self.violation("a control frame is compressed");
            }
            if layered {
                self.violation("a control frame has a bit of messages");
            }
        } else {
            if head.opcode > frame::BINARY {
                self.violation("a data frame has a reserved opcode");
            }
            // §5.4
            if !inside && head.opcode == frame::CONTINUATION {
                self.violation("a continuation continues nothing");
            }
            if inside && head.opcode != frame::CONTINUATION {
                self.violation("a message begins inside another");
            }
            if inside && compressed && !per_frame {
                self.violation("RSV1 is set on a continuation");
            }
            if inside && layered {
                self.violation("a continuation has a bit of first frames");
            }
            if !inside && !layered && layer_rsv != 0 {
                self.violation("a message did not go through an extension that takes them all");
            }
        }
        if head.length > i64::MAX as u64 {
            self.violation("the length has its highest bit set");
        }
        if !head.is_shortest() {
            self.violation("the length is not in its shortest form");
        }
        if !head.is_control()
            && self
                .options
                .max_frame
                .is_some_and(|most| head.length > most)
        {
            self.fail(1008, "the frame is too long");
        }
        let receiving = &mut self.receiving;
        receiving.frame = Some((head, 0));
        receiving.control.clear();
        if !head.is_control() {
            if !inside {
                let text = head.opcode == frame::TEXT && self.options.validate_utf8;
                receiving.octets.clear();
                receiving.message = Some(Message {
                    binary: head.opcode == frame::BINARY,
                    compressed: compressed && !per_frame,
                    per_frame,
                    on_wire: 0,
                    layered,
                    utf8: (text && !compressed && !layered && !per_frame).then(Validator::default),
                });
            }
            receiving.frame_start = receiving.octets.len();
            receiving.frame_deflated = compressed && per_frame;
        }
    }

    fn violation(&mut self, reason: &str) {
        self.fail(1002, reason);
    }

    fn end_frame(&mut self, head: Head) -> Option<Event> {
        self.receiving.frame = None;
        if head.is_control() {
            let payload = std::mem::take(&mut self.receiving.control);
            self.log.received_frame(&head, &payload);
            return self.end_control(head.opcode, payload);
        }
        let payload = &self.receiving.octets[self.receiving.frame_start..];
        self.log.received_frame(&head, payload);
        if let Some(message) = &mut self.receiving.message {
            message.on_wire += payload.len();
        }
        let deflated = self.receiving.frame_deflated && !self.close.failed_by_suite;
        if deflated && !self.inflate_frame() || !head.fin {
            return None;
        }
        let message = self.receiving.message.take()?;
        let mut payload = std::mem::take(&mut self.receiving.octets);
        if self.close.failed_by_suite {
            // The original finds a broken text once more at its end, and drops TCP.
            if message.utf8.is_some_and(|utf8| !utf8.is_complete()) {
                self.fail(1007, "the text is not UTF-8");
            }
            return None;
        }
        let deflated = message.on_wire;
        let mut complete = message.utf8.is_none_or(|utf8| utf8.is_complete());
        // RFC 6455 §9.1: against the order of the answer.
        if message.layered && !self.undo_layer(Order::DeflateFirst, &mut payload) {
            return None;
        }
        if let (true, Some(compression)) = (message.compressed, &mut self.compression) {
            let mut plain = std::mem::take(&mut self.receiving.spare);
            let limit = usize::try_from(self.options.max_message).unwrap_or(usize::MAX);
            let inflated = match compression.inflater.message(&payload, limit, &mut plain) {
                _ if compression.broken => Err(Broken::Before),
                // The original's library overlooks how a message ends, and stumbles over it in the
                // next one, unless that begins anew.
                Err(error) if !error.is_seen_while_reading() && !self.strict => {
                    compression.broken = compression.subject_takeover;
                    Ok(())
                }
                other => other.map_err(Broken::Here),
            };
            if let Err(error) = inflated {
                // The original breaks here, and with it the connection.
                self.break_off(format!("a message cannot be inflated: {error}"));
                return None;
            }
            payload.clear();
            self.receiving.octets = std::mem::replace(&mut payload, plain);
        }
        if message.layered && !self.undo_layer(Order::LayerFirst, &mut payload) {
            return None;
        }
        let transformed = message.compressed || message.per_frame || message.layered;
        if transformed && !message.binary && self.options.validate_utf8 {
            complete = std::str::from_utf8(&payload).is_ok();
        }
        if !complete {
            self.fail(1007, "the text is not UTF-8 or ends within a character");
            // As above: what was inflated is broken where it is, and broken at its end.
            let error = std::str::from_utf8(&payload).err();
            if error.is_some_and(|error| error.error_len().is_some()) {
                self.fail(1007, "the text is not UTF-8");
            }
            return None;
        }
        self.log.received_message(deflated, payload.len());
        Some(Event::Message {
            payload,
            binary: message.binary,
        })
    }

    /// Inflates the present frame in its place; false if that cannot be done.
    fn inflate_frame(&mut self) -> bool {
        let Some(compression) = &mut self.compression else {
            return true;
        };
        let receiving = &mut self.receiving;
        let start = receiving.frame_start;
        let limit = usize::try_from(self.options.max_message).unwrap_or(usize::MAX);
        let mut plain = std::mem::take(&mut receiving.spare);
        let payload = &receiving.octets[start..];
        let inflated =
            compression
                .inflater
                .message(payload, limit.saturating_sub(start), &mut plain);
        receiving.octets.truncate(start);
        receiving.octets.extend_from_slice(&plain);
        self.recycle(plain);
        if let Err(error) = inflated {
            self.break_off(format!("a frame cannot be inflated: {error}"));
            return false;
        }
        true
    }

    /// Undoes the work of the case's extension, if it stands here; false if that cannot be done.
    fn undo_layer(&mut self, order: Order, payload: &mut Vec<u8>) -> bool {
        let Some(layer) = self.layer_in(order) else {
            return true;
        };
        match (layer.decode)(payload) {
            Ok(decoded) => {
                *payload = decoded;
                true
            }
            Err(reason) => {
                self.violation(&reason);
                false
            }
        }
    }

    /// Where the original meets an exception that it does not catch: the connection is gone, and
    /// neither end counts as the one that dropped it.
    fn break_off(&mut self, reason: impl Into<String>) {
        self.note_unclean(reason);
        self.handle_end(self.now);
        self.aborted = true;
    }

    fn end_control(&mut self, opcode: u8, payload: Vec<u8>) -> Option<Event> {
        match opcode {
            frame::CLOSE => {
                self.end_close(&payload);
                Some(Event::CloseFrame)
            }
            frame::PING => {
                if self.state == State::Open {
                    self.send(&Frame::pong(payload.clone()));
                }
                Some(Event::Ping(payload))
            }
            frame::PONG => Some(Event::Pong(payload)),
            _ => None,
        }
    }

    fn end_close(&mut self, payload: &[u8]) {
        let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
        let reason = payload.get(2..).filter(|reason| !reason.is_empty());
        self.close.subject_code = code;
        // §7.4: what may not be on the wire.
        if code.is_some_and(|code| !matches!(code, 1000..=1003 | 1007..=1011 | 3000..=4999)) {
            self.violation("the close code is not one that may be sent");
        }
        if let Some(reason) = reason {
            if !Validator::default().push(reason) {
                self.fail(1007, "the close reason is not UTF-8");
            }
            self.close.subject_reason = Some(log::shown(reason));
            if !python_decodes(reason) {
                self.break_off("the close reason is not UTF-8");
                return;
            }
        }
        match self.state {
            State::Closing => {
                self.cancel(Timer::ClosingHandshake);
                self.close.was_clean = true;
                match self.subject {
                    // §7.1.1: the server ends TCP first. Here that is the judge.
                    Role::Client if self.linger.is_zero() => self.drop_connection(true),
                    Role::Client => self.set(self.linger, Timer::Linger),
                    Role::Server => self.set(self.options.server_drop_timeout, Timer::ServerDrop),
                }
            }
            State::Open if self.close_left_to_case => self.closed_by_subject = true,
            State::Open => {
                self.close.was_clean = true;
                if self.options.echo_close {
                    self.close_with(code, reason, true);
                } else {
                    self.close_with(Some(1000), None, true);
                }
                match self.subject {
                    Role::Client if self.linger.is_zero() => self.drop_connection(false),
                    Role::Client => self.set(self.linger, Timer::Linger),
                    Role::Server => {}
                }
            }
            State::Closed => self.close.was_clean = false,
        }
    }
}

/// Whether Python 2.7, in which the original is written, decodes these octets as UTF-8: it takes
/// surrogates, and breaks on everything else that is not text.
fn python_decodes(mut octets: &[u8]) -> bool {
    while let Err(error) = std::str::from_utf8(octets) {
        octets = match &octets[error.valid_up_to()..] {
            [0xED, 0xA0..=0xBF, 0x80..=0xBF, rest @ ..] => rest,
            _ => return false,
        };
    }
    true
}
