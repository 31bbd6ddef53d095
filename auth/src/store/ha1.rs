//! A table of HA1: who in which realm, with which hashes.

use core::fmt;
use core::hint::black_box;
use std::collections::HashMap;

use crate::Secret;
use crate::digest::{Ha1, Hash, userhash};

/// The hashes, the strongest first.
const HASHES: [Hash; 3] = [Hash::Sha512_256, Hash::Sha256, Hash::Md5];

/// Whether this HA1 is of this password. Without an HA1 the work is the same and the answer no.
pub(super) fn is_of(
    found: Option<&Ha1>,
    user: &str,
    realm: &str,
    password: &Secret,
    hash: Hash,
) -> bool {
    let computed = Ha1::new(hash, user, realm, password);
    found.unwrap_or(&computed).is(&computed) & found.is_some()
}

/// Users of realms.
#[derive(Clone)]
pub(super) struct Table {
    users: HashMap<(String, String), User>,
    /// By `H(user ":" realm)`.
    userhashes: HashMap<(Hash, String), String>,
    /// Which hashes occur: a password is checked with all of them, whoever the user is.
    occurring: [bool; 3],
    /// Whom passwords are checked against of users who are not known.
    nobody: User,
}

#[derive(Clone, Default)]
struct User([Option<Ha1>; 3]);

impl Table {
    /// Adds a hash of a user of a realm. `false`: there is one already.
    pub(super) fn add(&mut self, user: &str, realm: &str, ha1: Ha1) -> bool {
        let hash = ha1.hash();
        let key = (user.to_owned(), realm.to_owned());
        let slot = &mut self.users.entry(key).or_default().0[place(hash)];
        if slot.is_some() {
            return false;
        }
        *slot = Some(ha1);
        self.occurring[place(hash)] = true;
        let hidden = userhash(hash, user, realm);
        self.userhashes.insert((hash, hidden), user.to_owned());
        true
    }

    pub(super) fn len(&self) -> usize {
        self.users.len()
    }

    pub(super) fn ha1(&self, user: &str, realm: &str, hash: Hash) -> Option<&Ha1> {
        self.user(user, realm)?.0[place(hash)].as_ref()
    }

    pub(super) fn user_of(&self, userhash: &str, hash: Hash) -> Option<&String> {
        self.userhashes.get(&(hash, userhash.to_owned()))
    }

    /// Whether this is the password. The strongest hash that there is of the user decides; all are
    /// computed that occur in the table, so that users with weak hashes do not stand out.
    pub(super) fn verify(&self, user: &str, realm: &str, password: &Secret) -> bool {
        let found = self.user(user, realm);
        let known = found.is_some();
        let found = found.unwrap_or(&self.nobody);
        let mut answer = None;
        for hash in HASHES
            .into_iter()
            .filter(|hash| self.occurring[place(*hash)])
        {
            let ha1 = found.0[place(hash)].as_ref();
            let good = is_of(ha1, user, realm, password, hash);
            if ha1.is_some() {
                answer = answer.or(Some(good));
            }
        }
        answer.unwrap_or(false) & known
    }

    fn user(&self, user: &str, realm: &str) -> Option<&User> {
        let key = (user.to_owned(), realm.to_owned());
        let found = self.users.get(&key);
        if found.is_none() {
            // As long as it takes to compare the names of one who is known.
            black_box(black_box(&key) == black_box(&key));
        }
        found
    }
}

impl Default for Table {
    fn default() -> Self {
        let nobody = HASHES.map(|hash| Some(Ha1::new(hash, "", "", &Secret::from(""))));
        Self {
            users: HashMap::new(),
            userhashes: HashMap::new(),
            occurring: [false; 3],
            nobody: User(nobody),
        }
    }
}

const fn place(hash: Hash) -> usize {
    match hash {
        Hash::Sha512_256 => 0,
        Hash::Sha256 => 1,
        Hash::Md5 => 2,
    }
}

/// How many there are, and nothing of them.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} users", self.len())
    }
}
