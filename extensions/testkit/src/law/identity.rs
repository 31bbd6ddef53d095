//! What is sent is what comes.

use cloverleaf_proto::Role;
use cloverleaf_proto::extension::{Hints, Stage};

use crate::half::{Passing, Unit, recut};
use crate::pair::{Cut, side};
use crate::random::Random;
use crate::sample::{Octets, Sample, borders, short};
use crate::subject::{ROLES, Subject, guard};
use crate::trial::{Step, Trial, difference};

/// Conversations of many messages, per offer.
const CONVERSATIONS: u64 = 60;

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    for pairing in subject.pairings()? {
        for from in ROLES {
            small(subject, pairing, from)?;
            in_parts(subject, pairing, from)?;
            if subject.claims()?.stage() == Stage::Message {
                other_fragments(subject, pairing, from)?;
            }
            large(subject, pairing, from)?;
        }
        for number in 0..CONVERSATIONS {
            let mut random = Random::new(subject.seed ^ number);
            let most = if number % 10 == 9 { 5000 } else { 200 };
            Trial::random(pairing, &mut random, most).check(subject)?;
        }
    }
    Ok(())
}

/// Short messages: in every fragment size that matters, cut at every octet.
fn small(subject: &Subject, pairing: usize, from: Role) -> Result<(), String> {
    for sample in short() {
        for hints in [Hints::new(), Hints::new().do_not_compress()] {
            let step = Step::send(from, sample.clone()).with_hints(hints);
            // The second message shows whether the first one left things as they should be.
            let plain = Trial::of(pairing, vec![step.clone(), step]);
            plain.check(subject)?;
            for fragment in [None, Some(1), Some(2), Some(3)] {
                for pings in [false, true] {
                    for cut in [Cut::Whole, Cut::Octets] {
                        Trial {
                            fragment,
                            cut,
                            pings,
                            ..plain.clone()
                        }
                        .check(subject)?;
                    }
                }
            }
        }
    }
    // Every cut in two: a frame of 17 octets, with the longest header it can have here.
    let step = Step::send(from, Sample::text("Hello Hello Hello"));
    for k in 1..30 {
        Trial {
            cut: Cut::At(k),
            ..Trial::of(pairing, vec![step.clone(), step.clone()])
        }
        .check(subject)?;
    }
    Ok(())
}

/// Messages that the application sends in parts, empty ones among them.
fn in_parts(subject: &Subject, pairing: usize, from: Role) -> Result<(), String> {
    for (sample, parts) in [
        (Sample::text(""), vec![0]),
        (Sample::text("a"), vec![1]),
        (Sample::text("a"), vec![0, 0]),
        (Sample::binary("ab"), vec![1, 0, 1]),
        (Sample::text("Hello Hello Hello"), vec![6, 6]),
        (Sample::text("Hello Hello Hello"), vec![1, 1, 1, 1]),
        (Sample::text("aé€🍀"), vec![2, 2, 3]),
        (Sample::binary(vec![7; 700]), vec![300, 0, 300, 100]),
    ] {
        for hints in [Hints::new(), Hints::new().do_not_compress()] {
            let step = Step::send(from, sample.clone())
                .in_parts(parts.clone())
                .with_hints(hints);
            for (fragment, cut, pings) in [
                (None, Cut::Whole, false),
                (None, Cut::Octets, true),
                (Some(2), Cut::Whole, true),
            ] {
                Trial {
                    fragment,
                    cut,
                    pings,
                    ..Trial::of(pairing, vec![step.clone(), step.clone()])
                }
                .check(subject)?;
            }
        }
    }
    Ok(())
}

/// At the borders of the length's three forms and of buffers.
fn large(subject: &Subject, pairing: usize, from: Role) -> Result<(), String> {
    let mut random = Random::new(subject.seed ^ 0xB0);
    for (i, sample) in borders(&mut random).into_iter().enumerate() {
        let n = sample.payload.len();
        let step = Step::send(from, sample);
        let pieces = Cut::Random {
            seed: random.next(),
            most: 1 + n / 8,
        };
        let fragment = Some(1 + n / 7);
        let script = vec![step.clone(), step];
        Trial::of(pairing, script.clone()).check(subject)?;
        Trial {
            cut: pieces,
            fragment,
            pings: true,
            ..Trial::of(pairing, script.clone())
        }
        .check(subject)?;
        // One octet at a time is slow, and shows with a kilobyte what it shows with more.
        if n <= 5000 || i % 4 == 0 {
            Trial {
                cut: Cut::Octets,
                ..Trial::of(pairing, script[..1].to_vec())
            }
            .check(subject)?;
        }
    }
    Ok(())
}

/// A peer may fragment otherwise than our engine does, and with empty frames.
fn other_fragments(subject: &Subject, pairing: usize, from: Role) -> Result<(), String> {
    for sample in short() {
        let unit = Unit::message(&sample, &[], Hints::new());
        let frames = subject
            .way(pairing, from)?
            .sender
            .encode_unit(&unit, usize::MAX)
            .map_err(|failure| {
                format!(
                    "the encoder of the {} fails on {unit}: {failure}",
                    side(from)
                )
            })?
            .frames;
        let n = frames
            .iter()
            .map(|frame| frame.payload.len())
            .sum::<usize>();
        let mut ways: Vec<Vec<usize>> = vec![vec![0], vec![n], vec![0, n, 0], vec![1; n]];
        ways.extend((1..n).map(|k| vec![k]));
        ways.extend((1..n).map(|k| vec![k, 0]));
        for cuts in ways {
            let mut way = subject.way(pairing, from)?;
            let story = |pieces: &[Passing]| {
                let pieces: Vec<String> = pieces.iter().map(Passing::to_string).collect();
                format!("{unit} of the {} comes as {}", side(from), pieces.join(" "))
            };
            // Twice: what a message leaves behind shows in the next.
            for _ in 0..2 {
                subject.trial(String::new());
                let Ok(encoded) = way.sender.encode_unit(&unit, usize::MAX) else {
                    break;
                };
                let pieces = recut(&encoded.frames, &cuts);
                let decoded = guard(|| way.receiver.decode_unit(&pieces, usize::MAX))
                    .map_err(|panic| format!("{}: {panic}", story(&pieces)))?;
                let (payload, _) = decoded.map_err(|failure| {
                    format!("{}: the decoder fails: {failure}", story(&pieces))
                })?;
                if payload != sample.payload {
                    return Err(format!(
                        "{}, and is decoded as {}{}",
                        story(&pieces),
                        Octets(&payload),
                        difference(&sample.payload, &payload)
                    ));
                }
            }
        }
    }
    Ok(())
}
