//! What was seen in one case.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WireRow;

/// What was expected and what was seen in one case. Everything is optional: suites differ in what
/// they write down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Detail {
    /// When the case began, UTC, as the suite wrote it.
    pub started: Option<String>,
    /// A sentence on the behaviour.
    pub result: Option<String>,
    /// A sentence on the end of the connection.
    pub result_close: Option<String>,
    /// For each verdict that can be earned (`OK`, `NON-STRICT`), the events that earn it.
    pub expected: BTreeMap<String, Vec<Event>>,
    /// The end of the connection that was expected.
    pub expected_close: Option<ExpectedClose>,
    /// The events seen, in order.
    pub received: Vec<Event>,
    /// The head of the HTTP request of the opening handshake.
    pub request: Option<String>,
    /// The head of the HTTP response of the opening handshake.
    pub response: Option<String>,
    /// How the connection ended.
    pub close: Option<Close>,
    /// Reads by the suite: size in octets, how often.
    pub received_octets: BTreeMap<u64, u64>,
    /// Writes by the suite: size in octets, how often.
    pub sent_octets: BTreeMap<u64, u64>,
    /// Frames received: opcode, how often.
    pub received_frames: BTreeMap<u64, u64>,
    /// Frames sent: opcode, how often.
    pub sent_frames: BTreeMap<u64, u64>,
    /// Sums over a case with compression.
    pub traffic: Option<Traffic>,
    /// What went over the wire.
    pub wire_log: Vec<WireRow>,
}

/// Something the subject did that a case can expect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A message.
    Message {
        /// The payload, cut if long; `0x` and hexadecimal if it is not text.
        payload: String,
        /// Whether the message was binary.
        binary: bool,
    },
    /// A ping.
    Ping {
        /// The payload, as in a message.
        payload: String,
    },
    /// A pong.
    Pong {
        /// The payload, as in a message.
        payload: String,
    },
    /// A pause that the case waits for.
    Timeout {
        /// The name the case gave to it.
        tag: String,
    },
    /// An event of another form, as JSON text.
    Other {
        /// The event.
        json: String,
    },
}

/// The end of a connection that a case accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct ExpectedClose {
    /// Whether the suite is to begin the closing handshake.
    pub by_suite: bool,
    /// The close codes accepted from the subject.
    pub codes: Vec<u16>,
    /// Whether the closing handshake must be completed.
    pub require_clean: bool,
}

/// How a connection ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Close {
    /// The suite began the closing handshake.
    pub closed_by_suite: bool,
    /// The suite failed the connection.
    pub failed_by_suite: bool,
    /// The suite dropped the TCP connection.
    pub dropped_by_suite: bool,
    /// The closing handshake was completed.
    pub was_clean: bool,
    /// Why it was not.
    pub not_clean_reason: Option<String>,
    /// The server should have dropped the TCP connection, and the suite's timer ran out.
    pub server_drop_timeout: bool,
    /// The opening handshake took too long.
    pub opening_handshake_timeout: bool,
    /// The closing handshake took too long.
    pub closing_handshake_timeout: bool,
    /// The close code the suite sent.
    pub suite_code: Option<u16>,
    /// The reason the suite sent.
    pub suite_reason: Option<String>,
    /// The close code the subject sent.
    pub subject_code: Option<u16>,
    /// The reason the subject sent.
    pub subject_reason: Option<String>,
}

/// Sums of the traffic in a case with compression. Octets, unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Traffic {
    /// Octets of messages received, after inflating.
    pub received_app: u64,
    /// Octets of frame payloads received.
    pub received_websocket: u64,
    /// Octets received over TCP, handshake excluded.
    pub received_wire: u64,
    /// Compressed size over plain size of what was received.
    pub received_ratio: Option<f64>,
    /// Frames received.
    pub received_frames: u64,
    /// Messages received.
    pub received_messages: u64,
    /// Octets of messages sent, before deflating.
    pub sent_app: u64,
    /// Octets of frame payloads sent.
    pub sent_websocket: u64,
    /// Octets sent over TCP, handshake excluded.
    pub sent_wire: u64,
    /// Compressed size over plain size of what was sent.
    pub sent_ratio: Option<f64>,
    /// Frames sent.
    pub sent_frames: u64,
    /// Messages sent.
    pub sent_messages: u64,
}
