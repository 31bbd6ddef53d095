//! A tunnel through an HTTP proxy (RFC 9110 §9.3.6), without I/O.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloverleaf_proto::handshake::{HeadLimits, ResponseHandler, ResponseReader};
use http::header::{CONNECTION, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};

use super::{Login, Progress, ProxyError};

/// So many requests are made, the first included.
const MAX_ATTEMPTS: u32 = 3;

/// Asks for a tunnel, and again with credentials.
pub(super) struct Connect {
    request: Request<()>,
    handler: Option<Box<dyn ResponseHandler>>,
    attempts: u32,
    reader: ResponseReader,
    output: Vec<u8>,
    /// Whether this connection has carried an answer before.
    reused: bool,
    progress: Progress,
}

/// Without octets: there may be credentials among them.
impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl Connect {
    /// To this place, `host:port`.
    pub(super) fn new(place: &str, mut handler: Option<Box<dyn ResponseHandler>>) -> Self {
        let mut request = Request::new(());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = Uri::builder()
            .authority(place)
            .build()
            .expect("a host and a port are an authority");
        let host = HeaderValue::from_str(place).expect("a host and a port are visible");
        request.headers_mut().insert(HOST, host);
        if let Some(handler) = &mut handler {
            let headers = handler.prepare(&request);
            authorize(&mut request, &headers);
        }
        let mut connect = Self {
            request,
            handler,
            attempts: 0,
            reader: reader(),
            output: Vec::new(),
            reused: false,
            progress: Progress::NeedsInput,
        };
        connect.ask();
        connect
    }

    /// Writes the request. RFC 9112 §3.2.3: its target is host and port, whatever the URL says
    /// besides.
    fn ask(&mut self) {
        self.attempts += 1;
        self.reader = reader();
        let place = self.request.headers()[HOST].as_bytes();
        self.output = [b"CONNECT ", place, b" HTTP/1.1\r\nHost: ", place, b"\r\n"].concat();
        if let Some(credentials) = self.request.headers().get(PROXY_AUTHORIZATION) {
            self.output.extend_from_slice(b"Proxy-Authorization: ");
            self.output.extend_from_slice(credentials.as_bytes());
            self.output.extend_from_slice(b"\r\n");
        }
        self.output.extend_from_slice(b"\r\n");
    }

    /// The answer is there.
    fn judge(&mut self, response: Response<Bytes>, reusable: bool) -> Progress {
        let status = response.status();
        if status.is_success() {
            let bare = response.map(|_| ());
            let opened = match &mut self.handler {
                Some(handler) => handler.opened(&self.request, &bare),
                None => Ok(()),
            };
            return match opened {
                Ok(()) => Progress::Open,
                Err(why) => Progress::Failed(ProxyError::Deceived(why)),
            };
        }
        if status != StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Progress::Failed(ProxyError::Refused(Box::new(response)));
        }
        let sent = self.request.headers().contains_key(PROXY_AUTHORIZATION);
        let more = match &mut self.handler {
            Some(handler) if self.attempts < MAX_ATTEMPTS => handler
                .retry(&self.request, &response)
                .filter(|headers| headers.contains_key(PROXY_AUTHORIZATION)),
            _ => None,
        };
        let Some(headers) = more else {
            return Progress::Failed(match sent {
                true => ProxyError::CredentialsRefused,
                false => ProxyError::CredentialsWanted(Box::new(response)),
            });
        };
        authorize(&mut self.request, &headers);
        // Software older than the standard says it in a header of its own.
        let ends = contains_close(response.headers());
        self.ask();
        self.reused = reusable && !ends;
        match self.reused {
            true => Progress::NeedsInput,
            false => Progress::NewConnection,
        }
    }
}

fn reader() -> ResponseReader {
    ResponseReader::new(&Method::CONNECT, HeadLimits::default())
}

impl super::Machine for Connect {
    fn transmit(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn handle_input(&mut self, octets: &[u8]) -> usize {
        let mut taken = 0;
        while taken < octets.len() && matches!(self.progress, Progress::NeedsInput) {
            match self.reader.handle_input(&octets[taken..]) {
                Ok(n) => taken += n,
                Err(error) => self.progress = Progress::Failed(ProxyError::Answer(error)),
            }
            if !self.reader.is_complete() {
                continue;
            }
            self.finish();
            // What comes behind an answer, and before the next request, would be taken for the
            // answer to that.
            if matches!(self.progress, Progress::NeedsInput) && taken < octets.len() {
                self.reused = false;
                self.progress = Progress::NewConnection;
            }
        }
        taken
    }

    fn handle_eof(&mut self) {
        if !matches!(self.progress, Progress::NeedsInput) {
            return;
        }
        if self.reused && !self.reader.has_begun() {
            // It has closed what it had promised to keep. The request goes over a new one.
            self.attempts -= 1;
            self.ask();
            self.reused = false;
            self.progress = Progress::NewConnection;
            return;
        }
        match self.reader.handle_eof() {
            Ok(()) => self.finish(),
            Err(_) => self.progress = Progress::Failed(ProxyError::Eof),
        }
    }

    fn is_explained(&self) -> bool {
        self.reader.is_in_content()
    }

    fn take_progress(&mut self) -> Progress {
        std::mem::replace(&mut self.progress, Progress::NeedsInput)
    }
}

impl Connect {
    fn finish(&mut self) {
        let reader = std::mem::replace(&mut self.reader, reader());
        if let Some((response, reusable)) = reader.finish() {
            self.progress = self.judge(response, reusable);
        }
    }
}

/// Of what a handler has, what is for proxies: credentials for servers must not get there.
fn authorize(request: &mut Request<()>, headers: &HeaderMap) {
    if let Some(credentials) = headers.get(PROXY_AUTHORIZATION) {
        let mut credentials = credentials.clone();
        credentials.set_sensitive(true);
        let headers = request.headers_mut();
        headers.insert(PROXY_AUTHORIZATION, credentials);
    }
}

fn contains_close(headers: &HeaderMap) -> bool {
    const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
    [CONNECTION, PROXY_CONNECTION].iter().any(|name| {
        let mut words = headers
            .get_all(name)
            .into_iter()
            .flat_map(|value| value.as_bytes().split(|octet| *octet == b','));
        words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
    })
}

/// Whether a proxy takes user and password as they are (RFC 7617).
pub(super) fn offers_basic(headers: &HeaderMap) -> bool {
    // Challenges stand in one list with their own parameters (RFC 9110 §11.6.1).
    let mut elements = headers
        .get_all(PROXY_AUTHENTICATE)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|octet| *octet == b','));
    elements.any(|element| {
        let element = element.trim_ascii();
        let end = element
            .iter()
            .position(|octet| *octet == b' ')
            .unwrap_or(element.len());
        element[..end].eq_ignore_ascii_case(b"basic")
    })
}

/// Answers a challenge with the user and the password of the proxy's URL.
#[derive(Debug)]
pub(super) struct Basic(pub(super) Login);

impl ResponseHandler for Basic {
    fn retry(&mut self, request: &Request<()>, response: &Response<Bytes>) -> Option<HeaderMap> {
        if request.headers().contains_key(PROXY_AUTHORIZATION) || !offers_basic(response.headers())
        {
            return None;
        }
        let Login { user, password } = &self.0;
        let pair = [user.as_slice(), b":", password.as_slice()].concat();
        let value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).ok()?;
        Some(HeaderMap::from_iter([(PROXY_AUTHORIZATION, value)]))
    }
}
