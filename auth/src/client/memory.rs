//! What a client learns from one opening handshake and uses for the next.

use std::collections::HashMap;

use super::place::Origin;
use crate::digest::{self, NonceCount};

/// So many places are remembered; then an arbitrary one is forgotten.
const MAX_PLACES: usize = 256;

/// To whom credentials are shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Origin(Origin),
    /// The proxy that the client is told to use.
    Proxy,
}

/// What may be sent with the first request, unasked.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Basic, for targets that start so.
    Basic(String),
    /// Digest, with a nonce that was used so many times.
    Digest(Box<digest::Challenge>, u32),
}

#[derive(Debug, Default)]
pub(super) struct Memory(HashMap<Place, Known>);

impl Memory {
    pub(super) fn keep(&mut self, place: Place, mut known: Known) {
        // Another opening handshake may have used the nonce more often by now.
        if let (Known::Digest(new, used), Some(Known::Digest(old, others))) =
            (&mut known, self.0.get(&place))
            && new.nonce == old.nonce
        {
            *used = (*others).max(*used);
        }
        if self.0.len() >= MAX_PLACES && !self.0.contains_key(&place) {
            let other = self.0.keys().next().cloned();
            other.map(|place| self.0.remove(&place));
        }
        self.0.insert(place, known);
    }

    pub(super) fn forget(&mut self, place: &Place) {
        self.0.remove(place);
    }

    /// Whether Basic is known to be asked for at this target.
    pub(super) fn has_basic(&self, place: &Place, target: &str) -> bool {
        matches!(self.0.get(place), Some(Known::Basic(folder)) if target.starts_with(&**folder))
    }

    /// A challenge that can be answered unasked, and the count for it. Nobody else gets that count;
    /// without `reuse` nobody else gets the nonce.
    pub(super) fn take_digest(
        &mut self,
        place: &Place,
        reuse: bool,
        covers: impl Fn(&digest::Challenge) -> bool,
    ) -> Option<(digest::Challenge, NonceCount)> {
        let Some(Known::Digest(challenge, used)) = self.0.get_mut(place) else {
            return None;
        };
        if !covers(challenge) {
            return None;
        }
        let next = used.checked_add(1);
        let taken = next.map(|count| ((**challenge).clone(), NonceCount::new(count)));
        match next {
            Some(count) if reuse => *used = count,
            // The nonce may be used once, or 2^32 - 1 times: never again with the count 0.
            _ => self.forget(place),
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{Challenge, Hash};

    fn known(used: u32) -> Known {
        Known::Digest(
            Box::new(Challenge::new("r", "n", Hash::Sha256.into())),
            used,
        )
    }

    fn count(memory: &mut Memory, reuse: bool) -> Option<u32> {
        let taken = memory.take_digest(&Place::Proxy, reuse, |_| true);
        taken.map(|(_, count)| count.number())
    }

    #[test]
    fn a_nonce_is_used_once_unless_it_may_be_used_again() {
        let mut memory = Memory::default();
        memory.keep(Place::Proxy, known(0));
        assert_eq!(memory.take_digest(&Place::Proxy, true, |_| false), None);
        assert_eq!(count(&mut memory, true), Some(1));
        assert_eq!(count(&mut memory, true), Some(2));
        assert_eq!(count(&mut memory, false), Some(3));
        assert_eq!(count(&mut memory, false), None);
    }

    #[test]
    fn openings_at_the_same_time_do_not_take_each_others_counts() {
        let mut memory = Memory::default();
        memory.keep(Place::Proxy, known(1));
        assert_eq!(count(&mut memory, true), Some(2));
        assert_eq!(count(&mut memory, true), Some(3));
        memory.keep(Place::Proxy, known(2));
        assert_eq!(count(&mut memory, true), Some(4));
    }

    // A12.
    #[test]
    fn a_count_does_not_begin_again() {
        let mut memory = Memory::default();
        memory.keep(Place::Proxy, known(u32::MAX - 1));
        assert_eq!(count(&mut memory, true), Some(u32::MAX));
        assert_eq!(count(&mut memory, true), None);
        assert!(memory.0.is_empty());
    }

    #[test]
    fn no_more_places_are_remembered_than_the_limit() {
        let mut memory = Memory::default();
        for port in 1..1000 {
            let uri = format!("ws://a:{port}/");
            let request = cloverleaf_proto::handshake::ClientRequest::new(&uri).expect("a URI");
            let place = Place::Origin(Origin::of(&request));
            memory.keep(place.clone(), Known::Basic("/".to_owned()));
            memory.keep(place.clone(), Known::Basic("/b/".to_owned()));
            assert!(memory.has_basic(&place, "/b/c") && !memory.has_basic(&place, "/c"));
        }
        assert_eq!(memory.0.len(), MAX_PLACES);
    }
}
