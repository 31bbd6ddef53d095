//! The four parameters of permessage-deflate (RFC 7692 §7.1).

use cloverleaf_proto::extension::{Declined, Params};

use crate::window_bits::WindowBits;

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// One offer or answer, understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    pub(super) server_max_window_bits: Option<WindowBits>,
    /// In an offer, the parameter without a value is the same as 15: the client can do with less
    /// and asks for nothing.
    pub(super) client_max_window_bits: Option<WindowBits>,
}

impl Parameters {
    /// Reads an offer. Whatever the server must decline (RFC 7692 §7.1) is declined here.
    pub(super) fn from_offer(params: &Params) -> Result<Self, Declined> {
        Self::parse(params, Some(WindowBits::MAX))
    }

    /// Reads an answer. Whatever the client must fail for (RFC 7692 §7.1) is declined here.
    pub(super) fn from_answer(params: &Params) -> Result<Self, Declined> {
        Self::parse(params, None)
    }

    fn parse(params: &Params, client_bits_alone: Option<WindowBits>) -> Result<Self, Declined> {
        if params.duplicate().is_some() {
            return Err(Declined::new("a parameter stands twice"));
        }
        let mut all = Self::default();
        for (name, value) in params.iter() {
            match name {
                SERVER_NO_CONTEXT_TAKEOVER => all.server_no_context_takeover = flag(value)?,
                CLIENT_NO_CONTEXT_TAKEOVER => all.client_no_context_takeover = flag(value)?,
                SERVER_MAX_WINDOW_BITS => all.server_max_window_bits = Some(bits(value, None)?),
                CLIENT_MAX_WINDOW_BITS => {
                    all.client_max_window_bits = Some(bits(value, client_bits_alone)?);
                }
                _ => return Err(Declined::new("unknown parameter")),
            }
        }
        Ok(all)
    }

    /// As a client writes it.
    pub(super) fn to_offer(self) -> Params {
        let params = self.without_client_bits();
        match self.client_max_window_bits {
            Some(WindowBits::MAX) => params.flag(CLIENT_MAX_WINDOW_BITS),
            Some(bits) => params.value(CLIENT_MAX_WINDOW_BITS, bits),
            None => params,
        }
    }

    /// As a server writes it.
    pub(super) fn to_answer(self) -> Params {
        let params = self.without_client_bits();
        match self.client_max_window_bits {
            Some(bits) => params.value(CLIENT_MAX_WINDOW_BITS, bits),
            None => params,
        }
    }

    fn without_client_bits(self) -> Params {
        let mut params = Params::new();
        if self.server_no_context_takeover {
            params = params.flag(SERVER_NO_CONTEXT_TAKEOVER);
        }
        if self.client_no_context_takeover {
            params = params.flag(CLIENT_NO_CONTEXT_TAKEOVER);
        }
        if let Some(bits) = self.server_max_window_bits {
            params = params.value(SERVER_MAX_WINDOW_BITS, bits);
        }
        params
    }
}

fn flag(value: Option<&str>) -> Result<bool, Declined> {
    match value {
        None => Ok(true),
        Some(_) => Err(Declined::new("no_context_takeover takes no value")),
    }
}

fn bits(value: Option<&str>, alone: Option<WindowBits>) -> Result<WindowBits, Declined> {
    match value {
        None => alone.ok_or_else(|| Declined::new("max_window_bits needs a value here")),
        Some(value) => WindowBits::parse(value)
            .ok_or_else(|| Declined::new("max_window_bits must be 8 to 15, in decimal")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_write_we_read_back() {
        for bits in 0u8..=255 {
            let all = Parameters {
                server_no_context_takeover: bits & 1 != 0,
                client_no_context_takeover: bits & 2 != 0,
                server_max_window_bits: (bits & 4 != 0).then(|| WindowBits::clamped(bits >> 3)),
                client_max_window_bits: (bits & 8 != 0).then(|| WindowBits::clamped(bits >> 4)),
            };
            assert_eq!(Parameters::from_offer(&all.to_offer()), Ok(all));
            assert_eq!(Parameters::from_answer(&all.to_answer()), Ok(all));
        }
    }
}
