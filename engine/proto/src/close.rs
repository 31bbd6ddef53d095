//! Close codes and the payload of a close frame (RFC 6455 §5.5.1, §7.4).

use core::fmt;

use bytes::Bytes;

use crate::error::ProtocolError;
use crate::message::Utf8Bytes;

/// Why a connection is closed: a number of RFC 6455 §7.4 or of the IANA registry it opened.
///
/// Unknown numbers are kept, so that an application sees what its peer said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the endpoint goes away, as a server that stops or a page that is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that the endpoint cannot accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005, never on the wire: the close frame carried no code.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006, never on the wire: the connection ended without a close frame.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that does not fit the type of its message, as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a policy was violated.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message too big to process.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the server did not agree to an extension that the client needs.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: an unexpected condition at the endpoint.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts (IANA registry).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later (IANA registry).
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got an invalid response (IANA registry).
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015, never on the wire: the TLS handshake failed.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// The code with this number, whether or not it may be sent.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether the code may stand in a close frame (RFC 6455 §7.4.1, §7.4.2).
    ///
    /// 1000–1003, 1007–1014, 3000–3999 (registered) and 4000–4999 (private) may. 1004, 1005, 1006
    /// and 1015 are never sent; all others are undefined and a protocol error on receipt.
    #[must_use]
    pub const fn is_allowed_on_wire(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

/// What a close frame carries: a code and a reason, when it is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseFrame {
    /// Why.
    pub code: CloseCode,
    /// For the log, not necessarily readable by people (RFC 6455 §5.5.1). At most 123 octets.
    pub reason: Utf8Bytes,
}

impl CloseFrame {
    /// The most octets a reason can have: a control frame's 125 less the code's two.
    pub const MAX_REASON: usize = 123;

    /// As much of a reason as fits. It is never cut inside a character.
    pub(crate) fn cut_reason(reason: &str) -> &str {
        let mut end = reason.len().min(Self::MAX_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        &reason[..end]
    }

    /// Reads the payload of a close frame; `None` if it is empty.
    ///
    /// # Errors
    ///
    /// A payload of one octet, a code that may not be sent, or a reason that is not UTF-8.
    pub fn parse(payload: &[u8]) -> Result<Option<Self>, ProtocolError> {
        let (code, reason) = match payload {
            [] => return Ok(None),
            // §5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte
            // unsigned integer".
            [_] => return Err(ProtocolError::CloseFrameTooShort),
            [a, b, reason @ ..] => (CloseCode(u16::from_be_bytes([*a, *b])), reason),
        };
        if !code.is_allowed_on_wire() {
            return Err(ProtocolError::InvalidCloseCode);
        }
        // §5.5.1 with §8.1: the reason is UTF-8, and what is not fails the connection.
        let reason = Utf8Bytes::try_from(Bytes::copy_from_slice(reason))
            .map_err(|_| ProtocolError::CloseReasonNotUtf8)?;
        Ok(Some(Self { code, reason }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_that_may_be_on_the_wire_are_these_and_no_others() {
        for number in 0..=u16::MAX {
            let allowed = (1000..=1003).contains(&number)
                || (1007..=1014).contains(&number)
                || (3000..=4999).contains(&number);
            assert_eq!(
                CloseCode::new(number).is_allowed_on_wire(),
                allowed,
                "{number}"
            );
        }
    }

    #[test]
    fn a_close_payload_is_empty_or_a_code_and_a_reason() {
        assert_eq!(CloseFrame::parse(b""), Ok(None));
        assert_eq!(
            CloseFrame::parse(b"\x03"),
            Err(ProtocolError::CloseFrameTooShort)
        );
        let frame = CloseFrame::parse(b"\x03\xe8bye").unwrap().unwrap();
        assert_eq!((frame.code, &*frame.reason), (CloseCode::NORMAL, "bye"));
        for bad in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            assert_eq!(
                CloseFrame::parse(&bad.to_be_bytes()),
                Err(ProtocolError::InvalidCloseCode)
            );
        }
        assert_eq!(
            CloseFrame::parse(b"\x03\xe8\xce"),
            Err(ProtocolError::CloseReasonNotUtf8)
        );
    }
}
