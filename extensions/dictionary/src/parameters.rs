//! The two parameters, the same in offers and answers.

use cloverleaf_proto::extension::{Declined, Params};

use crate::window_bits::WindowBits;

const ID: &str = "id";
const MAX_WINDOW_BITS: &str = "max_window_bits";

/// One offer or answer, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parameters<'a> {
    pub(crate) id: &'a str,
    /// No frame of either direction has a larger window.
    pub(crate) max_window_bits: WindowBits,
}

impl<'a> Parameters<'a> {
    pub(crate) fn from_params(params: &'a Params) -> Result<Self, Declined> {
        let mut reader = params.reader()?;
        let id = reader.text(ID)?;
        let id = id.ok_or_else(|| Declined::new("id is missing"))?;
        let range = WindowBits::MIN.get().into()..=WindowBits::MAX.get().into();
        let bits = reader.number(MAX_WINDOW_BITS, range)?;
        reader.end()?;
        Ok(Self {
            id,
            max_window_bits: bits.map_or(WindowBits::DEFAULT, WindowBits::clamped),
        })
    }

    pub(crate) fn to_params(self) -> Params {
        let params = Params::new().value(ID, self.id);
        if self.max_window_bits == WindowBits::DEFAULT {
            params
        } else {
            params.value(MAX_WINDOW_BITS, self.max_window_bits)
        }
    }
}
