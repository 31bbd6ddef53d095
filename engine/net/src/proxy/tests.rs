//! Proxies by their octets: what we write, and what becomes of what they answer, in pieces of every
//! size.

use std::sync::Mutex;

use bytes::Bytes;
use cloverleaf_proto::handshake::ResponseHandler;
use http::header::{AUTHORIZATION, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Request, Response};

use super::connect::{Basic, Connect};
use super::socks5::{Place, Socks5};
use super::{Login, Machine, Progress, Proxy};

/// What a conversation came to: the octets written, those of the proxy that were left, and the end.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    written: Vec<u8>,
    left: Vec<u8>,
    end: String,
    connections: usize,
}

/// Talks to a proxy that says these things, each once it has been written to, and on a new connection
/// only what is there for it; then ends.
fn talk(machine: &mut impl Machine, connections: &[&[&[u8]]], step: usize) -> Outcome {
    let mut outcome = Outcome {
        written: Vec::new(),
        left: Vec::new(),
        end: String::new(),
        connections: 0,
    };
    'connection: for says in connections {
        outcome.connections += 1;
        outcome.written.extend(machine.transmit());
        for said in *says {
            let mut rest = *said;
            while !rest.is_empty() {
                let piece = &rest[..step.min(rest.len())];
                let taken = machine.handle_input(piece);
                rest = &rest[taken..];
                let progress = machine.take_progress();
                outcome.written.extend(machine.transmit());
                match progress {
                    Progress::NeedsInput => assert_eq!(taken, piece.len(), "all is taken"),
                    Progress::NewConnection => continue 'connection,
                    end => {
                        // What a failed one has left does not matter to anybody.
                        if matches!(end, Progress::Open) {
                            outcome.left = rest.to_vec();
                        }
                        outcome.end = format!("{end:?}");
                        return outcome;
                    }
                }
            }
        }
        machine.handle_eof();
        match machine.take_progress() {
            Progress::NewConnection => {}
            end => {
                outcome.end = format!("{end:?}");
                return outcome;
            }
        }
    }
    "no more connections".clone_into(&mut outcome.end);
    outcome
}

/// The same for every size of pieces.
fn in_all_pieces<M: Machine>(machine: impl Fn() -> M, connections: &[&[&[u8]]]) -> Outcome {
    let whole = talk(&mut machine(), connections, usize::MAX);
    for step in 1..40 {
        assert_eq!(
            talk(&mut machine(), connections, step),
            whole,
            "in pieces of {step}"
        );
    }
    whole
}

fn login() -> Login {
    super::login("Aladdin:open%20sesame").expect("encoded well")
}

const REQUEST: &[u8] = b"CONNECT server:443 HTTP/1.1\r\nHost: server:443\r\n\r\n";
const WITH_BASIC: &[u8] = b"CONNECT server:443 HTTP/1.1\r\nHost: server:443\r\n\
    Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n";
const CHALLENGE: &[u8] =
    b"HTTP/1.1 407 x\r\nProxy-Authenticate: Digest realm=\"a\", basic realm=b\r\n\
    Content-Length: 3\r\n\r\nwho";
const LAST_WORDS: &[u8] = b"HTTP/1.0 407 x\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\nwho?";
const CONSENT: &[u8] = b"HTTP/1.1 200 Connection established\r\nContent-Length: 10\r\n\r\n";

fn anonymous() -> Connect {
    Connect::new("server:443", None)
}

fn known() -> Connect {
    Connect::new("server:443", Some(Box::new(Basic(login()))))
}

#[test]
fn what_comes_behind_the_consent_is_the_servers() {
    let says = [CONSENT, b"HTTP/1.1 407 from the server"].concat();
    let outcome = in_all_pieces(anonymous, &[&[&says]]);
    assert_eq!(outcome.written, REQUEST);
    assert_eq!(outcome.end, "Open");
    // In one piece all of it is left, in small ones what the proxy has sent by then.
    assert_eq!(outcome.left, b"HTTP/1.1 407 from the server");
}

#[test]
fn credentials_are_shown_when_they_are_asked_for_and_not_before() {
    let outcome = in_all_pieces(known, &[&[CONSENT]]);
    assert_eq!(
        (outcome.written.as_slice(), outcome.end.as_str()),
        (REQUEST, "Open")
    );

    let outcome = in_all_pieces(known, &[&[CHALLENGE, CONSENT]]);
    assert_eq!(outcome.written, [REQUEST, WITH_BASIC].concat());
    assert_eq!((outcome.connections, outcome.end.as_str()), (1, "Open"));
}

#[test]
fn a_proxy_that_closes_behind_its_challenge_is_asked_over_a_new_connection() {
    let closing = b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\
        Proxy-Connection: Close\r\n\r\n";
    for first in [&[LAST_WORDS][..], &[CHALLENGE], &[closing]] {
        let outcome = in_all_pieces(known, &[first, &[CONSENT]]);
        assert_eq!(
            (outcome.connections, outcome.end.as_str()),
            (2, "Open"),
            "{first:?}"
        );
        let requests = outcome
            .written
            .windows(8)
            .filter(|it| it == b"CONNECT ")
            .count();
        // One that was promised to stay and did not has been written to in vain.
        assert_eq!(
            requests,
            if first == [CHALLENGE] { 3 } else { 2 },
            "{first:?}"
        );
        assert!(outcome.written.ends_with(WITH_BASIC));
    }
}

#[test]
fn octets_behind_a_challenge_are_no_answer_to_the_next_request() {
    // The proxy, or somebody in it, has an answer ready for a question that was not asked yet.
    let says = [CHALLENGE, CONSENT].concat();
    let whole = talk(&mut known(), &[&[&says], &[CONSENT]], usize::MAX);
    assert_eq!((whole.connections, whole.end.as_str()), (2, "Open"));
}

#[test]
fn a_refusal_is_told_with_what_to_do() {
    let basic = "HTTP/1.1 407 x\r\nContent-Length: 0\r\nProxy-Authenticate: Basic realm=x\r\n\r\n";
    let digest =
        "HTTP/1.1 407 x\r\nContent-Length: 0\r\nProxy-Authenticate: Digest realm=x\r\n\r\n";
    for (machine, says, error, advice) in [
        (
            anonymous as fn() -> Connect,
            basic.to_owned(),
            "CredentialsWanted",
            "http://user:",
        ),
        (
            anonymous,
            digest.to_owned(),
            "CredentialsWanted",
            "Proxy::authenticate",
        ),
        (
            known,
            digest.to_owned(),
            "CredentialsWanted",
            "Proxy::authenticate",
        ),
        (known, basic.repeat(2), "CredentialsRefused", "check user"),
        (
            known,
            "HTTP/1.1 403 Forbidden\r\n\r\nno".to_owned(),
            "Refused",
            "does not allow",
        ),
        (
            known,
            "HTTP/1.1 502 x\r\nContent-Length: 1\r\n\r\nx".to_owned(),
            "Refused",
            "cannot reach",
        ),
        (
            known,
            "HTTP/1.1 302 x\r\nLocation: http://evil/\r\n\r\n".to_owned(),
            "Refused",
            "302",
        ),
        (known, "HTTP/1.1 101 x\r\n\r\n".to_owned(), "Refused", "101"),
        (known, "\x05\x00".to_owned(), "Answer", "HTTP"),
        (known, "SSH-2.0-x\r\n\r\n".to_owned(), "Answer", "HTTP"),
        (
            known,
            "HTTP/1.1 100 Continue\r\n\r\n".repeat(11),
            "Answer",
            "without end",
        ),
        (
            known,
            format!("HTTP/1.1 200 {}", "x".repeat(9000)),
            "Answer",
            "too long",
        ),
        (known, String::new(), "Eof", "closed"),
    ] {
        for step in [1, usize::MAX] {
            let mut machine = machine();
            let mut says = says.as_bytes();
            let mut progress = Progress::NeedsInput;
            while matches!(progress, Progress::NeedsInput) {
                let _ = machine.transmit();
                // As the proxy answers each request of its own.
                let end = says.windows(4).position(|it| it == b"\r\n\r\n");
                let end = end.map_or(says.len(), |end| end + 4).min(step);
                if says.is_empty() {
                    machine.handle_eof();
                } else {
                    let end = if machine.is_explained() {
                        says.len()
                    } else {
                        end
                    };
                    let taken = machine.handle_input(&says[..end]);
                    says = &says[taken..];
                }
                progress = machine.take_progress();
            }
            let Progress::Failed(found) = progress else {
                panic!("{says:?}: {progress:?}");
            };
            let debug = format!("{found:?}");
            assert!(debug.starts_with(error), "{debug}");
            assert!(found.to_string().contains(advice), "{found}");
            assert!(!debug.contains("QWxhZGRpbjpvcGVuIHNlc2FtZQ"), "{debug}");
        }
    }
}

/// Answers every challenge with whatever it is told, and notes what it is shown.
#[derive(Debug, Default)]
struct Eager(std::sync::Arc<Mutex<Vec<String>>>);

impl ResponseHandler for Eager {
    fn prepare(&mut self, request: &Request<()>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(PROXY_AUTHORIZATION, HeaderValue::from_static("first"));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("the server's"));
        self.0
            .lock()
            .expect("whole")
            .push(format!("{} {}", request.method(), request.uri()));
        headers
    }

    fn retry(&mut self, request: &Request<()>, response: &Response<Bytes>) -> Option<HeaderMap> {
        let mut shown = self.0.lock().expect("whole");
        let sent = request.headers()[PROXY_AUTHORIZATION]
            .to_str()
            .expect("ASCII");
        shown.push(format!("{} behind {sent}", response.status().as_u16()));
        let value = HeaderValue::from_str(&format!("next {}", shown.len())).expect("ASCII");
        Some(HeaderMap::from_iter([
            (PROXY_AUTHORIZATION, value),
            (AUTHORIZATION, HeaderValue::from_static("the server's")),
        ]))
    }

    fn opened(&mut self, _: &Request<()>, response: &Response<()>) -> Result<(), String> {
        match response.headers().contains_key("proof") {
            true => Ok(()),
            false => Err("it does not know the password".to_owned()),
        }
    }
}

#[test]
fn a_handler_is_shown_the_connect_and_asked_twice_and_only_the_proxys_credentials_leave() {
    let shown = std::sync::Arc::<Mutex<Vec<String>>>::default();
    let eager = Eager(std::sync::Arc::clone(&shown));
    let mut machine = Connect::new("[::1]:8443", Some(Box::new(eager)));
    let outcome = talk(
        &mut machine,
        &[&[CHALLENGE, CHALLENGE, CHALLENGE]],
        usize::MAX,
    );
    let attempt = |credentials: &str| {
        format!(
            "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\nProxy-Authorization: {credentials}\r\n\r\n"
        )
    };
    let expected = [attempt("first"), attempt("next 2"), attempt("next 3")].concat();
    assert_eq!(String::from_utf8(outcome.written).expect("text"), expected);
    assert!(
        outcome.end.contains("CredentialsRefused"),
        "{}",
        outcome.end
    );
    assert_eq!(
        *shown.lock().expect("whole"),
        [
            "CONNECT [::1]:8443",
            "407 behind first",
            "407 behind next 2"
        ]
    );
    assert!(!format!("{machine:?}").contains("next"));
}

#[test]
fn a_proxy_that_cannot_prove_itself_gets_no_tunnel() {
    let machine = || Connect::new("server:443", Some(Box::new(Eager::default())));
    let proven = b"HTTP/1.1 200 x\r\nProof: x\r\n\r\n";
    assert_eq!(in_all_pieces(machine, &[&[proven]]).end, "Open");
    let end = in_all_pieces(machine, &[&[CONSENT]]).end;
    assert!(end.contains("Deceived"), "{end}");
}

fn socks(login: Option<Login>) -> impl Fn() -> Socks5 {
    move || Socks5::new(Place::Name("server".to_owned(), 443), login.clone())
}

const OFFER: &[u8] = b"\x05\x01\x00";
const OFFER_WITH_LOGIN: &[u8] = b"\x05\x02\x00\x02";
const LOGIN: &[u8] = b"\x01\x07Aladdin\x0bopen sesame";
const ASK: &[u8] = b"\x05\x01\x00\x03\x06server\x01\xbb";
const REPLY: &[u8] = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34";

#[test]
fn rfc_1928_and_1929_to_the_octet() {
    let outcome = in_all_pieces(socks(None), &[&[b"\x05\x00", &[REPLY, b"tunnel"].concat()]]);
    assert_eq!(outcome.written, [OFFER, ASK].concat());
    assert_eq!(
        (outcome.end.as_str(), outcome.left.as_slice()),
        ("Open", &b"tunnel"[..])
    );

    let outcome = in_all_pieces(socks(Some(login())), &[&[b"\x05\x02", b"\x01\x00", REPLY]]);
    assert_eq!(outcome.written, [OFFER_WITH_LOGIN, LOGIN, ASK].concat());
    assert_eq!(outcome.end, "Open");

    // A proxy that wants no password is not told.
    let outcome = in_all_pieces(socks(Some(login())), &[&[b"\x05\x00", REPLY]]);
    assert_eq!(outcome.written, [OFFER_WITH_LOGIN, ASK].concat());
    assert_eq!(outcome.end, "Open");

    for (address, octets) in [
        (
            "192.0.2.7",
            &b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"[..],
        ),
        (
            "2001:db8::7",
            b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x00\x50",
        ),
    ] {
        let place = Place::Address(address.parse().expect(address), 80);
        let outcome = in_all_pieces(
            || Socks5::new(place.clone(), None),
            &[&[b"\x05\x00", REPLY]],
        );
        assert_eq!(outcome.written, [OFFER, octets].concat());
    }
}

#[test]
fn a_reply_has_an_address_of_any_kind_and_ends_behind_it() {
    for address in [
        &b"\x01\x7f\x00\x00\x01"[..],
        b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
        b"\x03\x00",
        b"\x03\x05local",
        &[&b"\x03\xff"[..], &[b'x'; 255]].concat(),
    ] {
        let reply = [b"\x05\x00\x00", address, b"\x12\x34", b"tunnel"].concat();
        let outcome = in_all_pieces(socks(None), &[&[b"\x05\x00", &reply]]);
        assert_eq!(
            (outcome.end.as_str(), outcome.left.as_slice()),
            ("Open", &b"tunnel"[..])
        );
        // Nor before it.
        let cut = &reply[..reply.len() - 7];
        let outcome = in_all_pieces(socks(None), &[&[b"\x05\x00", cut]]);
        assert_eq!(outcome.end, "Failed(Eof)");
    }
}

#[test]
fn what_a_socks_proxy_may_refuse_or_get_wrong() {
    for (login, says, error, advice) in [
        (
            None,
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            "Version(72)",
            "HTTP proxy",
        ),
        (None, b"\x04\x00", "Version(4)", "SOCKS 5"),
        (None, b"\x05\xff", "Method(255)", "socks5://user:"),
        (Some(login()), b"\x05\xff", "Method(255)", "socks5://user:"),
        (None, b"\x05\x02", "Method(2)", "not offered"),
        (Some(login()), b"\x05\x01", "Method(1)", "not offered"),
        (
            Some(login()),
            b"\x05\x02\x01\x01",
            "CredentialsRefused",
            "check user",
        ),
        (None, b"\x05\x00\x04\x00", "Version(4)", "SOCKS 5"),
        (
            None,
            b"\x05\x00\x05\x05",
            "Reply(5)",
            "refused the connection",
        ),
        (
            None,
            b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0",
            "Reply(2)",
            "rules",
        ),
        (None, b"\x05\x00\x05\xee", "Reply(238)", "238"),
        (
            None,
            b"\x05\x00\x05\x00\x00\x02",
            "AddressKind(2)",
            "RFC 1928",
        ),
        (None, b"\x05\x00\x05", "Eof", "closed"),
        (None, b"\x05", "Eof", "closed"),
        (None, b"", "Eof", "closed"),
    ] {
        // What it says at once it says to each question.
        let outcome = in_all_pieces(socks(login.clone()), &[&[says]]);
        assert_eq!(outcome.end, format!("Failed({error})"), "{says:?}");
        let mut machine = socks(login)();
        let _ = machine.handle_input(says);
        let failed = match machine.take_progress() {
            Progress::Failed(failed) => failed,
            _ => super::ProxyError::Eof,
        };
        assert!(failed.to_string().contains(advice), "{failed}");
    }
}

#[test]
fn arbitrary_octets_never_panic_and_are_read_alike_in_every_size() {
    let mut state = 1_u32;
    let mut random = |n: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % n
    };
    let words: [&[u8]; 12] = [
        b"HTTP/1.1 200 x\r\n",
        b"HTTP/1.1 407 x\r\n",
        b"HTTP/1.0 407 x\r\n",
        b"\r\n",
        b"HTTP/1.1 100 x\r\n\r\n",
        b"Proxy-Authenticate: Basic x\r\n",
        b"Content-Length: 2\r\n",
        b"\x05\x00",
        b"\x05\x02",
        b"\x01\x00",
        REPLY,
        b"\x05\x00\x00\x03",
    ];
    for _ in 0..5000 {
        let mut says = Vec::new();
        for _ in 0..random(6) {
            match random(4) {
                0 => says.push(random(256) as u8),
                _ => says.extend_from_slice(words[random(12) as usize]),
            }
        }
        let step = 1 + random(9) as usize;
        // A request that crosses an answer makes a difference to what is behind it, so of HTTP only
        // the first answer counts.
        assert_eq!(
            talk(&mut anonymous(), &[&[&says]], step),
            talk(&mut anonymous(), &[&[&says]], usize::MAX)
        );
        talk(&mut known(), &[&[&says], &[&says]], step);
        let login = (random(2) == 0).then(login);
        assert_eq!(
            talk(&mut socks(login.clone())(), &[&[&says]], step),
            talk(&mut socks(login)(), &[&[&says]], usize::MAX)
        );
    }
}

#[test]
fn urls_of_proxies_and_what_is_none() {
    for (url, host, port, user) in [
        ("http://proxy", "proxy", 80, None),
        ("http://proxy:3128/", "proxy", 3128, None),
        ("HTTP://[::1]:3128", "::1", 3128, None),
        ("socks5://proxy", "proxy", 1080, None),
        (
            "socks5h://me:p%3Aw@proxy:1081",
            "proxy",
            1081,
            Some(("me", "p:w")),
        ),
        ("http://me@proxy", "proxy", 80, Some(("me", ""))),
        (
            "http://a%40b:%ff@proxy",
            "proxy",
            80,
            Some(("a@b", "\u{ff}")),
        ),
    ] {
        let proxy = Proxy::new(url).expect(url);
        assert_eq!((proxy.place.host(), proxy.port), (host, port), "{url}");
        let user = user.map(|(user, password)| {
            (
                user.as_bytes().to_vec(),
                password.chars().map(|it| it as u8).collect(),
            )
        });
        assert_eq!(proxy.login.map(|it| (it.user, it.password)), user, "{url}");
    }
    let long = format!("socks5://me:{}@proxy", "x".repeat(256));
    for url in [
        "",
        "proxy",
        "proxy:3128",
        "ftp://secret@proxy",
        "https://secret@proxy",
        "http://",
        "http://me:secret@",
        "http://me:secret@proxy/path",
        "http://me:secret@proxy?x",
        "http://me:secret%@proxy",
        "http://me:secret%4@proxy",
        "http://me:secret%+4@proxy",
        "http://me:secret@pro xy",
        "http://me:secret@proxy:0",
        "socks5://:secret@proxy",
        "http://me:secret@proxy#x",
        &long,
    ] {
        let error = Proxy::new(url).expect_err(url);
        assert_eq!(error.kind(), crate::ErrorKind::Url, "{url}");
        assert!(
            !format!("{error} {error:?}").contains("secret"),
            "{error:?}"
        );
    }
    let proxy = Proxy::new("http://me:secret@proxy").expect("a URL");
    assert!(!format!("{proxy:?}").contains("secret"));
}
