//! Tickets: who it is, for those who cannot show a header.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloverleaf_proto::handshake::{Check, Received, Rejection, RequestGuard};
use cloverleaf_proto::{Entropy, WallClock};

use crate::digest::{Age, Nonces, Replay, ReplayCache, Usage};
use crate::{Identity, Scheme};

/// Long enough for a page to open its connection, and too short for a log to be worth reading.
const LIFETIME: Duration = Duration::from_secs(30);

/// The parameter of the query that carries a ticket.
const PARAMETER: &str = "ticket";

/// A name is at most so long, so that a ticket fits into a URL.
const MAX_NAME: usize = 256;

/// Gives tickets out, and takes each back once.
///
/// A page cannot add a header to a WebSocket, and browsers answer a 401 to one only in part. So a page
/// asks for a ticket by an ordinary request, which is authenticated in any way that works there, and
/// opens the WebSocket with it: `wss://example.com/chat?ticket=…`. A ticket names a user, is good for
/// 30 s and for one connection, and cannot be made without the key; nothing is remembered of those that
/// are out. It is a guard, too: it lets those pass who have one.
///
/// It is only as secret as the URL: send it over TLS, and do not log queries.
#[derive(Clone)]
pub struct Tickets {
    nonces: Arc<Nonces>,
    replay: Arc<dyn Replay>,
}

impl Tickets {
    /// Tickets that this process alone knows, and forgets when it ends.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>, clock: Arc<dyn WallClock>) -> Self {
        let nonces = Nonces::new(entropy, clock).lifetime(LIFETIME);
        Self::shared(nonces, ReplayCache::new())
    }

    /// Tickets that one process gives out and another takes back: with nonces
    /// [of a shared key](Nonces::shared), whose lifetime is that of the tickets, and with what both
    /// remember used ones in.
    #[must_use]
    pub fn shared(nonces: impl Into<Arc<Nonces>>, replay: impl Replay + 'static) -> Self {
        Self {
            nonces: nonces.into(),
            replay: Arc::new(replay),
        }
    }

    /// A ticket for this user: letters, digits, `-`, `_` and one dot.
    ///
    /// # Errors
    ///
    /// A name of more than 256 octets.
    pub fn issue(&self, user: &str) -> Result<String, NameTooLong> {
        if user.len() > MAX_NAME {
            return Err(NameTooLong);
        }
        let seal = self.nonces.make(&purpose(user));
        Ok(format!("{seal}.{}", URL_SAFE_NO_PAD.encode(user)))
    }

    /// The user of a ticket, which is used up by it. `None` if it is none of ours, too old, or used.
    ///
    /// # Errors
    ///
    /// 503 if nobody can say whether it has been used.
    async fn redeem(&self, ticket: &str) -> Result<Option<String>, Rejection> {
        let Some((seal, user)) = ticket.split_once('.') else {
            return Ok(None);
        };
        if user.len() > MAX_NAME.div_ceil(3) * 4 {
            return Ok(None);
        }
        let user = URL_SAFE_NO_PAD.decode(user).ok();
        let Some(user) = user.and_then(|user| String::from_utf8(user).ok()) else {
            return Ok(None);
        };
        let Some(known) = self.nonces.look_at(seal, &purpose(&user)) else {
            return Ok(None);
        };
        if known.age != Age::Good {
            return Ok(None);
        }
        let usage = Usage {
            nonce: known.id,
            count: 1,
            now: self.nonces.now(),
            expires: self.nonces.expires(&known.id),
        };
        match self.replay.spend(usage).await {
            Ok(true) => Ok(Some(user)),
            Ok(false) => Ok(None),
            Err(_) => Err(Rejection::service_unavailable(None)),
        }
    }

    async fn decide(&self, received: &mut Received) -> Result<(), Rejection> {
        let query = received.request.uri().query().unwrap_or_default();
        let mut tickets = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(name, _)| *name == PARAMETER);
        let found = match (tickets.next(), tickets.next()) {
            (Some((_, ticket)), None) => self.redeem(ticket).await?,
            _ => None,
        };
        let Some(name) = found else {
            // No 401: there is no challenge that another attempt could answer.
            return Err(Rejection::forbidden(
                "a ticket is needed, and each is good for once",
            ));
        };
        received.request.extensions_mut().insert(Identity {
            name,
            scheme: Scheme::Ticket,
        });
        Ok(())
    }
}

impl RequestGuard for Tickets {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(self.decide(received))
    }
}

/// What the seal is over, beside time and salt. No realm of Digest has a control character.
fn purpose(user: &str) -> String {
    format!("ticket\0{user}")
}

/// A name that no ticket carries: more than 256 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing more to say")]
pub struct NameTooLong;

impl fmt::Display for NameTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name is longer than 256 octets, and would make the URL too long")
    }
}

impl core::error::Error for NameTooLong {}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::super::tests::Server;
    use super::*;
    use crate::testing::{SetClock, now};

    /// Other octets every time.
    #[derive(Debug, Default)]
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, octets: &mut [u8]) {
            octets.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn tickets() -> (Tickets, Arc<SetClock>) {
        let clock = SetClock::at(1_700_000_000);
        let tickets = Tickets::new(Arc::new(Counting::default()), clock.clone());
        (tickets, clock)
    }

    fn redeemed(tickets: &Tickets, ticket: &str) -> Option<String> {
        now(tickets.redeem(ticket)).expect("the memory of one process always knows")
    }

    #[test]
    fn a_ticket_names_its_user_once() {
        let (tickets, _) = tickets();
        for user in [
            "Ada",
            "J\u{e4}s\u{f8}n Doe",
            "a&b=c.d",
            "",
            &"x".repeat(MAX_NAME),
        ] {
            let ticket = tickets.issue(user).expect(user);
            let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
            assert!(ticket.bytes().all(is_plain), "{ticket}");
            assert_eq!(redeemed(&tickets, &ticket).as_deref(), Some(user));
            assert_eq!(redeemed(&tickets, &ticket), None, "a second time");
        }
        assert_eq!(tickets.issue(&"x".repeat(MAX_NAME + 1)), Err(NameTooLong));
    }

    #[test]
    fn a_ticket_is_good_for_half_a_minute() {
        let (tickets, clock) = tickets();
        let [one, other] = [(); 2].map(|()| tickets.issue("Ada").expect("a name"));
        clock.set(1_700_000_030);
        assert!(redeemed(&tickets, &one).is_some());
        clock.set(1_700_000_031);
        assert_eq!(redeemed(&tickets, &other), None);
    }

    #[test]
    fn what_is_not_ours_names_nobody() {
        let (tickets, _) = tickets();
        let ticket = tickets.issue("Ada").expect("a name");
        let (seal, user) = ticket.split_once('.').expect("two parts");
        let eve = URL_SAFE_NO_PAD.encode("Eve");
        for forged in [
            String::new(),
            ".".to_owned(),
            seal.to_owned(),
            format!("{seal}."),
            format!("{seal}.{eve}"),
            format!(".{user}"),
            format!("{seal}.{user}="),
            format!("{seal}.{user}.x"),
            format!("{seal}x.{user}"),
            format!("{seal}.{}", "x".repeat(10_000)),
            "\u{e9}.\u{e9}".to_owned(),
            Nonces::new(Arc::new(Counting::default()), SetClock::at(1_700_000_000)).make("Ada"),
        ] {
            assert_eq!(redeemed(&tickets, &forged), None, "{forged}");
        }
        // The same octets from the same entropy: it is the key that differs.
        let shared = |key| {
            let nonces = Nonces::shared(
                [key; 32],
                Arc::new(Counting::default()),
                SetClock::at(1_700_000_000),
            );
            Tickets::shared(nonces, ReplayCache::new())
        };
        let ticket = shared(1).issue("Ada").expect("a name");
        assert_eq!(redeemed(&shared(2), &ticket), None);
        assert!(redeemed(&shared(1), &ticket).is_some());
    }

    #[test]
    fn a_request_with_one_good_ticket_passes_and_no_other() {
        let (tickets, _) = tickets();
        let server = Server::new(tickets.clone());
        let issue = || tickets.issue("Ada").expect("a name");
        let (one, two) = (issue(), issue());
        for target in [
            "/chat".to_owned(),
            "/chat?ticket=".to_owned(),
            format!("/chat?Ticket={one}"),
            format!("/chat?ticket={one}&ticket={two}"),
            format!("/{one}"),
        ] {
            let answer = server.connect().ask(&target, &[]);
            assert_eq!((answer.status, answer.identity), (403, None), "{target}");
        }
        let target = format!("/chat?room=1&ticket={one}&x");
        let answer = server.connect().ask(&target, &[]);
        let expected = Identity {
            name: "Ada".to_owned(),
            scheme: Scheme::Ticket,
        };
        assert_eq!((answer.status, answer.identity), (101, Some(expected)));
        assert_eq!(server.connect().ask(&target, &[]).status, 403, "again");
    }
}
