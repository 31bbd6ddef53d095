//! No output passes its budget, and none is cut.

use cloverleaf_proto::Role;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::extension::{Failure, Hints, Stage};

use crate::half::{Passing, Unit, recut};
use crate::pair::{Cut, Pair, Settings, side};
use crate::random::Random;
use crate::sample::{Octets, Sample, prose, short};
use crate::subject::{ROLES, Subject, negotiate};

/// What a bomb inflates to.
const BOMB: usize = 16 << 20;

/// What it may inflate to.
const FUSE: usize = 64 << 10;

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    let pairings = subject.pairings()?;
    for pairing in &pairings {
        for from in ROLES {
            let mut samples = short();
            let mut random = Random::new(subject.seed ^ 0xB6);
            samples.push(Sample::text(prose(1000)));
            samples.push(Sample::binary(random.octets(500)));
            samples.push(Sample::text(prose(70_000)));
            for sample in &samples {
                decoding(subject, *pairing, from, sample)?;
                if sample.payload.len() < 10_000 {
                    encoding(subject, *pairing, from, sample)?;
                }
            }
            connected(subject, *pairing, from)?;
        }
    }
    // Once: it is the same decoder on both sides, and 16 MiB take their time.
    match pairings.first() {
        Some(pairing) => bomb(subject, *pairing),
        None => Ok(()),
    }
}

/// Whether this is the one failure there may be, and what to say if not.
fn is_too_big(failure: &Failure) -> Result<(), String> {
    if failure.close_code() == CloseCode::MESSAGE_TOO_BIG {
        return Ok(());
    }
    Err(format!(
        "it fails with {} ({failure}) instead of {}",
        failure.close_code(),
        CloseCode::MESSAGE_TOO_BIG
    ))
}

/// Budgets for something of `n` octets that are too small.
fn too_small(n: usize) -> Vec<usize> {
    let mut all = vec![0, 1, n / 2, n.saturating_sub(1)];
    all.dedup();
    all.retain(|budget| *budget < n);
    all
}

fn decoding(subject: &Subject, pairing: usize, from: Role, sample: &Sample) -> Result<(), String> {
    let mut framings = vec![Vec::new()];
    let n = sample.payload.len();
    if n > 3 {
        framings.push(vec![n / 3, n / 3]);
    }
    for cuts in framings {
        let unit = Unit::message(sample, &cuts, Hints::new());
        let mut way = subject.way(pairing, from)?;
        let Ok(encoded) = way.sender.encode_unit(&unit, usize::MAX) else {
            return Ok(());
        };
        if encoded.untouched {
            // Nothing is written, and the engine counts what passes.
            continue;
        }
        let stage = way.receiver.stage();
        let mut series = vec![encoded.frames.clone()];
        let length = unit_length(&encoded.frames);
        if stage == Stage::Message && length > 2 {
            series.push(recut(&encoded.frames, &[1, length / 2]));
        }
        for frames in series {
            for budget in too_small(n).into_iter().chain([n]) {
                let mut receiver = subject.way(pairing, from)?.receiver;
                let story = |went: String| {
                    let frames: Vec<String> = frames.iter().map(Passing::to_string).collect();
                    let frames = frames.join(" ");
                    format!(
                        "{frames} of the {}, which was {sample}, is decoded with a budget of \
                         {budget} octets, and needs {n}:\n  {went}",
                        side(from)
                    )
                };
                subject.trial(story(String::new()));
                match receiver.decode_unit(&frames, budget) {
                    Err(failure) if budget < n => is_too_big(&failure).map_err(story)?,
                    Err(failure) => {
                        return Err(story(format!(
                            "it fails although that is enough: {failure}"
                        )));
                    }
                    Ok((payload, _)) if payload == sample.payload && budget == n => {}
                    Ok((payload, _)) => {
                        let octets = payload.len();
                        return Err(story(format!(
                            "it says all is well with {octets} octets: {}",
                            Octets(&payload)
                        )));
                    }
                }
            }
        }
    }
    Ok(())
}

fn unit_length(frames: &[Passing]) -> usize {
    frames.iter().map(|frame| frame.payload.len()).sum()
}

/// An encoder that has not the room either says so or sends what decodes to the whole.
fn encoding(subject: &Subject, pairing: usize, from: Role, sample: &Sample) -> Result<(), String> {
    let unit = Unit::message(sample, &[], Hints::new());
    let Ok(encoded) = subject
        .way(pairing, from)?
        .sender
        .encode_unit(&unit, usize::MAX)
    else {
        return Ok(());
    };
    if encoded.untouched {
        return Ok(());
    }
    for budget in too_small(unit_length(&encoded.frames)) {
        let story = |went: String| {
            format!(
                "{sample} of the {} is encoded with room for {budget} octets: {went}",
                side(from)
            )
        };
        subject.trial(story(String::new()));
        let mut way = subject.way(pairing, from)?;
        let encoded = match way.sender.encode_unit(&unit, budget) {
            Ok(encoded) => encoded,
            Err(failure) => {
                is_too_big(&failure).map_err(story)?;
                continue;
            }
        };
        match way.receiver.decode_unit(&encoded.frames, usize::MAX) {
            Ok((payload, _)) if payload == sample.payload => {}
            Ok((payload, _)) => return Err(story(format!("it comes as {}", Octets(&payload)))),
            Err(failure) => return Err(story(format!("it is not decoded again: {failure}"))),
        }
    }
    Ok(())
}

/// The same between two connections: what fits arrives, and an octet more ends with 1009.
fn connected(subject: &Subject, pairing: usize, from: Role) -> Result<(), String> {
    let payload = prose(3000);
    let n = payload.len();
    for max_message_size in [n, n - 1] {
        let what = format!(
            "the {} sends {n} octets of text to a {} that takes {max_message_size}",
            side(from),
            side(from.peer())
        );
        subject.trial(&*what);
        let negotiated = negotiate(
            &subject.side(Role::Client)?,
            &subject.side(Role::Server)?,
            &subject.name()?,
            pairing,
        )?;
        let settings = Settings {
            max_message_size,
            ..Settings::default()
        };
        let mut pair = Pair::new(negotiated, settings, Cut::Whole);
        let sent = pair.end(from).connection.send(
            cloverleaf_proto::Message::text(payload.clone()),
            Hints::new(),
        );
        if sent.is_err() {
            return Ok(());
        }
        pair.settle(from, 0)?;
        let receiver = pair.end(from.peer());
        let came = receiver.heard.messages.len();
        let error = receiver.connection.closed().error;
        let code = error.as_ref().and_then(|error| error.close_code());
        let right = if max_message_size == n {
            came == 1 && error.is_none()
        } else {
            came == 0 && code == Some(CloseCode::MESSAGE_TOO_BIG)
        };
        if !right {
            let went = error.map_or_else(|| "no error".to_owned(), |error| error.to_string());
            return Err(format!("{what}: {came} messages come, and then {went}"));
        }
    }
    Ok(())
}

/// Much that comes as little.
fn bomb(subject: &Subject, pairing: usize) -> Result<(), String> {
    let from = Role::Client;
    let sample = Sample::binary(vec![0; BOMB]);
    let what = format!("{BOMB} zeros are encoded, and decoded with a budget of {FUSE} octets");
    subject.trial(&*what);
    let mut way = subject.way(pairing, from)?;
    let unit = Unit::message(&sample, &[], Hints::new());
    let Ok(encoded) = way.sender.encode_unit(&unit, usize::MAX) else {
        return Ok(());
    };
    if encoded.untouched {
        return Ok(());
    }
    let mut series = vec![encoded.frames.clone()];
    if way.receiver.stage() == Stage::Message {
        let length = unit_length(&encoded.frames);
        series.push(recut(&encoded.frames, &vec![1 + length / 40; 39]));
    }
    for frames in series {
        let mut receiver = subject.way(pairing, from)?.receiver;
        match receiver.decode_unit(&frames, FUSE) {
            Err(failure) => {
                is_too_big(&failure).map_err(|went| format!("{what}:\n  {went}"))?;
            }
            Ok((payload, _)) => {
                return Err(format!(
                    "{what}:\n  it says all is well with {} octets",
                    payload.len()
                ));
            }
        }
    }
    Ok(())
}
