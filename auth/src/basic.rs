//! Basic (RFC 7617).

use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Secret;
use crate::header::{Challenge, Credentials, Params, Unwritable};

/// The name of the scheme.
pub const SCHEME: &str = "Basic";

/// A user name and a password, as Basic carries them.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "the two things there are")]
pub struct UserPass {
    /// Who.
    pub user: String,
    /// What proves it, in UTF-8.
    pub password: Secret,
}

/// A user name or a password that Basic cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unencodable {
    /// A colon in the user name: the first one ends it (RFC 7617 §2).
    Colon,
    /// A control character (RFC 7617 §2).
    Control,
}

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Colon => "the user name has a colon, at which Basic would end it",
            Self::Control => "the user name or the password has a control character",
        })
    }
}

impl core::error::Error for Unencodable {}

/// The challenge for this realm. It asks for UTF-8.
///
/// # Errors
///
/// A realm with control characters.
pub fn challenge(realm: &str) -> Result<Challenge, Unwritable> {
    let params = Params::new()
        .quoted("realm", realm)?
        .quoted("charset", "UTF-8")?;
    Challenge::new(SCHEME, params)
}

/// Credentials of this user, in UTF-8. Text is not brought into Unicode's form C: give it so.
///
/// # Errors
///
/// What Basic cannot carry.
pub fn encode(user: &str, password: &Secret) -> Result<Credentials, Unencodable> {
    check(user, password)?;
    let mut pair = Zeroizing::new(Vec::with_capacity(user.len() + 1 + password.expose().len()));
    pair.extend_from_slice(user.as_bytes());
    pair.push(b':');
    pair.extend_from_slice(password.expose());
    let token = Zeroizing::new(STANDARD.encode(&*pair));
    Ok(Credentials::with_token68(SCHEME, &token).expect("base64 is a token68"))
}

/// Whether Basic can carry these.
pub(crate) fn check(user: &str, password: &Secret) -> Result<(), Unencodable> {
    if user.contains(':') {
        return Err(Unencodable::Colon);
    }
    let is_control = |octet: &u8| octet.is_ascii_control();
    if user
        .bytes()
        .chain(password.expose().iter().copied())
        .any(|octet| is_control(&octet))
    {
        return Err(Unencodable::Control);
    }
    Ok(())
}

/// The user and password of credentials; `None` if they are not Basic, their base64 is not canonical
/// and padded, or there is no colon or a control character: they count as missing then.
///
/// Octets that are not UTF-8 are taken for ISO 8859-1, which clients sent before there was
/// RFC 7617.
#[must_use]
pub fn decode(credentials: &Credentials) -> Option<UserPass> {
    if !credentials.is(SCHEME) {
        return None;
    }
    // The engine refuses padding that is missing, and bits behind the last octet.
    let pair = Zeroizing::new(STANDARD.decode(credentials.token68()?).ok()?);
    let text = Zeroizing::new(match core::str::from_utf8(&pair) {
        Ok(text) => text.to_owned(),
        Err(_) => pair.iter().copied().map(char::from).collect(),
    });
    if text.chars().any(|char| char.is_ascii_control()) {
        return None;
    }
    // RFC 7617 §2: the first colon; a password may have others.
    let (user, password) = text.split_once(':')?;
    Some(UserPass {
        user: user.to_owned(),
        password: Secret::from(password),
    })
}

impl fmt::Debug for UserPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPass")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;
    use crate::header::parse_credentials;

    fn decoded(value: impl AsRef<[u8]>) -> Option<(String, String)> {
        let value = HeaderValue::from_bytes(value.as_ref()).expect("octets of a header");
        let found = decode(&parse_credentials(&value).ok()?)?;
        let password = found.password.expose().to_vec();
        Some((found.user, String::from_utf8(password).expect("text")))
    }

    #[test]
    fn each_vector_is_encoded_and_decoded() {
        for (user, password, token) in [
            ("Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("test", "123\u{a3}", "dGVzdDoxMjPCow=="),
            ("user", "", "dXNlcjo="),
            ("", "", "Og=="),
            ("a", "b:c", "YTpiOmM="),
            ("ednamode", "nocapes!", "ZWRuYW1vZGU6bm9jYXBlcyE="),
        ] {
            let credentials = encode(user, &Secret::from(password)).expect(user);
            let value = credentials.to_value();
            assert_eq!(value, format!("Basic {token}"));
            assert!(value.is_sensitive());
            let expected = Some((user.to_owned(), password.to_owned()));
            assert_eq!(decoded(value), expected);
            assert_eq!(decoded(format!("bAsIc  {token}")), expected);
        }
    }

    #[test]
    fn octets_that_are_not_utf_8_are_taken_for_latin_1() {
        let expected = ("test".to_owned(), "123\u{a3}".to_owned());
        assert_eq!(decoded("Basic dGVzdDoxMjOj"), Some(expected));
    }

    // A02.
    #[test]
    fn what_is_no_pair_counts_as_missing() {
        let long = format!("Basic {}", "QUFB".repeat(2048));
        for value in [
            "Basic",
            "Basic ",
            "Basic =",
            "Basic !!!",
            // Padding left out, too much of it, and bits behind the last octet.
            "Basic dXNlcjo",
            "Basic dXNlcjo==",
            "Basic dXNlcjp=",
            "Basic T2==",
            // The other alphabet.
            "Basic fn5-Ons_",
            // No colon.
            "Basic QWxhZGRpbg==",
            // A line feed, NUL and DEL.
            "Basic YTpiCg==",
            "Basic YQA6Yg==",
            "Basic YTp/",
            "Basic realm=x",
            "Basic QTo= QTo=",
            "Basic QTo=, QTo=",
            "Bearer QTo=",
            &long,
        ] {
            assert_eq!(decoded(value), None, "{value}");
        }
        assert!(decoded("Basic QTo=").is_some());
    }

    // A23.
    #[test]
    fn what_cannot_be_carried_is_refused() {
        for (user, password, error) in [
            ("a:b", "", Unencodable::Colon),
            ("a\n", "", Unencodable::Control),
            ("a", "\0", Unencodable::Control),
            ("a", "\x7f", Unencodable::Control),
        ] {
            assert_eq!(encode(user, &Secret::from(password)), Err(error));
        }
        for name in ["a\"b", "a\\b", "a,b", "\u{e4}\u{20ac}"] {
            let credentials = encode(name, &Secret::from(name)).expect(name);
            let expected = Some((name.to_owned(), name.to_owned()));
            assert_eq!(decoded(credentials.to_value()), expected);
        }
    }

    #[test]
    fn the_challenge_asks_for_utf_8() {
        let challenge = challenge("a \"b\"").expect("a realm");
        assert_eq!(
            challenge.to_value(),
            r#"Basic realm="a \"b\"", charset="UTF-8""#
        );
        assert!(super::challenge("a\n").is_err());
    }

    #[test]
    fn a_password_is_not_printed() {
        let pair = UserPass {
            user: "who".to_owned(),
            password: Secret::from("sesame"),
        };
        assert_eq!(format!("{pair:?}"), "UserPass { user: \"who\", .. }");
    }

    proptest! {
        #[test]
        fn whatever_can_be_carried_arrives(user in "[^:\\x00-\\x1f\\x7f]*", password in "[^\\x00-\\x1f\\x7f]*") {
            let credentials = encode(&user, &Secret::from(&*password)).expect("it can be carried");
            prop_assert_eq!(decoded(credentials.to_value()), Some((user, password)));
        }
    }
}
