//! The decompressor of x-zstd-dictionary.
#![no_main]

use std::sync::LazyLock;

use cloverleaf_dictionary::{Dictionary, ZstdDictionary};
use libfuzzer_sys::fuzz_target;

static EXTENSION: LazyLock<ZstdDictionary> = LazyLock::new(|| {
    let content = &br#"{"event":"tick","symbol":"","price":,"volume":}"#[..];
    ZstdDictionary::new([Dictionary::new(content).expect("it is long enough")])
});

fuzz_target!(|data: &[u8]| cloverleaf_testkit::garbage(&*EXTENSION, data));
