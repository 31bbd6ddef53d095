//! What an extension agrees to, or why it does not.

use core::fmt;
use std::borrow::Cow;

use super::{Carrier, Decoder, Encoder, Params};

/// What was agreed for one connection: the parameters, and the halves that do the work.
#[derive(Default)]
pub struct Agreement {
    pub(super) params: Params,
    pub(super) encoder: Option<Box<dyn Encoder>>,
    pub(super) decoder: Option<Box<dyn Decoder>>,
    pub(super) carrier: Option<Box<dyn Carrier>>,
}

impl Agreement {
    /// An agreement on these parameters. A server's answer carries them.
    #[must_use]
    pub fn new(params: Params) -> Self {
        Self {
            params,
            encoder: None,
            decoder: None,
            carrier: None,
        }
    }

    /// Sets the sending half.
    #[must_use]
    pub fn encoder(mut self, encoder: impl Encoder + 'static) -> Self {
        self.encoder = Some(Box::new(encoder));
        self
    }

    /// Sets the receiving half.
    #[must_use]
    pub fn decoder(mut self, decoder: impl Decoder + 'static) -> Self {
        self.decoder = Some(Box::new(decoder));
        self
    }

    /// Sets what splits the connection, of an extension at
    /// [`Stage::Carrier`](super::Stage::Carrier).
    #[must_use]
    pub fn carrier(mut self, carrier: impl Carrier + 'static) -> Self {
        self.carrier = Some(Box::new(carrier));
        self
    }

    /// The agreed parameters.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// Takes the halves out, for tests of an extension on its own.
    #[must_use]
    #[expect(clippy::type_complexity, reason = "two optional halves, said plainly")]
    pub fn into_halves(self) -> (Option<Box<dyn Encoder>>, Option<Box<dyn Decoder>>) {
        (self.encoder, self.decoder)
    }

    /// Takes out what splits the connection, for tests of a carrier on its own.
    #[must_use]
    pub fn into_carrier(self) -> Option<Box<dyn Carrier>> {
        self.carrier
    }
}

impl fmt::Debug for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agreement")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

/// Why an offer or an answer is not acceptable: for logs and reports, never for the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined(Cow<'static, str>);

impl Declined {
    /// Declines for this reason.
    #[must_use]
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Declined {}
