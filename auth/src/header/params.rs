//! Parameters: names, and values that are tokens or quoted strings (RFC 9110 §11.2).

use core::fmt;

use http::HeaderValue;

use super::parse::{is_quotable, is_tchar, is_token};
use super::{HeaderError, MAX_PARAMS, Unwritable, ext_value};

/// Parameters in their order, each name once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

#[derive(Clone, PartialEq, Eq)]
struct Param {
    /// In lower case: case does not count.
    name: String,
    /// Without quotes and backslashes.
    value: Vec<u8>,
    quoted: bool,
}

impl Params {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a parameter in the form of a quoted string.
    ///
    /// # Errors
    ///
    /// A name that is no token or stands there already, and a value with control characters other
    /// than a tab.
    pub fn quoted(self, name: &'static str, value: impl AsRef<[u8]>) -> Result<Self, Unwritable> {
        let value = value.as_ref();
        if !value.iter().copied().all(is_quotable) {
            return Err(Unwritable::new(name));
        }
        self.with(name, value, true)
    }

    /// Adds a parameter in the form of a token.
    ///
    /// # Errors
    ///
    /// A name that is no token or stands there already, and a value that is no token.
    pub fn token(self, name: &'static str, value: &str) -> Result<Self, Unwritable> {
        if !is_token(value.as_bytes()) {
            return Err(Unwritable::new(name));
        }
        self.with(name, value.as_bytes(), false)
    }

    /// Adds a parameter in the extended form of RFC 8187, under this name and an asterisk: for text
    /// that is not ASCII.
    ///
    /// # Errors
    ///
    /// A name that is no token or stands there already.
    pub fn extended(self, name: &'static str, text: &str) -> Result<Self, Unwritable> {
        let value = ext_value::encode(text);
        if !is_token(name.as_bytes()) {
            return Err(Unwritable::new(name));
        }
        let mut params = self;
        params
            .push(format!("{name}*").as_bytes(), value.into_bytes(), false)
            .map_err(|_| Unwritable::new(name))?;
        Ok(params)
    }

    fn with(mut self, name: &'static str, value: &[u8], quoted: bool) -> Result<Self, Unwritable> {
        if !is_token(name.as_bytes()) {
            return Err(Unwritable::new("the name of a parameter"));
        }
        self.push(name.as_bytes(), value.to_vec(), quoted)
            .map_err(|_| Unwritable::new(name))?;
        Ok(self)
    }

    /// Adds what is checked: a name that is a token, and a value of its form.
    pub(super) fn push(
        &mut self,
        name: &[u8],
        value: Vec<u8>,
        quoted: bool,
    ) -> Result<(), HeaderError> {
        // RFC 9110 §11.2: a name occurs once.
        if self.get_octets(name).is_some() {
            return Err(HeaderError::DuplicateParam);
        }
        if self.0.len() == MAX_PARAMS {
            return Err(HeaderError::TooManyParams);
        }
        let name = name
            .iter()
            .map(|octet| char::from(octet.to_ascii_lowercase()))
            .collect();
        self.0.push(Param {
            name,
            value,
            quoted,
        });
        Ok(())
    }

    fn get_octets(&self, name: &[u8]) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|param| param.name.as_bytes().eq_ignore_ascii_case(name))
            .map(|param| &*param.value)
    }

    /// The value of the parameter of this name, without quotes and backslashes. Case does not
    /// count.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_octets(name.as_bytes())
    }

    /// The value of the parameter of this name, if there is one and it is UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
            .and_then(|value| core::str::from_utf8(value).ok())
    }

    /// The text of the parameter of this name and an asterisk, in the extended form of RFC 8187;
    /// `None` if there is none, or it is not UTF-8 or not of that form.
    #[must_use]
    pub fn extended_text(&self, name: &str) -> Option<String> {
        ext_value::decode(self.get(&format!("{name}*"))?)
    }

    /// Names, in lower case, and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|param| (&*param.name, &*param.value))
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a header with these parameters and no scheme before them.
    #[must_use]
    pub fn to_value(&self) -> HeaderValue {
        let mut written = Vec::new();
        self.write(&mut written);
        HeaderValue::from_bytes(&written).expect("it was parsed or checked part by part")
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (n, param) in self.0.iter().enumerate() {
            if n > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(param.name.as_bytes());
            out.push(b'=');
            if param.quoted {
                out.push(b'"');
                for &octet in &param.value {
                    if matches!(octet, b'"' | b'\\') {
                        out.push(b'\\');
                    }
                    out.push(octet);
                }
                out.push(b'"');
            } else {
                debug_assert!(param.value.iter().copied().all(is_tchar), "a token");
                out.extend_from_slice(&param.value);
            }
        }
    }
}

/// Names alone: values are passwords, answers, and what a peer made up.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|param| &param.name))
            .finish()
    }
}
