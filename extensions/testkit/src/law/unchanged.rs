//! A frame that was left alone leaves no trace.

use core::fmt;

use cloverleaf_proto::Role;
use cloverleaf_proto::extension::{Hints, Stage};
use cloverleaf_proto::frame::OpCode;

use crate::half::{Encodings, Unit};
use crate::pair::side;
use crate::random::Random;
use crate::sample::{Octets, Sample, short};
use crate::subject::{ROLES, Subject, guard};
use crate::trial::{any_hints, shortest};

/// Series of messages, per offer and direction.
const SERIES: u64 = 60;

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    let frame_stage = subject.claims()?.stage() == Stage::Frame;
    for pairing in subject.pairings()? {
        for from in ROLES {
            for number in 0..SERIES {
                let mut random = Random::new(subject.seed ^ 0x0C ^ number);
                let series = Series {
                    pairing,
                    from,
                    units: (0..3 + random.below(6))
                        .map(|_| any(&mut random, frame_stage))
                        .collect(),
                };
                for law in [left_out, inserted] {
                    subject.trial(String::new());
                    let run =
                        |series: &Series| guard(|| law(subject, series)).and_then(|went| went);
                    if let Err(first) = run(&series) {
                        let (series, went) = shortest(series, first, simpler, run);
                        return Err(format!("{series}\n{went}"));
                    }
                }
            }
        }
    }
    Ok(())
}

/// A message of a few frames, or a control frame where the stage sees some.
fn any(random: &mut Random, frame_stage: bool) -> Unit {
    if frame_stage && random.one_in(4) {
        let opcode = *random.pick(&[OpCode::PING, OpCode::PONG]);
        let n = random.below(20);
        return Unit::control(opcode, &random.octets(n));
    }
    let sample = if random.one_in(2) {
        random.pick(&short()).clone()
    } else {
        let n = random.below(600);
        Sample::random(random, n)
    };
    let hints = any_hints(random);
    let n = sample.payload.len();
    let cuts: Vec<usize> = if random.one_in(3) {
        (0..1 + random.below(3))
            .map(|_| random.below(n / 2 + 2))
            .collect()
    } else {
        Vec::new()
    };
    Unit::message(&sample, &cuts, hints)
}

/// What one end sends, in order.
#[derive(Clone)]
struct Series {
    pairing: usize,
    from: Role,
    units: Vec<Unit>,
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} sends:", side(self.from))?;
        for (i, unit) in self.units.iter().enumerate() {
            write!(f, "\n  {}. {unit}", i + 1)?;
        }
        Ok(())
    }
}

fn simpler(series: &Series) -> Vec<Series> {
    let mut all = Vec::new();
    for i in 0..series.units.len() {
        let mut simpler = series.clone();
        simpler.units.remove(i);
        all.push(simpler);
    }
    for (i, unit) in series.units.iter().enumerate() {
        if unit.hints != Hints::new() {
            let mut simpler = series.clone();
            simpler.units[i].hints = Hints::new();
            all.push(simpler);
        }
        // Frames in the middle.
        for j in 1..unit.frames.len().saturating_sub(1) {
            let mut simpler = series.clone();
            simpler.units[i].frames.remove(j);
            all.push(simpler);
        }
        for (j, frame) in unit.frames.iter().enumerate() {
            if let Some(half) = frame.half() {
                let mut simpler = series.clone();
                simpler.units[i].frames[j] = half;
                all.push(simpler);
            }
        }
    }
    all
}

fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|i| (i + 1).to_string()).collect();
    numbers.join(", ")
}

/// What the encoder left unchanged can be left out: nothing later depends on it.
fn left_out(subject: &Subject, series: &Series) -> Result<(), String> {
    let encode =
        |units: &mut dyn Iterator<Item = &Unit>| -> Result<Option<Vec<Encodings>>, String> {
            let mut way = subject.way(series.pairing, series.from)?;
            // An encoder that fails is another law's matter.
            Ok(units
                .map(|unit| way.sender.encode_unit(unit, usize::MAX))
                .collect::<Result<_, _>>()
                .ok())
        };
    let Some(all) = encode(&mut series.units.iter())? else {
        return Ok(());
    };
    let untouched: Vec<usize> = (0..all.len()).filter(|i| all[*i].untouched).collect();
    if untouched.is_empty() {
        return Ok(());
    }
    let mut receiver = subject.way(series.pairing, series.from)?.receiver;
    for (i, (unit, encoded)) in series.units.iter().zip(&all).enumerate() {
        if encoded.untouched {
            continue;
        }
        let went = match receiver.decode_unit(&encoded.frames, usize::MAX) {
            Ok((payload, _)) if payload == unit.payload() => continue,
            Ok((payload, _)) => format!("is decoded as {}", Octets(&payload)),
            Err(failure) => format!("fails to decode: {failure}"),
        };
        return Err(format!(
            "the encoder left {} unchanged; without having seen that, the decoder is lost: {} {went}",
            list(&untouched),
            i + 1,
        ));
    }
    // An encoder that always writes the same shows more: what it would have written without.
    if encode(&mut series.units.iter())? != Some(all.clone()) {
        return Ok(());
    }
    let touched = |i: &usize| !untouched.contains(i);
    let mut rest = series
        .units
        .iter()
        .enumerate()
        .filter(|(i, _)| touched(i))
        .map(|(_, unit)| unit);
    let Some(without) = encode(&mut rest)? else {
        return Ok(());
    };
    for (i, other) in (0..all.len()).filter(touched).zip(&without) {
        if all[i] != *other {
            return Err(format!(
                "the encoder left {} unchanged; had it not seen that, it would have made something \
                 else of {}: {} instead of {}",
                list(&untouched),
                i + 1,
                Octets(&crate::half::joined(&other.frames)),
                Octets(&crate::half::joined(&all[i].frames)),
            ));
        }
    }
    Ok(())
}

/// Plain messages and control frames that the decoder leaves unchanged may come anywhere.
fn inserted(subject: &Subject, series: &Series) -> Result<(), String> {
    let mut way = subject.way(series.pairing, series.from)?;
    let mut encoded = Vec::new();
    for unit in &series.units {
        let Ok(one) = way.sender.encode_unit(unit, usize::MAX) else {
            return Ok(());
        };
        let Ok((payload, _)) = way.receiver.decode_unit(&one.frames, usize::MAX) else {
            return Ok(());
        };
        encoded.push((one, payload));
    }
    let mut plain = vec![
        Unit::message(&Sample::text("plain"), &[], Hints::new()),
        Unit::message(&Sample::binary("in two"), &[3], Hints::new()),
        Unit::message(&Sample::text(""), &[], Hints::new()),
    ];
    if way.receiver.stage() == Stage::Frame {
        plain.push(Unit::control(OpCode::PING, b"ping"));
    }
    for extra in &plain {
        let mut receiver = subject.way(series.pairing, series.from)?.receiver;
        for (i, (one, expected)) in encoded.iter().enumerate() {
            match receiver.decode_unit(&extra.frames, usize::MAX) {
                Ok((_, true)) => {}
                // It means something to this decoder.
                _ => break,
            }
            let mut payload = Vec::new();
            let mut failed = None;
            for frame in &one.frames {
                match receiver.decode(frame, usize::MAX) {
                    Ok(decoding) => payload.extend(decoding.payload),
                    Err(failure) => failed = Some(failure),
                }
                if extra.is_control() {
                    // Control frames come between fragments, too.
                    let _ = receiver.decode_unit(&extra.frames, usize::MAX);
                }
            }
            let went = match failed {
                Some(failure) => format!("fails to decode: {failure}"),
                None if payload != *expected => format!("is decoded as {}", Octets(&payload)),
                None => continue,
            };
            return Err(format!(
                "the decoder leaves {extra} unchanged; but with that before every message, {} {went}",
                i + 1
            ));
        }
    }
    Ok(())
}
