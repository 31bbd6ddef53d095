//! The halves of an agreement, driven one frame at a time as the engine does it.

use core::fmt;

use cloverleaf_proto::extension::{
    Agreement, Claims, Decoded, Decoder, Encoded, Encoder, Failure, Hints, Output, Stage,
};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};

use crate::claimed::Claimed;
use crate::sample::{Octets, Sample};
use crate::trial::wishes;

/// One end's halves.
pub(crate) struct Half {
    claims: Claims,
    claimed: Claimed,
    encoder: Option<Box<dyn Encoder>>,
    decoder: Option<Box<dyn Decoder>>,
}

/// A frame on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passing {
    pub(crate) head: Head,
    pub(crate) payload: Vec<u8>,
}

impl Passing {
    /// The same with half the payload; in whole characters if it was.
    pub(crate) fn half(&self) -> Option<Self> {
        let sample = match core::str::from_utf8(&self.payload) {
            Ok(text) => Sample::text(text),
            Err(_) => Sample::binary(self.payload.clone()),
        };
        Some(Self {
            head: self.head,
            payload: sample.half()?.payload.to_vec(),
        })
    }
}

impl fmt::Display for Passing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} {}>", self.head, Octets(&self.payload))
    }
}

/// What an encoder made of a frame.
#[derive(Debug)]
pub(crate) struct Encoding {
    pub(crate) answer: Encoded,
    /// As the engine sends it.
    pub(crate) frame: Passing,
}

/// What a decoder made of a frame.
#[derive(Debug)]
pub(crate) struct Decoding {
    pub(crate) answer: Decoded,
    /// The payload as it goes on, or that of the answer.
    pub(crate) payload: Vec<u8>,
}

impl Half {
    pub(crate) fn new(claims: Claims, claimed: Claimed, agreement: Agreement) -> Self {
        let (encoder, decoder) = agreement.into_halves();
        Self {
            claims,
            claimed,
            encoder,
            decoder,
        }
    }

    /// Passes a frame through the encoder, as the engine does.
    pub(crate) fn encode(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        budget: usize,
    ) -> Result<Encoding, Failure> {
        let mut buffer = Vec::new();
        let mut out = Output::new(&mut buffer, budget);
        let answer = match &mut self.encoder {
            Some(encoder) => encoder.encode(head, hints, payload, &mut out)?,
            None => Encoded::Unchanged,
        };
        if let Encoded::Prefixed(_) = answer {
            out.write(payload)?;
        }
        let allowed = self.claimed.bits(head);
        let frame = match answer {
            Encoded::Unchanged => Passing {
                head,
                payload: payload.to_vec(),
            },
            Encoded::Replaced(bits) | Encoded::Prefixed(bits) => Passing {
                head: head.with_rsv(head.rsv | bits & allowed),
                payload: buffer,
            },
        };
        Ok(Encoding { answer, frame })
    }

    /// Passes a frame through the decoder, as the engine does.
    pub(crate) fn decode(&mut self, frame: &Passing, budget: usize) -> Result<Decoding, Failure> {
        let mut buffer = Vec::new();
        let seen = frame.head.with_rsv(frame.head.rsv & self.claims.bits());
        let answer = match &mut self.decoder {
            Some(decoder) => {
                decoder.decode(seen, &frame.payload, &mut Output::new(&mut buffer, budget))?
            }
            None => Decoded::Unchanged,
        };
        let owner = self.claims.owns(frame.head.opcode);
        let payload = match answer {
            Decoded::Replaced => buffer,
            Decoded::Answered(_) if owner => buffer,
            Decoded::Stripped(n) => match frame.payload.get(n..) {
                Some(rest) => rest.to_vec(),
                None => return Err(Failure::protocol("extension data beyond the payload")),
            },
            Decoded::Unchanged | Decoded::Consumed | Decoded::Answered(_) => frame.payload.clone(),
        };
        Ok(Decoding { answer, payload })
    }
}

/// One direction: an encoder, and the decoder at the other end.
pub(crate) struct Way {
    pub(crate) sender: Half,
    pub(crate) receiver: Half,
}

impl Way {
    pub(crate) const fn new(sender: Half, receiver: Half) -> Self {
        Self { sender, receiver }
    }
}

/// A whole message in frames, or a control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) frames: Vec<Passing>,
    pub(crate) hints: Hints,
}

impl Unit {
    /// A message in frames of these lengths and one with the rest.
    pub(crate) fn message(sample: &Sample, cuts: &[usize], hints: Hints) -> Self {
        let mut rest = &sample.payload[..];
        let mut frames = Vec::new();
        let head = |first: bool, fin| {
            let opcode = if first {
                sample.kind.opcode()
            } else {
                OpCode::CONTINUATION
            };
            Head::new(opcode).with_fin(fin)
        };
        for cut in cuts {
            let (part, behind) = rest.split_at((*cut).min(rest.len()));
            frames.push(Passing {
                head: head(frames.is_empty(), false),
                payload: part.to_vec(),
            });
            rest = behind;
        }
        frames.push(Passing {
            head: head(frames.is_empty(), true),
            payload: rest.to_vec(),
        });
        Self { frames, hints }
    }

    pub(crate) fn control(opcode: OpCode, payload: &[u8]) -> Self {
        Self {
            frames: vec![Passing {
                head: Head::new(opcode),
                payload: payload.to_vec(),
            }],
            hints: Hints::new(),
        }
    }

    pub(crate) fn is_control(&self) -> bool {
        self.frames
            .iter()
            .any(|frame| frame.head.opcode.is_control())
    }

    /// All payloads, joined.
    pub(crate) fn payload(&self) -> Vec<u8> {
        joined(&self.frames)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frames: Vec<String> = self.frames.iter().map(Passing::to_string).collect();
        write!(f, "{}{}", frames.join(" "), wishes(self.hints))
    }
}

/// A unit behind an encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encodings {
    pub(crate) frames: Vec<Passing>,
    /// The encoder left all of it alone.
    pub(crate) untouched: bool,
}

impl Half {
    pub(crate) fn encode_unit(&mut self, unit: &Unit, budget: usize) -> Result<Encodings, Failure> {
        let mut frames = Vec::with_capacity(unit.frames.len());
        let mut untouched = true;
        for frame in &unit.frames {
            let encoding = self.encode(frame.head, unit.hints, &frame.payload, budget)?;
            untouched &= encoding.answer == Encoded::Unchanged;
            frames.push(encoding.frame);
        }
        Ok(Encodings { frames, untouched })
    }

    /// The payload of a message that comes in these frames, and whether all were left alone. The
    /// budget is for all of them together.
    pub(crate) fn decode_unit(
        &mut self,
        frames: &[Passing],
        budget: usize,
    ) -> Result<(Vec<u8>, bool), Failure> {
        let mut all = Vec::new();
        let mut untouched = true;
        for frame in frames {
            let decoding = self.decode(frame, budget - all.len())?;
            untouched &= decoding.answer == Decoded::Unchanged;
            all.extend_from_slice(&decoding.payload);
            if all.len() > budget {
                // What was left alone is counted by the engine.
                return Err(Failure::too_big());
            }
        }
        Ok((all, untouched))
    }

    pub(crate) const fn stage(&self) -> Stage {
        self.claims.stage()
    }
}

pub(crate) fn joined(frames: &[Passing]) -> Vec<u8> {
    frames
        .iter()
        .flat_map(|frame| frame.payload.iter().copied())
        .collect()
}

/// The same message in other frames, as far as the stage lets the engine cut: the bits stay on the
/// first.
pub(crate) fn recut(frames: &[Passing], cuts: &[usize]) -> Vec<Passing> {
    let Some(first) = frames.first() else {
        return Vec::new();
    };
    let payload = joined(frames);
    let mut rest = &payload[..];
    let mut pieces = Vec::new();
    let head = |first_piece: bool, fin| {
        if first_piece {
            first.head.with_fin(fin)
        } else {
            Head::new(OpCode::CONTINUATION)
                .with_rsv(Rsv::NONE)
                .with_fin(fin)
        }
    };
    for cut in cuts {
        let (piece, behind) = rest.split_at((*cut).min(rest.len()));
        pieces.push(Passing {
            head: head(pieces.is_empty(), false),
            payload: piece.to_vec(),
        });
        rest = behind;
    }
    pieces.push(Passing {
        head: head(pieces.is_empty(), true),
        payload: rest.to_vec(),
    });
    pieces
}
