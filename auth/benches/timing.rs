//! Can a stranger tell by the clock whether a user exists, or how much of a password is right?
//!
//! Measures the time of `RequestGuard::check` for requests that differ in one thing only, in turns
//! that are shuffled, and prints Welch's t of the two samples: |t| below 4.5 is what chance would
//! make of the same distribution. Each sample is taken as it is, and once more without the slowest
//! tenth of both together: interrupts, which are no work of ours, hide small differences there.
//! Prints as well what a failure costs.
//!
//! `cargo bench -p cloverleaf-auth --bench timing [-- TRIES]`, 100,000 tries of each kind unless
//! told otherwise.

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloverleaf_auth::Secret;
use cloverleaf_auth::digest::{
    Algorithm, Authorization, Hash, NonceCount, Nonces, Qop, Question, Username, response,
};
use cloverleaf_auth::guard::{Basic, Digest};
use cloverleaf_auth::store::{Htdigest, Store};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{Peer, Received, RequestGuard, ServerHandshake, ServerOptions};
use cloverleaf_proto::{Config, Entropy, WallClock};
use http::header::WWW_AUTHENTICATE;

const REALM: &str = "ws@example.com";
const TRIES: usize = 100_000;

#[derive(Debug)]
struct NoMask;

impl MaskSource for NoMask {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

#[derive(Debug)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, octets: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (octet, value) in octets.iter_mut().zip(number.iter().cycle()) {
            *octet = *value;
        }
    }
}

#[derive(Debug)]
struct System;

impl WallClock for System {
    fn unix_time(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }
}

fn main() {
    let tries = std::env::args().skip(1).find_map(|it| it.parse().ok());
    let tries = tries.unwrap_or(TRIES);
    println!("{tries} tries of each kind");

    let users = users();
    let basic = Basic::new(REALM, users.clone()).expect("a realm");
    let nonces = Nonces::new(Arc::new(Counter(0.into())), Arc::new(System));
    let digest = Digest::new(REALM, users, nonces).expect("a realm");
    let nonce = nonce_of(&digest);

    let basic_of = |user: &str, password: &str| {
        let credentials = STANDARD.encode(format!("{user}:{password}"));
        received(&format!("Authorization: Basic {credentials}\r\n"))
    };
    let digest_of = |user: &str, password: &str, change: fn(String) -> String| {
        received(&format!(
            "Authorization: {}\r\n",
            authorization(user, password, &nonce, change)
        ))
    };
    // All names and passwords are of the same length, as hashing takes longer for longer ones.
    for (what, guard, one, other) in [
        (
            "Basic: the same twice (what chance makes)",
            &basic as &dyn RequestGuard,
            basic_of("user500", "wrong-password"),
            basic_of("user500", "wrong-password"),
        ),
        (
            "Basic: no such user, and a wrong password",
            &basic,
            basic_of("nobody0", "wrong-password"),
            basic_of("user500", "wrong-password"),
        ),
        (
            "Basic: a wrong password, and one with the right beginning",
            &basic,
            basic_of("user500", "xight-password"),
            basic_of("user500", "right-passworx"),
        ),
        (
            "Digest: no such user, and a wrong password",
            &digest,
            digest_of("nobody0", "wrong-password", |it| it),
            digest_of("user500", "wrong-password", |it| it),
        ),
        (
            "Digest: an answer wrong at its beginning, and at its end",
            &digest,
            digest_of("user500", "right-password", |it| change(&it, 0)),
            digest_of("user500", "right-password", |it| change(&it, 63)),
        ),
    ] {
        compare(what, guard, [one, other], tries);
    }
    look_up(tries);
}

/// What it costs to find one of a hundred thousand users.
fn look_up(tries: usize) {
    let users = 100_000;
    let lines: String = (0..users)
        .map(|number| format!("user{number}:{REALM}:{number:064x}\n"))
        .collect();
    let store = Htdigest::parse(lines.as_bytes()).store;
    let names: Vec<_> = (0..tries)
        .map(|number| format!("user{}", number * 7919 % users))
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    let mut batches: Vec<_> = names
        .chunks(100)
        .map(|names| {
            let start = Instant::now();
            for name in names {
                let found = pin!(store.ha1(name, REALM, Hash::Sha256)).poll(&mut context);
                assert!(matches!(black_box(found), Poll::Ready(Ok(Some(_)))));
            }
            start.elapsed().as_secs_f64() * 1e9 / names.len() as f64
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    if let Some(median) = batches.get(batches.len() / 2) {
        println!("A look-up among {users} users: {median:.1} ns (median of batches of 100)");
    }
}

/// A file of a thousand users.
fn users() -> Arc<dyn Store> {
    let lines: Vec<_> = (0..1000)
        .map(|number| {
            let password = Secret::from("right-password");
            Htdigest::line(&format!("user{number:03}"), REALM, &password, Hash::Sha256)
                .expect("plain names")
        })
        .collect();
    Arc::new(Htdigest::parse(lines.join("\n").as_bytes()).store)
}

/// A request as a guard gets to see it.
fn received(authorization: &str) -> Received {
    let head = format!(
        "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n{authorization}\r\n"
    );
    let config = Arc::new(Config::new(Arc::new(NoMask)));
    let options = Arc::new(ServerOptions::default());
    let mut handshake = ServerHandshake::new(options, config, Instant::now());
    let mut peer = Peer::default();
    peer.secure = true;
    handshake.context_mut().insert(peer);
    handshake.handle_input(head.as_bytes());
    handshake.received().expect("a good request").clone()
}

/// What a guard says at once.
fn check(guard: &dyn RequestGuard, received: &mut Received) -> http::StatusCode {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(guard.check(received)).poll(&mut context) {
        Poll::Ready(Ok(())) => http::StatusCode::SWITCHING_PROTOCOLS,
        Poll::Ready(Err(rejection)) => rejection.status(),
        Poll::Pending => http::StatusCode::PROCESSING,
    }
}

fn nonce_of(digest: &Digest) -> String {
    let mut context = Context::from_waker(Waker::noop());
    let mut received = received("");
    let Poll::Ready(Err(rejection)) = pin!(digest.check(&mut received)).poll(&mut context) else {
        panic!("it challenges");
    };
    let challenge = rejection.headers()[WWW_AUTHENTICATE]
        .to_str()
        .expect("ASCII");
    let (_, rest) = challenge.split_once("nonce=\"").expect("a nonce");
    rest.split('"').next().unwrap_or_default().to_owned()
}

fn authorization(user: &str, password: &str, nonce: &str, change: fn(String) -> String) -> String {
    let question = Question {
        algorithm: Algorithm::from(Hash::Sha256),
        realm: REALM,
        nonce,
        cnonce: "0a4f113b",
        nc: NonceCount::FIRST,
        qop: Some(Qop::Auth),
        method: "GET",
        uri: "/chat",
        content: b"",
    };
    let mut shown = Authorization::new(Username::Clear(user.to_owned()), &question);
    shown.response = change(response(user, &Secret::from(password), &question));
    let value = shown.write().expect("plain values").to_value();
    value.to_str().expect("ASCII").to_owned()
}

/// Another digit at this place.
fn change(digits: &str, place: usize) -> String {
    let mut changed = digits.to_owned().into_bytes();
    changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
    String::from_utf8(changed).expect("digits")
}

fn compare(what: &str, guard: &dyn RequestGuard, requests: [Received; 2], tries: usize) {
    let mut requests = requests;
    let mut times = [Vec::with_capacity(tries), Vec::with_capacity(tries)];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for turn in 0..tries + tries / 10 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let first = usize::from(random & 1 == 1);
        for kind in [first, 1 - first] {
            let start = Instant::now();
            let status = black_box(check(guard, black_box(&mut requests[kind])));
            let time = start.elapsed();
            assert_eq!(status, http::StatusCode::UNAUTHORIZED, "{what}");
            // The first tenth is to warm up.
            if turn >= tries / 10 {
                times[kind].push(time.as_secs_f64() * 1e9);
            }
        }
    }
    let mut both: Vec<_> = times.iter().flatten().copied().collect();
    both.sort_by(f64::total_cmp);
    let limit = both[both.len() / 10 * 9];
    let cut = times.clone().map(|times| {
        let fast = times.into_iter().filter(|time| *time <= limit);
        fast.collect::<Vec<_>>()
    });
    println!("{what}");
    for (name, [one, other]) in [("all", &times), ("fastest 90 %", &cut)] {
        let (one, other) = (moments(one), moments(other));
        let t = (one.mean - other.mean) / (one.error + other.error).sqrt();
        println!(
            "  {name:<13} {:8.1} ns {:8.1} ns   t = {t:6.2}   {}",
            one.mean,
            other.mean,
            if t.abs() < 4.5 {
                "indistinguishable"
            } else {
                "DIFFERENT"
            }
        );
    }
}

struct Moments {
    mean: f64,
    /// Of the mean, squared.
    error: f64,
}

fn moments(times: &[f64]) -> Moments {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
    Moments {
        mean,
        error: squares / (count - 1.0) / count,
    }
}
