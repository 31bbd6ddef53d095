//! Who a client is.

use core::fmt;

use cloverleaf_proto::handshake::percent_decode;

use crate::Secret;
use crate::basic::{self, Unencodable, UserPass};
use crate::header::is_token68;

/// Who a client is, and what proves it.
#[derive(Clone, Debug)]
pub struct Credentials(pub(super) Kind);

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// For Digest and Basic.
    Password(UserPass),
    /// For Bearer.
    Token(Secret),
}

/// Why credentials are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCredentials {
    /// No header can carry them.
    Unencodable(Unencodable),
    /// A token for Bearer consists of letters, digits, `-._~+/` and `=` at its end (RFC 6750 §2.1).
    Token,
    /// What stands before the `@` of a URL is not `user:password` with percent-encoding, in UTF-8.
    Userinfo,
}

impl Credentials {
    /// A user and a password, for Digest and Basic.
    ///
    /// # Errors
    ///
    /// A colon in the name, and control characters (RFC 7617 §2). Digest could send both, but could
    /// not tell the user `a:b` from the user `a` of the realm `b:…`.
    pub fn new(
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Result<Self, InvalidCredentials> {
        let pair = UserPass {
            user: user.into(),
            password: password.into(),
        };
        basic::check(&pair.user, &pair.password).map_err(InvalidCredentials::Unencodable)?;
        Ok(Self(Kind::Password(pair)))
    }

    /// A token for Bearer (RFC 6750).
    ///
    /// # Errors
    ///
    /// What is no such token.
    pub fn bearer(token: impl Into<Secret>) -> Result<Self, InvalidCredentials> {
        let token = token.into();
        if !is_token68(token.expose()) {
            return Err(InvalidCredentials::Token);
        }
        Ok(Self(Kind::Token(token)))
    }

    /// The user and password of a URL, as they are written in it: `user:password`, percent-encoded.
    ///
    /// # Errors
    ///
    /// No password, a `%` that does not encode UTF-8, and as [`new`](Self::new).
    pub fn from_userinfo(userinfo: &str) -> Result<Self, InvalidCredentials> {
        let (user, password) = userinfo
            .split_once(':')
            .ok_or(InvalidCredentials::Userinfo)?;
        let decode = |text: &str| {
            percent_decode(text.as_bytes())
                .and_then(|octets| String::from_utf8(octets).ok())
                .ok_or(InvalidCredentials::Userinfo)
        };
        Self::new(decode(user)?, decode(password)?)
    }
}

impl fmt::Display for InvalidCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unencodable(error) => error.fmt(f),
            Self::Token => f.write_str(
                "a token for Bearer has letters, digits, -._~+/ and = at its end, and nothing else",
            ),
            Self::Userinfo => f.write_str(
                "what stands before the @ of the URL is not user:password, percent-encoded",
            ),
        }
    }
}

impl core::error::Error for InvalidCredentials {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Unencodable(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(credentials: Credentials) -> (String, String) {
        match credentials.0 {
            Kind::Password(pair) => {
                let password = pair.password.expose().to_vec();
                (pair.user, String::from_utf8(password).expect("text"))
            }
            Kind::Token(_) => panic!("a token"),
        }
    }

    #[test]
    fn userinfo_is_decoded_and_split_at_the_first_colon() {
        for (written, user, password) in [
            ("me:p%40w", "me", "p@w"),
            ("me:", "me", ""),
            ("me:a:b%3Ac", "me", "a:b:c"),
            ("J%C3%a4s:%e2%82%ac", "J\u{e4}s", "\u{20ac}"),
        ] {
            let found = Credentials::from_userinfo(written).expect(written);
            assert_eq!(pair(found), (user.to_owned(), password.to_owned()));
        }
        for written in [
            "me", "", "me:%", "me:%4", "me:%4g", "me:%+4", "me:%ff", "%:a",
        ] {
            let error = Credentials::from_userinfo(written).expect_err(written);
            assert_eq!(error, InvalidCredentials::Userinfo);
        }
        for written in ["a%3Ab:c", "a:%00", "a%0D%0A:b"] {
            let error = Credentials::from_userinfo(written).expect_err(written);
            assert!(matches!(error, InvalidCredentials::Unencodable(_)));
        }
    }

    #[test]
    fn a_token_is_one_that_a_header_can_carry() {
        for token in ["abc", "a.b-c_d~e+f/g=="] {
            assert!(Credentials::bearer(token).is_ok(), "{token}");
        }
        for token in ["", "a b", "a\r\nX: y", "=", "a=b", "\u{e9}"] {
            let error = Credentials::bearer(token).expect_err(token);
            assert_eq!(error, InvalidCredentials::Token);
        }
    }

    // A22.
    #[test]
    fn what_proves_it_is_not_printed() {
        let password = Credentials::new("who", "sesame").expect("credentials");
        let token = Credentials::bearer("sesame").expect("a token");
        let printed = format!("{password:?} {token:?}");
        assert!(
            printed.contains("who") && !printed.contains("sesame"),
            "{printed}"
        );
    }
}
