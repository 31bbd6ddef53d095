//! The two halves of an agreement, driven as the engine drives them; and the dictionaries.

use std::sync::LazyLock;

use cloverleaf_dictionary::{Dictionary, ZstdDictionary};
use cloverleaf_proto::extension::{
    Agreement, Decoded, Decoder, Encoded, Encoder, Extension, Failure, Hints, Output, Params,
};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};

/// A plain dictionary: octets that messages repeat.
pub(crate) const PLAIN: &[u8] = b"{\"event\":\"trade\",\"symbol\":\"ACME\",\"price\":100.00}";

/// The beginning of its SHA-1, by `sha1sum`.
pub(crate) const PLAIN_ID: &str = "c4da3c25a315807a";

pub(crate) fn plain() -> Dictionary {
    Dictionary::new(PLAIN).expect("long enough")
}

pub(crate) fn sample(n: u64) -> String {
    let (id, price) = (n * 7919 % 100_003, n * 104_729 % 9_973);
    format!(
        r#"{{"event":"trade","id":{id},"price":{price},"kind":"limit","open":{}}}"#,
        n.is_multiple_of(2)
    )
}

/// One that zstd has trained, with an id of zstd's own in it.
pub(crate) fn trained() -> Dictionary {
    static TRAINED: LazyLock<Dictionary> = LazyLock::new(|| {
        let samples = (0..2000).map(sample);
        Dictionary::train(samples, 4096).expect("enough samples")
    });
    TRAINED.clone()
}

/// Reads `a; b=10` as the header parser would.
pub(crate) fn params(text: &str) -> Params {
    let elements = text.split(';').map(str::trim).filter(|e| !e.is_empty());
    elements.fold(Params::new(), |params, e| match e.split_once('=') {
        Some((name, value)) => params.value(name, value),
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

/// The halves of one connection more.
pub(crate) fn connect(extension: &ZstdDictionary) -> Halves {
    let offer = &extension.offers()[0];
    extension.accept(offer).expect("an own offer").into()
}

pub(crate) fn extension(dictionary: Dictionary) -> ZstdDictionary {
    ZstdDictionary::new([dictionary]).threshold(0)
}

/// The halves of a connection with this dictionary, where every message is worth compressing.
pub(crate) fn with(dictionary: Dictionary) -> Halves {
    connect(&extension(dictionary))
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
    /// One frame into the encoder, of which at most `limit` octets may come out.
    pub(crate) fn encode_within(
        &mut self,
        limit: usize,
        head: Head,
        hints: Hints,
        payload: &[u8],
    ) -> Result<(Encoded, Vec<u8>), Failure> {
        let mut wire = Vec::new();
        let mut out = Output::new(&mut wire, limit);
        let encoded = self.encoder.encode(head, hints, payload, &mut out)?;
        Ok((encoded, wire))
    }

    pub(crate) fn encode(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
    ) -> (Encoded, Vec<u8>) {
        let result = self.encode_within(usize::MAX, head, hints, payload);
        result.expect("there is no limit")
    }

    /// A whole message into the encoder; `None` if it goes uncompressed.
    pub(crate) fn compress(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        match self.encode(head(0, 1), Hints::new(), message) {
            (Encoded::Replaced(bits), wire) => {
                assert_eq!(bits, Rsv::RSV1);
                Some(wire)
            }
            (other, _) => {
                assert_eq!(other, Encoded::Unchanged);
                None
            }
        }
    }

    /// Part `i` of `count` into the encoder, which must compress it.
    pub(crate) fn part(&mut self, i: usize, count: usize, part: &[u8]) -> Vec<u8> {
        let (encoded, wire) = self.encode(head(i, count), Hints::new(), part);
        let bits = if i == 0 { Rsv::RSV1 } else { Rsv::NONE };
        assert_eq!(encoded, Encoded::Replaced(bits));
        wire
    }

    /// Piece `i` of `count` of a compressed message into the decoder.
    pub(crate) fn piece(
        &mut self,
        i: usize,
        count: usize,
        piece: &[u8],
        limit: usize,
    ) -> (Vec<u8>, Result<(), Failure>) {
        let bits = if i == 0 { Rsv::RSV1 } else { Rsv::NONE };
        let mut message = Vec::new();
        let mut out = Output::new(&mut message, limit);
        let decoded = self
            .decoder
            .decode(head(i, count).with_rsv(bits), piece, &mut out);
        let decoded = decoded.map(|decoded| assert_eq!(decoded, Decoded::Replaced));
        (message, decoded)
    }

    /// A compressed message in pieces into the decoder; what comes out, even if it then fails.
    pub(crate) fn feed(
        &mut self,
        pieces: &[&[u8]],
        limit: usize,
    ) -> (Vec<u8>, Result<(), Failure>) {
        let mut message = Vec::new();
        for (i, piece) in pieces.iter().enumerate() {
            let room = limit - message.len();
            let (more, result) = self.piece(i, pieces.len(), piece, room);
            message.extend(more);
            if result.is_err() {
                return (message, result);
            }
        }
        (message, Ok(()))
    }

    /// A compressed message in one piece into the decoder.
    pub(crate) fn decompress(&mut self, wire: &[u8]) -> Result<Vec<u8>, Failure> {
        let (message, result) = self.feed(&[wire], usize::MAX);
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

/// Every way to cut octets in two, and all octets alone.
pub(crate) fn cuts(octets: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let in_two = (0..=octets.len()).map(|at| vec![&octets[..at], &octets[at..]]);
    in_two.chain([octets.chunks(1).collect(), vec![octets]])
}
