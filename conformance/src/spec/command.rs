//! What a client of the fuzzing server may say in direct mode: frames to be sent to it.
//!
//! Each command is one text message, a JSON list: `["sendframe", {"opcode": 1}]`.

use std::error::Error;
use std::fmt;

use serde_json::Value;

use super::error::Problem;
use super::reader::Object;

/// The most that one command may have the server send, in bytes of payload. The original
/// knows no limit.
pub const MAX_PAYLOAD: u64 = 64 << 20;

/// The most bytes of a reason that fit into a close frame (RFC 6455 §5.5).
const MAX_REASON: usize = 123;

/// One command.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "Autobahn's commands: all there is")]
pub enum Command {
    /// `sendframe` and `sendframes`: send these frames, however wrong they are.
    SendFrames(Vec<FrameOrder>),
    /// `close`: begin the closing handshake.
    Close {
        /// The code; if there is none the close frame is empty.
        code: Option<u16>,
        /// The reason, at most 123 bytes; never without a code.
        reason: Option<String>,
    },
    /// `echo`: send a text frame with this payload.
    Echo(Payload),
}

/// A frame to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FrameOrder {
    /// The opcode, 0 to 15.
    pub opcode: u8,
    /// The payload.
    pub payload: Payload,
    /// Whether FIN is set.
    pub fin: bool,
    /// The three reserved bits, RSV1 being 4.
    pub rsv: u8,
    /// The masking key, if the frame is to be masked.
    pub mask: Option<[u8; 4]>,
    /// How many bytes go into one write; all at once if there is none.
    pub chop_size: Option<u64>,
    /// Whether each write is to be on its way before the next.
    pub sync: bool,
}

/// A payload, possibly repeated.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Payload {
    /// The text.
    pub text: String,
    /// How long the payload is in bytes: the text over and over, the last time cut. At most
    /// [`MAX_PAYLOAD`].
    pub length: u64,
}

impl Command {
    /// Reads a text message.
    ///
    /// # Errors
    ///
    /// If it is not JSON, not a command, or asks for what no frame can be.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| CommandError(format!("not JSON: {error}")))?;
        let Some((Value::String(name), arguments)) =
            value.as_array().and_then(|list| list.split_first())
        else {
            return Err(CommandError(
                "must be a list that begins with a command, [\"sendframe\", {...}]".to_owned(),
            ));
        };
        let argument = arguments.first().unwrap_or(&Value::Null);
        let command = match name.as_str() {
            "sendframe" => Self::SendFrames(vec![frame("sendframe".to_owned(), argument)?]),
            "sendframes" => Self::SendFrames(frames(argument)?),
            "close" => close(argument)?,
            "echo" => Self::Echo(payload(&Object::new("echo".to_owned(), argument)?)?),
            _ => {
                return Err(CommandError(
                    "unknown command; there are sendframe, sendframes, close and echo".to_owned(),
                ));
            }
        };
        if command.payload_length() > MAX_PAYLOAD {
            return Err(CommandError(format!(
                "asks for more than {MAX_PAYLOAD} bytes at once"
            )));
        }
        Ok(command)
    }

    fn payload_length(&self) -> u64 {
        match self {
            Self::SendFrames(frames) => frames.iter().fold(0, |sum: u64, frame| {
                sum.saturating_add(frame.payload.length)
            }),
            Self::Close { .. } => 0,
            Self::Echo(payload) => payload.length,
        }
    }
}

fn frames(argument: &Value) -> Result<Vec<FrameOrder>, Problem> {
    let Value::Array(list) = argument else {
        return Err(Problem::Wrong {
            place: "`sendframes`".to_owned(),
            must_be: "a list of frames, [{\"opcode\": 1}]".to_owned(),
            found: super::reader::found(argument),
        });
    };
    list.iter()
        .enumerate()
        .map(|(at, value)| frame(format!("sendframes[{at}]"), value))
        .collect()
}

fn frame(place: String, value: &Value) -> Result<FrameOrder, Problem> {
    let order = Object::new(place, value)?;
    let opcode = order
        .integer("opcode", 0..=15)?
        .ok_or_else(|| Problem::Missing {
            place: order.place("opcode"),
            must_be: "a whole number from 0 to 15".to_owned(),
        })?;
    let mask = order.field(
        "mask",
        "a text of four characters, each up to U+00FF",
        |value| {
            let letters = value.as_str()?.chars().map(u8::try_from);
            let key: Vec<u8> = letters.collect::<Result<_, _>>().ok()?;
            if key.is_empty() {
                return Some(None);
            }
            Some(Some(<[u8; 4]>::try_from(key).ok()?))
        },
    )?;
    Ok(FrameOrder {
        opcode: opcode as u8,
        payload: payload(&order)?,
        fin: order.boolean("fin")?.unwrap_or(true),
        rsv: order.integer("rsv", 0..=7)?.unwrap_or(0) as u8,
        mask: mask.flatten(),
        chop_size: order
            .integer("chopsize", 0..=u64::MAX)?
            .filter(|&size| size > 0),
        sync: order.boolean("sync")?.unwrap_or(false),
    })
}

fn payload(order: &Object<'_>) -> Result<Payload, Problem> {
    let text = order.string("payload")?.unwrap_or_default();
    let length = match order.integer("payload_len", 0..=MAX_PAYLOAD)? {
        None => text.len() as u64,
        Some(_) if text.is_empty() => {
            return Err(Problem::Missing {
                place: order.place("payload"),
                must_be: "a text that is not empty, to be repeated".to_owned(),
            });
        }
        Some(length) => length,
    };
    Ok(Payload { text, length })
}

fn close(argument: &Value) -> Result<Command, Problem> {
    let order = Object::new("close".to_owned(), argument)?;
    let must_be = "1000 or a number from 3000 to 4999";
    let code = order.field("code", must_be, |value| {
        super::reader::integer(value)
            .and_then(|code| u16::try_from(code).ok())
            .filter(|code| matches!(code, 1000 | 3000..=4999))
    })?;
    let reason = order.field("reason", "a text of at most 123 bytes", |value| {
        value
            .as_str()
            .filter(|reason| reason.len() <= MAX_REASON)
            .map(str::to_owned)
    })?;
    if code.is_none() && reason.is_some() {
        return Err(Problem::Missing {
            place: order.place("code"),
            must_be: format!("{must_be}, as there is a reason"),
        });
    }
    Ok(Command::Close { code, reason })
}

/// A message that is no command, and what it must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandError(String);

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        Self(problem.to_string())
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command: {}", self.0)
    }
}

impl Error for CommandError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, length: u64) -> Payload {
        Payload {
            text: text.to_owned(),
            length,
        }
    }

    fn order(opcode: u8) -> FrameOrder {
        FrameOrder {
            opcode,
            payload: text("", 0),
            fin: true,
            rsv: 0,
            mask: None,
            chop_size: None,
            sync: false,
        }
    }

    #[test]
    fn every_command_is_read() {
        let close = |code, reason: Option<&str>| Command::Close {
            code,
            reason: reason.map(str::to_owned),
        };
        let all = FrameOrder {
            opcode: 15,
            payload: text("\u{e9}x", 10),
            fin: false,
            rsv: 7,
            mask: Some([0x61, 0, 0xff, 0x7f]),
            chop_size: Some(3),
            sync: true,
        };
        for (json, expected) in [
            (
                r#"["sendframe", {"opcode": 9}]"#,
                Command::SendFrames(vec![order(9)]),
            ),
            (
                r#"["sendframe", {"opcode": 15, "payload": "éx", "fin": false, "rsv": 7,
                    "mask": "a\u0000\u00ff\u007f", "payload_len": 10, "chopsize": 3,
                    "sync": true, "more": []}]"#,
                Command::SendFrames(vec![all]),
            ),
            (
                r#"["sendframe", {"opcode": 1, "mask": "", "payload": "é", "chopsize": 0}, 7]"#,
                Command::SendFrames(vec![FrameOrder {
                    payload: text("\u{e9}", 2),
                    ..order(1)
                }]),
            ),
            (r#"["sendframes", []]"#, Command::SendFrames(vec![])),
            (
                r#"["sendframes", [{"opcode": 0}, {"opcode": 1}]]"#,
                Command::SendFrames(vec![order(0), order(1)]),
            ),
            (r#"["close", {}]"#, close(None, None)),
            (r#"["close", {"code": 1000}]"#, close(Some(1000), None)),
            (
                r#"["close", {"code": 4999, "reason": "so"}]"#,
                close(Some(4999), Some("so")),
            ),
            (r#"["echo", {}]"#, Command::Echo(text("", 0))),
            (
                r#"["echo", {"payload": "ab"}]"#,
                Command::Echo(text("ab", 2)),
            ),
            (
                r#"["echo", {"payload": "ab", "payload_len": 67108864}]"#,
                Command::Echo(text("ab", MAX_PAYLOAD)),
            ),
        ] {
            assert_eq!(Command::parse(json), Ok(expected), "{json}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_advice() {
        let long = format!(
            r#"["close", {{"code": 1000, "reason": "{}"}}]"#,
            "é".repeat(62)
        );
        let half = r#"{"opcode": 1, "payload": "x", "payload_len": 33554433}"#;
        let much = format!(r#"["sendframes", [{half}, {half}]]"#);
        for (json, expected) in [
            ("hello", "not JSON: expected value at line 1"),
            ("{}", "must be a list that begins with a command"),
            ("[]", "must be a list that begins with a command"),
            ("[1]", "must be a list that begins with a command"),
            (
                r#"["shout", {}]"#,
                "there are sendframe, sendframes, close and echo",
            ),
            (
                r#"["sendframe"]"#,
                "`sendframe` must be an object, {...}, but is null",
            ),
            (r#"["sendframe", {}]"#, "`sendframe.opcode` is missing"),
            (
                r#"["sendframe", {"opcode": 16}]"#,
                "from 0 to 15, but is 16",
            ),
            (
                r#"["sendframe", {"opcode": 1, "rsv": 8}]"#,
                "from 0 to 7, but is 8",
            ),
            (
                r#"["sendframe", {"opcode": 1, "fin": "no"}]"#,
                "true or false",
            ),
            (
                r#"["sendframe", {"opcode": 1, "mask": "abc"}]"#,
                "four characters",
            ),
            (
                r#"["sendframe", {"opcode": 1, "mask": "abcĀ"}]"#,
                "up to U+00FF",
            ),
            (
                r#"["sendframe", {"opcode": 1, "payload": 1}]"#,
                "`sendframe.payload` must be",
            ),
            (
                r#"["sendframe", {"opcode": 1, "payload_len": 9}]"#,
                "`sendframe.payload` is missing; it must be a text that is not empty",
            ),
            (
                r#"["echo", {"payload": "a", "payload_len": 67108865}]"#,
                "from 0 to 67108864, but is 67108865",
            ),
            (&much, "more than 67108864 bytes at once"),
            (r#"["sendframes", {}]"#, "must be a list of frames"),
            (
                r#"["sendframes", [{"opcode": 1}, 2]]"#,
                "`sendframes[1]` must be an object",
            ),
            (
                r#"["close", {"code": 1001}]"#,
                "1000 or a number from 3000 to 4999, but is 1001",
            ),
            (r#"["close", {"code": 5000}]"#, "from 3000 to 4999"),
            (r#"["close", {"code": 66536}]"#, "from 3000 to 4999"),
            (r#"["close", {"reason": "so"}]"#, "`close.code` is missing"),
            (&long, "a text of at most 123 bytes"),
            (r#"["close"]"#, "`close` must be an object"),
        ] {
            let error = Command::parse(json).expect_err(json).to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn nesting_without_end_is_refused_and_not_followed() {
        assert!(Command::parse(&"[".repeat(100_000)).is_err());
    }
}
