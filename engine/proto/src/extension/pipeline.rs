//! The agreed extensions of one connection at work.

use core::fmt;

use super::{Claims, Decoded, Decoder, Encoded, Encoder, Failure, Hints, Output, Stage};
use crate::frame::{Head, OpCode, Rsv};

/// One agreed extension: its claims and its halves.
pub(crate) struct Link {
    claims: Claims,
    encoder: Option<Box<dyn Encoder>>,
    decoder: Option<Box<dyn Decoder>>,
}

impl Link {
    pub(crate) fn new(
        claims: Claims,
        encoder: Option<Box<dyn Encoder>>,
        decoder: Option<Box<dyn Decoder>>,
    ) -> Self {
        Self {
            claims,
            encoder,
            decoder,
        }
    }

    pub(crate) const fn claims(&self) -> Claims {
        self.claims
    }

    /// Message-stage extensions see data; frame-stage ones see every frame; an opcode's owner sees
    /// its opcode wherever it stands.
    fn sees(&self, opcode: OpCode) -> bool {
        match self.claims.stage() {
            Stage::Frame => true,
            Stage::Message if opcode.is_reserved() => self.claims.owns(opcode),
            Stage::Message => !opcode.is_control(),
            Stage::Carrier => false,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

/// What came of an incoming frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nobody touched it.
    Unchanged,
    /// [`Pipelines::output`] has the payload.
    Replaced,
    /// Its owner has swallowed it.
    Consumed,
    /// Its owner has swallowed it; [`Pipelines::output`] goes back under this opcode.
    Answered(OpCode),
}

/// All agreed extensions, in the order of the answer.
///
/// Two buffers are swapped between the links, so that a warm connection does not allocate.
#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    links: Vec<Link>,
    bits_at_start: Rsv,
    bits_on_data: Rsv,
    opcodes: u16,
    whole_frames: bool,
    output: Vec<u8>,
    input: Vec<u8>,
}

impl Pipelines {
    pub(crate) fn new(links: Vec<Link>) -> Self {
        let mut all = Self::default();
        for link in &links {
            all.bits_at_start = all.bits_at_start | link.claims.bits_on(true);
            all.bits_on_data = all.bits_on_data | link.claims.bits_on(false);
            all.opcodes |= link.claims.opcodes();
            all.whole_frames |= link.claims.stage() == Stage::Frame;
        }
        Self { links, ..all }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The reserved bits that a data frame may carry now.
    pub(crate) fn bits_on(&self, starts_message: bool) -> Rsv {
        if starts_message {
            self.bits_at_start
        } else {
            self.bits_on_data
        }
    }

    /// Whether some extension owns this opcode.
    pub(crate) fn owns(&self, opcode: OpCode) -> bool {
        self.opcodes & 1 << opcode.number() != 0
    }

    /// Whether some extension depends on where frames begin and end.
    pub(crate) fn whole_frames(&self) -> bool {
        self.whole_frames
    }

    /// The payload after a step that replaced or answered it.
    pub(crate) fn output(&self) -> &[u8] {
        &self.output
    }

    /// The same, to keep.
    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.output)
    }

    /// Gives the memory of the two buffers back.
    pub(crate) fn release(&mut self) {
        self.output = Vec::new();
        self.input = Vec::new();
    }

    /// Passes an incoming frame through the decoders, last to first (RFC 6455 §9.1).
    ///
    /// No decoder's output exceeds `budget`.
    pub(crate) fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        budget: usize,
    ) -> Result<Step, Failure> {
        let Self {
            links,
            output,
            input,
            ..
        } = self;
        let mut replaced = false;
        for link in links.iter_mut().rev().filter(|link| link.sees(head.opcode)) {
            let Some(decoder) = &mut link.decoder else {
                continue;
            };
            // The previous link's output is this link's input.
            if replaced {
                core::mem::swap(output, input);
            }
            output.clear();
            let seen = head.with_rsv(head.rsv & link.claims.bits());
            let payload = if replaced { input.as_slice() } else { payload };
            let decoded = decoder.decode(seen, payload, &mut Output::new(output, budget))?;
            let owner = link.claims.owns(head.opcode);
            match decoded {
                Decoded::Replaced => replaced = true,
                Decoded::Consumed if owner => return Ok(Step::Consumed),
                Decoded::Answered(opcode) if owner && link.claims.owns(opcode) => {
                    return Ok(Step::Answered(opcode));
                }
                _ if replaced => core::mem::swap(output, input),
                _ => {}
            }
            // What its owner did not pass to the links before it when it was sent, they do not see
            // now.
            if owner {
                break;
            }
        }
        Ok(if replaced {
            Step::Replaced
        } else {
            Step::Unchanged
        })
    }

    /// Passes outgoing data through the message-stage encoders, first to last. Returns the bits for
    /// the frame, or `None` if the payload stays as it is.
    pub(crate) fn encode_message(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        budget: usize,
    ) -> Result<Option<Rsv>, Failure> {
        self.encode(Stage::Message, head, hints, payload, budget)
    }

    /// Passes an outgoing frame through the frame-stage encoders, first to last.
    pub(crate) fn encode_frame(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        budget: usize,
    ) -> Result<Option<Rsv>, Failure> {
        self.encode(Stage::Frame, head, hints, payload, budget)
    }

    fn encode(
        &mut self,
        stage: Stage,
        head: Head,
        hints: Hints,
        payload: &[u8],
        budget: usize,
    ) -> Result<Option<Rsv>, Failure> {
        let Self {
            links,
            output,
            input,
            ..
        } = self;
        // A frame of a reserved opcode is its owner's own, and starts behind it.
        let first = match links.iter().position(|link| link.claims.owns(head.opcode)) {
            Some(owner) => owner + 1,
            None => 0,
        };
        let mut result = None;
        for link in links
            .iter_mut()
            .skip(first)
            .filter(|link| link.claims.stage() == stage)
        {
            let Some(encoder) = &mut link.encoder else {
                continue;
            };
            if result.is_some() {
                core::mem::swap(output, input);
            }
            output.clear();
            let payload = if result.is_some() {
                input.as_slice()
            } else {
                payload
            };
            let mut out = Output::new(output, budget);
            match encoder.encode(head, hints, payload, &mut out)? {
                Encoded::Replaced(bits) => {
                    let allowed = if head.opcode.is_control() {
                        Rsv::NONE
                    } else {
                        link.claims.bits_on(head.starts_message())
                    };
                    result = Some(result.unwrap_or(Rsv::NONE) | bits & allowed);
                }
                Encoded::Unchanged if result.is_some() => core::mem::swap(output, input),
                Encoded::Unchanged => {}
            }
        }
        Ok(result)
    }
}
