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

use crate::wire::encode;

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

    /// Appends the frame as it is on the wire, in its shortest form, masked if there is a key.
    ///
    /// Nothing is checked: for tests and tools that need frames which a
    /// [`Connection`](crate::Connection) would not send.
    pub fn encode_into(&self, key: Option<[u8; 4]>, out: &mut Vec<u8>) {
        encode(self.head, &self.payload, key, out);
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
    fn any_frame_can_be_written_down_also_a_wrong_one() {
        let mut out = Vec::new();
        let key = Some([0xbe, 0x04, 0xe6, 0x6a]);
        Frame::new(Head::new(OpCode::TEXT), "hello world").encode_into(key, &mut out);
        assert_eq!(
            out,
            b"\x81\x8b\xbe\x04\xe6\x6a\xd6\x61\x8a\x06\xd1\x24\x91\x05\xcc\x68\x82"
        );
        out.clear();
        let head = Head::new(OpCode::new(0xF))
            .with_fin(false)
            .with_rsv(Rsv::ALL);
        Frame::new(head, vec![0; 126]).encode_into(None, &mut out);
        assert_eq!(out[..4], [0x7F, 0x7E, 0, 126]);
    }

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
