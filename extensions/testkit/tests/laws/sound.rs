//! Extensions that keep every law. The broken ones are these, with something changed.

use cloverleaf_proto::extension::{
    Claims, Declined, Decoded, Encoded, Failure, Hints, Output, Params, Placement, Stage,
};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_testkit::{Kit, Law};

use crate::toy::Toy;

/// Message stage, no bit, no state: turns every octet by what was negotiated.
pub(crate) fn shift() -> Toy {
    let turn = |_, _: Hints, payload: &[u8], out: &mut Output<'_>| {
        let turned: Vec<u8> = payload.iter().map(|octet| octet ^ 0x55).collect();
        out.write(&turned)?;
        Ok(Encoded::Replaced(Rsv::NONE))
    };
    Toy::at(Stage::Message)
        .offering(|| vec![by(5).flag("loud"), by(1)])
        .accepting(read)
        .confirming(read)
        .encoding(move || turn)
        .decoding(|| {
            |_, payload: &[u8], out: &mut Output<'_>| {
                let turned: Vec<u8> = payload.iter().map(|octet| octet ^ 0x55).collect();
                out.write(&turned)?;
                Ok(Decoded::Replaced)
            }
        })
}

pub(crate) fn by(by: u32) -> Params {
    Params::new().value("by", by)
}

pub(crate) fn read(params: &Params) -> Result<Params, Declined> {
    let mut reader = params.reader()?;
    let number = reader.required_number("by", 0..=25)?;
    let loud = reader.flag("loud")?;
    reader.end()?;
    Ok(if loud {
        by(number).flag("loud")
    } else {
        by(number)
    })
}

pub(crate) const SUM: Claims = Claims::at(Stage::Frame).rsv(Rsv::RSV2, Placement::DataFrames);

pub(crate) fn sum(payload: &[u8]) -> u8 {
    payload
        .iter()
        .fold(7, |sum, octet| sum.wrapping_mul(31).wrapping_add(*octet))
}

/// Frame stage, RSV2 on every data frame that has at least two octets: a checksum behind them.
pub(crate) fn checksum() -> Toy {
    Toy::new("x-toy", SUM)
        .encoding(|| {
            |head: Head, _, payload: &[u8], out: &mut Output<'_>| {
                if head.opcode.is_control() || head.opcode.is_reserved() || payload.len() < 2 {
                    return Ok(Encoded::Unchanged);
                }
                out.write(payload)?;
                out.write(&[sum(payload)])?;
                Ok(Encoded::Replaced(Rsv::RSV2))
            }
        })
        .decoding(|| verify)
}

pub(crate) fn verify(head: Head, payload: &[u8], out: &mut Output<'_>) -> Result<Decoded, Failure> {
    if !head.rsv.contains(Rsv::RSV2) {
        return Ok(Decoded::Unchanged);
    }
    match payload.split_last() {
        Some((last, rest)) if *last == sum(rest) => {
            out.write(rest)?;
            Ok(Decoded::Replaced)
        }
        _ => Err(Failure::invalid_data("the sum is wrong")),
    }
}

pub(crate) const ASK: OpCode = OpCode::new(0xB);
pub(crate) const TELL: OpCode = OpCode::new(0xC);

/// Owns two control opcodes: what is asked is told.
pub(crate) fn echo() -> Toy {
    Toy::new("x-toy", Claims::at(Stage::Frame).opcode(ASK).opcode(TELL)).decoding(|| {
        |head: Head, payload: &[u8], out: &mut Output<'_>| match head.opcode {
            ASK => {
                out.write(payload)?;
                Ok(Decoded::Answered(TELL))
            }
            TELL => {
                out.notify(payload.to_vec());
                Ok(Decoded::Consumed)
            }
            _ => Ok(Decoded::Unchanged),
        }
    })
}

pub(crate) const TAKEOVER: Claims =
    Claims::at(Stage::Message).rsv(Rsv::RSV1, Placement::MessageStart);

/// The window of [`takeover`]: what the last message was, and how far this one is.
#[derive(Default)]
pub(crate) struct Window {
    pub(crate) last: Vec<u8>,
    pub(crate) now: Vec<u8>,
    pub(crate) on: bool,
}

impl Window {
    /// Octet by octet, against the last message.
    pub(crate) fn turn(&mut self, payload: &[u8], fin: bool, decoding: bool) -> Vec<u8> {
        let mut turned = Vec::with_capacity(payload.len());
        for octet in payload {
            let other = octet ^ self.last.get(self.now.len()).copied().unwrap_or(0x11);
            self.now.push(if decoding { other } else { *octet });
            turned.push(other);
        }
        if fin {
            self.last = core::mem::take(&mut self.now);
        }
        turned
    }
}

/// Whether a message is to be encoded: none that is secret, and none that is short and whole.
pub(crate) fn wanted(head: Head, hints: Hints, payload: &[u8]) -> bool {
    hints.may_compress() && (!head.fin || payload.len() > 3)
}

/// Message stage, RSV1 at the start: each message is written as the difference from the last one.
pub(crate) fn takeover() -> Toy {
    Toy::new("x-toy", TAKEOVER)
        .encoding(differing)
        .decoding(undiffering)
}

pub(crate) fn differing()
-> impl FnMut(Head, Hints, &[u8], &mut Output<'_>) -> Result<Encoded, Failure> + Send + 'static {
    let mut window = Window::default();
    move |head, hints, payload, out| {
        if head.starts_message() {
            window.on = wanted(head, hints, payload);
        }
        if !window.on {
            return Ok(Encoded::Unchanged);
        }
        out.write(&window.turn(payload, head.fin, false))?;
        let first = head.starts_message();
        Ok(Encoded::Replaced(if first { Rsv::RSV1 } else { Rsv::NONE }))
    }
}

pub(crate) fn undiffering()
-> impl FnMut(Head, &[u8], &mut Output<'_>) -> Result<Decoded, Failure> + Send + 'static {
    let mut window = Window::default();
    move |head, payload, out| {
        if head.starts_message() {
            window.on = head.rsv.contains(Rsv::RSV1);
        }
        if !window.on {
            return Ok(Decoded::Unchanged);
        }
        out.write(&window.turn(payload, head.fin, true))?;
        Ok(Decoded::Replaced)
    }
}

/// Frame stage, RSV3: a number in front of each data frame, as extension data.
pub(crate) fn numbered() -> Toy {
    let claims = Claims::at(Stage::Frame).rsv(Rsv::RSV3, Placement::DataFrames);
    Toy::new("x-toy", claims)
        .encoding(|| {
            let mut number = 0_u8;
            move |head: Head, _, _: &[u8], out: &mut Output<'_>| {
                if head.opcode.is_control() || head.opcode.is_reserved() {
                    return Ok(Encoded::Unchanged);
                }
                number = number.wrapping_add(1);
                out.write(&[number])?;
                Ok(Encoded::Prefixed(Rsv::RSV3))
            }
        })
        .decoding(|| {
            let mut number = 0_u8;
            move |head: Head, payload: &[u8], _: &mut Output<'_>| {
                if !head.rsv.contains(Rsv::RSV3) {
                    return Ok(Decoded::Unchanged);
                }
                number = number.wrapping_add(1);
                if payload.first() != Some(&number) {
                    return Err(Failure::protocol("a frame is missing"));
                }
                Ok(Decoded::Stripped(1))
            }
        })
}

/// Message stage: two octets of extension data in front of each message, which may come apart.
pub(crate) fn tagged() -> Toy {
    Toy::new("x-toy", TAKEOVER)
        .encoding(|| {
            |head: Head, _, _: &[u8], out: &mut Output<'_>| {
                if !head.starts_message() {
                    return Ok(Encoded::Unchanged);
                }
                out.write(b"#!")?;
                Ok(Encoded::Prefixed(Rsv::RSV1))
            }
        })
        .decoding(|| {
            let mut missing = 0;
            move |head: Head, payload: &[u8], _: &mut Output<'_>| {
                if head.starts_message() {
                    missing = if head.rsv.contains(Rsv::RSV1) { 2 } else { 0 };
                }
                let here = missing.min(payload.len());
                if payload[..here] != b"#!"[2 - missing..][..here] {
                    return Err(Failure::protocol("no tag"));
                }
                missing -= here;
                if head.fin && missing > 0 {
                    return Err(Failure::protocol("half a tag"));
                }
                Ok(Decoded::Stripped(here))
            }
        })
}

/// Owns a data opcode; the application gets what comes.
pub(crate) fn records() -> Toy {
    Toy::new("x-toy", Claims::at(Stage::Message).opcode(OpCode::new(3)))
}

#[track_caller]
fn keeps(kit: Kit) {
    let report = kit.run().unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!(report.kept().count(), Law::ALL.len());
    let idle: Vec<Law> = report
        .kept()
        .filter(|(_, trials)| *trials == 0)
        .map(|(law, _)| law)
        .collect();
    assert!(idle.is_empty() || idle == [Law::OpCodes], "{report}");
    println!("{report}");
}

#[test]
fn a_stateless_one_of_the_message_stage_keeps_the_laws() {
    keeps(shift().kit().require("by"));
}

#[test]
fn one_of_the_frame_stage_with_a_bit_on_every_frame_keeps_the_laws() {
    keeps(checksum().kit());
}

#[test]
fn an_owner_of_control_opcodes_keeps_the_laws() {
    keeps(echo().kit().frame(ASK, "now").frame(TELL, "then"));
    keeps(echo().kit());
}

#[test]
fn an_owner_of_a_data_opcode_keeps_the_laws() {
    keeps(records().kit());
}

#[test]
fn one_that_takes_its_context_over_keeps_the_laws() {
    keeps(takeover().kit());
}

#[test]
fn one_with_extension_data_keeps_the_laws_at_either_stage() {
    keeps(numbered().kit());
    keeps(tagged().kit());
}

#[test]
fn one_that_does_nothing_keeps_the_laws_at_every_stage() {
    for stage in [Stage::Message, Stage::Frame, Stage::Carrier] {
        keeps(Toy::at(stage).kit());
    }
}

#[test]
fn other_seeds_make_no_difference() {
    for seed in 1..4 {
        keeps(takeover().kit().seed(seed << 20));
        keeps(numbered().kit().seed(seed << 20));
    }
}
