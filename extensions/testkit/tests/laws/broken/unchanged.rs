//! A frame that was left alone leaves no trace.

use cloverleaf_proto::extension::{Decoded, Encoded, Failure, Hints, Output};
use cloverleaf_proto::frame::{Head, Rsv};
use cloverleaf_testkit::Law;

use crate::sound::{Window, differing, numbered, takeover, undiffering, wanted};

/// As [`takeover`], but a message that goes plain touches the window.
fn touching(touch: fn(&mut Window)) -> crate::toy::Toy {
    takeover()
        .encoding(move || {
            let mut window = Window::default();
            move |head: Head, hints: Hints, payload: &[u8], out: &mut Output<'_>| {
                if head.starts_message() {
                    window.on = wanted(head, hints, payload);
                }
                if !window.on {
                    if head.starts_message() {
                        touch(&mut window);
                    }
                    return Ok(Encoded::Unchanged);
                }
                out.write(&window.turn(payload, head.fin, false))?;
                Ok(Encoded::Replaced(if head.starts_message() {
                    Rsv::RSV1
                } else {
                    Rsv::NONE
                }))
            }
        })
        .decoding(move || {
            let mut window = Window::default();
            move |head: Head, payload: &[u8], out: &mut Output<'_>| {
                if head.starts_message() {
                    window.on = head.rsv.contains(Rsv::RSV1);
                }
                if !window.on {
                    if head.starts_message() {
                        touch(&mut window);
                    }
                    return Ok(Decoded::Unchanged);
                }
                out.write(&window.turn(payload, head.fin, true))?;
                Ok(Decoded::Replaced)
            }
        })
}

#[test]
fn has_a_window_that_forgets_behind_a_plain_message() {
    let story = touching(|window| window.last.clear()).breaks(Law::Unchanged);
    assert!(story.contains("unchanged"), "{story}");
}

#[test]
fn counts_the_plain_messages_at_both_ends() {
    touching(|window| window.last.push(0x22)).breaks(Law::Unchanged);
}

#[test]
fn has_seen_a_message_although_it_was_not_worth_it() {
    // Harmless on the wire as long as nothing refers to it; but the state is not as if it had never
    // been seen.
    let toy = takeover()
        .encoding(|| {
            let mut half = differing();
            let mut plain = 0_u8;
            move |head: Head, hints, payload: &[u8], out: &mut Output<'_>| {
                let encoded = half(head, hints, payload, out)?;
                if encoded == Encoded::Unchanged {
                    plain = plain.wrapping_add(1);
                } else if head.fin {
                    // How many there were, which the other end does not care about.
                    out.write(&[plain])?;
                }
                Ok(encoded)
            }
        })
        .decoding(|| {
            // The last octet of an encoded message is held back, and thrown away.
            let mut half = undiffering();
            let mut held = Vec::new();
            let mut on = false;
            move |head: Head, payload: &[u8], out: &mut Output<'_>| {
                if head.starts_message() {
                    on = head.rsv.contains(Rsv::RSV1);
                    held.clear();
                }
                if !on {
                    return half(head, payload, out);
                }
                held.extend_from_slice(payload);
                let Some(last) = held.pop() else {
                    return half(head, b"", out);
                };
                let ready = core::mem::take(&mut held);
                held.push(last);
                half(head, &ready, out)
            }
        });
    let story = toy.breaks(Law::Unchanged);
    assert!(story.contains("something else"), "{story}");
}

#[test]
fn counts_pings_at_both_ends() {
    let toy = numbered()
        .encoding(|| {
            let mut number = 0_u8;
            move |head: Head, _, _: &[u8], out: &mut Output<'_>| {
                number = number.wrapping_add(1);
                if head.opcode.is_control() {
                    return Ok(Encoded::Unchanged);
                }
                out.write(&[number])?;
                Ok(Encoded::Prefixed(Rsv::RSV3))
            }
        })
        .decoding(|| {
            let mut number = 0_u8;
            move |head: Head, payload: &[u8], _: &mut Output<'_>| {
                number = number.wrapping_add(1);
                if head.opcode.is_control() {
                    return Ok(Decoded::Unchanged);
                }
                if payload.first() != Some(&number) {
                    return Err(Failure::protocol("a frame is missing"));
                }
                Ok(Decoded::Stripped(1))
            }
        });
    let story = toy.breaks(Law::Unchanged);
    assert!(story.contains("Ping") || story.contains("Pong"), "{story}");
}
