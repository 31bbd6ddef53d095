//! The algorithms of RFC 7616 §3.3 and §6.1.

use core::fmt;

use md5::Md5;
use sha2::{Sha256, Sha512_256};

/// A hash function. The stronger compares as greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Hash {
    /// MD5: broken, and for peers that know nothing else.
    Md5,
    /// SHA-256, which everybody should have.
    Sha256,
    /// SHA-512/256 of FIPS 180-4, with its own initial value: not SHA-512 cut short, which the
    /// example of RFC 7616 §3.9.2 shows by mistake (erratum 4897).
    Sha512_256,
}

impl Hash {
    /// The hash of these octets, one behind the other, in lower-case hexadecimal.
    #[must_use]
    pub fn hex(self, parts: &[&[u8]]) -> String {
        fn of<D: sha2::Digest>(parts: &[&[u8]]) -> String {
            let mut hash = D::new();
            parts.iter().for_each(|part| hash.update(part));
            let mut hex = String::new();
            for octet in hash.finalize() {
                for digit in [octet >> 4, octet & 0x0f] {
                    hex.push(char::from_digit(digit.into(), 16).expect("four bits"));
                }
            }
            hex
        }
        match self {
            Self::Md5 => of::<Md5>(parts),
            Self::Sha256 => of::<Sha256>(parts),
            Self::Sha512_256 => of::<Sha512_256>(parts),
        }
    }

    /// The digits of a hash in hexadecimal: 32 or 64.
    #[must_use]
    pub const fn hex_len(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 | Self::Sha512_256 => 64,
        }
    }
}

/// The value of the parameter `algorithm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the two things a name says")]
pub struct Algorithm {
    /// The hash function.
    pub hash: Hash,
    /// `-sess`: both nonces go into the secret part (RFC 7616 §3.4.2).
    pub session: bool,
}

impl Algorithm {
    /// The algorithm of this name; `None` for one that is not known. Case does not count.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Hash::Md5, Hash::Sha256, Hash::Sha512_256]
            .into_iter()
            .flat_map(|hash| [false, true].map(|session| Self { hash, session }));
        all.into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512_256, false) => "SHA-512-256",
            (Hash::Sha512_256, true) => "SHA-512-256-sess",
        }
    }
}

impl From<Hash> for Algorithm {
    fn from(hash: Hash) -> Self {
        Self {
            hash,
            session: false,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hash_of_nothing_is_what_its_standard_says() {
        let expected = [
            (Hash::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
            (
                Hash::Sha256,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                Hash::Sha512_256,
                "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a",
            ),
        ];
        for (hash, hex) in expected {
            assert_eq!(hash.hex(&[]), hex);
            assert_eq!(hash.hex(&[b"", b""]), hex);
            assert_eq!(hex.len(), hash.hex_len());
        }
    }

    #[test]
    fn a_name_is_known_in_any_case_and_no_other_is() {
        for name in ["MD5", "md5-SESS", "sha-256", "SHA-256-sess", "Sha-512-256"] {
            let algorithm = Algorithm::from_name(name).expect(name);
            assert!(algorithm.name().eq_ignore_ascii_case(name));
        }
        for name in ["", "SHA-512", "SHA256", "MD5-", "MD5-sess "] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
