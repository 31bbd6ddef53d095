//! ROT13 keeps the laws of extensions, and puts on the wire what its documentation says.

use cloverleaf_examples::rot13::Rot13;
use cloverleaf_proto::extension::{Extension, Params};
use cloverleaf_proto::{Event, Message};
use cloverleaf_testkit::{Kit, received, sent};

#[test]
fn its_shifts_keep_the_laws() {
    for shift in [1, 13, 25] {
        Kit::new(move || Rot13(shift)).require("shift").check();
    }
}

#[test]
fn a_server_keeps_the_laws_with_a_shift_that_is_not_its_own() {
    Kit::pair(|| Rot13(3), || Rot13(13))
        .require("shift")
        .check();
}

#[test]
fn text_is_shifted_and_binary_is_not() {
    let messages = [Message::text("Hello, xyz!"), Message::binary("Hello")];
    assert_eq!(
        sent(Rot13(1), "x-rot13; shift=3", messages),
        b"\x81\x0bKhoor, abc!\x82\x05Hello"
    );
    let (events, closed) = received(
        Rot13(1),
        "x-rot13; shift=3",
        b"\x01\x02Kh\x80\x03oor\x82\x01K",
    );
    let expected = [Message::text("Hello"), Message::binary("K")];
    assert_eq!(events, expected.map(Event::Message));
    assert_eq!(closed.error, None);
}

#[test]
fn a_shift_out_of_range_is_offered_as_the_nearest_in_it() {
    for (shift, offered) in [(0, 1), (13, 13), (26, 25), (255, 25)] {
        assert_eq!(
            Rot13(shift).offers(),
            [Params::new().value("shift", offered)]
        );
    }
}
