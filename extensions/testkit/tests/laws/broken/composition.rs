//! Other extensions may stand before and behind.

use cloverleaf_proto::extension::{Encoded, Failure, Hints, Output};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_testkit::Law;

use crate::sound::{checksum, differing, sum, takeover};

#[test]
fn takes_every_text_for_utf_8() {
    let toy = takeover().encoding(|| {
        let mut half = differing();
        move |head: Head, hints: Hints, payload: &[u8], out: &mut Output<'_>| {
            if head.opcode == OpCode::TEXT && head.fin && core::str::from_utf8(payload).is_err() {
                return Err(Failure::invalid_data("a text must be UTF-8"));
            }
            half(head, hints, payload, out)
        }
    });
    let story = toy.breaks(Law::Composition);
    assert!(story.contains("x-probe-first, x-toy"), "{story}");
}

#[test]
fn forgets_its_bit_where_another_one_stands() {
    let toy = checksum().encoding(|| {
        |head: Head, _, payload: &[u8], out: &mut Output<'_>| {
            if head.opcode.is_control() || payload.len() < 2 {
                return Ok(Encoded::Unchanged);
            }
            out.write(payload)?;
            out.write(&[sum(payload)])?;
            // "Whatever stands there, the frame is marked."
            Ok(Encoded::Replaced(if head.rsv.is_empty() {
                Rsv::RSV2
            } else {
                Rsv::NONE
            }))
        }
    });
    let story = toy.breaks(Law::Composition);
    assert!(story.contains("x-probe-first"), "{story}");
}
