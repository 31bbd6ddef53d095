//! What a server says about credentials that it took (RFC 7616 §3.5).

use core::fmt;

use http::HeaderValue;

use super::fields::{count, hash, text};
use super::{DigestError, NonceCount, Qop};
use crate::header::{Params, Unwritable, parse_params};

/// The content of `Authentication-Info` and `Proxy-Authentication-Info`.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// What proves that the server knows the password too.
    pub rspauth: Option<String>,
    /// What the proof protects; there with a proof, as are `nc` and `cnonce`.
    pub qop: Option<Qop>,
    /// The count of the credentials.
    pub nc: Option<NonceCount>,
    /// The client's nonce of the credentials.
    pub cnonce: Option<String>,
    /// The nonce for the next request.
    pub nextnonce: Option<String>,
}

impl Info {
    /// Reads the value of a header.
    ///
    /// # Errors
    ///
    /// A value that is none of its parameter, and a proof without what it is about.
    pub fn parse(value: &HeaderValue) -> Result<Self, DigestError> {
        let params = parse_params(value)?;
        let qop = match text(&params, "qop")? {
            None => None,
            Some(name) => Some(Qop::from_name(&name).ok_or(DigestError::Invalid("qop"))?),
        };
        let info = Self {
            rspauth: hash(&params, "rspauth")?,
            qop,
            nc: count(&params)?,
            cnonce: text(&params, "cnonce")?,
            nextnonce: text(&params, "nextnonce")?,
        };
        if info.rspauth.is_some() {
            for (name, is_there) in [
                ("qop", info.qop.is_some()),
                ("nc", info.nc.is_some()),
                ("cnonce", info.cnonce.is_some()),
            ] {
                if !is_there {
                    return Err(DigestError::Missing(name));
                }
            }
        }
        Ok(info)
    }

    /// The value of a header.
    ///
    /// # Errors
    ///
    /// Control characters in a value.
    pub fn write(&self) -> Result<HeaderValue, Unwritable> {
        // RFC 7616 §3.5: which parameters are quoted and which must not be.
        let mut params = Params::new();
        if let Some(qop) = self.qop {
            params = params.token("qop", qop.name())?;
        }
        if let Some(rspauth) = &self.rspauth {
            params = params.quoted("rspauth", rspauth)?;
        }
        if let Some(cnonce) = &self.cnonce {
            params = params.quoted("cnonce", cnonce)?;
        }
        if let Some(nc) = self.nc {
            params = params.token("nc", nc.as_str())?;
        }
        if let Some(nextnonce) = &self.nextnonce {
            params = params.quoted("nextnonce", nextnonce)?;
        }
        Ok(params.to_value())
    }
}

/// Without the proof, and without what could be used in the next one.
impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Info")
            .field("qop", &self.qop)
            .field("nc", &self.nc)
            .field("has_rspauth", &self.rspauth.is_some())
            .field("has_nextnonce", &self.nextnonce.is_some())
            .finish_non_exhaustive()
    }
}
