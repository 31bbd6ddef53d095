//! An extension that a case brings along, beside permessage-deflate (RFC 6455 §9.1).

/// An extension that transforms whole messages and marks them with reserved bits of its own.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a table of cases writes it out")]
pub struct Layer {
    /// Its name in `Sec-WebSocket-Extensions`; it has no parameters.
    pub name: &'static str,
    /// The reserved bits on the first frame of a transformed message: RSV2 counts 2, RSV3 1.
    pub rsv: u8,
    /// What leaves for a payload.
    pub encode: fn(&[u8]) -> Vec<u8>,
    /// The payload of what came, or what is wrong with it.
    pub decode: fn(&[u8]) -> Result<Vec<u8>, String>,
}

/// Where the layer stands in the answer. Outgoing messages go through the extensions in the order
/// of the answer, incoming ones the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "two extensions, two orders")]
pub enum Order {
    /// `layer, permessage-deflate`: what is deflated is the layer's output.
    LayerFirst,
    /// `permessage-deflate, layer`: what is transformed is deflated already.
    DeflateFirst,
}
