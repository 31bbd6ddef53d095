//! The judge's side of one connection, without I/O: octets in, octets out, time handed in.
//!
//! It keeps to the rules by which the original suite's own endpoint behaves, since they decide
//! the verdicts: a violation by the subject is answered with a close frame and the judge reads on;
//! a second one drops the connection; each wait has its timer.
//!
//! ```text
//!  handle_input  handle_end  handle_timeout        poll_write  poll_timeout  is_over
//!        \            |            /                    ^
//!         next_event: messages, pongs, timers  ->  the case's program  -> send, close, wait
//! ```

mod layer;
mod log;
mod receive;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use cloverleaf_reports::Role;
use cloverleaf_reports::model::{Close, TimerEvent};

use crate::corpus::Kind;
use crate::deflate::{Agreed, Deflater, Inflater};
use crate::frame::{CLOSE, Frame};
use crate::mux;
use crate::random::Random;
use crate::stream::Stream;
pub use layer::{Layer, Order};
pub use log::Log;
pub(crate) use log::shown;
use receive::Receiving;

/// Frames up to so many octets are paced when they are sent in pieces.
const PACED: usize = 128 << 10;

/// How the judge behaves where the suite leaves a choice. The defaults are the original's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Mask what is sent in the role of the client.
    pub mask_client_frames: bool,
    /// Mask what is sent in the role of the server.
    pub mask_server_frames: bool,
    /// As the server, insist on masked frames.
    pub require_masked_client_frames: bool,
    /// As the client, put up with masked frames.
    pub accept_masked_server_frames: bool,
    /// Check the UTF-8 of received text.
    pub validate_utf8: bool,
    /// Mask with the key that the head announces; otherwise the payload stays as it is.
    pub apply_mask: bool,
    /// The largest message taken, in octets.
    pub max_message: u64,
    /// The largest frame taken, in octets, if that is limited by itself.
    pub max_frame: Option<u64>,
    /// Messages are cut into fragments of so many octets; 0: they are not.
    pub auto_fragment: usize,
    /// Fail a connection by dropping it, without a close frame.
    pub fail_by_drop: bool,
    /// Answer a close frame with its own code and reason.
    pub echo_close: bool,
    /// How long the opening handshake may take.
    pub opening_timeout: Duration,
    /// How long the subject may take to answer a close frame.
    pub closing_timeout: Duration,
    /// How long a server may take to drop the connection after the closing handshake.
    pub server_drop_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mask_client_frames: true,
            mask_server_frames: false,
            require_masked_client_frames: true,
            accept_masked_server_frames: false,
            validate_utf8: true,
            apply_mask: true,
            // The largest message of the suite has 16 MiB.
            max_message: 128 << 20,
            max_frame: None,
            auto_fragment: 0,
            fail_by_drop: false,
            echo_close: false,
            opening_timeout: Duration::from_secs(5),
            closing_timeout: Duration::from_secs(1),
            server_drop_timeout: Duration::from_secs(1),
        }
    }
}

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 has these")]
pub enum State {
    /// Open for data.
    Open,
    /// A close frame was sent.
    Closing,
    /// TCP is gone, or given up.
    Closed,
}

/// What happened that a case may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A whole message.
    Message {
        /// Its payload, inflated.
        payload: Vec<u8>,
        /// Binary or text.
        binary: bool,
    },
    /// A ping; it was answered already.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// A close frame, the first or an answer.
    CloseFrame,
    /// A pause that the case had asked for is over.
    Continue(Option<&'static str>),
    /// The pause with this number is over.
    Wake(u32),
}

/// One write to the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Write {
    /// The octets.
    pub octets: Vec<u8>,
    /// They are to reach the wire on their own, before the next write.
    pub alone: bool,
    /// And the next write is to wait until they have had time to be read.
    pub pause: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    ClosingHandshake,
    ServerDrop,
    Kill,
    Close,
    Continue(Option<&'static str>),
    Wake(u32),
    Linger,
}

/// permessage-deflate or deflate-frame as negotiated: what inflates and what deflates.
#[derive(Debug)]
#[non_exhaustive]
pub struct Compression {
    /// For messages of the subject.
    pub inflater: Inflater,
    /// For messages of the judge.
    pub deflater: Deflater,
    /// The window of the judge's messages: 2 to this power octets.
    pub own_window_bits: u8,
    /// The judge's messages refer back to earlier ones.
    pub own_takeover: bool,
    /// The subject's messages refer back to earlier ones.
    pub subject_takeover: bool,
    /// deflate-frame: RSV1 speaks for its frame, and each frame is deflated by itself.
    pub per_frame: bool,
    /// A message of the subject ended within a block, which only the next one shows.
    pub(crate) broken: bool,
}

impl Compression {
    /// What the judge needs when this was agreed on with a subject in this role.
    pub fn new(agreed: &Agreed, subject: Role) -> Self {
        let (inflater, deflater) = match subject {
            Role::Server => agreed.for_client(),
            Role::Client => agreed.for_server(),
        };
        let (own_window_bits, own_takeover, subject_takeover) = match subject {
            Role::Server => (
                agreed.client_bits,
                agreed.client_takeover,
                agreed.server_takeover,
            ),
            Role::Client => (
                agreed.server_bits,
                agreed.server_takeover,
                agreed.client_takeover,
            ),
        };
        Self {
            inflater,
            deflater,
            own_window_bits,
            own_takeover,
            subject_takeover,
            per_frame: false,
            broken: false,
        }
    }

    /// The same where deflate-frame was agreed on.
    pub fn of_frames(agreed: &Agreed, subject: Role) -> Self {
        Self {
            per_frame: true,
            ..Self::new(agreed, subject)
        }
    }
}

/// The judge's side of one connection, from the end of the opening handshake on.
#[derive(Debug)]
pub struct Session {
    subject: Role,
    options: Options,
    state: State,
    now: Duration,
    timers: Vec<(Duration, Timer)>,
    fired: VecDeque<Event>,
    writes: VecDeque<Write>,
    receiving: Receiving,
    compression: Option<Compression>,
    layer: Option<(Layer, Order)>,
    multiplexing: Option<mux::Agreed>,
    close: Close,
    random: Random,
    aborted: bool,
    linger: Duration,
    /// The case answers the subject's close frame, or does not.
    close_left_to_case: bool,
    /// The subject sent the first close frame.
    closed_by_subject: bool,
    /// Nothing more is to be written.
    half_closed: bool,
    strict: bool,
    /// What went over the wire.
    pub log: Log,
}

impl Session {
    /// A session that is open, with a subject in this role. `compression` is what the opening
    /// handshake agreed on; `now` is the time since the connection came about.
    pub fn open(
        subject: Role,
        options: Options,
        compression: Option<Compression>,
        random: Random,
        log: Log,
        now: Duration,
    ) -> Self {
        Self {
            subject,
            options,
            state: State::Open,
            now,
            timers: Vec::new(),
            fired: VecDeque::new(),
            writes: VecDeque::new(),
            receiving: Receiving::default(),
            compression,
            layer: None,
            multiplexing: None,
            close: Close::default(),
            random,
            aborted: false,
            linger: Duration::ZERO,
            close_left_to_case: false,
            closed_by_subject: false,
            half_closed: false,
            strict: false,
            log,
        }
    }

    /// The role of the subject; the judge has the other.
    pub fn subject(&self) -> Role {
        self.subject
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// How the connection ended, as far as it has.
    pub fn close_facts(&self) -> &Close {
        &self.close
    }

    /// Whether permessage-deflate is in use.
    pub fn is_compressed(&self) -> bool {
        matches!(&self.compression, Some(compression) if !compression.per_frame)
    }

    /// Whether deflate-frame is in use.
    pub fn compresses_frames(&self) -> bool {
        matches!(&self.compression, Some(compression) if compression.per_frame)
    }

    /// Has one more extension at work, as the opening handshake agreed.
    pub fn set_layer(&mut self, layer: Layer, order: Order) {
        self.layer = Some((layer, order));
    }

    /// Has channels, as the opening handshake agreed.
    pub fn set_multiplexing(&mut self, agreed: mux::Agreed) {
        self.multiplexing = Some(agreed);
    }

    /// What was agreed on of channels, for the program of the case.
    pub fn take_multiplexing(&mut self) -> Option<mux::Agreed> {
        self.multiplexing.take()
    }

    /// Where the extension stands that the case brings along, if it was agreed on.
    pub fn layer_order(&self) -> Option<Order> {
        self.layer.map(|(_, order)| order)
    }

    /// The window of the judge's compressed messages as a power of two, and whether they may refer
    /// back to earlier ones.
    pub fn own_compression(&self) -> Option<(u8, bool)> {
        self.compression
            .as_ref()
            .map(|compression| (compression.own_window_bits, compression.own_takeover))
    }

    /// The largest distance back that any of the subject's compressed messages used.
    pub fn largest_distance(&self) -> Option<usize> {
        self.compression
            .as_ref()
            .map(|compression| compression.inflater.largest_distance())
    }

    // --- what the program of a case does -------------------------------------------------------

    /// Sends a frame as it is, whatever the state.
    pub fn send(&mut self, frame: &Frame) {
        self.log.sent_frame(frame);
        let key = match self.subject {
            Role::Server if self.options.mask_client_frames => Some(self.random.masking_key()),
            Role::Client if self.options.mask_server_frames => Some(self.random.masking_key()),
            _ => None,
        };
        let octets = if self.options.apply_mask {
            frame.encode(key)
        } else {
            unmasked_under(key, frame)
        };
        match frame.chop {
            Some(chop) => {
                // Pieces of a small frame are to be read one by one, whoever reads. Those of a large
                // one are too many to wait for.
                let pause = octets.len() <= PACED;
                for piece in octets.chunks(chop.max(1)) {
                    self.write(piece.to_vec(), true);
                    if let Some(write) = self.writes.back_mut() {
                        write.pause = pause;
                    }
                }
            }
            None => {
                self.write(octets, frame.alone);
                if let (true, Some(write)) = (frame.alone, self.writes.back_mut()) {
                    write.pause = true;
                }
            }
        }
    }

    /// Sends octets as they are.
    pub fn send_octets(&mut self, octets: Vec<u8>) {
        self.write(octets, true);
    }

    /// Sends a message, compressed if that was agreed, in fragments of at most `fragment` octets.
    /// With deflate-frame each fragment is compressed by itself.
    pub fn send_message(&mut self, payload: &[u8], binary: bool, fragment: Option<usize>) {
        if self.state != State::Open {
            return;
        }
        let plain = payload.len();
        let (payload, rsv) = self.extended(payload);
        self.send_fragments(&payload, plain, binary, rsv, fragment);
    }

    /// What the agreed extensions make of a payload, and the reserved bits that say so.
    fn extended<'a>(&mut self, payload: &'a [u8]) -> (Cow<'a, [u8]>, u8) {
        let mut octets = Cow::Borrowed(payload);
        let mut rsv = 0;
        // RFC 6455 §9.1: in the order of the answer.
        if let Some(layer) = self.layer_in(Order::LayerFirst) {
            octets = (layer.encode)(&octets).into();
            rsv |= layer.rsv;
        }
        if let Some(compression) = &mut self.compression
            && !compression.per_frame
        {
            octets = compression.deflater.message(&octets).into();
            rsv |= 4;
        }
        if let Some(layer) = self.layer_in(Order::DeflateFirst) {
            octets = (layer.encode)(&octets).into();
            rsv |= layer.rsv;
        }
        (octets, rsv)
    }

    fn layer_in(&self, order: Order) -> Option<Layer> {
        self.layer
            .filter(|(_, other)| *other == order)
            .map(|(layer, _)| layer)
    }

    /// Sends a message that was compressed elsewhere; `plain` is its length before that.
    pub fn send_compressed(
        &mut self,
        deflated: &[u8],
        plain: usize,
        binary: bool,
        fragment: Option<usize>,
    ) {
        if self.state == State::Open {
            self.send_fragments(deflated, plain, binary, 4, fragment);
        }
    }

    fn send_fragments(
        &mut self,
        payload: &[u8],
        plain: usize,
        binary: bool,
        rsv: u8,
        fragment: Option<usize>,
    ) {
        let opcode = if binary {
            crate::frame::BINARY
        } else {
            crate::frame::TEXT
        };
        let auto = self.options.auto_fragment;
        let size = fragment
            .or_else(|| (auto > 0).then_some(auto))
            .unwrap_or(usize::MAX);
        if payload.len() <= size {
            let sent = self.send_deflated(Frame::new(opcode, payload).rsv(rsv));
            self.log.sent_message(sent, plain);
            return;
        }
        // As the original cuts: where the size divides the length, the last fragment is empty.
        let (mut at, mut sent) = (0, 0);
        while at <= payload.len() {
            let end = payload.len().min(at.saturating_add(size));
            let last = at + size > payload.len();
            let piece = &payload[at..end];
            let mut frame = match at {
                0 => Frame::new(opcode, piece).rsv(rsv),
                _ => Frame::continuation(piece),
            };
            frame.fin = last;
            sent += self.send_deflated(frame);
            at += size;
        }
        self.log.sent_message(sent, plain);
    }

    /// Sends a frame, deflated if that was agreed for frames; returns the length of its payload.
    fn send_deflated(&mut self, mut frame: Frame) -> usize {
        if let Some(compression) = &mut self.compression
            && compression.per_frame
        {
            frame.payload = compression.deflater.message(&frame.payload);
            frame.rsv |= 4;
        }
        self.send(&frame);
        frame.payload.len()
    }

    /// Begins the closing handshake, unless it has begun.
    pub fn close(&mut self, code: Option<u16>) {
        self.close_with(code, None, false);
    }

    /// Begins the closing handshake with a frame that need not be valid.
    pub fn close_raw(&mut self, code: Option<u16>, reason: Option<&[u8]>) {
        self.close_with(code, reason, false);
    }

    /// Begins the closing handshake with this frame as it is, or completes it if the subject began.
    pub fn close_frame(&mut self, frame: &Frame) {
        if self.state == State::Open {
            self.send(frame);
            self.begin_closing(self.closed_by_subject);
            if self.closed_by_subject {
                self.close.was_clean = true;
                self.await_end();
            }
        }
    }

    /// Leaves it to the case to answer the subject's close frame, or not to.
    pub fn leave_close_to_case(&mut self) {
        self.close_left_to_case = true;
    }

    /// All is done: a server gets its time to end TCP, a client gets what `set_linger` allows it.
    pub fn await_end(&mut self) {
        match self.subject {
            Role::Server => self.set(self.options.server_drop_timeout, Timer::ServerDrop),
            Role::Client if self.linger.is_zero() => self.drop_connection(false),
            Role::Client => self.set(self.linger, Timer::Linger),
        }
    }

    /// Ends TCP in the direction of the subject, and reads on.
    pub fn half_close(&mut self) {
        self.half_closed = true;
    }

    fn close_with(&mut self, code: Option<u16>, reason: Option<&[u8]>, reply: bool) {
        if self.state != State::Open {
            return;
        }
        let mut payload = code
            .map(|code| code.to_be_bytes().to_vec())
            .unwrap_or_default();
        payload.extend_from_slice(reason.unwrap_or_default());
        self.send(&Frame::new(CLOSE, payload));
        self.close.suite_code = code;
        self.close.suite_reason = reason.map(shown);
        self.begin_closing(reply || self.closed_by_subject);
    }

    fn begin_closing(&mut self, reply: bool) {
        self.state = State::Closing;
        self.close.closed_by_suite = !reply;
        if !reply {
            self.set(self.options.closing_timeout, Timer::ClosingHandshake);
        }
    }

    /// Fails the connection with 1001 after this time, if it is still there.
    pub fn kill_after(&mut self, time: Duration) {
        self.log.timer(TimerEvent::KillSet, Some(time), None);
        self.set(time, Timer::Kill);
    }

    /// Begins the closing handshake after this time, if the connection is still there.
    pub fn close_after(&mut self, time: Duration) {
        self.log.timer(TimerEvent::CloseSet, Some(time), None);
        self.set(time, Timer::Close);
    }

    /// Asks for [`Event::Continue`] after this time, if the connection is still there.
    pub fn continue_after(&mut self, time: Duration, tag: Option<&'static str>) {
        self.log.timer(TimerEvent::ContinueSet, Some(time), tag);
        self.set(time, Timer::Continue(tag));
    }

    /// Asks for [`Event::Wake`] with this number after this time.
    pub fn wake_after(&mut self, time: Duration, number: u32) {
        self.set(time, Timer::Wake(number));
    }

    /// As the server, keeps TCP for so long after the closing handshake.
    pub fn set_linger(&mut self, time: Duration) {
        self.linger = time;
    }

    /// Notices also what the original overlooks.
    pub fn set_strict(&mut self) {
        self.strict = true;
    }

    /// The windows over this corpus as the judge compresses them here; `None` without compression.
    pub fn stream(&self, kind: Kind, size: usize) -> Option<Arc<Stream>> {
        let compression = self.compression.as_ref()?;
        Some(Stream::of(
            kind,
            size,
            compression.own_window_bits,
            compression.own_takeover,
        ))
    }

    /// Fails the connection (RFC 6455 §7.1.7): a close frame with this code, or, if one was sent
    /// already, the end of TCP.
    pub fn fail(&mut self, code: u16, reason: &str) {
        match self.state {
            State::Closed => {}
            _ if self.options.fail_by_drop => {
                self.close.failed_by_suite = true;
                self.close.was_clean = false;
                self.close.not_clean_reason =
                    Some("the suite failed the connection by dropping it".to_owned());
                self.drop_connection(true);
            }
            State::Open => {
                self.close.failed_by_suite = true;
                let reason = &reason.as_bytes()[..reason.len().min(123)];
                self.close_with(Some(code), Some(reason), false);
            }
            State::Closing => {
                self.close.failed_by_suite = true;
                self.drop_connection(false);
            }
        }
    }

    /// Drops TCP, at once (`abort`) or when all is written.
    pub fn drop_connection(&mut self, abort: bool) {
        if self.state != State::Closed {
            self.state = State::Closed;
            self.close.dropped_by_suite = true;
            self.aborted = abort;
            if abort {
                self.writes.clear();
            }
        }
    }

    /// Why the connection did not end cleanly, if nothing was noted yet.
    pub fn note_unclean(&mut self, reason: impl Into<String>) {
        self.close
            .not_clean_reason
            .get_or_insert_with(|| reason.into());
    }

    // --- what the transport does ----------------------------------------------------------------

    /// Octets came.
    pub fn handle_input(&mut self, now: Duration, octets: &[u8]) {
        self.now = now;
        self.log.received_octets(octets, self.state == State::Open);
        if self.state != State::Closed {
            self.receiving.buffer(octets);
        }
    }

    /// Octets that came together with the end of the opening handshake, and were logged there.
    pub fn handle_leftover(&mut self, octets: &[u8]) {
        self.receiving.buffer(octets);
    }

    /// The subject ended TCP, or it broke.
    pub fn handle_end(&mut self, now: Duration) {
        self.now = now;
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.writes.clear();
        if !self.close.was_clean {
            self.note_unclean("the subject ended TCP without a closing handshake");
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = now;
        while let Some(at) = self
            .timers
            .iter()
            .position(|(deadline, _)| *deadline <= now)
        {
            let first = (at..self.timers.len())
                .filter(|&at| self.timers[at].0 <= now)
                .min_by_key(|&at| self.timers[at].0)
                .unwrap_or(at);
            let (_, timer) = self.timers.remove(first);
            if self.state != State::Closed {
                self.fire(timer);
            }
        }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::ClosingHandshake => {
                self.close.was_clean = false;
                self.note_unclean("the subject did not answer the close frame in time");
                self.close.closing_handshake_timeout = true;
                self.drop_connection(true);
            }
            Timer::ServerDrop => {
                self.close.was_clean = false;
                self.note_unclean("the server did not drop TCP in time");
                self.close.server_drop_timeout = true;
                self.drop_connection(true);
            }
            Timer::Kill => {
                self.log.timer(TimerEvent::KillFired, None, None);
                self.fail(1001, "Going Away");
            }
            Timer::Close => {
                self.log.timer(TimerEvent::CloseFired, None, None);
                self.close(None);
            }
            Timer::Continue(tag) => {
                self.log.timer(TimerEvent::ContinueFired, None, tag);
                self.fired.push_back(Event::Continue(tag));
            }
            Timer::Wake(number) => self.fired.push_back(Event::Wake(number)),
            Timer::Linger => self.drop_connection(false),
        }
    }

    fn set(&mut self, after: Duration, timer: Timer) {
        self.timers.push((self.now + after, timer));
    }

    fn cancel(&mut self, timer: Timer) {
        self.timers.retain(|(_, other)| *other != timer);
    }

    /// The next thing that happened. Call until `None` after every `handle_*`.
    pub fn next_event(&mut self) -> Option<Event> {
        self.fired.pop_front().or_else(|| self.receive())
    }

    /// Gives the buffer of a message back, so that the next one need not allocate.
    pub fn recycle(&mut self, payload: Vec<u8>) {
        self.receiving.recycle(payload);
    }

    /// The next write.
    pub fn poll_write(&mut self) -> Option<Write> {
        self.writes.pop_front()
    }

    /// Whether writes wait.
    pub fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.iter().map(|(deadline, _)| *deadline).min()
    }

    /// Whether all is written that ever will be.
    pub fn is_half_closed(&self) -> bool {
        self.half_closed && self.writes.is_empty()
    }

    /// Whether TCP is to be dropped at once, whatever is still to be written.
    pub fn is_aborted(&self) -> bool {
        self.aborted
    }

    /// Whether TCP is gone or to be given up once all is written.
    pub fn is_over(&self) -> bool {
        self.state == State::Closed && self.writes.is_empty()
    }

    fn write(&mut self, octets: Vec<u8>, alone: bool) {
        if self.state == State::Closed || self.half_closed {
            return;
        }
        self.log
            .sent_octets(&octets, alone, self.state == State::Open);
        match self.writes.back_mut() {
            // Small frames in a row leave as one write, as they would through a send buffer.
            Some(last) if !alone && !last.alone && last.octets.len() < 16 << 10 => {
                last.octets.extend_from_slice(&octets);
            }
            _ => self.writes.push_back(Write {
                octets,
                alone,
                pause: false,
            }),
        }
    }
}

/// A frame whose head says that it is masked, and whose payload is not.
fn unmasked_under(key: Option<[u8; 4]>, frame: &Frame) -> Vec<u8> {
    let mut octets = frame.encode(key);
    let head = octets.len() - frame.payload.len();
    octets.truncate(head);
    octets.extend_from_slice(&frame.payload);
    octets
}
