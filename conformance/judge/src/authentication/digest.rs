//! Digest (RFC 7616 §3.4.1 and §3.4.2): what is hashed, plainly.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use sha2::{Sha256, Sha512, Sha512_256};

/// A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hash {
    /// MD5.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256 of FIPS 180-4, with an initial value of its own.
    Sha512_256,
    /// SHA-512 cut off at 256 bits: what the example of RFC 7616 §3.9.2 was computed with, and
    /// nothing else should be (erratum 4897).
    CutSha512,
}

impl Hash {
    /// The hash of a text, in small hexadecimal digits.
    pub fn of(self, text: &str) -> String {
        fn hexadecimal<D: Digest>(text: &str) -> String {
            let octets = D::digest(text.as_bytes());
            octets.iter().fold(String::new(), |mut digits, octet| {
                write!(digits, "{octet:02x}").expect("writing to a String does not fail");
                digits
            })
        }
        match self {
            Self::Md5 => hexadecimal::<Md5>(text),
            Self::Sha256 => hexadecimal::<Sha256>(text),
            Self::Sha512_256 => hexadecimal::<Sha512_256>(text),
            Self::CutSha512 => hexadecimal::<Sha512>(text)[..64].to_owned(),
        }
    }
}

/// An algorithm of Digest: a hash, and whether it hashes a session's key first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a hash, with or without -sess")]
pub struct Algorithm {
    /// The hash.
    pub hash: Hash,
    /// Whether it is one of those that end in `-sess`.
    pub session: bool,
}

impl Algorithm {
    /// MD5, what is meant where nothing is said.
    pub const MD5: Self = Self::of(Hash::Md5, false);
    /// MD5-sess.
    pub const MD5_SESS: Self = Self::of(Hash::Md5, true);
    /// SHA-256.
    pub const SHA_256: Self = Self::of(Hash::Sha256, false);
    /// SHA-256-sess.
    pub const SHA_256_SESS: Self = Self::of(Hash::Sha256, true);
    /// SHA-512-256.
    pub const SHA_512_256: Self = Self::of(Hash::Sha512_256, false);
    /// SHA-512-256-sess.
    pub const SHA_512_256_SESS: Self = Self::of(Hash::Sha512_256, true);
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::MD5,
        Self::MD5_SESS,
        Self::SHA_256,
        Self::SHA_256_SESS,
        Self::SHA_512_256,
        Self::SHA_512_256_SESS,
    ];

    const fn of(hash: Hash, session: bool) -> Self {
        Self { hash, session }
    }

    /// Its name (RFC 7616 §6.1).
    pub fn name(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512_256 | Hash::CutSha512, false) => "SHA-512-256",
            (Hash::Sha512_256 | Hash::CutSha512, true) => "SHA-512-256-sess",
        }
    }

    /// The one of this name, in any case of letters.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}

/// What goes into a response, as text without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the inputs that RFC 7616 names")]
pub struct Inputs {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The name in clear, even where its hash is sent.
    pub user: String,
    /// The password.
    pub password: String,
    /// The realm.
    pub realm: String,
    /// The nonce.
    pub nonce: String,
    /// The method of the request.
    pub method: String,
    /// The `uri` as sent.
    pub uri: String,
    /// `auth` or `auth-int`; without one, as in RFC 2069.
    pub qop: Option<String>,
    /// The nonce count as sent.
    pub nc: String,
    /// The client's nonce.
    pub cnonce: String,
}

impl Inputs {
    /// `response`.
    pub fn response(&self) -> String {
        self.digest(&self.method)
    }

    /// `rspauth` (§3.5): the same without a method.
    pub fn rspauth(&self) -> String {
        self.digest("")
    }

    /// The hash of the name that stands for it where `userhash` is true (§3.4.4).
    pub fn userhash(&self) -> String {
        let Self { user, realm, .. } = self;
        self.algorithm.hash.of(&format!("{user}:{realm}"))
    }

    fn digest(&self, method: &str) -> String {
        let Self {
            user,
            password,
            realm,
            nonce,
            uri,
            nc,
            cnonce,
            ..
        } = self;
        let hash = |text: String| self.algorithm.hash.of(&text);
        let mut a1 = hash(format!("{user}:{realm}:{password}"));
        if self.algorithm.session {
            a1 = hash(format!("{a1}:{nonce}:{cnonce}"));
        }
        let a2 = match self.qop.as_deref() {
            // A request to open a connection has no body.
            Some("auth-int") => hash(format!("{method}:{uri}:{}", hash(String::new()))),
            _ => hash(format!("{method}:{uri}")),
        };
        hash(match &self.qop {
            Some(qop) => format!("{a1}:{nonce}:{nc}:{cnonce}:{qop}:{a2}"),
            None => format!("{a1}:{nonce}:{a2}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mufasa(algorithm: Algorithm) -> Inputs {
        Inputs {
            algorithm,
            user: "Mufasa".to_owned(),
            password: "Circle of Life".to_owned(),
            realm: "http-auth@example.org".to_owned(),
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".to_owned(),
            method: "GET".to_owned(),
            uri: "/dir/index.html".to_owned(),
            qop: Some("auth".to_owned()),
            nc: "00000001".to_owned(),
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".to_owned(),
        }
    }

    #[test]
    fn the_example_of_rfc_7616_3_9_1_with_each_algorithm() {
        for (algorithm, response) in [
            (Algorithm::MD5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::MD5_SESS, "e783283f46242139c486a698fec7211d"),
            (
                Algorithm::SHA_256,
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
            (
                Algorithm::SHA_256_SESS,
                "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7",
            ),
            (
                Algorithm::SHA_512_256,
                "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0",
            ),
            (
                Algorithm::SHA_512_256_SESS,
                "3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e",
            ),
        ] {
            assert_eq!(mufasa(algorithm).response(), response, "{algorithm:?}");
            assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
        }
    }

    #[test]
    fn auth_int_no_qop_and_rspauth_of_the_same_example() {
        let mut inputs = mufasa(Algorithm::MD5);
        assert_eq!(inputs.rspauth(), "9b712497bc9f91499fbcca1dfc5f09a5");
        inputs.qop = Some("auth-int".to_owned());
        assert_eq!(inputs.response(), "8804a53d3640a40a4f73cea12c5ba451");
        inputs.qop = None;
        assert_eq!(inputs.response(), "7b2cc3b30e75b4777ea31027084363fd");
    }

    /// Both columns of the example that RFC 7616 computes wrongly.
    #[test]
    fn the_example_of_rfc_7616_3_9_2_with_the_right_hash_and_with_the_one_it_was_printed_by() {
        let mut inputs = Inputs {
            user: "J\u{e4}s\u{f8}n Doe".to_owned(),
            password: "Secret, or not?".to_owned(),
            realm: "api@example.org".to_owned(),
            nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK".to_owned(),
            uri: "/doe.json".to_owned(),
            cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v".to_owned(),
            ..mufasa(Algorithm::SHA_512_256)
        };
        assert_eq!(
            inputs.response(),
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
        );
        assert_eq!(
            inputs.userhash(),
            "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
        );
        inputs.algorithm.hash = Hash::CutSha512;
        assert_eq!(
            inputs.response(),
            "ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd"
        );
    }
}
