//! Connections know nothing of each other.

use std::sync::{Arc, Mutex};

use cloverleaf_proto::extension::{Decoded, Encoded, Failure, Hints, Output};
use cloverleaf_proto::frame::{Head, Rsv};
use cloverleaf_testkit::{Kit, Law};

use crate::sound::{differing, numbered, takeover, undiffering};
use crate::toy::{Toy, breaks};

/// One encoder and one decoder for all connections of a configuration. Each side has its own.
fn shared() -> Toy {
    let encoder = Arc::new(Mutex::new(differing()));
    let decoder = Arc::new(Mutex::new(undiffering()));
    takeover()
        .encoding(move || {
            let shared = Arc::clone(&encoder);
            move |head: Head, hints: Hints, payload: &[u8], out: &mut Output<'_>| {
                let mut half = shared.lock().expect("nobody panics here");
                half(head, hints, payload, out)
            }
        })
        .decoding(move || {
            let shared = Arc::clone(&decoder);
            move |head: Head, payload: &[u8], out: &mut Output<'_>| {
                let mut half = shared.lock().expect("nobody panics here");
                half(head, payload, out)
            }
        })
}

#[test]
fn has_one_window_for_all_connections() {
    let story = breaks(&Kit::new(shared), Law::Isolation);
    assert!(story.contains("later connection 2"), "{story}");
}

#[test]
fn numbers_the_frames_of_all_connections_together() {
    let toy = || {
        let next = Arc::new(Mutex::new(0_u8));
        numbered()
            .encoding(move || {
                let next = Arc::clone(&next);
                move |head: Head, _, _: &[u8], out: &mut Output<'_>| {
                    if head.opcode.is_control() {
                        return Ok(Encoded::Unchanged);
                    }
                    let mut next = next.lock().expect("nobody panics here");
                    *next = next.wrapping_add(1);
                    out.write(&[*next])?;
                    Ok(Encoded::Prefixed(Rsv::RSV3))
                }
            })
            .decoding(|| {
                let mut last = 0_u8;
                move |head: Head, payload: &[u8], _: &mut Output<'_>| {
                    if !head.rsv.contains(Rsv::RSV3) {
                        return Ok(Decoded::Unchanged);
                    }
                    last = last.wrapping_add(1);
                    if payload.first() != Some(&last) {
                        return Err(Failure::protocol("a frame is missing"));
                    }
                    Ok(Decoded::Stripped(1))
                }
            })
    };
    breaks(&Kit::new(toy), Law::Isolation);
}

/// Gives its window back to a pool when the connection ends.
struct Lent {
    pool: Arc<Mutex<Vec<crate::sound::Window>>>,
    window: Option<crate::sound::Window>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(window), Ok(mut pool)) = (self.window.take(), self.pool.lock()) {
            // As it is: nobody has emptied it.
            pool.push(window);
        }
    }
}

#[test]
fn takes_a_used_window_out_of_the_pool() {
    let toy = || {
        let pool = Arc::default();
        takeover().decoding(move || {
            let pool: Arc<Mutex<Vec<crate::sound::Window>>> = Arc::clone(&pool);
            let mut lent = Lent { pool, window: None };
            move |head: Head, payload: &[u8], out: &mut Output<'_>| {
                let pool = &lent.pool;
                let window = lent.window.get_or_insert_with(|| {
                    let mut pool = pool.lock().expect("nobody panics here");
                    pool.pop().unwrap_or_default()
                });
                if head.starts_message() {
                    window.on = head.rsv.contains(Rsv::RSV1);
                }
                if !window.on {
                    return Ok(Decoded::Unchanged);
                }
                out.write(&window.turn(payload, head.fin, true))?;
                Ok(Decoded::Replaced)
            }
        })
    };
    let story = breaks(&Kit::new(toy), Law::Isolation);
    assert!(story.contains("later connection 2"), "{story}");
}
