//! What goes to standard output and standard error. Nothing a peer sent acts on a terminal.

use std::io::{self, IsTerminal as _, Write as _};

use cloverleaf::Message;

use super::line::hex;
use cloverleaf_reports::printable::{clipped, printable};

/// On a terminal, so many characters of a message are shown.
const MOST: usize = 10_000;

/// Where things are shown, and which.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// Standard output is a terminal: messages are marked, and long ones cut.
    terminal: bool,
    /// Tell what happens beside messages.
    chatty: bool,
    /// Binary messages are the rule.
    binary: bool,
    /// What stands in front says which channel it is about.
    channel: Option<u32>,
}

impl Screen {
    pub(super) fn new(verbose: bool, binary: bool) -> Self {
        Self {
            terminal: io::stdout().is_terminal(),
            chatty: verbose || io::stderr().is_terminal(),
            binary,
            channel: None,
        }
    }

    /// The same for one of several channels.
    pub(super) const fn of(self, channel: u32) -> Self {
        let channel = Some(channel);
        Self { channel, ..self }
    }

    fn number(self) -> String {
        match self.channel {
            Some(number) => format!("[{number}] "),
            None => String::new(),
        }
    }

    /// A message, a line of standard output. The error is that nobody reads it.
    pub(super) fn message(self, message: &Message) -> io::Result<()> {
        let line = as_line(message, self.binary);
        let number = self.number();
        let line = if self.terminal {
            format!("{number}< {}\n", clipped(&line, MOST))
        } else {
            format!("{number}{}\n", printable(&line))
        };
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes())?;
        out.flush()
    }

    /// What happened beside messages, if anybody wants to know.
    pub(super) fn news(self, news: &str) {
        if self.chatty {
            self.say(news);
        }
    }

    /// What was asked for, or must be known.
    pub(super) fn say(self, news: &str) {
        let line = format!("* {}{}\n", self.number(), printable(news));
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

/// A message as the line that would send it: one of the usual kind as it is, another as a command.
fn as_line(message: &Message, binary: bool) -> String {
    match message {
        Message::Text(text) if binary => format!("/text {text}"),
        Message::Text(text) if text.starts_with('/') => format!("/{text}"),
        Message::Text(text) => text.to_string(),
        Message::Binary(octets) if binary => hex(octets),
        Message::Binary(octets) => format!("/binary {}", hex(octets)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Line;
    use super::*;

    #[test]
    fn a_message_is_shown_as_the_line_that_would_send_it() {
        for message in [
            Message::text("hello"),
            Message::text(""),
            Message::text("/etc/passwd"),
            Message::text("//"),
            Message::binary(vec![0, 255]),
            Message::binary(vec![]),
        ] {
            for binary in [false, true] {
                let line = as_line(&message, binary);
                let sent = match Line::parse(&line, binary).expect("it can be sent") {
                    Line::Text(text) => Message::text(text),
                    Line::Binary(octets) => Message::binary(octets),
                    other => panic!("{line:?} is {other:?}"),
                };
                assert_eq!(sent, message, "{line:?}");
            }
        }
    }
}
