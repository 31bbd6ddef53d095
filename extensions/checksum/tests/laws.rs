//! The laws of extensions.

use cloverleaf_checksum::Checksum;
use cloverleaf_testkit::Kit;

#[test]
fn the_checksum_keeps_the_laws() {
    for octets in 1..=4 {
        Kit::new(move || Checksum::new().octets(octets))
            .require("octets")
            .check();
    }
}
