//! What is sent is what comes.

use cloverleaf_proto::extension::{Decoded, Encoded, Failure, Output};
use cloverleaf_proto::frame::{Head, Rsv};
use cloverleaf_testkit::Law;

use crate::sound::{
    Window, checksum, differing, numbered, sum, tagged, takeover, undiffering, verify,
};

#[test]
fn holds_an_octet_back_and_forgets_it_when_fin_comes_alone() {
    // One octet stays until the next comes, and is let go with FIN: but not if that frame is empty.
    let toy = takeover().encoding(|| {
        |head: Head, _, payload: &[u8], out: &mut Output<'_>| {
            out.write(payload)?;
            Ok(Encoded::Replaced(if head.starts_message() {
                Rsv::RSV1
            } else {
                Rsv::NONE
            }))
        }
    });
    let toy = toy.decoding(|| {
        let mut held: Option<u8> = None;
        move |head: Head, payload: &[u8], out: &mut Output<'_>| {
            if head.starts_message() {
                held = None;
            }
            let Some((last, rest)) = payload.split_last() else {
                return Ok(Decoded::Replaced);
            };
            if let Some(held) = held.take() {
                out.write(&[held])?;
            }
            out.write(rest)?;
            if head.fin {
                out.write(&[*last])?;
            } else {
                held = Some(*last);
            }
            Ok(Decoded::Replaced)
        }
    });
    let story = toy.breaks(Law::Identity);
    assert!(
        story.contains("<Continuation fin \"\">") || story.contains("in parts"),
        "{story}"
    );
}

#[test]
fn begins_anew_with_every_piece() {
    let toy = takeover().decoding(|| {
        let mut half = undiffering();
        move |head: Head, payload: &[u8], out: &mut Output<'_>| {
            // As if each piece were a message of its own.
            let bits = if head.fin && !head.starts_message() {
                Rsv::RSV1
            } else {
                head.rsv
            };
            let opcode = cloverleaf_proto::frame::OpCode::BINARY;
            half(
                head.with_opcode(opcode).with_rsv(bits).with_fin(true),
                payload,
                out,
            )
        }
    });
    toy.breaks(Law::Identity);
}

#[test]
fn is_out_of_step_behind_an_empty_message() {
    let toy = takeover().decoding(|| {
        let mut window = Window::default();
        move |head: Head, payload: &[u8], out: &mut Output<'_>| {
            if head.starts_message() {
                window.on = head.rsv.contains(Rsv::RSV1);
            }
            // "Nothing to do" - but a message has ended.
            if !window.on || payload.is_empty() {
                return Ok(Decoded::Unchanged);
            }
            out.write(&window.turn(payload, head.fin, true))?;
            Ok(Decoded::Replaced)
        }
    });
    toy.breaks(Law::Identity);
}

#[test]
fn numbers_pings_at_one_end_only() {
    let toy = numbered().decoding(|| {
        let mut number = 0_u8;
        move |head: Head, payload: &[u8], _: &mut Output<'_>| {
            number = number.wrapping_add(1);
            if !head.rsv.contains(Rsv::RSV3) {
                return Ok(Decoded::Unchanged);
            }
            if payload.first() != Some(&number) {
                return Err(Failure::protocol("a frame is missing"));
            }
            Ok(Decoded::Stripped(1))
        }
    });
    let story = toy.breaks(Law::Identity);
    assert!(story.contains("pings between"), "{story}");
}

#[test]
fn looks_at_the_bit_of_the_first_frame_only() {
    let toy = checksum().decoding(|| {
        |head: Head, payload: &[u8], out: &mut Output<'_>| {
            if !head.starts_message() {
                return Ok(Decoded::Unchanged);
            }
            verify(head, payload, out)
        }
    });
    let story = toy.breaks(Law::Identity);
    assert!(
        story.contains("in fragments of") || story.contains("in parts"),
        "{story}"
    );
}

#[test]
fn keeps_lengths_in_sixteen_bits() {
    let toy = checksum().encoding(|| {
        |head: Head, _, payload: &[u8], out: &mut Output<'_>| {
            if head.opcode.is_control() || payload.len() < 2 {
                return Ok(Encoded::Unchanged);
            }
            let payload = &payload[..usize::from(payload.len() as u16)];
            out.write(payload)?;
            out.write(&[sum(payload)])?;
            Ok(Encoded::Replaced(Rsv::RSV2))
        }
    });
    let story = toy.breaks(Law::Identity);
    assert!(story.contains("65536 octets"), "{story}");
}

#[test]
fn encodes_secrets_that_it_should_leave_alone_and_does_not_say_so() {
    let toy = takeover().encoding(|| {
        let mut half = differing();
        move |head: Head,
              hints: cloverleaf_proto::extension::Hints,
              payload: &[u8],
              out: &mut Output<'_>| {
            let encoded = half(head, Default::default(), payload, out)?;
            Ok(match encoded {
                Encoded::Replaced(_) if !hints.may_compress() => Encoded::Replaced(Rsv::NONE),
                other => other,
            })
        }
    });
    let story = toy.breaks(Law::Identity);
    assert!(story.contains("not to be compressed"), "{story}");
}

#[test]
fn takes_for_granted_that_its_extension_data_comes_in_one_piece() {
    let toy = tagged().decoding(|| {
        |head: Head, _: &[u8], _: &mut Output<'_>| {
            let tagged = head.starts_message() && head.rsv.contains(Rsv::RSV1);
            Ok(Decoded::Stripped(if tagged { 2 } else { 0 }))
        }
    });
    let story = toy.breaks(Law::Identity);
    assert!(
        story.contains("extension data beyond the payload (1002)"),
        "{story}"
    );
}
