//! The inflater of deflate-frame, with and without context takeover.
#![no_main]

use cloverleaf_deflate::DeflateFrame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let extension = DeflateFrame::new().no_context_takeover(first & 1 == 0);
    cloverleaf_testkit::garbage(&extension, rest);
});
