//! Octets of the network into a whole connection, in both roles, with extensions stacked or without.
#![no_main]

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_checksum::Checksum;
use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{Extensions, Negotiated, Offer};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::{Config, Connection, Event, Role};
use libfuzzer_sys::fuzz_target;

#[derive(Debug)]
struct NoMask;

impl MaskSource for NoMask {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

/// The most that a message may hold here.
const MOST: usize = 1 << 16;

fn extensions(choice: u8) -> Extensions {
    let registered = match choice % 4 {
        0 => Ok(Extensions::new()),
        1 => Extensions::new().with(PermessageDeflate::new()),
        2 => Extensions::new()
            .with(PermessageDeflate::new())
            .and_then(|all| all.with(Checksum::new().octets(1))),
        _ => Extensions::new().with(DeflateFrame::new()),
    };
    registered.expect("the names differ")
}

fuzz_target!(|data: &[u8]| {
    let [choice, cut, rest @ ..] = data else {
        return;
    };
    let extensions = extensions(*choice);
    let accepted = Negotiated::accept(&extensions, Negotiated::offers(&extensions));
    let (role, negotiated) = if choice & 4 == 0 {
        (Role::Server, accepted)
    } else {
        let answers = accepted.agreed().iter();
        let answers = answers.map(|agreed| Offer::new(&*agreed.name, agreed.params.clone()));
        let answers = answers.collect();
        let confirmed = Negotiated::confirm(&extensions, answers);
        (Role::Client, confirmed.expect("our own server's answer"))
    };
    let mut config = Config::new(Arc::new(NoMask));
    config.extensions = extensions;
    config.accept_unmasked = true;
    config.limits.max_message_size = MOST;
    config.parts = choice & 8 != 0;
    let now = Instant::now();
    let mut connection = Connection::new(role, Arc::new(config), negotiated, now);
    let mut input = rest.to_vec();
    let mut ended = false;
    for piece in input.chunks_mut(usize::from(*cut) + 1) {
        connection.handle_input(now, piece);
        while let Some(event) = connection.poll_event() {
            assert!(!ended, "nothing happens behind the end");
            match event {
                Event::Closed(_) => ended = true,
                Event::Message(message) => assert!(message.payload().len() <= MOST),
                Event::Part { payload, .. } => assert!(payload.len() <= MOST),
                _ => {}
            }
        }
        while let Transmit::Write(front, back) = connection.poll_transmit() {
            let written = front.len() + back.len();
            connection.handle_written(now, written);
        }
    }
    connection.handle_eof(now);
    while connection.poll_event().is_some() {}
});
