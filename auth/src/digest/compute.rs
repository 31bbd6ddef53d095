//! The digests themselves (RFC 7616 §3.4.1 to §3.4.4, §3.5).
//!
//! Where the password is known, the crate `digest_auth` computes the answer, and this is the one
//! file that names it. It is given fields that were checked, and none of its parsers is called:
//! they panic on headers that a peer may send. Where only a hash of the password is known, it
//! cannot help, and the few lines here do.

use digest_auth::{AlgorithmType, AuthContext, AuthorizationHeader, HttpMethod};
use subtle::ConstantTimeEq;

use super::{Algorithm, Hash, NonceCount, Qop};
use crate::Secret;

/// What goes into a digest beside the user and the password: the values themselves, without quotes
/// and backslashes.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what the formula asks for")]
pub struct Question<'a> {
    /// The hash function, and whether both nonces go into the secret part.
    pub algorithm: Algorithm,
    /// The realm.
    pub realm: &'a str,
    /// The server's nonce.
    pub nonce: &'a str,
    /// The client's nonce.
    pub cnonce: &'a str,
    /// How often the nonce was used.
    pub nc: NonceCount,
    /// What is protected; `None` for the form of RFC 2069, which protects from no replay. Whether
    /// that is taken is not decided here.
    pub qop: Option<Qop>,
    /// The request's method.
    pub method: &'a str,
    /// The request's target, as the client sent it in `uri`.
    pub uri: &'a str,
    /// The content, for `auth-int`. That of an opening handshake is empty.
    pub content: &'a [u8],
}

/// H(user:realm:password): who knows it needs no password, for this realm and this hash function.
#[derive(Clone, Debug)]
pub struct Ha1 {
    hash: Hash,
    hex: Secret,
}

impl Ha1 {
    /// The hash for this user, realm and password.
    #[must_use]
    pub fn new(hash: Hash, user: &str, realm: &str, password: &Secret) -> Self {
        let parts = [
            user.as_bytes(),
            b":",
            realm.as_bytes(),
            b":",
            password.expose(),
        ];
        Self {
            hash,
            hex: hash.hex(&parts).into(),
        }
    }

    /// A hash that was kept, in hexadecimal of either case; `None` if it is not of the length that
    /// the hash function has.
    #[must_use]
    pub fn from_hex(hash: Hash, digits: &str) -> Option<Self> {
        let is_hash = digits.len() == hash.hex_len() && is_hex(digits);
        is_hash.then(|| Self {
            hash,
            hex: digits.to_ascii_lowercase().into(),
        })
    }

    /// The hash function.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// The digits, in lower case, to be kept: as secret as the password.
    #[must_use]
    pub fn expose(&self) -> &str {
        core::str::from_utf8(self.hex.expose()).expect("hexadecimal digits")
    }

    /// Whether both are the same, in a time that does not depend on where they differ.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.hash == other.hash && bool::from(self.hex.expose().ct_eq(other.hex.expose()))
    }

    /// The answer that a client with this hash gives. The hash function of the question must be
    /// that of the hash.
    #[must_use]
    pub fn response(&self, question: &Question<'_>) -> String {
        self.digest(question, question.method)
    }

    /// The proof that a server with this hash gives: an answer without a method (RFC 7616 §3.5).
    #[must_use]
    pub fn rspauth(&self, question: &Question<'_>) -> String {
        self.digest(question, "")
    }

    fn digest(&self, question: &Question<'_>, method: &str) -> String {
        let hash = self.hash;
        debug_assert_eq!(question.algorithm.hash, hash, "one hash function");
        let (nonce, cnonce) = (question.nonce.as_bytes(), question.cnonce.as_bytes());
        let session;
        // RFC 7616 §3.4.2.
        let ha1 = if question.algorithm.session {
            session = Secret::from(hash.hex(&[self.hex.expose(), b":", nonce, b":", cnonce]));
            session.expose()
        } else {
            self.hex.expose()
        };
        // RFC 7616 §3.4.3.
        let (method, uri) = (method.as_bytes(), question.uri.as_bytes());
        let ha2 = match question.qop {
            Some(Qop::AuthInt) => {
                let content = hash.hex(&[question.content]);
                hash.hex(&[method, b":", uri, b":", content.as_bytes()])
            }
            Some(Qop::Auth) | None => hash.hex(&[method, b":", uri]),
        };
        let ha2 = ha2.as_bytes();
        // RFC 7616 §3.4.1, and RFC 2069 §2.1.2 without a qop.
        match question.qop {
            Some(qop) => {
                let (nc, qop) = (question.nc.as_str().as_bytes(), qop.name().as_bytes());
                hash.hex(&[
                    ha1, b":", nonce, b":", nc, b":", cnonce, b":", qop, b":", ha2,
                ])
            }
            None => hash.hex(&[ha1, b":", nonce, b":", ha2]),
        }
    }
}

/// The answer of a client that knows the password, `nc` written in lower case.
#[must_use]
pub fn response(user: &str, password: &Secret, question: &Question<'_>) -> String {
    let Ok(clear) = core::str::from_utf8(password.expose()) else {
        let hash = question.algorithm.hash;
        return Ha1::new(hash, user, question.realm, password).response(question);
    };
    let algorithm = match question.algorithm.hash {
        Hash::Md5 => AlgorithmType::MD5,
        Hash::Sha256 => AlgorithmType::SHA2_256,
        Hash::Sha512_256 => AlgorithmType::SHA2_512_256,
    };
    let mut context = AuthContext::new(user, clear, question.uri);
    context.method = HttpMethod::from(question.method);
    // Without content it would take auth-int for auth.
    context.body = Some(question.content.into());
    let mut header = AuthorizationHeader {
        realm: question.realm.to_owned(),
        nonce: question.nonce.to_owned(),
        opaque: None,
        userhash: false,
        algorithm: digest_auth::Algorithm::new(algorithm, question.algorithm.session),
        response: String::new(),
        username: String::new(),
        uri: question.uri.to_owned(),
        qop: question.qop.map(|qop| match qop {
            Qop::Auth => digest_auth::Qop::AUTH,
            Qop::AuthInt => digest_auth::Qop::AUTH_INT,
        }),
        // Without one it would make one of its own.
        cnonce: Some(question.cnonce.to_owned()),
        nc: question.nc.number(),
    };
    header.digest(&context);
    header.response
}

/// H(user:realm), under which a client may hide its name (RFC 7616 §3.4.4).
#[must_use]
pub fn userhash(hash: Hash, user: &str, realm: &str) -> String {
    hash.hex(&[user.as_bytes(), b":", realm.as_bytes()])
}

/// Whether a peer's digits are those that were computed, in a time that depends on their number
/// alone. Case does not count.
#[must_use]
pub fn matches(computed: &str, received: &str) -> bool {
    let received = received.to_ascii_lowercase();
    computed.as_bytes().ct_eq(received.as_bytes()).into()
}

pub(super) fn is_hex(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
#[path = "vectors.rs"]
mod vectors;
