//! Reading a line, from left to right (RFC 9110 §5.6, §11).

use super::{Content, HeaderError, MAX_LINE, Params, Unwritable};

/// RFC 9110 §5.6.2.
pub(super) const fn is_tchar(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

pub(super) fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().copied().all(is_tchar)
}

pub(super) fn written_token(what: &'static str, token: &str) -> Result<String, Unwritable> {
    if is_token(token.as_bytes()) {
        Ok(token.to_owned())
    } else {
        Err(Unwritable::new(what))
    }
}

/// What may stand in a quoted string, with a backslash before some (RFC 9110 §5.6.4).
pub(super) const fn is_quotable(octet: u8) -> bool {
    octet == b'\t' || (octet >= b' ' && octet != 0x7f)
}

const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// RFC 9110 §11.2: letters, digits and a few more, then equals signs.
pub(crate) fn is_token68(octets: &[u8]) -> bool {
    let length = token68_len(octets);
    length > 0 && length == octets.len()
}

/// So many octets at the start are a token68; 0 if there is none.
fn token68_len(octets: &[u8]) -> usize {
    let is_char = |octet: &u8| {
        octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    let chars = octets.iter().take_while(|octet| is_char(octet)).count();
    if chars == 0 {
        return 0;
    }
    let padding = octets.iter().skip(chars).take_while(|o| **o == b'=');
    chars + padding.count()
}

/// A line, and how much of it is read.
pub(super) struct Line<'a> {
    rest: &'a [u8],
    /// The scheme that ended what was before it.
    ahead: Option<&'a [u8]>,
    error: Option<HeaderError>,
}

/// The scheme and what stands behind it.
type Element = (String, Result<Content, HeaderError>);

impl<'a> Line<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        let error = if octets.len() > MAX_LINE {
            Some(HeaderError::TooLong)
        } else {
            None
        };
        Self {
            rest: octets,
            ahead: None,
            error,
        }
    }

    /// Whether nothing more can be read since something is wrong.
    pub(super) const fn is_broken(&self) -> bool {
        self.error.is_some()
    }

    /// What is wrong with a line in which there was no scheme.
    pub(super) fn error(&self) -> HeaderError {
        self.error.unwrap_or(HeaderError::Syntax)
    }

    /// The next scheme with what belongs to it; `None` at the end of the line, and where nothing
    /// more can be understood.
    pub(super) fn next_scheme(&mut self) -> Option<Element> {
        if self.is_broken() {
            return None;
        }
        let scheme = match self.ahead.take() {
            Some(scheme) => scheme,
            None => {
                self.skip_commas();
                if self.rest.is_empty() {
                    return None;
                }
                let scheme = self.take_token();
                if scheme.is_empty() || !self.at_end_of_scheme() {
                    self.error = Some(HeaderError::Syntax);
                    return None;
                }
                scheme
            }
        };
        let content = match self.take_token68() {
            Some(token) => self.behind_token68().map(|()| Content::Token68(token)),
            None => self.take_params().map(Content::Params),
        };
        Some((ascii(scheme), content))
    }

    /// The line as parameters alone.
    pub(super) fn params(mut self) -> Result<Params, HeaderError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let params = self.take_params()?;
        match self.ahead {
            Some(_) => Err(HeaderError::Syntax),
            None => Ok(params),
        }
    }

    /// Parameters up to the next scheme, which is put ahead, or the end. What breaks the grammar is
    /// the end of all; what is there too often is not.
    fn take_params(&mut self) -> Result<Params, HeaderError> {
        let mut params = Params::new();
        let mut excess = Ok(());
        loop {
            let is_next = self.skip_commas();
            if self.rest.is_empty() {
                break;
            }
            let name = self.take_token();
            if name.is_empty() {
                return self.fail();
            }
            let behind_name = self.rest;
            self.skip_space();
            if self.rest.first() != Some(&b'=') {
                // No parameter: a scheme behind a comma, at which what is before it ends.
                self.rest = behind_name;
                if !is_next || !self.at_end_of_scheme() {
                    return self.fail();
                }
                self.ahead = Some(name);
                break;
            }
            self.rest = &self.rest[1..];
            self.skip_space();
            let Some((value, quoted)) = self.take_value() else {
                return self.fail();
            };
            self.skip_space();
            if !matches!(self.rest.first(), None | Some(b',')) {
                return self.fail();
            }
            if excess.is_ok() {
                excess = params.push(name, value, quoted);
            }
        }
        excess.map(|()| params)
    }

    fn fail<T>(&mut self) -> Result<T, HeaderError> {
        self.error = Some(HeaderError::Syntax);
        Err(HeaderError::Syntax)
    }

    /// A token68, if one stands there and nothing else up to the next comma.
    fn take_token68(&mut self) -> Option<String> {
        let start = self.rest.iter().take_while(|o| is_space(**o)).count();
        let (token, behind) = self.rest[start..].split_at(token68_len(&self.rest[start..]));
        let space = behind.iter().take_while(|o| is_space(**o)).count();
        if token.is_empty() || !matches!(behind.get(space), None | Some(b',')) {
            return None;
        }
        self.rest = &behind[space..];
        Some(ascii(token))
    }

    /// Behind a token68 may come another scheme, but no parameter.
    fn behind_token68(&mut self) -> Result<(), HeaderError> {
        if self.take_params()?.is_empty() {
            Ok(())
        } else {
            self.fail()
        }
    }

    fn take_token(&mut self) -> &'a [u8] {
        let length = self.rest.iter().take_while(|o| is_tchar(**o)).count();
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        token
    }

    /// A token, or a quoted string without what quotes it.
    fn take_value(&mut self) -> Option<(Vec<u8>, bool)> {
        if self.rest.first() != Some(&b'"') {
            let token = self.take_token();
            return (!token.is_empty()).then(|| (token.to_vec(), false));
        }
        let mut value = Vec::new();
        let mut octets = self.rest.iter().copied().enumerate().skip(1);
        while let Some((n, octet)) = octets.next() {
            let octet = match octet {
                b'"' => {
                    self.rest = &self.rest[n + 1..];
                    return Some((value, true));
                }
                b'\\' => octets.next()?.1,
                other => other,
            };
            if !is_quotable(octet) {
                return None;
            }
            value.push(octet);
        }
        None
    }

    /// Behind a scheme stands a space, a comma, or nothing.
    fn at_end_of_scheme(&self) -> bool {
        self.rest
            .first()
            .is_none_or(|octet| is_space(*octet) || *octet == b',')
    }

    fn skip_space(&mut self) {
        self.rest = behind(self.rest, is_space);
    }

    /// Whether there was a comma. RFC 9110 §5.6.1.2: empty elements of a list do not count.
    fn skip_commas(&mut self) -> bool {
        let rest = behind(self.rest, |octet| is_space(octet) || octet == b',');
        let skipped = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        skipped.contains(&b',')
    }
}

/// What is left when the start is cut off.
fn behind(octets: &[u8], cut: impl Fn(u8) -> bool) -> &[u8] {
    let count = octets.iter().take_while(|octet| cut(**octet)).count();
    &octets[count..]
}

fn ascii(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}
