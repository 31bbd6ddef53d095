//! What can go wrong, and whose fault it is.
//!
//! [`ProtocolError`], [`LimitExceeded`] and [`Deadline`] are the peer's; [`UsageError`] and
//! [`ConfigError`] are ours. What ended a connection is a [`ConnectionError`].

use core::fmt;

use crate::close::CloseCode;
use crate::extension::{Dropped, Failure};
use crate::frame::{OpCode, Rsv};

/// A way for the peer to break RFC 6455.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A close frame with one octet of payload.
    CloseFrameTooShort,
    /// A close reason that is not UTF-8.
    CloseReasonNotUtf8,
    /// A control frame without FIN.
    ControlFrameFragmented,
    /// A control frame with more than 125 octets of payload.
    ControlFrameTooLong,
    /// A close code that may not be sent.
    InvalidCloseCode,
    /// A 64-bit length with its top bit set.
    LengthOverflow,
    /// The server masked a frame.
    MaskedByServer,
    /// A message began before the last one ended.
    MessageInsideMessage,
    /// A length in a longer form than it needs.
    NonMinimalLength,
    /// A reserved bit that no agreed extension claims here.
    ReservedBitSet,
    /// An opcode that no agreed extension claims.
    ReservedOpCode,
    /// A text message that is not UTF-8.
    TextNotUtf8,
    /// A continuation with nothing to continue.
    UnexpectedContinuation,
    /// The client did not mask a frame.
    UnmaskedByClient,
}

impl ProtocolError {
    /// Every variant.
    pub const ALL: &'static [Self] = &[
        Self::CloseFrameTooShort,
        Self::CloseReasonNotUtf8,
        Self::ControlFrameFragmented,
        Self::ControlFrameTooLong,
        Self::InvalidCloseCode,
        Self::LengthOverflow,
        Self::MaskedByServer,
        Self::MessageInsideMessage,
        Self::NonMinimalLength,
        Self::ReservedBitSet,
        Self::ReservedOpCode,
        Self::TextNotUtf8,
        Self::UnexpectedContinuation,
        Self::UnmaskedByClient,
    ];

    /// The code our close frame carries: 1007 for what is not UTF-8, else 1002.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::CloseReasonNotUtf8 | Self::TextNotUtf8 => CloseCode::INVALID_PAYLOAD,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// The section of RFC 6455 that was broken.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::MaskedByServer | Self::UnmaskedByClient => "5.1",
            Self::LengthOverflow
            | Self::NonMinimalLength
            | Self::ReservedBitSet
            | Self::ReservedOpCode => "5.2",
            Self::MessageInsideMessage | Self::UnexpectedContinuation => "5.4",
            Self::ControlFrameFragmented | Self::ControlFrameTooLong => "5.5",
            Self::CloseFrameTooShort => "5.5.1",
            Self::InvalidCloseCode => "7.4",
            Self::CloseReasonNotUtf8 | Self::TextNotUtf8 => "8.1",
        }
    }

    /// One short sentence, also used as the reason of our close frame.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::CloseFrameTooShort => "close frame with one octet of payload",
            Self::CloseReasonNotUtf8 => "close reason is not UTF-8",
            Self::ControlFrameFragmented => "fragmented control frame",
            Self::ControlFrameTooLong => "control frame over 125 octets",
            Self::InvalidCloseCode => "close code that may not be sent",
            Self::LengthOverflow => "frame length over 63 bits",
            Self::MaskedByServer => "masked frame from a server",
            Self::MessageInsideMessage => "new message inside a fragmented one",
            Self::NonMinimalLength => "frame length not in its shortest form",
            Self::ReservedBitSet => "reserved bit without an extension",
            Self::ReservedOpCode => "reserved opcode without an extension",
            Self::TextNotUtf8 => "text is not UTF-8",
            Self::UnexpectedContinuation => "continuation of nothing",
            Self::UnmaskedByClient => "unmasked frame from a client",
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (RFC 6455 section {})",
            self.message(),
            self.section()
        )
    }
}

impl core::error::Error for ProtocolError {}

/// A limit of [`Limits`](crate::config::Limits) that the peer ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// More empty fragments in one message than `max_empty_fragments`.
    EmptyFragments,
    /// More fragments in one message than `max_fragments`.
    Fragments,
    /// A frame that announces more than `max_frame_size` octets.
    FrameSize,
    /// A message over `max_message_size` octets, counted after decoding.
    MessageSize,
}

impl LimitExceeded {
    /// The code our close frame carries: 1009 for sizes, 1008 for counts.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::FrameSize | Self::MessageSize => CloseCode::MESSAGE_TOO_BIG,
            Self::EmptyFragments | Self::Fragments => CloseCode::POLICY_VIOLATION,
        }
    }

    /// One short sentence, also used as the reason of our close frame.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::EmptyFragments => "too many empty fragments",
            Self::Fragments => "too many fragments",
            Self::FrameSize => "frame too big",
            Self::MessageSize => "message too big",
        }
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for LimitExceeded {}

/// A deadline of [`Timing`](crate::config::Timing) that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deadline {
    /// The closing handshake did not end within `close_timeout`.
    Close,
    /// A fragmented message did not end within `message_timeout`.
    Message,
    /// Not one octet came within `ping_timeout` of our ping.
    Ping,
    /// Not one octet could be written within `write_stall_timeout`.
    WriteStall,
}

impl Deadline {
    /// One short sentence, also used as the reason of our close frame.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Close => "closing handshake timed out",
            Self::Message => "message took too long",
            Self::Ping => "no answer to ping",
            Self::WriteStall => "peer does not read",
        }
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Deadline {}

/// What ended a connection other than a closing handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionError {
    /// A deadline passed.
    Deadline(Deadline),
    /// A channel was ended by the carrier, without a closing handshake: by the peer, or for a mistake
    /// of the peer.
    Dropped(Dropped),
    /// An agreed extension refused what the peer sent.
    Extension(Failure),
    /// A limit was exceeded.
    Limit(LimitExceeded),
    /// The byte stream ended without a close frame.
    Lost,
    /// The peer broke RFC 6455.
    Protocol(ProtocolError),
}

impl ConnectionError {
    /// The code of the close frame that we send for it; `None` where none is sent.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Deadline(Deadline::Message) => Some(CloseCode::POLICY_VIOLATION),
            Self::Deadline(Deadline::Ping) => Some(CloseCode::INTERNAL_ERROR),
            Self::Deadline(Deadline::Close | Deadline::WriteStall)
            | Self::Dropped(_)
            | Self::Lost => None,
            Self::Extension(failure) => Some(failure.close_code()),
            Self::Limit(limit) => Some(limit.close_code()),
            Self::Protocol(error) => Some(error.close_code()),
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline(deadline) => deadline.fmt(f),
            Self::Dropped(dropped) => dropped.fmt(f),
            Self::Extension(failure) => failure.fmt(f),
            Self::Limit(limit) => limit.fmt(f),
            Self::Lost => f.write_str("connection lost without a closing handshake"),
            Self::Protocol(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ConnectionError {}

impl From<Failure> for ConnectionError {
    fn from(failure: Failure) -> Self {
        Self::Extension(failure)
    }
}

impl From<LimitExceeded> for ConnectionError {
    fn from(limit: LimitExceeded) -> Self {
        Self::Limit(limit)
    }
}

impl From<ProtocolError> for ConnectionError {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

/// A call that the state of the connection or RFC 6455 does not allow. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsageError {
    /// The connection is closing or closed: nothing can be sent any more.
    Closed,
    /// The code may not stand in a close frame; see
    /// [`CloseCode::is_allowed_on_wire`](crate::close::CloseCode::is_allowed_on_wire).
    CloseCode(CloseCode),
    /// An extension could not encode the message. The connection closes with 1011, behind what was
    /// sent before: nobody knows what the encoders before the failing one have remembered.
    Encode(Failure),
    /// No agreed extension owns this opcode.
    OpCode(OpCode),
    /// A part was sent while a whole message, or a part of another kind, was due.
    PartExpected,
    /// A control frame carries at most 125 octets; a close reason, at most 123.
    TooLong,
    /// More than `max_write_buffer` octets wait to be written: write them first.
    WriteBufferFull,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection is closed; open another one"),
            Self::CloseCode(code) => {
                write!(
                    f,
                    "close code {code} may not be sent; use 1000 or one of 3000 to 4999"
                )
            }
            Self::Encode(failure) => write!(f, "an extension refused to encode: {failure}"),
            Self::OpCode(opcode) => {
                write!(
                    f,
                    "no agreed extension owns {opcode}; negotiate one that claims it"
                )
            }
            Self::PartExpected => {
                f.write_str("a message is being sent in parts; send its last part first")
            }
            Self::TooLong => {
                f.write_str("a control frame carries at most 125 octets, a close reason 123")
            }
            Self::WriteBufferFull => {
                f.write_str("the write buffer is full; wait until the peer has read")
            }
        }
    }
}

impl core::error::Error for UsageError {}

/// A configuration that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Two extensions of the same name; register one of them.
    DuplicateExtension(String),
    /// An extension whose name is not a token (RFC 9110 §5.6.2).
    InvalidExtensionName(String),
    /// Reserved bits without a stage that may use them there.
    InvalidClaims(String, Rsv),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateExtension(name) => {
                write!(
                    f,
                    "the extension {name:?} is registered twice; register it once"
                )
            }
            Self::InvalidExtensionName(name) => {
                write!(f, "{name:?} is no token and cannot name an extension")
            }
            Self::InvalidClaims(name, rsv) => write!(
                f,
                "the extension {name:?} claims {rsv} on every data frame from the message stage, \
                 which only sees whole messages; claim it at MessageStart"
            ),
        }
    }
}

impl core::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_error_has_a_wire_code_and_a_reason_that_fits_a_close_frame() {
        for error in ProtocolError::ALL {
            assert!(
                [1002, 1007].contains(&error.close_code().number()),
                "{error}"
            );
            assert!(error.message().len() <= crate::close::CloseFrame::MAX_REASON);
            assert!(!error.section().is_empty());
        }
    }
}
