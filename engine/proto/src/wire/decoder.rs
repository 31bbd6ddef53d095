//! Frame headers out of octets.

use crate::error::{ConnectionError, LimitExceeded, ProtocolError};
use crate::frame::Head;
use crate::role::Role;

/// A whole frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) head: Head,
    /// Octets of payload.
    pub(crate) length: usize,
    pub(crate) key: Option<[u8; 4]>,
    /// Octets of the header itself, 2 to 14.
    pub(crate) size: usize,
}

/// Reads frame headers, and refuses each at the first octet that proves it wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder {
    /// Frames must be masked; `None` if they may be.
    masked: Option<bool>,
    max_frame_size: usize,
    sender: Role,
}

impl Decoder {
    pub(crate) const fn new(receiver: Role, max_frame_size: usize, accept_unmasked: bool) -> Self {
        let masked = match receiver {
            Role::Server if accept_unmasked => None,
            Role::Server => Some(true),
            Role::Client => Some(false),
        };
        Self {
            masked,
            max_frame_size,
            sender: receiver.peer(),
        }
    }

    /// The header at the start of `input`; `None` if it is not all there yet.
    pub(crate) fn header(&self, input: &[u8]) -> Result<Option<Header>, ConnectionError> {
        let [first, second, rest @ ..] = input else {
            return Ok(None);
        };
        let head = Head::from_octet(*first);
        let masked = second & 0x80 != 0;
        // §5.1: "The server MUST close the connection upon receiving a frame that is not masked",
        // "A client MUST close a connection if it detects a masked frame."
        if self.masked.is_some_and(|expected| expected != masked) {
            return Err(match self.sender {
                Role::Client => ProtocolError::UnmaskedByClient.into(),
                Role::Server => ProtocolError::MaskedByServer.into(),
            });
        }
        let short = second & 0x7F;
        // §5.5: control frames "MUST have a payload length of 125 bytes or less".
        if head.opcode.is_control() && short > 125 {
            return Err(ProtocolError::ControlFrameTooLong.into());
        }
        let (length, rest, size) = match short {
            126 => {
                let Some((octets, rest)) = rest.split_first_chunk::<2>() else {
                    return Ok(None);
                };
                let length = u64::from(u16::from_be_bytes(*octets));
                // §5.2: "the minimal number of bytes MUST be used to encode the length".
                if length < 126 {
                    return Err(ProtocolError::NonMinimalLength.into());
                }
                (length, rest, 4)
            }
            127 => {
                let Some((octets, rest)) = rest.split_first_chunk::<8>() else {
                    return Ok(None);
                };
                let length = u64::from_be_bytes(*octets);
                // §5.2: "the most significant bit MUST be 0".
                if length >> 63 != 0 {
                    return Err(ProtocolError::LengthOverflow.into());
                }
                if length <= u64::from(u16::MAX) {
                    return Err(ProtocolError::NonMinimalLength.into());
                }
                (length, rest, 10)
            }
            short => (u64::from(short), rest, 2),
        };
        // Before mask and payload: nothing is ever allocated for a length that is not allowed.
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= self.max_frame_size)
            .ok_or(LimitExceeded::FrameSize)?;
        if !masked {
            return Ok(Some(Header {
                head,
                length,
                key: None,
                size,
            }));
        }
        let Some(key) = rest.first_chunk::<4>() else {
            return Ok(None);
        };
        Ok(Some(Header {
            head,
            length,
            key: Some(*key),
            size: size + 4,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::OpCode;

    const SERVER: Decoder = Decoder::new(Role::Server, 1 << 20, false);
    const CLIENT: Decoder = Decoder::new(Role::Client, 1 << 20, false);

    fn header(octets: &[u8]) -> Result<Option<Header>, ConnectionError> {
        CLIENT.header(octets)
    }

    #[test]
    fn every_length_form_at_its_boundaries() {
        for (octets, length, size) in [
            (&b"\x82\x00"[..], 0, 2),
            (b"\x82\x7d", 125, 2),
            (b"\x82\x7e\x00\x7e", 126, 4),
            (b"\x82\x7e\x01\x00", 256, 4),
            (b"\x82\x7e\xff\xff", 65535, 4),
            (b"\x82\x7f\0\0\0\0\0\x01\0\0", 65536, 10),
            (b"\x82\x7f\0\0\0\0\0\x10\0\0", 1 << 20, 10),
        ] {
            let expected = Header {
                head: Head::new(OpCode::BINARY),
                length,
                key: None,
                size,
            };
            assert_eq!(header(octets), Ok(Some(expected)), "{octets:x?}");
            for cut in 0..octets.len() {
                assert_eq!(header(&octets[..cut]), Ok(None), "{octets:x?} cut at {cut}");
            }
        }
    }

    #[test]
    fn the_mask_belongs_to_the_header() {
        let octets = b"\x81\xfe\x01\x00\x01\x02\x03\x04";
        let found = SERVER.header(octets).unwrap().unwrap();
        assert_eq!(
            (found.key, found.size, found.length),
            (Some([1, 2, 3, 4]), 8, 256)
        );
        assert_eq!(SERVER.header(&octets[..7]), Ok(None));
    }

    #[test]
    fn each_wrong_header_fails_on_the_octet_that_proves_it() {
        use ConnectionError::{Limit, Protocol};
        for (octets, error) in [
            (
                &b"\x89\x7e"[..],
                Protocol(ProtocolError::ControlFrameTooLong),
            ),
            (b"\x88\x7f", Protocol(ProtocolError::ControlFrameTooLong)),
            (
                b"\x82\x7e\x00\x7d",
                Protocol(ProtocolError::NonMinimalLength),
            ),
            (
                b"\x82\x7f\0\0\0\0\0\0\xff\xff",
                Protocol(ProtocolError::NonMinimalLength),
            ),
            (
                b"\x82\x7f\x80\0\0\0\0\0\0\0",
                Protocol(ProtocolError::LengthOverflow),
            ),
            (
                b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
                Limit(LimitExceeded::FrameSize),
            ),
            (
                b"\x82\x7f\0\0\0\0\0\x10\0\x01",
                Limit(LimitExceeded::FrameSize),
            ),
            (b"\x82\x80", Protocol(ProtocolError::MaskedByServer)),
        ] {
            assert_eq!(header(octets), Err(error), "{octets:x?}");
            assert_eq!(header(&octets[..octets.len() - 1]), Ok(None), "{octets:x?}");
        }
        assert_eq!(
            SERVER.header(b"\x82\x7f"),
            Err(Protocol(ProtocolError::UnmaskedByClient))
        );
        let lenient = Decoder::new(Role::Server, 10, true);
        assert!(lenient.header(b"\x82\x01").unwrap().is_some());
        assert!(lenient.header(b"\x82\x81\0\0\0\0").unwrap().is_some());
    }
}
