//! Users that an application adds.

use core::future::ready;

use super::ha1::Table;
use super::{Lookup, Store};
use crate::Secret;
use crate::digest::{Ha1, Hash};

/// Users that an application adds, in memory. It keeps no passwords, only what Digest needs of them,
/// for all its hashes.
///
/// ```
/// use cloverleaf_auth::store::Memory;
///
/// let users = Memory::new().user("Mufasa", "http-auth@example.org", "Circle of Life");
/// # assert_eq!(users.len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Memory {
    table: Table,
}

impl Memory {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user of this realm. Of two with the same name, the first counts.
    #[must_use]
    pub fn user(mut self, user: &str, realm: &str, password: impl Into<Secret>) -> Self {
        let password = password.into();
        for hash in [Hash::Md5, Hash::Sha256, Hash::Sha512_256] {
            let ha1 = Ha1::new(hash, user, realm, &password);
            self.table.add(user, realm, ha1);
        }
        self
    }

    /// Adds a user of this realm of whom only `H(user ":" realm ":" password)` is known.
    #[must_use]
    pub fn user_with_ha1(mut self, user: &str, realm: &str, ha1: Ha1) -> Self {
        self.table.add(user, realm, ha1);
        self
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Store for Memory {
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
    use super::*;
    use crate::testing::now;

    const REALM: &str = "ws@example.com";

    fn users() -> Memory {
        Memory::new()
            .user("user", REALM, "pass")
            .user("user", "elsewhere", "other")
    }

    #[test]
    fn the_ha1_of_the_vectors() {
        for (hash, expected) in [
            (Hash::Md5, "01d83bfe6a07bd76b0cee1e44affc569"),
            (
                Hash::Sha256,
                "c1e35e9f5bedf276fee063cd70f0489c67f085dcd8f2a5a63013a50624e2a7b9",
            ),
            (
                Hash::Sha512_256,
                "cd724a09350a7c1bdb1b6c416c6618484741a9b32e350a10b6b9dc6bdeb0192d",
            ),
        ] {
            let users = users();
            let found = now(users.ha1("user", REALM, hash)).unwrap().unwrap();
            assert_eq!(found.expose(), expected);
            assert!(now(users.ha1("User", REALM, hash)).unwrap().is_none());
            assert!(now(users.ha1("user", "ws", hash)).unwrap().is_none());
        }
    }

    #[test]
    fn the_userhashes_of_the_vectors() {
        for (hash, userhash) in [
            (Hash::Md5, "fa132386881c5d22e7fda8129280a32a"),
            (
                Hash::Sha256,
                "f3547d5fffc60bb182b34a885ddd25de21c60ca3f3226f66ab7fa619e322c94b",
            ),
            (
                Hash::Sha512_256,
                "1d79b7f292183826dff445d3ae70afb982a7cfa67ece9561260c2c1bce469f25",
            ),
        ] {
            let users = users();
            let found = now(users.user_of(userhash, REALM, hash)).unwrap();
            assert_eq!(found.as_deref(), Some("user"));
            let cut = now(users.user_of(&userhash[1..], REALM, hash)).unwrap();
            assert_eq!(cut, None);
        }
    }

    #[test]
    fn a_password_is_of_a_user_and_a_realm() {
        let users = users();
        for (user, password, realm, expected) in [
            ("user", "pass", REALM, true),
            ("user", "other", "elsewhere", true),
            ("user", "other", REALM, false),
            ("user", "", REALM, false),
            ("user", "passs", REALM, false),
            ("nobody", "pass", REALM, false),
            ("", "", "", false),
        ] {
            let found = now(users.verify(user, &password.into(), realm)).unwrap();
            assert_eq!(found, expected, "{user} {password} {realm}");
        }
        assert!(!now(Memory::new().verify("user", &"".into(), REALM)).unwrap());
    }

    #[test]
    fn of_two_with_the_same_name_the_first_counts() {
        let users = users().user("user", REALM, "late");
        assert_eq!(users.len(), 2);
        assert!(now(users.verify("user", &"pass".into(), REALM)).unwrap());
        assert!(!now(users.verify("user", &"late".into(), REALM)).unwrap());
    }

    #[test]
    fn an_ha1_is_as_good_as_a_password() {
        let ha1 = Ha1::from_hex(Hash::Md5, "01d83bfe6a07bd76b0cee1e44affc569").unwrap();
        let users = Memory::new().user_with_ha1("user", REALM, ha1);
        assert!(now(users.verify("user", &"pass".into(), REALM)).unwrap());
        assert!(
            now(users.ha1("user", REALM, Hash::Sha256))
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a22_nothing_of_a_user_is_printed() {
        assert_eq!(format!("{:?}", users()), "Memory { table: 2 users }");
    }
}
