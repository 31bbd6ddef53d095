//! Frames of its own opcodes disturb nothing.

use cloverleaf_proto::extension::{Claims, Decoded, Output, Stage};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_testkit::Law;

use crate::sound::{ASK, TELL, echo, takeover, undiffering};
use crate::toy::{Toy, breaks};

#[test]
fn answers_with_an_opcode_that_it_has_not_claimed() {
    let toy = echo().claiming(Claims::at(Stage::Frame).opcode(ASK));
    let story = toy.breaks(Law::OpCodes);
    assert!(story.contains("Opcode-C"), "{story}");
}

#[test]
fn answers_answers_for_ever() {
    let toy = echo().decoding(|| {
        |head: Head, payload: &[u8], out: &mut Output<'_>| match head.opcode {
            ASK | TELL => {
                out.write(payload)?;
                Ok(Decoded::Answered(ASK))
            }
            _ => Ok(Decoded::Unchanged),
        }
    });
    let story = toy.breaks(Law::OpCodes);
    assert!(story.contains("did not stop"), "{story}");
}

#[test]
fn panics_on_a_frame_that_is_too_short() {
    let toy = echo().decoding(|| {
        |head: Head, payload: &[u8], _: &mut Output<'_>| match head.opcode {
            ASK | TELL => {
                let _ = payload[7];
                Ok(Decoded::Consumed)
            }
            _ => Ok(Decoded::Unchanged),
        }
    });
    let story = toy.breaks(Law::OpCodes);
    assert!(story.contains("panicked"), "{story}");
}

#[test]
fn answers_a_record_with_more_than_a_control_frame_holds() {
    let record = OpCode::new(0x3);
    let claims = Claims::at(Stage::Message).opcode(record).opcode(ASK);
    let toy = Toy::new("x-toy", claims).decoding(move || {
        move |head: Head, payload: &[u8], out: &mut Output<'_>| {
            if head.opcode == record {
                out.write(payload)?;
                return Ok(Decoded::Answered(ASK));
            }
            Ok(if head.opcode == ASK {
                Decoded::Consumed
            } else {
                Decoded::Unchanged
            })
        }
    });
    let story = toy.breaks(Law::OpCodes);
    assert!(story.contains("126 octets"), "{story}");
}

#[test]
fn loses_its_place_in_a_message_when_its_own_frame_comes() {
    let claims = Claims::at(Stage::Message)
        .rsv(
            Rsv::RSV1,
            cloverleaf_proto::extension::Placement::MessageStart,
        )
        .opcode(ASK);
    let toy = takeover().claiming(claims).decoding(|| {
        let mut half = undiffering();
        move |head: Head, payload: &[u8], out: &mut Output<'_>| {
            if head.opcode == ASK {
                half = undiffering();
                return Ok(Decoded::Consumed);
            }
            half(head, payload, out)
        }
    });
    let story = toy.breaks(Law::OpCodes);
    assert!(story.contains("among messages"), "{story}");
}

#[test]
fn refuses_what_it_is_said_to_understand() {
    let toy = || {
        echo().decoding(|| {
            |head: Head, payload: &[u8], _: &mut Output<'_>| match head.opcode {
                ASK if payload.len() != 8 => Err(cloverleaf_proto::extension::Failure::protocol(
                    "eight octets",
                )),
                ASK | TELL => Ok(Decoded::Consumed),
                _ => Ok(Decoded::Unchanged),
            }
        })
    };
    assert!(toy().kit().run().is_ok());
    assert!(toy().kit().frame(ASK, "12345678").run().is_ok());
    let story = breaks(&toy().kit().frame(ASK, "123"), Law::OpCodes);
    assert!(story.contains("eight octets"), "{story}");
}
