//! The extensions an endpoint has, in order.

use core::fmt;
use std::sync::Arc;

use super::{Extension, Stage};
use crate::error::ConfigError;
use crate::http::is_token;

/// The extensions an endpoint is willing to use, in the order in which a client offers them.
///
/// Alternatives may stand side by side, such as two compressors that both claim RSV1: they conflict
/// only when both are to be agreed.
#[derive(Clone, Default)]
pub struct Extensions(Arc<[Arc<dyn Extension>]>);

impl Extensions {
    /// No extensions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one at the end.
    ///
    /// # Errors
    ///
    /// A name that stands there already or is no token, or claims that cannot work.
    pub fn with(self, extension: impl Extension + 'static) -> Result<Self, ConfigError> {
        let name = extension.name();
        if !is_token(name.as_bytes()) {
            return Err(ConfigError::InvalidExtensionName(name.to_owned()));
        }
        if self.get(name).is_some() {
            return Err(ConfigError::DuplicateExtension(name.to_owned()));
        }
        let claims = extension.claims();
        let on_data = claims.bits_on(false);
        if claims.stage() == Stage::Message && !on_data.is_empty() {
            return Err(ConfigError::InvalidClaims(name.to_owned(), on_data));
        }
        let mut all: Vec<Arc<dyn Extension>> = self.0.to_vec();
        all.push(Arc::new(extension));
        Ok(Self(all.into()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The extensions in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Extension> {
        self.0.iter().map(|extension| &**extension)
    }

    /// The one of this name, compared exactly.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&dyn Extension> {
        self.iter().find(|extension| extension.name() == name)
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
