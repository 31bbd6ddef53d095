//! The opening handshake of an ordinary case (RFC 6455 §4): what the judge sends, and what it
//! insists on before it begins.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest as _, Sha1};

use crate::http::{self, Head};

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Accept` for a key (§4.2.2).
pub fn accept(key: &str) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(key.trim());
    sha1.update(GUID);
    BASE64.encode(sha1.finalize())
}

/// A value for `Sec-WebSocket-Key` (§4.1).
pub fn key(random: [u8; 16]) -> String {
    BASE64.encode(random)
}

/// What the judge asks for when it is the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Host and port for the `Host` field.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// `Origin`, if one is to be sent.
    pub origin: Option<String>,
    /// Subprotocols to offer.
    pub protocols: Vec<String>,
    /// Extension offers, one string each.
    pub extensions: Vec<String>,
    /// `Sec-WebSocket-Version`; 0 stands for 13.
    pub version: u8,
    /// `Sec-WebSocket-Key`.
    pub key: String,
}

/// How the judge names itself in `User-Agent` and `Server`.
pub const NAME: &str = concat!("Cloverleaf/", env!("CARGO_PKG_VERSION"));

impl Request {
    /// A request for this place.
    pub fn new(host: impl Into<String>, target: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            target: target.into(),
            key: key.into(),
            ..Self::default()
        }
    }

    /// The fields in their order.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let version = if self.version == 0 { 13 } else { self.version };
        let mut fields = vec![
            ("Host", self.host.clone()),
            ("User-Agent", NAME.to_owned()),
            // In the original's letters: whoever compares by case is found out.
            ("Upgrade", "WebSocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Pragma", "no-cache".to_owned()),
            ("Cache-Control", "no-cache".to_owned()),
            ("Sec-WebSocket-Key", self.key.clone()),
            ("Sec-WebSocket-Version", version.to_string()),
        ];
        if let Some(origin) = &self.origin {
            // Before version 13 the field had another name.
            let name = if version < 13 {
                "Sec-WebSocket-Origin"
            } else {
                "Origin"
            };
            fields.push((name, origin.clone()));
        }
        if !self.protocols.is_empty() {
            fields.push(("Sec-WebSocket-Protocol", self.protocols.join(", ")));
        }
        if !self.extensions.is_empty() {
            fields.push(("Sec-WebSocket-Extensions", self.extensions.join(", ")));
        }
        fields
    }

    /// The head on the wire.
    pub fn to_text(&self) -> String {
        http::write(&format!("GET {} HTTP/1.1", self.target), &self.fields())
    }

    /// Whether a response opens the connection, extensions apart; if not, why.
    pub fn check(&self, response: &Head) -> Result<(), String> {
        let mut line = response.start_line.split_ascii_whitespace();
        if line.next() != Some("HTTP/1.1") {
            return Err(format!(
                "the status line is {:?}, not HTTP/1.1",
                response.start_line
            ));
        }
        if response.status() != Some(101) {
            return Err(format!(
                "the server answers {:?}, not 101",
                response.start_line
            ));
        }
        // §4.1: both are compared in any case of letters.
        let upgrade: Vec<_> = response.values("Upgrade").collect();
        if !upgrade
            .first()
            .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
        {
            return Err(format!("the Upgrade field is {upgrade:?}, not websocket"));
        }
        if !response.lists("Connection", "Upgrade") {
            return Err("the Connection field does not list Upgrade".to_owned());
        }
        let expected = accept(&self.key);
        match response.value("Sec-WebSocket-Accept") {
            None => return Err("there is not exactly one Sec-WebSocket-Accept".to_owned()),
            Some(found) if found != expected => {
                return Err(format!(
                    "Sec-WebSocket-Accept is {found:?}, not {expected:?}"
                ));
            }
            Some(_) => {}
        }
        let protocols: Vec<_> = response.values("Sec-WebSocket-Protocol").collect();
        match protocols[..] {
            [] | [""] => Ok(()),
            [one] if self.protocols.iter().any(|offered| offered == one) => Ok(()),
            [one] => Err(format!(
                "the server chose the subprotocol {one:?}, which was not offered"
            )),
            _ => Err("Sec-WebSocket-Protocol comes more than once".to_owned()),
        }
    }
}

/// Why a request does not open a connection: a status and a sentence.
pub type Refusal = (u16, String);

/// Whether a request opens a connection when the judge is the server, and with which key.
///
/// # Errors
///
/// The status to answer with, and what is wrong.
pub fn check_request<'a>(request: &'a Head, versions: &[u8]) -> Result<&'a str, Refusal> {
    let bad = |reason: String| Err((400, reason));
    let line: Vec<_> = request.start_line.split_ascii_whitespace().collect();
    let [method, target, version] = line[..] else {
        return bad(format!("the request line is {:?}", request.start_line));
    };
    if method != "GET" {
        return Err((405, format!("the method is {method:?}, not GET")));
    }
    if version != "HTTP/1.1" {
        return Err((505, format!("the version is {version:?}, not HTTP/1.1")));
    }
    if target.contains('#') {
        return bad("the target has a fragment".to_owned());
    }
    if request.value("Host").is_none() {
        return bad("there is not exactly one Host field".to_owned());
    }
    if request.values("Upgrade").next().is_none() {
        return Err((426, "there is no Upgrade field".to_owned()));
    }
    if !request.lists("Upgrade", "websocket") {
        return bad("the Upgrade field does not list websocket".to_owned());
    }
    if !request.lists("Connection", "Upgrade") {
        return bad("the Connection field does not list Upgrade".to_owned());
    }
    let asked = request
        .value("Sec-WebSocket-Version")
        .and_then(|text| text.parse().ok());
    if !asked.is_some_and(|version| versions.contains(&version)) {
        return Err((
            426,
            "the Sec-WebSocket-Version is not one that is spoken here".to_owned(),
        ));
    }
    let Some(key) = request.value("Sec-WebSocket-Key") else {
        return bad("there is not exactly one Sec-WebSocket-Key".to_owned());
    };
    if BASE64.decode(key).map(|octets| octets.len()) != Ok(16) {
        return bad(format!(
            "Sec-WebSocket-Key is {key:?}, not 16 octets in base64"
        ));
    }
    if request.values("Sec-WebSocket-Extensions").nth(1).is_some() {
        return bad("Sec-WebSocket-Extensions comes more than once".to_owned());
    }
    let mut protocols: Vec<_> = request
        .values("Sec-WebSocket-Protocol")
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    protocols.sort_unstable();
    if protocols.windows(2).any(|pair| pair[0] == pair[1]) {
        return bad("Sec-WebSocket-Protocol names one twice".to_owned());
    }
    Ok(key)
}

/// The head that opens a connection.
pub fn response(key: &str, extensions: Option<&str>) -> String {
    let mut fields = vec![
        ("Server", NAME.to_owned()),
        ("Upgrade", "WebSocket".to_owned()),
        ("Connection", "Upgrade".to_owned()),
        ("Sec-WebSocket-Accept", accept(key)),
    ];
    if let Some(extensions) = extensions {
        fields.push(("Sec-WebSocket-Extensions", extensions.to_owned()));
    }
    http::write("HTTP/1.1 101 Switching Protocols", &fields)
}

/// The head that refuses a request.
pub fn refusal((status, reason): &Refusal) -> String {
    let line = match status {
        405 => "405 Method Not Allowed",
        426 => "426 Upgrade Required",
        500 => "500 Internal Server Error",
        505 => "505 HTTP Version Not Supported",
        _ => "400 Bad Request",
    };
    let body = format!("{reason}\n");
    let mut fields = vec![
        ("Server", NAME.to_owned()),
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
        ("Content-Length", body.len().to_string()),
        ("Connection", "close".to_owned()),
    ];
    if *status == 426 {
        fields.push(("Sec-WebSocket-Version", "13".to_owned()));
    }
    http::write(&format!("HTTP/1.1 {line}"), &fields) + &body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_rfc_6455_section_1_3_gives_its_accept_value() {
        assert_eq!(
            accept("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    fn head(text: &str) -> Head {
        Head::parse(text.as_bytes()).expect("whole").0
    }

    #[test]
    fn only_a_whole_and_right_response_opens_the_connection() {
        let mut request = Request::new("h", "/", "dGhlIHNhbXBsZSBub25jZQ==");
        request.protocols = vec!["chat".to_owned()];
        let good = response(&request.key, None);
        assert_eq!(request.check(&head(&good)), Ok(()));
        let chosen = good.replace("Server: ", "Sec-WebSocket-Protocol: chat\r\nServer: ");
        assert_eq!(request.check(&head(&chosen)), Ok(()));
        for (from, to) in [
            ("101", "200"),
            ("HTTP/1.1", "HTTP/1.0"),
            ("Upgrade: WebSocket", "Upgrade: h2c"),
            ("Upgrade: WebSocket\r\n", ""),
            ("Connection: Upgrade", "Connection: close"),
            ("s3pPLMBi", "S3pPLMBi"),
            ("Sec-WebSocket-Accept", "Sec-WebSocket-Except"),
            ("Server: ", "Sec-WebSocket-Protocol: superchat\r\nServer: "),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(request.check(&head(&bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_right_request_is_let_in() {
        let request = Request::new("h", "/x?y", "dGhlIHNhbXBsZSBub25jZQ==");
        let good = request.to_text();
        assert_eq!(check_request(&head(&good), &[8, 13]), Ok(&*request.key));
        for (from, to, status) in [
            ("GET", "POST", 405),
            ("HTTP/1.1", "HTTP/1.0", 505),
            ("/x?y", "/x#y", 400),
            ("Host: h\r\n", "", 400),
            ("Upgrade: WebSocket\r\n", "", 426),
            ("Upgrade: WebSocket", "Upgrade: h2c", 400),
            ("Connection: Upgrade", "Connection: close", 400),
            ("Version: 13", "Version: 12", 426),
            ("dGhlIH", "dGhl", 400),
            ("Sec-WebSocket-Key", "Sec-WebSocket-Quay", 400),
            ("Host: h", "Host: h\r\nSec-WebSocket-Protocol: a, a", 400),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            let refused = check_request(&head(&bad), &[13]).expect_err("refused");
            assert_eq!(refused.0, status, "{bad}");
            assert!(refusal(&refused).contains(&status.to_string()));
        }
    }
}
