//! Files of Apache's `htdigest`.

use core::future::ready;

use super::ha1::Table;
use super::lines::fill;
use super::{LineError, Loaded, Lookup, Problem, Store, can_be_stored, is_field};
use crate::Secret;
use crate::digest::{Algorithm, Ha1, Hash};

/// A file of Apache's `htdigest`: `user:realm:H(user:realm:password)`, one user and realm a line.
///
/// 32 hexadecimal digits are an MD5, as `htdigest` writes them. There is no such file for other
/// hashes, so the layout is stretched: 64 digits are a SHA-256, and a fourth field may name the
/// algorithm, as it must for SHA-512-256. A user may have one line for each.
///
/// Who reads the file can authenticate as anybody in it: keep it from others (mode 0600).
///
/// ```
/// use cloverleaf_auth::store::Htdigest;
///
/// let loaded = Htdigest::parse(
///     b"Mufasa:http-auth@example.org:3d78807defe7de2157e2b0b6573a855f\n\
///       Mufasa:http-auth@example.org:7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232\n",
/// );
/// assert_eq!((loaded.good, loaded.bad.len()), (2, 0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Htdigest {
    table: Table,
}

impl Htdigest {
    /// Reads such a file. Lines that cannot be used are reported in [`Loaded::bad`], and the others
    /// count. Empty lines and lines that begin with `#` are skipped.
    #[must_use]
    pub fn parse(text: &[u8]) -> Loaded<Self> {
        fill(Self::default(), text, Self::add)
    }

    /// The line of a user, without its end.
    ///
    /// # Errors
    ///
    /// A name that cannot stand in such a file.
    pub fn line(
        user: &str,
        realm: &str,
        password: &Secret,
        hash: Hash,
    ) -> Result<String, LineError> {
        if !can_be_stored(user) {
            return Err(LineError::User);
        }
        if !is_field(realm) {
            return Err(LineError::Realm);
        }
        let ha1 = Ha1::new(hash, user, realm, password);
        let ha1 = ha1.expose();
        Ok(match hash {
            Hash::Md5 | Hash::Sha256 => format!("{user}:{realm}:{ha1}"),
            Hash::Sha512_256 => format!("{user}:{realm}:{ha1}:SHA-512-256"),
        })
    }

    /// How many users there are; one of two realms counts twice.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add(&mut self, line: &str) -> Result<(), Problem> {
        let fields: Vec<_> = line.split(':').collect();
        let (user, realm, hex, algorithm) = match fields[..] {
            [user, realm, hex] => (user, realm, hex, None),
            [user, realm, hex, algorithm] => (user, realm, hex, Some(algorithm)),
            _ => return Err(Problem::Fields),
        };
        if user.is_empty() {
            return Err(Problem::NoUser);
        }
        let hash = match (algorithm, hex.len()) {
            (None, 32) => Hash::Md5,
            (None, 64) => Hash::Sha256,
            (None, _) => return Err(Problem::NotAHash),
            (Some(name), _) => [Hash::Md5, Hash::Sha256, Hash::Sha512_256]
                .into_iter()
                .find(|hash| Algorithm::from(*hash).name() == name)
                .ok_or(Problem::Algorithm)?,
        };
        let ha1 = Ha1::from_hex(hash, hex).ok_or(Problem::NotAHash)?;
        match self.table.add(user, realm, ha1) {
            true => Ok(()),
            false => Err(Problem::Duplicate),
        }
    }
}

impl Store for Htdigest {
    fn ha1<'a>(&'a self, user: &'a str, realm: &'a str, hash: Hash) -> Lookup<'a, Option<Ha1>> {
        Box::pin(ready(Ok(self.table.ha1(user, realm, hash).cloned())))
    }

    fn user_of<'a>(
        &'a self,
        userhash: &'a str,
        _realm: &'a str,
        hash: Hash,
    ) -> Lookup<'a, Option<String>> {
        Box::pin(ready(Ok(self.table.user_of(userhash, hash).cloned())))
    }

    fn verify<'a>(
        &'a self,
        user: &'a str,
        password: &'a Secret,
        realm: &'a str,
    ) -> Lookup<'a, bool> {
        Box::pin(ready(Ok(self.table.verify(user, realm, password))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::BadLine;
    use super::*;
    use crate::testing::now;

    const REALM: &str = "http-auth@example.org";
    const MD5: &str = "Mufasa:http-auth@example.org:3d78807defe7de2157e2b0b6573a855f";
    const SHA256: &str = "Mufasa:http-auth@example.org:\
                          7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232";
    const SHA512_256: &str = "Mufasa:http-auth@example.org:\
         fb174f5c3c7802721517cae13b98e2b8dae2e0118cb705d94ee29946319204ce:SHA-512-256";

    fn bad(loaded: &Loaded<Htdigest>) -> Vec<(usize, Problem)> {
        let bad = loaded.bad.iter();
        bad.map(|line| (line.number, line.problem)).collect()
    }

    #[test]
    fn the_lines_of_the_vectors_are_written_and_read() {
        let password = Secret::from("Circle of Life");
        for (hash, line) in [
            (Hash::Md5, MD5),
            (Hash::Sha256, SHA256),
            (Hash::Sha512_256, SHA512_256),
        ] {
            assert_eq!(
                Htdigest::line("Mufasa", REALM, &password, hash).unwrap(),
                line
            );
            let loaded = Htdigest::parse(line.as_bytes());
            assert_eq!((loaded.good, bad(&loaded)), (1, vec![]));
            let ha1 = now(loaded.store.ha1("Mufasa", REALM, hash))
                .unwrap()
                .unwrap();
            assert_eq!(ha1.expose(), line.split(':').nth(2).unwrap());
            for (password, expected) in [("Circle of Life", true), ("Circle Of Life", false)] {
                let found = now(loaded.store.verify("Mufasa", &password.into(), REALM));
                assert_eq!(found, Ok(expected));
            }
        }
    }

    #[test]
    fn a21_lines_end_in_crlf_or_lf_or_with_the_file_and_comments_are_skipped() {
        for text in [
            format!("{MD5}\r\n{SHA256}\r\n{SHA512_256}"),
            format!("{MD5}\n\n{SHA256}\n   \n{SHA512_256}\n"),
            format!("# users\n{MD5}\n{SHA256}\n{SHA512_256}\n#x:y"),
            format!("\u{feff}{MD5}\r\n{SHA256}\n{SHA512_256}\r\n"),
        ] {
            let loaded = Htdigest::parse(text.as_bytes());
            assert_eq!((loaded.good, bad(&loaded)), (3, vec![]), "{text}");
            assert_eq!(loaded.store.len(), 1);
        }
        let empty = Htdigest::parse(b"");
        assert_eq!((empty.good, bad(&empty)), (0, vec![]));
        assert!(empty.store.is_empty());
    }

    #[test]
    fn a21_a_bad_line_is_reported_with_its_number_and_the_rest_is_loaded() {
        let mut text = Vec::new();
        for line in [
            MD5.as_bytes(),
            b"two:fields",
            b"one",
            b"a:b:3d78807defe7de2157e2b0b6573a855f:SHA-512",
            b"a:b:3d78807defe7de2157e2b0b6573a855f:SHA-256",
            b"a:b:c:3d78807defe7de2157e2b0b6573a855f:MD5",
            b":r:3d78807defe7de2157e2b0b6573a855f",
            b"a:r:3d78807defe7de2157e2b0b6573a855",
            b"a:r:3d78807defe7de2157e2b0b6573a855g",
            b"a:r:",
            b"\xff:r:3d78807defe7de2157e2b0b6573a855f",
            b"a\0:r:3d78807defe7de2157e2b0b6573a855f",
            MD5.as_bytes(),
            b"Nala:r:3D78807DEFE7DE2157E2B0B6573A855F:MD5",
            b"half:r:3d78807de",
        ] {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        let loaded = Htdigest::parse(&text);
        let expected = [
            (2, Problem::Fields),
            (3, Problem::Fields),
            (4, Problem::Algorithm),
            (5, Problem::NotAHash),
            (6, Problem::Fields),
            (7, Problem::NoUser),
            (8, Problem::NotAHash),
            (9, Problem::NotAHash),
            (10, Problem::NotAHash),
            (11, Problem::NotText),
            (12, Problem::NotText),
            (13, Problem::Duplicate),
            (15, Problem::NotAHash),
        ];
        assert_eq!(bad(&loaded), expected);
        assert_eq!((loaded.good, loaded.store.len()), (2, 2));
        let nala = now(loaded.store.ha1("Nala", "r", Hash::Md5))
            .unwrap()
            .unwrap();
        assert_eq!(nala.expose(), "3d78807defe7de2157e2b0b6573a855f");
    }

    #[test]
    fn a_report_tells_where_and_what_to_do_and_quotes_nothing() {
        let line = BadLine {
            number: 7,
            problem: Problem::NotAHash,
        };
        assert_eq!(
            line.to_string(),
            "line 7: its hash is neither 32 nor 64 hexadecimal digits; write it anew"
        );
    }

    #[test]
    fn a_line_of_a_name_that_cannot_stand_there_is_not_written() {
        let line = |user: &str, realm: &str| Htdigest::line(user, realm, &"p".into(), Hash::Md5);
        for user in ["", "a:b", "#a", "a\n", " a", "a\u{85}"] {
            assert_eq!(line(user, "r"), Err(LineError::User), "{user:?}");
        }
        for realm in ["a:b", "a\nb", "a "] {
            assert_eq!(line("u", realm), Err(LineError::Realm), "{realm:?}");
        }
        for user in ["a\"b\\c,d", "J\u{e4}s\u{f8}n Doe", "a#"] {
            let loaded = Htdigest::parse(line(user, "r").unwrap().as_bytes());
            let found = now(loaded.store.verify(user, &"p".into(), "r"));
            assert_eq!(found, Ok(true), "{user}");
        }
    }

    #[test]
    fn a21_a_hundred_thousand_users() {
        let mut text = String::new();
        for number in 0..100_000 {
            text.push_str(&format!("user{number}:r:{number:032x}\n"));
        }
        let loaded = Htdigest::parse(text.as_bytes());
        assert_eq!((loaded.good, loaded.store.len()), (100_000, 100_000));
        let found = now(loaded.store.ha1("user65536", "r", Hash::Md5))
            .unwrap()
            .unwrap();
        assert_eq!(found.expose(), "00000000000000000000000000010000");
    }

    #[test]
    fn the_same_user_in_two_realms_is_two() {
        let text = [
            Htdigest::line("user", "a", &"one".into(), Hash::Sha256).unwrap(),
            Htdigest::line("user", "b", &"two".into(), Hash::Sha256).unwrap(),
        ];
        let users = Htdigest::parse(text.join("\n").as_bytes()).store;
        let verify = |password: &str, realm| now(users.verify("user", &password.into(), realm));
        assert_eq!(verify("one", "a"), Ok(true));
        assert_eq!(verify("two", "b"), Ok(true));
        assert_eq!(verify("one", "b"), Ok(false));
    }
}
