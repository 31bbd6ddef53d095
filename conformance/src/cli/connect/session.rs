//! Open WebSockets, between the lines of a person and a server.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use cloverleaf::proto::extension::Hints;
use cloverleaf::{CloseCode, Error, Event, Message, Multiplexer, Transport, WebSocket};
use cloverleaf_heartbeat::Heartbeat;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::arrivals::{Arrivals, Latest};
use super::channel::{Channel, Then, number_of};
use super::interrupts::Interrupts;
use super::line::{HELP, Line, Target};
use super::refusal;
use super::request::Asked;
use super::screen::Screen;

/// So long the answers to the last pings are waited for.
const LAST_PONG: Duration = Duration::from_secs(10);

/// Where lines come from.
pub(super) type Lines = mpsc::Receiver<Result<String, String>>;

/// What is to be done with the WebSockets of one connection.
pub(super) struct Session {
    pub(super) screen: Screen,
    /// Lines are hexadecimal.
    pub(super) binary: bool,
    /// Lines are no commands.
    pub(super) raw: bool,
    /// For every message.
    pub(super) hints: Hints,
    /// Close after so many messages.
    pub(super) count: Option<u64>,
    /// What measures heartbeats, if they were offered.
    pub(super) heartbeat: Option<Heartbeat>,
    /// What opens more WebSockets, or why there cannot be more.
    pub(super) opener: Result<Opener, &'static str>,
    /// So many more are to be opened before the first line.
    pub(super) to_open: u32,
    channels: Vec<Channel>,
    target: Target,
    opening: Option<Opening>,
    /// There has been more than one: what is shown has a number.
    several: bool,
    failed: bool,
    /// The end of the input has come.
    at_end: bool,
    deadline: Option<Instant>,
}

/// Opens one WebSocket after the other over a connection.
pub(super) struct Opener {
    pub(super) multiplexer: Multiplexer<Transport>,
    pub(super) asked: Asked,
    pub(super) latest: Latest,
}

/// One that is being opened.
type Opening = Pin<Box<dyn Future<Output = Result<WebSocket<Transport>, Error>>>>;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With closing handshakes and nothing wrong.
    Normal,
    /// In any other way, which was said.
    Failed,
}

/// What happens next.
enum Next {
    /// On the channel at this place.
    Event(usize, Option<Event>),
    Opened(Result<WebSocket<Transport>, Error>),
    Line(Option<Result<String, String>>),
    Interrupted,
    Late,
}

impl Session {
    /// One that writes to this screen.
    pub(super) fn new(screen: Screen, opener: Result<Opener, &'static str>) -> Self {
        Self {
            screen,
            binary: false,
            raw: false,
            hints: Hints::new(),
            count: None,
            heartbeat: None,
            opener,
            to_open: 0,
            channels: Vec::new(),
            target: Target::One(1),
            opening: None,
            several: false,
            failed: false,
            at_end: false,
            deadline: None,
        }
    }

    /// Carries lines and messages until all is closed.
    pub(super) async fn run(
        mut self,
        first: WebSocket<Transport>,
        mut lines: Lines,
        mut interrupts: Interrupts,
    ) -> End {
        if self.to_open > 0 {
            self.several = true;
            self.target = Target::All;
        }
        let latest = self.opener.as_ref().map(|opener| opener.latest.clone());
        self.add(latest.unwrap_or_default().get(), first);
        self.open_next();
        while !self.channels.is_empty() {
            match self.next(&mut lines, &mut interrupts).await {
                Next::Event(at, event) => self.show(at, event),
                Next::Opened(answer) => self.opened(answer),
                Next::Line(Some(line)) => self.obey(line),
                Next::Line(None) => self.finish(),
                Next::Late => {
                    self.deadline = None;
                    self.close_all(CloseCode::NORMAL);
                }
                Next::Interrupted if self.channels.iter().any(Channel::is_open) => {
                    self.close_all(CloseCode::GOING_AWAY);
                }
                Next::Interrupted => {
                    self.screen.say("interrupted again: cut off");
                    return End::Failed;
                }
            }
        }
        if self.failed {
            End::Failed
        } else {
            End::Normal
        }
    }

    async fn next(&mut self, lines: &mut Lines, interrupts: &mut Interrupts) -> Next {
        let deadline = self.deadline;
        tokio::select! {
            next = poll_fn(|cx| self.poll_next(lines, cx)) => next,
            () = interrupts.next() => Next::Interrupted,
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)),
                if deadline.is_some() => Next::Late,
        }
    }

    /// What channels and lines bring. Cancel-safe.
    fn poll_next(&mut self, lines: &mut Lines, cx: &mut Context<'_>) -> Poll<Next> {
        for (at, channel) in self.channels.iter_mut().enumerate() {
            if let Poll::Ready(event) = channel.poll_event(cx) {
                return Poll::Ready(Next::Event(at, event));
            }
        }
        if let Some(opening) = &mut self.opening {
            return opening.as_mut().poll(cx).map(|answer| {
                self.opening = None;
                Next::Opened(answer)
            });
        }
        if self.at_end || !self.channels.iter().any(Channel::is_open) {
            return Poll::Pending;
        }
        for channel in self.targets() {
            ready!(channel.poll_room(cx));
        }
        lines.poll_recv(cx).map(Next::Line)
    }

    // What the server does.

    fn show(&mut self, at: usize, event: Option<Event>) {
        // So that one channel does not keep others from being heard.
        let mut channel = self.channels.remove(at);
        match channel.show(event) {
            Then::On => {}
            Then::Counted => {
                if let Some(left) = &mut self.count {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        channel.close(CloseCode::NORMAL, "");
                        self.close_all(CloseCode::NORMAL);
                    }
                }
            }
            Then::Unread => {
                channel.close(CloseCode::GOING_AWAY, "");
                self.close_all(CloseCode::GOING_AWAY);
            }
            Then::Over(normal) => {
                self.failed |= !normal;
                return self.retarget();
            }
        }
        self.channels.push(channel);
        self.retarget();
    }

    fn opened(&mut self, answer: Result<WebSocket<Transport>, Error>) {
        match (answer, &self.opener) {
            (Ok(socket), Ok(opener)) => {
                let arrivals = opener.latest.get();
                if self.target != Target::All {
                    self.target = Target::One(number_of(&socket));
                }
                self.add(arrivals, socket);
                self.open_next();
            }
            (Ok(_), Err(_)) => {}
            (Err(error), _) => {
                self.failed = true;
                let said = refusal(&error);
                said.lines().for_each(|line| self.screen.say(line));
                if self.to_open > 0 {
                    // Not as many as were asked for: nothing is said to fewer.
                    self.close_all(CloseCode::GOING_AWAY);
                }
            }
        }
    }

    fn add(&mut self, arrivals: Arrivals, socket: WebSocket<Transport>) {
        let beats = self.heartbeat.as_ref().map(Heartbeat::beats);
        let screen = if self.several {
            self.screen.of(number_of(&socket))
        } else {
            self.screen
        };
        let channel = Channel::new(arrivals, socket, beats, screen);
        channel.tell_opening();
        self.channels.push(channel);
    }

    // What lines ask for.

    fn obey(&mut self, line: Result<String, String>) {
        let line = line.and_then(|line| {
            if self.raw {
                Line::message(&line, self.binary)
            } else {
                Line::parse(&line, self.binary)
            }
        });
        match line {
            Ok(Line::Text(text)) => self.send(&Message::text(text)),
            Ok(Line::Binary(octets)) => self.send(&Message::binary(octets)),
            Ok(Line::Ping(text)) => {
                self.targets()
                    .for_each(|channel| channel.ping(text.as_bytes()));
            }
            Ok(Line::Beat) => self.targets().for_each(Channel::beat),
            Ok(Line::Close(code, reason)) => {
                self.targets()
                    .for_each(|channel| channel.close(code, &reason));
                self.retarget();
            }
            Ok(Line::Statistics) => {
                for channel in self.targets() {
                    for line in channel.statistics() {
                        channel.screen.say(&line);
                    }
                }
            }
            Ok(Line::Open(path)) => self.open(path.as_deref()),
            Ok(Line::Channel(target)) => self.aim(target),
            Ok(Line::Channels) => self.list(),
            Ok(Line::Help) => HELP.lines().for_each(|line| self.screen.say(line)),
            Err(problem) => self.screen.say(&problem),
        }
    }

    /// The channels that a line is for.
    fn targets(&mut self) -> impl Iterator<Item = &mut Channel> {
        let target = self.target;
        self.channels.iter_mut().filter(move |channel| {
            channel.is_open() && (target == Target::All || target == Target::One(channel.number()))
        })
    }

    fn send(&mut self, message: &Message) {
        let hints = self.hints;
        self.targets()
            .for_each(|channel| channel.send(message.clone(), hints));
    }

    fn open(&mut self, path: Option<&str>) {
        let opener = match &self.opener {
            Ok(opener) => opener,
            Err(advice) => return self.screen.say(advice),
        };
        match opener.asked.another(path) {
            Ok(request) => {
                let multiplexer = opener.multiplexer.clone();
                self.opening = Some(Box::pin(async move { multiplexer.open(request).await }));
            }
            Err(error) => return self.screen.say(&error.to_string()),
        }
        self.several = true;
        for channel in &mut self.channels {
            channel.screen = self.screen.of(channel.number());
        }
    }

    /// The next of those that are to be there before the first line.
    fn open_next(&mut self) {
        if self.to_open > 0 {
            self.to_open -= 1;
            self.open(None);
        }
    }

    fn aim(&mut self, target: Target) {
        let is_there =
            |channel: &Channel| channel.is_open() && target == Target::One(channel.number());
        if target == Target::All || self.channels.iter().any(is_there) {
            self.target = target;
        } else {
            self.screen
                .say("no such channel is open; /channels lists them");
        }
    }

    fn list(&self) {
        let mut lines: Vec<(u32, String)> = self
            .channels
            .iter()
            .map(|channel| (channel.number(), channel.describe()))
            .collect();
        lines.sort();
        for (number, line) in lines {
            let aimed = self.target == Target::All || self.target == Target::One(number);
            let mark = if aimed { '>' } else { ' ' };
            self.screen.say(&format!("{mark} {line}"));
        }
        match &self.opener {
            Ok(opener) => {
                let slots = opener.multiplexer.slots().unwrap_or(0);
                self.screen.say(&format!("{slots} more may be opened"));
            }
            Err(advice) => self.screen.say(advice),
        }
    }

    /// Lines for a channel that is not open any more go to the first that is.
    fn retarget(&mut self) {
        let Target::One(number) = self.target else {
            return;
        };
        let open = || self.channels.iter().filter(|channel| channel.is_open());
        if self.at_end || open().any(|channel| channel.number() == number) {
            return;
        }
        if let Some(first) = open().map(Channel::number).min() {
            self.target = Target::One(first);
            self.screen
                .news(&format!("lines go to channel {first} now"));
        }
    }

    // The end.

    /// Closes each channel once the server has answered everything on it.
    fn finish(&mut self) {
        self.at_end = true;
        // Who counts messages knows what is still to come.
        if self.count.is_none() {
            self.deadline = Some(Instant::now() + LAST_PONG);
            let open = self.channels.iter_mut().filter(|channel| channel.is_open());
            open.for_each(Channel::finish);
        }
    }

    fn close_all(&mut self, code: CloseCode) {
        self.opening = None;
        self.to_open = 0;
        for channel in &mut self.channels {
            channel.close(code, "");
        }
    }
}
