//! auth.2: clients that have credentials, and are asked for them.
//!
//! Ids are given in the order of the tables: a new case goes to the end of its table.

use cloverleaf_reports::Verdict;

use crate::authentication::{Algorithm, Inputs};
use crate::case::{Case, Challenging, Reply};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("auth.2", "Clients that have credentials"),
    ("auth.2.1", "One challenge"),
    ("auth.2.2", "How challenges are written"),
    ("auth.2.3", "Which of several challenges"),
    ("auth.2.4", "Another try, and none"),
    ("auth.2.5", "The answer that opens the connection"),
];

pub(super) fn cases() -> Vec<Case> {
    let themes = [one(), writing(), several(), tries(), greetings()];
    let mut all = Vec::new();
    for (theme, cases) in (1..).zip(themes) {
        for (number, mut case) in (1..).zip(cases) {
            let id = format!("auth.2.{theme}.{number}");
            case.id = id.parse().expect("an id in a table of cases");
            all.push(case);
        }
    }
    all
}

/// A case. Its number comes later.
fn asks(title: &str, plan: Challenging, expectation: &str, section: &'static str) -> Case {
    Case::new("auth.2", title, plan)
        .expect(expectation)
        .section(section)
        .for_clients()
}

const ANSWERS: &str = "MUST: the client sends the right credentials, and takes the connection \
                       that opens then.";
const DIGEST: &str = "RFC 7616 §3.4";

/// A challenge with MD5.
const MD5: &str = "Digest realm=\"ws@example.com\", qop=\"auth\", algorithm=MD5, \
                   nonce=\"{nonce}\", opaque=\"b3A=\"";
/// The same with SHA-256.
const SHA_256: &str = "Digest realm=\"ws@example.com\", qop=\"auth\", algorithm=SHA-256, \
                       nonce=\"{nonce}\", opaque=\"b3A=\"";
/// The same with SHA-512-256.
const SHA_512_256: &str = "Digest realm=\"ws@example.com\", qop=\"auth\", algorithm=SHA-512-256, \
                           nonce=\"{nonce}\", opaque=\"b3A=\"";
const BASIC: &str = "Basic realm=\"ws@example.com\", charset=\"UTF-8\"";

fn asked(challenges: &[&str], wants: Reply) -> Challenging {
    Challenging::new().turn(challenges, wants)
}

fn one() -> Vec<Case> {
    let mut cases: Vec<_> = Algorithm::ALL
        .into_iter()
        .map(|algorithm| {
            let name = algorithm.name();
            let challenge = MD5.replace("algorithm=MD5", &format!("algorithm={name}"));
            asks(
                &format!("Digest with {name}"),
                asked(&[&challenge], Reply::Digest(algorithm)).or(Verdict::Unimplemented),
                ANSWERS,
                DIGEST,
            )
        })
        .collect();
    let sha = Algorithm::SHA_256;
    cases.extend([
        asks(
            "Digest without an algorithm: MD5",
            asked(
                &["Digest realm=\"ws@example.com\", qop=\"auth\", nonce=\"{nonce}\""],
                Reply::Digest(Algorithm::MD5),
            )
            .or(Verdict::Unimplemented),
            ANSWERS,
            "RFC 7616 §3.3",
        ),
        asks(
            "Digest with qop=\"auth-int\"",
            asked(
                &[&SHA_256.replace("\"auth\"", "\"auth-int\"")],
                Reply::DigestWith(sha, Some("auth-int")),
            )
            .or(Verdict::Unimplemented),
            ANSWERS,
            "RFC 7616 §3.4.3",
        ),
        asks(
            "Digest with userhash=true",
            asked(
                &[&format!("{SHA_256}, userhash=true")],
                Reply::Userhash(sha),
            )
            .or(Verdict::NonStrict),
            "SHOULD: the client sends the hash of its name.",
            "RFC 7616 §3.4.4",
        ),
        asks(
            "Basic over a connection in the clear",
            asked(&[BASIC], Reply::Basic).or(Verdict::Ok),
            "The client sends the right credentials; to refuse is as right, since anybody can \
             read them.",
            "RFC 7617 §4",
        ),
        asks(
            "Digest in a 401 behind which TCP ends",
            asked(&[SHA_256], Reply::Digest(sha)).closing(),
            "MUST: the client comes again on another connection.",
            "RFC 9112 §9.6",
        ),
        asks(
            "Digest in a 401 with a body of 100 KiB",
            asked(&[SHA_256], Reply::Digest(sha)).body("Who is it?\n".repeat(9310)),
            "SHOULD: the client reads the body, or comes again on another connection.",
            "RFC 9112 §9.3",
        ),
        asks(
            "Digest in a 401 with an empty body",
            asked(&[SHA_256], Reply::Digest(sha)).body(""),
            ANSWERS,
            "RFC 9112 §6.3",
        ),
    ]);
    cases
}

fn writing() -> Vec<Case> {
    let sha = Algorithm::SHA_256;
    let grammar = "RFC 9110 §11.2, §11.6.1";
    let rows: [(&str, String); 15] = [
        (
            "The scheme in small letters",
            SHA_256.replace("Digest", "digest"),
        ),
        (
            "The scheme in capital letters",
            SHA_256.replace("Digest", "DIGEST"),
        ),
        (
            "Names of parameters in capital letters",
            SHA_256
                .replace("realm=", "REALM=")
                .replace("nonce=", "Nonce="),
        ),
        (
            "The algorithm in small letters",
            SHA_256.replace("SHA-256", "sha-256"),
        ),
        (
            "The algorithm quoted",
            SHA_256.replace("SHA-256", "\"SHA-256\""),
        ),
        (
            "An unknown value beside auth in qop",
            SHA_256.replace("\"auth\"", "\"auth-conf, auth\""),
        ),
        (
            "auth and auth-int in qop without a space",
            SHA_256.replace("\"auth\"", "\"auth,auth-int\""),
        ),
        (
            "An unknown parameter",
            format!("{SHA_256}, x-new=\"a, b=c\""),
        ),
        (
            "A comma and a scheme in the realm",
            SHA_256.replace("ws@example.com", "a, Basic realm=b"),
        ),
        (
            "Escaped characters in the realm",
            SHA_256.replace("ws@example.com", "a \\\"b\\\" \\\\ c"),
        ),
        ("An empty realm", SHA_256.replace("ws@example.com", "")),
        (
            "Empty elements, spaces and tabs",
            SHA_256.replace(", ", " ,,\t").replace("realm=", "realm = "),
        ),
        (
            "A nonce in base 64 with padding",
            SHA_256.replace("{nonce}", "{nonce}+/=="),
        ),
        (
            "charset and domain",
            format!("{SHA_256}, charset=UTF-8, domain=\"/ /chat\""),
        ),
        (
            "stale=\"false\", quoted",
            format!("{SHA_256}, stale=\"false\""),
        ),
    ];
    let mut cases: Vec<_> = rows
        .iter()
        .map(|(title, challenge)| {
            asks(
                title,
                asked(&[challenge], Reply::Digest(sha)),
                ANSWERS,
                grammar,
            )
        })
        .collect();
    let nothing = "SHOULD: the client gives up; what it would send does not fit.";
    let broken: [(&str, String); 5] = [
        (
            "A quote that does not end",
            SHA_256.replace("\"b3A=\"", "\"b3A="),
        ),
        ("The realm twice", format!("{SHA_256}, realm=\"x\"")),
        (
            "A name of a parameter that is not ASCII",
            SHA_256.replace("realm=", "\u{20ac}\u{20ac}=\"\u{20ac}\", realm="),
        ),
        ("No nonce", SHA_256.replace("nonce=", "once=")),
        ("No realm", SHA_256.replace("realm=", "ream=")),
    ];
    cases.extend(broken.iter().map(|(title, challenge)| {
        asks(title, asked(&[challenge], Reply::Nothing), nothing, grammar)
    }));
    cases
}

fn several() -> Vec<Case> {
    let sha = Algorithm::SHA_256;
    let either = Reply::Preferably(sha);
    let strongest = "MUST: the client answers one challenge; SHOULD: the strongest it knows.";
    let order = "RFC 9110 §11.4, RFC 7616 §3.7";
    let rows: [(&str, Vec<String>, Reply); 10] = [
        (
            "SHA-256 and MD5 in two lines",
            vec![SHA_256.to_owned(), MD5.to_owned()],
            either,
        ),
        (
            "SHA-256 and MD5 in one line",
            vec![format!("{SHA_256}, {MD5}")],
            either,
        ),
        (
            "MD5 and SHA-256 in one line: the weaker first",
            vec![format!("{MD5}, {SHA_256}")],
            either,
        ),
        (
            "SHA-512-256 behind SHA-256 and MD5",
            vec![MD5.to_owned(), SHA_256.to_owned(), SHA_512_256.to_owned()],
            Reply::Preferably(Algorithm::SHA_512_256),
        ),
        (
            "Basic before Digest, in one line",
            vec![format!("{BASIC}, {SHA_256}")],
            Reply::Digest(sha),
        ),
        (
            "Basic before Digest, in two lines",
            vec![BASIC.to_owned(), SHA_256.to_owned()],
            Reply::Digest(sha),
        ),
        (
            "Unknown schemes before Digest",
            vec![format!(
                "Negotiate, NTLM abc==, New title=\"a, b\", {SHA_256}"
            )],
            Reply::Digest(sha),
        ),
        (
            "Unknown schemes before Digest, in lines of their own",
            vec![
                "Negotiate".to_owned(),
                "NTLM abc==".to_owned(),
                SHA_256.to_owned(),
            ],
            Reply::Digest(sha),
        ),
        (
            "An unknown algorithm before SHA-256",
            vec![SHA_256.replace("SHA-256", "SHA3-256"), SHA_256.to_owned()],
            Reply::Digest(sha),
        ),
        (
            "A broken challenge before a right one, in lines of their own",
            vec!["Digest realm=\"x".to_owned(), SHA_256.to_owned()],
            Reply::Digest(sha),
        ),
    ];
    let mut cases: Vec<_> = rows
        .iter()
        .map(|(title, lines, wants)| {
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            asks(title, asked(&lines, *wants), strongest, order)
        })
        .collect();
    cases.extend([
        asks(
            "Basic, and Digest that nobody can compute: the password stays here",
            asked(
                &[BASIC, &SHA_256.replace("SHA-256", "SHA3-256")],
                Reply::Basic,
            )
            .or(Verdict::Ok),
            "The client sends the right credentials or none.",
            "RFC 7617 §4",
        ),
        asks(
            "Only an unknown scheme",
            asked(&["Negotiate"], Reply::NotBasic),
            "MUST: the client sends no credentials that were not asked for.",
            order,
        ),
        asks(
            "Only Digest with an unknown algorithm",
            asked(&[&SHA_256.replace("SHA-256", "SHA3-256")], Reply::NotBasic),
            "MUST: the client ignores what it does not know, and sends no other credentials.",
            "RFC 7616 §3.3",
        ),
        asks(
            "A 401 without a challenge",
            asked(&[], Reply::NotBasic),
            "MUST: the client sends no credentials that were not asked for.",
            "RFC 9110 §15.5.2",
        ),
    ]);
    cases
}

fn tries() -> Vec<Case> {
    let sha = Algorithm::SHA_256;
    let stale = format!("{SHA_256}, stale=true");
    let gives_up = "SHOULD: what was refused is not tried again.";
    let section = "RFC 7616 §3.3, RFC 9110 §11.6.2";
    vec![
        asks(
            "stale=true behind the right credentials",
            asked(&[SHA_256], Reply::Digest(sha)).turn(&[&stale], Reply::Digest(sha)),
            "SHOULD: the client tries once more with the new nonce, counted from 1.",
            section,
        ),
        asks(
            "stale=\"TRUE\", quoted and in capital letters",
            asked(&[SHA_256], Reply::Digest(sha))
                .turn(&[&format!("{SHA_256}, stale=\"TRUE\"")], Reply::Digest(sha)),
            "SHOULD: the client tries once more with the new nonce, counted from 1.",
            section,
        ),
        asks(
            "stale=true on another connection",
            asked(&[SHA_256], Reply::Digest(sha))
                .closing()
                .turn(&[&stale], Reply::Digest(sha))
                .closing(),
            "SHOULD: the client tries once more with the new nonce, counted from 1.",
            section,
        ),
        asks(
            "The same challenge behind the right credentials",
            asked(&[SHA_256], Reply::Digest(sha)).turn(&[SHA_256], Reply::Nothing),
            gives_up,
            section,
        ),
        asks(
            "A weaker challenge behind the right credentials",
            asked(&[SHA_256], Reply::Digest(sha)).turn(&[BASIC], Reply::NotBasic),
            "MUST: a password that was not accepted as a hash is not sent in the clear.",
            "RFC 7616 §5.8",
        ),
        asks(
            "stale=true without end",
            asked(&[SHA_256], Reply::Digest(sha))
                .turn(&[&stale], Reply::Digest(sha))
                .or(Verdict::Ok)
                .turn(&[&stale], Reply::Digest(sha))
                .or(Verdict::Ok)
                .turn(&[&stale], Reply::Digest(sha))
                .or(Verdict::Ok)
                .turn(&[&stale], Reply::Nothing),
            gives_up,
            section,
        ),
    ]
}

fn greetings() -> Vec<Case> {
    let sha = Algorithm::SHA_256;
    let section = "RFC 7616 §3.5";
    vec![
        asks(
            "Authentication-Info with the right rspauth",
            asked(&[SHA_256], Reply::Digest(sha))
                .greeting(|inputs| info(inputs, &inputs.rspauth())),
            "MUST: the client takes the connection that opens.",
            section,
        ),
        asks(
            "Authentication-Info with the next nonce only",
            asked(&[SHA_256], Reply::Digest(sha)).greeting(|_| {
                let value = "nextnonce=\"5f0c\"".to_owned();
                vec![("Authentication-Info".to_owned(), value)]
            }),
            "MUST: the client takes the connection that opens.",
            section,
        ),
        asks(
            "Authentication-Info with a wrong rspauth",
            asked(&[SHA_256], Reply::Digest(sha))
                .greeting(|inputs| info(inputs, &inputs.response()))
                .mistrusted(),
            "SHOULD: the client gives up: the server does not know the password.",
            section,
        ),
        asks(
            "Authentication-Info with an empty rspauth",
            asked(&[SHA_256], Reply::Digest(sha))
                .greeting(|inputs| info(inputs, ""))
                .mistrusted(),
            "SHOULD: the client gives up: the server does not know the password.",
            section,
        ),
    ]
}

fn info(inputs: &Inputs, rspauth: &str) -> Vec<(String, String)> {
    let Inputs { nc, cnonce, .. } = inputs;
    let value = format!("qop=auth, rspauth=\"{rspauth}\", cnonce=\"{cnonce}\", nc={nc}");
    vec![("Authentication-Info".to_owned(), value)]
}
