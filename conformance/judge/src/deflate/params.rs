//! The parameters of permessage-deflate, in an offer and in an answer (RFC 7692 §7.1).

use super::header::Element;
use std::fmt;

/// The extension's name.
pub const PERMESSAGE_DEFLATE: &str = "permessage-deflate";

/// What a client offers (RFC 7692 §7.1). The default is the bare name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "RFC 7692 has these four parameters"
)]
pub struct Offer {
    /// The server is to start every message with an empty window.
    pub server_no_context_takeover: bool,
    /// A hint that the client might do so even if it is not asked to.
    pub client_no_context_takeover: bool,
    /// The largest window the server may use.
    pub server_max_window_bits: Option<u8>,
    /// The client's window may be limited; the inner value is the largest it will use anyway.
    pub client_max_window_bits: Option<Option<u8>>,
}

/// What a server answers (RFC 7692 §7.1). The default is the bare name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "RFC 7692 has these four parameters"
)]
pub struct Answer {
    /// The server starts every message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client has to start every message with an empty window.
    pub client_no_context_takeover: bool,
    /// The server's window.
    pub server_max_window_bits: Option<u8>,
    /// The client's window.
    pub client_max_window_bits: Option<u8>,
}

/// Why an element's parameters are not those of its extension.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParamError {
    /// Another extension.
    OtherExtension {
        /// Its name.
        name: String,
    },
    /// A parameter the extension does not have.
    Unknown {
        /// Its name.
        name: String,
    },
    /// A parameter that stands there twice.
    Duplicate {
        /// Its name.
        name: String,
    },
    /// A parameter that needs a value and has none.
    ValueMissing {
        /// Its name.
        name: String,
    },
    /// A parameter that has a value and must have none.
    ValueUnexpected {
        /// Its name.
        name: String,
    },
    /// A number of bits that is not 8 to 15 in decimal without leading zero.
    ValueInvalid {
        /// The parameter's name.
        name: String,
        /// The value.
        value: String,
    },
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherExtension { name } => write!(f, "{name:?} is not {PERMESSAGE_DEFLATE}"),
            Self::Unknown { name } => write!(f, "the extension has no parameter {name:?}"),
            Self::Duplicate { name } => write!(f, "the parameter {name:?} stands there twice"),
            Self::ValueMissing { name } => write!(f, "the parameter {name:?} needs a value"),
            Self::ValueUnexpected { name } => write!(f, "the parameter {name:?} has no value"),
            Self::ValueInvalid { name, value } => {
                write!(f, "{name} is 8 to 15, without leading zero, not {value:?}")
            }
        }
    }
}

impl std::error::Error for ParamError {}

/// The parameters as both sides may write them.
#[derive(Default)]
struct Raw {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<Option<u8>>,
}

/// Reads an element's parameters; `number` reads a window's bits.
fn read(element: &Element, number: fn(&str) -> Option<u8>) -> Result<Raw, ParamError> {
    if element.name != PERMESSAGE_DEFLATE {
        let name = element.name.clone();
        return Err(ParamError::OtherExtension { name });
    }
    let mut raw = Raw::default();
    for (i, param) in element.params.iter().enumerate() {
        let name = || param.name.clone();
        let value = param.value.as_deref();
        if element.params[..i].iter().any(|p| p.name == param.name) {
            return Err(ParamError::Duplicate { name: name() });
        }
        let flag = || match value {
            None => Ok(true),
            Some(_) => Err(ParamError::ValueUnexpected { name: name() }),
        };
        let bits = |value: &str| {
            number(value).ok_or_else(|| ParamError::ValueInvalid {
                name: name(),
                value: value.to_owned(),
            })
        };
        match param.name.as_str() {
            "server_no_context_takeover" => raw.server_no_context_takeover = flag()?,
            "client_no_context_takeover" => raw.client_no_context_takeover = flag()?,
            "server_max_window_bits" => {
                let value = value.ok_or_else(|| ParamError::ValueMissing { name: name() })?;
                raw.server_max_window_bits = Some(bits(value)?);
            }
            "client_max_window_bits" => {
                raw.client_max_window_bits = Some(value.map(bits).transpose()?);
            }
            _ => return Err(ParamError::Unknown { name: name() }),
        }
    }
    Ok(raw)
}

/// RFC 7692 §7.1.2.1
pub(super) fn window_bits(value: &str) -> Option<u8> {
    let bits: u8 = value.parse().ok()?;
    // By the letter: neither `08` nor `+8`.
    ((8..=15).contains(&bits) && value == bits.to_string()).then_some(bits)
}

impl Offer {
    /// Reads an offer.
    ///
    /// # Errors
    ///
    /// A [`ParamError`], for which a server must decline the offer (RFC 7692 §7.1).
    pub fn read(element: &Element) -> Result<Self, ParamError> {
        Self::read_with(element, window_bits)
    }

    /// Reads an offer whose numbers `number` reads.
    pub(super) fn read_with(
        element: &Element,
        number: fn(&str) -> Option<u8>,
    ) -> Result<Self, ParamError> {
        let raw = read(element, number)?;
        Ok(Self {
            server_no_context_takeover: raw.server_no_context_takeover,
            client_no_context_takeover: raw.client_no_context_takeover,
            server_max_window_bits: raw.server_max_window_bits,
            client_max_window_bits: raw.client_max_window_bits,
        })
    }
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// A [`ParamError`], for which a client must fail the connection (RFC 7692 §7.1).
    pub fn read(element: &Element) -> Result<Self, ParamError> {
        Self::read_with(element, window_bits)
    }

    /// Reads an answer whose numbers `number` reads.
    pub(super) fn read_with(
        element: &Element,
        number: fn(&str) -> Option<u8>,
    ) -> Result<Self, ParamError> {
        let raw = read(element, number)?;
        let client_max_window_bits = match raw.client_max_window_bits {
            None => None,
            // Only an offer may leave the value out (RFC 7692 §7.1.2.2).
            Some(None) => {
                let name = "client_max_window_bits".to_owned();
                return Err(ParamError::ValueMissing { name });
            }
            Some(bits) => bits,
        };
        Ok(Self {
            server_no_context_takeover: raw.server_no_context_takeover,
            client_no_context_takeover: raw.client_no_context_takeover,
            server_max_window_bits: raw.server_max_window_bits,
            client_max_window_bits,
        })
    }
}

/// In the order in which the original suite writes an offer.
impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PERMESSAGE_DEFLATE)?;
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        match self.client_max_window_bits {
            None => {}
            Some(None) => f.write_str("; client_max_window_bits")?,
            Some(Some(bits)) => write!(f, "; client_max_window_bits={bits}")?,
        }
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; server_max_window_bits={bits}")?;
        }
        Ok(())
    }
}

/// In the order in which the original suite writes an answer.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PERMESSAGE_DEFLATE)?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; server_max_window_bits={bits}")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if let Some(bits) = self.client_max_window_bits {
            write!(f, "; client_max_window_bits={bits}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(params: &str) -> Element {
        let value = format!("{PERMESSAGE_DEFLATE}{params}");
        Element::list(&value).expect("a right header").remove(0)
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for server_no_context_takeover in [false, true] {
            for client_no_context_takeover in [false, true] {
                for server_max_window_bits in [None, Some(8), Some(9), Some(15)] {
                    for client in [None, Some(None), Some(Some(8)), Some(Some(15))] {
                        let offer = Offer {
                            server_no_context_takeover,
                            client_no_context_takeover,
                            server_max_window_bits,
                            client_max_window_bits: client,
                        };
                        let list = Element::list(&offer.to_string()).expect("a right header");
                        assert_eq!(Offer::read(&list[0]), Ok(offer));
                        let answer = Answer {
                            server_no_context_takeover,
                            client_no_context_takeover,
                            server_max_window_bits,
                            client_max_window_bits: client.flatten(),
                        };
                        let list = Element::list(&answer.to_string()).expect("a right header");
                        assert_eq!(Answer::read(&list[0]), Ok(answer));
                    }
                }
            }
        }
    }

    #[test]
    fn values_out_of_place_or_range_are_refused_in_offers_and_answers() {
        for params in [
            "; server_max_window_bits",
            "; server_max_window_bits=7",
            "; server_max_window_bits=16",
            "; server_max_window_bits=08",
            "; server_max_window_bits=+8",
            "; server_max_window_bits=8.0",
            "; server_max_window_bits=264",
            "; client_max_window_bits=7",
            "; client_max_window_bits=1e1",
            "; server_no_context_takeover=1",
            "; client_no_context_takeover=true",
            "; client_no_context_takeover; client_no_context_takeover",
            "; client_max_window_bits=9; client_max_window_bits=9",
            "; foo",
            "; Server_No_Context_Takeover",
        ] {
            assert!(Offer::read(&element(params)).is_err(), "{params}");
            assert!(Answer::read(&element(params)).is_err(), "{params}");
        }
        assert!(Offer::read(&element("; client_max_window_bits")).is_ok());
        assert!(Answer::read(&element("; client_max_window_bits")).is_err());
        let quoted = Offer::read(&element("; server_max_window_bits=\"10\"")).expect("quoted");
        assert_eq!(quoted.server_max_window_bits, Some(10));
        assert!(Offer::read(&Element::list("Permessage-Deflate").expect("a name")[0]).is_err());
    }
}
