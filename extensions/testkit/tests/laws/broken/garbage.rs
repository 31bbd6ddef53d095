//! Garbage is refused, not died of.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cloverleaf_proto::extension::{Decoded, Failure, Output};
use cloverleaf_proto::frame::{Head, Rsv};
use cloverleaf_testkit::{Law, garbage, garbage_offer};

use crate::sound::{checksum, read, shift, sum, verify};
use crate::toy::Toy;

fn without_looking() -> Toy {
    checksum().decoding(|| {
        |head: Head, payload: &[u8], out: &mut Output<'_>| {
            if !head.rsv.contains(Rsv::RSV2) {
                return Ok(Decoded::Unchanged);
            }
            let rest = &payload[..payload.len() - 1];
            if payload[rest.len()] != sum(rest) {
                return Err(Failure::invalid_data("the sum is wrong"));
            }
            out.write(rest)?;
            Ok(Decoded::Replaced)
        }
    })
}

#[test]
fn takes_for_granted_that_a_sum_is_there() {
    let story = without_looking().breaks(Law::Garbage);
    assert!(
        story.contains("\"\">") && story.contains("panicked"),
        "{story}"
    );
}

#[test]
fn takes_for_granted_that_the_sum_is_right() {
    let toy = checksum().decoding(|| {
        |head: Head, payload: &[u8], out: &mut Output<'_>| {
            let verified = verify(head, payload, out);
            if let Err(failure) = &verified {
                assert_eq!(failure, &Failure::too_big(), "the sum is right");
            }
            verified
        }
    });
    let story = toy.breaks(Law::Garbage);
    assert!(story.contains("the sum is right"), "{story}");
}

#[test]
fn swallows_what_it_cannot_read() {
    let toy = checksum().decoding(|| {
        |head: Head, payload: &[u8], out: &mut Output<'_>| {
            Ok(verify(head, payload, out).unwrap_or(Decoded::Consumed))
        }
    });
    let story = toy.breaks(Law::Garbage);
    assert!(story.contains("swallowed"), "{story}");
}

#[test]
fn dies_of_a_parameter_without_a_letter_it_expects() {
    let toy = shift().accepting(|offer| {
        for (name, _) in offer.iter() {
            assert!(name.is_ascii(), "names are ASCII");
        }
        read(offer)
    });
    let story = toy.breaks(Law::Garbage);
    assert!(story.contains("names are ASCII"), "{story}");
}

/// Whether a fuzzer would have found something.
fn dies(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

#[test]
fn a_fuzz_target_panics_where_the_decoder_does_and_nowhere_else() {
    // The server's side; a final frame with RSV2, no payload, and a budget of 1000 octets.
    let empty_with_bit = [0x00, 0xA1, 0x00, 0x04];
    assert!(dies(|| garbage(&without_looking(), &empty_with_bit)));
    assert!(!dies(|| garbage(&checksum(), &empty_with_bit)));
    assert!(!dies(|| garbage(
        &without_looking(),
        &[0x00, 0x81, 0x00, 0x04]
    )));
    assert!(!dies(|| garbage(&without_looking(), &[])));
}

#[test]
fn a_fuzz_target_of_offers_panics_where_the_negotiation_does_and_nowhere_else() {
    let toy = shift().accepting(|offer| {
        assert!(offer.len() < 4, "never more than three");
        read(offer)
    });
    assert!(dies(|| garbage_offer(&toy, b"x-toy; a; b; c; d")));
    assert!(!dies(|| garbage_offer(&toy, b"x-toy; by=3; loud")));
    assert!(!dies(|| garbage_offer(&shift(), b"x-toy; a; b; c; d")));
    assert!(!dies(|| garbage_offer(&shift(), b"\xFF\x00=;,")));
}
