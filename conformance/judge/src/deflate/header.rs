//! The value of `Sec-WebSocket-Extensions` (RFC 6455 §9.1), read by the letter.
//!
//! White space may stand around `,`, `;` and `=`, and elements of a list may be empty, as RFC 6455
//! takes its grammar from RFC 2616 §2.1. Names compare by case.

use std::fmt;

/// One extension of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "RFC 6455 §9.1 gives it these parts"
)]
pub struct Element {
    /// The name of the extension.
    pub name: String,
    /// Its parameters, in order, repeated ones included.
    pub params: Vec<Param>,
}

/// One parameter of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "RFC 6455 §9.1 gives it these parts"
)]
pub struct Param {
    /// The name of the parameter.
    pub name: String,
    /// Its value, if any, without quotes.
    pub value: Option<String>,
}

/// Why a header is no list of extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrammarError {
    /// A token should begin at this octet.
    TokenExpected {
        /// The octet, counted from 0.
        at: usize,
    },
    /// Neither `,` nor `;`, nor `=` after a parameter's name, but something else.
    Unexpected {
        /// The octet, counted from 0.
        at: usize,
    },
    /// A quoted string without its end.
    UnclosedQuote {
        /// Where it begins.
        at: usize,
    },
    /// A quoted string whose contents are no token (RFC 6455 §9.1).
    QuotedNotToken {
        /// Where it begins.
        at: usize,
    },
    /// A header with no extension in it.
    NoElement,
}

impl fmt::Display for GrammarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenExpected { at } => write!(f, "a name or value should begin at octet {at}"),
            Self::Unexpected { at } => write!(f, "octet {at} belongs to nothing"),
            Self::UnclosedQuote { at } => write!(f, "the quote at octet {at} is not closed"),
            Self::QuotedNotToken { at } => {
                write!(f, "the quoted value at octet {at} is not a token inside")
            }
            Self::NoElement => f.write_str("the header lists no extension"),
        }
    }
}

impl std::error::Error for GrammarError {}

impl Element {
    /// Reads the value of one header line. Several lines are one list: read each and join them.
    ///
    /// # Errors
    ///
    /// A [`GrammarError`] that says where the value leaves the grammar of RFC 6455 §9.1.
    pub fn list(value: &str) -> Result<Vec<Self>, GrammarError> {
        let mut cursor = Cursor {
            octets: value.as_bytes(),
            at: 0,
        };
        let mut elements = Vec::new();
        loop {
            cursor.skip_space();
            match cursor.peek() {
                None => break,
                Some(b',') => cursor.at += 1,
                Some(_) => {
                    elements.push(cursor.element()?);
                    if !cursor.eat(b',') && cursor.peek().is_some() {
                        return Err(GrammarError::Unexpected { at: cursor.at });
                    }
                }
            }
        }
        if elements.is_empty() {
            return Err(GrammarError::NoElement);
        }
        Ok(elements)
    }
}

/// RFC 2616 §2.2: any visible character of ASCII but the separators.
const fn is_token(octet: u8) -> bool {
    octet.is_ascii_graphic()
        && !matches!(
            octet,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'='
                | b'{'
                | b'}'
        )
}

struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Takes a separator with the white space around it.
    fn eat(&mut self, separator: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(separator);
        if found {
            self.at += 1;
            self.skip_space();
        }
        found
    }

    fn token(&mut self) -> Result<String, GrammarError> {
        let start = self.at;
        while self.peek().is_some_and(is_token) {
            self.at += 1;
        }
        if self.at == start {
            return Err(GrammarError::TokenExpected { at: start });
        }
        Ok(String::from_utf8_lossy(&self.octets[start..self.at]).into_owned())
    }

    fn element(&mut self) -> Result<Element, GrammarError> {
        let name = self.token()?;
        let mut params = Vec::new();
        while self.eat(b';') {
            let name = self.token()?;
            let value = if self.eat(b'=') {
                Some(if self.peek() == Some(b'"') {
                    self.quoted()?
                } else {
                    self.token()?
                })
            } else {
                None
            };
            params.push(Param { name, value });
        }
        Ok(Element { name, params })
    }

    fn quoted(&mut self) -> Result<String, GrammarError> {
        let start = self.at;
        self.at += 1;
        let mut value = String::new();
        let mut token = true;
        loop {
            let octet = match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    self.peek()
                }
                other => other,
            };
            let octet = octet.ok_or(GrammarError::UnclosedQuote { at: start })?;
            token &= is_token(octet);
            value.push(char::from(octet));
            self.at += 1;
        }
        self.at += 1;
        if token && !value.is_empty() {
            Ok(value)
        } else {
            Err(GrammarError::QuotedNotToken { at: start })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> String {
        let elements = Element::list(value).expect("a right header");
        let mut written = String::new();
        for element in elements {
            written += &format!("[{}", element.name);
            for param in element.params {
                written += &format!(" {}", param.name);
                if let Some(value) = param.value {
                    written += &format!("={value}");
                }
            }
            written.push(']');
        }
        written
    }

    #[test]
    fn lists_are_read_with_and_without_space_quotes_and_empty_elements() {
        for (value, expected) in [
            ("a", "[a]"),
            (" a ; b ; c = 1 , d ", "[a b c=1][d]"),
            ("a;b;b=2;c=\"10\"", "[a b b=2 c=10]"),
            ("a;b=\"1\\0\"", "[a b=10]"),
            (",, a,\t,b ,", "[a][b]"),
            (
                "permessage-deflate, permessage-deflate",
                "[permessage-deflate][permessage-deflate]",
            ),
        ] {
            assert_eq!(written(value), expected, "{value:?}");
        }
    }

    #[test]
    fn what_the_grammar_has_no_place_for_is_refused_where_it_stands() {
        use GrammarError::*;
        for (value, expected) in [
            ("", NoElement),
            (" , ,", NoElement),
            ("a;", TokenExpected { at: 2 }),
            ("a;;b", TokenExpected { at: 2 }),
            ("a; b=", TokenExpected { at: 5 }),
            ("a; =1", TokenExpected { at: 3 }),
            (";a", TokenExpected { at: 0 }),
            ("a b", Unexpected { at: 2 }),
            ("a=1", Unexpected { at: 1 }),
            ("a; b=1=2", Unexpected { at: 6 }),
            ("a; b=\"1\"2", Unexpected { at: 8 }),
            ("a; b=\"1", UnclosedQuote { at: 5 }),
            ("a; b=\"1\\", UnclosedQuote { at: 5 }),
            ("a; b=\"\"", QuotedNotToken { at: 5 }),
            ("a; b=\"1, 2\"", QuotedNotToken { at: 5 }),
            ("\u{e4}", TokenExpected { at: 0 }),
        ] {
            assert_eq!(Element::list(value), Err(expected), "{value:?}");
        }
    }
}
