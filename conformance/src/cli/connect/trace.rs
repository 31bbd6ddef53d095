//! `--trace`: every frame, a line each.

use clap::ValueEnum;
use cloverleaf::CloseFrame;
use cloverleaf::proto::Role;
use cloverleaf::proto::extension::{ChannelId, Direction, Tap, View, Watcher};
use cloverleaf::proto::frame::{Head, OpCode};

use super::super::news;
use super::line::hex;
use super::screen::Screen;
use cloverleaf_reports::printable::printable;

/// So many characters or octets of a payload are shown.
const PREVIEW: usize = 40;

/// Where frames are looked at.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Traced {
    /// as they are on the wire
    Wire,
    /// without what works on frames, such as deflate-frame
    Fragments,
    /// as they are sent and received by hand
    Messages,
}

impl Traced {
    const fn view(self) -> View {
        match self {
            Self::Wire => View::Wire,
            Self::Fragments => View::Fragments,
            Self::Messages => View::Messages,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Wire => "wire",
            Self::Fragments => "fragments",
            Self::Messages => "messages",
        }
    }
}

/// Shows the frames of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace {
    pub(super) traced: Traced,
    pub(super) screen: Screen,
    /// Of a connection that carries many.
    pub(super) channel: Option<ChannelId>,
}

impl Tap for Trace {
    fn attach(&self, _: Role) -> Box<dyn Watcher> {
        Box::new(*self)
    }

    fn attach_channel(&self, _: Role, id: ChannelId) -> Box<dyn Watcher> {
        let channel = Some(id);
        Box::new(Self { channel, ..*self })
    }
}

impl Watcher for Trace {
    fn frame(&mut self, view: View, direction: Direction, head: Head, payload: &[u8]) {
        if view == self.traced.view() {
            self.screen.say(&self.line(direction, head, payload));
        }
    }
}

impl Trace {
    fn line(&self, direction: Direction, head: Head, payload: &[u8]) -> String {
        let arrow = match direction {
            Direction::Incoming => '<',
            Direction::Outgoing => '>',
        };
        let number = self.channel.map(|id| format!(" [{}]", id.get()));
        format!(
            "{}{} {arrow} {head}, {}{}",
            self.traced.name(),
            number.unwrap_or_default(),
            news::count(payload.len() as u64, "octet"),
            preview(head, payload)
        )
    }
}

/// The beginning of a payload: text where it is text, a code and reason, or hexadecimal.
fn preview(head: Head, payload: &[u8]) -> String {
    if payload.is_empty() {
        return String::new();
    }
    if head.opcode == OpCode::CLOSE
        && let Ok(Some(frame)) = CloseFrame::parse(payload)
    {
        let code = news::code(frame.code);
        return match printable(&frame.reason) {
            reason if reason.is_empty() => format!(": {code}"),
            reason => format!(": {code}, \"{reason}\""),
        };
    }
    // With a reserved bit, what looks like text is chance.
    let text = if head.rsv.is_empty() && head.opcode != OpCode::BINARY {
        std::str::from_utf8(payload).ok()
    } else {
        None
    };
    match text {
        Some(text) => match text.char_indices().nth(PREVIEW) {
            Some((end, _)) => format!(": \"{}\"…", printable(&text[..end])),
            None => format!(": \"{}\"", printable(text)),
        },
        None if payload.len() > PREVIEW => format!(": {}…", hex(&payload[..PREVIEW])),
        None => format!(": {}", hex(payload)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloverleaf::proto::frame::Rsv;

    fn trace() -> Trace {
        Trace {
            traced: Traced::Wire,
            screen: Screen::new(false, false),
            channel: None,
        }
    }

    #[test]
    fn a_line_has_the_way_the_head_the_length_and_a_harmless_beginning() {
        let text = Head::new(OpCode::TEXT);
        let long = "ä".repeat(41);
        for (head, payload, expected) in [
            (text, &b"Hello"[..], "Text fin, 5 octets: \"Hello\""),
            (text, b"", "Text fin, 0 octets"),
            (text, b"\x1b[2J", "Text fin, 4 octets: \"\\u{1b}[2J\""),
            (text, b"\xff", "Text fin, 1 octet: ff"),
            (
                text,
                long.as_bytes(),
                &format!("Text fin, 82 octets: \"{}\"…", "ä".repeat(40)),
            ),
            (
                text.with_rsv(Rsv::RSV1),
                b"Hello",
                "Text fin rsv1, 5 octets: 48656c6c6f",
            ),
            (
                text.with_opcode(OpCode::BINARY).with_fin(false),
                &[7; 41],
                &format!("Binary, 41 octets: {}…", "07".repeat(40)),
            ),
            (
                text.with_opcode(OpCode::CLOSE),
                b"\x03\xe8b\xe2\x80\xaee",
                "Close fin, 7 octets: 1000 (done), \"b\\u{202e}e\"",
            ),
            (
                text.with_opcode(OpCode::CLOSE),
                b"\x03",
                "Close fin, 1 octet: \"\\u{3}\"",
            ),
        ] {
            assert_eq!(
                trace().line(Direction::Incoming, head, payload),
                format!("wire < {expected}")
            );
        }
    }

    #[test]
    fn a_frame_of_a_channel_has_its_number() {
        let channel = Some(ChannelId::new(3));
        let trace = Trace { channel, ..trace() };
        assert_eq!(
            trace.line(Direction::Outgoing, Head::new(OpCode::TEXT), b"Hello"),
            "wire [3] > Text fin, 5 octets: \"Hello\""
        );
    }
}
