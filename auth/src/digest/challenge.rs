//! What a server asks (RFC 7616 §3.3).

use super::fields::{flag, needed, text};
use super::{Algorithm, DigestError, Hash, Qop, SCHEME};
use crate::header::{self, Params, Unwritable};

/// A challenge of Digest. None of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// Names what the credentials are for; to be shown to a person.
    pub realm: String,
    /// What the answer must contain.
    pub nonce: String,
    /// How the answer is hashed. Default: MD5, which the standard takes for a challenge that does
    /// not say.
    pub algorithm: Algorithm,
    /// What may be protected, in the order of the server; none for a server that knows RFC 2069
    /// alone.
    pub qop: Vec<Qop>,
    /// What the answer repeats unchanged.
    pub opaque: Option<String>,
    /// The nonce of the credentials was too old, and nothing else was wrong with them.
    pub stale: bool,
    /// The targets for which the same credentials are good; none stands for all of the origin.
    pub domain: Vec<String>,
    /// Names and passwords are in UTF-8.
    pub utf8: bool,
    /// A name may be sent hashed.
    pub userhash: bool,
}

impl Challenge {
    /// A challenge for this realm, with `qop="auth"` and `charset=UTF-8`.
    #[must_use]
    pub fn new(realm: &str, nonce: &str, algorithm: Algorithm) -> Self {
        Self {
            realm: realm.to_owned(),
            nonce: nonce.to_owned(),
            algorithm,
            qop: vec![Qop::Auth],
            opaque: None,
            stale: false,
            domain: Vec::new(),
            utf8: true,
            userhash: false,
        }
    }

    /// Reads a challenge. What is unknown in it is passed over.
    ///
    /// # Errors
    ///
    /// Another scheme, no realm or nonce, an algorithm that is not known, a `qop` that names none
    /// that is known, and values that are not UTF-8 or longer than 1 KiB.
    pub fn parse(challenge: &header::Challenge) -> Result<Self, DigestError> {
        let params = match challenge.params() {
            Some(params) if challenge.is(SCHEME) => params,
            _ => return Err(DigestError::Scheme),
        };
        let algorithm = match text(params, "algorithm")? {
            None => Algorithm::from(Hash::Md5),
            Some(name) => Algorithm::from_name(&name).ok_or(DigestError::Algorithm)?,
        };
        let mut qop = Vec::new();
        if let Some(names) = text(params, "qop")? {
            let known = names
                .split(',')
                .filter_map(|name| Qop::from_name(&name.trim().to_ascii_lowercase()));
            for known in known {
                if !qop.contains(&known) {
                    qop.push(known);
                }
            }
            if qop.is_empty() {
                return Err(DigestError::Qop);
            }
        }
        let domain = text(params, "domain")?.unwrap_or_default();
        Ok(Self {
            realm: needed(params, "realm")?,
            nonce: needed(params, "nonce")?,
            algorithm,
            qop,
            opaque: text(params, "opaque")?,
            stale: flag(params, "stale")?,
            domain: domain.split_ascii_whitespace().map(str::to_owned).collect(),
            utf8: params
                .get("charset")
                .is_some_and(|charset| charset.eq_ignore_ascii_case(b"UTF-8")),
            userhash: flag(params, "userhash")?,
        })
    }

    /// The challenge as it stands in a header.
    ///
    /// # Errors
    ///
    /// Control characters in a value.
    pub fn write(&self) -> Result<header::Challenge, Unwritable> {
        // RFC 7616 §3.3: which parameters are quoted and which must not be.
        let mut params = Params::new().quoted("realm", &self.realm)?;
        if !self.qop.is_empty() {
            let names: Vec<_> = self.qop.iter().map(|qop| qop.name()).collect();
            params = params.quoted("qop", names.join(", "))?;
        }
        params = params
            .token("algorithm", self.algorithm.name())?
            .quoted("nonce", &self.nonce)?;
        if let Some(opaque) = &self.opaque {
            params = params.quoted("opaque", opaque)?;
        }
        if !self.domain.is_empty() {
            params = params.quoted("domain", self.domain.join(" "))?;
        }
        for (name, value, says) in [
            ("stale", "true", self.stale),
            ("charset", "UTF-8", self.utf8),
            ("userhash", "true", self.userhash),
        ] {
            if says {
                params = params.token(name, value)?;
            }
        }
        header::Challenge::new(SCHEME, params)
    }
}
