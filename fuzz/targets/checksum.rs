//! The decoder of x-checksum, for every number of octets.
#![no_main]

use cloverleaf_checksum::Checksum;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    cloverleaf_testkit::garbage(&Checksum::new().octets(u32::from(first % 4) + 1), rest);
});
