//! What the tests share: requests, answers, an extension, and every way to cut octets.

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_proto::Config;
use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Extension, Extensions, Params, Stage,
};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{
    ClientHandshake, ClientProgress, ClientRequest, Decision, HandshakeError, Opened,
    ServerHandshake, ServerOptions, ServerProgress,
};

/// The nonce whose key is that of RFC 6455 §1.3.
pub(crate) const NONCE: [u8; 16] = *b"the sample nonce";
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

#[derive(Debug)]
struct ConstantMask;

impl MaskSource for ConstantMask {
    fn mask_key(&self) -> [u8; 4] {
        [0x37, 0xfa, 0x21, 0x3d]
    }
}

pub(crate) fn config() -> Arc<Config> {
    Arc::new(Config::new(Arc::new(ConstantMask)))
}

pub(crate) fn config_with_bits() -> Arc<Config> {
    let mut config = Config::new(Arc::new(ConstantMask));
    config.extensions = Extensions::new().with(Bits).unwrap();
    Arc::new(config)
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests need some instant, no matter which"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// An extension that does nothing, with a parameter of the kind that has crashed others: a number
/// from 8 to 15, in decimal, without leading zeros.
#[derive(Debug)]
pub(crate) struct Bits;

impl Extension for Bits {
    fn name(&self) -> &str {
        "x-bits"
    }
    fn claims(&self) -> Claims {
        const { Claims::at(Stage::Message) }
    }
    fn offers(&self) -> Vec<Params> {
        vec![Params::new().flag("bits")]
    }
    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        if offer.duplicate().is_some() {
            return Err(Declined::new("a parameter twice"));
        }
        let allowed = |value: &str| (8..=15).any(|bits| value == bits.to_string());
        if !offer
            .iter()
            .all(|(name, value)| name == "bits" && value.is_none_or(allowed))
        {
            return Err(Declined::new("not a number of bits"));
        }
        Ok(Agreement::new(offer.clone()))
    }
    fn confirm(&self, _offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        if answer.iter().any(|(_, value)| value.is_none()) {
            return Err(Declined::new("bits without a number"));
        }
        self.accept(answer)
    }
}

/// The lines of a head. The first is the request or status line.
#[derive(Clone, Debug)]
pub(crate) struct Lines(Vec<Vec<u8>>);

/// A valid request.
pub(crate) fn request() -> Lines {
    Lines::of(&[
        "GET /chat HTTP/1.1",
        "Host: example.com",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ])
}

/// A valid answer to it.
pub(crate) fn answer() -> Lines {
    Lines::of(&[
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ])
}

impl Lines {
    pub(crate) fn of(lines: &[&str]) -> Self {
        Self(lines.iter().map(|line| line.as_bytes().to_vec()).collect())
    }

    pub(crate) fn first(mut self, line: &str) -> Self {
        self.0[0] = line.as_bytes().to_vec();
        self
    }

    pub(crate) fn with(mut self, line: impl AsRef<[u8]>) -> Self {
        self.0.push(line.as_ref().to_vec());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        let before = self.0.len();
        self.0
            .retain(|line| !line.starts_with(format!("{name}:").as_bytes()));
        assert!(self.0.len() < before, "no header {name}");
        self
    }

    /// Another value for a header that is there.
    pub(crate) fn set(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let line = [name.as_bytes(), b": ", value.as_ref()].concat();
        self.without(name).with(line)
    }

    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut octets = self.0.join(&b"\r\n"[..]);
        octets.extend_from_slice(b"\r\n\r\n");
        octets
    }
}

/// Ways to cut octets: whole, one by one, in two at every place, and at random.
pub(crate) fn chops(octets: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut all: Vec<Vec<&[u8]>> = vec![vec![octets], octets.chunks(1).collect()];
    if octets.len() < 1024 {
        all.extend((1..octets.len()).map(|cut| vec![&octets[..cut], &octets[cut..]]));
    }
    let mut state = 1_u32;
    for _ in 0..20 {
        let mut rest = octets;
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (piece, behind) = rest.split_at(rest.len().min(1 + (state >> 16) as usize % 97));
            pieces.push(piece);
            rest = behind;
        }
        all.push(pieces);
    }
    all
}

/// What a server that accepts whatever it is shown answers, and how it ends. The same for every
/// way to cut the input.
pub(crate) fn serve(
    options: &ServerOptions,
    octets: &[u8],
) -> (String, Result<Opened, HandshakeError>) {
    serve_with(options, &config(), octets)
}

pub(crate) fn serve_with(
    options: &ServerOptions,
    config: &Arc<Config>,
    octets: &[u8],
) -> (String, Result<Opened, HandshakeError>) {
    let options = Arc::new(options.clone());
    let mut results: Vec<_> = chops(octets)
        .into_iter()
        .map(|pieces| {
            let mut server = ServerHandshake::new(Arc::clone(&options), Arc::clone(config), now());
            for piece in pieces {
                server.handle_input(piece);
                if server.progress() == ServerProgress::Deciding {
                    server.respond(Decision::accept()).unwrap();
                }
            }
            let written = String::from_utf8(server.poll_transmit().to_vec()).unwrap();
            server.handle_written(written.len());
            (written, server.finish())
        })
        .collect();
    let (written, result) = results.pop().expect("there is a way to cut");
    for (other_written, other_result) in results {
        assert_eq!(other_written, written);
        match (&other_result, &result) {
            (Ok(one), Ok(other)) => assert_eq!(one.leftover, other.leftover),
            (one, other) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
        }
    }
    (written, result)
}

pub(crate) fn ask() -> ClientRequest {
    ClientRequest::new("ws://example.com/chat").unwrap()
}

/// A client that has written its request.
pub(crate) fn client(request: ClientRequest, config: &Arc<Config>) -> ClientHandshake {
    let mut client = ClientHandshake::new(request, NONCE, Arc::clone(config), now()).unwrap();
    let written = client.poll_transmit().len();
    client.handle_written(written);
    client
}

/// How a client that asks for this ends when the server answers so, and what it has left to say.
/// The same for every way to cut the answer.
pub(crate) fn receive(
    request: &ClientRequest,
    config: &Arc<Config>,
    octets: &[u8],
) -> (Vec<u8>, Result<Opened, HandshakeError>) {
    let mut results: Vec<_> = chops(octets)
        .into_iter()
        .map(|pieces| {
            let mut client = client(request.clone(), config);
            for piece in pieces {
                client.handle_input(now(), piece);
            }
            if client.progress() == ClientProgress::NeedsInput {
                client.handle_eof();
            }
            (client.poll_transmit().to_vec(), client.finish())
        })
        .collect();
    let (left, result) = results.pop().expect("there is a way to cut");
    for (other_left, other_result) in results {
        assert_eq!(other_left, left);
        match (&other_result, &result) {
            (Ok(one), Ok(other)) => assert_eq!(one.leftover, other.leftover),
            (one, other) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
        }
    }
    (left, result)
}

/// Takes what is to be written.
pub(crate) fn take_output(server: &mut ServerHandshake) -> String {
    let written = String::from_utf8(server.poll_transmit().to_vec()).unwrap();
    server.handle_written(written.len());
    written
}
