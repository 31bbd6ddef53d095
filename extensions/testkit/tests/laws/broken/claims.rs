//! Nothing outside the claim is touched.

use cloverleaf_proto::extension::{Claims, Decoded, Encoded, Output, Placement, Stage};
use cloverleaf_proto::frame::{Head, Rsv};
use cloverleaf_testkit::Law;

use crate::sound::{SUM, TAKEOVER, checksum, differing, shift, sum, takeover, undiffering, verify};
use crate::toy::Toy;

#[test]
fn is_named_in_upper_case() {
    shift().named("X-Toy").breaks(Law::Claims);
}

#[test]
fn sets_a_bit_that_it_has_not_claimed() {
    let toy =
        shift().encoding(|| |_, _, _: &[u8], _: &mut Output<'_>| Ok(Encoded::Replaced(Rsv::RSV3)));
    let story = toy.breaks(Law::Claims);
    assert!(
        story.contains("rsv3") && story.contains("not claimed"),
        "{story}"
    );
}

#[test]
fn sets_its_bit_on_continuations() {
    let toy = takeover().encoding(|| {
        let mut half = differing();
        move |head: Head, hints, payload: &[u8], out: &mut Output<'_>| {
            Ok(match half(head, hints, payload, out)? {
                Encoded::Replaced(_) => Encoded::Replaced(Rsv::RSV1),
                other => other,
            })
        }
    });
    let story = toy.breaks(Law::Claims);
    assert!(story.contains("start of a message only"), "{story}");
}

#[test]
fn puts_its_checksum_behind_pings_too_whatever_their_length() {
    let toy = checksum().encoding(|| {
        |head: Head, _, payload: &[u8], out: &mut Output<'_>| {
            out.write(payload)?;
            out.write(&[sum(payload)])?;
            let bits = if head.opcode.is_control() {
                Rsv::NONE
            } else {
                Rsv::RSV2
            };
            Ok(Encoded::Replaced(bits))
        }
    });
    toy.breaks(Law::Claims);
}

#[test]
fn sets_its_bit_on_a_ping() {
    let toy = Toy::new("x-toy", SUM)
        .encoding(|| {
            |_, _, payload: &[u8], out: &mut Output<'_>| {
                out.write(payload)?;
                Ok(Encoded::Replaced(Rsv::RSV2))
            }
        })
        .decoding(|| |_, _: &[u8], _: &mut Output<'_>| Ok(Decoded::Unchanged));
    let story = toy.breaks(Law::Claims);
    assert!(story.contains("control frames carry no bits"), "{story}");
}

#[test]
fn fails_on_a_control_frame_that_is_full() {
    let toy = checksum()
        .encoding(|| {
            |head: Head, _, payload: &[u8], out: &mut Output<'_>| {
                if head.opcode.is_control() {
                    out.write(payload)?;
                    out.write(b"!")?;
                    return Ok(Encoded::Replaced(Rsv::NONE));
                }
                Ok(Encoded::Unchanged)
            }
        })
        .decoding(|| {
            |head: Head, payload: &[u8], out: &mut Output<'_>| {
                if head.opcode.is_control() {
                    out.write(&payload[..payload.len() - 1])?;
                    return Ok(Decoded::Replaced);
                }
                Ok(Decoded::Unchanged)
            }
        });
    let story = toy.breaks(Law::Claims);
    assert!(story.contains("125"), "{story}");
}

#[test]
fn swallows_a_data_frame() {
    let toy = checksum().decoding(|| {
        |head: Head, payload: &[u8], out: &mut Output<'_>| {
            if payload.is_empty() && !head.opcode.is_control() {
                return Ok(Decoded::Consumed);
            }
            verify(head, payload, out)
        }
    });
    let story = toy.breaks(Law::Claims);
    assert!(story.contains("swallowed"), "{story}");
}

#[test]
fn claims_something_else_each_time() {
    // Depends on whether it has ever accepted anything: one value serves every connection.
    #[derive(Debug)]
    struct Moody(Toy, std::sync::atomic::AtomicBool);
    impl cloverleaf_proto::extension::Extension for Moody {
        fn name(&self) -> &str {
            "x-toy"
        }
        fn claims(&self) -> Claims {
            if self.1.load(std::sync::atomic::Ordering::Relaxed) {
                TAKEOVER
            } else {
                TAKEOVER.rsv(Rsv::RSV2, Placement::MessageStart)
            }
        }
        fn offers(&self) -> Vec<cloverleaf_proto::extension::Params> {
            self.0.offers()
        }
        fn accept(
            &self,
            offer: &cloverleaf_proto::extension::Params,
        ) -> Result<cloverleaf_proto::extension::Agreement, cloverleaf_proto::extension::Declined>
        {
            self.1.store(true, std::sync::atomic::Ordering::Relaxed);
            self.0.accept(offer)
        }
        fn confirm(
            &self,
            offered: &[cloverleaf_proto::extension::Params],
            answer: &cloverleaf_proto::extension::Params,
        ) -> Result<cloverleaf_proto::extension::Agreement, cloverleaf_proto::extension::Declined>
        {
            self.0.confirm(offered, answer)
        }
    }
    let kit = cloverleaf_testkit::Kit::new(|| {
        let toy = Toy::at(Stage::Message).claiming(TAKEOVER);
        Moody(
            toy.encoding(differing).decoding(undiffering),
            Default::default(),
        )
    });
    crate::toy::breaks(&kit, Law::Claims);
}
