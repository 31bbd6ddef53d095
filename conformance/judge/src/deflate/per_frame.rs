//! deflate-frame: its two names and its parameters, in an offer and in an answer.
//!
//! It was never more than a draft. A parameter binds whoever receives it: those of a request the
//! server's frames, those of a response the client's.

use super::header::Element;
use super::negotiation::Agreed;
use super::params::{ParamError, window_bits};

/// Its name, and the one that WebKit gave it. An answer has the name that was offered.
pub const DEFLATE_FRAME: [&str; 2] = ["deflate-frame", "x-webkit-deflate-frame"];

/// What one end asks of the frames of the other. The default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "there are two parameters")]
pub struct Demands {
    /// The largest window the other may use.
    pub max_window_bits: Option<u8>,
    /// The other is to start every frame with an empty window.
    pub no_context_takeover: bool,
}

impl Demands {
    /// Reads the parameters of an element.
    ///
    /// # Errors
    ///
    /// A [`ParamError`]: a server declines such an offer, a client fails the connection.
    pub fn read(element: &Element) -> Result<Self, ParamError> {
        let mut demands = Self::default();
        for (at, param) in element.params.iter().enumerate() {
            let name = || param.name.clone();
            if element.params[..at].iter().any(|p| p.name == param.name) {
                return Err(ParamError::Duplicate { name: name() });
            }
            match (param.name.as_str(), param.value.as_deref()) {
                ("max_window_bits", Some(value)) => {
                    let bits = window_bits(value).ok_or_else(|| ParamError::ValueInvalid {
                        name: name(),
                        value: value.to_owned(),
                    })?;
                    demands.max_window_bits = Some(bits);
                }
                ("max_window_bits", None) => {
                    return Err(ParamError::ValueMissing { name: name() });
                }
                ("no_context_takeover", None) => demands.no_context_takeover = true,
                ("no_context_takeover", Some(_)) => {
                    return Err(ParamError::ValueUnexpected { name: name() });
                }
                _ => return Err(ParamError::Unknown { name: name() }),
            }
        }
        Ok(demands)
    }
}

/// deflate-frame as a client offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a name and parameters")]
pub struct FrameOffer {
    /// One of [`DEFLATE_FRAME`].
    pub name: &'static str,
    /// What is asked of the server's frames.
    pub demands: Demands,
}

impl FrameOffer {
    /// Reads an offer; `None` if the element is of another extension.
    ///
    /// # Errors
    ///
    /// As those of [`Demands::read`].
    pub fn read(element: &Element) -> Result<Option<Self>, ParamError> {
        let Some(name) = DEFLATE_FRAME.into_iter().find(|name| *name == element.name) else {
            return Ok(None);
        };
        let demands = Demands::read(element)?;
        Ok(Some(Self { name, demands }))
    }

    /// What holds for the connection once a server answered this offer so.
    #[must_use]
    pub fn agreed(&self, answer: Demands) -> Agreed {
        Agreed {
            server_takeover: !self.demands.no_context_takeover,
            client_takeover: !answer.no_context_takeover,
            server_bits: self.demands.max_window_bits.unwrap_or(15),
            client_bits: answer.max_window_bits.unwrap_or(15),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<FrameOffer>, ParamError> {
        FrameOffer::read(&Element::list(line).expect("a right header")[0])
    }

    #[test]
    fn both_names_and_both_parameters_are_read() {
        for name in DEFLATE_FRAME {
            for (params, max_window_bits, no_context_takeover) in [
                ("", None, false),
                ("; max_window_bits=8", Some(8), false),
                ("; max_window_bits=\"15\"", Some(15), false),
                ("; no_context_takeover", None, true),
                ("; no_context_takeover; max_window_bits=9", Some(9), true),
            ] {
                let demands = Demands {
                    max_window_bits,
                    no_context_takeover,
                };
                let offer = FrameOffer { name, demands };
                assert_eq!(
                    read(&format!("{name}{params}")),
                    Ok(Some(offer)),
                    "{params}"
                );
            }
        }
        assert_eq!(read("permessage-deflate"), Ok(None));
        assert_eq!(read("Deflate-Frame"), Ok(None));
    }

    #[test]
    fn parameters_that_are_not_right_are_refused() {
        for params in [
            "max_window_bits",
            "max_window_bits=7",
            "max_window_bits=16",
            "max_window_bits=08",
            "max_window_bits=+9",
            "max_window_bits=ten",
            "max_window_bits=9; max_window_bits=9",
            "no_context_takeover=1",
            "no_context_takeover; no_context_takeover",
            "server_max_window_bits=9",
        ] {
            assert!(
                read(&format!("deflate-frame; {params}")).is_err(),
                "{params}"
            );
        }
    }

    #[test]
    fn a_parameter_binds_whoever_receives_it() {
        let demands = Demands {
            max_window_bits: Some(9),
            no_context_takeover: true,
        };
        let name = DEFLATE_FRAME[0];
        let asked = FrameOffer { name, demands }.agreed(Demands::default());
        assert_eq!((asked.server_bits, asked.server_takeover), (9, false));
        assert_eq!((asked.client_bits, asked.client_takeover), (15, true));
        let answered = FrameOffer {
            name,
            demands: Demands::default(),
        }
        .agreed(demands);
        assert_eq!((answered.server_bits, answered.server_takeover), (15, true));
        assert_eq!((answered.client_bits, answered.client_takeover), (9, false));
    }
}
