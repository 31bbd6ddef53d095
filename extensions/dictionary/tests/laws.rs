//! The extension keeps the laws of the test kit.

use cloverleaf_dictionary::{Dictionary, ZstdDictionary};
use cloverleaf_proto::extension::Params;
use cloverleaf_testkit::Kit;

fn dictionary(content: &'static [u8]) -> Dictionary {
    Dictionary::new(content).expect("long enough")
}

fn first() -> Dictionary {
    dictionary(b"to be, or not to be, that is the question: {\"id\":0,\"name\":\"\"}")
}

fn second() -> Dictionary {
    dictionary(b"whether 'tis nobler in the mind to suffer")
}

#[test]
fn as_it_comes() {
    let offer = Params::new()
        .value("max_window_bits", 12)
        .value("id", first().id());
    Kit::new(|| ZstdDictionary::new([first()]))
        .require("id")
        .also_accepts(offer)
        .check();
}

#[test]
fn with_every_message_compressed_and_the_least_window() {
    Kit::new(|| {
        ZstdDictionary::new([first(), second()])
            .threshold(0)
            .level(19)
            .max_window_bits(10)
    })
    .require("id")
    .check();
}

#[test]
fn between_sides_of_different_minds() {
    Kit::pair(
        || {
            ZstdDictionary::new([first(), second()])
                .threshold(0)
                .max_window_bits(20)
        },
        || ZstdDictionary::new([second()]).max_window_bits(12),
    )
    .require("id")
    .check();
}
