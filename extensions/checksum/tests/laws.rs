//! The laws of extensions, and a few octets of the wire.

use cloverleaf_checksum::Checksum;
use cloverleaf_proto::Message;
use cloverleaf_testkit::Kit;

#[test]
fn the_checksum_keeps_the_laws() {
    for octets in 1..=4 {
        Kit::new(move || Checksum::new().octets(octets))
            .require("octets")
            .check();
    }
}

#[test]
fn the_wire_is_what_the_documentation_says() {
    let messages = [Message::text("Hello"), Message::binary("Hello")];
    let sent = cloverleaf_testkit::sent(Checksum::new(), "x-checksum; octets=4", messages);
    assert_eq!(
        sent,
        b"\xA1\x09\xF7\xD1\x89\x82Hello\xA2\x09\xF7\xD1\x89\x82Hello"
    );
}
