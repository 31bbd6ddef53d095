//! Guards behind a real server's handshake: requests in, answers out.

mod basic;
mod bearer;
mod combined;
mod digest;
mod digest_hostile;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use cloverleaf_proto::Config;
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{
    Decision, Peer, RequestGuard, ServerHandshake, ServerOptions, ServerProgress,
};

use super::{Failure, Reason};
use crate::Identity;
use crate::digest::{Hash, Nonces};
use crate::testing::{FixedEntropy, SetClock, wait};

pub(super) const REALM: &str = "ws@example.com";
pub(super) const MADE: u64 = 1_700_000_000;
/// What is made at that time, with that key and that salt.
pub(super) const NONCE: &str = "AQAAAABlU_EAABEiM0RVZnev7pCSl6fX0TkvbLu7-hUB";

#[derive(Debug)]
struct NoMask;

impl MaskSource for NoMask {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

/// A server with one guard.
pub(super) struct Server {
    options: Arc<ServerOptions>,
    peer: Peer,
}

/// One connection to it.
pub(super) struct Connection(ServerHandshake);

/// What the server has answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
    pub(super) identity: Option<Identity>,
}

impl Server {
    pub(super) fn new(guard: impl RequestGuard + 'static) -> Self {
        let mut options = ServerOptions::default();
        options.guards.push(Arc::new(guard));
        Self {
            options: Arc::new(options),
            peer: Peer::at("192.0.2.7:50000".parse().unwrap()),
        }
    }

    pub(super) fn secure(mut self) -> Self {
        self.peer.secure = true;
        self
    }

    pub(super) fn with_certificates(mut self, certificates: &[&'static [u8]]) -> Self {
        self.peer.certificates = certificates.iter().map(|it| (*it).into()).collect();
        self
    }

    pub(super) fn connect(&self) -> Connection {
        let config = Arc::new(Config::new(Arc::new(NoMask)));
        let mut handshake = ServerHandshake::new(Arc::clone(&self.options), config, Instant::now());
        handshake.context_mut().insert(self.peer.clone());
        Connection(handshake)
    }

    /// What it answers to a request on a connection of its own.
    pub(super) fn ask(&self, authorization: &str) -> Answer {
        self.connect().ask("/chat", &[authorization])
    }
}

impl Connection {
    /// Asks for a target, with a header `Authorization` for each of these that is not empty.
    pub(super) fn ask(&mut self, target: &str, authorizations: &[&str]) -> Answer {
        let mut head = format!(
            "GET {target} HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n"
        );
        for value in authorizations.iter().filter(|value| !value.is_empty()) {
            head.push_str(&format!("Authorization: {value}\r\n"));
        }
        head.push_str("\r\n");
        self.send(head.as_bytes())
    }

    pub(super) fn send(&mut self, head: &[u8]) -> Answer {
        self.0.handle_input(head);
        wait(core::future::poll_fn(|context| self.0.poll_check(context)));
        let mut identity = None;
        if self.0.progress() == ServerProgress::Deciding {
            let extensions = self.0.received().unwrap().request.extensions();
            identity = extensions.get().cloned();
            self.0.respond(Decision::accept()).unwrap();
        }
        let text = String::from_utf8_lossy(self.0.poll_transmit()).into_owned();
        let written = text.len();
        self.0.handle_written(written);
        let status = text.split(' ').nth(1).map_or(0, |it| it.parse().unwrap());
        Answer {
            status,
            text,
            identity,
        }
    }
}

impl Answer {
    /// The values of the header lines of this name, as they were written.
    pub(super) fn lines(&self, name: &str) -> Vec<&str> {
        self.text
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    pub(super) fn challenges(&self) -> Vec<&str> {
        self.lines("WWW-Authenticate")
    }

    /// 401 that says that the nonce was too old.
    pub(super) fn is_stale(&self) -> bool {
        assert_eq!(self.status, 401, "{}", self.text);
        let challenges = self.challenges();
        let stale = challenges.iter().filter(|it| it.contains("stale=true"));
        let stale = stale.count();
        assert!(stale == 0 || stale == challenges.len());
        stale > 0
    }
}

/// Keeps what a guard tells of failures.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Failure>>>);

impl Log {
    pub(super) fn listener(&self) -> impl Fn(&Failure) + Send + Sync + 'static {
        let log = self.clone();
        move |failure| log.0.lock().unwrap().push(failure.clone())
    }

    /// Why the last one failed, if one did since this was asked.
    pub(super) fn last(&self) -> Option<Reason> {
        let failure = self.0.lock().unwrap().drain(..).next_back();
        failure.map(|failure| failure.reason)
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

/// Nonces that are [`NONCE`] for as long as nobody turns the clock.
pub(super) fn nonces(clock: &Arc<SetClock>) -> Nonces {
    let key = core::array::from_fn(|i| u8::try_from(i).unwrap());
    let salt = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77];
    Nonces::shared(key, Arc::new(FixedEntropy::new(salt)), clock.clone())
}

/// A client of Digest, its digests by the letter of RFC 7616 §3.4.1.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) realm: &'static str,
    pub(super) uri: String,
    pub(super) nonce: String,
    pub(super) nc: &'static str,
    pub(super) cnonce: &'static str,
    pub(super) qop: &'static str,
    pub(super) algorithm: &'static str,
}

impl Client {
    pub(super) fn new() -> Self {
        Self {
            user: "user",
            password: "pass",
            realm: REALM,
            uri: "/chat".to_owned(),
            nonce: NONCE.to_owned(),
            nc: "00000001",
            cnonce: "0a4f113b",
            qop: "auth",
            algorithm: "SHA-256",
        }
    }

    pub(super) fn hash(&self, text: &str) -> String {
        let hash = match self.algorithm.trim_end_matches("-sess") {
            "MD5" => Hash::Md5,
            "SHA-512-256" => Hash::Sha512_256,
            _ => Hash::Sha256,
        };
        hash.hex(&[text.as_bytes()])
    }

    fn digest(&self, method: &str) -> String {
        let Self {
            user,
            password,
            realm,
            uri,
            nonce,
            nc,
            cnonce,
            qop,
            ..
        } = self;
        let mut ha1 = self.hash(&format!("{user}:{realm}:{password}"));
        if self.algorithm.ends_with("-sess") {
            ha1 = self.hash(&format!("{ha1}:{nonce}:{cnonce}"));
        }
        let ha2 = match *qop {
            "auth-int" => self.hash(&format!("{method}:{uri}:{}", self.hash(""))),
            _ => self.hash(&format!("{method}:{uri}")),
        };
        match *qop {
            "" => self.hash(&format!("{ha1}:{nonce}:{ha2}")),
            _ => self.hash(&format!("{ha1}:{nonce}:{nc}:{cnonce}:{qop}:{ha2}")),
        }
    }

    pub(super) fn response(&self) -> String {
        self.digest("GET")
    }

    pub(super) fn rspauth(&self) -> String {
        self.digest("")
    }

    /// The value of `Authorization`, under this name.
    pub(super) fn named(&self, username: &str) -> String {
        let Self {
            realm,
            uri,
            nonce,
            nc,
            cnonce,
            qop,
            algorithm,
            ..
        } = self;
        let response = self.response();
        let counted = match *qop {
            "" => String::new(),
            _ => format!(", nc={nc}, cnonce=\"{cnonce}\", qop={qop}"),
        };
        format!(
            "Digest {username}, realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             algorithm={algorithm}, response=\"{response}\"{counted}"
        )
    }

    pub(super) fn header(&self) -> String {
        self.named(&format!("username=\"{}\"", self.user))
    }
}

/// The value of a parameter of a challenge.
pub(super) fn param<'a>(challenge: &'a str, name: &str) -> &'a str {
    let start = challenge.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
    challenge[start..].split('"').next().unwrap()
}
