//! What a line of input asks for.

use cloverleaf::{CloseCode, CloseFrame};

/// The most octets that a ping carries (RFC 6455 §5.5).
const MAX_PING: usize = 125;

/// What `/help` prints.
pub(super) const HELP: &str = "\
a line is sent as a text message (with --binary, as octets in hexadecimal)
//…                     a text message that begins with /
/text TEXT              a text message
/binary HEX             a binary message
/ping [TEXT]            a ping
/close [CODE] [REASON]  closes, with 1000 unless told otherwise
/beat                   a beat of x-heartbeat, if that is agreed
/statistics             what the extensions have done
/open [PATH]            one WebSocket more (--mux); the lines that follow are for it
/channel NUMBER         the lines that follow are for this one; with `all`, for all
/channels               lists them
/help                   this";

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    Binary(Vec<u8>),
    Ping(String),
    Beat,
    Close(CloseCode, String),
    Statistics,
    /// With a path, or that of the URL.
    Open(Option<String>),
    Channel(Target),
    Channels,
    Help,
}

/// Which channels lines are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    All,
    One(u32),
}

impl Line {
    /// Reads a line; with `binary`, one that is no command is hexadecimal.
    pub(super) fn parse(line: &str, binary: bool) -> Result<Self, String> {
        let Some(command) = line.strip_prefix('/') else {
            return Self::message(line, binary);
        };
        if command.starts_with('/') {
            return Ok(Self::Text(command.to_owned()));
        }
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        match (name, rest.trim()) {
            ("text", _) => Ok(Self::Text(rest.to_owned())),
            ("binary", hex) => octets(hex).map(Self::Binary),
            ("ping", text) if text.len() <= MAX_PING => Ok(Self::Ping(text.to_owned())),
            ("ping", _) => Err(format!("a ping carries at most {MAX_PING} octets")),
            ("close", rest) => close(rest),
            ("beat", "") => Ok(Self::Beat),
            ("statistics", "") => Ok(Self::Statistics),
            ("open", "") => Ok(Self::Open(None)),
            ("open", path) => Ok(Self::Open(Some(path.to_owned()))),
            ("channel", which) => target(which).map(Self::Channel),
            ("channels", "") => Ok(Self::Channels),
            ("help", "") => Ok(Self::Help),
            ("beat" | "statistics" | "channels" | "help", _) => {
                Err(format!("/{name} stands alone on its line"))
            }
            _ => Err(format!(
                "there is no command /{name}; /help lists them, and //{name} sends it as text"
            )),
        }
    }

    /// What is no command: the message of a line, or of `--send`.
    pub(super) fn message(text: &str, binary: bool) -> Result<Self, String> {
        if binary {
            octets(text).map(Self::Binary)
        } else {
            Ok(Self::Text(text.to_owned()))
        }
    }
}

fn target(which: &str) -> Result<Target, String> {
    match which {
        "all" => Ok(Target::All),
        number => number
            .parse()
            .map(Target::One)
            .map_err(|_| "write /channel 2, or /channel all; /channels lists them".to_owned()),
    }
}

fn close(rest: &str) -> Result<Line, String> {
    if rest.is_empty() {
        return Ok(Line::Close(CloseCode::NORMAL, String::new()));
    }
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let code = code.parse().ok().map(CloseCode::new);
    let code = code.filter(|code| code.is_allowed_on_wire()).ok_or(
        "a close code is 1000 to 1003, 1007 to 1014 or 3000 to 4999: /close 1000 or /close 4000 why",
    )?;
    let reason = reason.trim();
    if reason.len() > CloseFrame::MAX_REASON {
        return Err(format!(
            "the reason has {} octets; {} is the most",
            reason.len(),
            CloseFrame::MAX_REASON
        ));
    }
    Ok(Line::Close(code, reason.to_owned()))
}

/// Octets in hexadecimal, with or without spaces.
fn octets(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let wrong = || "octets are pairs of hexadecimal digits, such as 00ff or 00 ff".to_owned();
    let digits = digits.ok_or_else(wrong)?;
    let (pairs, odd) = digits.as_chunks::<2>();
    if odd.is_empty() {
        Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
    } else {
        Err(wrong())
    }
}

/// The same way back, without spaces.
pub(super) fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Result<Line, String> {
        Ok(Line::Text(text.to_owned()))
    }

    #[test]
    fn lines_and_what_they_ask_for() {
        for (line, expected) in [
            ("hello", text("hello")),
            ("", text("")),
            (" /ping", text(" /ping")),
            ("//etc", text("/etc")),
            ("///", text("//")),
            ("/text  a b ", text(" a b ")),
            ("/binary 00 fF", Ok(Line::Binary(vec![0, 255]))),
            ("/binary", Ok(Line::Binary(vec![]))),
            ("/ping", Ok(Line::Ping(String::new()))),
            ("/ping a b", Ok(Line::Ping("a b".to_owned()))),
            ("/close", Ok(Line::Close(CloseCode::NORMAL, String::new()))),
            (
                "/close 4000 see you",
                Ok(Line::Close(CloseCode::new(4000), "see you".to_owned())),
            ),
            ("/beat", Ok(Line::Beat)),
            ("/statistics", Ok(Line::Statistics)),
            ("/open", Ok(Line::Open(None))),
            (
                "/open  /chat?a=b ",
                Ok(Line::Open(Some("/chat?a=b".to_owned()))),
            ),
            ("/channel 2", Ok(Line::Channel(Target::One(2)))),
            ("/channel all", Ok(Line::Channel(Target::All))),
            ("/channels", Ok(Line::Channels)),
            ("/help", Ok(Line::Help)),
        ] {
            assert_eq!(Line::parse(line, false), expected, "{line:?}");
        }
    }

    #[test]
    fn a_slip_is_answered_with_advice() {
        let long = "x".repeat(126);
        for (line, advice) in [
            ("/quit", "//quit"),
            ("/", "/help"),
            ("/binary 0", "pairs"),
            ("/binary zz", "pairs"),
            ("/close bye", "3000 to 4999"),
            ("/close 1005", "3000 to 4999"),
            ("/close 70000", "3000 to 4999"),
            (&format!("/close 1000 {long}"), "123"),
            (&format!("/ping {long}"), "125"),
            ("/channel", "/channel 2"),
            ("/channel -1", "/channel 2"),
            ("/channels 2", "alone"),
            ("/help me", "alone"),
        ] {
            let error = Line::parse(line, false).expect_err(line);
            assert!(error.contains(advice), "{line}: {error}");
        }
    }

    #[test]
    fn binary_lines_are_hexadecimal_and_commands_stay_commands() {
        let octets = vec![0xde, 0xad];
        assert_eq!(Line::parse("DEad", true), Ok(Line::Binary(octets.clone())));
        assert_eq!(Line::parse(&hex(&octets), true), Ok(Line::Binary(octets)));
        assert!(Line::parse("hello", true).is_err());
        assert_eq!(Line::parse("/text hello", true), text("hello"));
    }
}
