//! The test kit's garbage law itself, from seeds of the fuzzer's: what it makes up must break none of
//! our extensions, and the kit must come to an end.
#![no_main]

use cloverleaf_checksum::Checksum;
use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_proto::extension::Extension;
use cloverleaf_testkit::{Kit, Law};
use libfuzzer_sys::fuzz_target;

fn hold<E: Extension + 'static>(seed: u64, make: impl Fn() -> E + 'static) {
    let held = Kit::new(make).seed(seed).only(Law::Garbage).run();
    if let Err(broken) = held {
        panic!("{broken}");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    let mut seed = [0; 8];
    for (to, from) in seed.iter_mut().zip(rest) {
        *to = *from;
    }
    let seed = u64::from_le_bytes(seed);
    match which % 3 {
        0 => hold(seed, PermessageDeflate::new),
        1 => hold(seed, DeflateFrame::new),
        _ => hold(seed, Checksum::new),
    }
});
