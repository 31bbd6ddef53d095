//! The two parameters of deflate-frame.

use cloverleaf_proto::extension::{Declined, Params};

use crate::window_bits::WindowBits;

const MAX_WINDOW_BITS: &str = "max_window_bits";
const NO_CONTEXT_TAKEOVER: &str = "no_context_takeover";

/// What one side demands of the other's compressor.
///
/// The same two parameters stand in an offer and in an answer, and always bind the side that
/// *receives* them: an offer the server's compressor, an answer the client's. An answer does not
/// confirm an offer, and the two directions have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Demands {
    pub(super) window_bits: WindowBits,
    pub(super) no_context_takeover: bool,
}

impl Demands {
    pub(super) const NONE: Self = Self {
        window_bits: WindowBits::MAX,
        no_context_takeover: false,
    };

    /// Reads what the peer demands of us. Implementations differ over parameters that they do not know.
    pub(super) fn read(params: &Params, ignore_unknown: bool) -> Result<Self, Declined> {
        let mut reader = params.reader()?;
        let bits = reader.number(MAX_WINDOW_BITS, 8..=15)?;
        let demands = Self {
            window_bits: bits.map_or(WindowBits::MAX, |bits| WindowBits::clamped(bits as u8)),
            no_context_takeover: reader.flag(NO_CONTEXT_TAKEOVER)?,
        };
        if !ignore_unknown {
            reader.end()?;
        }
        Ok(demands)
    }

    /// As either side writes what it demands; nothing if that is nothing.
    pub(super) fn write(self) -> Params {
        let mut params = Params::new();
        if let Some(bits) = self.window_bits.below_max() {
            params = params.value(MAX_WINDOW_BITS, bits);
        }
        if self.no_context_takeover {
            params = params.flag(NO_CONTEXT_TAKEOVER);
        }
        params
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_write_we_read_back() {
        for bits in 8..=15 {
            for no_context_takeover in [false, true] {
                let demands = Demands {
                    window_bits: WindowBits::clamped(bits),
                    no_context_takeover,
                };
                assert_eq!(Demands::read(&demands.write(), false), Ok(demands));
            }
        }
        assert!(Demands::NONE.write().is_empty());
    }
}
