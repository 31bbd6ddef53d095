//! The hashes of a password file.

use argon2::Argon2;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bcrypt::{HashParts, Version};
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

use super::super::{LineError, Problem};
use crate::Secret;

/// bcrypt: 2^cost rounds. At 17 a password takes some ten seconds.
const BCRYPT_COSTS: core::ops::RangeInclusive<u32> = 4..=17;
/// argon2, in KiB: 1 GiB.
const ARGON2_MEMORY: u32 = 1 << 20;
const ARGON2_PASSES: u32 = 64;
const ARGON2_LANES: u32 = 16;

/// How to hash a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordHash {
    /// bcrypt, which Apache and nginx read as well. The cost, from 4 to 17, is a power of two; 12
    /// takes about a quarter of a second.
    Bcrypt {
        /// The power of two.
        cost: u32,
    },
    /// argon2id (RFC 9106), which is harder on who guesses with many processors. 19 MiB and two
    /// passes are a good choice.
    Argon2id {
        /// In KiB.
        memory: u32,
        /// How often the memory is gone through.
        passes: u32,
        /// Lanes that could be worked on side by side. We do not.
        lanes: u32,
    },
}

impl PasswordHash {
    /// argon2id with 19 MiB, two passes and one lane.
    pub const ARGON2ID: Self = Self::Argon2id {
        memory: 19 << 10,
        passes: 2,
        lanes: 1,
    };
    /// bcrypt with cost 12.
    pub const BCRYPT: Self = Self::Bcrypt { cost: 12 };

    pub(super) fn of(self, password: &Secret, salt: [u8; 16]) -> Result<String, LineError> {
        let password = password.expose();
        match self {
            Self::Bcrypt { cost } => {
                if !BCRYPT_COSTS.contains(&cost) {
                    return Err(LineError::Cost);
                }
                if password.contains(&0) {
                    return Err(LineError::Password);
                }
                let parts = bcrypt::non_truncating_hash_with_salt(password, cost, salt)
                    .map_err(|_| LineError::Password)?;
                Ok(parts.format_for_version(Version::TwoY))
            }
            Self::Argon2id {
                memory,
                passes,
                lanes,
            } => {
                let mut hash = [0; 32];
                argon2(argon2::Algorithm::Argon2id, memory, passes, lanes, 32)
                    .and_then(|it| it.hash_password_into(password, &salt, &mut hash).ok())
                    .ok_or(LineError::Cost)?;
                Ok(format!(
                    "$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}",
                    STANDARD_NO_PAD.encode(salt),
                    STANDARD_NO_PAD.encode(hash)
                ))
            }
        }
    }
}

/// A hash that stands in a file.
#[derive(Clone)]
pub(super) enum Stored {
    /// In the form that the crate takes.
    Bcrypt(Secret),
    Argon2 {
        argon2: Box<Argon2<'static>>,
        salt: Vec<u8>,
        hash: Secret,
    },
    Sha1(Secret),
}

impl Stored {
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let fields: Vec<_> = text.split('$').collect();
        match fields[..] {
            ["", "2a" | "2b" | "2y", _, _] => {
                let parts: HashParts = text.parse().map_err(|_| Problem::Damaged)?;
                if !BCRYPT_COSTS.contains(&parts.get_cost()) {
                    return Err(Problem::TooCostly);
                }
                // What the crate does not look at before a password is checked.
                let whole = [&parts.get_salt(), &text[text.len() - 31..]]
                    .iter()
                    .all(|part| bcrypt::BASE_64.decode(part).is_ok());
                if !whole {
                    return Err(Problem::Damaged);
                }
                Ok(Self::Bcrypt(Secret::from(text)))
            }
            [
                "",
                name @ ("argon2id" | "argon2i" | "argon2d"),
                "v=19",
                costs,
                salt,
                hash,
            ] => Self::parse_argon2(name, costs, salt, hash),
            [
                "",
                "2a" | "2b" | "2x" | "2y" | "argon2id" | "argon2i" | "argon2d",
                ..,
            ] => Err(Problem::Damaged),
            ["", "apr1", ..] => Err(Problem::Apr1),
            // SHA-crypt, yescrypt and their kin, all from crypt(3).
            ["", _, _, ..] => Err(Problem::Crypt),
            _ => match text.strip_prefix("{SHA}") {
                Some(hash) => match STANDARD.decode(hash) {
                    Ok(hash) if hash.len() == 20 => Ok(Self::Sha1(Secret::new(hash))),
                    _ => Err(Problem::Damaged),
                },
                None if is_old_crypt(text) => Err(Problem::Crypt),
                None => Err(Problem::Plaintext),
            },
        }
    }

    fn parse_argon2(name: &str, costs: &str, salt: &str, hash: &str) -> Result<Self, Problem> {
        let algorithm = argon2::Algorithm::new(name).map_err(|_| Problem::Damaged)?;
        let number = |field: &str, name: &str| field.strip_prefix(name)?.parse().ok();
        let fields: Vec<_> = costs.split(',').collect();
        let [memory, passes, lanes] = fields[..] else {
            return Err(Problem::Damaged);
        };
        let costs = [(memory, "m="), (passes, "t="), (lanes, "p=")];
        let [Some(memory), Some(passes), Some(lanes)] = costs.map(|(f, name)| number(f, name))
        else {
            return Err(Problem::Damaged);
        };
        let decode = |text: &str| STANDARD_NO_PAD.decode(text).map_err(|_| Problem::Damaged);
        let (salt, hash) = (decode(salt)?, decode(hash)?);
        // RFC 9106 §3.1, and no more than a file of people should hold.
        if !(8..=64).contains(&salt.len()) || !(16..=64).contains(&hash.len()) {
            return Err(Problem::Damaged);
        }
        let argon2 =
            argon2(algorithm, memory, passes, lanes, hash.len()).ok_or(Problem::TooCostly)?;
        Ok(Self::Argon2 {
            argon2: Box::new(argon2),
            salt,
            hash: Secret::new(hash),
        })
    }

    /// Whether it is made to take long.
    pub(super) const fn is_slow(&self) -> bool {
        !matches!(self, Self::Sha1(_))
    }

    /// Whether it is the hash of this password.
    pub(super) fn is_of(&self, password: &Secret) -> bool {
        let password = password.expose();
        match self {
            Self::Bcrypt(hash) => core::str::from_utf8(hash.expose())
                .is_ok_and(|hash| bcrypt::verify(password, hash).unwrap_or(false)),
            Self::Argon2 { argon2, salt, hash } => {
                let mut computed = vec![0; hash.expose().len()];
                let done = argon2.hash_password_into(password, salt, &mut computed);
                done.is_ok() & bool::from(computed.ct_eq(hash.expose()))
            }
            Self::Sha1(hash) => Sha1::digest(password).ct_eq(hash.expose()).into(),
        }
    }
}

fn argon2(
    algorithm: argon2::Algorithm,
    memory: u32,
    passes: u32,
    lanes: u32,
    length: usize,
) -> Option<Argon2<'static>> {
    if memory > ARGON2_MEMORY || passes > ARGON2_PASSES || lanes > ARGON2_LANES {
        return None;
    }
    let params = argon2::Params::new(memory, passes, lanes, Some(length)).ok()?;
    Some(Argon2::new(algorithm, argon2::Version::V0x13, params))
}

/// The first crypt(3): two characters of salt and eleven of hash.
fn is_old_crypt(text: &str) -> bool {
    let is_of_crypt = |octet: u8| octet.is_ascii_alphanumeric() || b"./".contains(&octet);
    text.len() == 13 && text.bytes().all(is_of_crypt)
}
