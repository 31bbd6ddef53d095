//! ROT13 keeps the laws of extensions, and puts on the wire what its documentation says.

use cloverleaf_examples::rot13::Rot13;
use cloverleaf_proto::{Event, Message};
use cloverleaf_testkit::{Kit, received, sent};

#[test]
fn it_keeps_the_laws() {
    for shift in [1, 13, 25] {
        Kit::new(move || Rot13(shift)).require("shift").check();
    }
    // The server takes any shift, whatever it would offer itself.
    Kit::pair(|| Rot13(0), || Rot13(99))
        .require("shift")
        .check();
}

#[test]
fn the_wire_is_what_the_documentation_says() {
    for (offer, text) in [
        ("x-rot13; shift=1", &b"Bab, Qf\xC3\xABn!"[..]),
        ("x-rot13; shift=13", b"Nmn, Cr\xC3\xABz!"),
        ("x-rot13; shift=25", b"Zyz, Od\xC3\xABl!"),
    ] {
        // A binary message behind a text message: what the former was is forgotten.
        let messages = [Message::text("Aza, Peëm!"), Message::binary("Aza")];
        let wire = [b"\x81\x0B", text, b"\x82\x03Aza"].concat();
        assert_eq!(sent(Rot13(7), offer, messages.clone()), wire);
        let (events, closed) = received(Rot13(7), offer, &wire);
        assert_eq!(events, messages.map(Event::Message));
        assert_eq!(closed.error, None);
    }
}
