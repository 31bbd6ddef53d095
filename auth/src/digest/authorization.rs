//! What a client answers (RFC 7616 §3.4).

use core::fmt;

use super::fields::{MAX_VALUE, bounded, count, flag, has_control, hash, needed, text};
use super::{Algorithm, DigestError, Hash, NonceCount, Qop, Question, SCHEME};
use crate::header::{self, MAX_LINE, Params, Unwritable};

/// How a client says who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two of the standard")]
pub enum Username {
    /// By its name.
    Clear(String),
    /// By H(user:realm) in lower-case hexadecimal.
    Hashed(String),
}

/// Credentials of Digest.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authorization {
    /// Who.
    pub username: Username,
    /// The name is sent as `username*` (RFC 8187): for those who read no other but ASCII.
    pub extended: bool,
    /// The realm of the challenge.
    pub realm: String,
    /// The nonce of the challenge.
    pub nonce: String,
    /// The request's target.
    pub uri: String,
    /// What proves that the password is known.
    pub response: String,
    /// The algorithm of the challenge.
    pub algorithm: Algorithm,
    /// What is protected; `None` for the form of RFC 2069.
    pub qop: Option<Qop>,
    /// How often the nonce was used; there with every `qop`.
    pub nc: Option<NonceCount>,
    /// The client's nonce; there with every `qop` and every `-sess`.
    pub cnonce: Option<String>,
    /// What the challenge wanted repeated.
    pub opaque: Option<String>,
}

impl Authorization {
    /// The answer of this user to this question, which has no proof in it yet: its
    /// [`response`](Self::response) is empty.
    #[must_use]
    pub fn new(username: Username, question: &Question<'_>) -> Self {
        let is_counted = question.qop.is_some();
        let has_cnonce = is_counted || question.algorithm.session;
        Self {
            username,
            extended: false,
            realm: question.realm.to_owned(),
            nonce: question.nonce.to_owned(),
            uri: question.uri.to_owned(),
            response: String::new(),
            algorithm: question.algorithm,
            qop: question.qop,
            nc: is_counted.then_some(question.nc),
            cnonce: has_cnonce.then(|| question.cnonce.to_owned()),
            opaque: None,
        }
    }

    /// What was hashed, for a request of this method with this content.
    #[must_use]
    pub fn question<'a>(&'a self, method: &'a str, content: &'a [u8]) -> Question<'a> {
        Question {
            algorithm: self.algorithm,
            realm: &self.realm,
            nonce: &self.nonce,
            cnonce: self.cnonce.as_deref().unwrap_or_default(),
            nc: self.nc.unwrap_or(NonceCount::FIRST),
            qop: self.qop,
            method,
            uri: &self.uri,
            content,
        }
    }

    /// Reads credentials. Each value may be a token or quoted; what is unknown is passed over.
    ///
    /// # Errors
    ///
    /// Another scheme, a parameter that is missing, and a value that it cannot have: a `nc` that is
    /// not eight hexadecimal digits or is zero, a `response` that is not of the length of its hash,
    /// both forms of a name, text that is not UTF-8, and values, but for `uri`, longer than 1 KiB.
    pub fn parse(credentials: &header::Credentials) -> Result<Self, DigestError> {
        let params = match credentials.params() {
            Some(params) if credentials.is(SCHEME) => params,
            _ => return Err(DigestError::Scheme),
        };
        let algorithm = match text(params, "algorithm")? {
            None => Algorithm::from(Hash::Md5),
            Some(name) => Algorithm::from_name(&name).ok_or(DigestError::Algorithm)?,
        };
        let qop = match text(params, "qop")? {
            None => None,
            Some(name) => Some(Qop::from_name(&name).ok_or(DigestError::Invalid("qop"))?),
        };
        let nc = count(params)?;
        if nc.is_some_and(|nc| nc.number() == 0) {
            return Err(DigestError::Invalid("nc"));
        }
        let cnonce = text(params, "cnonce")?;
        // RFC 7616 §3.4: both must stand there with a qop.
        if qop.is_some() && nc.is_none() {
            return Err(DigestError::Missing("nc"));
        }
        if (qop.is_some() || algorithm.session) && cnonce.is_none() {
            return Err(DigestError::Missing("cnonce"));
        }
        let (username, extended) = username(params, algorithm.hash)?;
        let response = hash(params, "response")?.ok_or(DigestError::Missing("response"))?;
        if response.len() != algorithm.hash.hex_len() {
            return Err(DigestError::Invalid("response"));
        }
        Ok(Self {
            username,
            extended,
            realm: needed(params, "realm")?,
            nonce: needed(params, "nonce")?,
            uri: bounded(params, "uri", MAX_LINE)?.ok_or(DigestError::Missing("uri"))?,
            response,
            algorithm,
            qop,
            nc,
            cnonce,
            opaque: text(params, "opaque")?,
        })
    }

    /// The credentials as they stand in a header.
    ///
    /// # Errors
    ///
    /// Control characters in a value.
    pub fn write(&self) -> Result<header::Credentials, Unwritable> {
        // RFC 7616 §3.4: which parameters are quoted and which must not be.
        let params = Params::new();
        let params = match &self.username {
            Username::Clear(name) if self.extended => {
                if has_control(name) {
                    return Err(Unwritable::new("username"));
                }
                params.extended("username", name)?
            }
            Username::Clear(name) | Username::Hashed(name) => params.quoted("username", name)?,
        };
        let mut params = params
            .quoted("realm", &self.realm)?
            .quoted("uri", &self.uri)?
            .token("algorithm", self.algorithm.name())?
            .quoted("nonce", &self.nonce)?;
        if let Some(nc) = self.nc {
            params = params.token("nc", nc.as_str())?;
        }
        if let Some(cnonce) = &self.cnonce {
            params = params.quoted("cnonce", cnonce)?;
        }
        if let Some(qop) = self.qop {
            params = params.token("qop", qop.name())?;
        }
        params = params.quoted("response", &self.response)?;
        if let Some(opaque) = &self.opaque {
            params = params.quoted("opaque", opaque)?;
        }
        if matches!(self.username, Username::Hashed(_)) {
            params = params.token("userhash", "true")?;
        }
        header::Credentials::new(SCHEME, params)
    }
}

/// Who it is, and whether the extended form said so.
fn username(params: &Params, hash: Hash) -> Result<(Username, bool), DigestError> {
    let hashed = flag(params, "userhash")?;
    if params.get("username*").is_none() {
        let name = needed(params, "username")?;
        if !hashed {
            return Ok((Username::Clear(name), false));
        }
        let is_hash = name.len() == hash.hex_len() && super::compute::is_hex(&name);
        return if is_hash {
            Ok((Username::Hashed(name.to_ascii_lowercase()), false))
        } else {
            Err(DigestError::Invalid("username"))
        };
    }
    // RFC 7616 §3.4: not beside the other form, and not with a hash.
    if hashed || params.get("username").is_some() {
        return Err(DigestError::TwoNames);
    }
    match params.extended_text("username") {
        Some(name) if name.len() <= MAX_VALUE && !has_control(&name) => {
            Ok((Username::Clear(name), true))
        }
        _ => Err(DigestError::Invalid("username*")),
    }
}

/// Without what proves the password, and without what a peer made up to be echoed.
impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .field("uri", &self.uri)
            .field("algorithm", &self.algorithm)
            .field("qop", &self.qop)
            .field("nc", &self.nc)
            .finish_non_exhaustive()
    }
}
