//! The inflater of permessage-deflate, with and without context takeover.
#![no_main]

use cloverleaf_deflate::PermessageDeflate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let keep = first & 1 == 0;
    let extension = PermessageDeflate::new()
        .server_no_context_takeover(keep)
        .client_no_context_takeover(keep);
    cloverleaf_testkit::garbage(&extension, rest);
});
