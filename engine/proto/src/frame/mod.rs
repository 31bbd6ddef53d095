//! The vocabulary of frames (RFC 6455 §5.2): opcode, reserved bits, head, masking.

mod head;
mod mask;
mod opcode;
mod rsv;

pub use head::Head;
pub(crate) use mask::mask_into;
pub use mask::{MaskSource, mask};
pub use opcode::OpCode;
pub use rsv::Rsv;

use core::fmt;

use bytes::Bytes;

/// One frame as it leaves an [`Endpoint`](crate::message): head and unmasked payload.
///
/// Printed, it shows what went over the wire, with the payload cut at 30 characters:
///
/// ```
/// use cloverleaf_proto::frame::{Frame, Head, OpCode};
/// let frame = Frame::new(Head::new(OpCode::TEXT), "hello");
/// assert_eq!(frame.to_string(), r#"<Text fin len=5 payload="hello">"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// FIN, reserved bits and opcode.
    pub head: Head,
    /// The payload, not masked.
    pub payload: Bytes,
}

impl Frame {
    /// Puts a frame together.
    #[must_use]
    pub fn new(head: Head, payload: impl Into<Bytes>) -> Self {
        Self {
            head,
            payload: payload.into(),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 30;
        write!(f, "<{}", self.head)?;
        write!(f, " len={} payload=\"", self.payload.len())?;
        let shown = &self.payload[..self.payload.len().min(SHOWN)];
        // Escaped: a payload must not be able to write control characters to a terminal.
        write!(f, "{}\"", shown.escape_ascii())?;
        if self.payload.len() > SHOWN {
            f.write_str("...")?;
        }
        f.write_str(">")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_frame_shows_flags_and_escapes_the_payload() {
        let head = Head::new(OpCode::BINARY)
            .with_fin(false)
            .with_rsv(Rsv::RSV1 | Rsv::RSV3);
        let frame = Frame::new(head, &b"\x1b[2J\x00"[..]);
        assert_eq!(
            frame.to_string(),
            r#"<Binary rsv1 rsv3 len=5 payload="\x1b[2J\x00">"#
        );
        let long = Frame::new(Head::new(OpCode::PONG), vec![b'x'; 31]);
        assert!(long.to_string().ends_with("xxx\"...>"));
    }
}
