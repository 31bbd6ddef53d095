//! An open connection between the lines of a person and a server.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use cloverleaf::proto::Role;
use cloverleaf::proto::extension::Hints;
use cloverleaf::{CloseCode, Closed, Error, Event, Message, Transport, WebSocket};
use cloverleaf_heartbeat::{Beats, Heartbeat, Latency};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::news;
use super::interrupts::Interrupts;
use super::line::{HELP, Line, hex};
use super::screen::Screen;

/// While so many octets wait to be written, no line is taken.
const HIGH_WATER: usize = 64 << 10;

/// What the last ping carries. Whoever answers in order has answered everything when its pong comes.
const LAST_PING: &[u8] = b"that was all";

/// So long the answer to it is waited for.
const LAST_PONG: Duration = Duration::from_secs(10);

/// A connection, and what is to be done with it.
pub(super) struct Session {
    pub(super) socket: WebSocket<Transport>,
    pub(super) screen: Screen,
    /// Lines are hexadecimal.
    pub(super) binary: bool,
    /// For every message.
    pub(super) hints: Hints,
    /// Close after so many messages.
    pub(super) count: Option<u64>,
    /// What measures heartbeats, if they were offered.
    pub(super) beats: Option<Beats>,
    pub(super) interrupts: Interrupts,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a closing handshake and nothing wrong.
    Normal,
    /// In any other way, which was said.
    Failed,
}

/// What happens next.
enum Next {
    Event(Option<Event>),
    Line(Option<Result<String, String>>),
    Interrupted,
    Late,
}

/// What a step leaves to do.
enum Step {
    On,
    Close(CloseCode, String),
    Over,
}

impl Session {
    /// Carries lines and messages until one side closes. With `raw`, lines are no commands.
    pub(super) async fn run(
        mut self,
        mut lines: mpsc::Receiver<Result<String, String>>,
        raw: bool,
    ) -> End {
        for line in news::opening(self.socket.opening()) {
            self.screen.news(&line);
        }
        let mut reading = true;
        let mut deadline = None;
        loop {
            let step = match self.next(&mut lines, reading, deadline).await {
                Next::Event(event) => self.show(event),
                Next::Line(Some(line)) => self.obey(line, raw),
                Next::Line(None) => {
                    reading = false;
                    // Who counts messages knows what is still to come.
                    if self.count.is_some() {
                        Step::On
                    } else {
                        deadline = Some(Instant::now() + LAST_PONG);
                        self.ping(LAST_PING)
                    }
                }
                Next::Late => Step::Close(CloseCode::NORMAL, String::new()),
                Next::Interrupted => Step::Close(CloseCode::GOING_AWAY, String::new()),
            };
            match step {
                Step::On => {}
                Step::Over => break,
                Step::Close(code, reason) => {
                    if !self.close(code, &reason).await {
                        self.screen.say("interrupted again: cut off");
                        return End::Failed;
                    }
                    break;
                }
            }
        }
        for line in self.statistics() {
            self.screen.news(&line);
        }
        self.end()
    }

    async fn next(
        &mut self,
        lines: &mut mpsc::Receiver<Result<String, String>>,
        reading: bool,
        deadline: Option<Instant>,
    ) -> Next {
        let socket = &mut self.socket;
        tokio::select! {
            next = event_or_line(socket, lines, reading) => next,
            () = self.interrupts.next() => Next::Interrupted,
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)),
                if deadline.is_some() => Next::Late,
        }
    }

    /// What the connection says.
    fn show(&mut self, event: Option<Event>) -> Step {
        let beats = self.beats.as_mut();
        if let Some(latency) = event.as_ref().and_then(|event| beats?.measure(event)) {
            self.screen.say(&words(&latency));
            return Step::On;
        }
        match event {
            Some(Event::Message(message)) => {
                if self.screen.message(&message).is_err() {
                    // Nobody reads what we print (`| head`).
                    return Step::Close(CloseCode::GOING_AWAY, String::new());
                }
                if let Some(left) = &mut self.count {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        return Step::Close(CloseCode::NORMAL, String::new());
                    }
                }
            }
            Some(Event::Ping(payload)) => self.screen.news(&format!("ping{}", with(&payload))),
            Some(Event::Pong(payload)) if payload == LAST_PING => {
                return Step::Close(CloseCode::NORMAL, String::new());
            }
            Some(Event::Pong(payload)) => self.screen.news(&format!("pong{}", with(&payload))),
            Some(Event::Notice { extension, payload }) => {
                self.screen.news(&format!("{extension}{}", with(&payload)));
            }
            Some(Event::Extension { opcode, payload }) => {
                self.screen.news(&format!("{opcode}{}", with(&payload)));
            }
            Some(Event::Closed(_)) | None => return Step::Over,
            Some(_) => {}
        }
        Step::On
    }

    /// What a line asks for.
    fn obey(&mut self, line: Result<String, String>, raw: bool) -> Step {
        let line = line.and_then(|line| {
            if raw {
                Line::message(&line, self.binary)
            } else {
                Line::parse(&line, self.binary)
            }
        });
        match line {
            Ok(Line::Text(text)) => self.send(Message::text(text)),
            Ok(Line::Binary(octets)) => self.send(Message::binary(octets)),
            Ok(Line::Ping(text)) => self.ping(text.as_bytes()),
            Ok(Line::Beat) => self.beat(),
            Ok(Line::Close(code, reason)) => Step::Close(code, reason),
            Ok(Line::Statistics) => {
                for line in self.statistics() {
                    self.screen.say(&line);
                }
                Step::On
            }
            Ok(Line::Help) => {
                HELP.lines().for_each(|line| self.screen.say(line));
                Step::On
            }
            Err(problem) => {
                self.screen.say(&problem);
                Step::On
            }
        }
    }

    fn send(&mut self, message: Message) -> Step {
        let hints = self.hints;
        let begun = begin(self.socket.send_with(message, hints));
        self.begun(begun)
    }

    fn ping(&mut self, payload: &[u8]) -> Step {
        let begun = begin(self.socket.ping(payload));
        self.begun(begun)
    }

    fn beat(&mut self) -> Step {
        let agreed = &self.socket.opening().agreed;
        let agreed = agreed.iter().any(|agreed| agreed.name == Heartbeat::NAME);
        match &mut self.beats {
            Some(beats) if agreed => {
                let beat = beats.beat();
                let begun = begin(self.socket.send_extension(Heartbeat::OPCODE, beat));
                self.begun(begun)
            }
            _ => {
                let name = Heartbeat::NAME;
                let advice = format!("{name} is not agreed: give both ends --extension {name}");
                self.screen.say(&advice);
                Step::On
            }
        }
    }

    fn statistics(&self) -> Vec<String> {
        let mut lines = news::statistics(&self.socket.statistics());
        let figures = self.beats.as_ref().and_then(Beats::figures);
        lines.extend(figures.map(|figures| format!("  {figures}")));
        lines
    }

    /// What could not be sent is said. That the connection is gone, its last event says.
    fn begun(&self, begun: Result<(), Error>) -> Step {
        match begun {
            Err(error) if !error.is_closed() => self.screen.say(&error.to_string()),
            _ => {}
        }
        Step::On
    }

    /// Closes, and waits for the server to agree. `false` if interrupted once more.
    async fn close(&mut self, code: CloseCode, reason: &str) -> bool {
        tokio::select! {
            // How it ended is kept in the socket.
            _ = self.socket.close_with(code, reason) => true,
            () = self.interrupts.next() => false,
        }
    }

    fn end(&self) -> End {
        let Some(closed) = self.socket.closed() else {
            self.screen.say("the connection is gone");
            return End::Failed;
        };
        let line = news::ending(closed, Role::Client);
        if is_normal(closed) {
            self.screen.news(&line);
            End::Normal
        } else {
            self.screen.say(&line);
            End::Failed
        }
    }
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

/// The next event, or the next line if there is room for it. Cancel-safe.
async fn event_or_line(
    socket: &mut WebSocket<Transport>,
    lines: &mut mpsc::Receiver<Result<String, String>>,
    reading: bool,
) -> Next {
    poll_fn(|cx| {
        // It also writes what waits, and so makes room.
        if let Poll::Ready(event) = pin!(socket.recv_event()).poll(cx) {
            return Poll::Ready(Next::Event(event));
        }
        if reading && socket.buffered() < HIGH_WATER {
            return lines.poll_recv(cx).map(Next::Line);
        }
        Poll::Pending
    })
    .await
}

/// Takes the first step of sending something, which hands it to the connection whole. The event that
/// is waited for next writes what is left: to wait here would leave unread what the server sends, and
/// two ends that both write would wait for ever.
fn begin(sending: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
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
