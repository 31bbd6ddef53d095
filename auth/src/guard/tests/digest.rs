//! RFC 7616: what an honest client may do.

use std::sync::Arc;

use super::*;
use crate::Scheme;
use crate::digest::ReplayCache;
use crate::guard::Digest;
use crate::store::{Htdigest, Memory};

fn users() -> Memory {
    Memory::new()
        .user("user", REALM, "pass")
        .user("a\"b\\c,d", REALM, "pass")
        .user("J\u{e4}s\u{f8}n Doe", REALM, "pass")
}

fn guard(clock: &Arc<SetClock>) -> Digest {
    Digest::new(REALM, Arc::new(users()), nonces(clock)).unwrap()
}

fn server(with: impl FnOnce(Digest) -> Digest) -> Server {
    Server::new(with(guard(&SetClock::at(MADE))))
}

fn user() -> Option<Identity> {
    Some(Identity {
        name: "user".to_owned(),
        scheme: Scheme::Digest,
    })
}

// Case 20.
#[test]
fn a01_a_request_without_credentials_is_challenged_to_the_octet() {
    let answer = server(|it| it).ask("");
    assert_eq!(
        answer.text,
        "HTTP/1.1 401 Unauthorized\r\n\
         Connection: keep-alive\r\n\
         WWW-Authenticate: Digest realm=\"ws@example.com\", qop=\"auth\", algorithm=SHA-256, \
         nonce=\"AQAAAABlU_EAABEiM0RVZnev7pCSl6fX0TkvbLu7-hUB\", charset=UTF-8\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Length: 23\r\n\
         \r\n\
         credentials are needed\n"
    );
    assert_eq!(server(|it| it).ask("Basic dXNlcjpwYXNz").text, answer.text);
}

#[test]
fn a01_challenges_stand_in_their_order_each_with_all_that_is_offered() {
    let answer = server(|it| {
        let it = it.legacy_md5().sha512_256().sessions().auth_int();
        it.userhash().opaque("b3A=").unwrap()
    })
    .ask("");
    let expected = [
        "SHA-256",
        "SHA-256-sess",
        "SHA-512-256",
        "SHA-512-256-sess",
        "MD5",
        "MD5-sess",
    ]
    .map(|algorithm| {
        format!(
            "Digest realm=\"{REALM}\", qop=\"auth, auth-int\", algorithm={algorithm}, \
             nonce=\"{NONCE}\", opaque=\"b3A=\", charset=UTF-8, userhash=true"
        )
    });
    assert_eq!(answer.challenges(), expected);
}

#[test]
fn every_challenge_has_a_fresh_nonce() {
    #[derive(Debug)]
    struct Counter(std::sync::atomic::AtomicU8);
    impl cloverleaf_proto::Entropy for Counter {
        fn fill(&self, octets: &mut [u8]) {
            octets.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }
    let nonces = Nonces::new(Arc::new(Counter(0.into())), SetClock::at(MADE));
    let server = Server::new(Digest::new(REALM, Arc::new(users()), nonces).unwrap());
    let nonce = || param(server.ask("").challenges()[0], "nonce").to_owned();
    assert_ne!(nonce(), nonce());
}

// Case 22, with an answer worked out elsewhere.
#[test]
fn the_whole_exchange_on_one_connection_to_the_octet() {
    let server = server(|it| it);
    let mut connection = server.connect();
    assert_eq!(connection.ask("/chat", &[]).status, 401);
    let answer = connection.send(
        b"GET /chat HTTP/1.1\r\n\
          Host: example.com\r\n\
          Upgrade: websocket\r\n\
          Connection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
          Sec-WebSocket-Version: 13\r\n\
          Authorization: Digest username=\"user\", realm=\"ws@example.com\", uri=\"/chat\", \
          algorithm=SHA-256, nonce=\"AQAAAABlU_EAABEiM0RVZnev7pCSl6fX0TkvbLu7-hUB\", \
          nc=00000001, cnonce=\"0a4f113b\", qop=auth, \
          response=\"7a51773e6d64276bd39b079e48557e95914f5f6826f64af373d09a9e3ec2e81a\"\r\n\
          \r\n",
    );
    // Case 48.
    assert_eq!(
        answer.text,
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Authentication-Info: qop=auth, \
         rspauth=\"b47e0bb1af13632bd9cf63d8abf0c8371b425350fb238931cd2ba705505766fc\", \
         cnonce=\"0a4f113b\", nc=00000001\r\n\
         \r\n"
    );
    assert_eq!(answer.identity, user());
}

// Cases 21 to 25, with answers worked out elsewhere.
#[test]
fn a15_a16_every_algorithm_in_every_form() {
    for (algorithm, qop, response) in [
        ("MD5", "auth", "d220f420b9498c104d71f87a5d0abb8e"),
        ("MD5-sess", "auth", "b3146bc203dab6804c693858397502f8"),
        ("MD5", "auth-int", "88b49880b74a32c6080040f096d0afb8"),
        (
            "SHA-256-sess",
            "auth",
            "f1794dc75c31efb4bd4584ae67972079271e70510073342d48a8156499dfb3dc",
        ),
        (
            "SHA-256",
            "auth-int",
            "5c4ecc01bcc7e982fd5397326885e52084663ad284ea67f4cfd314bc3b86c31e",
        ),
        (
            "SHA-512-256",
            "auth",
            "3730fcc3b9a1b271bfa4c3078cee1575ec46901079bf8b250892547d1c0f0933",
        ),
        (
            "SHA-512-256-sess",
            "auth",
            "2c3c1418a72e9eb6c6c51e1809a9326b85f668011565766b5c8cb206cab5ece5",
        ),
        (
            "SHA-512-256",
            "auth-int",
            "dbb1d9dcaf5f617157faa2ff69658036b95ee17f9182921057bf89ac2e0c4b58",
        ),
    ] {
        let server = server(|it| it.sha512_256().legacy_md5().sessions().auth_int());
        let client = Client {
            algorithm,
            qop,
            ..Client::new()
        };
        assert_eq!(client.response(), response, "{algorithm} {qop}");
        let answer = server.ask(&client.header());
        assert_eq!(answer.status, 101, "{algorithm} {qop}");
        let info = answer.lines("authentication-info");
        let qop_and_proof = format!("qop={qop}, rspauth=\"{}\", ", client.rspauth());
        assert!(info[0].starts_with(&qop_and_proof), "{info:?}");
    }
    // SHA-512 cut short, by the mistake of RFC 7616 §3.9.2 (erratum 4897).
    let cut = "51dc369bb126f9ae318152d08ee46118a94d7a3ffbf74cb3cb5c9acb3e520381";
    let client = Client {
        algorithm: "SHA-512-256",
        ..Client::new()
    };
    let header = client.header().replace(&client.response(), cut);
    assert_eq!(server(Digest::sha512_256).ask(&header).status, 401);
}

// Cases 16, 39 and 44.
#[test]
fn what_may_be_written_in_more_than_one_way() {
    let client = Client::new();
    let header = client.header();
    let upper = client.response().to_ascii_uppercase();
    for header in [
        header.replace("Digest", "dIGEST"),
        header.replace("qop=auth", "qop=\"auth\""),
        header.replace("nc=00000001", "nc=\"00000001\""),
        header.replace("algorithm=SHA-256", "algorithm=\"sha-256\""),
        header.replace("realm=", "REALM = "),
        header.replace(", ", ","),
        header.replace(", ", " ,\t, "),
        header.replace("username=\"user\"", "username=user"),
        header.replace("username=\"user\"", "username=\"\\u\\s\\e\\r\""),
        header.replace(&client.response(), &upper),
        format!("{header}, charset=utf-8, other=\"\u{e4}\", userhash=false"),
    ] {
        assert_eq!(server(|it| it).ask(&header).status, 101, "{header}");
    }
}

// A12.
#[test]
fn a12_a_count_in_either_case() {
    for nc in ["0000000a", "0000000A", "ffffffff", "FFFFFFFF"] {
        let client = Client {
            nc,
            ..Client::new()
        };
        assert_eq!(server(|it| it).ask(&client.header()).status, 101, "{nc}");
    }
}

// Case 41.
#[test]
fn a16_a_hidden_name() {
    let client = Client::new();
    // Of the vectors.
    let hidden = "f3547d5fffc60bb182b34a885ddd25de21c60ca3f3226f66ab7fa619e322c94b";
    let named = |name: &str| client.named(&format!("username=\"{name}\", userhash=true"));
    let answer = server(Digest::userhash).ask(&named(hidden));
    assert_eq!((answer.status, answer.identity), (101, user()));
    let upper = hidden.to_ascii_uppercase();
    assert_eq!(server(Digest::userhash).ask(&named(&upper)).status, 101);
    // Of nobody, and the name itself.
    let nobody = hidden.replace('f', "0");
    assert_eq!(server(Digest::userhash).ask(&named(&nobody)).status, 401);
    assert_eq!(server(Digest::userhash).ask(&named("user")).status, 400);
    // Not offered.
    assert_eq!(server(|it| it).ask(&named(hidden)).status, 401);
    // It may be offered and not used.
    assert_eq!(server(Digest::userhash).ask(&client.header()).status, 101);
}

// Cases 42 and 43.
#[test]
fn a16_a23_names_that_are_not_plain() {
    let named = |user, username: &str| {
        let client = Client {
            user,
            ..Client::new()
        };
        let answer = server(Digest::userhash).ask(&client.named(username));
        (answer.status, answer.identity.map(|it| it.name))
    };
    let jason = "J\u{e4}s\u{f8}n Doe";
    let good = |name: &str| (101, Some(name.to_owned()));
    assert_eq!(
        named(jason, "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe"),
        good(jason)
    );
    assert_eq!(
        named(
            jason,
            "username*=utf-8'de'J%c3%a4s%c3%b8n%20Doe, userhash=false"
        ),
        good(jason)
    );
    assert_eq!(named(jason, &format!("username=\"{jason}\"")), good(jason));
    let odd = "a\"b\\c,d";
    assert_eq!(named(odd, "username=\"a\\\"b\\\\c,d\""), good(odd));
    for bad in [
        "username*=UTF-8''user, username=\"user\"",
        "username*=UTF-8''user, userhash=true",
        "username*=ISO-8859-1''user",
        "username*=UTF-8'user",
        "username*=UTF-8''%C3",
        "username*=UTF-8''a%",
        "username*=user",
    ] {
        assert_eq!(named("user", bad), (400, None), "{bad}");
    }
}

// Case 24 with another cnonce each time.
#[test]
fn a16_a_session_with_another_cnonce() {
    let server = server(|it| it.sessions().replay(ReplayCache::new().reusable()));
    for (nc, cnonce) in [("00000001", "one"), ("00000002", "two")] {
        let client = Client {
            nc,
            cnonce,
            algorithm: "SHA-256-sess",
            ..Client::new()
        };
        assert_eq!(server.ask(&client.header()).status, 101, "{cnonce}");
    }
}

#[test]
fn the_target_in_absolute_form_is_the_same_target() {
    for (uri, target, status) in [
        ("/chat?a=b", "/chat?a=b", 101),
        ("http://example.com/chat", "/chat", 101),
        ("ws://EXAMPLE.com:80/chat", "/chat", 101),
        ("wss://example.com/chat", "/chat", 101),
        ("/chat", "http://example.com/chat", 101),
        ("http://example.com/chat", "http://example.com/chat", 101),
        ("http://example.org/chat", "/chat", 400),
        ("http://example.com:81/chat", "/chat", 400),
        ("/chat", "http://example.com/other", 400),
    ] {
        let client = Client {
            uri: uri.to_owned(),
            ..Client::new()
        };
        let answer = server(|it| it).connect().ask(target, &[&client.header()]);
        assert_eq!(answer.status, status, "{uri} {target}");
    }
}

// Case 26.
#[test]
fn a06_a_header_that_is_replayed_is_stale_on_any_connection() {
    let server = server(|it| it);
    let header = Client::new().header();
    assert_eq!(server.ask(&header).status, 101);
    for _ in 0..2 {
        let answer = server.ask(&header);
        assert!(answer.is_stale());
        assert_eq!(answer.identity, None);
    }
    // On one connection as well.
    let mut connection = server.connect();
    assert!(connection.ask("/chat", &[&header]).is_stale());
    assert!(connection.ask("/chat", &[&header]).is_stale());
}

// Cases 26 to 28.
#[test]
fn a07_each_count_is_taken_once_and_by_default_each_nonce() {
    let order = |server: &Server, order: &[&'static str]| -> Vec<u16> {
        let ask = |nc: &&'static str| {
            let client = Client {
                nc,
                ..Client::new()
            };
            let answer = server.ask(&client.header());
            assert!(answer.status == 101 || answer.is_stale());
            answer.status
        };
        order.iter().map(ask).collect()
    };
    let (one, two, three) = ("00000001", "00000002", "00000003");
    let counts = [one, three, two, three];
    assert_eq!(order(&server(|it| it), &counts), [101, 401, 401, 401]);
    let reusable = || server(|it| it.replay(ReplayCache::new().reusable()));
    assert_eq!(order(&reusable(), &counts), [101, 101, 101, 401]);
    // 64 behind.
    let far = ["00000041", "00000002", "00000001"];
    assert_eq!(order(&reusable(), &far), [101, 101, 401]);
}

#[test]
fn a07_a_wrong_answer_uses_up_nobodys_nonce() {
    let server = server(|it| it);
    let wrong = Client {
        password: "Pass",
        ..Client::new()
    };
    assert!(!server.ask(&wrong.header()).is_stale());
    assert_eq!(server.ask(&Client::new().header()).status, 101);
}

#[test]
fn a06_of_two_connections_at_the_same_time_with_the_same_header_one_passes() {
    for _ in 0..200 {
        let server = server(|it| it);
        let header = Client::new().header();
        let together = std::sync::Barrier::new(2);
        let race = || {
            let mut connection = server.connect();
            together.wait();
            connection.ask("/chat", &[&header]).status
        };
        let mut found = std::thread::scope(|scope| {
            let other = scope.spawn(race);
            [race(), other.join().unwrap()]
        });
        found.sort_unstable();
        assert_eq!(found, [101, 401]);
    }
}

// Cases 29 and 30.
#[test]
fn a10_a_nonce_that_has_expired_is_stale_only_if_the_answer_is_right() {
    let log = Log::default();
    let (right, wrong) = (
        Client::new(),
        Client {
            password: "x",
            ..Client::new()
        },
    );
    for (now, stale) in [(MADE + 300, false), (MADE + 301, true), (MADE - 31, true)] {
        let server = Server::new(guard(&SetClock::at(now)).on_failure(log.listener()));
        assert!(!server.ask(&wrong.header()).is_stale(), "{now}");
        assert_eq!(log.last(), Some(Reason::WrongPassword));
        let answer = server.ask(&right.header());
        assert_eq!(answer.status == 401 && answer.is_stale(), stale, "{now}");
        assert_eq!(log.last(), stale.then_some(Reason::Expired));
        if stale {
            // The new nonce is good at once.
            let nonce = param(answer.challenges()[0], "nonce").to_owned();
            let again = Client {
                nonce,
                ..Client::new()
            };
            assert_eq!(server.ask(&again.header()).status, 101);
        }
    }
}

// Case 49.
#[test]
fn a_nonce_for_the_next_connection_comes_with_the_101_if_that_is_wanted() {
    let clock = SetClock::at(MADE);
    let server = Server::new(guard(&clock).next_nonce());
    let answer = server.ask(&Client::new().header());
    let info = answer.lines("authentication-info")[0].to_owned();
    // The entropy of this test never changes, so that it takes another second for another nonce.
    assert_eq!(param(&info, "nextnonce"), NONCE);
    clock.set(MADE + 1);
    let client = Client {
        nonce: param(server.ask("").challenges()[0], "nonce").to_owned(),
        ..Client::new()
    };
    clock.set(MADE + 2);
    let answer = server.ask(&client.header());
    let next = Client {
        nonce: param(answer.lines("authentication-info")[0], "nextnonce").to_owned(),
        ..Client::new()
    };
    assert_eq!(server.ask(&next.header()).status, 101);
    assert!(server.ask(&next.header()).is_stale());
}

#[test]
fn a_key_can_be_rotated_while_clients_answer() {
    let clock = SetClock::at(MADE);
    let nonces = Arc::new(nonces(&clock));
    let guard = Digest::new(REALM, Arc::new(users()), Arc::clone(&nonces)).unwrap();
    let server = Server::new(guard);
    nonces.rotate();
    assert_eq!(server.ask(&Client::new().header()).status, 101);
    nonces.rotate();
    assert!(!server.ask(&Client::new().header()).is_stale());
}

#[test]
fn processes_that_share_a_key_and_a_cache_know_each_others_nonces() {
    let clock = SetClock::at(MADE);
    let shared = Arc::new(ReplayCache::new());
    let one = Server::new(guard(&clock).replay(Arc::clone(&shared)));
    let other = Server::new(guard(&clock).replay(shared));
    let header = Client::new().header();
    assert_eq!(one.ask(&header).status, 101);
    assert!(other.ask(&header).is_stale());
}

// Case 47.
#[test]
fn whom_the_application_does_not_want_gets_403_from_it() {
    let guard = crate::guard::AllOf::new()
        .and(guard(&SetClock::at(MADE)))
        .and(|received: &mut cloverleaf_proto::handshake::Received| {
            match received.request.extensions().get::<Identity>() {
                Some(it) if it.name == "user" => {
                    Err(cloverleaf_proto::handshake::Rejection::forbidden("not you"))
                }
                _ => Ok(()),
            }
        });
    let answer = Server::new(guard).ask(&Client::new().header());
    assert_eq!(answer.status, 403);
    assert!(answer.lines("authentication-info").is_empty());
}

// Case 50.
#[test]
fn a_file_in_which_a_user_is_in_two_realms() {
    let text = [(REALM, "pass"), ("other", "secret")]
        .map(|(realm, password)| {
            Htdigest::line("user", realm, &password.into(), Hash::Sha256).unwrap()
        })
        .join("\n");
    let store = Arc::new(Htdigest::parse(text.as_bytes()).store);
    for (realm, password, status) in [
        (REALM, "pass", 101),
        (REALM, "secret", 401),
        ("other", "secret", 101),
        ("other", "pass", 401),
        ("third", "pass", 401),
    ] {
        let nonces = nonces(&SetClock::at(MADE));
        let server = Server::new(Digest::new(realm, store.clone(), nonces).unwrap());
        let client = Client {
            realm,
            password,
            nonce: param(server.ask("").challenges()[0], "nonce").to_owned(),
            ..Client::new()
        };
        assert_eq!(server.ask(&client.header()).status, status, "{realm}");
    }
}
