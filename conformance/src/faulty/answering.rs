//! The server's side of the opening handshake (RFC 6455 §4.2).

use cloverleaf_judge::http::{self, Head};
use cloverleaf_judge::opening;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Faulty;
use super::agreement::{self, Broken};
use super::auth::{self, Guard};
use super::closing::LAST_READS;
use super::codec::Codec;
use super::fault::Kind;
use super::wire::{NoHead, Wire};

/// There is no connection; the client knows.
#[derive(Debug)]
pub(super) struct Refused;

/// Reads a request and answers it; returns the codec that was agreed on.
pub(super) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    guard: Option<&Guard>,
    faulty: Faulty,
) -> Result<Option<Codec>, Refused> {
    let mut info = None;
    let read = loop {
        let read = wire.head().await;
        let (Ok(head), Some(guard)) = (&read, guard) else {
            break read;
        };
        if check(head, faulty).is_err() {
            break read;
        }
        match guard.check(head, faulty) {
            Ok(proof) => {
                info = proof;
                break read;
            }
            Err(refused) => challenge(wire, guard, refused, faulty).await?,
        }
    };
    let answered = match read {
        Ok(head) => check(&head, faulty).and_then(|key| {
            let lines: Vec<_> = head.values("Sec-WebSocket-Extensions").collect();
            // Behind the head come frames.
            if faulty.has(Kind::LosesEarlyData) {
                wire.lose_pending();
            }
            let (values, mut codec) = agreement::choose(&lines, faulty).map_err(|Broken| BAD)?;
            if let Some(channels) = codec.as_mut().and_then(|codec| codec.channels.as_mut()) {
                channels.request = head.clone();
            }
            let mut text = response(&key, &values, faulty);
            if let Some(info) = info {
                text.insert_str(text.len() - 2, &format!("Authentication-Info: {info}\r\n"));
            }
            Ok((text, codec))
        }),
        Err(NoHead::Gone) => return Err(Refused),
        Err(NoHead::Late) => Err((408, "Request Timeout")),
        Err(NoHead::TooLong) => Err((431, "Request Header Fields Too Large")),
        Err(NoHead::Broken) => Err(BAD),
    };
    match answered {
        Ok((text, codec)) => {
            if wire.write(text.as_bytes()).await.is_err() {
                return Err(Refused);
            }
            Ok(codec)
        }
        Err(refusal) => {
            refuse(wire, refusal, faulty).await;
            Err(Refused)
        }
    }
}

type Refusal = (u16, &'static str);

const BAD: Refusal = (400, "Bad Request");
const UPGRADE_REQUIRED: Refusal = (426, "Upgrade Required");

/// The rules for a request (§4.2.1); returns its key.
fn check(head: &Head, faulty: Faulty) -> Result<String, Refusal> {
    if !are_fields(head, faulty) {
        return Err(BAD);
    }
    let words: Vec<_> = head.start_line.split(' ').collect();
    let [method, target, version] = words[..] else {
        return Err(BAD);
    };
    if method != "GET" && !faulty.has(Kind::AcceptsPost) {
        return Err((405, "Method Not Allowed"));
    }
    if !is_http(version, faulty) {
        return Err((505, "HTTP Version Not Supported"));
    }
    // §3: a URI of WebSocket has no fragment.
    let fragment = target.contains('#') && !faulty.has(Kind::AcceptsFragmentInTarget);
    let absolute = ["http://", "https://", "ws://", "wss://"]
        .iter()
        .any(|scheme| target.starts_with(scheme));
    let absolute_refused = absolute && faulty.has(Kind::RefusesAbsoluteTarget);
    let graphic = target.bytes().all(|octet| octet.is_ascii_graphic());
    if !graphic && !faulty.has(Kind::AcceptsBadOctetsInTarget) {
        return Err(BAD);
    }
    if fragment || absolute_refused || !(absolute || target.starts_with('/')) {
        return Err(BAD);
    }
    let hosts: Vec<_> = values(head, "Host", faulty).collect();
    let host = match hosts[..] {
        [] => faulty.has(Kind::AcceptsMissingHost),
        [host] => {
            let right = !host.is_empty()
                && host.bytes().all(|octet| octet.is_ascii_graphic())
                && !host.contains(['/', ',', '@']);
            right || faulty.has(Kind::AcceptsAnyHost)
        }
        _ => faulty.has(Kind::AcceptsTwoHosts),
    };
    if !host {
        return Err(BAD);
    }
    check_body(head, faulty)?;
    check_upgrade(head, faulty)?;
    check_version(head, faulty)?;
    check_protocols(head, faulty)?;
    check_key(head, faulty)
}

/// RFC 9112 §5: each line is a name, a colon, and a value.
fn are_fields(head: &Head, faulty: Faulty) -> bool {
    head.fields.iter().all(|(name, value)| {
        let token = |name: &str| !name.is_empty() && name.bytes().all(is_token);
        let spaced = name.ends_with([' ', '\t']) && token(name.trim_end());
        // RFC 9110 §5.5: no control characters.
        let control = value.chars().any(|c| c.is_control() && c != '\t');
        let right = token(name) || spaced && faulty.has(Kind::AcceptsSpaceBeforeColon);
        right && !control
            // A line without a colon comes as a name without a value.
            || value.is_empty() && faulty.has(Kind::AcceptsLinesWithoutColon)
    })
}

/// RFC 9110 §2.5: a higher minor version of HTTP/1 is as good as 1.1.
pub(super) fn is_http(version: &str, faulty: Faulty) -> bool {
    let minor = version.strip_prefix("HTTP/1.");
    let right = match faulty.has(Kind::RefusesLaterHttp) {
        true => version == "HTTP/1.1",
        false => matches!(minor.map(str::as_bytes), Some([b'1'..=b'9'])),
    };
    right || faulty.has(Kind::AcceptsHttp10)
}

fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

/// RFC 9110 §5.1: names of fields are compared without regard to case.
pub(super) fn values<'a>(
    head: &'a Head,
    name: &'a str,
    faulty: Faulty,
) -> impl Iterator<Item = &'a str> {
    let is_it = move |other: &str| match faulty.0 {
        Some(Kind::ComparesFieldNamesByCase) => other == name,
        Some(Kind::AcceptsSpaceBeforeColon) => other.trim_end().eq_ignore_ascii_case(name),
        _ => other.eq_ignore_ascii_case(name),
    };
    let fields = head.fields.iter().filter(move |(other, _)| is_it(other));
    fields.map(|(_, value)| value.as_str())
}

/// Whether the fields of this name list the element, in any case of letters.
pub(super) fn lists(head: &Head, name: &str, element: &str, faulty: Faulty) -> bool {
    values(head, name, faulty)
        .flat_map(|value| match faulty.has(Kind::RefusesTokenLists) {
            true => vec![value],
            false => value.split(',').collect(),
        })
        .any(|item| match faulty.has(Kind::ComparesByCase) {
            true => item.trim() == element,
            false => item.trim().eq_ignore_ascii_case(element),
        })
}

/// RFC 9110 §7.8: what stands behind the head are frames, so there is no room for a body.
fn check_body(head: &Head, faulty: Faulty) -> Result<(), Refusal> {
    let empty = values(head, "Content-Length", faulty).all(|length| length == "0");
    let whole = values(head, "Transfer-Encoding", faulty).next().is_none();
    match empty && whole || faulty.has(Kind::IgnoresBodies) {
        true => Ok(()),
        false => Err(BAD),
    }
}

fn check_upgrade(head: &Head, faulty: Faulty) -> Result<(), Refusal> {
    let none = values(head, "Upgrade", faulty).next().is_none();
    if none && !faulty.has(Kind::AcceptsMissingUpgrade) {
        return Err(UPGRADE_REQUIRED);
    }
    if !none
        && !lists(head, "Upgrade", "websocket", faulty)
        && !faulty.has(Kind::AcceptsOtherUpgrade)
    {
        return Err(BAD);
    }
    if !lists(head, "Connection", "Upgrade", faulty) && !faulty.has(Kind::AcceptsMissingConnection)
    {
        return Err(BAD);
    }
    Ok(())
}

/// §4.4: one version, and that 13.
fn check_version(head: &Head, faulty: Faulty) -> Result<(), Refusal> {
    let versions: Vec<_> = values(head, "Sec-WebSocket-Version", faulty).collect();
    let right = match (&versions[..], faulty.0) {
        (["13"], _) => true,
        ([], fault) => fault == Some(Kind::AcceptsMissingVersion),
        (_, Some(Kind::AcceptsOtherVersion)) => true,
        (several, Some(Kind::AcceptsVersionList)) => several
            .iter()
            .flat_map(|line| line.split(','))
            .any(|version| version.trim() == "13"),
        _ => false,
    };
    if right { Ok(()) } else { Err(UPGRADE_REQUIRED) }
}

/// §4.1: subprotocols are tokens, each named once.
fn check_protocols(head: &Head, faulty: Faulty) -> Result<(), Refusal> {
    let mut protocols: Vec<_> = values(head, "Sec-WebSocket-Protocol", faulty)
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let tokens = protocols
        .iter()
        .all(|name| !name.is_empty() && name.bytes().all(is_token));
    protocols.sort_unstable();
    let unique = protocols.windows(2).all(|pair| pair[0] != pair[1]);
    match tokens && unique || faulty.has(Kind::AcceptsBadSubprotocolList) {
        true => Ok(()),
        false => Err(BAD),
    }
}

/// §4.2.1: one key, 16 octets in base64.
fn check_key(head: &Head, faulty: Faulty) -> Result<String, Refusal> {
    let keys: Vec<_> = values(head, "Sec-WebSocket-Key", faulty).collect();
    let key = match (&keys[..], faulty.0) {
        ([key], _) => key,
        ([], Some(Kind::AcceptsMissingKey)) => "",
        ([key, ..], Some(Kind::AcceptsTwoKeys)) => key,
        _ => return Err(BAD),
    };
    let lenient = faulty.has(Kind::AcceptsBadKey) || faulty.has(Kind::AcceptsMissingKey);
    if !is_16_octets(key) && !lenient {
        return Err(BAD);
    }
    Ok(key.to_owned())
}

/// Whether this is 16 octets in base64: 22 digits, of which the last has four bits to spare.
fn is_16_octets(key: &str) -> bool {
    let Some(digits) = key.strip_suffix("==") else {
        return false;
    };
    let digit = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'+' || octet == b'/';
    digits.len() == 22 && digits.bytes().all(digit) && digits.ends_with(['A', 'Q', 'g', 'w'])
}

/// The head that opens the connection (§4.2.2).
fn response(key: &str, extensions: &[String], faulty: Faulty) -> String {
    let (line, accept) = match faulty.0 {
        Some(Kind::AnswersWith200) => ("HTTP/1.1 200 OK", opening::accept(key)),
        Some(Kind::AnswersAsHttp10) => ("HTTP/1.0 101 Switching Protocols", opening::accept(key)),
        _ => ("HTTP/1.1 101 Switching Protocols", accept(key, faulty)),
    };
    let upgrade = match faulty.has(Kind::AnswersWithOtherUpgrade) {
        true => "h2c",
        false => "websocket",
    };
    let mut fields = vec![
        ("Upgrade", upgrade.to_owned()),
        ("Connection", "Upgrade".to_owned()),
        ("Sec-WebSocket-Accept", accept),
    ];
    let without = match faulty.0 {
        Some(Kind::AnswersWithoutUpgrade) => "Upgrade",
        Some(Kind::AnswersWithoutConnection) => "Connection",
        Some(Kind::NoAccept) => "Sec-WebSocket-Accept",
        _ => "",
    };
    fields.retain(|(name, _)| *name != without);
    match faulty.0 {
        Some(Kind::TwoAccepts) => fields.extend(fields.last().cloned()),
        Some(Kind::ChoosesUnofferedSubprotocol) => {
            fields.push(("Sec-WebSocket-Protocol", "unheard-of".to_owned()));
        }
        Some(Kind::AnswersWithEmptySubprotocol) => {
            fields.push(("Sec-WebSocket-Protocol", String::new()));
        }
        Some(Kind::AnswersWithContentLength) => fields.push(("Content-Length", "0".to_owned())),
        _ => {}
    }
    if !extensions.is_empty() {
        fields.push(("Sec-WebSocket-Extensions", extensions.join(", ")));
    }
    let text = http::write(line, &fields);
    match faulty.has(Kind::AnswersTwice) {
        true => text.repeat(2),
        false => text,
    }
}

/// The key of the example in §1.3.
const EXAMPLE_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn accept(key: &str, faulty: Faulty) -> String {
    match faulty.0 {
        Some(Kind::WrongAccept) => opening::accept(&format!("{key}=")),
        Some(Kind::ConstantAccept) => opening::accept(EXAMPLE_KEY),
        Some(Kind::AcceptInLowerCase) => opening::accept(key).to_ascii_lowercase(),
        _ => opening::accept(key),
    }
}

/// Asks for credentials; another request may follow then.
async fn challenge<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    guard: &Guard,
    refused: auth::Refused,
    faulty: Faulty,
) -> Result<(), Refused> {
    let broken = refused == auth::Refused::Broken;
    if broken && faulty.has(Kind::FailsAtBrokenCredentials) {
        refuse(wire, (500, "Internal Server Error"), faulty).await;
        return Err(Refused);
    } else if broken {
        refuse(wire, BAD, faulty).await;
        return Err(Refused);
    }
    let stale = refused == auth::Refused::Stale;
    let lines = guard.challenges(stale, faulty).into_iter();
    let mut fields: Vec<_> = lines.map(|line| ("WWW-Authenticate", line)).collect();
    if !faulty.has(Kind::ChallengesWithoutLength) {
        fields.push(("Content-Length", "0".to_owned()));
    }
    if faulty.has(Kind::SaysThatItClosesAndStays) {
        fields.push(("Connection", "close".to_owned()));
    }
    let text = http::write("HTTP/1.1 401 Unauthorized", &fields);
    wire.write(text.as_bytes()).await.map_err(|_| Refused)?;
    if faulty.has(Kind::EndsTcpBehindChallenges) {
        wire.shutdown().await;
        return Err(Refused);
    }
    Ok(())
}

async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    refusal: Refusal,
    faulty: Faulty,
) {
    let (status, phrase) = match faulty.has(Kind::RefusesWith200) {
        true => (200, "OK"),
        false => refusal,
    };
    let mut fields = vec![("Connection", "close"), ("Content-Length", "0")];
    match refusal.0 {
        // RFC 9110 §15.5.6, §15.5.22, and RFC 6455 §4.4
        405 => fields.push(("Allow", "GET")),
        426 => {
            if !faulty.has(Kind::UpgradeRequiredWithoutUpgrade) {
                fields[0] = ("Connection", "close, Upgrade");
                fields.push(("Upgrade", "websocket"));
            }
            if !faulty.has(Kind::RefusesVersionSilently) {
                fields.push(("Sec-WebSocket-Version", "13"));
            }
        }
        _ => {}
    }
    let mut text = http::write(&format!("HTTP/1.1 {status} {phrase}"), &fields);
    if faulty.has(Kind::AnswersTwice) {
        text = text.repeat(2);
    }
    if wire.write(text.as_bytes()).await.is_ok() {
        wire.shutdown().await;
        // Octets that nobody reads would turn the end into a reset.
        wire.drain(LAST_READS).await;
    }
}
