//! Several guards as one.

use std::sync::Arc;

use cloverleaf_proto::handshake::{Received, Rejection};

use super::*;
use crate::Scheme;
use crate::guard::{AllOf, AnyOf, Basic, Bearer, ClientCertificate, Digest, PerPath, Refused};
use crate::store::Memory;

fn users() -> Arc<Memory> {
    Arc::new(Memory::new().user("user", REALM, "pass"))
}

fn basic() -> Basic {
    Basic::new(REALM, users()).unwrap()
}

fn digest() -> Digest {
    Digest::new(REALM, users(), nonces(&SetClock::at(MADE))).unwrap()
}

fn bearer() -> Bearer {
    Bearer::new(REALM, |token| match token.expose() {
        b"good" => Ok("Ada".to_owned()),
        _ => Err(Refused::InvalidToken),
    })
    .unwrap()
}

fn certificate() -> ClientCertificate {
    ClientCertificate::new(|_| Some("Eve".to_owned()))
}

fn everybody(_: &mut Received) -> Result<(), Rejection> {
    Ok(())
}

fn nobody(received: &mut Received) -> Result<(), Rejection> {
    // What it leaves behind must not be seen.
    received
        .response_headers
        .insert("x-left", http::HeaderValue::from_static("behind"));
    received.request.extensions_mut().insert(Identity {
        name: "nobody".to_owned(),
        scheme: Scheme::Basic,
    });
    Err(Rejection::forbidden("nobody"))
}

#[test]
fn a01_any_of_several_asks_for_all_the_strongest_first_one_line_each() {
    let guard = AnyOf::new()
        .or(basic())
        .or(digest().legacy_md5().sha512_256())
        .or(bearer());
    let answer = Server::new(guard).secure().ask("");
    let digest = |algorithm| {
        format!(
            "Digest realm=\"{REALM}\", qop=\"auth\", algorithm={algorithm}, nonce=\"{NONCE}\", \
             charset=UTF-8"
        )
    };
    assert_eq!(
        answer.challenges(),
        [
            &*digest("SHA-256"),
            &digest("SHA-512-256"),
            "Bearer realm=\"ws@example.com\"",
            &digest("MD5"),
            "Basic realm=\"ws@example.com\", charset=\"UTF-8\"",
        ]
    );
    assert_eq!(answer.status, 401);
    assert_eq!(answer.lines("Connection"), ["keep-alive"]);
}

#[test]
fn any_of_several_lets_pass_whom_one_lets_pass() {
    let guard = || {
        AnyOf::new()
            .or(nobody)
            .or(digest())
            .or(basic())
            .or(bearer())
    };
    let server = Server::new(guard()).secure();
    for (credentials, name, scheme) in [
        ("Basic dXNlcjpwYXNz", "user", Scheme::Basic),
        (&Client::new().header(), "user", Scheme::Digest),
        ("Bearer good", "Ada", Scheme::Bearer),
    ] {
        let answer = server.ask(credentials);
        assert_eq!(answer.status, 101, "{credentials}");
        assert!(answer.lines("x-left").is_empty());
        let identity = answer.identity.unwrap();
        assert_eq!((&*identity.name, identity.scheme), (name, scheme));
    }
    for wrong in ["Basic dXNlcjpwYXN0", "Bearer x", "Digest", "Other x"] {
        assert_eq!(server.ask(wrong).status, 401, "{wrong}");
    }
    let answer = Server::new(AnyOf::new().or(certificate()).or(basic()))
        .with_certificates(&[b"abc"])
        .ask("");
    assert_eq!(answer.identity.unwrap().name, "Eve");
}

#[test]
fn of_refusals_one_that_is_not_about_credentials_counts_first_and_403_last() {
    let unavailable = |_: &mut Received| Err(Rejection::service_unavailable(None));
    let status = |guard| Server::new(guard).secure().ask("").status;
    assert_eq!(status(AnyOf::new()), 403);
    assert_eq!(status(AnyOf::new().or(nobody)), 403);
    assert_eq!(status(AnyOf::new().or(nobody).or(basic())), 401);
    assert_eq!(status(AnyOf::new().or(basic()).or(certificate())), 401);
    assert_eq!(status(AnyOf::new().or(basic()).or(unavailable)), 503);
    assert_eq!(status(AnyOf::new().or(unavailable).or(everybody)), 101);
}

#[test]
fn in_the_clear_any_of_digest_and_basic_asks_for_digest_only() {
    let server = Server::new(AnyOf::new().or(basic()).or(digest()));
    for credentials in ["", "Basic dXNlcjpwYXNz"] {
        let answer = server.ask(credentials);
        assert_eq!(answer.status, 401);
        assert!(
            answer
                .challenges()
                .iter()
                .all(|it| it.starts_with("Digest "))
        );
    }
    assert_eq!(server.ask(&Client::new().header()).status, 101);
}

#[test]
fn all_of_several_are_asked_in_their_order() {
    let status = |guard: AllOf, credentials: &str| {
        let server = Server::new(guard).secure().with_certificates(&[b"abc"]);
        let answer = server.ask(credentials);
        (answer.status, answer.identity.map(|it| it.name))
    };
    let user = |name: &str| Some(name.to_owned());
    assert_eq!(status(AllOf::new(), ""), (101, None));
    let both = || AllOf::new().and(certificate()).and(basic());
    assert_eq!(status(both(), ""), (401, None));
    assert_eq!(status(both(), "Basic dXNlcjpwYXNz"), (101, user("user")));
    let both = AllOf::new().and(nobody).and(basic());
    assert_eq!(status(both, ""), (403, None));
    let both = AllOf::new().and(basic()).and(nobody);
    assert_eq!(status(both, "Basic dXNlcjpwYXNz"), (403, None));
}

#[test]
fn a_path_is_guarded_by_the_longest_prefix_in_whole_segments() {
    let guard = PerPath::new()
        .at("/admin", nobody)
        .unwrap()
        .at("/admin/log/", basic())
        .unwrap()
        .at("/", everybody)
        .unwrap();
    let server = Server::new(guard).secure();
    for (target, status) in [
        ("/", 101),
        ("/?/admin", 101),
        ("/administrator", 101),
        ("/Admin", 101),
        ("/admin", 403),
        ("/admin/", 403),
        ("/admin?x", 403),
        ("/%61dmin", 403),
        ("/admin/logs", 403),
        ("/admin/log", 401),
        ("/admin/%6cog/x", 401),
        ("/admin/log/x?y", 401),
        ("/x/../admin", 400),
        ("/x/%2e%2e/admin", 400),
        ("//admin", 400),
        ("/x%2fadmin", 400),
        ("/admin/./log", 400),
        ("http://example.com/admin", 403),
        ("http://example.com", 101),
    ] {
        assert_eq!(server.connect().ask(target, &[]).status, status, "{target}");
    }
}

#[test]
fn a_path_without_a_guard_is_refused_unless_one_is_named_for_it() {
    let guard = || PerPath::new().at("/a", everybody).unwrap();
    let status = |guard, target: &str| Server::new(guard).connect().ask(target, &[]).status;
    assert_eq!(status(guard(), "/a/b"), 101);
    assert_eq!(status(guard(), "/b"), 403);
    assert_eq!(status(guard().otherwise(everybody), "/b"), 101);
    assert_eq!(status(PerPath::new(), "/"), 403);
    assert!(PerPath::new().at("a", everybody).is_err());
    assert!(PerPath::new().at("/a/../b", everybody).is_err());
}
