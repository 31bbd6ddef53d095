//! `Sec-WebSocket-Extensions` (RFC 6455 §9.1).
//!
//! ```text
//! extension-list = 1#extension
//! extension      = token *( ";" param )
//! param          = token [ "=" ( token / quoted-string ) ]
//! ```

use core::fmt;

use super::is_token_octet;
use crate::extension::{Offer, Params};

/// A `Sec-WebSocket-Extensions` header that breaks its grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MalformedExtensions {
    /// The octet of the value at which it does, from 0.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for MalformedExtensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Sec-WebSocket-Extensions breaks its grammar at octet {}: {}",
            self.at, self.what
        )
    }
}

impl core::error::Error for MalformedExtensions {}

/// Parses the value of one `Sec-WebSocket-Extensions` line, in one pass.
///
/// Several lines are as one, joined in order (RFC 9110 §5.3); since a quoted value must itself be a
/// token, none can reach across a line. Empty list elements are passed over, and so is optional
/// whitespace around `,`, `;` and `=`. Names and values keep their case.
///
/// # Errors
///
/// Anything else must fail the handshake (RFC 6455 §9.1: "MUST immediately _Fail_").
///
/// ```
/// use cloverleaf_proto::handshake::parse_extensions;
///
/// let offers = parse_extensions(br#"foo; x="1\0"; y, bar"#)?;
/// assert_eq!(offers[0].to_string(), "foo; x=10; y");
/// assert_eq!(offers[1].to_string(), "bar");
/// # Ok::<(), cloverleaf_proto::handshake::MalformedExtensions>(())
/// ```
pub fn parse_extensions(value: &[u8]) -> Result<Vec<Offer>, MalformedExtensions> {
    let mut cursor = Cursor { value, at: 0 };
    let mut offers = Vec::new();
    loop {
        cursor.skip_whitespace();
        match cursor.peek() {
            None => return Ok(offers),
            Some(b',') => cursor.at += 1,
            Some(_) => offers.push(cursor.extension()?),
        }
    }
}

struct Cursor<'a> {
    value: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    fn eat(&mut self, octet: u8) -> bool {
        let there = self.peek() == Some(octet);
        self.at += usize::from(there);
        there
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn error<T>(&self, what: &'static str) -> Result<T, MalformedExtensions> {
        Err(MalformedExtensions { at: self.at, what })
    }

    /// `extension`, up to and including the comma behind it.
    fn extension(&mut self) -> Result<Offer, MalformedExtensions> {
        let name = self.token("an extension name is expected")?;
        let mut params = Params::new();
        loop {
            self.skip_whitespace();
            if self.eat(b';') {
                self.skip_whitespace();
                self.param(&mut params)?;
            } else if self.peek().is_none() || self.eat(b',') {
                return Ok(Offer::new(name, params));
            } else {
                return self.error("a comma or a semicolon is expected");
            }
        }
    }

    fn param(&mut self, params: &mut Params) -> Result<(), MalformedExtensions> {
        let name = self.token("a parameter name is expected")?;
        self.skip_whitespace();
        let value = if self.eat(b'=') {
            self.skip_whitespace();
            Some(if self.eat(b'"') {
                self.quoted()?
            } else {
                self.token("a parameter value is expected")?
            })
        } else {
            None
        };
        params.push(name, value);
        Ok(())
    }

    fn token(&mut self, expected: &'static str) -> Result<String, MalformedExtensions> {
        let mut token = String::new();
        while let Some(octet) = self.peek().filter(|octet| is_token_octet(*octet)) {
            token.push(char::from(octet));
            self.at += 1;
        }
        if token.is_empty() {
            return self.error(expected);
        }
        Ok(token)
    }

    /// What stands behind an opening quote. RFC 6455 §9.1: "the value after quoted-string
    /// unescaping MUST conform to the 'token' ABNF".
    fn quoted(&mut self) -> Result<String, MalformedExtensions> {
        let mut token = String::new();
        loop {
            if self.eat(b'"') {
                break;
            }
            self.eat(b'\\');
            match self.peek() {
                None => return self.error("a quoted value does not end"),
                Some(octet) if is_token_octet(octet) => token.push(char::from(octet)),
                Some(_) => return self.error("a quoted value is not a token"),
            }
            self.at += 1;
        }
        if token.is_empty() {
            return self.error("a quoted value is empty");
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(value: &str) -> Option<String> {
        let offers = parse_extensions(value.as_bytes()).ok()?;
        let offers: Vec<String> = offers.iter().map(Offer::to_string).collect();
        Some(offers.join(", "))
    }

    // Cases 24 to 30 of the opening handshake.
    #[test]
    fn values_that_keep_the_grammar() {
        for (value, expected) in [
            ("", ""),
            (" , ", ""),
            ("foo", "foo"),
            ("Foo; Bar=Baz", "Foo; Bar=Baz"),
            ("foo, permessage-deflate", "foo, permessage-deflate"),
            (",, permessage-deflate ,", "permessage-deflate"),
            ("foo,,bar", "foo, bar"),
            ("foo;a;b=1 ;\tc = 2\t,bar", "foo; a; b=1; c=2, bar"),
            (
                r#"permessage-deflate; server_max_window_bits="1\0""#,
                "permessage-deflate; server_max_window_bits=10",
            ),
            (r#"a; b="\c""#, "a; b=c"),
            ("a; x; x=1; x", "a; x; x=1; x"),
        ] {
            assert_eq!(printed(value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn values_that_break_the_grammar() {
        for (value, at, what) in [
            ("foo;", 4, "a parameter name is expected"),
            ("foo;;a", 4, "a parameter name is expected"),
            ("foo; a=", 7, "a parameter value is expected"),
            ("foo; a=, b", 7, "a parameter value is expected"),
            ("foo; =a", 5, "a parameter name is expected"),
            ("foo bar", 4, "a comma or a semicolon is expected"),
            ("foo=bar", 3, "a comma or a semicolon is expected"),
            (";a", 0, "an extension name is expected"),
            ("\"foo\"", 0, "an extension name is expected"),
            (r#"foo; a="b c""#, 9, "a quoted value is not a token"),
            (r#"foo; a="b,c""#, 9, "a quoted value is not a token"),
            (r#"foo; a="b\"c""#, 10, "a quoted value is not a token"),
            (r#"foo; a="b\\""#, 10, "a quoted value is not a token"),
            (r#"foo; a="""#, 9, "a quoted value is empty"),
            (r#"foo; a=""#, 8, "a quoted value does not end"),
            (r#"foo; a="\"#, 9, "a quoted value does not end"),
            (r#"foo; a="b"c"#, 10, "a comma or a semicolon is expected"),
            (
                "foo; bits=\"10, permessage-deflate",
                13,
                "a quoted value is not a token",
            ),
        ] {
            assert_eq!(
                parse_extensions(value.as_bytes()),
                Err(MalformedExtensions { at, what }),
                "{value}"
            );
        }
        assert!(parse_extensions(b"f\xffo").is_err());
        assert!(parse_extensions(b"foo\0").is_err());
    }

    // H21: one pass whatever comes, so 15 KiB of quoting tricks are 15 KiB of work.
    #[test]
    fn long_and_hostile_values_end_where_they_break() {
        let slashes = format!("a; b=\"{}", "\\".repeat(15 << 10));
        assert!(parse_extensions(slashes.as_bytes()).is_err());
        let unclosed = format!("a; b=\"{}", "x".repeat(15 << 10));
        assert_eq!(
            parse_extensions(unclosed.as_bytes()),
            Err(MalformedExtensions {
                at: unclosed.len(),
                what: "a quoted value does not end"
            })
        );
        let many = "permessage-deflate,".repeat(3_000);
        assert_eq!(
            parse_extensions(many.as_bytes()).map(|all| all.len()),
            Ok(3_000)
        );
    }

    /// An extension with its parameters, as a pair of a name and pairs.
    type Tree = Vec<(String, Vec<(String, Option<String>)>)>;

    fn tree() -> impl Strategy<Value = Tree> {
        let token = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}";
        let param = (token, proptest::option::of(token));
        proptest::collection::vec((token, proptest::collection::vec(param, 0..4)), 0..4)
    }

    proptest! {
        #[test]
        fn arbitrary_octets_never_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_extensions(&value);
        }

        #[test]
        fn octets_of_the_grammar_never_panic_and_print_what_parses_again(
            value in "[a;,= \t\"\\\\]{0,40}"
        ) {
            if let Some(once) = printed(&value) {
                prop_assert_eq!(printed(&once), Some(once));
            }
        }

        #[test]
        fn what_is_printed_parses_to_the_same(tree in tree()) {
            let offers: Vec<Offer> = tree
                .into_iter()
                .map(|(name, pairs)| {
                    let params = pairs.into_iter().fold(Params::new(), |params, pair| match pair {
                        (name, Some(value)) => params.value(&name, value),
                        (name, None) => params.flag(&name),
                    });
                    Offer::new(name, params)
                })
                .collect();
            let line: Vec<String> = offers.iter().map(Offer::to_string).collect();
            prop_assert_eq!(parse_extensions(line.join(", ").as_bytes()), Ok(offers));
        }
    }
}
