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

    /// Reads what the peer demands of us. The draft does not say what an unknown parameter means.
    pub(super) fn read(params: &Params, ignore_unknown: bool) -> Result<Self, Declined> {
        if params.duplicate().is_some() {
            return Err(Declined::new("a parameter stands twice"));
        }
        let mut demands = Self::NONE;
        for (name, value) in params.iter() {
            match name {
                MAX_WINDOW_BITS => {
                    let bits = value.and_then(WindowBits::parse);
                    demands.window_bits = bits.ok_or_else(|| {
                        Declined::new("max_window_bits must be 8 to 15, in decimal")
                    })?;
                }
                NO_CONTEXT_TAKEOVER if value.is_some() => {
                    return Err(Declined::new("no_context_takeover takes no value"));
                }
                NO_CONTEXT_TAKEOVER => demands.no_context_takeover = true,
                _ if ignore_unknown => {}
                _ => return Err(Declined::new("unknown parameter")),
            }
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
