//! Octets of a fuzzer as frames for a decoder and as offers for a negotiation.

use cloverleaf_proto::extension::{Decoded, Extension, Offer, Params, Stage};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_proto::handshake::parse_extensions;

use crate::claimed::Claimed;
use crate::half::{Half, Passing};
use crate::subject::{guard, through_the_header};

/// Decodes what a fuzzer makes up, on both sides of an agreement on an own offer.
///
/// The first octet chooses the side and the offer. Then come frames as the engine would let them
/// through: three octets of head, length and budget each, and the payload. A failure ends it, as it
/// ends a connection.
///
/// ```no_run
/// # struct FuzzTarget; macro_rules! fuzz_target { (|$data:ident: &[u8]| $e:expr) => { fn target($data: &[u8]) { $e } } }
/// # use cloverleaf_deflate::PermessageDeflate;
/// fuzz_target!(|data: &[u8]| cloverleaf_testkit::garbage(&PermessageDeflate::new(), data));
/// ```
///
/// # Panics
///
/// That is the finding: if a decoder does, if it answers a frame whose opcode it has not claimed or
/// with one that it has not, or if the claims cannot work.
pub fn garbage(extension: &dyn Extension, data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let claims = extension.claims();
    let claimed = match Claimed::of(claims) {
        Ok(claimed) => claimed,
        Err(why) => panic!("{why}"),
    };
    let offers = extension.offers();
    let Some(offer) = offers.get(usize::from(first >> 1) % offers.len().max(1)) else {
        return;
    };
    let Ok(accepted) = extension.accept(offer) else {
        return;
    };
    let agreement = if first & 1 == 0 {
        accepted
    } else {
        match extension.confirm(&offers, accepted.params()) {
            Ok(confirmed) => confirmed,
            Err(_) => return,
        }
    };
    let mut half = Half::new(claims, claimed.clone(), agreement);
    for (frame, budget) in Frames::new(&claimed, claims.stage(), rest) {
        match half.decode(&frame, budget) {
            Ok(decoding) => {
                if let Err(story) = is_legal(&claimed, &frame, decoding.answer) {
                    panic!("{story}");
                }
            }
            Err(_) => return,
        }
    }
}

/// Offers and answers what a fuzzer makes up, once as the value of a header and once beside its
/// grammar.
///
/// # Panics
///
/// That is the finding: if the extension does, or if it answers what could stand in a header with
/// what could not.
pub fn garbage_offer(extension: &dyn Extension, data: &[u8]) {
    let offers = extension.offers();
    let mut all: Vec<Params> = parse_extensions(data)
        .unwrap_or_default()
        .into_iter()
        .map(|offer| offer.params)
        .collect();
    let free = String::from_utf8_lossy(data);
    all.push(
        free.split(';')
            .fold(Params::new(), |params, param| match param.split_once('=') {
                Some((name, value)) => params.value(name, value),
                None => params.flag(param),
            }),
    );
    for params in all {
        if let Ok(agreement) = extension.accept(&params) {
            let answer = agreement.params();
            let line = |params: &Params| {
                through_the_header(&[Offer::new(extension.name(), params.clone())])
            };
            assert!(
                line(&params).is_err() || line(answer).is_ok(),
                "the offer {:?} is answered with {:?}, which breaks the header",
                params.to_string(),
                answer.to_string()
            );
            let _ = extension.confirm(&offers, answer);
        }
        let _ = extension.confirm(&offers, &params);
    }
}

/// Whether a decoder may give this answer to this frame.
pub(crate) fn is_legal(claimed: &Claimed, frame: &Passing, answer: Decoded) -> Result<(), String> {
    let owned = claimed.opcodes.contains(&frame.head.opcode);
    match answer {
        Decoded::Unchanged | Decoded::Replaced | Decoded::Stripped(_) => Ok(()),
        Decoded::Consumed if owned => Ok(()),
        Decoded::Answered(opcode) if owned && claimed.opcodes.contains(&opcode) => Ok(()),
        Decoded::Consumed => Err(format!(
            "{frame} is swallowed, but its opcode is not claimed"
        )),
        Decoded::Answered(_) if !owned => Err(format!(
            "{frame} is answered, but its opcode is not claimed"
        )),
        Decoded::Answered(opcode) => Err(format!(
            "{frame} is answered with {opcode}, which is not claimed"
        )),
    }
}

/// Frames within the claim, made of any octets.
pub(crate) struct Frames<'a> {
    claimed: &'a Claimed,
    stage: Stage,
    rest: &'a [u8],
    inside: bool,
}

/// The most octets a control frame carries (RFC 6455 §5.5).
const MAX_CONTROL: usize = 125;

const BUDGETS: [usize; 8] = [0, 1, 2, 125, 1000, 4096, 64 << 10, 1 << 20];

impl<'a> Frames<'a> {
    pub(crate) const fn new(claimed: &'a Claimed, stage: Stage, rest: &'a [u8]) -> Self {
        Self {
            claimed,
            stage,
            rest,
            inside: false,
        }
    }

    /// FIN, bits and opcode out of one octet, as far as they may stand here.
    fn head(&mut self, octet: u8) -> Head {
        let pick = |all: &[OpCode]| all.get(usize::from(octet >> 4) % all.len().max(1)).copied();
        let special = match octet & 0x0F {
            8..=10 if self.stage == Stage::Frame => Some(OpCode::new(octet & 0x0F)),
            // Of the owned ones, those that may come here: inside a message, control frames only.
            11..=15 => pick(&self.claimed.opcodes).filter(|own| own.is_control() || !self.inside),
            _ => None,
        };
        if let Some(opcode) = special {
            return Head::new(opcode);
        }
        let opcode = match (self.inside, octet & 1) {
            (true, _) => OpCode::CONTINUATION,
            (false, 0) => OpCode::TEXT,
            (false, _) => OpCode::BINARY,
        };
        let fin = octet & 0x80 != 0;
        self.inside = !fin;
        let mut bits = Rsv::NONE;
        for (mask, bit) in [(0x40, Rsv::RSV1), (0x20, Rsv::RSV2), (0x10, Rsv::RSV3)] {
            if octet & mask != 0 {
                bits = bits | bit;
            }
        }
        let head = Head::new(opcode).with_fin(fin);
        head.with_rsv(bits & self.claimed.bits(head))
    }
}

impl Iterator for Frames<'_> {
    type Item = (Passing, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let [octet, length, budget, rest @ ..] = self.rest else {
            return None;
        };
        let head = self.head(*octet);
        let mut budget = BUDGETS[usize::from(*budget) % BUDGETS.len()];
        // A large length takes all there is.
        let mut n = if *length == u8::MAX {
            rest.len()
        } else {
            usize::from(*length)
        };
        n = n.min(rest.len());
        if head.opcode.is_control() {
            n = n.min(MAX_CONTROL);
            budget = budget.min(MAX_CONTROL);
        }
        let (payload, rest) = rest.split_at(n);
        self.rest = rest;
        let frame = Passing {
            head,
            payload: payload.to_vec(),
        };
        Some((frame, budget))
    }
}

/// Decodes frames, one after the other, until one fails. The error is a panic, or an answer that is
/// not legal.
pub(crate) fn decode_all(
    half: &mut Half,
    claimed: &Claimed,
    frames: &[(Passing, usize)],
) -> Result<(), String> {
    for (frame, budget) in frames {
        match guard(|| half.decode(frame, *budget))? {
            Ok(decoding) => is_legal(claimed, frame, decoding.answer)?,
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cloverleaf_proto::extension::{Claims, Placement};

    use super::*;

    #[test]
    fn whatever_the_octets_the_frames_are_ones_that_the_engine_would_let_through() {
        let claims = Claims::at(Stage::Frame)
            .rsv(Rsv::RSV2, Placement::MessageStart)
            .opcode(OpCode::new(0xC))
            .opcode(OpCode::new(0x4));
        let claimed = Claimed::of(claims).expect("sound claims");
        let mut random = crate::random::Random::new(3);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let octets = random.octets(400);
            let mut inside = false;
            for (frame, budget) in Frames::new(&claimed, Stage::Frame, &octets) {
                let Passing { head, payload } = frame;
                seen.insert(head.opcode);
                assert!(claimed.bits(head).contains(head.rsv));
                if head.opcode.is_control() {
                    assert!(head.fin && payload.len() <= 125 && budget <= 125);
                    continue;
                }
                assert_eq!(inside, head.opcode == OpCode::CONTINUATION);
                assert!(head.fin || !head.opcode.is_reserved());
                inside = !head.fin;
            }
        }
        let numbers: Vec<u8> = seen.iter().map(|opcode| opcode.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 4, 8, 9, 10, 12]);
    }
}
