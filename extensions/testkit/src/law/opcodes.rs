//! Frames of its own opcodes disturb nothing.

use bytes::Bytes;
use cloverleaf_proto::Role;
use cloverleaf_proto::extension::Decoded;
use cloverleaf_proto::frame::{Head, OpCode};

use crate::half::Passing;
use crate::pair::{Cut, Pair, Settings, side};
use crate::random::Random;
use crate::sample::{Octets, Sample};
use crate::subject::{ROLES, Subject, guard, negotiate};
use crate::trial::{Step, Talk};

/// The most octets a control frame carries (RFC 6455 §5.5).
const MAX_CONTROL: usize = 125;

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    let opcodes = subject.claimed()?.opcodes;
    for pairing in subject.pairings()? {
        for from in ROLES {
            for opcode in &opcodes {
                let mut known = subject
                    .frames
                    .iter()
                    .filter(|(of, _)| of == opcode)
                    .peekable();
                if known.peek().is_none() {
                    // What the extension makes of these is its own affair.
                    for n in [0, 1, 2, 4, 8, 12, 16, MAX_CONTROL] {
                        let payload = Bytes::from(vec![0; n]);
                        amid_messages(subject, pairing, from, *opcode, &payload, true)?;
                    }
                }
                for (_, payload) in known {
                    amid_messages(subject, pairing, from, *opcode, payload, false)?;
                }
                alone(subject, &opcodes, pairing, from, *opcode)?;
            }
        }
    }
    Ok(())
}

/// Messages before, around and behind such a frame arrive.
fn amid_messages(
    subject: &Subject,
    pairing: usize,
    from: Role,
    opcode: OpCode,
    payload: &Bytes,
    may_fail: bool,
) -> Result<(), String> {
    for cut in [Cut::Whole, Cut::Octets] {
        let what = format!(
            "the {} sends {opcode} {} among messages; {cut}",
            side(from),
            Octets(payload)
        );
        subject.trial(&*what);
        let negotiated = negotiate(
            &subject.side(Role::Client)?,
            &subject.side(Role::Server)?,
            &subject.name()?,
            pairing,
        )?;
        let mut talk = Talk::new(Pair::new(negotiated, Settings::default(), cut));
        let went = guard(|| converse(&mut talk, from, opcode, payload)).and_then(|went| went);
        let Err(went) = went else {
            continue;
        };
        // A frame that makes no sense to the extension may end the connection.
        if may_fail && talk.pair.failed_by_extension() {
            return Ok(());
        }
        return Err(format!("{what}\n  {went}"));
    }
    Ok(())
}

fn converse(talk: &mut Talk, from: Role, opcode: OpCode, payload: &Bytes) -> Result<(), String> {
    let whole = |from| Step::send(from, Sample::text("Hello Hello Hello"));
    let extra = |talk: &mut Talk| {
        let connection = &mut talk.pair.end(from).connection;
        connection
            .send_extension(opcode, payload.clone())
            .map_err(|error| format!("{opcode} cannot be sent: {error}"))?;
        talk.pair.settle(from, 0)?;
        talk.look(from)?;
        talk.look(from.peer())
    };
    for role in ROLES {
        talk.step(&whole(role), false)?;
    }
    extra(talk)?;
    for role in ROLES {
        talk.step(&whole(role), false)?;
        // Inside a message only control frames may stand.
        let parts = whole(role).in_parts(vec![6]);
        for call in parts.calls() {
            talk.call(&parts, call, false)?;
            if opcode.is_control() {
                extra(talk)?;
            }
        }
    }
    extra(talk)?;
    for role in ROLES {
        talk.step(&whole(role), false)?;
    }
    Ok(())
}

/// Any payload is understood or refused, and answered with what is claimed and fits.
fn alone(
    subject: &Subject,
    opcodes: &[OpCode],
    pairing: usize,
    from: Role,
    opcode: OpCode,
) -> Result<(), String> {
    let mut random = Random::new(subject.seed ^ 0x0F);
    let mut lengths: Vec<usize> = (0..=MAX_CONTROL).collect();
    if !opcode.is_control() {
        lengths.extend([126, 1000, 65_536]);
    }
    for n in lengths {
        let frame = Passing {
            head: Head::new(opcode),
            payload: random.octets(n),
        };
        let budget = if opcode.is_control() {
            MAX_CONTROL
        } else {
            1 << 20
        };
        let mut receiver = subject.way(pairing, from)?.receiver;
        subject.trial(format!("{frame} comes"));
        let decoding = guard(|| receiver.decode(&frame, budget))
            .map_err(|panic| format!("the decoder, given {frame}, {panic}"))?;
        let Ok(decoding) = decoding else {
            continue;
        };
        let Decoded::Answered(answer) = decoding.answer else {
            continue;
        };
        if !opcodes.contains(&answer) {
            return Err(format!(
                "{frame} is answered with {answer}, which is not claimed"
            ));
        }
        let length = decoding.payload.len();
        if answer.is_control() && length > MAX_CONTROL {
            return Err(format!(
                "{frame} is answered with {length} octets of {answer}, and a control frame holds \
                 {MAX_CONTROL}"
            ));
        }
    }
    Ok(())
}
