//! The two halves of an agreement, driven as the engine drives them.

use cloverleaf_deflate::PermessageDeflate;
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

/// A server's halves, with every message worth compressing.
pub(crate) fn server(config: PermessageDeflate, offer: &str) -> Halves {
    let agreement = config.threshold(0).accept(&params(offer));
    agreement.expect("an acceptable offer").into()
}

/// Without takeover, and with.
pub(crate) fn both_ways_to_remember() -> [(bool, Halves); 2] {
    [false, true].map(|takeover| (takeover, with_takeover(PermessageDeflate::new(), takeover)))
}

pub(crate) fn with_takeover(config: PermessageDeflate, takeover: bool) -> Halves {
    let config = config
        .server_no_context_takeover(!takeover)
        .client_no_context_takeover(!takeover);
    server(config, "")
}

/// The head of piece `i` of `count` of a message.
pub(crate) fn head(i: usize, count: usize) -> Head {
    let opcode = if i == 0 {
        OpCode::BINARY
    } else {
        OpCode::CONTINUATION
    };
    Head::new(opcode).with_fin(i + 1 == count)
}

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

    /// A whole message into the encoder; `None` if it goes uncompressed.
    pub(crate) fn compress(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        match self.encode(head(0, 1), Hints::new(), message) {
            (Encoded::Replaced(bits), wire) => {
                assert_eq!(bits, Rsv::RSV1);
                Some(wire)
            }
            (Encoded::Unchanged, _) => None,
            (other, _) => panic!("{other:?}"),
        }
    }

    /// As [`Self::compress`], but `limit` octets at most may come out.
    pub(crate) fn compress_within(
        &mut self,
        limit: usize,
        message: &[u8],
    ) -> Result<Encoded, Failure> {
        let mut wire = Vec::new();
        let mut out = Output::new(&mut wire, limit);
        self.encoder
            .encode(head(0, 1), Hints::new(), message, &mut out)
    }

    /// A compressed message in pieces into the decoder; what comes out, even if it then fails.
    pub(crate) fn feed(
        &mut self,
        pieces: &[&[u8]],
        limit: usize,
    ) -> (Vec<u8>, Result<(), Failure>) {
        let mut message = Vec::new();
        for (i, piece) in pieces.iter().enumerate() {
            let bits = if i == 0 { Rsv::RSV1 } else { Rsv::NONE };
            let head = head(i, pieces.len()).with_rsv(bits);
            let room = limit - message.len();
            let mut out = Output::new(&mut message, room);
            match self.decoder.decode(head, piece, &mut out) {
                Ok(decoded) => assert_eq!(decoded, Decoded::Replaced),
                Err(failure) => return (message, Err(failure)),
            }
        }
        (message, Ok(()))
    }

    /// The first fragment of a compressed message into the decoder.
    pub(crate) fn begin(&mut self, wire: &[u8]) -> Result<Decoded, Failure> {
        let mut message = Vec::new();
        let mut out = Output::new(&mut message, usize::MAX);
        let head = head(0, 2).with_rsv(Rsv::RSV1);
        self.decoder.decode(head, wire, &mut out)
    }

    /// A compressed message in one piece into the decoder.
    pub(crate) fn inflate(&mut self, payload: &[u8]) -> Result<Vec<u8>, Failure> {
        let (message, result) = self.feed(&[payload], usize::MAX);
        result.map(|()| message)
    }

    /// An uncompressed message into the decoder, which must not care.
    pub(crate) fn pass(&mut self, payload: &[u8]) {
        let mut message = Vec::new();
        let mut out = Output::new(&mut message, usize::MAX);
        let decoded = self.decoder.decode(head(0, 1), payload, &mut out);
        assert_eq!(decoded, Ok(Decoded::Unchanged));
    }
}
