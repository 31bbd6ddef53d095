//! The client's side of the opening handshake (RFC 6455 §4.1).

use cloverleaf_judge::frame::{Frame, Masking};
use cloverleaf_judge::http::{self, Head};
use cloverleaf_judge::opening;
use cloverleaf_judge::random::Random;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;

use super::Faulty;
use super::agreement;
use super::answering::{is_http, lists, values};
use super::codec::Codec;
use super::endpoint::LONG;
use super::fault::Kind;
use super::wire::Wire;

/// There is no connection; TCP is to end.
#[derive(Debug)]
pub(super) struct NotOpened;

/// More interim responses than this have no honest use.
const MAX_INTERIM: u32 = 10;

/// What became of a request.
#[expect(clippy::large_enum_variant, reason = "there is one, for a moment")]
pub(super) enum Asked {
    /// The connection is open, with the codec that was agreed on.
    Open(Option<Codec>, Head),
    /// Credentials are wanted.
    Challenged(Head),
}

/// Asks for a connection; returns the codec that was agreed on.
pub(super) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    host: &str,
    target: &str,
    faulty: Faulty,
) -> Result<Option<Codec>, NotOpened> {
    match open_with(wire, host, target, None, faulty).await? {
        Asked::Open(codec, _) => Ok(codec),
        Asked::Challenged(_) => Err(NotOpened),
    }
}

/// Asks for a connection, with these values of `Authorization` by somebody who has credentials.
pub(super) async fn open_with<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    host: &str,
    target: &str,
    credentials: Option<&[String]>,
    faulty: Faulty,
) -> Result<Asked, NotOpened> {
    let opened = ask(wire, host, target, credentials, faulty).await;
    if opened.is_err() && faulty.has(Kind::WaitsAfterRefusing) {
        sleep(LONG).await;
    }
    opened
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    host: &str,
    target: &str,
    credentials: Option<&[String]>,
    faulty: Faulty,
) -> Result<Asked, NotOpened> {
    let key = opening::key(Random::new().handshake_key());
    let mut text = request(host, target, &key, faulty);
    for value in credentials.unwrap_or_default() {
        text.insert_str(text.len() - 2, &format!("Authorization: {value}\r\n"));
    }
    let mut octets = text.into_bytes();
    let asked = Head::parse(&octets).map(|(head, _)| head);
    if faulty.has(Kind::SpeaksBeforeTheAnswer) {
        let frame = Frame::text("Is anybody there?").masking(Masking::With([1, 2, 3, 4]));
        octets.extend(frame.encode(None));
    }
    wire.write(&octets).await.map_err(|_| NotOpened)?;
    let head = answer(wire, faulty).await?;
    if credentials.is_some() && head.status() == Some(401) {
        return Ok(Asked::Challenged(head));
    }
    // Behind the head come frames.
    if faulty.has(Kind::LosesEarlyData) {
        wire.lose_pending();
    }
    if !check(&head, &key, faulty) {
        return Err(NotOpened);
    }
    let lines: Vec<_> = values(&head, "Sec-WebSocket-Extensions", faulty).collect();
    let mut codec = agreement::accept(&lines, faulty).map_err(|_| NotOpened)?;
    if let Some(channels) = codec.as_mut().and_then(|codec| codec.channels.as_mut())
        && let Some(asked) = asked
    {
        channels.request = asked;
    }
    Ok(Asked::Open(codec, head))
}

/// Reads the answer, and the interim responses in front of it.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    faulty: Faulty,
) -> Result<Head, NotOpened> {
    for _ in 0..MAX_INTERIM {
        let head = wire.head().await.map_err(|_| NotOpened)?;
        // RFC 9110 §15.2: behind an interim response comes the answer.
        let interim = matches!(head.status(), Some(100 | 102..=199));
        if !interim || faulty.has(Kind::GivesUpOnInterimResponses) {
            return Ok(head);
        }
    }
    Err(NotOpened)
}

fn request(host: &str, target: &str, key: &str, faulty: Faulty) -> String {
    let key = match faulty.has(Kind::AsksWithShortKey) {
        true => KEY_OF_15_OCTETS.to_owned(),
        false => key.to_owned(),
    };
    let version = match faulty.has(Kind::AsksForVersion8) {
        true => "8",
        false => "13",
    };
    let mut fields = vec![
        ("Host", host.to_owned()),
        ("Upgrade", "websocket".to_owned()),
        ("Connection", "Upgrade".to_owned()),
        ("Sec-WebSocket-Key", key.clone()),
        ("Sec-WebSocket-Version", version.to_owned()),
        ("Sec-WebSocket-Extensions", agreement::offers(faulty)),
    ];
    let without = match faulty.0 {
        Some(Kind::AsksWithoutHost) => "Host",
        Some(Kind::AsksWithoutUpgrade) => "Upgrade",
        Some(Kind::AsksWithoutConnection) => "Connection",
        Some(Kind::AsksWithoutKey) => "Sec-WebSocket-Key",
        Some(Kind::AsksWithoutVersion) => "Sec-WebSocket-Version",
        _ => "",
    };
    fields.retain(|(name, _)| *name != without);
    if faulty.has(Kind::AsksTwiceWithKey) {
        fields.push(("Sec-WebSocket-Key", key));
    }
    let (method, http) = match faulty.0 {
        Some(Kind::AsksWithPost) => ("POST", "HTTP/1.1"),
        Some(Kind::AsksAsHttp10) => ("GET", "HTTP/1.0"),
        _ => ("GET", "HTTP/1.1"),
    };
    http::write(&format!("{method} {target} {http}"), &fields)
}

/// Twenty characters of base64.
const KEY_OF_15_OCTETS: &str = "AQIDBAUGBwgJCgsMDQ4P";

/// The rules for an answer (§4.1), extensions apart.
fn check(head: &Head, key: &str, faulty: Faulty) -> bool {
    let version = head.start_line.split(' ').next().unwrap_or_default();
    is_http(version, faulty)
        && check_status(head, faulty)
        && check_upgrade(head, faulty)
        && check_accept(head, key, faulty)
        && check_protocol(head, faulty)
}

fn check_status(head: &Head, faulty: Faulty) -> bool {
    match (head.status(), faulty.0) {
        (Some(101), _) | (Some(200), Some(Kind::AcceptsStatus200)) => true,
        (_, fault) => fault == Some(Kind::AcceptsAnyStatus),
    }
}

fn check_upgrade(head: &Head, faulty: Faulty) -> bool {
    let upgrades: Vec<_> = values(head, "Upgrade", faulty).collect();
    // Equal, and no list.
    let right = upgrades
        .iter()
        .all(|value| match faulty.has(Kind::ComparesByCase) {
            true => *value == "websocket",
            false => value.eq_ignore_ascii_case("websocket"),
        });
    let upgrade = match upgrades[..] {
        [] => faulty.has(Kind::AcceptsMissingUpgrade),
        _ => right || faulty.has(Kind::AcceptsOtherUpgrade),
    };
    upgrade
        && (lists(head, "Connection", "Upgrade", faulty)
            || faulty.has(Kind::AcceptsMissingConnection))
}

fn check_accept(head: &Head, key: &str, faulty: Faulty) -> bool {
    let expected = opening::accept(key);
    let accepts: Vec<_> = values(head, "Sec-WebSocket-Accept", faulty).collect();
    match (&accepts[..], faulty.0) {
        ([], fault) => fault == Some(Kind::AcceptsMissingAccept),
        (_, Some(Kind::AcceptsWrongAccept)) => true,
        ([accept], Some(Kind::AcceptsAcceptInAnyCase)) => accept.eq_ignore_ascii_case(&expected),
        ([accept], _) => *accept == expected,
        (several, fault) => fault == Some(Kind::AcceptsTwoAccepts) && several.contains(&&*expected),
    }
}

/// No subprotocol was offered; that none is chosen can be said in so many words.
fn check_protocol(head: &Head, faulty: Faulty) -> bool {
    values(head, "Sec-WebSocket-Protocol", faulty).all(str::is_empty)
        || faulty.has(Kind::AcceptsUnofferedSubprotocol)
}
