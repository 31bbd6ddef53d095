//! Garbage is refused, not died of.

use cloverleaf_proto::Role;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::frame::OpCode;

use crate::fuzz::{Frames, decode_all, garbage_offer};
use crate::half::{Passing, Unit};
use crate::pair::side;
use crate::random::Random;
use crate::sample::{Sample, short};
use crate::subject::{ROLES, Subject, guard, only};
use crate::trial::{Step, Trial, shortest};

/// Runs of octets, per offer and direction.
const RANDOM: u64 = 250;

/// Mutated valid messages, per offer and direction.
const MUTATED: u64 = 250;

/// Made-up headers.
const HEADERS: u64 = 300;

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    for pairing in subject.pairings()? {
        for from in ROLES {
            random(subject, pairing, from)?;
            mutated(subject, pairing, from)?;
        }
        // What is left behind must not trouble the next connection.
        let steps = ROLES.map(|from| Step::send(from, Sample::text("Hello Hello Hello")));
        Trial::of(pairing, steps.to_vec())
            .check(subject)
            .map_err(|went| format!("behind all that, a new connection:\n{went}"))?;
    }
    headers(subject)
}

fn random(subject: &Subject, pairing: usize, from: Role) -> Result<(), String> {
    let claimed = subject.claimed()?;
    let stage = subject.claims()?.stage();
    for number in 0..RANDOM {
        subject.trial(String::new());
        let mut random = Random::new(subject.seed ^ 0x6A ^ number);
        // Short ones first: the story is then short.
        let octets = random.octets(3 + number as usize / 2);
        let frames = Frames::new(&claimed, stage, &octets).collect();
        decode(subject, pairing, from, frames)?;
    }
    Ok(())
}

fn mutated(subject: &Subject, pairing: usize, from: Role) -> Result<(), String> {
    for number in 0..MUTATED {
        subject.trial(String::new());
        let mut random = Random::new(subject.seed ^ 0x3A ^ number);
        let mut way = subject.way(pairing, from)?;
        let mut frames: Vec<Passing> = Vec::new();
        for _ in 0..1 + random.below(3) {
            let sample = if random.one_in(2) {
                random.pick(&short()).clone()
            } else {
                let n = random.below(400);
                Sample::random(&mut random, n)
            };
            let n = sample.payload.len();
            let cuts = if random.one_in(3) {
                vec![random.below(n + 1)]
            } else {
                Vec::new()
            };
            let unit = Unit::message(&sample, &cuts, Hints::new());
            if let Ok(encoded) = way.sender.encode_unit(&unit, usize::MAX) {
                frames.extend(encoded.frames);
            }
        }
        for _ in 0..1 + random.below(3) {
            let i = random.below(frames.len());
            if let Some(frame) = frames.get_mut(i) {
                mutate(&mut random, &mut frame.payload);
            }
        }
        let frames = frames.into_iter().map(|frame| (frame, 64 << 10));
        decode(subject, pairing, from, frames.collect())?;
    }
    Ok(())
}

/// Gives the frames to a fresh decoder. The story is of the fewest and shortest that it dies of.
fn decode(subject: &Subject, pairing: usize, from: Role, frames: Series) -> Result<(), String> {
    let claimed = subject.claimed()?;
    let run = |frames: &Series| {
        let mut receiver = subject.way(pairing, from)?.receiver;
        decode_all(&mut receiver, &claimed, frames)
    };
    let Err(first) = run(&frames) else {
        return Ok(());
    };
    let (frames, went) = shortest(frames, first, |frames| simpler(frames), run);
    let frames: Vec<String> = frames
        .iter()
        .map(|(frame, budget)| format!("  {frame} with a budget of {budget}"))
        .collect();
    Err(format!(
        "the decoder of the {} is given\n{}\n  {went}",
        side(from.peer()),
        frames.join("\n")
    ))
}

/// Frames with their budgets.
type Series = Vec<(Passing, usize)>;

fn simpler(frames: &[(Passing, usize)]) -> Vec<Series> {
    // Only as far as the rest is still a series of messages.
    let starts = |i: &usize| frames[*i].0.head.opcode != OpCode::CONTINUATION;
    let mut all: Vec<Series> = (1..frames.len())
        .filter(starts)
        .map(|i| frames[i..].to_vec())
        .collect();
    if let Some((_, rest)) = frames.split_last() {
        all.push(rest.to_vec());
    }
    for (i, (frame, _)) in frames.iter().enumerate() {
        if let Some(half) = frame.half() {
            let mut simpler = frames.to_vec();
            simpler[i].0 = half;
            all.push(simpler);
        }
    }
    all
}

/// Changes a payload somewhere.
fn mutate(random: &mut Random, payload: &mut Vec<u8>) {
    let n = payload.len();
    let at = random.below(n + 1);
    match random.below(6) {
        0 => payload.truncate(at),
        1 => {
            payload.drain(..at);
        }
        2 => payload.insert(at, random.next() as u8),
        3 => {
            let copy = payload[..at].to_vec();
            payload.extend(copy);
        }
        4 => {
            let noise = random.below(8);
            payload.splice(at..at, random.octets(noise));
        }
        _ => {
            if let Some(octet) = payload.get_mut(at) {
                *octet ^= 1 << random.below(8);
            }
        }
    }
}

/// Headers made of pieces of the own offers and of anything.
fn headers(subject: &Subject) -> Result<(), String> {
    let (client, server) = (subject.side(Role::Client)?, subject.side(Role::Server)?);
    let mut pieces: Vec<Vec<u8>> = ["; ", "=", ", ", "\"", "\\", " ", "=0", "=-1", "x", "\u{E9}"]
        .iter()
        .map(|piece| piece.as_bytes().to_vec())
        .collect();
    let own = only(&client)?;
    pieces.push(own.name().as_bytes().to_vec());
    for offer in own.offers() {
        pieces.push(offer.to_string().into_bytes());
        for (name, value) in offer.iter() {
            pieces.push(name.as_bytes().to_vec());
            pieces.extend(value.map(|value| value.as_bytes().to_vec()));
        }
    }
    for number in 0..HEADERS {
        let mut random = Random::new(subject.seed ^ 0x4E ^ number);
        let mut header = own.name().as_bytes().to_vec();
        for _ in 0..random.below(12) {
            if random.one_in(8) {
                header.extend(random.octets(3));
            } else {
                let piece: &Vec<u8> = random.pick(&pieces);
                header.extend_from_slice(piece);
            }
        }
        for side in [&client, &server] {
            subject.trial(String::new());
            let extension = only(side)?;
            guard(|| garbage_offer(extension, &header))
                .map_err(|story| format!("the header \"{}\": {story}", header.escape_ascii()))?;
        }
    }
    Ok(())
}
