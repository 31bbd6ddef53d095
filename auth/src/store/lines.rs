//! Files of users, line by line: what cannot be used is reported, and the rest counts.

use core::fmt;

/// What a file had in it.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "what was loaded and what was not"
)]
pub struct Loaded<S> {
    /// The store.
    pub store: S,
    /// How many lines it is made of.
    pub good: usize,
    /// The lines that were left out.
    pub bad: Vec<BadLine>,
}

/// A line of a file that was left out. It does not quote the line, which may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "where and what")]
pub struct BadLine {
    /// Its number; the first is 1.
    pub number: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It is not UTF-8, or has control characters.
    NotText,
    /// It has more or fewer fields than it should.
    Fields,
    /// It names no user.
    NoUser,
    /// Its hash is none of those hexadecimal ones that this file may hold.
    NotAHash,
    /// The algorithm in its last field is not known.
    Algorithm,
    /// A line above has the same user, and counts.
    Duplicate,
    /// It holds the password itself, or something unknown.
    Plaintext,
    /// The old `crypt`, which is broken, or one of its heirs.
    Crypt,
    /// Apache's MD5, which is too fast to stand guessing.
    Apr1,
    /// A bcrypt or argon2 hash that is damaged.
    Damaged,
    /// A bcrypt or argon2 hash that would cost more than a server can afford.
    TooCostly,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotText => "it is not UTF-8 text; was the file cut short or saved wrongly?",
            Self::Fields => {
                "its number of fields is wrong: `user:realm:hash`, or `user:hash` for htpasswd"
            }
            Self::NoUser => "it names no user; write one before the first colon",
            Self::NotAHash => "its hash is neither 32 nor 64 hexadecimal digits; write it anew",
            Self::Algorithm => "its fourth field is none of MD5, SHA-256 and SHA-512-256",
            Self::Duplicate => "a line above has the same user and counts; remove one of them",
            Self::Plaintext => {
                "its password is in the clear or in a form that is not known; write it anew with \
                 bcrypt or argon2"
            }
            Self::Crypt => "crypt is not supported; write it anew with bcrypt or argon2",
            Self::Apr1 => "Apache's MD5 is not supported; write it anew with bcrypt or argon2",
            Self::Damaged => "its hash is damaged; write it anew",
            Self::TooCostly => {
                "its hash costs too much time or memory: bcrypt up to cost 17, argon2 up to 1 GiB, \
                 64 passes and 16 lanes"
            }
        })
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.number, self.problem)
    }
}

/// A line that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineError {
    /// The name of a user.
    User,
    /// The name of a realm.
    Realm,
    /// bcrypt looks at the first 72 octets only, and at none behind a NUL.
    Password,
    /// A cost that is out of bounds.
    Cost,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => {
                "a user's name in a file cannot be empty, begin with #, begin or end with a space, \
                 or have a colon or control characters in it"
            }
            Self::Realm => {
                "a realm's name in a file cannot begin or end with a space, or have a colon or \
                 control characters in it"
            }
            Self::Password => "bcrypt takes passwords of at most 71 octets and without NUL; use argon2",
            Self::Cost => {
                "the cost is out of bounds: bcrypt from 4 to 17, argon2 from 8 KiB per lane to 1 GiB, \
                 1 to 64 passes and 1 to 16 lanes"
            }
        })
    }
}

impl core::error::Error for LineError {}

/// The lines of a file that have something in them, with their numbers.
///
/// A line ends in LF or CRLF or at the end of the file; a byte order mark in front is skipped.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, Result<&str, Problem>)> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.split(|octet| *octet == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))
        .map(|(index, line)| {
            let line = core::str::from_utf8(line).map_err(|_| Problem::NotText);
            let clean = line.and_then(|line| match line.contains(char::is_control) {
                true => Err(Problem::NotText),
                false => Ok(line),
            });
            (index + 1, clean)
        })
}

/// Fills a store line by line.
pub(super) fn fill<S>(
    mut store: S,
    text: &[u8],
    mut add: impl FnMut(&mut S, &str) -> Result<(), Problem>,
) -> Loaded<S> {
    let mut good = 0;
    let mut bad = Vec::new();
    for (number, line) in lines(text) {
        match line.and_then(|line| add(&mut store, line)) {
            Ok(()) => good += 1,
            Err(problem) => bad.push(BadLine { number, problem }),
        }
    }
    Loaded { store, good, bad }
}
