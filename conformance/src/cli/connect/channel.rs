//! One WebSocket of a session, and what is said about it.

use std::pin::pin;
use std::task::{Context, Poll};

use cloverleaf::proto::Role;
use cloverleaf::proto::extension::{ChannelId, Hints, Statistics};
use cloverleaf::{CloseCode, Closed, Error, Event, Message, Transport, WebSocket};
use cloverleaf_heartbeat::{Beats, Heartbeat, Latency};

use super::super::news;
use super::arrivals::Arrivals;
use super::line::hex;
use super::screen::Screen;

/// While so many octets wait to be written, no line is taken.
const HIGH_WATER: usize = 64 << 10;

/// What the last ping carries. Whoever answers in order has answered everything when its pong comes:
/// on a connection of its own. On one of many, pongs overtake messages that wait for their turn, and
/// those come behind the pong: there, all has come when nothing comes between two pongs.
const LAST_PING: &[u8] = b"that was all";

pub(super) struct Channel {
    pub(super) screen: Screen,
    arrivals: Arrivals,
    socket: WebSocket<Transport>,
    /// What measures heartbeats, if they were offered.
    beats: Option<Beats>,
    /// What still comes is thrown away.
    closing: bool,
    finish: Finish,
    /// As they were before the last event: that of the end takes them away with the channel.
    statistics: Vec<Statistics>,
}

/// What becomes of the end of the input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finish {
    /// It has not come.
    No,
    /// The last ping waits until all is written.
    Writing,
    /// It is sent; so many frames of messages had come before the pong of the one before it.
    Pinged(Option<u64>),
}

/// What an event leaves to do.
pub(super) enum Then {
    On,
    /// A message has been shown.
    Counted,
    /// Nobody reads what we print (`| head`).
    Unread,
    /// That was the end: whether there was nothing wrong.
    Over(bool),
}

impl Channel {
    pub(super) fn new(
        arrivals: Arrivals,
        socket: WebSocket<Transport>,
        beats: Option<Beats>,
        screen: Screen,
    ) -> Self {
        Self {
            screen,
            arrivals,
            socket,
            beats,
            closing: false,
            finish: Finish::No,
            statistics: Vec::new(),
        }
    }

    /// 1 for the one that was there first.
    pub(super) fn number(&self) -> u32 {
        number_of(&self.socket)
    }

    pub(super) const fn is_open(&self) -> bool {
        !self.closing
    }

    const fn is_one_of_many(&self) -> bool {
        self.socket.get_ref().is_none()
    }

    /// What was asked for and what came of it.
    pub(super) fn tell_opening(&self) {
        for line in news::opening(self.socket.opening()) {
            self.screen.news(&line);
        }
    }

    /// A line about it.
    pub(super) fn describe(&self) -> String {
        let request = self.socket.opening().handshake.request();
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let protocol = match self.socket.protocol() {
            Some(protocol) => format!(", subprotocol {protocol}"),
            None => String::new(),
        };
        let state = if self.closing { "closing" } else { "open" };
        format!("{}  {target}{protocol}, {state}", self.number())
    }

    // What is sent.

    /// Ready if a line may be sent.
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.socket.buffered() < HIGH_WATER {
            return Poll::Ready(());
        }
        // The connection below has a task of its own, which wakes nobody for an event that does not
        // come.
        pin!(self.socket.flush()).poll(cx).map(|_| ())
    }

    pub(super) fn send(&mut self, message: Message, hints: Hints) {
        let begun = begin(self.socket.send_with(message, hints));
        self.tell(begun);
    }

    pub(super) fn ping(&mut self, payload: &[u8]) {
        let begun = begin(self.socket.ping(payload));
        self.tell(begun);
    }

    /// Nothing more will be sent: closes as soon as all is answered.
    pub(super) fn finish(&mut self) {
        if self.is_one_of_many() {
            self.finish = Finish::Writing;
        } else {
            self.last_ping(None);
        }
    }

    fn last_ping(&mut self, frames: Option<u64>) {
        self.finish = Finish::Pinged(frames);
        self.ping(LAST_PING);
    }

    /// The pong of the last ping. If there is always something more, the session's deadline ends it.
    fn last_pong(&mut self, before: Option<u64>) {
        let frames = Some(self.arrivals.frames());
        if self.is_one_of_many() && before != frames {
            self.last_ping(frames);
        } else {
            self.close(CloseCode::NORMAL, "");
        }
    }

    pub(super) fn beat(&mut self) {
        let agreed = &self.socket.opening().agreed;
        let agreed = agreed.iter().any(|agreed| agreed.name == Heartbeat::NAME);
        match &mut self.beats {
            Some(beats) if agreed => {
                let beat = beats.beat();
                let begun = begin(self.socket.send_extension(Heartbeat::OPCODE, beat));
                self.tell(begun);
            }
            _ => {
                let name = Heartbeat::NAME;
                let advice = format!("{name} is not agreed: give both ends --extension {name}");
                self.screen.say(&advice);
            }
        }
    }

    /// Begins to close; the last event will tell how it ended.
    pub(super) fn close(&mut self, code: CloseCode, reason: &str) {
        if !self.closing {
            self.closing = true;
            let begun = begin(self.socket.close_with(code, reason));
            self.tell(begun);
        }
    }

    /// What could not be sent is said. That the connection is gone, its last event says.
    fn tell(&self, begun: Result<(), Error>) {
        match begun {
            Err(error) if !error.is_closed() => self.screen.say(&error.to_string()),
            _ => {}
        }
    }

    // What comes.

    /// The next event. Cancel-safe.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        if self.is_one_of_many() && self.socket.closed().is_none() {
            self.statistics = self.socket.statistics();
        }
        if self.finish == Finish::Writing && pin!(self.socket.flush()).poll(cx).is_ready() {
            self.last_ping(None);
        }
        // It also writes what waits, and so makes room.
        pin!(self.socket.recv_event()).poll(cx)
    }

    /// Shows what has come.
    pub(super) fn show(&mut self, event: Option<Event>) -> Then {
        match event {
            Some(Event::Closed(_)) | None => return Then::Over(self.tell_end()),
            _ if self.closing => return Then::On,
            _ => {}
        }
        let beats = self.beats.as_mut();
        if let Some(latency) = event.as_ref().and_then(|event| beats?.measure(event)) {
            self.screen.say(&words(&latency));
            return Then::On;
        }
        match event {
            Some(Event::Message(message)) => {
                return match self.screen.message(&message) {
                    Ok(()) => Then::Counted,
                    Err(_) => Then::Unread,
                };
            }
            Some(Event::Ping(payload)) => self.screen.news(&format!("ping{}", with(&payload))),
            Some(Event::Pong(payload)) => match self.finish {
                Finish::Pinged(frames) if payload == LAST_PING => self.last_pong(frames),
                _ => self.screen.news(&format!("pong{}", with(&payload))),
            },
            Some(Event::Notice { extension, payload }) => {
                self.screen.news(&format!("{extension}{}", with(&payload)));
            }
            Some(Event::Extension { opcode, payload }) => {
                self.screen.news(&format!("{opcode}{}", with(&payload)));
            }
            _ => {}
        }
        Then::On
    }

    /// What the extensions have done.
    pub(super) fn statistics(&self) -> Vec<String> {
        let live = self.socket.statistics();
        let is_gone = live.is_empty();
        let mut lines = news::statistics(if is_gone { &self.statistics } else { &live });
        let figures = self.beats.as_ref().and_then(Beats::figures);
        lines.extend(figures.map(|figures| format!("  {figures}")));
        lines
    }

    fn tell_end(&self) -> bool {
        for line in self.statistics() {
            self.screen.news(&line);
        }
        let Some(closed) = self.socket.closed() else {
            self.screen.say("the connection is gone");
            return false;
        };
        let line = news::ending(closed, Role::Client);
        let normal = is_normal(closed);
        if normal {
            self.screen.news(&line);
        } else {
            self.screen.say(&line);
        }
        normal
    }
}

/// A connection of its own is its own first channel.
pub(super) fn number_of(socket: &WebSocket<Transport>) -> u32 {
    socket.channel().unwrap_or(ChannelId::FIRST).get()
}

/// Whether there is nothing wrong with this end: what we began ourselves, or a server that is done
/// or goes away.
fn is_normal(closed: &Closed) -> bool {
    let goodbye = [
        CloseCode::NORMAL,
        CloseCode::GOING_AWAY,
        CloseCode::NO_STATUS,
    ];
    let ours = closed.initiator == Some(Role::Client);
    closed.error.is_none() && (ours || goodbye.contains(&closed.code))
}

/// Takes the first step of sending something, which hands it to the connection whole. The event that
/// is waited for next writes what is left: to wait here would leave unread what the server sends, and
/// two ends that both write would wait for ever.
fn begin(sending: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let mut context = Context::from_waker(std::task::Waker::noop());
    match pin!(sending).poll(&mut context) {
        Poll::Ready(result) => result,
        Poll::Pending => Ok(()),
    }
}

/// What the answer to a beat says.
fn words(latency: &Latency) -> String {
    format!(
        "beat {}: there and back in {:.3} ms, the server's clock is {} from ours",
        latency.sequence(),
        latency.round_trip().as_secs_f64() * 1e3,
        latency.offset()
    )
}

/// A payload, if there is any: as text if it is text.
fn with(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok("") => String::new(),
        Ok(text) => format!(": {text}"),
        Err(_) => format!(": {}", hex(payload)),
    }
}
