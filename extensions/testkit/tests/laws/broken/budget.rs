//! No output passes its budget, and none is cut.

use cloverleaf_proto::extension::{Decoded, Encoded, Failure, Hints, Output};
use cloverleaf_proto::frame::{Head, Rsv};
use cloverleaf_testkit::Law;

use crate::sound::{Window, checksum, differing, shift, sum, takeover};

#[test]
fn cuts_what_does_not_fit() {
    let toy = shift().decoding(|| {
        |_, payload: &[u8], out: &mut Output<'_>| {
            let turned: Vec<u8> = payload.iter().map(|octet| octet ^ 0x55).collect();
            let n = turned.len().min(out.room());
            out.write(&turned[..n])?;
            Ok(Decoded::Replaced)
        }
    });
    let story = toy.breaks(Law::Budget);
    assert!(
        story.contains("it says all is well with 0 octets"),
        "{story}"
    );
}

#[test]
fn leaves_the_failure_of_the_sink_aside() {
    let toy = shift().decoding(|| {
        |_, payload: &[u8], out: &mut Output<'_>| {
            for octet in payload {
                let _ = out.write(&[octet ^ 0x55]);
            }
            Ok(Decoded::Replaced)
        }
    });
    toy.breaks(Law::Budget);
}

#[test]
fn calls_what_is_too_big_invalid() {
    let toy = shift().decoding(|| {
        |_, payload: &[u8], out: &mut Output<'_>| {
            let turned: Vec<u8> = payload.iter().map(|octet| octet ^ 0x55).collect();
            out.write(&turned)
                .map_err(|_| Failure::invalid_data("cannot decode"))?;
            Ok(Decoded::Replaced)
        }
    });
    let story = toy.breaks(Law::Budget);
    assert!(
        story.contains("fails with 1007 (cannot decode) instead of 1009"),
        "{story}"
    );
}

#[test]
fn wants_more_room_than_it_needs() {
    let toy = checksum().decoding(|| {
        |head: Head, payload: &[u8], out: &mut Output<'_>| {
            if !head.rsv.contains(Rsv::RSV2) {
                return Ok(Decoded::Unchanged);
            }
            // Everything, and the sum back off again.
            out.write(payload)?;
            out.truncate_by(1);
            if payload.last() == Some(&sum(out.written())) {
                Ok(Decoded::Replaced)
            } else {
                Err(Failure::invalid_data("the sum is wrong"))
            }
        }
    });
    let story = toy.breaks(Law::Budget);
    assert!(story.contains("although that is enough"), "{story}");
}

#[test]
fn sends_as_much_as_there_is_room_for() {
    let toy = takeover().encoding(|| {
        let mut half = differing();
        move |head: Head, hints: Hints, payload: &[u8], out: &mut Output<'_>| {
            let n = payload.len().min(out.room());
            half(head, hints, &payload[..n], out)
        }
    });
    let story = toy.breaks(Law::Budget);
    assert!(story.contains("is encoded with room for"), "{story}");
}

#[test]
fn looks_at_the_budget_of_the_first_piece_only() {
    // The room of the first piece is taken for that of the message, and what is beyond it is cut.
    let toy = takeover().decoding(|| {
        let mut window = Window::default();
        let mut room = 0;
        move |head: Head, payload: &[u8], out: &mut Output<'_>| {
            if head.starts_message() {
                window.on = head.rsv.contains(Rsv::RSV1);
                room = out.room();
            }
            if !window.on {
                return Ok(Decoded::Unchanged);
            }
            let turned = window.turn(payload, head.fin, true);
            let n = turned.len().min(room);
            room -= n;
            out.write(&turned[..n])?;
            Ok(Decoded::Replaced)
        }
    });
    toy.breaks(Law::Budget);
}

#[test]
fn stops_a_bomb_with_another_code() {
    // Small things are counted right; but beyond a mebibyte somebody thought it must be an attack.
    let toy = takeover()
        .encoding(|| {
            |head: Head, _, payload: &[u8], out: &mut Output<'_>| {
                // Zeros only: their number.
                if !head.fin || payload.len() < 1 << 20 || payload.iter().any(|octet| *octet != 0) {
                    return Ok(Encoded::Unchanged);
                }
                out.write(&(payload.len() as u32).to_be_bytes())?;
                Ok(Encoded::Replaced(Rsv::RSV1))
            }
        })
        .decoding(|| {
            let mut on = false;
            let mut length: Vec<u8> = Vec::new();
            move |head: Head, payload: &[u8], out: &mut Output<'_>| {
                if head.starts_message() {
                    on = head.rsv.contains(Rsv::RSV1);
                    length.clear();
                }
                if !on {
                    return Ok(Decoded::Unchanged);
                }
                length.extend_from_slice(payload);
                if !head.fin {
                    return Ok(Decoded::Replaced);
                }
                let n: [u8; 4] = length[..]
                    .try_into()
                    .map_err(|_| Failure::protocol("four octets"))?;
                let n = u32::from_be_bytes(n) as usize;
                if n > 1 << 20 {
                    return Err(Failure::protocol("a bomb"));
                }
                out.write(&vec![0; n])?;
                Ok(Decoded::Replaced)
            }
        });
    let story = toy.breaks(Law::Budget);
    assert!(story.contains("zeros") && story.contains("1002"), "{story}");
}
