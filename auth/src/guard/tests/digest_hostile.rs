//! RFC 7616: what others may try.

use std::sync::Arc;

use super::*;
use crate::digest::{Ha1, ReplayCache, ReplayError, Spend, Usage};
use crate::guard::Digest;
use crate::store::{Lookup, Memory, Store, StoreError};

fn guard() -> Digest {
    let users = Memory::new().user("user", REALM, "pass");
    Digest::new(REALM, Arc::new(users), nonces(&SetClock::at(MADE))).unwrap()
}

fn server() -> Server {
    Server::new(guard())
}

/// The status and the reason for each of these headers, each on a server of its own.
fn outcomes<'a>(
    headers: impl IntoIterator<Item = &'a str>,
    with: impl Fn(Digest) -> Digest,
) -> Vec<(u16, Option<Reason>)> {
    let log = Log::default();
    let headers = headers.into_iter();
    headers
        .map(|header| {
            let answer = Server::new(with(guard()).on_failure(log.listener())).ask(header);
            assert!(answer.status != 401 || !answer.is_stale(), "{header}");
            assert_eq!(answer.identity.is_some(), answer.status == 101);
            (answer.status, log.last())
        })
        .collect()
}

fn all_are(headers: &[&str], status: u16, reason: Reason) {
    let found = outcomes(headers.iter().copied(), |it| it);
    for (header, found) in headers.iter().zip(found) {
        assert_eq!(found, (status, Some(reason)), "{header}");
    }
}

#[test]
fn a04_headers_that_break_the_grammar_are_401() {
    let good = Client::new().header();
    let long = good.replace("0a4f113b", &"a".repeat(4096));
    let many = format!(
        "{good}{}",
        (0..40).map(|n| format!(", p{n}=a")).collect::<String>()
    );
    all_are(
        &[
            "Digest",
            "Digest abc==",
            "Digest \u{e9}\u{e9}\u{e9}=\"a\", x=b",
            "Digest realm=\"\u{20ac}\u{20ac}\u{20ac}\u{20ac}\", \u{20ac}nonce=\"b\"",
            "Digest \"",
            "Digest username",
            "Digest username=",
            "Digest username=\"user",
            "Digest username=\"user\\",
            "Digest =\"user\"",
            "Digest username=\"a\"b, realm=c",
            "Digest , , ,",
            "Digest,",
            &good.replace("\"/chat\"", "\"/chat"),
            &format!("{good}, Basic YTpi"),
            &format!("{good} x"),
            &long,
            &many,
        ],
        401,
        Reason::Malformed,
    );
}

// Case 46.
#[test]
fn a05_a_parameter_or_a_header_that_stands_there_twice() {
    let good = Client::new().header();
    for twice in [
        "username=\"user\"",
        "realm=\"ws@example.com\"",
        "NONCE=\"x\"",
        "uri=\"/chat\"",
        "response=\"x\"",
        "nc=00000001",
        "qop=auth",
        "cnonce=\"0a4f113b\"",
        "algorithm=SHA-256",
    ] {
        all_are(&[&format!("{good}, {twice}")], 401, Reason::Malformed);
    }
    for two in [
        [&*good, &good],
        [&good, "Basic YTpi"],
        ["Basic YTpi", &good],
    ] {
        assert_eq!(server().connect().ask("/chat", &two).status, 400);
    }
}

// Cases 34, 35, 36 and 43.
#[test]
fn what_is_missing_or_cannot_be_is_400() {
    let good = Client::new().header();
    let response = Client::new().response();
    let headers = [
        good.replace("username=\"user\", ", ""),
        good.replace("realm=\"ws@example.com\", ", ""),
        good.replace(&format!("nonce=\"{NONCE}\", "), ""),
        good.replace("uri=\"/chat\", ", ""),
        good.replace(&format!("response=\"{response}\", "), ""),
        good.replace("nc=00000001, ", ""),
        good.replace("cnonce=\"0a4f113b\", ", ""),
        good.replace("qop=auth", "qop=foo"),
        good.replace("qop=auth", "qop=\"auth,auth-int\""),
        good.replace(&response, &response[1..]),
        good.replace(&response, &format!("{response}0")),
        good.replace(&response, &response.replace('a', "x")),
        good.replace(&response, ""),
        format!("{good}, userhash=maybe"),
        format!("{good}, userhash=true"),
    ];
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    all_are(&headers, 400, Reason::Malformed);
}

#[test]
fn a12_a_count_that_is_not_one() {
    for nc in [
        "00000000",
        "+0000001",
        "+1",
        "1",
        "0000001",
        "000000001",
        "0000000g",
        "-0000001",
        "\"\"",
    ] {
        let client = Client {
            nc,
            ..Client::new()
        };
        all_are(&[&client.header()], 400, Reason::Malformed);
    }
    // After the last there is none.
    let server = Server::new(guard().replay(ReplayCache::new().reusable()));
    for (nc, status) in [("ffffffff", 101), ("00000000", 400), ("00000001", 401)] {
        let client = Client {
            nc,
            ..Client::new()
        };
        assert_eq!(server.ask(&client.header()).status, status, "{nc}");
    }
}

// Case 31.
#[test]
fn a08_a_nonce_that_is_not_ours_is_401_and_not_stale() {
    let flipped = NONCE.replace("7-hUB", "7-hUA");
    for nonce in [
        &*flipped,
        &NONCE[1..],
        &NONCE[..43],
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "dGVzdG5vbmNl",
        "x",
        &format!("{NONCE}="),
        "",
    ] {
        let client = Client {
            nonce: nonce.to_owned(),
            ..Client::new()
        };
        all_are(&[&client.header()], 401, Reason::ForgedNonce);
    }
    // Of another server, with another key or another realm.
    let other = || {
        Arc::new(
            Memory::new()
                .user("user", REALM, "pass")
                .user("user", "b", "pass"),
        )
    };
    let nonces_of_its_own = Nonces::new(Arc::new(FixedEntropy::new([9])), SetClock::at(MADE));
    let server = Server::new(Digest::new(REALM, other(), nonces_of_its_own).unwrap());
    let answer = server.ask(&Client::new().header());
    assert!(!answer.is_stale());
    let server = Server::new(Digest::new("b", other(), nonces(&SetClock::at(MADE))).unwrap());
    let client = Client {
        realm: "b",
        ..Client::new()
    };
    assert!(!server.ask(&client.header()).is_stale());
}

#[test]
fn a09_the_default_takes_no_invented_nonce() {
    let nonces = Nonces::new(Arc::new(FixedEntropy::new([1, 2])), SetClock::at(MADE));
    let users = Memory::new().user("user", REALM, "pass");
    let server = Server::new(Digest::new(REALM, Arc::new(users), nonces).unwrap());
    for nonce in [
        NONCE,
        "invented",
        "AQAAAABlU_EAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let client = Client {
            nonce: nonce.to_owned(),
            ..Client::new()
        };
        assert!(!server.ask(&client.header()).is_stale(), "{nonce}");
    }
}

// Cases 32, 37 and 38.
#[test]
fn a13_what_was_not_offered_is_not_taken() {
    for (algorithm, qop) in [
        ("MD5", "auth"),
        ("MD5-sess", "auth"),
        ("SHA-256-sess", "auth"),
        ("SHA-512-256", "auth"),
        ("SHA-256", "auth-int"),
        ("SHA-256", ""),
        ("SHA-512", "auth"),
    ] {
        let client = Client {
            algorithm,
            qop,
            ..Client::new()
        };
        all_are(&[&client.header()], 401, Reason::NotOffered);
    }
    // No algorithm is MD5.
    let md5 = Client {
        algorithm: "MD5",
        ..Client::new()
    };
    let none = md5.header().replace("algorithm=MD5, ", "");
    all_are(&[&none], 401, Reason::NotOffered);
    let old = outcomes([&*none], Digest::legacy_md5);
    assert_eq!(old, [(101, None)]);

    let client = Client {
        realm: "other",
        ..Client::new()
    };
    all_are(&[&client.header()], 401, Reason::Realm);
    let case = Client {
        realm: "WS@example.com",
        ..Client::new()
    };
    all_are(&[&case.header()], 401, Reason::Realm);
}

// Case 33.
#[test]
fn a14_credentials_for_another_target_are_400() {
    for uri in [
        "/Chat",
        "/chat?",
        "/chat?a",
        "/chat/",
        "/",
        "/%63hat",
        "chat",
        "*",
        "//example.com/chat",
        "http://example.org/chat",
        "http://user@example.com/chat",
        "http://example.com/Chat",
        "",
    ] {
        let client = Client {
            uri: uri.to_owned(),
            ..Client::new()
        };
        let found = outcomes([&*client.header()], |it| it);
        assert_eq!(found, [(400, Some(Reason::Target))], "{uri}");
    }
}

// Case 45.
#[test]
fn opaque_must_come_back_unchanged() {
    let with = |it: Digest| it.opaque("b3A=").unwrap();
    let good = Client::new().header();
    let headers = [
        format!("{good}, opaque=\"b3A=\""),
        format!("{good}, opaque=\"b3B=\""),
        good,
    ];
    let found = outcomes(headers.iter().map(String::as_str), with);
    let denied = (401, Some(Reason::NotOffered));
    assert_eq!(found, [(101, None), denied, denied]);
    // Without one, theirs does not matter.
    assert_eq!(server().ask(&headers[0]).status, 101);
}

// Case 40.
#[test]
fn a_user_who_is_not_known_gets_the_same_answer_as_one_with_a_wrong_password() {
    let log = Log::default();
    let server = Server::new(guard().on_failure(log.listener()));
    let wrong = Client {
        password: "Pass",
        ..Client::new()
    };
    let nobody = Client {
        user: "nobody",
        ..Client::new()
    };
    let answer = server.ask(&wrong.header());
    assert_eq!(log.last(), Some(Reason::WrongPassword));
    assert_eq!(server.ask(&nobody.header()).text, answer.text);
    assert_eq!(log.last(), Some(Reason::UnknownUser));
}

#[test]
fn what_stands_in_for_the_hash_of_who_is_not_known_opens_nothing() {
    // Anybody can work it out, so that it must not be as good as a hash.
    let nobody = Ha1::new(Hash::Sha256, "", REALM, &"".into());
    for user in ["nobody", ""] {
        let client = Client {
            user,
            ..Client::new()
        };
        let ha2 = client.hash("GET:/chat");
        let made_up = client.hash(&format!(
            "{}:{NONCE}:00000001:0a4f113b:auth:{ha2}",
            nobody.expose()
        ));
        let header = client.header().replace(&client.response(), &made_up);
        all_are(&[&header], 401, Reason::UnknownUser);
    }
}

#[test]
fn a_store_or_a_cache_that_cannot_tell_is_503() {
    struct Broken;
    impl Store for Broken {
        fn ha1<'a>(&'a self, _: &'a str, _: &'a str, _: Hash) -> Lookup<'a, Option<Ha1>> {
            let error = StoreError::Failed("no route".to_owned());
            Box::pin(core::future::ready(Err(error)))
        }
    }
    impl crate::digest::Replay for Broken {
        fn spend(&self, _: Usage) -> Spend<'_> {
            Box::pin(core::future::ready(Err(ReplayError::new("no route"))))
        }
    }
    let broken_store = Digest::new(REALM, Arc::new(Broken), nonces(&SetClock::at(MADE))).unwrap();
    for guard in [broken_store, guard().replay(Broken)] {
        let log = Log::default();
        let answer = Server::new(guard.on_failure(log.listener())).ask(&Client::new().header());
        assert_eq!(answer.status, 503);
        assert!(!answer.text.contains("no route"));
        assert_eq!(log.last(), Some(Reason::Unavailable));
    }
}

#[test]
fn a_store_that_hands_out_the_hash_of_another_algorithm_opens_nothing() {
    struct Mixed;
    impl Store for Mixed {
        fn ha1<'a>(&'a self, user: &'a str, realm: &'a str, _: Hash) -> Lookup<'a, Option<Ha1>> {
            let ha1 = Ha1::new(Hash::Md5, user, realm, &"pass".into());
            Box::pin(core::future::ready(Ok(Some(ha1))))
        }
    }
    let guard = Digest::new(REALM, Arc::new(Mixed), nonces(&SetClock::at(MADE))).unwrap();
    assert!(!Server::new(guard).ask(&Client::new().header()).is_stale());
}

#[test]
fn a11_a_million_challenges_leave_nothing_behind() {
    let cache = Arc::new(ReplayCache::new());
    let guard = guard().replay(Arc::clone(&cache));
    let left = allocation_counter::measure(|| {
        for _ in 0..1_000_000 {
            assert_eq!(guard.unauthorized(false).status().as_u16(), 401);
        }
    });
    assert_eq!((left.bytes_current, cache.len()), (0, 0));
}

#[test]
fn a20_a_failure_is_told_with_address_and_user() {
    let log = Log::default();
    let server = Server::new(guard().on_failure(log.listener()));
    let client = Client {
        user: "nobody",
        ..Client::new()
    };
    assert_eq!(server.ask("").status, 401);
    assert_eq!(server.ask(&client.header()).status, 401);
    assert_eq!(server.ask("Digest x").status, 401);
    assert_eq!(
        log.lines(),
        [
            "Digest credentials of \"nobody\" from 192.0.2.7:50000: there is no such user",
            "Digest credentials from 192.0.2.7:50000: they are malformed",
        ]
    );
}

#[test]
fn a22_no_key_is_printed() {
    assert_eq!(
        format!("{:?}", guard().legacy_md5()),
        "Digest { realm: \"ws@example.com\", nonces: Nonces { lifetime: 300s, .. }, offered: \
         [Algorithm { hash: Sha256, session: false }, Algorithm { hash: Md5, session: false }], \
         auth_int: false, userhash: false, next_nonce: false, .. }"
    );
}

#[test]
fn a_realm_or_an_opaque_that_cannot_stand_in_a_header_is_an_error_at_once() {
    let users = || Arc::new(Memory::new());
    assert!(Digest::new("a\nb", users(), nonces(&SetClock::at(MADE))).is_err());
    assert!(guard().opaque("a\rb").is_err());
}

#[test]
fn a04_no_single_change_of_good_credentials_is_taken() {
    let good = Client::new().header();
    for place in 0..good.len() {
        for octet in *b"x0A\",\\ " {
            let mut changed = good.clone().into_bytes();
            changed[place] = octet;
            let changed = String::from_utf8(changed).unwrap();
            // Lists may have empty elements (RFC 9110 §5.6.1).
            let same = changed.eq_ignore_ascii_case(&good)
                || (good.as_bytes()[place] == b' ' && octet == b',');
            if !same {
                let status = server().ask(&changed).status;
                assert!(matches!(status, 400 | 401), "{changed}");
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn a04_nothing_that_a_client_writes_panics_or_opens(rest in "[ -~\u{e4}\u{20ac}]{0,200}") {
        let status = server().ask(&format!("Digest {rest}")).status;
        proptest::prop_assert!(matches!(status, 400 | 401));
    }
}
