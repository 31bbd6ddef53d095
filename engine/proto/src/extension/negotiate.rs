//! Negotiation (RFC 6455 §9.1): the server's walk over the offers, the client's check of the answer.

use core::fmt;
use std::sync::Arc;

use super::{
    Agreement, Carrier, Claims, Clock, Conflict, Declined, Extensions, Link, Order, Params,
    Pipelines,
};

/// One element of a `Sec-WebSocket-Extensions` header: a name with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// The extension token, exactly as written.
    pub name: String,
    /// Its parameters.
    pub params: Params,
}

impl Offer {
    /// An offer or answer of this extension.
    #[must_use]
    pub fn new(name: impl Into<String>, params: Params) -> Self {
        Self {
            name: name.into(),
            params,
        }
    }
}

/// As in the header: `name; a; b=10`.
impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, self.params)
    }
}

/// Only so many offers are looked at; a header of thousands gets no more of our time.
const MAX_OFFERS: usize = 32;

/// An offer that did not lead to an agreement, and why. For the log and for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The offer.
    pub offer: Offer,
    /// Why it was passed over.
    pub why: Why,
}

/// One line for a log. The offer is the peer's, and long ones are cut.
impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offer = self.offer.to_string();
        let shown: String = offer.chars().take(200).collect();
        let cut = if shown.len() < offer.len() { "…" } else { "" };
        write!(f, "{}{cut}: {}", shown.escape_debug(), self.why)
    }
}

/// Why an offer was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It conflicts with what was agreed before it.
    Conflict(Conflict),
    /// The extension declined it.
    Declined(Declined),
    /// Nobody knows the extension.
    Unknown,
    /// It stood behind more offers than are looked at.
    TooMany,
    /// Client: the server's answer does not have it.
    Unanswered,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(conflict) => conflict.fmt(f),
            Self::Declined(declined) => declined.fmt(f),
            Self::Unknown => f.write_str("unknown"),
            Self::TooMany => f.write_str("too many offers"),
            Self::Unanswered => f.write_str("not in the server's answer"),
        }
    }
}

/// Why a server's answer fails the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The answer conflicts with an answer before it.
    Conflict(String, Conflict),
    /// The extension cannot work with the answer.
    Declined(String, Declined),
    /// The extension was not offered.
    NotOffered(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(name, conflict) => write!(f, "answer {name:?}: {conflict}"),
            Self::Declined(name, declined) => write!(f, "answer {name:?}: {declined}"),
            Self::NotOffered(name) => write!(f, "answer {name:?} was never offered"),
        }
    }
}

impl core::error::Error for Refused {}

/// One agreed extension, as the application sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Agreed {
    /// Its name.
    pub name: String,
    /// The agreed parameters.
    pub params: Params,
}

/// The result of a negotiation: the extensions in the order of the answer, ready to work.
#[derive(Default)]
pub struct Negotiated {
    /// Those that are always there, then those that were agreed.
    links: Vec<Link>,
    agreed: Vec<Agreed>,
    skipped: Vec<Skipped>,
    carrier: Option<Box<dyn Carrier>>,
}

impl Negotiated {
    /// Server: walks the client's offers, in the order that [`Extensions::order`] says, and takes
    /// what can be taken.
    ///
    /// Unknown names, conflicts and declined parameters pass over one offer and never fail the
    /// handshake (RFC 7692 §5.1; RFC 6455 §9.1 leaves it to the extension).
    #[must_use]
    pub fn accept(extensions: &Extensions, offers: Vec<Offer>) -> Self {
        let mut negotiated = Self::with_local(extensions);
        let mut offers: Vec<(usize, Offer)> = offers.into_iter().enumerate().collect();
        let behind = offers.split_off(offers.len().min(MAX_OFFERS));
        if extensions.server_order() == Order::Server {
            // Stable: among the offers of one extension the client's order stays.
            offers.sort_by_key(|(_, offer)| extensions.position(&offer.name));
        }
        let mut skipped = Vec::new();
        for (at, offer) in offers {
            if let Err(why) = negotiated.take(extensions, &offer) {
                skipped.push((at, Skipped { offer, why }));
            }
        }
        skipped.sort_by_key(|(at, _)| *at);
        let why = Why::TooMany;
        let behind = behind.into_iter().map(|(_, offer)| Skipped {
            offer,
            why: why.clone(),
        });
        let skipped = skipped.into_iter().map(|(_, skipped)| skipped);
        negotiated.skipped = skipped.chain(behind).collect();
        negotiated
    }

    /// Server: what splits the connection and nothing else, as if it had been offered without
    /// parameters. No header tells of it: a subprotocol does.
    pub(crate) fn carrier_alone(extensions: &Extensions) -> Self {
        let carrier = extensions
            .iter()
            .find(|extension| extension.claims().is_of_carrier())
            .and_then(|extension| extension.accept(&Params::new()).ok())
            .and_then(|agreement| agreement.carrier);
        Self {
            carrier,
            ..Self::default()
        }
    }

    fn with_local(extensions: &Extensions) -> Self {
        Self {
            links: extensions.local_links(),
            ..Self::default()
        }
    }

    fn take(&mut self, extensions: &Extensions, offer: &Offer) -> Result<(), Why> {
        let extension = extensions.get(&offer.name).ok_or(Why::Unknown)?;
        let claims = extension.claims();
        self.admit(&offer.name, claims).map_err(Why::Conflict)?;
        let agreement = extension.accept(&offer.params).map_err(Why::Declined)?;
        let params = agreement.params.clone();
        self.push(offer.name.clone(), params, claims, agreement);
        Ok(())
    }

    /// Client: every answer must be one that was offered, once, without conflict, and confirmed.
    ///
    /// # Errors
    ///
    /// The first answer that is none of that; the connection must be failed (RFC 6455 §4.1).
    pub fn confirm(extensions: &Extensions, answers: Vec<Offer>) -> Result<Self, Refused> {
        let mut negotiated = Self::with_local(extensions);
        for answer in answers {
            let extension = extensions.get(&answer.name);
            let offered = extension
                .map(|extension| extension.offers())
                .unwrap_or_default();
            let Some(extension) = extension.filter(|_| !offered.is_empty()) else {
                return Err(Refused::NotOffered(answer.name));
            };
            let claims = extension.claims();
            if let Err(conflict) = negotiated.admit(&answer.name, claims) {
                return Err(Refused::Conflict(answer.name, conflict));
            }
            match extension.confirm(&offered, &answer.params) {
                Ok(agreement) => negotiated.push(answer.name, answer.params, claims, agreement),
                Err(declined) => return Err(Refused::Declined(answer.name, declined)),
            }
        }
        let mut unanswered = Self::offers(extensions);
        unanswered.retain(|offer| !negotiated.has(&offer.name));
        let unanswered = unanswered.into_iter().map(|offer| Skipped {
            offer,
            why: Why::Unanswered,
        });
        negotiated.skipped = unanswered.collect();
        Ok(negotiated)
    }

    /// Client: everything there is to offer, in order of preference.
    #[must_use]
    pub fn offers(extensions: &Extensions) -> Vec<Offer> {
        let offers = extensions.offers();
        offers
            .map(|(name, params)| Offer::new(name, params))
            .collect()
    }

    /// Whether the extension of this name was agreed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.agreed.iter().any(|agreed| agreed.name == name)
    }

    fn admit(&self, name: &str, claims: Claims) -> Result<(), Conflict> {
        if self.has(name) {
            return Err(Conflict::Name);
        }
        match self
            .links
            .iter()
            .find_map(|link| link.claims().conflict_with_later(claims))
        {
            Some(conflict) => Err(conflict),
            None => Ok(()),
        }
    }

    fn push(&mut self, name: String, params: Params, claims: Claims, agreement: Agreement) {
        let Agreement {
            encoder,
            decoder,
            carrier,
            ..
        } = agreement;
        let link = Link::new(name.as_str().into(), claims, encoder, decoder);
        self.links.push(link);
        if claims.is_of_carrier() {
            self.carrier = carrier;
        }
        self.agreed.push(Agreed { name, params });
    }

    /// What was agreed, in the order of the answer.
    #[must_use]
    pub fn agreed(&self) -> &[Agreed] {
        &self.agreed
    }

    /// What was passed over, and why, in the order of the offers. On a client: what the server did
    /// not answer.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The value of the server's `Sec-WebSocket-Extensions`; `None` if nothing was agreed.
    #[must_use]
    pub fn answer(&self) -> Option<String> {
        if self.agreed.is_empty() {
            return None;
        }
        let answers: Vec<String> = self
            .agreed
            .iter()
            .map(|agreed| format!("{}{}", agreed.name, agreed.params))
            .collect();
        Some(answers.join(", "))
    }

    /// Whether there is something that splits the connection, as the last agreed extension may.
    #[must_use]
    pub fn has_carrier(&self) -> bool {
        let last = self.links.last();
        self.carrier.is_some() || last.is_some_and(|link| link.claims().is_of_carrier())
    }

    /// Takes out what splits the connection, if that was agreed on. What stood before it in the answer
    /// is left, and belongs to the first channel.
    #[must_use]
    pub fn take_carrier(&mut self) -> Option<Box<dyn Carrier>> {
        let carrier = self.carrier.take()?;
        // Nothing stands behind a carrier.
        self.links.pop_if(|link| link.claims().is_of_carrier());
        Some(carrier)
    }

    pub(crate) fn into_pipelines(self, clock: Option<Arc<dyn Clock>>) -> Pipelines {
        Pipelines::new(self.links, clock)
    }
}

impl fmt::Debug for Negotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiated")
            .field("agreed", &self.agreed)
            .field("skipped", &self.skipped)
            .field("carrier", &self.carrier.is_some())
            .finish_non_exhaustive()
    }
}
