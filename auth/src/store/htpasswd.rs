//! Files of Apache's `htpasswd`.

mod hash;

use core::future::ready;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use cloverleaf_proto::Entropy;

pub use hash::PasswordHash;
use hash::Stored;

use super::lines::fill;
use super::{LineError, Loaded, Lookup, Problem, Store, Workers, can_be_stored};
use crate::Secret;

/// A file of Apache's `htpasswd`: `user:hash`, one user a line. For Basic only, in any realm.
///
/// bcrypt (`$2y$`, as `htpasswd -B` writes it) and argon2 (`$argon2id$`, the PHC string) are worked
/// out on [`Workers`]. `{SHA}`, which has no salt and is fast, is taken for the sake of old files.
/// Plain text, `crypt` and Apache's MD5 are not.
///
/// A user who is not in the file costs as much as one who is: a password is then checked against the
/// hash of somebody else, always the same for the same name, and found wrong. So nothing can be
/// learned from files either in which some hashes are slower than others.
#[derive(Clone)]
pub struct Htpasswd {
    hashes: Vec<Stored>,
    /// Where in `hashes`.
    users: HashMap<Arc<str>, usize>,
    strangers: RandomState,
    workers: Workers,
}

impl Htpasswd {
    /// Reads such a file. Lines that cannot be used are reported in [`Loaded::bad`], and the others
    /// count. Empty lines and lines that begin with `#` are skipped.
    #[must_use]
    pub fn parse(text: &[u8], workers: Workers) -> Loaded<Self> {
        let nobody = Self {
            hashes: Vec::new(),
            users: HashMap::new(),
            strangers: RandomState::new(),
            workers,
        };
        fill(nobody, text, Self::add)
    }

    /// The line of a user, without its end. Takes as long as the hash is slow.
    ///
    /// # Errors
    ///
    /// A name that cannot stand in such a file, a password or a cost that the hash does not take.
    pub fn line(
        user: &str,
        password: &Secret,
        hash: PasswordHash,
        entropy: &dyn Entropy,
    ) -> Result<String, LineError> {
        if !can_be_stored(user) {
            return Err(LineError::User);
        }
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        Ok(format!("{user}:{}", hash.of(password, salt)?))
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add(&mut self, line: &str) -> Result<(), Problem> {
        let (user, hash) = line.split_once(':').ok_or(Problem::Fields)?;
        if user.is_empty() {
            return Err(Problem::NoUser);
        }
        let stored = Stored::parse(hash)?;
        if self.users.contains_key(user) {
            return Err(Problem::Duplicate);
        }
        self.users.insert(user.into(), self.hashes.len());
        self.hashes.push(stored);
        Ok(())
    }

    /// The hash to check against, and whether it is the user's own.
    fn hash_for(&self, user: &str) -> Option<(&Stored, bool)> {
        let count = u64::try_from(self.hashes.len()).ok()?;
        let somebody = self.strangers.hash_one(user).checked_rem(count)?;
        let somebody = usize::try_from(somebody).ok()?;
        let own = self.users.get(user);
        let hash = self.hashes.get(*own.unwrap_or(&somebody))?;
        Some((hash, own.is_some()))
    }
}

impl Store for Htpasswd {
    fn verify<'a>(
        &'a self,
        user: &'a str,
        password: &'a Secret,
        _realm: &'a str,
    ) -> Lookup<'a, bool> {
        let Some((hash, known)) = self.hash_for(user) else {
            // Nobody is known here, and that is no secret.
            return Box::pin(ready(Ok(false)));
        };
        if !hash.is_slow() {
            return Box::pin(ready(Ok(hash.is_of(password) & known)));
        }
        let (hash, password) = (hash.clone(), password.clone());
        Box::pin(async move {
            let good = self.workers.run(move || hash.is_of(&password)).await?;
            Ok(good & known)
        })
    }
}

/// How many there are, and nothing of them.
impl core::fmt::Debug for Htpasswd {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Htpasswd")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FixedEntropy, wait};

    /// Written by crypt(3).
    const BCRYPT: &str = "new:$2y$04$abcdefghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7fR6";
    const SHA: &str = "old:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";
    /// Of the tests of argon2's reference implementation.
    const ARGON2: &str = "a:$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$\
                          CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    const CHEAP: PasswordHash = PasswordHash::Argon2id {
        memory: 8,
        passes: 1,
        lanes: 1,
    };

    fn parse(text: &str) -> Loaded<Htpasswd> {
        Htpasswd::parse(text.as_bytes(), Workers::new(1, 4).unwrap())
    }

    fn problem(line: &str) -> Option<Problem> {
        parse(line).bad.first().map(|bad| bad.problem)
    }

    fn verify(users: &Htpasswd, user: &str, password: &str) -> bool {
        wait(users.verify(user, &password.into(), "any")).unwrap()
    }

    fn line(user: &str, password: &str, hash: PasswordHash) -> Result<String, LineError> {
        Htpasswd::line(user, &password.into(), hash, &FixedEntropy::new([1, 2, 3]))
    }

    #[test]
    fn lines_of_others_are_read() {
        let loaded = parse(&[BCRYPT, SHA, ARGON2].join("\r\n"));
        assert_eq!((loaded.good, loaded.bad.len()), (3, 0));
        let users = loaded.store;
        for (user, password) in [("new", "pass"), ("old", "password"), ("a", "password")] {
            assert!(verify(&users, user, password), "{user}");
            for wrong in ["", "Pass", "passwor", "password "] {
                assert!(!verify(&users, user, wrong), "{user} {wrong}");
            }
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for hash in [PasswordHash::Bcrypt { cost: 4 }, CHEAP] {
            let line = line("user", "open: s\u{e9}same", hash).unwrap();
            let loaded = parse(&line);
            assert_eq!((loaded.good, loaded.bad.len()), (1, 0), "{line}");
            assert!(verify(&loaded.store, "user", "open: s\u{e9}same"));
            assert!(!verify(&loaded.store, "user", "open: sesame"));
        }
        assert_eq!(
            line("user", "pass", PasswordHash::Bcrypt { cost: 4 }).unwrap(),
            "user:$2y$04$.OGB.OGB.OGB.OGB.OGB.O/hu8B2boU8FIn0JuOL9y2iX0BqkW8M."
        );
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let bcrypt = PasswordHash::Bcrypt { cost: 4 };
        assert_eq!(line("a:b", "p", CHEAP), Err(LineError::User));
        assert_eq!(line("#a", "p", CHEAP), Err(LineError::User));
        assert_eq!(line("a", "p\0q", bcrypt), Err(LineError::Password));
        assert_eq!(line("a", &"p".repeat(72), bcrypt), Err(LineError::Password));
        assert!(line("a", &"p".repeat(71), bcrypt).is_ok());
        for cost in [0, 3, 18, 31, 99] {
            let hash = PasswordHash::Bcrypt { cost };
            assert_eq!(line("a", "p", hash), Err(LineError::Cost), "{cost}");
        }
        for (memory, passes, lanes) in
            [(7, 1, 1), (1 << 21, 1, 1), (8, 0, 1), (8, 65, 1), (8, 1, 0)]
        {
            let hash = PasswordHash::Argon2id {
                memory,
                passes,
                lanes,
            };
            assert_eq!(line("a", "p", hash), Err(LineError::Cost), "{hash:?}");
        }
    }

    #[test]
    fn hashes_that_are_refused_and_why() {
        for (line, expected) in [
            ("a:secret", Problem::Plaintext),
            ("a:", Problem::Plaintext),
            ("a:{PLAIN}secret", Problem::Plaintext),
            ("a:{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", Problem::Plaintext),
            ("a:rqXexS6ZhobKA", Problem::Crypt),
            ("a:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00", Problem::Apr1),
            ("a:$1$salt$hash", Problem::Crypt),
            ("a:$5$salt$hash", Problem::Crypt),
            ("a:$6$rounds=5000$salt$hash", Problem::Crypt),
            ("a:$y$j9T$salt$hash", Problem::Crypt),
            ("a:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9", Problem::Damaged),
            ("a:{SHA}", Problem::Damaged),
            ("a:$2y$04$abcdefghijklmnopqrstuufznL8bkzd", Problem::Damaged),
            ("a:$2y$04$", Problem::Damaged),
            ("a:$2y$", Problem::Damaged),
            (
                "a:$2x$04$abcdefghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7fR6",
                Problem::Damaged,
            ),
            (
                "a:$2y$04$abcdefghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7f=6",
                Problem::Damaged,
            ),
            (
                "a:$2y$04$ab:defghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7fR6",
                Problem::Damaged,
            ),
            (
                "a:$2y$18$abcdefghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7fR6",
                Problem::TooCostly,
            ),
            ("a:$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ", Problem::Damaged),
            (
                "a:$argon2id$v=19$m=8,t=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
                Problem::Damaged,
            ),
            (
                "a:$argon2id$v=19$m=8,t=1,p=1$c2E$AAAAAAAAAAAAAAAAAAAAAA",
                Problem::Damaged,
            ),
            (
                "a:$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA",
                Problem::Damaged,
            ),
            (
                "a:$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
                Problem::TooCostly,
            ),
            (
                ":$2y$04$abcdefghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7fR6",
                Problem::NoUser,
            ),
            ("a", Problem::Fields),
        ] {
            assert_eq!(problem(line), Some(expected), "{line}");
        }
        assert_eq!(
            parse(&[SHA, SHA].join("\n")).bad[0].problem,
            Problem::Duplicate
        );
        assert!(
            problem("a:$2y$04$aaaaaaaaaaaaaaaaaaaaa\u{e9}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").is_some()
        );
    }

    #[test]
    fn a_stranger_is_checked_against_the_hash_of_somebody_and_never_let_in() {
        let users = parse(&[BCRYPT, SHA].join("\n")).store;
        let mut slow = 0;
        for number in 0..100 {
            let name = format!("stranger{number}");
            let (hash, known) = users.hash_for(&name).unwrap();
            assert!(!known);
            slow += u32::from(hash.is_slow());
            // Always the same for the same name.
            assert_eq!(users.hash_for(&name).unwrap().0.is_slow(), hash.is_slow());
        }
        assert!((1..100).contains(&slow), "{slow}");
        for password in ["pass", "password"] {
            for stranger in ["stranger1", "stranger2", "stranger3", ""] {
                assert!(!verify(&users, stranger, password));
            }
        }
    }

    #[test]
    fn nobody_is_in_an_empty_file() {
        let users = parse("").store;
        assert!(users.is_empty());
        assert!(!verify(&users, "a", ""));
    }

    #[test]
    fn a22_no_hash_is_printed() {
        assert_eq!(
            format!("{:?}", parse(BCRYPT).store),
            "Htpasswd { len: 1, .. }"
        );
    }
}
