//! Nonces that the server need not remember (RFC 7616 §5.4): each carries its time and a seal.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloverleaf_proto::{Entropy, WallClock};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::Secret;

const VERSION: u8 = 1;
const SALT: usize = 8;
const SEAL: usize = 16;
/// Version, time, salt: what the seal is over.
const SEALED: usize = 1 + 8 + SALT;
/// A multiple of three, so that base64 needs no padding and knows one spelling only.
const NONCE: usize = SEALED + SEAL;

/// A nonce may be used so long by default.
const LIFETIME: Duration = Duration::from_secs(300);
/// Clocks of servers that share a key may differ by so much.
const AHEAD: Duration = Duration::from_secs(30);

/// Makes nonces and tells its own from others.
///
/// A nonce is `version (1) ‖ seconds since 1970 (8) ‖ salt (8) ‖ HMAC-SHA-256 of all this and the
/// realm (16 octets of it)`, in base64url. So a million challenges leave nothing behind, and several
/// processes that have the same key know each other's nonces. It is not bound to the address of a
/// client, which proxies change.
pub struct Nonces {
    keys: RwLock<Keys>,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn WallClock>,
    lifetime: Duration,
}

struct Keys {
    current: Secret,
    previous: Option<Secret>,
}

/// What is known of a nonce that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: NonceId,
    pub(crate) age: Age,
}

/// How old a nonce is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It may be used.
    Good,
    /// It may not: too old, or from a future that no clock of ours is in.
    Expired,
}

/// Which nonce: the time it was made at, and its seal, which no other nonce has. Earlier ones compare
/// as less.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NonceId {
    made: u64,
    seal: [u8; SEAL],
}

impl NonceId {
    /// When it was made, since 1970, in whole seconds.
    #[must_use]
    pub const fn made(&self) -> Duration {
        Duration::from_secs(self.made)
    }

    /// Time and seal in 24 octets, as a key for a cache that processes share.
    #[must_use]
    pub fn octets(&self) -> [u8; 24] {
        let mut octets = [0; 24];
        octets[..8].copy_from_slice(&self.made.to_be_bytes());
        octets[8..].copy_from_slice(&self.seal);
        octets
    }

    /// Behind every nonce that was made up to this second.
    pub(crate) const fn end_of(second: Duration) -> Self {
        Self {
            made: second.as_secs(),
            seal: [0xff; SEAL],
        }
    }

    #[cfg(test)]
    pub(crate) const fn of(made: u64, seal: [u8; SEAL]) -> Self {
        Self { made, seal }
    }
}

/// Without the seal, which is nobody's business.
impl fmt::Debug for NonceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceId")
            .field("made", &self.made)
            .finish_non_exhaustive()
    }
}

impl Nonces {
    /// With a key that is drawn now, known to this process only.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>, clock: Arc<dyn WallClock>) -> Self {
        let key = fresh_key(&*entropy);
        Self::with_key(key, entropy, clock)
    }

    /// With a key that several processes share, or that outlives this one: 32 octets that nobody can
    /// guess. See [`Replay`](super::Replay) for what else they must share then.
    #[must_use]
    pub fn shared(key: [u8; 32], entropy: Arc<dyn Entropy>, clock: Arc<dyn WallClock>) -> Self {
        Self::with_key(Secret::new(key), entropy, clock)
    }

    fn with_key(current: Secret, entropy: Arc<dyn Entropy>, clock: Arc<dyn WallClock>) -> Self {
        Self {
            keys: RwLock::new(Keys {
                current,
                previous: None,
            }),
            entropy,
            clock,
            lifetime: LIFETIME,
        }
    }

    /// How long a nonce may be used. Default 300 s: long enough for a person at a prompt, short
    /// enough for the replay cache.
    #[must_use]
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// From now on seals with a new key. What the key before has sealed stays good until it expires,
    /// what the one before that has sealed is forgotten: rotate no faster than nonces expire.
    pub fn rotate(&self) {
        self.rotate_key(fresh_key(&*self.entropy));
    }

    /// [`rotate`](Self::rotate) to a key that others share. Hand out the new key to all of them
    /// first: one that does not have it yet takes nonces made with it for forged, and a person is
    /// asked for the password.
    pub fn rotate_to(&self, key: [u8; 32]) {
        self.rotate_key(Secret::new(key));
    }

    fn rotate_key(&self, key: Secret) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let previous = core::mem::replace(&mut keys.current, key);
        keys.previous = Some(previous);
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.unix_time()
    }

    /// How long nonces must be remembered: none is good for longer.
    pub(crate) fn expires(&self, id: &NonceId) -> Duration {
        id.made().saturating_add(self.lifetime)
    }

    /// A new nonce for this realm.
    pub(crate) fn make(&self, realm: &str) -> String {
        let mut octets = [0; NONCE];
        octets[0] = VERSION;
        octets[1..9].copy_from_slice(&self.now().as_secs().to_be_bytes());
        self.entropy.fill(&mut octets[9..SEALED]);
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let seal = seal(&keys.current, realm, &octets[..SEALED]);
        octets[SEALED..].copy_from_slice(&seal);
        URL_SAFE_NO_PAD.encode(octets)
    }

    /// What is known of this nonce; `None` if it is not one of ours for this realm.
    pub(crate) fn look_at(&self, nonce: &str, realm: &str) -> Option<Known> {
        let mut octets = [0; NONCE + 3];
        let length = URL_SAFE_NO_PAD.decode_slice(nonce, &mut octets).ok()?;
        if length != NONCE || octets[0] != VERSION {
            return None;
        }
        let (sealed, found) = octets[..NONCE].split_at(SEALED);
        let is_ours = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            [Some(&keys.current), keys.previous.as_ref()]
                .into_iter()
                .flatten()
                .any(|key| bool::from(seal(key, realm, sealed).ct_eq(found)))
        };
        if !is_ours {
            return None;
        }
        let id = NonceId {
            made: u64::from_be_bytes(sealed[1..9].try_into().expect("eight octets")),
            seal: found.try_into().expect("sixteen octets"),
        };
        let (made, now) = (id.made(), Duration::from_secs(self.now().as_secs()));
        let good = made <= now + AHEAD && now.saturating_sub(made) <= self.lifetime;
        Some(Known {
            id,
            age: if good { Age::Good } else { Age::Expired },
        })
    }
}

/// Without the keys.
impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

fn fresh_key(entropy: &dyn Entropy) -> Secret {
    let mut key = zeroize::Zeroizing::new([0; 32]);
    entropy.fill(&mut *key);
    Secret::new(key.as_slice())
}

fn seal(key: &Secret, realm: &str, sealed: &[u8]) -> [u8; SEAL] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    for part in [b"ws-digest-nonce\0", realm.as_bytes(), b"\0", sealed] {
        mac.update(part);
    }
    let whole = mac.finalize().into_bytes();
    whole[..SEAL].try_into().expect("SHA-256 has 32 octets")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{FixedEntropy, SetClock};

    const REALM: &str = "ws@example.com";
    const VECTOR: &str = "AQAAAABlU_EAABEiM0RVZnev7pCSl6fX0TkvbLu7-hUB";
    const MADE: u64 = 1_700_000_000;

    fn key() -> [u8; 32] {
        core::array::from_fn(|i| u8::try_from(i).unwrap())
    }

    fn nonces(clock: &Arc<SetClock>) -> Nonces {
        let salt = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77];
        Nonces::shared(key(), Arc::new(FixedEntropy::new(salt)), clock.clone())
    }

    fn age(nonces: &Nonces, nonce: &str) -> Option<Age> {
        nonces.look_at(nonce, REALM).map(|known| known.age)
    }

    #[test]
    fn the_vector() {
        let clock = SetClock::at(MADE);
        let nonces = nonces(&clock);
        assert_eq!(nonces.make(REALM), VECTOR);
        let known = nonces.look_at(VECTOR, REALM).unwrap();
        assert_eq!(known.age, Age::Good);
        assert_eq!(known.id.made(), Duration::from_secs(MADE));
        assert_eq!(known.id.octets()[..8], MADE.to_be_bytes());
    }

    #[test]
    fn a_nonce_is_good_for_300_seconds_and_from_30_seconds_before_it_was_made() {
        for (now, expected) in [
            (MADE - 31, Age::Expired),
            (MADE - 30, Age::Good),
            (MADE + 300, Age::Good),
            (MADE + 301, Age::Expired),
        ] {
            let nonces = nonces(&SetClock::at(now));
            assert_eq!(age(&nonces, VECTOR), Some(expected), "{now}");
        }
        let short = nonces(&SetClock::at(MADE + 6)).lifetime(Duration::from_secs(5));
        assert_eq!(age(&short, VECTOR), Some(Age::Expired));
    }

    #[test]
    fn a08_a_nonce_of_another_realm_or_key_is_not_ours() {
        let clock = SetClock::at(MADE);
        assert_eq!(nonces(&clock).look_at(VECTOR, "ws@example.org"), None);
        let other = Nonces::new(Arc::new(FixedEntropy::new([7])), clock);
        assert_eq!(age(&other, VECTOR), None);
        // No boundary of realm and nonce can be moved.
        let nonce = other.make("a");
        assert_eq!(other.look_at(&nonce, "a\0"), None);
        assert_eq!(other.look_at(&nonce, ""), None);
    }

    #[test]
    fn a08_a_nonce_with_any_bit_flipped_or_cut_short_is_not_ours() {
        let nonces = nonces(&SetClock::at(MADE));
        let octets = URL_SAFE_NO_PAD.decode(VECTOR).unwrap();
        for bit in 0..octets.len() * 8 {
            let mut flipped = octets.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(age(&nonces, &URL_SAFE_NO_PAD.encode(flipped)), None);
        }
        for end in 0..VECTOR.len() {
            assert_eq!(age(&nonces, &VECTOR[..end]), None);
        }
        for longer in ["A", "=", "AA==", "AAAA", " "] {
            assert_eq!(age(&nonces, &format!("{VECTOR}{longer}")), None);
        }
        assert_eq!(age(&nonces, &VECTOR.replace('_', "/")), None);
    }

    #[test]
    fn the_key_before_is_still_known_and_the_one_before_that_is_not() {
        let nonces = nonces(&SetClock::at(MADE));
        nonces.rotate_to([1; 32]);
        assert_eq!(age(&nonces, VECTOR), Some(Age::Good));
        assert_ne!(nonces.make(REALM), VECTOR);
        nonces.rotate();
        assert_eq!(age(&nonces, VECTOR), None);
    }

    #[test]
    fn a22_no_key_is_printed() {
        let nonces = nonces(&SetClock::at(MADE));
        assert_eq!(format!("{nonces:?}"), "Nonces { lifetime: 300s, .. }");
        let known = nonces.look_at(VECTOR, REALM).unwrap();
        assert_eq!(
            format!("{:?}", known.id),
            "NonceId { made: 1700000000, .. }"
        );
    }

    proptest! {
        #[test]
        fn whatever_a_peer_invents_is_not_ours(nonce in ".{0,80}", now in any::<u64>()) {
            let clock = SetClock::at(now);
            prop_assert_eq!(nonces(&clock).look_at(&nonce, REALM), None);
        }

        #[test]
        fn what_is_made_is_known_at_once(realm in ".{0,40}", now in 0..u64::MAX / 2) {
            let nonces = nonces(&SetClock::at(now));
            let made = nonces.make(&realm);
            prop_assert_eq!(nonces.look_at(&made, &realm).map(|known| known.age), Some(Age::Good));
        }
    }
}
