//! RFC 6750, and certificates.

use super::*;
use crate::guard::{Bearer, ClientCertificate, Refused};
use crate::{Scheme, Secret};

fn validate(token: &Secret) -> Result<String, Refused> {
    match token.expose() {
        b"mF_9.B5f-4.1JqM" => Ok("Ada".to_owned()),
        b"other" => Err(Refused::InsufficientScope),
        b"busy" => Err(Refused::Unavailable),
        _ => Err(Refused::InvalidToken),
    }
}

#[test]
fn tokens_and_their_answers() {
    let at_once = Bearer::new("chat", |token| validate(&token)).unwrap();
    let asking = Bearer::asking("chat", |token| async move {
        // Not at once: it is woken and asked again.
        let mut asked = false;
        core::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            if core::mem::replace(&mut asked, true) {
                core::task::Poll::Ready(())
            } else {
                core::task::Poll::Pending
            }
        })
        .await;
        validate(&token)
    });
    for guard in [at_once, asking.unwrap()] {
        let log = Log::default();
        let server = Server::new(guard.on_failure(log.listener())).secure();
        for (credentials, status, challenge, reason) in [
            ("", 401, &["Bearer realm=\"chat\""][..], None),
            ("Basic YTpi", 401, &["Bearer realm=\"chat\""], None),
            ("Bearer mF_9.B5f-4.1JqM", 101, &[], None),
            ("bearer mF_9.B5f-4.1JqM", 101, &[], None),
            (
                "Bearer x",
                401,
                &["Bearer realm=\"chat\", error=\"invalid_token\""],
                Some(Reason::Refused),
            ),
            (
                "Bearer other",
                403,
                &["Bearer realm=\"chat\", error=\"insufficient_scope\""],
                Some(Reason::Refused),
            ),
            ("Bearer busy", 503, &[], Some(Reason::Unavailable)),
            (
                "Bearer",
                400,
                &["Bearer realm=\"chat\", error=\"invalid_request\""],
                Some(Reason::Malformed),
            ),
            (
                "Bearer a b",
                400,
                &["Bearer realm=\"chat\", error=\"invalid_request\""],
                Some(Reason::Malformed),
            ),
        ] {
            let answer = server.ask(credentials);
            assert_eq!(answer.status, status, "{credentials}");
            assert_eq!(answer.challenges(), challenge, "{credentials}");
            assert_eq!(log.last(), reason, "{credentials}");
            let name = answer.identity.map(|it| (it.name, it.scheme));
            let expected = (status == 101).then(|| ("Ada".to_owned(), Scheme::Bearer));
            assert_eq!(name, expected);
        }
    }
}

#[test]
fn a_token_in_the_clear_is_refused_unless_that_is_allowed() {
    let guard = || Bearer::new("chat", |token| validate(&token)).unwrap();
    let good = "Bearer mF_9.B5f-4.1JqM";
    assert_eq!(Server::new(guard()).ask(good).status, 403);
    let open = Server::new(guard().allow_insecure_bearer());
    assert_eq!(open.ask(good).status, 101);
}

#[test]
fn a_certificate_is_known_by_its_fingerprint() {
    // SHA-256 of "abc" (FIPS 180-4).
    let known = [
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22,
        0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00,
        0x15, 0xad,
    ];
    for (certificates, status) in [
        (&[&b"abc"[..]][..], 101),
        (&[b"abc", b"ca"], 101),
        (&[b"abd"], 403),
        (&[b"abd", b"abc"], 403),
        (&[], 403),
    ] {
        let log = Log::default();
        let guard = ClientCertificate::with_fingerprints([(known, "Ada".to_owned())])
            .on_failure(log.listener());
        let answer = Server::new(guard).with_certificates(certificates).ask("");
        assert_eq!(answer.status, status, "{certificates:?}");
        let expected = (status == 101).then(|| Identity {
            name: "Ada".to_owned(),
            scheme: Scheme::Certificate,
        });
        assert_eq!(answer.identity, expected);
        let refused = status == 403 && !certificates.is_empty();
        assert_eq!(log.last(), refused.then_some(Reason::Refused));
    }
}

#[test]
fn a_certificate_is_looked_at_by_the_application() {
    let guard = || {
        ClientCertificate::new(|certificates| {
            (certificates.len() == 2).then(|| format!("{} octets", certificates[0].len()))
        })
    };
    let server = Server::new(guard()).with_certificates(&[b"abc", b"ca"]);
    assert_eq!(server.ask("").identity.unwrap().name, "3 octets");
    let server = Server::new(guard()).with_certificates(&[b"abc"]);
    assert_eq!(server.ask("").status, 403);
}
