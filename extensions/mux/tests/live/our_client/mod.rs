//! Our client, its server.

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
