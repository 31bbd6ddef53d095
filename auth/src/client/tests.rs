//! Opening handshakes, request by request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use cloverleaf_proto::Entropy;
use cloverleaf_proto::handshake::{Authenticator, ClientRequest, Peer, ResponseHandler};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, Method, Request, Response};

use super::*;
use crate::digest::{Authorization, Ha1, Hash, Info, Qop, Username, matches};
use crate::header::{find_credentials, parse_credentials};

/// Octets that count up, so that no two nonces are the same.
#[derive(Debug, Default)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn responder() -> Responder {
    Responder::new(Arc::new(Counting::default()))
        .credentials(Credentials::new("user", "pass").expect("credentials"))
}

/// An opening handshake: its request and who answers for it.
struct Opening {
    request: Request<()>,
    handler: Box<dyn ResponseHandler>,
}

impl Opening {
    fn of(responder: &Responder, uri: &str) -> Self {
        let request = ClientRequest::new(uri).expect(uri);
        Self {
            handler: responder.begin(&request),
            request: request.to_http(),
        }
    }

    /// Puts headers into the request as the engine does.
    fn send(&mut self, headers: HeaderMap) {
        for (name, value) in headers {
            self.request
                .headers_mut()
                .insert(name.expect("once"), value);
        }
    }

    fn prepare(&mut self) -> Option<String> {
        let headers = self.handler.prepare(&self.request);
        assert!(headers.values().all(http::HeaderValue::is_sensitive));
        let written = value_of(&headers);
        self.send(headers);
        written
    }

    /// What answers a response of this status with these challenges.
    fn answer(&mut self, status: u16, challenges: &[&str]) -> Option<String> {
        let name = match status {
            407 => "proxy-authenticate",
            _ => "www-authenticate",
        };
        let mut response = Response::builder().status(status);
        for challenge in challenges {
            response = response.header(name, *challenge);
        }
        let response = response.body(Bytes::new()).expect("a response");
        let headers = self.handler.retry(&self.request, &response)?;
        assert!(headers.values().all(http::HeaderValue::is_sensitive));
        let written = value_of(&headers);
        self.send(headers);
        written
    }

    /// The Digest that the last request carried.
    fn digest(&self) -> Authorization {
        let found = find_credentials(self.request.headers(), &AUTHORIZATION);
        let credentials = found.expect("one header").expect("credentials");
        Authorization::parse(&credentials).expect("Digest")
    }

    fn opened(&mut self, info: &[String]) -> Result<(), String> {
        let mut response = Response::builder().status(101);
        for info in info {
            response = response.header("authentication-info", info);
        }
        let response = response.body(()).expect("a response");
        self.handler.opened(&self.request, &response)
    }
}

fn value_of(headers: &HeaderMap) -> Option<String> {
    let (name, value) = headers.iter().next()?;
    assert_eq!(headers.len(), 1);
    let name: &HeaderName = name;
    Some(format!("{name}: {}", value.to_str().expect("ASCII")))
}

fn challenge(nonce: &str, more: &str) -> String {
    format!(
        r#"Digest realm="ws@example.com", qop="auth", algorithm=SHA-256, nonce="{nonce}"{more}"#
    )
}

/// Whether the proof in credentials is that of `user` and `pass`.
fn is_right(sent: &Authorization, method: &str) -> bool {
    let ha1 = Ha1::new(sent.algorithm.hash, "user", &sent.realm, &"pass".into());
    matches(&ha1.response(&sent.question(method, b"")), &sent.response)
}

const BASIC: &str = "authorization: Basic dXNlcjpwYXNz";

#[test]
fn a_challenge_is_answered_as_the_standard_shows() {
    let mut opening = Opening::of(&responder(), "ws://a/chat?room=1");
    assert_eq!(opening.prepare(), None);
    let asked = challenge("n1", r#", opaque="b3A=""#);
    let answer = opening.answer(401, &[&asked]).expect("an answer");
    let sent = opening.digest();
    assert!(is_right(&sent, "GET"));
    assert_eq!(
        answer,
        format!(
            "authorization: Digest username=\"user\", realm=\"ws@example.com\", \
             uri=\"/chat?room=1\", algorithm=SHA-256, nonce=\"n1\", nc=00000001, \
             cnonce=\"000102030405060708090a0b0c0d0e0f\", qop=auth, response=\"{}\", \
             opaque=\"b3A=\"",
            sent.response
        )
    );
    assert_eq!(opening.opened(&[]), Ok(()));
}

// Conformance case 55.
#[test]
fn a_second_refusal_is_the_end() {
    let mut opening = Opening::of(&responder(), "ws://a/");
    assert!(opening.answer(401, &[&challenge("n1", "")]).is_some());
    assert_eq!(opening.answer(401, &[&challenge("n2", "")]), None);

    let mut opening = Opening::of(&responder(), "wss://a/");
    assert_eq!(
        opening.answer(401, &["Basic realm=a"]).as_deref(),
        Some(BASIC)
    );
    assert_eq!(opening.answer(401, &["Basic realm=a"]), None);
    assert_eq!(opening.answer(401, &["Basic realm=b"]), None);

    // Less is not offered instead.
    let mut opening = Opening::of(&responder(), "wss://a/");
    assert!(opening.answer(401, &[&challenge("n1", "")]).is_some());
    assert_eq!(opening.answer(401, &["Basic realm=a"]), None);
}

// A18; conformance case 54.
#[test]
fn a_nonce_that_was_too_old_is_replaced_once() {
    let mut opening = Opening::of(&responder(), "ws://a/");
    assert!(opening.answer(401, &[&challenge("n1", "")]).is_some());
    let first = opening.digest();
    assert!(
        opening
            .answer(401, &[&challenge("n2", ", stale=\"TRUE\"")])
            .is_some()
    );
    let second = opening.digest();
    assert_eq!(
        (second.nonce.as_str(), second.nc.map(|nc| nc.number())),
        ("n2", Some(1))
    );
    assert_ne!(first.cnonce, second.cnonce);
    assert!(is_right(&second, "GET"));
    assert_eq!(
        opening.answer(401, &[&challenge("n3", ", stale=true")]),
        None
    );

    // The same challenge again is a server that goes in circles.
    let mut opening = Opening::of(&responder(), "ws://a/");
    assert!(opening.answer(401, &[&challenge("n1", "")]).is_some());
    assert_eq!(
        opening.answer(401, &[&challenge("n1", ", stale=true")]),
        None
    );
}

#[test]
fn what_is_no_challenge_for_us_is_not_answered() {
    for (status, challenge) in [
        (403, challenge("n", "")),
        (200, challenge("n", "")),
        (407, challenge("n", "")),
        (401, "NTLM".to_owned()),
        (401, "Digest \u{e9}=\"a\", x=b".to_owned()),
        (401, String::new()),
        (401, challenge("n", ", nonce=m")),
    ] {
        let mut opening = Opening::of(&responder(), "wss://a/");
        assert_eq!(opening.answer(status, &[&challenge]), None, "{challenge}");
    }
    let nobody = Responder::new(Arc::new(Counting::default()));
    let mut opening = Opening::of(&nobody, "wss://a/");
    assert_eq!(opening.answer(401, &[&challenge("n", "")]), None);
}

// A19; conformance case 62.
#[test]
fn the_password_does_not_go_where_everyone_can_read_it_unless_told() {
    let asked = [
        "Basic realm=a",
        r#"Digest realm="a", nonce="n", qop="auth""#,
    ];
    let mut opening = Opening::of(&responder(), "ws://a/");
    assert_eq!(opening.answer(401, &asked), None);
    let careless = responder().policy(Policy::new().allow_basic_in_clear());
    let mut opening = Opening::of(&careless, "ws://a/");
    assert_eq!(opening.answer(401, &asked).as_deref(), Some(BASIC));
    let mut opening = Opening::of(&responder(), "wss://a/");
    assert!(opening.answer(401, &asked).is_some());
    assert_eq!(opening.digest().algorithm.hash, Hash::Md5);
}

// Conformance case 60.
#[test]
fn nothing_is_sent_to_another_origin() {
    let responder = responder();
    let mut at_home = Opening::of(&responder, "wss://a/x");
    assert!(at_home.answer(401, &["Basic realm=a"]).is_some());
    assert_eq!(at_home.opened(&[]), Ok(()));

    for other in ["wss://b/x", "wss://a:444/x", "ws://a/x"] {
        let mut opening = Opening::of(&responder, "wss://a/x");
        *opening.request.uri_mut() = other.parse().expect(other);
        assert_eq!(opening.prepare(), None, "{other}");
        assert_eq!(opening.answer(401, &[&challenge("n", "")]), None, "{other}");
    }
}

// Conformance case 61.
#[test]
fn the_user_of_the_url_comes_first_and_is_not_in_the_request() {
    let mut opening = Opening::of(&responder(), "wss://me:p%40w@a/x");
    assert_eq!(opening.request.uri(), "wss://a/x");
    let answer = opening.answer(401, &["Basic realm=a"]);
    assert_eq!(answer.as_deref(), Some("authorization: Basic bWU6cEB3"));
    // Without a password it is not who we are, but whom to ask for it.
    let mut opening = Opening::of(&responder(), "wss://me@a/x");
    assert_eq!(
        opening.answer(401, &["Basic realm=a"]).as_deref(),
        Some(BASIC)
    );
}

#[test]
fn basic_is_sent_unasked_below_a_path_that_took_it() {
    let responder = responder();
    let mut first = Opening::of(&responder, "wss://a/b/c?d=/");
    assert_eq!(first.prepare(), None);
    assert!(first.answer(401, &["Basic realm=a"]).is_some());
    assert_eq!(first.opened(&[]), Ok(()));
    for (uri, expected) in [
        ("wss://a/b/", Some(BASIC)),
        ("wss://a/b/x/y", Some(BASIC)),
        ("wss://a/b", None),
        ("wss://a/x", None),
        ("wss://b/b/c", None),
    ] {
        assert_eq!(
            Opening::of(&responder, uri).prepare().as_deref(),
            expected,
            "{uri}"
        );
    }
    // Refused, it is not sent again: neither now nor unasked.
    let mut refused = Opening::of(&responder, "wss://a/b/c");
    assert!(refused.prepare().is_some());
    assert_eq!(refused.answer(401, &["Basic realm=a"]), None);
    assert_eq!(Opening::of(&responder, "wss://a/b/c").prepare(), None);
}

#[test]
fn a_header_of_the_callers_own_is_left_alone() {
    let token = Credentials::bearer("abc").expect("a token");
    let mut opening = Opening::of(&responder().credentials(token), "wss://a/");
    let own = http::HeaderValue::from_static("Bearer xyz");
    opening.request.headers_mut().insert(AUTHORIZATION, own);
    assert_eq!(opening.prepare(), None);
}

#[test]
fn a_token_is_sent_unasked_over_tls() {
    let token = Credentials::bearer("abc").expect("a token");
    let responder = responder().credentials(token);
    let mut opening = Opening::of(&responder, "wss://a/");
    assert_eq!(
        opening.prepare().as_deref(),
        Some("authorization: Bearer abc")
    );
    assert_eq!(opening.answer(401, &["Bearer realm=a"]), None);
    let mut opening = Opening::of(&responder, "ws://a/");
    assert_eq!(opening.prepare(), None);
    assert_eq!(opening.answer(401, &["Bearer realm=a"]), None);
    let careless = responder.policy(Policy::new().allow_bearer_in_clear());
    let mut opening = Opening::of(&careless, "ws://a/");
    assert!(opening.prepare().is_some());
}

/// What a server says that knows the password.
fn proof(sent: &Authorization) -> Info {
    let ha1 = Ha1::new(sent.algorithm.hash, "user", &sent.realm, &"pass".into());
    Info {
        rspauth: Some(ha1.rspauth(&sent.question("", b""))),
        qop: sent.qop,
        nc: sent.nc,
        cnonce: sent.cnonce.clone(),
        nextnonce: None,
    }
}

fn written(info: &Info) -> String {
    let value = info.write().expect("it can be written");
    value.to_str().expect("ASCII").to_owned()
}

// Conformance case 58.
#[test]
fn a_server_that_proves_the_wrong_thing_is_refused() {
    let open = |responder: Responder, changed: fn(&mut Info)| {
        let mut opening = Opening::of(&responder, "ws://a/chat");
        assert!(opening.answer(401, &[&challenge("n", "")]).is_some());
        let mut info = proof(&opening.digest());
        changed(&mut info);
        opening.opened(&[written(&info)])
    };
    assert_eq!(open(responder(), |_| ()), Ok(()));
    assert_eq!(open(responder(), |info| info.rspauth = None), Ok(()));
    assert_eq!(open(responder().require_proof(), |_| ()), Ok(()));
    assert!(open(responder().require_proof(), |info| info.rspauth = None).is_err());
    let wrong: [fn(&mut Info); 5] = [
        |info| info.rspauth = Some("0".repeat(64)),
        |info| info.rspauth = Some("0".repeat(32)),
        |info| info.cnonce = Some("another".to_owned()),
        |info| info.nc = Some(crate::digest::NonceCount::new(2)),
        |info| info.qop = Some(Qop::AuthInt),
    ];
    for changed in wrong {
        let error = open(responder(), changed).expect_err("a wrong proof");
        assert!(error.contains("rspauth"), "{error}");
    }

    let mut opening = Opening::of(&responder(), "ws://a/");
    assert!(opening.answer(401, &[&challenge("n", "")]).is_some());
    let info = written(&proof(&opening.digest()));
    assert!(opening.opened(&[info.clone(), info.clone()]).is_err());
    assert!(opening.opened(&["rspauth=\"".to_owned()]).is_err());
    // Credentials that were not asked for prove nothing.
    let mut unasked = Opening::of(&responder().require_proof(), "ws://a/");
    assert_eq!(unasked.opened(&[]), Ok(()));
}

#[test]
fn the_next_nonce_is_sent_unasked_and_once() {
    let responder = responder();
    let open = |uri: &str, domain: &str| {
        let mut opening = Opening::of(&responder, uri);
        assert!(opening.answer(401, &[&challenge("n1", domain)]).is_some());
        let mut info = proof(&opening.digest());
        info.nextnonce = Some("n2".to_owned());
        assert_eq!(opening.opened(&[written(&info)]), Ok(()));
    };
    open("ws://a/x", "");
    assert_eq!(Opening::of(&responder, "ws://b/x").prepare(), None);
    let mut next = Opening::of(&responder, "ws://a/y");
    assert!(next.prepare().is_some());
    let sent = next.digest();
    assert_eq!(
        (&*sent.nonce, &*sent.uri, sent.nc.map(|nc| nc.number())),
        ("n2", "/y", Some(1))
    );
    assert!(is_right(&sent, "GET"));
    assert_eq!(Opening::of(&responder, "ws://a/y").prepare(), None);
    // The server may have forgotten the nonce: its challenge is answered, and once more if stale.
    assert!(next.answer(401, &[&challenge("n3", "")]).is_some());
    assert!(
        next.answer(401, &[&challenge("n4", ", stale=true")])
            .is_some()
    );
    assert_eq!(next.answer(401, &[&challenge("n5", ", stale=true")]), None);

    open("ws://a/x", ", domain=\"/x\"");
    assert_eq!(Opening::of(&responder, "ws://a/y").prepare(), None);
    assert!(Opening::of(&responder, "ws://a/x/y").prepare().is_some());
}

#[test]
fn a_nonce_is_counted_up_where_that_is_allowed() {
    let responder = responder().reuse_nonces();
    let mut opening = Opening::of(&responder, "ws://a/");
    assert!(opening.answer(401, &[&challenge("n1", "")]).is_some());
    assert_eq!(opening.opened(&[]), Ok(()));
    for count in 2..5 {
        let mut opening = Opening::of(&responder, "ws://a/");
        assert!(opening.prepare().is_some());
        let sent = opening.digest();
        assert_eq!(
            (&*sent.nonce, sent.nc.map(|nc| nc.number())),
            ("n1", Some(count))
        );
        assert!(is_right(&sent, "GET"));
        assert_eq!(opening.opened(&[]), Ok(()));
    }
    // Refused, it is forgotten.
    let mut opening = Opening::of(&responder, "ws://a/");
    assert!(opening.prepare().is_some());
    assert!(
        opening
            .answer(401, &[&challenge("n2", ", stale=true")])
            .is_some()
    );
    assert_eq!(Opening::of(&responder, "ws://a/").prepare(), None);
}

#[test]
fn a_session_is_not_carried_on() {
    let responder = responder().reuse_nonces();
    let mut opening = Opening::of(&responder, "ws://a/");
    let asked = challenge("n1", "").replace("SHA-256", "SHA-256-sess");
    assert!(opening.answer(401, &[&asked]).is_some());
    assert!(is_right(&opening.digest(), "GET"));
    assert_eq!(opening.opened(&[]), Ok(()));
    assert_eq!(Opening::of(&responder, "ws://a/").prepare(), None);
}

// Conformance case 59.
#[test]
fn a_proxy_is_answered_with_its_own_credentials_and_then_the_server() {
    let proxy = Credentials::new("p", "q").expect("credentials");
    let responder = responder().proxy(proxy, Policy::new());
    let mut opening = Opening::of(&responder, "wss://server.example.com/chat");
    let request = core::mem::take(&mut opening.request);
    *opening.request.method_mut() = Method::CONNECT;
    *opening.request.uri_mut() = "server.example.com:443".parse().expect("an authority");
    assert_eq!(opening.prepare(), None);
    assert_eq!(opening.answer(401, &[&challenge("n", "")]), None);
    assert_eq!(
        opening.answer(407, &["Basic realm=a"]),
        None,
        "in the clear"
    );
    let answer = opening
        .answer(407, &[&challenge("n", "")])
        .expect("an answer");
    let value = answer
        .strip_prefix("proxy-authorization: ")
        .expect("for a proxy");
    let value = http::HeaderValue::from_str(value).expect("a value");
    let sent = parse_credentials(&value).expect("credentials");
    let sent = Authorization::parse(&sent).expect("Digest");
    assert_eq!(sent.username, Username::Clear("p".to_owned()));
    assert_eq!(sent.uri, "server.example.com:443");
    let ha1 = Ha1::new(Hash::Sha256, "p", "ws@example.com", &"q".into());
    assert!(matches(
        &ha1.response(&sent.question("CONNECT", b"")),
        &sent.response
    ));
    assert_eq!(opening.answer(407, &[&challenge("n2", "")]), None);

    opening.request = request;
    assert_eq!(opening.answer(407, &[&challenge("n", "")]), None);
    assert!(opening.answer(401, &[&challenge("n", "")]).is_some());
    assert!(is_right(&opening.digest(), "GET"));

    // Over TLS to the proxy, or when told, Basic is fine; then it is sent to it unasked.
    let mut secure = Opening::of(&responder, "wss://a/");
    *secure.request.method_mut() = Method::CONNECT;
    *secure.request.uri_mut() = "a:443".parse().expect("an authority");
    let mut peer = Peer::default();
    peer.secure = true;
    secure.request.extensions_mut().insert(peer);
    let expected = Some("proxy-authorization: Basic cDpx".to_owned());
    assert_eq!(secure.answer(407, &["Basic realm=a"]), expected);
    let response = Response::builder()
        .status(200)
        .body(())
        .expect("a response");
    assert_eq!(secure.handler.opened(&secure.request, &response), Ok(()));
    let mut next = Opening::of(&responder, "wss://b/");
    *next.request.method_mut() = Method::CONNECT;
    *next.request.uri_mut() = "b:443".parse().expect("an authority");
    assert_eq!(next.prepare(), expected);
}

// A16, A23.
#[test]
fn a_name_is_sent_in_the_form_that_the_server_reads() {
    let utf8 = ", charset=UTF-8";
    let hashed = ", charset=utf-8, userhash=true";
    for (name, more, extended, is_hashed) in [
        ("user", "", false, false),
        ("user", utf8, false, false),
        ("a\"b\\c, d", utf8, false, false),
        ("J\u{e4}s\u{f8}n Doe", utf8, true, false),
        ("J\u{e4}s\u{f8}n Doe", "", false, false),
        ("J\u{e4}s\u{f8}n Doe", hashed, false, true),
        ("user", hashed, false, true),
    ] {
        let responder = responder().credentials(Credentials::new(name, "pass").expect(name));
        let mut opening = Opening::of(&responder, "wss://a/");
        let asked = challenge("n", more);
        let response = Response::builder()
            .status(401)
            .header("www-authenticate", asked)
            .body(Bytes::new())
            .expect("a response");
        let headers = opening
            .handler
            .retry(&opening.request, &response)
            .expect("an answer");
        opening.send(headers);
        let sent = opening.digest();
        let expected = match is_hashed {
            true => Username::Hashed(crate::digest::userhash(Hash::Sha256, name, &sent.realm)),
            false => Username::Clear(name.to_owned()),
        };
        assert_eq!(sent.username, expected);
        let credentials = find_credentials(opening.request.headers(), &AUTHORIZATION);
        let credentials = credentials.expect("one header").expect("credentials");
        let params = credentials.params().expect("parameters");
        assert_eq!(params.get("username*").is_some(), extended, "{name}");
        // The name itself is hashed, however it was sent.
        let ha1 = Ha1::new(Hash::Sha256, name, &sent.realm, &"pass".into());
        assert!(
            matches(&ha1.response(&sent.question("GET", b"")), &sent.response),
            "{name}"
        );
    }
}

// A16.
#[test]
fn auth_int_alone_is_answered_with_the_hash_of_nothing() {
    let mut opening = Opening::of(&responder(), "ws://a/");
    let asked = challenge("n", "").replace("qop=\"auth\"", "qop=\"auth-int\"");
    assert!(opening.answer(401, &[&asked]).is_some());
    let sent = opening.digest();
    assert_eq!(sent.qop, Some(Qop::AuthInt));
    assert!(is_right(&sent, "GET"));
    assert_eq!(opening.opened(&[written(&proof(&sent))]), Ok(()));
}

// A22.
#[test]
fn who_answers_does_not_print_what_proves_it() {
    let proxy = Credentials::new("p", "hidden").expect("credentials");
    let responder = responder().proxy(proxy, Policy::new());
    let mut opening = Opening::of(&responder, "ws://me:hidden@a/");
    assert!(opening.answer(401, &[&challenge("n", "")]).is_some());
    let response = opening.digest().response;
    let printed = format!("{responder:?} {:?} {:?}", opening.handler, opening.request);
    assert!(
        printed.contains("\"user\"") && printed.contains("\"me\""),
        "{printed}"
    );
    for secret in ["pass", "hidden", &response] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
