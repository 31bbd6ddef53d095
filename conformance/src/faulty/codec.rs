//! What was agreed on, at work: permessage-deflate (RFC 7692) or deflate-frame, and the probe,
//! alone or one after the other.

use cloverleaf_judge::deflate::{self, Deflater, Demands, FrameOffer, Inflater, TAIL};
use cloverleaf_judge::frame::Frame;
use cloverleaf_reports::Role;

use super::Faulty;
use super::endpoint::MAX_MESSAGE;
use super::fault::Kind;
use super::mux::Agreed;

const RSV1: u8 = 4;
const RSV2: u8 = 2;

/// An extension in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Deflate,
    /// deflate-frame.
    Frames,
    Probe,
}

/// The extensions of a connection.
#[derive(Default)]
pub(super) struct Codec {
    /// In the order of the answer.
    pub(super) layers: Vec<Layer>,
    pub(super) deflate: Option<Deflate>,
    /// Channels were agreed on; what stands in front is for the first.
    pub(super) channels: Option<Agreed>,
}

impl Codec {
    /// Nothing, if nothing was agreed on.
    pub(super) fn if_any(self) -> Option<Self> {
        (!self.layers.is_empty() || self.channels.is_some()).then_some(self)
    }

    /// The reserved bits that the extensions own.
    pub(super) fn bits(&self) -> u8 {
        let bit = |layer: &Layer| match layer {
            Layer::Deflate | Layer::Frames => RSV1,
            Layer::Probe => RSV2,
        };
        self.layers.iter().map(bit).sum()
    }

    /// deflate-frame is at work: RSV1 speaks for its frame.
    pub(super) fn is_per_frame(&self) -> bool {
        self.layers.contains(&Layer::Frames)
    }

    /// deflate-frame was offered and answered so. Parameters bind whoever receives them.
    pub(super) fn agree_on_frames(
        &mut self,
        offer: &FrameOffer,
        answer: Demands,
        role: Role,
        faulty: Faulty,
    ) {
        let mut agreed = offer.agreed(answer);
        if faulty.has(Kind::ReadsDemandsBackwards) {
            agreed = deflate::Agreed {
                server_takeover: agreed.client_takeover,
                client_takeover: agreed.server_takeover,
                server_bits: agreed.client_bits,
                client_bits: agreed.server_bits,
            };
        }
        self.layers.push(Layer::Frames);
        self.deflate = Some(Deflate::new(&agreed, role, faulty));
    }

    /// Undoes what the bits of a frame say, where they speak for frames.
    pub(super) fn decode_frame(
        &mut self,
        payload: &[u8],
        bits: u8,
        faulty: Faulty,
    ) -> Result<Vec<u8>, u16> {
        match &mut self.deflate {
            Some(deflate) if bits & RSV1 != 0 => deflate.inflate(payload, faulty),
            Some(deflate) => deflate.plain_message(faulty).map(|()| payload.to_vec()),
            None => Ok(payload.to_vec()),
        }
    }

    /// Undoes what the bits of a message say; an error is the code to fail the connection with.
    pub(super) fn decode(
        &mut self,
        mut payload: Vec<u8>,
        bits: u8,
        faulty: Faulty,
    ) -> Result<Vec<u8>, u16> {
        // RFC 6455 §9.1: the last that was done is undone first.
        let mut layers = self.layers.clone();
        if !faulty.has(Kind::UndoesInOrderOfSending) {
            layers.reverse();
        }
        for layer in layers {
            match (layer, &mut self.deflate) {
                (Layer::Probe, _) if bits & RSV2 != 0 => payload = unprobe(&payload)?,
                // By the bit of the first frame. An honest endpoint did away with it there.
                (Layer::Deflate | Layer::Frames, Some(deflate)) if bits & RSV1 != 0 => {
                    payload = deflate.inflate(&payload, faulty)?;
                }
                (Layer::Deflate, Some(deflate)) => deflate.plain_message(faulty)?,
                _ => {}
            }
        }
        Ok(payload)
    }

    /// The frames of a message.
    pub(super) fn frames(&mut self, opcode: u8, payload: &[u8], faulty: Faulty) -> Vec<Frame> {
        let mut frames = vec![Frame::new(opcode, payload)];
        // RFC 6455 §9.1: in the order of the answer.
        let mut layers = self.layers.clone();
        if faulty.has(Kind::WorksInReverseOrder) {
            layers.reverse();
        }
        for layer in layers {
            let Some(first) = frames.first_mut() else {
                break;
            };
            match (layer, &mut self.deflate) {
                (Layer::Probe, _) => {
                    first.payload = probe(&first.payload);
                    first.rsv |= RSV2;
                }
                // A message that goes in one frame is compressed the same way by both.
                (Layer::Deflate | Layer::Frames, Some(deflate)) => {
                    let bits = first.rsv;
                    frames = deflate.frames(opcode, &first.payload, faulty);
                    if let Some(first) = frames.first_mut() {
                        first.rsv |= bits;
                    }
                }
                (Layer::Deflate | Layer::Frames, None) => {}
            }
        }
        frames
    }

    /// A payload that should not be compressed.
    pub(super) fn deflate(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let deflate = self.deflate.as_mut()?;
        Some(deflate.deflater.message(payload))
    }
}

/// The probe as `x-cloverleaf-probe` describes it: a mark, then every octet combined with a counter.
fn probe(payload: &[u8]) -> Vec<u8> {
    let combined = payload.iter().zip(0_usize..);
    let combined = combined.map(|(octet, at)| octet ^ (0x35 + at) as u8);
    std::iter::once(0x50).chain(combined).collect()
}

fn unprobe(octets: &[u8]) -> Result<Vec<u8>, u16> {
    match octets {
        [0x50, rest @ ..] => Ok(probe(rest).split_off(1)),
        _ => Err(1002),
    }
}

/// Both directions of a connection with permessage-deflate.
pub(super) struct Deflate {
    inflater: Inflater,
    deflater: Deflater,
    /// How the peer compresses: its window, and whether it takes its context over.
    theirs: (u8, bool),
}

impl Deflate {
    pub(super) fn new(agreed: &deflate::Agreed, role: Role, faulty: Faulty) -> Self {
        let server = (agreed.server_bits, agreed.server_takeover);
        let client = (agreed.client_bits, agreed.client_takeover);
        let (theirs, ours) = match role {
            Role::Server => (client, server),
            Role::Client => (server, client),
        };
        let (mut inflate_bits, mut inflate_takeover) = theirs;
        let (mut bits, mut takeover) = ours;
        match faulty.0 {
            Some(Kind::WindowTooLarge) => bits = 15,
            Some(Kind::KeepsContext) => takeover = true,
            Some(Kind::InflatesWithSmallWindow) => inflate_bits = 9,
            Some(Kind::CannotInflateTakeover) => inflate_takeover = false,
            _ => {}
        }
        Self {
            inflater: Inflater::new(inflate_bits, inflate_takeover),
            deflater: Deflater::new(bits, takeover),
            theirs: (inflate_bits, inflate_takeover),
        }
    }

    /// RFC 7692 §7.2.2; an error is the code to fail the connection with.
    fn inflate(&mut self, payload: &[u8], faulty: Faulty) -> Result<Vec<u8>, u16> {
        let (final_block, kind) = match payload.first() {
            Some(first) => (first & 1 == 1, first >> 1 & 3),
            None => (false, 0),
        };
        // §7.2.3: any block is right, and a final one too.
        if final_block && faulty.has(Kind::StopsAtFinalBlock)
            || kind == 0 && payload.len() > 1 && faulty.has(Kind::RefusesStoredBlocks)
        {
            return Err(1002);
        }
        let mut plain = Vec::new();
        let limit = MAX_MESSAGE as usize;
        match self.inflater.message(payload, limit, &mut plain) {
            Ok(()) => Ok(plain),
            // RFC 6455 §7.4.1: too big to process.
            Err(_) if plain.len() >= limit => Err(1009),
            Err(_) => Err(1002),
        }
    }

    /// A message that was not compressed has no part in the context (RFC 7692 §6).
    fn plain_message(&mut self, faulty: Faulty) -> Result<(), u16> {
        match faulty.0 {
            Some(Kind::RefusesPlainMessages) => return Err(1002),
            Some(Kind::LosesContextAfterPlainMessage) => {
                self.inflater = Inflater::new(self.theirs.0, self.theirs.1);
            }
            _ => {}
        }
        Ok(())
    }

    /// RFC 7692 §6.1, §7.2.1: the frames of a compressed message.
    fn frames(&mut self, opcode: u8, payload: &[u8], faulty: Faulty) -> Vec<Frame> {
        match faulty.0 {
            Some(Kind::PlainWithRsv1) => return vec![Frame::new(opcode, payload).rsv(4)],
            Some(Kind::EmptyMessageAsNoOctets) if payload.is_empty() => {
                return vec![Frame::new(opcode, "").rsv(4)];
            }
            Some(Kind::CompressesFragments) => {
                let (left, right) = payload.split_at(payload.len() / 2);
                let first = Frame::new(opcode, self.deflater.message(left))
                    .rsv(4)
                    .not_final();
                return vec![first, Frame::continuation(self.deflater.message(right))];
            }
            _ => {}
        }
        let mut deflated = self.deflater.message(payload);
        match faulty.0 {
            Some(Kind::SendsTailOctets) => deflated.extend_from_slice(&TAIL),
            Some(Kind::CutsTooMuch) => {
                deflated.pop();
            }
            _ => {}
        }
        let (first, last) = match faulty.0 {
            Some(Kind::CompressedWithoutRsv1) => return vec![Frame::new(opcode, deflated)],
            Some(Kind::Rsv1OnContinuations) => (4, 4),
            Some(Kind::Rsv1OnLastFragmentOnly) => (0, 4),
            _ => return vec![Frame::new(opcode, deflated).rsv(4)],
        };
        let rest = deflated.split_off(deflated.len() / 2);
        vec![
            Frame::new(opcode, deflated).rsv(first).not_final(),
            Frame::continuation(rest).rsv(last),
        ]
    }
}
