//! Messages into fragments (RFC 6455 §5.4).

use bytes::Bytes;

use crate::extension::Hints;
use crate::frame::{Frame, Head, OpCode, Rsv};

/// A message on its way out, cut into frames as there is room for them.
#[derive(Debug)]
pub(crate) struct Fragmenter {
    /// Of the next frame; FIN says whether the message ends with this payload.
    head: Head,
    payload: Bytes,
    pub(crate) hints: Hints,
}

impl Fragmenter {
    pub(crate) const fn new(head: Head, payload: Bytes, hints: Hints) -> Self {
        Self {
            head,
            payload,
            hints,
        }
    }

    /// Octets still to go.
    pub(crate) fn len(&self) -> usize {
        self.payload.len()
    }

    /// The next frame, with at most `size` octets of payload, and whether it was the last.
    pub(crate) fn next(&mut self, size: usize) -> (Frame, bool) {
        // A message of an extension's opcode is one frame, whatever its size.
        if self.payload.len() <= size.max(1) || self.head.opcode.is_reserved() {
            let payload = core::mem::take(&mut self.payload);
            return (Frame::new(self.head, payload), true);
        }
        let frame = Frame::new(
            self.head.with_fin(false),
            self.payload.split_to(size.max(1)),
        );
        // §5.4: the fragments behind the first are continuations. Bits of a message-stage extension
        // stand on the first only.
        self.head = self
            .head
            .with_opcode(OpCode::CONTINUATION)
            .with_rsv(Rsv::NONE);
        (frame, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(payload: &'static str, size: usize) -> Vec<String> {
        let head = Head::new(OpCode::TEXT).with_rsv(Rsv::RSV1);
        let mut fragmenter =
            Fragmenter::new(head, Bytes::from_static(payload.as_bytes()), Hints::new());
        let mut frames = Vec::new();
        loop {
            let (frame, last) = fragmenter.next(size);
            frames.push(frame.to_string());
            if last {
                return frames;
            }
        }
    }

    #[test]
    fn the_first_fragment_has_opcode_and_bits_and_the_last_has_fin() {
        assert_eq!(cut("", 3), [r#"<Text fin rsv1 len=0 payload="">"#]);
        assert_eq!(cut("abc", 3), [r#"<Text fin rsv1 len=3 payload="abc">"#]);
        assert_eq!(
            cut("abcdefg", 3),
            [
                r#"<Text rsv1 len=3 payload="abc">"#,
                r#"<Continuation len=3 payload="def">"#,
                r#"<Continuation fin len=1 payload="g">"#,
            ]
        );
    }
}
