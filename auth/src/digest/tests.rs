//! Headers of Digest: what is read from them, and how they are written.

use http::HeaderValue;

use super::*;
use crate::header::{parse_challenges, parse_credentials};

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).expect("octets of a header")
}

fn challenge(params: &str) -> Result<Challenge, DigestError> {
    let parsed = parse_challenges(&[value(&format!("Digest {params}"))]);
    Challenge::parse(parsed.first().expect("a challenge"))
}

const RESPONSE: &str = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";

/// Credentials with each parameter that there is a `name=value` for put in the place of the good
/// one, and those with an empty value left out.
fn authorization(changes: &[(&str, &str)]) -> Result<Authorization, DigestError> {
    let response = format!("\"{RESPONSE}\"");
    let mut params = vec![
        ("username", "\"Mufasa\""),
        ("realm", "\"http-auth@example.org\""),
        ("uri", "\"/dir/index.html\""),
        ("algorithm", "SHA-256"),
        ("nonce", "\"n/o==\""),
        ("nc", "00000001"),
        ("cnonce", "\"c\""),
        ("qop", "auth"),
        ("response", &response),
        ("opaque", "\"o\""),
    ];
    for change in changes {
        match params.iter_mut().find(|(name, _)| *name == change.0) {
            Some(param) => *param = *change,
            None => params.push(*change),
        }
    }
    let params: Vec<_> = params
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let line = value(&format!("Digest {}", params.join(", ")));
    Authorization::parse(&parse_credentials(&line)?)
}

// A17.
#[test]
fn a_challenge_is_read_in_every_form() {
    let least = challenge(r#"realm="r", nonce="n""#).expect("the least");
    assert_eq!(least.algorithm, Algorithm::from(Hash::Md5));
    assert_eq!((&*least.qop, least.stale), (&[][..], false));
    assert_eq!((least.utf8, least.userhash), (false, false));

    let most = challenge(
        r#"REALM=r, nonce=n, algorithm="sha-512-256-SESS", qop="auth-conf , AUTH-INT,auth,auth",
           opaque="", stale="TRUE", domain="/a  http://b/c", charset="utf-8", userhash="true", x=y"#
            .replace("\n           ", " ")
            .as_str(),
    )
    .expect("the most");
    let expected = Challenge {
        qop: vec![Qop::AuthInt, Qop::Auth],
        opaque: Some(String::new()),
        stale: true,
        domain: vec!["/a".to_owned(), "http://b/c".to_owned()],
        userhash: true,
        ..Challenge::new(
            "r",
            "n",
            Algorithm::from_name("SHA-512-256-sess").expect("known"),
        )
    };
    assert_eq!(most, expected);
}

#[test]
fn a_challenge_that_cannot_be_answered_is_none() {
    let long = format!("nonce=n, realm=\"{}\"", "x".repeat(1025));
    for (params, error) in [
        ("nonce=n", DigestError::Missing("realm")),
        ("realm=r", DigestError::Missing("nonce")),
        (
            "realm=r, nonce=n, algorithm=SHA-512",
            DigestError::Algorithm,
        ),
        ("realm=r, nonce=n, algorithm=\"\"", DigestError::Algorithm),
        ("realm=r, nonce=n, qop=auth-conf", DigestError::Qop),
        ("realm=r, nonce=n, qop=\"\"", DigestError::Qop),
        (
            "realm=r, nonce=n, stale=maybe",
            DigestError::Invalid("stale"),
        ),
        (
            "realm=r, nonce=n, userhash=1",
            DigestError::Invalid("userhash"),
        ),
        ("realm=\"a\tb\", nonce=n", DigestError::Invalid("realm")),
        (&*long, DigestError::Invalid("realm")),
    ] {
        assert_eq!(challenge(params), Err(error), "{params}");
    }
    let latin = HeaderValue::from_bytes(b"Digest realm=\"\xe4\", nonce=n").expect("a header");
    assert_eq!(
        Challenge::parse(&parse_challenges(&[latin])[0]),
        Err(DigestError::Invalid("realm"))
    );
    for line in ["Basic realm=r, nonce=n", "Digest abc=="] {
        let parsed = parse_challenges(&[value(line)]);
        assert_eq!(Challenge::parse(&parsed[0]), Err(DigestError::Scheme));
    }
}

#[test]
fn a_challenge_is_written_with_quotes_where_they_belong() {
    let mut challenge = Challenge::new("ws@example.com", "dGVz=", Hash::Sha256.into());
    let least = challenge.write().expect("it can be written").to_value();
    assert_eq!(
        least,
        r#"Digest realm="ws@example.com", qop="auth", algorithm=SHA-256, nonce="dGVz=", charset=UTF-8"#
    );
    challenge.qop.push(Qop::AuthInt);
    challenge.opaque = Some("b3A=".to_owned());
    challenge.stale = true;
    challenge.domain = vec!["/a".to_owned(), "/b".to_owned()];
    challenge.userhash = true;
    challenge.realm = "a \"b\" \u{e4}".to_owned();
    let most = challenge.write().expect("it can be written").to_value();
    let written = "Digest realm=\"a \\\"b\\\" \u{e4}\", qop=\"auth, auth-int\", algorithm=SHA-256, \
                   nonce=\"dGVz=\", opaque=\"b3A=\", domain=\"/a /b\", stale=true, charset=UTF-8, \
                   userhash=true";
    assert_eq!(most.as_bytes(), written.as_bytes());
    assert_eq!(
        Challenge::parse(&parse_challenges(&[most])[0]),
        Ok(challenge.clone())
    );
    challenge.opaque = Some("\n".to_owned());
    assert!(challenge.write().is_err());
}

#[test]
fn credentials_are_read_and_written() {
    let read = authorization(&[]).expect("good credentials");
    assert_eq!(read.username, Username::Clear("Mufasa".to_owned()));
    assert_eq!(read.nonce, "n/o==");
    assert_eq!(
        (read.qop, read.nc),
        (Some(Qop::Auth), Some(NonceCount::FIRST))
    );
    let written = read.write().expect("it can be written");
    assert_eq!(
        written.to_value(),
        format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
             uri=\"/dir/index.html\", algorithm=SHA-256, nonce=\"n/o==\", nc=00000001, \
             cnonce=\"c\", qop=auth, response=\"{RESPONSE}\", opaque=\"o\""
        )
    );
    assert_eq!(Authorization::parse(&written), Ok(read.clone()));

    let question = read.question("GET", b"");
    let mut again = Authorization::new(read.username.clone(), &question);
    again.response = RESPONSE.to_owned();
    again.opaque = Some("o".to_owned());
    assert_eq!(again, read);
}

// Conformance cases 39 and 44, A12.
#[test]
fn credentials_may_be_quoted_or_not_and_in_either_case() {
    let plain = authorization(&[]).expect("good credentials");
    for changes in [
        &[("nc", "\"00000001\""), ("qop", "\"auth\"")][..],
        &[("algorithm", "\"sha-256\""), ("username", "Mufasa")],
        &[
            ("realm", "\"http-auth\\@example\\.org\""),
            ("cnonce", "c"),
            ("userhash", "false"),
        ],
        &[("x", "y")],
    ] {
        assert_eq!(authorization(changes), Ok(plain.clone()), "{changes:?}");
    }
    let upper = format!("\"{}\"", RESPONSE.to_ascii_uppercase());
    assert!(authorization(&[("response", &upper)]).is_ok());
    let count = authorization(&[("nc", "0000000A")]).expect("a count").nc;
    assert_eq!(
        count.map(|nc| (nc.number(), nc.as_str().to_owned())),
        Some((10, "0000000A".to_owned()))
    );
    let md5 = [
        ("algorithm", ""),
        ("response", "00112233445566778899aabbccddeeff"),
    ];
    assert_eq!(
        authorization(&md5).map(|it| it.algorithm),
        Ok(Hash::Md5.into())
    );
}

// A12, A16; conformance cases 34, 35, 36 and 43.
#[test]
fn credentials_that_are_malformed_are_refused() {
    use DigestError::{Invalid, Missing};
    let long = format!("\"{}\"", "x".repeat(4096));
    let short = &RESPONSE[..32];
    let hash = RESPONSE;
    for (changes, error) in [
        (&[("username", "")][..], Missing("username")),
        (&[("realm", "")], Missing("realm")),
        (&[("uri", "")], Missing("uri")),
        (&[("nonce", "")], Missing("nonce")),
        (&[("response", "")], Missing("response")),
        (&[("nc", "")], Missing("nc")),
        (&[("cnonce", "")], Missing("cnonce")),
        (
            &[("qop", ""), ("cnonce", ""), ("algorithm", "SHA-256-sess")],
            Missing("cnonce"),
        ),
        (&[("nc", "1")], Invalid("nc")),
        (&[("nc", "+0000001")], Invalid("nc")),
        (&[("nc", "+1")], Invalid("nc")),
        (&[("nc", "0000001")], Invalid("nc")),
        (&[("nc", "000000001")], Invalid("nc")),
        (&[("nc", "0000000g")], Invalid("nc")),
        (&[("nc", "00000000")], Invalid("nc")),
        (&[("qop", "foo")], Invalid("qop")),
        (&[("qop", "\"auth,auth-int\"")], Invalid("qop")),
        (&[("algorithm", "SHA-512")], DigestError::Algorithm),
        (&[("response", "0")], Invalid("response")),
        (&[("response", short)], Invalid("response")),
        (&[("response", "\"\"")], Invalid("response")),
        (&[("userhash", "yes")], Invalid("userhash")),
        (&[("userhash", "true")], Invalid("username")),
        (
            &[("userhash", "true"), ("username", short)],
            Invalid("username"),
        ),
        (&[("username*", "UTF-8''a")], DigestError::TwoNames),
        (
            &[
                ("username", ""),
                ("username*", "UTF-8''a"),
                ("userhash", "true"),
            ],
            DigestError::TwoNames,
        ),
        (
            &[
                ("username", hash),
                ("username*", "UTF-8''a"),
                ("userhash", "true"),
            ],
            DigestError::TwoNames,
        ),
        (
            &[("username", ""), ("username*", "a")],
            Invalid("username*"),
        ),
        (
            &[("username", ""), ("username*", "UTF-8''%00")],
            Invalid("username*"),
        ),
        (
            &[("username", ""), ("username*", "ISO-8859-1''%e4")],
            Invalid("username*"),
        ),
        (&[("username", &*long)], Invalid("username")),
        (&[("nonce", &*long)], Invalid("nonce")),
        (&[("cnonce", "\"a\tb\"")], Invalid("cnonce")),
        (
            &[("Nonce", "n")],
            DigestError::Header(crate::header::HeaderError::DuplicateParam),
        ),
    ] {
        assert_eq!(authorization(changes), Err(error), "{changes:?}");
    }
    let latin = HeaderValue::from_bytes(b"Digest username=\"J\xe4s\"").expect("a header");
    let latin = parse_credentials(&latin).expect("credentials");
    assert!(Authorization::parse(&latin).is_err());
}

#[test]
fn without_a_qop_neither_count_nor_nonce_of_the_client_are_needed() {
    let old = authorization(&[("qop", ""), ("nc", ""), ("cnonce", "")]).expect("RFC 2069");
    assert_eq!((old.qop, old.nc, &old.cnonce), (None, None, &None));
    let written = old.write().expect("it can be written");
    assert_eq!(Authorization::parse(&written), Ok(old));
}

// A16, A23; conformance cases 41 and 42.
#[test]
fn a_name_arrives_in_each_form() {
    let extended = [
        ("username", ""),
        ("username*", "utf-8'en'J%c3%a4s%C3%B8n%20Doe"),
    ];
    let read = authorization(&extended).expect("a name");
    assert_eq!(
        read.username,
        Username::Clear("J\u{e4}s\u{f8}n Doe".to_owned())
    );
    let written = read.write().expect("it can be written");
    let params = written.params().expect("parameters");
    assert_eq!(
        params.text("username*"),
        Some("UTF-8''J%C3%A4s%C3%B8n%20Doe")
    );
    assert_eq!(Authorization::parse(&written), Ok(read));

    let upper = RESPONSE.to_ascii_uppercase();
    let hashed = authorization(&[("username", &*upper), ("userhash", "true")]).expect("a hash");
    assert_eq!(hashed.username, Username::Hashed(RESPONSE.to_owned()));
    let written = hashed.write().expect("it can be written");
    assert_eq!(Authorization::parse(&written), Ok(hashed));

    for name in ["a\"b\\c", "a, b", "a:b", "J\u{e4}s", "", "\u{20ac}='%"] {
        for extended in [false, true] {
            let mut sent = authorization(&[]).expect("good credentials");
            sent.username = Username::Clear(name.to_owned());
            sent.extended = extended;
            let written = sent.write().expect("it can be written").to_value();
            let read = parse_credentials(&written).expect("credentials");
            assert_eq!(Authorization::parse(&read), Ok(sent), "{name}");
        }
    }
    for extended in [false, true] {
        let mut sent = authorization(&[]).expect("good credentials");
        sent.username = Username::Clear("a\nb".to_owned());
        sent.extended = extended;
        assert!(sent.write().is_err());
    }
}

#[test]
fn what_a_server_says_is_read_and_written() {
    let proof = "9b712497bc9f91499fbcca1dfc5f09a5";
    let info = Info {
        rspauth: Some(proof.to_owned()),
        qop: Some(Qop::Auth),
        nc: Some(NonceCount::FIRST),
        cnonce: Some("c".to_owned()),
        nextnonce: Some("n\"".to_owned()),
    };
    let written = info.write().expect("it can be written");
    assert_eq!(
        written,
        format!("qop=auth, rspauth=\"{proof}\", cnonce=\"c\", nc=00000001, nextnonce=\"n\\\"\"")
    );
    assert_eq!(Info::parse(&written), Ok(info));
    let next = Info::parse(&value("nextnonce=abc, x=y")).expect("a nonce alone");
    assert_eq!(next.nextnonce.as_deref(), Some("abc"));
    assert_eq!(Info::parse(&value("")), Ok(Info::default()));

    use DigestError::{Invalid, Missing};
    for (written, error) in [
        (
            format!("rspauth={proof}, nc=00000001, cnonce=c"),
            Missing("qop"),
        ),
        (
            format!("rspauth={proof}, qop=auth, cnonce=c"),
            Missing("nc"),
        ),
        (
            format!("rspauth={proof}, qop=auth, nc=00000001"),
            Missing("cnonce"),
        ),
        ("rspauth=0".to_owned(), Invalid("rspauth")),
        ("nc=1".to_owned(), Invalid("nc")),
        ("qop=x".to_owned(), Invalid("qop")),
    ] {
        assert_eq!(Info::parse(&value(&written)), Err(error), "{written}");
    }
    assert!(matches!(
        Info::parse(&value("Digest")),
        Err(DigestError::Header(_))
    ));
}

// A22.
#[test]
fn what_is_printed_proves_nothing() {
    let read = authorization(&[("cnonce", "secretcn")]).expect("good credentials");
    let info = Info {
        rspauth: Some(RESPONSE.to_owned()),
        nextnonce: Some("secretnext".to_owned()),
        ..Info::default()
    };
    let printed = format!("{read:?} {info:?}");
    assert!(
        printed.contains("Mufasa") && printed.contains("00000001"),
        "{printed}"
    );
    for secret in [RESPONSE, "n/o==", "secretcn", "secretnext"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
