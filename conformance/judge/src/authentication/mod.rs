//! HTTP authentication as the judge speaks it: challenges and credentials (RFC 9110 §11), Basic
//! (RFC 7617), Digest (RFC 7616).

mod digest;
mod field;

pub use digest::{Algorithm, Hash, Inputs};
pub use field::{Element, Parameter, elements, quoted};

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What a subject knows, or is known to take.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// Name and password, for Basic and Digest.
    pub login: Option<Login>,
    /// A token, for Bearer.
    pub token: Option<String>,
}

/// A name and its password.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// A name and its password.
    pub fn login(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            login: Some(Login {
                user: user.into(),
                password: password.into(),
            }),
            token: None,
        }
    }

    /// The same with a token of Bearer.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        self.login.is_none() && self.token.is_none()
    }
}

/// What is secret is not shown.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("login", &self.login)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .finish()
    }
}

/// What is secret is not shown.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The value of `Authorization` for Basic (RFC 7617 §2).
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_printed() {
        let credentials = Credentials::login("user", "pass").with_token("token!");
        let text = format!("{credentials:?}");
        assert!(text.contains("user") && !text.contains("pass") && !text.contains("token!"));
    }

    #[test]
    fn the_examples_of_rfc_7617_and_names_with_colons() {
        for (user, password, value) in [
            ("Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("test", "123£", "dGVzdDoxMjPCow=="),
            ("user", "", "dXNlcjo="),
            ("", "", "Og=="),
            ("a", "b:c", "YTpiOmM="),
        ] {
            assert_eq!(basic(user, password), format!("Basic {value}"));
        }
    }
}
