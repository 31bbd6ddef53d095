//! The client's side of the opening handshake (RFC 6455 §4.1).

use cloverleaf_judge::frame::{Frame, Masking};
use cloverleaf_judge::http::{self, Head};
use cloverleaf_judge::opening;
use cloverleaf_judge::random::Random;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Faulty;
use super::agreement::{self, Codec};
use super::answering::{lists, values};
use super::fault::Kind;
use super::wire::Wire;

/// There is no connection; TCP is to end.
#[derive(Debug)]
pub(super) struct NotOpened;

/// Asks for a connection; returns the codec that was agreed on.
pub(super) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    host: &str,
    target: &str,
    faulty: Faulty,
) -> Result<Option<Codec>, NotOpened> {
    let key = opening::key(Random::new().handshake_key());
    let mut octets = request(host, target, &key, faulty).into_bytes();
    if faulty.has(Kind::SpeaksBeforeTheAnswer) {
        let frame = Frame::text("Is anybody there?").masking(Masking::With([1, 2, 3, 4]));
        octets.extend(frame.encode(None));
    }
    wire.write(&octets).await.map_err(|_| NotOpened)?;
    let head = wire.head(faulty).await.map_err(|_| NotOpened)?;
    if !check(&head, &key, faulty) {
        return Err(NotOpened);
    }
    let lines: Vec<_> = values(&head, "Sec-WebSocket-Extensions", faulty).collect();
    agreement::accept(&lines, faulty).map_err(|_| NotOpened)
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
        ("Sec-WebSocket-Extensions", agreement::offer().to_string()),
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
    let version = head.start_line.starts_with("HTTP/1.1 ") || faulty.has(Kind::AcceptsHttp10);
    version
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
    let upgrade = match upgrades[..] {
        [] => faulty.has(Kind::AcceptsMissingUpgrade),
        // Equal, and no list.
        [value] if value.eq_ignore_ascii_case("websocket") => {
            value == "websocket" || !faulty.has(Kind::ComparesByCase)
        }
        _ => faulty.has(Kind::AcceptsOtherUpgrade),
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

/// No subprotocol was offered.
fn check_protocol(head: &Head, faulty: Faulty) -> bool {
    values(head, "Sec-WebSocket-Protocol", faulty)
        .next()
        .is_none()
        || faulty.has(Kind::AcceptsUnofferedSubprotocol)
}
