//! The fragments of one channel: what may follow what, and control frames that came in pieces
//! (section 10 of the format).

use bytes::Bytes;
use cloverleaf_proto::frame::{Head, OpCode};

use crate::code::DropCode;

/// RFC 6455 §5.5; of a control frame in pieces, it is the sum.
const MAX_CONTROL: usize = 125;

/// What a peer may still send in the middle of a message. At most 125 octets are kept.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    data_open: bool,
    control: Option<(Head, Vec<u8>)>,
    /// Continuations that carried and ended nothing.
    empty: u32,
}

/// What becomes of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// It goes on as it is.
    Passes,
    /// It is part of a control frame that is not complete.
    Kept,
    /// It was the last part of this control frame.
    Completes(Head, Bytes),
}

impl Reassembly {
    /// Some time has passed: empty continuations are counted anew.
    pub(crate) const fn forget_empty(&mut self) {
        self.empty = 0;
    }

    /// One frame of the channel. `max_empty`: so many empty ones may pass.
    pub(crate) fn receive(
        &mut self,
        head: Head,
        payload: &[u8],
        max_empty: u32,
    ) -> Result<Piece, DropCode> {
        if head.opcode == OpCode::CONTINUATION && !head.fin && payload.is_empty() {
            // Costs no quota and gets nowhere. With others between them they are no better.
            self.empty += 1;
            if self.empty > max_empty {
                return Err(DropCode::BAD_FRAGMENTATION);
            }
        }
        if self.control.is_some() && head.opcode != OpCode::CONTINUATION {
            return Err(DropCode::BAD_FRAGMENTATION);
        }
        if head.opcode.is_control() && payload.len() > MAX_CONTROL {
            return Err(DropCode::LOGICAL);
        }
        if head.opcode.is_control() {
            if head.fin {
                return Ok(Piece::Passes);
            }
            self.control = Some((head, payload.to_vec()));
            return Ok(Piece::Kept);
        }
        if head.opcode != OpCode::CONTINUATION {
            if self.data_open {
                return Err(DropCode::BAD_FRAGMENTATION);
            }
            self.data_open = !head.fin;
            return Ok(Piece::Passes);
        }
        if let Some((first, mut whole)) = self.control.take() {
            if whole.len() + payload.len() > MAX_CONTROL {
                return Err(DropCode::LOGICAL);
            }
            whole.extend_from_slice(payload);
            // A reserved bit on a continuation is for the endpoint to judge.
            let first = first.with_rsv(first.rsv.union(head.rsv));
            if head.fin {
                return Ok(Piece::Completes(first.with_fin(true), whole.into()));
            }
            self.control = Some((first, whole));
            return Ok(Piece::Kept);
        }
        if !self.data_open {
            return Err(DropCode::BAD_FRAGMENTATION);
        }
        self.data_open = !head.fin;
        Ok(Piece::Passes)
    }
}

#[cfg(test)]
mod tests {
    use cloverleaf_proto::frame::Rsv;

    use super::*;

    const TEXT: Head = Head::new(OpCode::TEXT);
    const PING: Head = Head::new(OpCode::PING);
    const REST: Head = Head::new(OpCode::CONTINUATION);

    const fn open(head: Head) -> Head {
        head.with_fin(false)
    }

    fn run(frames: &[(Head, &[u8])]) -> Result<Vec<Piece>, DropCode> {
        let mut reassembly = Reassembly::default();
        frames
            .iter()
            .map(|(head, payload)| reassembly.receive(*head, payload, 100))
            .collect()
    }

    #[test]
    fn a_ping_in_pieces_stands_in_the_middle_of_a_message_in_pieces() {
        let pieces = run(&[
            (open(TEXT), b"Hello "),
            (open(PING), b"Pi"),
            (REST, b"ng!"),
            (PING, b"whole"),
            (REST, b"World!"),
            (TEXT, b"next"),
        ]);
        let ping = Piece::Completes(PING, Bytes::from_static(b"Ping!"));
        let expected = [
            Piece::Passes,
            Piece::Kept,
            ping,
            Piece::Passes,
            Piece::Passes,
            Piece::Passes,
        ];
        assert_eq!(pieces, Ok(expected.into()));
    }

    #[test]
    fn fragments_that_do_not_fit_are_3009() {
        for (what, frames) in [
            ("nothing to continue", &[(REST, &b"x"[..])][..]),
            ("data in data", &[(open(TEXT), b"a"), (TEXT, b"b")]),
            ("data in a ping", &[(open(PING), b"a"), (TEXT, b"b")]),
            ("a ping in a ping", &[(open(PING), b"a"), (PING, b"b")]),
            (
                "one continuation too many",
                &[(open(PING), b"a"), (REST, b"b"), (REST, b"c")],
            ),
            (
                "an opcode nobody knows in data",
                &[(open(TEXT), b"a"), (Head::new(OpCode::new(3)), b"b")],
            ),
        ] {
            assert_eq!(run(frames), Err(DropCode::BAD_FRAGMENTATION), "{what}");
        }
    }

    #[test]
    fn a_control_frame_of_125_octets_passes_and_of_126_is_3000_whole_or_in_pieces() {
        let octets = [0; 126];
        assert_eq!(run(&[(PING, &octets[..125])]), Ok(vec![Piece::Passes]));
        assert_eq!(run(&[(PING, &octets)]), Err(DropCode::LOGICAL));
        assert_eq!(run(&[(open(PING), &octets)]), Err(DropCode::LOGICAL));
        for cut in 0..=125 {
            let (one, other) = octets.split_at(cut);
            assert!(run(&[(open(PING), one), (REST, &other[1..])]).is_ok());
            assert_eq!(
                run(&[(open(PING), one), (REST, other)]),
                Err(DropCode::LOGICAL)
            );
        }
    }

    #[test]
    fn a_reserved_bit_on_any_piece_of_a_control_frame_is_on_the_whole() {
        let bit = REST.with_rsv(Rsv::RSV2);
        let pieces = run(&[(open(PING), b"a"), (bit, b"b")]).expect("fragments that fit");
        let whole = Piece::Completes(PING.with_rsv(Rsv::RSV2), Bytes::from_static(b"ab"));
        assert_eq!(pieces[1], whole);
    }

    #[test]
    fn a_hundred_empty_continuations_pass_whatever_is_between_them_and_one_more_is_3009() {
        let mut reassembly = Reassembly::default();
        let mut receive = |head, payload: &[u8]| reassembly.receive(head, payload, 100);
        for _ in 0..50 {
            assert_eq!(receive(open(TEXT), b""), Ok(Piece::Passes));
            assert_eq!(receive(open(REST), b""), Ok(Piece::Passes));
            assert_eq!(receive(open(REST), b"x"), Ok(Piece::Passes));
            assert_eq!(receive(open(REST), b""), Ok(Piece::Passes));
            assert_eq!(receive(REST, b""), Ok(Piece::Passes));
        }
        receive(open(TEXT), b"").expect("a beginning");
        let failure = Err(DropCode::BAD_FRAGMENTATION);
        assert_eq!(receive(open(REST), b""), failure);
        reassembly.forget_empty();
        assert_eq!(reassembly.receive(open(REST), b"", 100), Ok(Piece::Passes));
    }
}
