//! RFC 7617: the cases of Basic.

use std::sync::Arc;

use super::*;
use crate::Scheme;
use crate::guard::Basic;
use crate::store::{Htdigest, Htpasswd, Lookup, Memory, Store, StoreError, Workers};

fn users() -> Memory {
    Memory::new()
        .user("Aladdin", REALM, "open sesame")
        .user("test", REALM, "123\u{a3}")
        .user("a", REALM, "b:c")
        .user("user", REALM, "")
}

fn guard() -> Basic {
    Basic::new(REALM, Arc::new(users())).unwrap()
}

fn server() -> Server {
    Server::new(guard()).secure()
}

#[test]
fn a_request_without_credentials_is_challenged_to_the_octet() {
    let answer = server().ask("");
    assert_eq!(
        answer.text,
        "HTTP/1.1 401 Unauthorized\r\n\
         Connection: keep-alive\r\n\
         WWW-Authenticate: Basic realm=\"ws@example.com\", charset=\"UTF-8\"\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Length: 23\r\n\
         \r\n\
         credentials are needed\n"
    );
}

// Cases 12, 16, 17 and 18.
#[test]
fn the_vectors() {
    for (credentials, name) in [
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"),
        ("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"),
        ("BASIC  QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"),
        ("Basic dGVzdDoxMjPCow==", "test"),
        ("Basic dGVzdDoxMjOj", "test"),
        ("Basic YTpiOmM=", "a"),
        ("Basic dXNlcjo=", "user"),
    ] {
        let answer = server().ask(credentials);
        assert_eq!(answer.status, 101, "{credentials}");
        let expected = Identity {
            name: name.to_owned(),
            scheme: Scheme::Basic,
        };
        assert_eq!(answer.identity, Some(expected));
        assert!(answer.challenges().is_empty());
    }
}

// Cases 13, 14, 15 and 19.
#[test]
fn a02_what_cannot_be_read_or_is_wrong_gets_the_same_401_and_never_a_500() {
    let expected = server().ask("").text;
    let long = format!("Basic {}", "QUFB".repeat(2000));
    for credentials in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==",
        "Basic QWxhZGRpbg==",
        "Basic Og==",
        "Basic =",
        "Basic QQBBOkE=",
        "Basic QToAQQ==",
        "Basic /////w==",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== x",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, a=b",
        "Basic realm=\"a\"",
        "Basic QWxhZGRpbjpPcGVuIHNlc2FtZQ==",
        "Basic bm9ib2R5Om9wZW4gc2VzYW1l",
        "Basi QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Basics QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        &long,
    ] {
        let answer = server().ask(credentials);
        assert_eq!(answer.text, expected, "{credentials}");
    }
}

#[test]
fn a05_two_headers_are_400() {
    let good = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    for two in [[good, good], [good, "Digest a=b"], ["Bearer x", "Bearer x"]] {
        let answer = server().connect().ask("/chat", &two);
        assert_eq!(answer.status, 400, "{two:?}");
    }
}

#[test]
fn a_password_in_the_clear_is_refused_even_if_it_is_right_and_none_is_asked_for() {
    let log = Log::default();
    let server = Server::new(guard().on_failure(log.listener()));
    for credentials in ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ""] {
        let answer = server.ask(credentials);
        assert_eq!(answer.status, 403);
        assert!(answer.challenges().is_empty());
    }
    assert_eq!(log.last(), Some(Reason::Insecure));
    let server = Server::new(guard().allow_insecure_basic());
    let answer = server.ask("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(answer.status, 101);
}

#[test]
fn the_same_connection_takes_the_password_after_the_challenge_and_three_tries_in_all() {
    let server = server();
    let mut connection = server.connect();
    assert_eq!(connection.ask("/chat", &[]).status, 401);
    let answer = connection.ask("/chat", &["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    assert_eq!(answer.status, 101);

    // A20.
    let mut connection = server.connect();
    for keeps in [true, true, false] {
        let answer = connection.ask("/chat", &["Basic QWxhZGRpbjp4"]);
        assert_eq!(answer.status, 401);
        let expected = if keeps { "keep-alive" } else { "close" };
        assert_eq!(answer.lines("Connection"), [expected]);
    }
}

#[test]
fn a20_failures_are_told_with_address_and_user_and_no_password() {
    let log = Log::default();
    let server = Server::new(guard().on_failure(log.listener())).secure();
    assert_eq!(server.ask("").status, 401);
    assert_eq!(server.ask("Bearer x").status, 401);
    assert_eq!(server.ask("Basic YSJiCg==").status, 401);
    assert_eq!(server.ask("Basic YSJiOnNlY3JldA==").status, 401);
    assert_eq!(
        log.lines(),
        [
            "Basic credentials from 192.0.2.7:50000: they are malformed",
            "Basic credentials of \"a\\\"b\" from 192.0.2.7:50000: the password is wrong",
        ]
    );
}

#[test]
fn files_of_users() {
    let htdigest = Htdigest::parse(
        b"user:ws@example.com:c1e35e9f5bedf276fee063cd70f0489c67f085dcd8f2a5a63013a50624e2a7b9\n\
          old:ws@example.com:cd7e40b6eaba63d0e7ebbc9a15ab0b7b\n",
    );
    let htpasswd = Htpasswd::parse(
        b"user:$2y$04$abcdefghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7fR6\n",
        Workers::new(1, 1).unwrap(),
    );
    let stores: [Arc<dyn Store>; 2] = [Arc::new(htdigest.store), Arc::new(htpasswd.store)];
    for store in stores {
        let server = Server::new(Basic::new(REALM, store).unwrap()).secure();
        assert_eq!(server.ask("Basic dXNlcjpwYXNz").status, 101);
        assert_eq!(server.ask("Basic dXNlcjpwYXN0").status, 401);
        assert_eq!(server.ask("Basic bm9ib2R5OnBhc3M=").status, 401);
    }
}

#[test]
fn a_store_that_cannot_tell_is_503() {
    struct Broken(StoreError);
    impl Store for Broken {
        fn verify<'a>(&'a self, _: &'a str, _: &'a crate::Secret, _: &'a str) -> Lookup<'a, bool> {
            Box::pin(core::future::ready(Err(self.0.clone())))
        }
    }
    for error in [StoreError::Busy, StoreError::Failed("no route".to_owned())] {
        let server = Server::new(Basic::new(REALM, Arc::new(Broken(error))).unwrap()).secure();
        let answer = server.ask("Basic dXNlcjpwYXNz");
        assert_eq!(answer.status, 503);
        assert!(!answer.text.contains("no route"));
    }
}

#[test]
fn a_store_that_knows_hashes_only_can_check_passwords() {
    struct Hashes(Memory);
    impl Store for Hashes {
        fn ha1<'a>(
            &'a self,
            user: &'a str,
            realm: &'a str,
            hash: Hash,
        ) -> Lookup<'a, Option<crate::digest::Ha1>> {
            self.0.ha1(user, realm, hash)
        }
    }
    let server = Server::new(Basic::new(REALM, Arc::new(Hashes(users()))).unwrap()).secure();
    assert_eq!(server.ask("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").status, 101);
    assert_eq!(server.ask("Basic QWxhZGRpbjpPcGVuIHNlc2FtZQ==").status, 401);
    assert_eq!(server.ask("Basic bm9ib2R5Om9wZW4gc2VzYW1l").status, 401);
}

#[test]
fn a_realm_that_cannot_stand_in_a_header_is_an_error_at_once() {
    assert!(Basic::new("a\r\nSet-Cookie: b", Arc::new(users())).is_err());
    let guard = Basic::new("a \"b\" \\c, d", Arc::new(users())).unwrap();
    assert_eq!(
        Server::new(guard).secure().ask("").challenges(),
        ["Basic realm=\"a \\\"b\\\" \\\\c, d\", charset=\"UTF-8\""]
    );
}

#[test]
fn a22_nothing_of_the_users_is_printed() {
    let printed = format!("{:?}", guard());
    assert_eq!(
        printed,
        "Basic { realm: \"ws@example.com\", allow_insecure: false, .. }"
    );
}
