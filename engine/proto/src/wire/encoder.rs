//! Frames into octets, and the buffer in which they wait to be written.

use bytes::{Buf, Bytes};

use crate::frame::{Frame, Head, mask, mask_into};

/// From this size an unmasked payload is not copied behind its head but queued beside it, to leave
/// in one vectored write. Below, a copy is cheaper than the bookkeeping.
const VECTORED: usize = 16 << 10;

/// A buffer of so many octets is kept between two messages, until [`WriteBuffer::release`].
const SMALL: usize = 256;

/// The octets that wait to be written: a run of encoded frames, then at most one large payload.
#[derive(Debug, Default)]
pub(crate) struct WriteBuffer {
    octets: Vec<u8>,
    written: usize,
    payload: Bytes,
}

impl WriteBuffer {
    /// How many octets wait.
    pub(crate) fn len(&self) -> usize {
        self.octets.len() - self.written + self.payload.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether another frame can be put behind what waits already.
    pub(crate) fn is_open(&self) -> bool {
        self.payload.is_empty()
    }

    /// Encodes a frame in its shortest form (RFC 6455 §5.2), masked if there is a key.
    pub(crate) fn push(&mut self, frame: Frame, key: Option<[u8; 4]>) {
        debug_assert!(self.is_open(), "nothing may overtake a queued payload");
        let Frame { head, payload } = frame;
        if key.is_none() && payload.len() >= VECTORED {
            self.make_room(0);
            encode_header(head, payload.len(), None, &mut self.octets);
            self.payload = payload;
        } else {
            self.push_copy(head, &payload, key);
        }
    }

    /// Always copying the payload, which is in two parts.
    #[inline]
    pub(crate) fn push_copy_behind(
        &mut self,
        head: Head,
        prefix: &[u8],
        payload: &[u8],
        key: Option<[u8; 4]>,
    ) {
        let length = prefix.len() + payload.len();
        self.make_room(length);
        encode_header(head, length, key, &mut self.octets);
        let start = self.octets.len();
        self.octets.extend_from_slice(prefix);
        self.octets.extend_from_slice(payload);
        if let Some(key) = key {
            mask(&mut self.octets[start..], key, 0);
        }
    }

    /// The same, always copying the payload.
    #[inline]
    pub(crate) fn push_copy(&mut self, head: Head, payload: &[u8], key: Option<[u8; 4]>) {
        self.make_room(payload.len());
        encode(head, payload, key, &mut self.octets);
    }

    #[inline]
    fn make_room(&mut self, payload: usize) {
        // A peer that always leaves a little unread must not make us keep all it has read.
        if self.written > self.octets.len() / 2 {
            self.octets.drain(..self.written);
            self.written = 0;
        }
        let size = MAX_HEADER + payload;
        if self.octets.capacity() == 0 {
            self.octets = Vec::with_capacity(size.max(SMALL));
        } else {
            self.octets.reserve(size);
        }
    }

    /// What is to be written next: the second slice directly behind the first.
    pub(crate) fn slices(&self) -> (&[u8], &[u8]) {
        (&self.octets[self.written..], &self.payload)
    }

    /// Forgets the first `n` octets, which are written. Gives memory back once empty, but for
    /// the little that the next small message needs again.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) {
        let front = n.min(self.octets.len() - self.written);
        self.written += front;
        if n > front {
            self.payload.advance((n - front).min(self.payload.len()));
        }
        if self.written == self.octets.len() {
            self.written = 0;
            self.octets.clear();
            if self.octets.capacity() > SMALL {
                self.octets = Vec::new();
            }
        }
    }

    /// Gives all memory back if nothing waits.
    pub(crate) fn release(&mut self) {
        if self.octets.is_empty() {
            self.octets = Vec::new();
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The longest header: two octets, a 64-bit length, a key.
const MAX_HEADER: usize = 14;

/// Appends a whole frame in its shortest form, masked if there is a key.
#[inline]
pub(crate) fn encode(head: Head, payload: &[u8], key: Option<[u8; 4]>, out: &mut Vec<u8>) {
    encode_header(head, payload.len(), key, out);
    match key {
        // Masked while copying: one pass, and the payload may be shared with others.
        Some(key) => mask_into(payload, key, out),
        None => out.extend_from_slice(payload),
    }
}

#[inline]
fn encode_header(head: Head, length: usize, key: Option<[u8; 4]>, out: &mut Vec<u8>) {
    let masked = if key.is_some() { 0x80 } else { 0 };
    // §5.2: "the minimal number of bytes MUST be used to encode the length".
    match length {
        0..=125 => out.extend_from_slice(&[head.octet(), masked | length as u8]),
        126..=0xFFFF => {
            let [a, b] = (length as u16).to_be_bytes();
            out.extend_from_slice(&[head.octet(), masked | 126, a, b]);
        }
        _ => {
            out.extend_from_slice(&[head.octet(), masked | 127]);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if let Some(key) = key {
        out.extend_from_slice(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::OpCode;

    fn encoded(length: usize, key: Option<[u8; 4]>) -> Vec<u8> {
        let mut buffer = WriteBuffer::default();
        buffer.push(
            Frame::new(Head::new(OpCode::BINARY), vec![0xAA; length]),
            key,
        );
        let (front, back) = buffer.slices();
        [front, back].concat()
    }

    #[test]
    fn lengths_take_their_shortest_form() {
        for (length, head) in [
            (0, &b"\x82\x00"[..]),
            (125, b"\x82\x7d"),
            (126, b"\x82\x7e\x00\x7e"),
            (65535, b"\x82\x7e\xff\xff"),
            (65536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
        ] {
            let octets = encoded(length, None);
            assert_eq!(&octets[..head.len()], head);
            assert_eq!(octets.len(), head.len() + length);
        }
    }

    #[test]
    fn the_frames_of_section_5_7() {
        let mut buffer = WriteBuffer::default();
        buffer.push(Frame::new(Head::new(OpCode::TEXT), "Hello"), None);
        buffer.push(
            Frame::new(Head::new(OpCode::TEXT), "Hello"),
            Some([0x37, 0xfa, 0x21, 0x3d]),
        );
        buffer.push(
            Frame::new(Head::new(OpCode::TEXT).with_fin(false), "Hel"),
            None,
        );
        buffer.push(Frame::new(Head::new(OpCode::CONTINUATION), "lo"), None);
        assert_eq!(
            buffer.slices().0,
            b"\x81\x05Hello\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x01\x03Hel\x80\x02lo"
        );
    }

    #[test]
    fn a_large_payload_is_not_copied_and_leaves_behind_its_head() {
        let payload = Bytes::from(vec![7; VECTORED]);
        let start = payload.as_ptr();
        let mut buffer = WriteBuffer::default();
        buffer.push(Frame::new(Head::new(OpCode::BINARY), payload), None);
        assert!(!buffer.is_open());
        let (front, back) = buffer.slices();
        assert_eq!(front, b"\x82\x7e\x40\x00");
        assert_eq!((back.as_ptr(), back.len()), (start, VECTORED));
        buffer.advance(5);
        assert_eq!((buffer.slices().0.len(), buffer.len()), (0, VECTORED - 1));
        buffer.advance(VECTORED - 1);
        assert!(buffer.is_empty() && buffer.is_open());
    }

    #[test]
    fn a_peer_that_always_leaves_an_octet_unread_does_not_make_the_buffer_grow() {
        let mut buffer = WriteBuffer::default();
        for _ in 0..1000 {
            buffer.push(
                Frame::new(Head::new(OpCode::BINARY), vec![1; 1000]),
                Some([1; 4]),
            );
            buffer.advance(buffer.len() - 1);
            assert_eq!(buffer.len(), 1);
            assert!(
                buffer.octets.capacity() < 8000,
                "{}",
                buffer.octets.capacity()
            );
        }
    }

    #[test]
    fn a_written_buffer_keeps_little_and_released_nothing() {
        let mut buffer = WriteBuffer::default();
        buffer.push(Frame::new(Head::new(OpCode::TEXT), vec![b'x'; 1000]), None);
        buffer.advance(1004);
        assert_eq!(buffer.octets.capacity(), 0);
        buffer.push(Frame::new(Head::new(OpCode::TEXT), "x"), None);
        buffer.advance(3);
        assert!(buffer.octets.capacity() <= SMALL);
        buffer.release();
        assert_eq!(buffer.octets.capacity(), 0);
    }
}
