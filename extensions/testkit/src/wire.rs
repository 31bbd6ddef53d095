//! What a server with an extension puts on the wire, and what it makes of it, for tests that write
//! octets out.

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::{Extension, Extensions, Hints, Negotiated};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::parse_extensions;
use cloverleaf_proto::{Config, Connection, Event, Message, Role};

#[derive(Debug)]
struct NoMask;

impl MaskSource for NoMask {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

/// What a server writes for these messages once it has accepted this offer, as it would stand in
/// `Sec-WebSocket-Extensions`.
///
/// # Panics
///
/// If it does not accept the offer, or refuses a message.
#[must_use]
pub fn sent(
    extension: impl Extension + 'static,
    offer: &str,
    messages: impl IntoIterator<Item = Message>,
) -> Vec<u8> {
    let mut server = server(extension, offer);
    let mut wire = Vec::new();
    for message in messages {
        if let Err(error) = server.send(message, Hints::new()) {
            panic!("the message is refused: {error}");
        }
        while let Transmit::Write(front, back) = server.poll_transmit() {
            wire.extend_from_slice(front);
            wire.extend_from_slice(back);
            let written = front.len() + back.len();
            server.handle_written(Instant::now(), written);
        }
    }
    wire
}

/// What a server that has accepted this offer makes of these octets, written without masks: the
/// events, and how the connection stands then. [`Closed::error`] is what has failed it, if anything.
///
/// # Panics
///
/// If it does not accept the offer.
#[must_use]
pub fn received(
    extension: impl Extension + 'static,
    offer: &str,
    wire: &[u8],
) -> (Vec<Event>, Closed) {
    let mut server = server(extension, offer);
    server.handle_input(Instant::now(), &mut wire.to_vec());
    let events = core::iter::from_fn(|| server.poll_event()).collect();
    (events, server.closed())
}

fn server(extension: impl Extension + 'static, offer: &str) -> Connection {
    let extensions = match Extensions::new().with(extension) {
        Ok(extensions) => extensions,
        Err(error) => panic!("{error}"),
    };
    let offers = match parse_extensions(offer.as_bytes()) {
        Ok(offers) => offers,
        Err(error) => panic!("the offer cannot stand in a header: {error}"),
    };
    let negotiated = Negotiated::accept(&extensions, offers);
    if let Some(skipped) = negotiated.skipped().first() {
        panic!("not accepted: {skipped}");
    }
    let mut config = Config::new(Arc::new(NoMask));
    config.extensions = extensions;
    config.accept_unmasked = true;
    Connection::new(Role::Server, Arc::new(config), negotiated, Instant::now())
}
