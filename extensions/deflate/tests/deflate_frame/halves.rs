//! The two halves of an agreement, driven as the engine drives them.

use cloverleaf_deflate::DeflateFrame;
use cloverleaf_proto::extension::{
    Agreement, Decoded, Decoder, Encoded, Encoder, Extension, Failure, Hints, Output, Params,
};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};

/// Reads `a; b=10` as the header parser would.
pub(crate) fn params(text: &str) -> Params {
    let elements = text.split(';').map(str::trim).filter(|e| !e.is_empty());
    elements.fold(Params::new(), |params, e| match e.split_once('=') {
        Some((name, value)) => params.value(name, value.trim_matches('"')),
        None => params.flag(e),
    })
}

pub(crate) struct Halves {
    encoder: Box<dyn Encoder>,
    decoder: Box<dyn Decoder>,
}

impl From<Agreement> for Halves {
    fn from(agreement: Agreement) -> Self {
        let (encoder, decoder) = agreement.into_halves();
        Self {
            encoder: encoder.expect("both halves"),
            decoder: decoder.expect("both halves"),
        }
    }
}

/// A server's halves.
pub(crate) fn server(config: &DeflateFrame, offer: &str) -> Halves {
    let agreement = config.accept(&params(offer));
    agreement.expect("an acceptable offer").into()
}

/// A client's halves.
pub(crate) fn client(config: &DeflateFrame, answer: &str) -> Halves {
    let agreement = config.confirm(&config.offers(), &params(answer));
    agreement.expect("an acceptable answer").into()
}

/// Both sides' halves, whose compressor obeys `demands`.
pub(crate) fn both_roles(config: &DeflateFrame, demands: &str) -> [Halves; 2] {
    [server(config, demands), client(config, demands)]
}

/// Every frame is worth compressing; our compressor and theirs keep their windows, or do not.
pub(crate) fn with_takeover(takeover: bool) -> Halves {
    let config = DeflateFrame::new()
        .threshold(0)
        .context_takeover(takeover)
        .no_context_takeover(!takeover);
    server(&config, "")
}

pub(crate) const WHOLE: Head = Head::new(OpCode::BINARY);

/// The first, the middle and the last fragment of a message.
pub(crate) const FRAGMENTS: [Head; 3] = [
    Head::new(OpCode::TEXT).with_fin(false),
    Head::new(OpCode::CONTINUATION).with_fin(false),
    Head::new(OpCode::CONTINUATION),
];

impl Halves {
    /// One frame into the encoder.
    pub(crate) fn encode(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
    ) -> (Encoded, Vec<u8>) {
        let mut wire = Vec::new();
        let mut out = Output::new(&mut wire, usize::MAX);
        let encoded = self.encoder.encode(head, hints, payload, &mut out);
        (encoded.expect("there is no limit"), wire)
    }

    /// One frame into the encoder; `None` if it goes uncompressed.
    pub(crate) fn compress_as(&mut self, head: Head, payload: &[u8]) -> Option<Vec<u8>> {
        let (encoded, wire) = self.encode(head, Hints::new(), payload);
        if encoded == Encoded::Unchanged {
            return None;
        }
        assert_eq!(encoded, Encoded::Replaced(Rsv::RSV1));
        Some(wire)
    }

    /// A message of one frame into the encoder.
    pub(crate) fn compress(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        self.compress_as(WHOLE, payload)
    }

    /// As [`Self::compress`], but `limit` octets at most may come out.
    pub(crate) fn compress_within(
        &mut self,
        limit: usize,
        payload: &[u8],
    ) -> Result<Encoded, Failure> {
        let mut wire = Vec::new();
        let mut out = Output::new(&mut wire, limit);
        self.encoder.encode(WHOLE, Hints::new(), payload, &mut out)
    }

    /// One frame into the decoder; `None` if it is left as it is.
    pub(crate) fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
    ) -> Result<Option<Vec<u8>>, Failure> {
        let mut plain = Vec::new();
        let mut out = Output::new(&mut plain, usize::MAX);
        let decoded = self.decoder.decode(head, payload, &mut out)?;
        Ok((decoded == Decoded::Replaced).then_some(plain))
    }

    /// A compressed frame into the decoder.
    pub(crate) fn inflate(&mut self, payload: &[u8]) -> Result<Vec<u8>, Failure> {
        self.inflate_within(usize::MAX, payload).1
    }

    /// As [`Self::inflate`], but `limit` octets at most may come out; what did, even if it failed.
    pub(crate) fn inflate_within(
        &mut self,
        limit: usize,
        payload: &[u8],
    ) -> (usize, Result<Vec<u8>, Failure>) {
        let mut plain = Vec::new();
        let mut out = Output::new(&mut plain, limit);
        let head = WHOLE.with_rsv(Rsv::RSV1);
        match self.decoder.decode(head, payload, &mut out) {
            Ok(_) => (plain.len(), Ok(plain)),
            Err(failure) => (plain.len(), Err(failure)),
        }
    }
}

/// Octets that no compressor makes smaller.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut random = 7_u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 56) as u8
    };
    (0..size).map(|_| next()).collect()
}
