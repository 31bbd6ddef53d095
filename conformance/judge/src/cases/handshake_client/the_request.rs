//! What the request must contain.

use super::{opens, response};
use crate::case::Case;
use crate::http::Head;

type Look = fn(&Head) -> Result<(), String>;

pub(super) fn cases() -> Vec<Case> {
    let rules: [(&str, Look, &str, &'static str); 11] = [
        (
            "The request line",
            request_line,
            "It is GET, a target that begins with a slash or is an http URI, and HTTP/1.1.",
            "RFC 6455 §4.1",
        ),
        (
            "The lines of the fields",
            well_written,
            "Every line has a name that is a token and a value without control characters.",
            "RFC 9112 §5, RFC 9110 §5.5",
        ),
        (
            "Fields that come once",
            once,
            "No field comes twice that is no list.",
            "RFC 6455 §11.3, RFC 9110 §5.3",
        ),
        (
            "Host",
            host,
            "It is a host and perhaps a port: no user, no scheme, no path.",
            "RFC 6455 §4.1, RFC 9110 §7.2",
        ),
        (
            "Upgrade and Connection",
            upgrade,
            "Upgrade names websocket, and Connection lists Upgrade.",
            "RFC 6455 §4.1",
        ),
        (
            "Sec-WebSocket-Key",
            key,
            "It is 16 octets in base64 as a careful encoder writes it.",
            "RFC 6455 §4.1, RFC 4648 §3.5",
        ),
        (
            "The key is a random one",
            random_key,
            "It is not one octet 16 times, nor an example of the standard.",
            "RFC 6455 §4.1, §10.3",
        ),
        (
            "Sec-WebSocket-Version",
            version,
            "It is 13 and nothing else.",
            "RFC 6455 §4.1",
        ),
        (
            "Sec-WebSocket-Protocol",
            protocols,
            "If it is there, it lists tokens, and none twice.",
            "RFC 6455 §4.1",
        ),
        (
            "Sec-WebSocket-Extensions",
            extensions,
            "If it is there, it lists extensions with parameters.",
            "RFC 6455 §9.1",
        ),
        (
            "No body",
            no_body,
            "What follows the head is for frames: no Content-Length but 0, no Transfer-Encoding.",
            "RFC 6455 §4.1, RFC 9112 §6",
        ),
    ];
    rules
        .into_iter()
        .map(|(title, look, why, section)| response(title, opens().check(look), why, section))
        .collect()
}

fn is_token(text: &str) -> bool {
    let tchar = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    !text.is_empty() && text.chars().all(tchar)
}

/// An error with this sentence unless all is right.
fn unless(right: bool, sentence: impl FnOnce() -> String) -> Result<(), String> {
    if right { Ok(()) } else { Err(sentence()) }
}

fn request_line(head: &Head) -> Result<(), String> {
    let parts: Vec<_> = head.start_line.split(' ').collect();
    let right = match parts[..] {
        ["GET", target, "HTTP/1.1"] => {
            let begins = ["/", "http://", "https://"]
                .iter()
                .any(|form| target.starts_with(form));
            begins && !target.contains('#') && target.bytes().all(|octet| octet.is_ascii_graphic())
        }
        _ => false,
    };
    unless(right, || {
        format!("the request line is {:?}", head.start_line)
    })
}

fn well_written(head: &Head) -> Result<(), String> {
    for (name, value) in &head.fields {
        unless(is_token(name), || format!("{name:?} is no name of a field"))?;
        let control = |char: char| char.is_ascii_control() && char != '\t';
        unless(!value.contains(control), || {
            format!("the value {value:?} has control characters")
        })?;
    }
    Ok(())
}

fn once(head: &Head) -> Result<(), String> {
    let single = [
        "Host",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Origin",
        "User-Agent",
        "Authorization",
        "Content-Length",
    ];
    for name in single {
        unless(head.values(name).count() < 2, || {
            format!("{name} comes more than once")
        })?;
    }
    Ok(())
}

fn host(head: &Head) -> Result<(), String> {
    let value = head.value("Host").unwrap_or_default();
    let (name, port) = match value.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (value, "0"),
    };
    let forbidden = |char: char| !char.is_ascii_graphic() || "@/?#,\\\"<>{}|^`".contains(char);
    let address = name.starts_with('[') && name.ends_with(']');
    let right = !name.is_empty()
        && !name.contains(forbidden)
        && (address || !name.contains(':'))
        && port.parse::<u16>().is_ok();
    unless(right, || format!("Host is {value:?}"))
}

fn upgrade(head: &Head) -> Result<(), String> {
    unless(
        head.lists("Upgrade", "websocket") && head.lists("Connection", "Upgrade"),
        || "Upgrade or Connection lacks what it must list".to_owned(),
    )
}

fn key(head: &Head) -> Result<(), String> {
    let value = head.value("Sec-WebSocket-Key").unwrap_or_default();
    let base64 = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'+' || octet == b'/';
    // 16 octets are 21 characters and 2 bits more.
    let right = value.len() == 24
        && value.as_bytes()[..22].iter().all(|octet| base64(*octet))
        && ["A==", "Q==", "g==", "w=="]
            .iter()
            .any(|end| value.ends_with(end));
    unless(right, || format!("the key is {value:?}"))
}

fn random_key(head: &Head) -> Result<(), String> {
    let value = head.value("Sec-WebSocket-Key").unwrap_or_default();
    let examples = [
        "dGhlIHNhbXBsZSBub25jZQ==",
        "AQIDBAUGBwgJCgsMDQ4PEA==",
        "AQIDBAUGBwgJCgsMDQ4PEC==",
        "x3JJHMbDL1EzLkh9GBhXDw==",
    ];
    // An octet that repeats gives four characters that repeat.
    let groups: Vec<_> = value.as_bytes().chunks(4).take(5).collect();
    let constant = groups.windows(2).all(|pair| pair[0] == pair[1]);
    unless(!constant && !examples.contains(&value), || {
        format!("the key is {value:?}")
    })
}

fn version(head: &Head) -> Result<(), String> {
    let value = head.value("Sec-WebSocket-Version").unwrap_or_default();
    unless(value == "13", || format!("the version is {value:?}"))
}

fn protocols(head: &Head) -> Result<(), String> {
    let values: Vec<_> = head.values("Sec-WebSocket-Protocol").collect();
    if values.is_empty() {
        return Ok(());
    }
    let mut names: Vec<_> = values
        .iter()
        .flat_map(|v| v.split(','))
        .map(str::trim)
        .collect();
    let tokens = names.iter().all(|name| is_token(name));
    names.sort_unstable();
    let unique = names.windows(2).all(|pair| pair[0] != pair[1]);
    unless(tokens && unique, || {
        format!("the subprotocols are {values:?}")
    })
}

fn extensions(head: &Head) -> Result<(), String> {
    for value in head.values("Sec-WebSocket-Extensions") {
        // A value in quotes has to be a token, so no delimiter hides in quotes.
        for item in value.split([',', ';']).map(str::trim) {
            let right = match item.split_once('=') {
                None => is_token(item),
                Some((name, value)) => {
                    let bare = value
                        .trim()
                        .strip_prefix('"')
                        .and_then(|v| v.strip_suffix('"'));
                    is_token(name.trim_end()) && is_token(bare.unwrap_or_else(|| value.trim()))
                }
            };
            unless(right, || format!("the extensions are {value:?}"))?;
        }
    }
    Ok(())
}

fn no_body(head: &Head) -> Result<(), String> {
    let length = head.values("Content-Length").all(|length| length == "0");
    let coded = head.values("Transfer-Encoding").next().is_some();
    unless(length && !coded, || "a body is announced".to_owned())
}
