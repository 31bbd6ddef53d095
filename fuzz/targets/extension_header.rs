//! `Sec-WebSocket-Extensions`: what is understood prints as something that means the same.
#![no_main]

use cloverleaf_proto::handshake::parse_extensions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(offers) = parse_extensions(data) else {
        return;
    };
    let printed: Vec<String> = offers.iter().map(ToString::to_string).collect();
    let printed = printed.join(", ");
    assert_eq!(
        parse_extensions(printed.as_bytes()),
        Ok(offers),
        "{printed}"
    );
});
