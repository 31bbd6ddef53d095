//! An extension made of closures, and a few that are used more than once.

use core::fmt;
use std::sync::Arc;

use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Failure, Hints,
    Output, Params, Placement, Stage,
};
use cloverleaf_proto::frame::{Head, Rsv};

type Encode = dyn Fn(Head, Hints, &[u8], &mut Output<'_>) -> Result<Encoded, Failure> + Send + Sync;
type Decode = dyn Fn(Head, &[u8], &mut Output<'_>) -> Result<Decoded, Failure> + Send + Sync;

/// An extension that does what it is told, and nothing by itself.
#[derive(Clone)]
pub(crate) struct Toy {
    name: &'static str,
    claims: Claims,
    encode: Arc<Encode>,
    decode: Arc<Decode>,
}

impl Toy {
    pub(crate) fn new(name: &'static str, claims: Claims) -> Self {
        Self {
            name,
            claims,
            encode: Arc::new(|_, _, _, _| Ok(Encoded::Unchanged)),
            decode: Arc::new(|_, _, _| Ok(Decoded::Unchanged)),
        }
    }

    pub(crate) fn encoding(
        self,
        encode: impl Fn(Head, Hints, &[u8], &mut Output<'_>) -> Result<Encoded, Failure>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            encode: Arc::new(encode),
            ..self
        }
    }

    pub(crate) fn decoding(
        self,
        decode: impl Fn(Head, &[u8], &mut Output<'_>) -> Result<Decoded, Failure>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            decode: Arc::new(decode),
            ..self
        }
    }
}

impl fmt::Debug for Toy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Extension for Toy {
    fn name(&self) -> &str {
        self.name
    }

    fn claims(&self) -> Claims {
        self.claims
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new()]
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        if !offer.is_empty() {
            return Err(Declined::new("a toy has no parameters"));
        }
        Ok(Agreement::new(Params::new())
            .encoder(self.clone())
            .decoder(self.clone()))
    }

    fn confirm(&self, _offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        self.accept(answer)
    }
}

impl Encoder for Toy {
    fn encode(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        (self.encode)(head, hints, payload, out)
    }
}

impl Decoder for Toy {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        (self.decode)(head, payload, out)
    }
}

/// How many octets the expander makes of one.
pub(crate) const EXPANSION: usize = 1024;

/// Message stage, RSV1 at the start: every octet stands for many of itself.
pub(crate) fn expander() -> Toy {
    let claims = Claims::at(Stage::Message).rsv(Rsv::RSV1, Placement::MessageStart);
    // The bit stands on the first frame only. The toy has no state, and expands every frame.
    Toy::new("x-expand", claims).decoding(|_, payload, out| {
        for octet in payload {
            out.write(&[*octet; EXPANSION])?;
        }
        Ok(Decoded::Replaced)
    })
}

/// Any stage: puts a mark behind the payload of every data frame, and wants it there.
///
/// At the message stage the mark may come in a piece of its own, so there this works only for
/// messages that are fed whole.
pub(crate) fn marker(name: &'static str, stage: Stage, bit: Rsv, mark: u8) -> Toy {
    let placement = match stage {
        Stage::Message => Placement::MessageStart,
        Stage::Frame | Stage::Carrier => Placement::DataFrames,
    };
    Toy::new(name, Claims::at(stage).rsv(bit, placement))
        .encoding(move |head, _, payload, out| {
            if head.opcode.is_control() {
                return Ok(Encoded::Unchanged);
            }
            out.write(payload)?;
            out.write(&[mark])?;
            Ok(Encoded::Replaced(bit))
        })
        .decoding(move |head, payload, out| {
            if !head.rsv.contains(bit) {
                return Ok(Decoded::Unchanged);
            }
            match payload.split_last() {
                Some((last, rest)) if *last == mark => {
                    out.write(rest)?;
                    Ok(Decoded::Replaced)
                }
                _ => Err(Failure::protocol("mark missing")),
            }
        })
}
