//! Lines and what is read from them; and the parser beside a simple one.

use http::HeaderValue;
use http::header::AUTHORIZATION;
use proptest::prelude::*;

use super::*;

fn value(octets: impl AsRef<[u8]>) -> HeaderValue {
    HeaderValue::from_bytes(octets.as_ref()).expect("octets of a header")
}

/// `scheme token68` or `scheme|name=value|…`, for reading.
fn shown(challenge: &Challenge) -> String {
    let mut shown = challenge.scheme().to_owned();
    if let Some(token) = challenge.token68() {
        shown.push(' ');
        shown.push_str(token);
    }
    for (name, value) in challenge.params().into_iter().flat_map(Params::iter) {
        shown.push_str(&format!("|{name}={}", String::from_utf8_lossy(value)));
    }
    shown
}

fn read(lines: &[&str]) -> Vec<String> {
    let lines: Vec<_> = lines.iter().map(value).collect();
    parse_challenges(&lines).iter().map(shown).collect()
}

#[test]
fn challenges_and_what_they_say() {
    let cases: [(&[&str], &[&str]); 30] = [
        (&[r#"Basic realm="a""#], &["Basic|realm=a"]),
        (
            &[r#"Digest realm="a, b", nonce="x", qop="auth,auth-int""#],
            &["Digest|realm=a, b|nonce=x|qop=auth,auth-int"],
        ),
        (
            &[r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#],
            &[
                r#"Newauth|realm=apps|type=1|title=Login to "apps""#,
                "Basic|realm=simple",
            ],
        ),
        (
            &[r#"Digest realm="a", nonce="n""#, r#"Basic realm="a""#],
            &["Digest|realm=a|nonce=n", "Basic|realm=a"],
        ),
        (
            &["Negotiate abc==, Basic realm=x"],
            &["Negotiate abc==", "Basic|realm=x"],
        ),
        (
            &["Basic realm=x, Negotiate"],
            &["Basic|realm=x", "Negotiate"],
        ),
        (
            &["Negotiate, NTLM , Basic realm=x"],
            &["Negotiate", "NTLM", "Basic|realm=x"],
        ),
        (&[", ,\t, Basic realm=x, ,,"], &["Basic|realm=x"]),
        (
            &["Digest , ,realm=x,,nonce=y,"],
            &["Digest|realm=x|nonce=y"],
        ),
        (&["bAsIc REALM=x"], &["bAsIc|realm=x"]),
        (
            &["Basic realm = \t\"x\" , charset =UTF-8"],
            &["Basic|realm=x|charset=UTF-8"],
        ),
        (&[r#"Basic realm="a\"b\\c\d""#], &[r#"Basic|realm=a"b\cd"#]),
        (&[r#"Basic realm="""#], &["Basic|realm="]),
        (&[r#"Basic realm=" a	b ""#], &["Basic|realm= a\tb "]),
        (&["Basic realm=\"J\u{e4}s\""], &["Basic|realm=J\u{e4}s"]),
        // What is there too often spoils its challenge alone.
        (
            &["Basic realm=x, Realm=y, Digest realm=z"],
            &["Digest|realm=z"],
        ),
        // What breaks the grammar spoils its challenge and the rest of its line.
        (
            &[r#"Basic realm=x, Digest realm="y, Other"#, "Third a=b"],
            &["Basic|realm=x", "Third|a=b"],
        ),
        (&[r#"Digest realm="y\"#], &[]),
        (&["Basic realm="], &["Basic realm="]),
        (&["Basic realm=, charset=UTF-8"], &[]),
        (&["Basic realm=x y, Digest realm=z"], &[]),
        (&[r#"Basic realm="x"y"#], &[]),
        (&["Basic abc==, realm=x, Digest realm=z"], &[]),
        (&["Basic a b"], &[]),
        (&["Basic =x"], &[]),
        (&["realm=x"], &[]),
        (&["\u{e9}\u{e9}\u{e9} a=b"], &[]),
        // A04: these make the library for computing panic if it is left to parse.
        (&["Digest \u{e9}\u{e9}\u{e9}=\"a\", x=b"], &[]),
        (
            &["Digest realm=\"\u{20ac}\u{20ac}\", \u{20ac}nonce=\"b\""],
            &[],
        ),
        (
            &["\"", "=", "", " ", ",", "Digest \"", "Digest a"],
            &["Digest a"],
        ),
    ];
    for (lines, expected) in cases {
        assert_eq!(read(lines), expected, "{lines:?}");
    }
}

#[test]
fn no_more_is_read_than_the_limits_say() {
    let params = |n: usize| {
        let params: Vec<_> = (0..n).map(|n| format!("p{n}=v")).collect();
        format!("A {}", params.join(","))
    };
    assert_eq!(read(&[&params(MAX_PARAMS)]).len(), 1);
    assert_eq!(read(&[&params(MAX_PARAMS + 1), "B a=b"]), ["B|a=b"]);
    let many = params(MAX_PARAMS + 1);
    assert_eq!(
        parse_credentials(&value(&many)),
        Err(HeaderError::TooManyParams)
    );

    let line = vec!["A"; MAX_CHALLENGES + 1].join(",");
    assert_eq!(read(&[&line, "B"]).len(), MAX_CHALLENGES);

    let long = |n: usize| format!("A a=\"{}\"", "x".repeat(n - 6));
    assert_eq!(read(&[&long(MAX_LINE)]).len(), 1);
    assert_eq!(read(&[&long(MAX_LINE + 1), "B a=b"]), ["B|a=b"]);
    assert_eq!(
        parse_credentials(&value(long(MAX_LINE + 1))),
        Err(HeaderError::TooLong)
    );
    assert_eq!(
        parse_params(&value(long(MAX_LINE + 1))),
        Err(HeaderError::TooLong)
    );
}

#[test]
fn credentials_are_of_one_scheme_and_each_parameter_stands_there_once() {
    let parsed = parse_credentials(&value("basic QTo=")).expect("credentials");
    assert!(parsed.is("Basic") && !parsed.is("Digest"));
    assert_eq!((parsed.token68(), parsed.params()), (Some("QTo="), None));
    let parsed = parse_credentials(&value("Digest a=1, B=\"2\"")).expect("credentials");
    let params = parsed.params().expect("parameters");
    assert_eq!(
        (params.get("A"), params.text("b")),
        (Some(&b"1"[..]), Some("2"))
    );
    assert!(parse_credentials(&value("Basic")).is_ok_and(|it| it.params().is_some()));

    for (written, error) in [
        ("", HeaderError::Syntax),
        (" ,", HeaderError::Syntax),
        ("Digest a=1, A=2", HeaderError::DuplicateParam),
        ("Digest a=1, Basic QTo=", HeaderError::Syntax),
        ("Basic QTo=, Digest a=1", HeaderError::Syntax),
        ("Basic QTo=, a=1", HeaderError::Syntax),
        ("Basic QTo== x", HeaderError::Syntax),
        ("Digest a=\"", HeaderError::Syntax),
        ("Digest a", HeaderError::Syntax),
        ("Digest a, b", HeaderError::Syntax),
    ] {
        let got = parse_credentials(&value(written));
        if written == "Digest a" {
            assert!(got.is_ok_and(|it| it.token68() == Some("a")));
        } else {
            assert_eq!(got, Err(error), "{written}");
        }
    }
}

// A05.
#[test]
fn two_headers_are_one_too_many() {
    let mut headers = HeaderMap::new();
    assert_eq!(find_credentials(&headers, &AUTHORIZATION), Ok(None));
    headers.append(AUTHORIZATION, value("Basic QTo="));
    assert!(find_credentials(&headers, &AUTHORIZATION).is_ok_and(|it| it.is_some()));
    headers.append(AUTHORIZATION, value("Basic QTo="));
    assert_eq!(
        find_credentials(&headers, &AUTHORIZATION),
        Err(HeaderError::TwoHeaders)
    );
}

#[test]
fn parameters_alone_have_no_scheme() {
    let params = parse_params(&value("qop=auth, nc=00000001, rspauth=\"a b\"")).expect("them");
    assert_eq!(params.len(), 3);
    assert_eq!(params.text("rspauth"), Some("a b"));
    assert!(parse_params(&value("")).is_ok_and(|params| params.is_empty()));
    for written in ["Digest", "Digest a=b", "a=b, Digest", "a", "a=b c"] {
        assert_eq!(
            parse_params(&value(written)),
            Err(HeaderError::Syntax),
            "{written}"
        );
    }
    assert_eq!(
        parse_params(&value("a=b,A=c")),
        Err(HeaderError::DuplicateParam)
    );
}

// A23.
#[test]
fn what_is_written_is_quoted_as_needed_or_refused() {
    let params = Params::new()
        .quoted("realm", "a\"b\\c, \u{e9}")
        .and_then(|it| it.token("stale", "true"))
        .and_then(|it| it.extended("username", "J\u{e4}"))
        .expect("all can be written");
    let challenge = Challenge::new("Digest", params).expect("a scheme");
    let written = "Digest realm=\"a\\\"b\\\\c, \u{e9}\", stale=true, username*=UTF-8''J%C3%A4";
    assert_eq!(challenge.to_value().as_bytes(), written.as_bytes());

    assert!(Params::new().quoted("realm", "a\r\nb").is_err());
    assert!(Params::new().quoted("realm", "a\0").is_err());
    assert!(Params::new().quoted("realm", "a\x7f").is_err());
    assert!(Params::new().quoted("re alm", "a").is_err());
    assert!(Params::new().token("nc", "").is_err());
    assert!(Params::new().token("nc", "a b").is_err());
    assert!(Params::new().token("nc", "\u{e9}").is_err());
    let twice = Params::new()
        .token("nc", "1")
        .and_then(|it| it.token("NC", "1"));
    assert!(twice.is_err());
    assert!(Challenge::new("", Params::new()).is_err());
    assert!(Credentials::with_token68("Basic", "").is_err());
    assert!(Credentials::with_token68("Basic", "a b").is_err());
    assert!(Credentials::with_token68("Ba sic", "a").is_err());
}

// A22.
#[test]
fn what_is_printed_has_no_values() {
    let digest = "Digest username=\"who\", response=\"5ec2e7\"";
    let basic = parse_credentials(&value("Basic c2VjcmV0OnNlY3JldA==")).expect("credentials");
    let digest = parse_credentials(&value(digest)).expect("credentials");
    assert_eq!(
        format!("{basic:?} {digest:?}"),
        "Credentials { scheme: \"Basic\", token68: .. } \
         Credentials { scheme: \"Digest\", params: [\"username\", \"response\"] }"
    );
    assert_eq!(format!("{:?}", basic.to_value()), "Sensitive");
    let challenge = parse_challenges(&[value("Digest nonce=abc")]);
    assert_eq!(
        format!("{challenge:?}"),
        "[Challenge { scheme: \"Digest\", params: [\"nonce\"] }]"
    );
}

/// Scheme, token68, names and values.
type Naive = (String, Option<String>, Vec<(String, Vec<u8>)>);

/// Cuts a line at the commas outside quotes, then looks at each piece as a whole.
fn naive(line: &[u8]) -> Vec<Challenge> {
    let mut pieces = vec![Vec::new()];
    let (mut quoted, mut escaped) = (false, false);
    for &octet in line {
        if octet == b',' && !quoted {
            pieces.push(Vec::new());
            continue;
        }
        pieces.last_mut().expect("one at least").push(octet);
        if escaped {
            escaped = false;
        } else if quoted && octet == b'\\' {
            escaped = true;
        } else if octet == b'"' {
            quoted = !quoted;
        }
    }

    let mut found: Vec<Naive> = Vec::new();
    let mut complete = true;
    for piece in pieces {
        let piece = trim(&piece);
        if piece.is_empty() {
            continue;
        }
        if let Some(param) = naive_param(piece) {
            match found.last_mut() {
                Some((_, None, params)) => params.push(param),
                _ => {
                    complete = false;
                    break;
                }
            }
            continue;
        }
        let end = piece.iter().position(|o| !is_naive_tchar(*o));
        let (scheme, rest) = piece.split_at(end.unwrap_or(piece.len()));
        let is_param = trim(rest).starts_with(b"=");
        let spaced = rest.is_empty() || matches!(rest[0], b' ' | b'\t');
        if scheme.is_empty() || is_param || !spaced {
            complete = false;
            break;
        }
        let scheme = String::from_utf8(scheme.to_vec()).expect("a token");
        let rest = trim(rest);
        let unpadded: &[u8] = {
            let end = rest.iter().rposition(|o| *o != b'=').map_or(0, |n| n + 1);
            &rest[..end]
        };
        let is_68 = |o: &u8| o.is_ascii_alphanumeric() || b"-._~+/".contains(o);
        if rest.is_empty() {
            found.push((scheme, None, vec![]));
        } else if !unpadded.is_empty() && unpadded.iter().all(is_68) {
            let token = String::from_utf8(rest.to_vec()).expect("a token");
            found.push((scheme, Some(token), vec![]));
        } else if let Some(param) = naive_param(rest) {
            found.push((scheme, None, vec![param]));
        } else {
            found.push((scheme, None, vec![]));
            complete = false;
            break;
        }
    }
    if !complete {
        found.pop();
    }
    found
        .into_iter()
        .filter(|(_, _, params)| {
            let mut names: Vec<_> = params.iter().map(|(name, _)| name).collect();
            names.sort();
            names.dedup();
            names.len() == params.len() && params.len() <= MAX_PARAMS
        })
        .map(|(scheme, token, params)| {
            let content = match token {
                Some(token) => Content::Token68(token),
                None => {
                    let mut kept = Params::new();
                    for (name, value) in params {
                        kept.push(name.as_bytes(), value, false).expect("once");
                    }
                    Content::Params(kept)
                }
            };
            Challenge { scheme, content }
        })
        .take(MAX_CHALLENGES)
        .collect()
}

fn is_naive_tchar(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&octet)
}

fn trim(octets: &[u8]) -> &[u8] {
    let text = |o: &u8| !matches!(o, b' ' | b'\t');
    let start = octets.iter().position(text).unwrap_or(octets.len());
    let end = octets.iter().rposition(text).map_or(start, |n| n + 1);
    &octets[start..end]
}

fn naive_param(piece: &[u8]) -> Option<(String, Vec<u8>)> {
    let equals = piece.iter().position(|octet| *octet == b'=')?;
    let (name, value) = (trim(&piece[..equals]), trim(&piece[equals + 1..]));
    if name.is_empty() || value.is_empty() || !name.iter().copied().all(is_naive_tchar) {
        return None;
    }
    let name = String::from_utf8(name.to_ascii_lowercase()).expect("a token");
    if value.iter().copied().all(is_naive_tchar) {
        return Some((name, value.to_vec()));
    }
    let inner = value.strip_prefix(b"\"")?;
    let mut unescaped = Vec::new();
    let mut octets = inner.iter();
    loop {
        match octets.next()? {
            b'"' => break,
            b'\\' => unescaped.push(*octets.next()?),
            other => unescaped.push(*other),
        }
    }
    octets.next().is_none().then_some((name, unescaped))
}

/// As the simple parser leaves it: whether a value was quoted is not kept.
fn unquoted(challenges: Vec<Challenge>) -> Vec<String> {
    challenges.iter().map(shown).collect()
}

/// Pieces of which a line can be made that is nearly right.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"Basic",
        b"Digest",
        b"realm",
        b"nonce",
        b"x",
        b"a==",
        b"/+",
        b" ",
        b"\t",
        b",",
        b", ",
        b"=",
        b" = ",
        b"\"",
        b"\"a\"",
        b"\"a, b\"",
        b"\"\\\"\"",
        b"\\",
        b"\xc3\xa9",
        b"\xff",
        b"@",
        b"realm=x",
        b"nonce=\"y\"",
        b"qop=\"auth\"",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

fn any_params() -> impl Strategy<Value = Params> {
    let name = prop::sample::select(&["realm", "nonce", "uri", "x", "y-z"][..]);
    let value = prop::collection::vec(
        any::<u8>().prop_filter("may be quoted", |o| *o == b'\t' || (*o >= 32 && *o != 127)),
        0..12,
    );
    let token = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}";
    prop::collection::vec((name, value, token, any::<bool>()), 0..6).prop_map(|params| {
        let add = |all: Params, (name, value, token, quoted): (_, Vec<u8>, String, bool)| {
            let more = if quoted {
                all.clone().quoted(name, value)
            } else {
                all.clone().token(name, &token)
            };
            more.unwrap_or(all)
        };
        params.into_iter().fold(Params::new(), add)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_reads_what_a_simple_parser_reads(line in nearly()) {
        prop_assert_eq!(
            unquoted(parse_challenges(&[value(&line)])),
            unquoted(naive(&line))
        );
    }

    #[test]
    fn nothing_makes_it_panic(octets in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = HeaderValue::from_bytes(&octets) {
            let _ = parse_credentials(&value);
            let _ = parse_params(&value);
            prop_assert_eq!(
                unquoted(parse_challenges(&[value])),
                unquoted(naive(&octets))
            );
        }
    }

    #[test]
    fn what_is_written_is_read_again(params in any_params(), more in any_params()) {
        let first = Challenge::new("Digest", params.clone()).expect("a scheme");
        let second = Challenge::new("Other", more).expect("a scheme");
        prop_assert_eq!(
            parse_challenges(&[first.to_value(), second.to_value()]),
            vec![first.clone(), second.clone()]
        );
        let line = [first.to_value().as_bytes(), b", ", second.to_value().as_bytes()].concat();
        prop_assert_eq!(parse_challenges(&[value(line)]), vec![first, second]);
        let credentials = Credentials::new("Digest", params.clone()).expect("a scheme");
        prop_assert_eq!(parse_credentials(&credentials.to_value()), Ok(credentials));
        prop_assert_eq!(parse_params(&params.to_value()), Ok(params));
    }
}
