//! The extensions an endpoint has, in order.

use core::fmt;
use std::sync::Arc;

use super::{Agreement, Extension, Link, Params, Stage};
use crate::error::ConfigError;
use crate::http::is_token;

/// The extensions an endpoint is willing to use, in the order in which a client offers them.
///
/// Alternatives may stand side by side, such as two compressors that both claim RSV1: they conflict
/// only when both are to be agreed.
#[derive(Clone, Default)]
pub struct Extensions(Arc<Registered>);

#[derive(Clone, Default)]
struct Registered {
    negotiable: Vec<Arc<dyn Extension>>,
    local: Vec<Local>,
    order: Order,
}

/// A codec that is never negotiated.
#[derive(Clone)]
struct Local {
    name: Arc<str>,
    make: Arc<dyn Fn() -> Agreement + Send + Sync>,
}

/// In which order a server walks through a client's offers. What is agreed stands in that order in
/// the answer, and works in it (RFC 6455 §9.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "one end or the other decides")]
pub enum Order {
    /// As the client offers: its first offers are those it likes best.
    #[default]
    Client,
    /// As the server has registered its extensions; the offers of one extension as the client
    /// offers them. For a server that knows better, and for clients that offer what cannot stand in
    /// the order in which they offer it.
    Server,
}

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
        self.check_name(name)?;
        let claims = extension.claims();
        let on_data = claims.bits_on(false);
        if claims.stage() == Stage::Message && !on_data.is_empty() {
            return Err(ConfigError::InvalidClaims(name.to_owned(), on_data));
        }
        let mut all = self.into_registered();
        all.negotiable.push(Arc::new(extension));
        Ok(Self(Arc::new(all)))
    }

    /// Adds a codec that is never negotiated and always there, at the application's side of all
    /// extensions: for what an application does to every message of its own, such as to sign it.
    ///
    /// `make` is called for every connection. Of the agreement the halves count; they stand at the
    /// message stage, without reserved bits or opcodes. Several stand in the order in which they
    /// were added, the first nearest to the application. The name is for
    /// [`Statistics`](super::Statistics) and notices.
    ///
    /// # Errors
    ///
    /// A name that stands there already or is no token.
    pub fn with_local(
        self,
        name: &str,
        make: impl Fn() -> Agreement + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        self.check_name(name)?;
        let mut all = self.into_registered();
        all.local.push(Local {
            name: name.into(),
            make: Arc::new(make),
        });
        Ok(Self(Arc::new(all)))
    }

    /// Server: in which order to walk through a client's offers. Default: the client's.
    #[must_use]
    pub fn order(self, order: Order) -> Self {
        let mut all = self.into_registered();
        all.order = order;
        Self(Arc::new(all))
    }

    fn check_name(&self, name: &str) -> Result<(), ConfigError> {
        if !is_token(name.as_bytes()) {
            return Err(ConfigError::InvalidExtensionName(name.to_owned()));
        }
        if self.get(name).is_some() || self.0.local.iter().any(|local| *local.name == *name) {
            return Err(ConfigError::DuplicateExtension(name.to_owned()));
        }
        Ok(())
    }

    fn into_registered(self) -> Registered {
        Arc::unwrap_or_clone(self.0)
    }

    /// Whether there are none to negotiate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.negotiable.is_empty()
    }

    /// Those to negotiate, in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Extension> {
        self.0.negotiable.iter().map(|extension| &**extension)
    }

    /// The one of this name, compared exactly.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&dyn Extension> {
        self.iter().find(|extension| extension.name() == name)
    }

    /// Where the one of this name stands; those that nobody knows stand last.
    pub(super) fn position(&self, name: &str) -> usize {
        self.iter()
            .position(|extension| extension.name() == name)
            .unwrap_or(usize::MAX)
    }

    pub(super) fn server_order(&self) -> Order {
        self.0.order
    }

    /// The same without those that split connections: what a channel may use.
    #[must_use]
    pub fn without_carriers(&self) -> Self {
        let mut all = Registered::clone(&self.0);
        all.negotiable
            .retain(|extension| !extension.claims().is_of_carrier());
        Self(Arc::new(all))
    }

    /// Whether there is one that splits connections.
    pub(crate) fn has_carrier(&self) -> bool {
        self.iter()
            .any(|extension| extension.claims().is_of_carrier())
    }

    /// The codecs that are always there, ready to work.
    pub(super) fn local_links(&self) -> Vec<Link> {
        let links = self.0.local.iter().map(|local| {
            let Agreement {
                encoder, decoder, ..
            } = (local.make)();
            let claims = super::Claims::at(Stage::Message);
            Link::new(Arc::clone(&local.name), claims, encoder, decoder)
        });
        links.collect()
    }

    /// Everything a client has to offer, in order of preference.
    pub(super) fn offers(&self) -> impl Iterator<Item = (&str, Params)> {
        self.iter().flat_map(|extension| {
            let offers = extension.offers().into_iter();
            offers.map(|params| (extension.name(), params))
        })
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.0.local.iter().map(|local| &local.name);
        f.debug_list().entries(local).entries(self.iter()).finish()
    }
}
