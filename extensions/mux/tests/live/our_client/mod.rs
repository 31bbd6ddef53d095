//! Our client, its server.
//!
//! What was observed:
//! - It gives 64 slots of 8192 octets, once, and never one back, not even for a request it refuses.
//!   A request too many it drops with 2007, a code of the connection, and goes on.
//! - It grants what a frame costs as soon as its handler reads the frame, in a block of its own.
//! - What it refuses it refuses twice: with the status, 403 if a handler fails, and with 400. A request
//!   for a resource that it does not have ends the connection.
//! - The headers of a difference stay in the base of the next ones, and what one removes is missing
//!   from it, until a whole request takes the base's place.
//! - It sends no empty message, no empty pong, and acknowledges no channel that it has forgotten.
//! - A handler that returns ends its channel without a word: only our deadline notices. One that fails
//!   drops it with 1000. When the last channel has ended, the connection is closed.
//! - Its compression is `permessage-compress; method=deflate`, on the wire as permessage-deflate. The
//!   answer to the connection does not say that channel 1 has it too, so that this one is lost. A text
//!   it encodes twice, and fails at the first letter that is not ASCII.

mod compressed;
mod ending;
mod opening;
mod traffic;

use cloverleaf_mux::Mux;

use crate::line::{Line, connect, only, request};

fn line(port: u16, mux: Mux) -> Line {
    connect(request(port, "/echo"), only(mux)).expect("it knows mux")
}

/// Something whose every octet can be told from its neighbours.
fn noise(length: usize, seed: u32) -> Vec<u8> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8)
    };
    std::iter::repeat_n((), length)
        .scan(seed, |state, ()| next(state))
        .collect()
}
