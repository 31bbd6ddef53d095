//! What a warm connection allocates, counted by the allocator of this program.

use std::sync::Arc;
use std::time::Instant;

use allocation_counter::measure;
use cloverleaf_proto::connection::{MessageRef, Received, Transmit};
use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Extensions,
    Failure, Hints, Negotiated, Output, Params, Stage,
};
use cloverleaf_proto::frame::{Head, MaskSource};
use cloverleaf_proto::{Config, Connection, Event, Message, Role};

#[derive(Debug)]
struct NoMask;

impl MaskSource for NoMask {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an Instant cannot be made in another way"
)]
fn now() -> Instant {
    Instant::now()
}

/// Turns every octet over, on every frame.
#[derive(Clone, Copy, Debug)]
struct Turn;

impl Extension for Turn {
    fn name(&self) -> &str {
        "x-turn"
    }

    fn claims(&self) -> Claims {
        Claims::at(Stage::Frame)
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new()]
    }

    fn accept(&self, _: &Params) -> Result<Agreement, Declined> {
        Ok(Agreement::new(Params::new()).encoder(*self).decoder(*self))
    }

    fn confirm(&self, _: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        self.accept(answer)
    }
}

impl Encoder for Turn {
    fn encode(
        &mut self,
        _: Head,
        _: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        payload.iter().try_for_each(|octet| out.write(&[!octet]))?;
        Ok(Encoded::Replaced(cloverleaf_proto::frame::Rsv::NONE))
    }
}

impl Decoder for Turn {
    fn decode(
        &mut self,
        _: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        payload.iter().try_for_each(|octet| out.write(&[!octet]))?;
        Ok(Decoded::Replaced)
    }
}

fn connection(extensions: Extensions) -> Connection {
    let negotiated = Negotiated::accept(&extensions, Negotiated::offers(&extensions));
    let mut config = Config::new(Arc::new(NoMask));
    config.extensions = extensions;
    config.accept_unmasked = true;
    Connection::new(Role::Server, Arc::new(config), negotiated, now())
}

#[test]
fn with_nothing_agreed_a_frame_passes_without_an_allocation_and_is_the_input_itself() {
    // Registered, but the client did not offer it.
    let extensions = Extensions::new().with(Turn).expect("there is one");
    let negotiated = Negotiated::accept(&extensions, Vec::new());
    let mut config = Config::new(Arc::new(NoMask));
    config.extensions = extensions;
    config.accept_unmasked = true;
    let mut connection = Connection::new(Role::Server, Arc::new(config), negotiated, now());
    let at = now();
    for wire in [&b"\x82\x05Hello"[..], b"\x81\x05Hello", b"\x82\x00"] {
        let mut input = wire.to_vec();
        let start = input.as_ptr().wrapping_add(2);
        let mut found = None;
        let counted = measure(|| {
            let (used, received) = connection.receive(at, &mut input);
            assert_eq!(used, wire.len());
            found = match received {
                Some(Received::Message(MessageRef::Binary(payload))) => Some(payload.as_ptr()),
                Some(Received::Message(MessageRef::Text(text))) => Some(text.as_ptr()),
                _ => None,
            };
        });
        assert_eq!(found, Some(start), "the payload is where it came");
        assert_eq!(counted.count_total, 0);
    }
}

#[test]
fn with_nothing_agreed_a_small_message_leaves_a_warm_connection_without_an_allocation() {
    let mut connection = connection(Extensions::new());
    let at = now();
    let mut send = |message: Message| {
        connection.send(message, Hints::new()).expect("it is open");
        while let Transmit::Write(front, back) = connection.poll_transmit() {
            let written = front.len() + back.len();
            connection.handle_written(at, written);
        }
    };
    send(Message::binary("the first one has the buffer made"));
    let message = Message::binary("Hello");
    let counted = measure(|| send(message));
    assert_eq!(counted.count_total, 0);
}

#[test]
fn an_extension_that_writes_every_frame_anew_costs_a_warm_connection_what_the_message_takes() {
    let extensions = Extensions::new().with(Turn).expect("there is one");
    let mut connection = connection(extensions);
    let at = now();
    let mut receive = || {
        let mut input = b"\x82\x05Hello".map(|octet| octet);
        match connection.receive(at, &mut input) {
            (7, Some(Received::Event(Event::Message(message)))) => message.payload().len(),
            other => panic!("{other:?}"),
        }
    };
    receive();
    let counted = measure(|| {
        receive();
    });
    // The payload, which the application keeps, and what counts its owners.
    assert!(counted.count_total <= 3, "{counted:?}");
    assert_eq!(counted.count_current, 0, "nothing stays behind");
}
