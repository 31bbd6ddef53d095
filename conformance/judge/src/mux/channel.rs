//! A channel, as the judge keeps account of it.

use super::Happened;
use crate::frame::{BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT};
use crate::http::Head;
use crate::session::Compression;

/// Where a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a channel has these")]
pub enum State {
    /// Asked for, and not answered.
    Asked,
    /// Open, or closing.
    Open,
    /// Both close frames have crossed.
    Closed,
    /// The server has refused it.
    Refused,
    /// The subject has dropped it.
    DroppedBySubject,
    /// The judge has dropped it, and the subject has not acknowledged that.
    DroppedByJudge,
    /// Neither end knows it any more.
    Dropped,
}

/// A channel, whatever became of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Channel {
    /// Its number.
    pub id: u32,
    /// Where it stands.
    pub state: State,
    /// So many octets the subject may send.
    pub theirs: u64,
    /// So many octets the judge may send.
    pub ours: u64,
    /// The sum of all that the subject has granted.
    pub granted: u64,
    /// Octets of data that came.
    pub received: u64,
    /// Frames of data that came.
    pub frames: u64,
    /// The head of the client's request, whole.
    pub request: Option<Head>,
    /// The head of the server's response.
    pub response: Option<Head>,
    /// How many responses there were.
    pub responses: u32,
    /// What was agreed on for it.
    pub compression: Option<Compression>,
    data: Option<Data>,
    control: Option<(u8, Vec<u8>)>,
    pub(super) close_sent: bool,
    pub(super) close_came: bool,
}

/// A message that has begun.
#[derive(Debug)]
struct Data {
    binary: bool,
    compressed: bool,
    octets: Vec<u8>,
}

impl Channel {
    pub(super) fn new(id: u32, state: State, theirs: u64, ours: u64) -> Self {
        Self {
            id,
            state,
            theirs,
            ours,
            granted: 0,
            received: 0,
            frames: 0,
            request: None,
            response: None,
            responses: 0,
            compression: None,
            data: None,
            control: None,
            close_sent: false,
            close_came: false,
        }
    }

    /// Whether its number is taken.
    pub fn lives(&self) -> bool {
        matches!(self.state, State::Asked | State::Open)
    }

    /// The values of `Sec-WebSocket-Extensions` in the server's response.
    pub fn answered_extensions(&self) -> String {
        let response = self.response.as_ref();
        let values =
            response.map(|head| head.values("Sec-WebSocket-Extensions").collect::<Vec<_>>());
        values.unwrap_or_default().join(", ")
    }
}

impl Channel {
    /// A frame that was paid for.
    pub(super) fn frame(
        &mut self,
        at: usize,
        head: u8,
        payload: &[u8],
    ) -> Result<Option<Happened>, String> {
        let (fin, rsv, opcode) = (head & 0x80 != 0, head >> 4 & 7, head & 0x0F);
        let id = self.id;
        let broken = |what: &str| Err(format!("On channel {id} {what}."));
        let owned = match (&self.compression, opcode) {
            (Some(_), TEXT | BINARY) => 4,
            _ => 0,
        };
        if rsv & !owned != 0 {
            return broken("a reserved bit is set that nobody owns");
        }
        if self.control.is_some() && opcode != CONTINUATION {
            return broken("a frame comes inside a control frame");
        }
        match opcode {
            CLOSE | PING | PONG => {
                self.control = Some((opcode, payload.to_vec()));
            }
            CONTINUATION => match (&mut self.control, &mut self.data) {
                (Some((_, octets)), _) => octets.extend_from_slice(payload),
                (None, Some(data)) => {
                    data.octets.extend_from_slice(payload);
                    self.received += payload.len() as u64;
                    self.frames += 1;
                }
                (None, None) => return broken("a continuation continues nothing"),
            },
            TEXT | BINARY if self.data.is_some() => {
                return broken("a message begins inside another");
            }
            TEXT | BINARY => {
                self.received += payload.len() as u64;
                self.frames += 1;
                self.data = Some(Data {
                    binary: opcode == BINARY,
                    compressed: rsv & 4 != 0,
                    octets: payload.to_vec(),
                });
            }
            _ => return broken("a frame has a reserved opcode"),
        }
        if let Some((_, octets)) = &self.control
            && octets.len() > 125
        {
            return broken("a control frame has more than 125 octets");
        }
        if !fin {
            return Ok(None);
        }
        if let Some((opcode, octets)) = self.control.take() {
            return self.control_frame(at, opcode, octets);
        }
        let Some(data) = self.data.take() else {
            return Ok(None);
        };
        let payload = match (data.compressed, &mut self.compression) {
            (true, Some(compression)) => {
                let mut plain = Vec::new();
                let inflated = compression
                    .inflater
                    .message(&data.octets, 64 << 20, &mut plain);
                if let Err(error) = inflated {
                    return broken(&format!("a message cannot be inflated: {error}"));
                }
                plain
            }
            _ => data.octets,
        };
        if !data.binary && std::str::from_utf8(&payload).is_err() {
            return broken("a text is not UTF-8");
        }
        Ok(Some(Happened::Message {
            channel: at,
            payload,
            binary: data.binary,
        }))
    }

    fn control_frame(
        &mut self,
        at: usize,
        opcode: u8,
        octets: Vec<u8>,
    ) -> Result<Option<Happened>, String> {
        match opcode {
            PONG => Ok(Some(Happened::Pong(at, octets))),
            CLOSE => {
                let code = match octets.split_first_chunk() {
                    Some((code, _)) => Some(u16::from_be_bytes(*code)),
                    None if octets.is_empty() => None,
                    None => {
                        return Err(format!(
                            "A close frame of channel {} has one octet.",
                            self.id
                        ));
                    }
                };
                self.close_came = true;
                self.settle();
                Ok(Some(Happened::Close(at, code)))
            }
            // Nobody waits for an answer.
            _ => Ok(None),
        }
    }

    pub(super) fn settle(&mut self) {
        if self.close_sent && self.close_came && self.state == State::Open {
            self.state = State::Closed;
        }
    }
}

/// The message that carries this frame of a channel.
pub(crate) fn frame(id: u32, head: u8, payload: &[u8]) -> Vec<u8> {
    let mut message = super::channel_id(id);
    message.push(head);
    message.extend_from_slice(payload);
    message
}

/// What a frame costs: its payload, and one octet if it begins a message.
pub(crate) fn cost(head: u8, payload: usize) -> u64 {
    payload as u64 + u64::from(head & 0x0F != CONTINUATION)
}
