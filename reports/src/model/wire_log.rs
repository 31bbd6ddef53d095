//! What went over the wire in one case, in order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One row of a wire log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "row", rename_all = "snake_case")]
#[non_exhaustive]
pub enum WireRow {
    /// Octets written to, or read from, the TCP connection.
    Octets {
        /// Whether the suite sent or received them.
        direction: Direction,
        /// How many octets there were.
        length: u64,
        /// The octets in hexadecimal, possibly only the first ones, then ending in ` ...`.
        hex: String,
        /// Whether they were flushed at once instead of being left to the send buffer.
        sync: bool,
    },
    /// A WebSocket frame.
    Frame {
        /// Whether the suite sent or received it.
        direction: Direction,
        /// The opcode, 0 to 15.
        opcode: u8,
        /// The FIN bit.
        fin: bool,
        /// The three reserved bits as a number: RSV1 counts 4, RSV2 counts 2, RSV3 counts 1.
        rsv: u8,
        /// The masking key in hexadecimal, if the frame was masked.
        mask: Option<String>,
        /// The length of the payload in octets.
        length: u64,
        /// The payload as text, or as `0x` and hexadecimal; long ones cut and ending in ` ...`.
        payload: String,
        /// The payload was repeated to this length, in octets.
        repeat: Option<u64>,
        /// The frame was written in pieces of this size, in octets.
        chop: Option<u64>,
        /// Whether it was flushed at once.
        sync: bool,
    },
    /// A timer of the case was set or fired.
    Timer {
        /// What happened to which timer.
        event: TimerEvent,
        /// In how many seconds it is to fire, where that was written down.
        seconds: Option<f64>,
        /// The name the case gave to it.
        tag: Option<String>,
    },
    /// Logging was switched off (during bulk traffic) or on again.
    Logging {
        /// The new state.
        on: bool,
    },
    /// A row of another form, as JSON text.
    Other {
        /// The row.
        json: String,
    },
}

/// Which way octets and frames went, seen from the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a wire has two directions")]
pub enum Direction {
    /// From the suite to the subject.
    Sent,
    /// From the subject to the suite.
    Received,
}

/// What happened to a timer of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimerEvent {
    /// The case will go on later.
    ContinueSet,
    /// The case goes on.
    ContinueFired,
    /// The connection will be failed if the subject does not end it.
    KillSet,
    /// The connection is failed.
    KillFired,
    /// The connection will be closed.
    CloseSet,
    /// The connection is closed.
    CloseFired,
}
