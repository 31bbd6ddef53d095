//! Our servers, and what they see.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cloverleaf::{Server, ServerOptions};
use cloverleaf_auth::Identity;
use cloverleaf_auth::digest::{self, Nonces};
use cloverleaf_auth::guard::{Basic, Digest};
use cloverleaf_auth::header::{find_credentials, parse_challenges};
use cloverleaf_auth::store::Memory;
use cloverleaf_proto::handshake::{Check, OriginPolicy, Received, Rejection, RequestGuard};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

/// The one user there is. The password needs quoting in a URL, and the realm in a header.
pub(crate) const USER: &str = "Mufasa";
pub(crate) const PASSWORD: &str = "Circle of Life";
pub(crate) const REALM: &str = "testrealm@host.com";

/// A server of ours, for as long as the test runs.
pub(crate) struct Ours {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Ours {
    /// Says who somebody is when it lets them in, if it knows, and then sends back what it gets.
    /// Browsers get an empty page from it too.
    pub(crate) async fn start(guards: Vec<Arc<dyn RequestGuard>>) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut options = ServerOptions::default();
        options.plain_http = true;
        // Not what these tests are about.
        options.origin = OriginPolicy::Any;
        options.guards = vec![Arc::new(watch(Arc::clone(&seen)))];
        options.guards.extend(guards);
        options.guards.push(Arc::new(page));
        let server = Server::bind("127.0.0.1:0").await.expect("a free port");
        let server = server.options(options);
        let address = server.local_addr().expect("it is bound");
        tokio::spawn(server.serve(|mut socket| async move {
            let request = socket.opening().handshake.request();
            let identity = request.extensions().get::<Identity>();
            if let Some(Identity { name, scheme, .. }) = identity {
                let greeting = format!("Hello, {name} by {scheme}");
                socket.send(greeting).await?;
            }
            while let Some(message) = socket.recv().await? {
                socket.send(message).await?;
            }
            Ok(())
        }));
        Self { address, seen }
    }

    /// The requests so far: the number of the connection, method, target, and whose credentials by
    /// which scheme or algorithm.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("nobody panics in there").clone()
    }
}

/// Writes requests down, and lets them pass.
fn watch(
    seen: Arc<Mutex<Vec<String>>>,
) -> impl Fn(&mut Received) -> Result<(), Rejection> + Send + Sync {
    let ports = Mutex::new(Vec::new());
    move |received| {
        let target = received.request.uri().path();
        let port = received.peer().and_then(|peer| peer.address);
        let port = port.expect("it came by TCP").port();
        let mut ports = ports.lock().expect("nobody panics in here");
        let connection = ports.iter().position(|it| *it == port);
        let connection = connection.unwrap_or_else(|| {
            ports.push(port);
            ports.len() - 1
        });
        let what = if received.is_websocket() {
            "socket"
        } else {
            "page"
        };
        let credentials = find_credentials(received.request.headers(), &AUTHORIZATION);
        let credentials = match credentials {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(credentials)) => match digest::Authorization::parse(&credentials) {
                Ok(digest) => digest.algorithm.name().to_owned(),
                Err(_) => credentials.scheme().to_owned(),
            },
            Err(error) => error.to_string(),
        };
        let mut seen = seen.lock().expect("nobody panics in here");
        seen.push(format!("{} {what} {target}: {credentials}", connection + 1));
        Ok(())
    }
}

/// Answers what is no WebSocket.
fn page(received: &mut Received) -> Result<(), Rejection> {
    if received.is_websocket() {
        return Ok(());
    }
    let page = Rejection::new(StatusCode::OK, "a page");
    // Browsers ask for an icon otherwise, when they like.
    let content = b"<!doctype html><title>inside</title><link rel=icon href=data:,>";
    let content = Bytes::from_static(content);
    Err(page.with_body(HeaderValue::from_static("text/html"), content))
}

fn users() -> Arc<Memory> {
    Arc::new(Memory::new().user(USER, REALM, PASSWORD))
}

/// Basic, without TLS.
pub(crate) fn basic() -> Basic {
    let guard = Basic::new(REALM, users()).expect("a realm");
    guard.allow_insecure_basic()
}

/// Digest with SHA-256.
pub(crate) fn digest() -> Digest {
    let nonces = Nonces::new(cloverleaf::entropy(), cloverleaf::wall_clock());
    Digest::new(REALM, users(), nonces).expect("a realm")
}

/// Digest with one algorithm, which nobody should have: what a client does that has no choice.
pub(crate) fn digest_with(algorithm: &'static str) -> impl RequestGuard + 'static {
    let every = digest().sha512_256().legacy_md5().sessions();
    Only { every, algorithm }
}

struct Only {
    every: Digest,
    algorithm: &'static str,
}

impl Only {
    /// The refusal with this algorithm's challenge alone.
    fn narrow(&self, rejection: Rejection) -> Rejection {
        let mut challenges = rejection.headers().get_all(WWW_AUTHENTICATE).iter();
        let only = challenges.find(|value| {
            parse_challenges([*value])
                .iter()
                .filter_map(|challenge| digest::Challenge::parse(challenge).ok())
                .any(|challenge| challenge.algorithm.name() == self.algorithm)
        });
        match only {
            Some(challenge) => Rejection::unauthorized(challenge.clone()),
            None => rejection,
        }
    }
}

impl RequestGuard for Only {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(async move {
            let checked = self.every.check(received).await;
            checked.map_err(|rejection| self.narrow(rejection))
        })
    }
}
