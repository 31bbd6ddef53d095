//! Nothing outside the claim is touched.

use cloverleaf_proto::Role;
use cloverleaf_proto::extension::{Encoded, Hints, Offer, Params, Stage};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_proto::handshake::parse_extensions;

use crate::claimed::Claimed;
use crate::fuzz::is_legal;
use crate::half::{Decoding, Encoding, Passing, Unit, Way};
use crate::pair::side;
use crate::random::Random;
use crate::sample::{Sample, borders, short};
use crate::subject::{ROLES, Subject, only};

/// The most octets a control frame carries (RFC 6455 §5.5).
const MAX_CONTROL: usize = 125;

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    constant(subject)?;
    let claimed = subject.claimed()?;
    for pairing in subject.pairings()? {
        for from in ROLES {
            data(subject, &claimed, pairing, from)?;
            if subject.claims()?.stage() == Stage::Frame {
                control(subject, &claimed, pairing, from)?;
            }
        }
    }
    Ok(())
}

fn constant(subject: &Subject) -> Result<(), String> {
    subject.trial("name() and claims()");
    let name = subject.name()?;
    if parse_extensions(name.as_bytes()) != Ok(vec![Offer::new(&*name, Params::new())]) {
        return Err(format!("the name {name:?} is no token"));
    }
    if name.to_lowercase() != name {
        return Err(format!("the name {name:?} is not in lower case"));
    }
    let claims = subject.claims()?;
    for role in ROLES {
        let side = subject.side(role)?;
        let extension = only(&side)?;
        for offer in extension.offers() {
            // Negotiating must not change them.
            let _ = extension.accept(&offer);
            if extension.claims() != claims {
                return Err("claims() is not the same every time".into());
            }
            if extension.name() != name {
                return Err("name() is not the same every time".into());
            }
        }
    }
    Ok(())
}

/// What the encoder answers on data frames, and the decoder to what comes of them.
fn data(subject: &Subject, claimed: &Claimed, pairing: usize, from: Role) -> Result<(), String> {
    let mut random = Random::new(subject.seed);
    let mut samples = short();
    samples.extend(borders(&mut random).into_iter().take(9));
    let mut way = subject.way(pairing, from)?;
    for sample in &samples {
        for hints in [Hints::new(), Hints::new().do_not_compress()] {
            for cuts in [&[][..], &[1], &[3, 0, 2]] {
                let unit = Unit::message(sample, cuts, hints);
                for frame in &unit.frames {
                    if !step(subject, claimed, &mut way, frame, hints, from)? {
                        // Whatever ails it is another law's matter.
                        way = subject.way(pairing, from)?;
                        break;
                    }
                }
            }
        }
    }
    // Bits of others, which an extension before has set.
    if subject.claims()?.stage() == Stage::Frame {
        let others = !(claimed.at_start | claimed.on_continuations);
        for frame in &Unit::message(&Sample::text("Hello"), &[2], Hints::new()).frames {
            let rsv = if frame.head.starts_message() {
                others
            } else {
                Rsv::NONE
            };
            let frame = Passing {
                head: frame.head.with_rsv(rsv),
                payload: frame.payload.clone(),
            };
            step(subject, claimed, &mut way, &frame, Hints::new(), from)?;
        }
    }
    Ok(())
}

/// One data frame through encoder and decoder. Whether both could do something with it.
fn step(
    subject: &Subject,
    claimed: &Claimed,
    way: &mut Way,
    frame: &Passing,
    hints: Hints,
    from: Role,
) -> Result<bool, String> {
    subject.trial(format!("the {} sends {frame}", side(from)));
    let Ok(encoding) = way
        .sender
        .encode(frame.head, hints, &frame.payload, usize::MAX)
    else {
        return Ok(false);
    };
    bits(claimed, frame, &encoding, from)?;
    let Ok(decoding) = way.receiver.decode(&encoding.frame, usize::MAX) else {
        return Ok(false);
    };
    ends(claimed, &encoding.frame, &decoding, from.peer())?;
    Ok(true)
}

fn bits(claimed: &Claimed, frame: &Passing, encoding: &Encoding, from: Role) -> Result<(), String> {
    let set = match encoding.answer {
        Encoded::Unchanged => return Ok(()),
        Encoded::Replaced(bits) | Encoded::Prefixed(bits) => bits,
    };
    let allowed = claimed.bits(frame.head);
    if allowed.contains(set) {
        return Ok(());
    }
    let stray = set & !allowed;
    let all = claimed.at_start | claimed.on_continuations;
    let why = if frame.head.opcode.is_control() {
        "but control frames carry no bits"
    } else if all.contains(stray) {
        "which is claimed for the start of a message only"
    } else {
        "which is not claimed"
    };
    Err(format!(
        "the encoder of the {} sets {stray} on {frame}, {why}",
        side(from)
    ))
}

fn ends(claimed: &Claimed, frame: &Passing, decoding: &Decoding, at: Role) -> Result<(), String> {
    is_legal(claimed, frame, decoding.answer)
        .map_err(|story| format!("at the decoder of the {}, {story}", side(at)))
}

/// Control frames, of every length, before, inside and behind a message.
fn control(subject: &Subject, claimed: &Claimed, pairing: usize, from: Role) -> Result<(), String> {
    let mut way = subject.way(pairing, from)?;
    let message = Unit::message(&Sample::text("Hello"), &[2, 1], Hints::new());
    let mut random = Random::new(subject.seed);
    for opcode in [OpCode::PING, OpCode::PONG, OpCode::CLOSE] {
        for n in [0, 1, 2, 5, 124, MAX_CONTROL] {
            let mut payload = random.octets(n);
            if opcode == OpCode::CLOSE && n >= 2 {
                payload[..2].copy_from_slice(&1000_u16.to_be_bytes());
                payload[2..].fill(b'x');
            } else if opcode == OpCode::CLOSE && n == 1 {
                continue;
            }
            let frame = Passing {
                head: Head::new(opcode),
                payload,
            };
            one_control(subject, claimed, &mut way, &frame, from)?;
        }
        for frame in &message.frames {
            if !step(subject, claimed, &mut way, frame, Hints::new(), from)? {
                way = subject.way(pairing, from)?;
            }
        }
    }
    Ok(())
}

fn one_control(
    subject: &Subject,
    claimed: &Claimed,
    way: &mut Way,
    frame: &Passing,
    from: Role,
) -> Result<(), String> {
    let (sender, receiver) = (side(from), side(from.peer()));
    subject.trial(format!("the {sender} sends {frame}"));
    let encoding = way
        .sender
        .encode(frame.head, Hints::new(), &frame.payload, MAX_CONTROL)
        .map_err(|failure| {
            format!(
                "the encoder of the {sender} fails on {frame}: {failure} (a control frame holds \
                 {MAX_CONTROL} octets: what does not fit is to be left unchanged)"
            )
        })?;
    bits(claimed, frame, &encoding, from)?;
    let length = encoding.frame.payload.len();
    if length > MAX_CONTROL {
        return Err(format!(
            "the encoder of the {sender} makes {length} octets of {frame}"
        ));
    }
    let decoding = way
        .receiver
        .decode(&encoding.frame, MAX_CONTROL)
        .map_err(|failure| {
            format!(
                "the decoder of the {receiver} fails on {}, which was {frame}: {failure}",
                encoding.frame
            )
        })?;
    ends(claimed, &encoding.frame, &decoding, from.peer())?;
    if decoding.payload == frame.payload {
        return Ok(());
    }
    let came = Passing {
        head: frame.head,
        payload: decoding.payload,
    };
    Err(format!("{frame} of the {sender} comes as {came}"))
}
