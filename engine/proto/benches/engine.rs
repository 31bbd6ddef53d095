//! What the engine costs, without a network: `cargo bench -p cloverleaf-proto`.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use cloverleaf_proto::connection::{Received, Transmit};
use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Extensions,
    Failure, Hints, Negotiated, Offer, Output, Params, Placement, Stage,
};
use cloverleaf_proto::frame::{Head, MaskSource, Rsv, mask};
use cloverleaf_proto::message::{Kind, Utf8Validator};
use cloverleaf_proto::{Config, Connection, Event, Message, Role};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

fn main() {
    divan::main();
}

/// Sizes of messages, in octets.
const SIZES: [usize; 4] = [20, 1 << 10, 16 << 10, 1 << 20];

#[derive(Debug)]
struct ConstantKey;

impl MaskSource for ConstantKey {
    fn mask_key(&self) -> [u8; 4] {
        [0x37, 0xfa, 0x21, 0x3d]
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about real time")]
fn now() -> Instant {
    Instant::now()
}

/// An extension that sees every message and touches none.
#[derive(Clone, Copy, Debug)]
struct Idle(&'static str, Rsv);

impl Extension for Idle {
    fn name(&self) -> &str {
        self.0
    }

    fn claims(&self) -> Claims {
        Claims::at(Stage::Message).rsv(self.1, Placement::MessageStart)
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new()]
    }

    fn accept(&self, _offer: &Params) -> Result<Agreement, Declined> {
        Ok(Agreement::new(Params::new()).encoder(*self).decoder(*self))
    }

    fn confirm(&self, _offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        self.accept(answer)
    }
}

impl Encoder for Idle {
    fn encode(
        &mut self,
        _head: Head,
        _hints: Hints,
        _payload: &[u8],
        _out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        Ok(Encoded::Unchanged)
    }
}

impl Decoder for Idle {
    fn decode(
        &mut self,
        _head: Head,
        _payload: &[u8],
        _out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        Ok(Decoded::Unchanged)
    }
}

/// A connection with so many idle extensions.
fn connection(role: Role, extensions: usize, now: Instant) -> Connection {
    let mut config = Config::new(Arc::new(ConstantKey));
    config.limits.max_frame_size = 2 << 20;
    config.limits.max_message_size = 2 << 20;
    for idle in [Idle("x-one", Rsv::RSV1), Idle("x-two", Rsv::RSV2)]
        .iter()
        .take(extensions)
    {
        config.extensions = config.extensions.with(*idle).expect("the names differ");
    }
    let negotiated = negotiated(&config.extensions);
    Connection::new(role, Arc::new(config), negotiated, now)
}

fn negotiated(extensions: &Extensions) -> Negotiated {
    let offers: Vec<Offer> = Negotiated::offers(extensions);
    Negotiated::accept(extensions, offers)
}

/// Everything that is to be written, behind what is in `wire` already.
fn transmit(connection: &mut Connection, now: Instant, wire: &mut Vec<u8>) {
    while let Transmit::Write(front, back) = connection.poll_transmit() {
        wire.extend_from_slice(front);
        wire.extend_from_slice(back);
        let n = front.len() + back.len();
        connection.handle_written(now, n);
    }
}

fn message(kind: Kind, size: usize) -> Message {
    match kind {
        Kind::Text => Message::text("x".repeat(size)),
        Kind::Binary => Message::binary(vec![7; size]),
    }
}

#[divan::bench(args = [16, 64, 256, 1 << 10, 16 << 10, 1 << 20])]
fn masking(bencher: Bencher<'_, '_>, size: usize) {
    let mut payload = vec![0; size];
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| mask(divan::black_box(&mut payload), [0x37, 0xfa, 0x21, 0x3d], 1));
}

/// A thousand empty frames: what is not payload.
#[divan::bench]
fn a_thousand_headers(bencher: Bencher<'_, '_>) {
    let octets = b"\x82\x80\x01\x02\x03\x04".repeat(1000);
    let now = now();
    let mut server = connection(Role::Server, 0, now);
    bencher
        .counter(ItemsCount::new(1000usize))
        .with_inputs(|| octets.clone())
        .bench_local_refs(|octets| {
            let mut used = 0;
            while let (n, Some(received)) = server.receive(now, &mut octets[used..]) {
                divan::black_box(&received);
                used += n;
            }
            assert_eq!(used, octets.len());
        });
}

mod utf8 {
    use super::{Bencher, BytesCount, Utf8Validator};

    fn text(alphabet: &str, size: usize) -> Vec<u8> {
        let whole = size / alphabet.len();
        let mut text = alphabet.repeat(whole);
        text.push_str(&"x".repeat(size - text.len()));
        text.into_bytes()
    }

    fn check(bencher: Bencher<'_, '_>, text: &[u8], piece: usize) {
        bencher
            .counter(BytesCount::new(text.len()))
            .bench_local(|| {
                let mut validator = Utf8Validator::new();
                let fine = divan::black_box(text)
                    .chunks(piece)
                    .all(|piece| validator.feed(piece).is_ok());
                fine && validator.is_complete()
            });
    }

    #[divan::bench(args = [64, 1 << 10, 1 << 20])]
    fn ascii(bencher: Bencher<'_, '_>, size: usize) {
        check(bencher, &text("The quick brown fox. ", size), usize::MAX);
    }

    #[divan::bench(args = [64, 1 << 10, 1 << 20])]
    fn multibyte(bencher: Bencher<'_, '_>, size: usize) {
        check(bencher, &text("κόσμε, 世界, 😀", size), usize::MAX);
    }

    /// In pieces that end inside characters.
    #[divan::bench(args = [16 << 10, 1 << 20])]
    fn multibyte_in_pieces(bencher: Bencher<'_, '_>, size: usize) {
        check(bencher, &text("κόσμε, 世界, 😀", size), 1 << 10);
    }
}

mod echo {
    use super::{
        Bencher, Bytes, BytesCount, Connection, Event, Hints, Instant, Kind, Message, Received,
        Role, SIZES, connection, message, now, transmit,
    };

    /// How the server takes messages in.
    #[derive(Clone, Copy)]
    enum Way {
        Borrowed,
        Owned,
    }

    struct Pair {
        client: Connection,
        server: Connection,
        now: Instant,
        there: Vec<u8>,
        back: Vec<u8>,
    }

    impl Pair {
        fn new(extensions: usize) -> Self {
            let now = now();
            Self {
                client: connection(Role::Client, extensions, now),
                server: connection(Role::Server, extensions, now),
                now,
                there: Vec::new(),
                back: Vec::new(),
            }
        }

        /// The message to the server and back. Returns the octets of payload that came back.
        fn round(&mut self, message: Message, way: Way) -> usize {
            let now = self.now;
            self.client
                .send(message, Hints::new())
                .expect("nothing waits");
            self.there.clear();
            transmit(&mut self.client, now, &mut self.there);
            match way {
                Way::Borrowed => {
                    let mut used = 0;
                    while let (n, Some(received)) =
                        self.server.receive(now, &mut self.there[used..])
                    {
                        used += n;
                        let message = match received {
                            Received::Message(message) => message.into(),
                            Received::Event(Event::Message(message)) => message,
                            Received::Event(_) => continue,
                        };
                        self.server
                            .send(message, Hints::new())
                            .expect("nothing waits");
                    }
                }
                Way::Owned => {
                    self.server.handle_input(now, &mut self.there);
                    while let Some(event) = self.server.poll_event() {
                        if let Event::Message(message) = event {
                            self.server
                                .send(message, Hints::new())
                                .expect("nothing waits");
                        }
                    }
                }
            }
            self.back.clear();
            transmit(&mut self.server, now, &mut self.back);
            self.client.handle_input(now, &mut self.back);
            match self.client.poll_event() {
                Some(Event::Message(message)) => message.payload().len(),
                _ => 0,
            }
        }
    }

    fn run(bencher: Bencher<'_, '_>, kind: Kind, size: usize, way: Way, extensions: usize) {
        let mut pair = Pair::new(extensions);
        let message = message(kind, size);
        assert_eq!(pair.round(message.clone(), way), size);
        bencher
            .counter(BytesCount::new(size))
            .bench_local(|| pair.round(divan::black_box(message.clone()), way));
    }

    #[divan::bench(args = SIZES)]
    fn text_borrowed(bencher: Bencher<'_, '_>, size: usize) {
        run(bencher, Kind::Text, size, Way::Borrowed, 0);
    }

    #[divan::bench(args = SIZES)]
    fn text_owned(bencher: Bencher<'_, '_>, size: usize) {
        run(bencher, Kind::Text, size, Way::Owned, 0);
    }

    #[divan::bench(args = SIZES)]
    fn binary_borrowed(bencher: Bencher<'_, '_>, size: usize) {
        run(bencher, Kind::Binary, size, Way::Borrowed, 0);
    }

    #[divan::bench(args = SIZES)]
    fn binary_owned(bencher: Bencher<'_, '_>, size: usize) {
        run(bencher, Kind::Binary, size, Way::Owned, 0);
    }

    #[divan::bench(args = SIZES)]
    fn binary_owned_with_one_extension(bencher: Bencher<'_, '_>, size: usize) {
        run(bencher, Kind::Binary, size, Way::Owned, 1);
    }

    #[divan::bench(args = SIZES)]
    fn binary_owned_with_two_extensions(bencher: Bencher<'_, '_>, size: usize) {
        run(bencher, Kind::Binary, size, Way::Owned, 2);
    }

    /// A message of a mebibyte that comes in reads of 16 KiB.
    #[divan::bench]
    fn a_mebibyte_in_pieces(bencher: Bencher<'_, '_>) {
        let now = now();
        let mut client = connection(Role::Client, 0, now);
        let payload = Bytes::from(vec![7; 1 << 20]);
        client
            .send(Message::binary(payload), Hints::new())
            .expect("nothing waits");
        let mut octets = Vec::new();
        transmit(&mut client, now, &mut octets);
        let mut server = connection(Role::Server, 0, now);
        bencher
            .counter(BytesCount::new(1usize << 20))
            .with_inputs(|| octets.clone())
            .bench_local_refs(|octets| {
                for piece in octets.chunks_mut(16 << 10) {
                    server.handle_input(now, piece);
                }
                assert!(server.poll_event().is_some());
            });
    }
}
