//! Extensions to stand before and behind the one under test.

use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Failure, Hints,
    Output, Params, Placement, Stage,
};
use cloverleaf_proto::frame::{Head, Rsv};

/// Puts its mark into every data message or frame and wants to find it there.
///
/// At the message stage the mark stands before the message, and every octet behind it is turned, so
/// that a text is none any more; at the frame stage it stands behind each data frame. With a bit,
/// the bit says that it is there, and is missed where it is not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    pub(crate) stage: Stage,
    pub(crate) bit: Rsv,
    pub(crate) mark: u8,
}

impl Probe {
    fn placement(&self) -> Placement {
        match self.stage {
            Stage::Message => Placement::MessageStart,
            Stage::Frame | Stage::Carrier => Placement::DataFrames,
        }
    }
}

impl Extension for Probe {
    fn name(&self) -> &str {
        self.name
    }

    fn claims(&self) -> Claims {
        Claims::at(self.stage).rsv(self.bit, self.placement())
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new()]
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        if !offer.is_empty() {
            return Err(Declined::new("a probe has no parameters"));
        }
        Ok(Agreement::new(Params::new())
            .encoder(*self)
            .decoder(Reader {
                probe: *self,
                wants_mark: false,
            }))
    }

    fn confirm(&self, _offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        self.accept(answer)
    }
}

impl Encoder for Probe {
    fn encode(
        &mut self,
        head: Head,
        _hints: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        if head.opcode.is_control() || head.opcode.is_reserved() {
            return Ok(Encoded::Unchanged);
        }
        if self.stage == Stage::Frame {
            out.write(payload)?;
            out.write(&[self.mark])?;
            return Ok(Encoded::Replaced(self.bit));
        }
        if head.starts_message() {
            out.write(&[self.mark])?;
        }
        out.write(&turned(payload, self.mark))?;
        let bits = if head.starts_message() {
            self.bit
        } else {
            Rsv::NONE
        };
        Ok(Encoded::Replaced(bits))
    }
}

fn turned(payload: &[u8], mark: u8) -> Vec<u8> {
    payload.iter().map(|octet| octet ^ mark ^ 0x80).collect()
}

struct Reader {
    probe: Probe,
    /// The message has begun, and its mark has not come yet.
    wants_mark: bool,
}

impl Decoder for Reader {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        let Probe {
            stage, bit, mark, ..
        } = self.probe;
        if head.opcode.is_control() || head.opcode.is_reserved() {
            return Ok(Decoded::Unchanged);
        }
        if (head.starts_message() || stage == Stage::Frame) && !head.rsv.contains(bit) {
            return Err(Failure::protocol("the probe misses its bit"));
        }
        let missed = || Failure::protocol("the probe misses its mark");
        if stage == Stage::Frame {
            let (last, rest) = payload.split_last().ok_or_else(missed)?;
            if *last != mark {
                return Err(missed());
            }
            out.write(rest)?;
            return Ok(Decoded::Replaced);
        }
        self.wants_mark |= head.starts_message();
        let mut rest = payload;
        if self.wants_mark {
            match payload.split_first() {
                Some((first, behind)) if *first == mark => {
                    self.wants_mark = false;
                    rest = behind;
                }
                None if !head.fin => {}
                _ => return Err(missed()),
            }
        }
        out.write(&turned(rest, mark))?;
        Ok(Decoded::Replaced)
    }
}
