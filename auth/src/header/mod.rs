//! The headers of HTTP authentication (RFC 9110 §11): challenges, credentials, and parameters alone.
//!
//! The only parser of them here, for every scheme and both roles. It works on octets, looks at none
//! more than twice, and takes at most [`MAX_LINE`] octets in a line, [`MAX_CHALLENGES`] challenges
//! in all and [`MAX_PARAMS`] parameters in each.

mod error;
mod ext_value;
mod params;
mod parse;
#[cfg(test)]
mod tests;

use core::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

pub use error::{HeaderError, Unwritable};
pub use params::Params;
use parse::Line;
pub(crate) use parse::is_token68;

/// A line of more octets is not read.
pub const MAX_LINE: usize = 16 * 1024;

/// So many challenges are read; those behind are not.
pub const MAX_CHALLENGES: usize = 16;

/// Challenges and credentials of more parameters are refused.
pub const MAX_PARAMS: usize = 32;

/// A challenge: a scheme, and what must be known to answer it (RFC 9110 §11.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    content: Content,
}

/// An answer to a challenge (RFC 9110 §11.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    scheme: String,
    content: Content,
}

/// What stands behind a scheme.
#[derive(Clone, PartialEq, Eq)]
enum Content {
    Params(Params),
    Token68(String),
}

/// The challenges of these lines (`WWW-Authenticate`, `Proxy-Authenticate`), in their order.
///
/// What breaks the grammar ends its line, and the challenge in which it stands is left out, as is
/// one with a parameter twice or more than [`MAX_PARAMS`] of them. A challenge does not go on in
/// the next line.
#[must_use]
pub fn parse_challenges<'a>(lines: impl IntoIterator<Item = &'a HeaderValue>) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    for line in lines {
        let mut line = Line::new(line.as_bytes());
        while let Some((scheme, content)) = line.next_scheme() {
            if challenges.len() == MAX_CHALLENGES {
                return challenges;
            }
            if let Ok(content) = content {
                challenges.push(Challenge { scheme, content });
            }
        }
    }
    challenges
}

/// The credentials in this value (`Authorization`, `Proxy-Authorization`).
///
/// # Errors
///
/// What breaks the grammar, a second scheme, a parameter that stands there twice, and too much.
pub fn parse_credentials(value: &HeaderValue) -> Result<Credentials, HeaderError> {
    let mut line = Line::new(value.as_bytes());
    let (scheme, content) = line.next_scheme().ok_or_else(|| line.error())?;
    let content = content?;
    if line.next_scheme().is_some() || line.is_broken() {
        return Err(HeaderError::Syntax);
    }
    Ok(Credentials { scheme, content })
}

/// The credentials in the header of this name; `None` if there is none.
///
/// # Errors
///
/// Those of [`parse_credentials`], and a header that stands there twice.
pub fn find_credentials(
    headers: &HeaderMap,
    name: &HeaderName,
) -> Result<Option<Credentials>, HeaderError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(HeaderError::TwoHeaders);
    }
    parse_credentials(value).map(Some)
}

/// Parameters without a scheme before them (`Authentication-Info`, RFC 7615 §3).
///
/// # Errors
///
/// What breaks the grammar, a parameter that stands there twice, and too much.
pub fn parse_params(value: &HeaderValue) -> Result<Params, HeaderError> {
    Line::new(value.as_bytes()).params()
}

impl Content {
    fn write(&self, scheme: &str) -> HeaderValue {
        let mut written = scheme.as_bytes().to_vec();
        match self {
            Self::Token68(token) => {
                written.push(b' ');
                written.extend_from_slice(token.as_bytes());
            }
            Self::Params(params) if params.is_empty() => {}
            Self::Params(params) => {
                written.push(b' ');
                params.write(&mut written);
            }
        }
        HeaderValue::from_bytes(&written).expect("it was parsed or checked part by part")
    }

    const fn params(&self) -> Option<&Params> {
        match self {
            Self::Params(params) => Some(params),
            Self::Token68(_) => None,
        }
    }

    fn token68(&self) -> Option<&str> {
        match self {
            Self::Token68(token) => Some(token),
            Self::Params(_) => None,
        }
    }

    /// What may be printed: names, no values.
    fn debug(&self, name: &str, scheme: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(name);
        shown.field("scheme", &scheme);
        match self {
            Self::Params(params) => shown.field("params", params),
            Self::Token68(_) => shown.field("token68", &format_args!("..")),
        };
        shown.finish()
    }
}

impl Challenge {
    /// A challenge of this scheme with these parameters.
    ///
    /// # Errors
    ///
    /// A scheme that is no token.
    pub fn new(scheme: &str, params: Params) -> Result<Self, Unwritable> {
        Ok(Self {
            scheme: parse::written_token("the scheme", scheme)?,
            content: Content::Params(params),
        })
    }

    /// The scheme, in the case in which it was written.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether the scheme is this one. Case does not count (RFC 9110 §11.1).
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The parameters; `None` if there is a token in their place.
    #[must_use]
    pub const fn params(&self) -> Option<&Params> {
        self.content.params()
    }

    /// The token that stands in the place of parameters.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.content.token68()
    }

    /// The value of a header with this challenge.
    #[must_use]
    pub fn to_value(&self) -> HeaderValue {
        self.content.write(&self.scheme)
    }
}

impl Credentials {
    /// Credentials of this scheme with these parameters.
    ///
    /// # Errors
    ///
    /// A scheme that is no token.
    pub fn new(scheme: &str, params: Params) -> Result<Self, Unwritable> {
        Ok(Self {
            scheme: parse::written_token("the scheme", scheme)?,
            content: Content::Params(params),
        })
    }

    /// Credentials of this scheme with a token in the place of parameters.
    ///
    /// # Errors
    ///
    /// A scheme that is no token, or a token that is none (RFC 9110 §11.2).
    pub fn with_token68(scheme: &str, token: &str) -> Result<Self, Unwritable> {
        if !is_token68(token.as_bytes()) {
            return Err(Unwritable::new("the token"));
        }
        Ok(Self {
            scheme: parse::written_token("the scheme", scheme)?,
            content: Content::Token68(token.to_owned()),
        })
    }

    /// The scheme, in the case in which it was written.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether the scheme is this one. Case does not count (RFC 9110 §11.1).
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The parameters; `None` if there is a token in their place.
    #[must_use]
    pub const fn params(&self) -> Option<&Params> {
        self.content.params()
    }

    /// The token that stands in the place of parameters.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.content.token68()
    }

    /// The value of a header with these credentials, marked as sensitive.
    #[must_use]
    pub fn to_value(&self) -> HeaderValue {
        let mut value = self.content.write(&self.scheme);
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.content.debug("Challenge", &self.scheme, f)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.content.debug("Credentials", &self.scheme, f)
    }
}
