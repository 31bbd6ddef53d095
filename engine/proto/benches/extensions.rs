//! What extensions cost, and what none cost: `cargo bench -p cloverleaf-proto --bench extensions`.
//!
//! The columns of allocations belong to the result: with nothing agreed there are none, and what is
//! received is the very slice of the input.

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_proto::connection::{MessageRef, Received, Transmit};
use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Extensions,
    Failure, Hints, Negotiated, Output, Params, Placement, Stage,
};
use cloverleaf_proto::frame::{Head, MaskSource, Rsv};
use cloverleaf_proto::{Config, Connection, Event, Message, Role};
use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Sizes of messages, in octets.
const SIZES: [usize; 3] = [64, 1 << 10, 64 << 10];

/// How many extensions stand one behind the other.
const STACKS: [usize; 4] = [0, 1, 2, 4];

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

/// What an extension does with every message.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// Looks at it and leaves it as it is.
    Nothing,
    /// Puts four octets in front of it.
    Prefix,
    /// Writes it anew, every octet turned over.
    Replace,
}

/// An extension on its place in the stack: the first three have a bit, the fourth does without.
#[derive(Clone, Copy, Debug)]
struct Toy(usize, Work);

const BITS: [Rsv; 4] = [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3, Rsv::NONE];

impl Extension for Toy {
    fn name(&self) -> &str {
        ["x-one", "x-two", "x-three", "x-four"][self.0]
    }

    fn claims(&self) -> Claims {
        Claims::at(Stage::Frame).rsv(BITS[self.0], Placement::DataFrames)
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

impl Encoder for Toy {
    fn encode(
        &mut self,
        _: Head,
        _: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        match self.1 {
            Work::Nothing => Ok(Encoded::Unchanged),
            Work::Prefix => out.write(b"mark").map(|()| Encoded::Prefixed(BITS[self.0])),
            Work::Replace => turn(payload, out).map(|()| Encoded::Replaced(BITS[self.0])),
        }
    }
}

impl Decoder for Toy {
    fn decode(
        &mut self,
        _: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        match self.1 {
            Work::Nothing => Ok(Decoded::Unchanged),
            Work::Prefix => Ok(Decoded::Stripped(4)),
            Work::Replace => turn(payload, out).map(|()| Decoded::Replaced),
        }
    }
}

fn turn(payload: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
    let mut turned = [0; 1024];
    for piece in payload.chunks(turned.len()) {
        let turned = &mut turned[..piece.len()];
        for (to, from) in turned.iter_mut().zip(piece) {
            *to = !from;
        }
        out.write(turned)?;
    }
    Ok(())
}

fn connection(role: Role, stack: usize, work: Work) -> Connection {
    let extensions = (0..stack).fold(Extensions::new(), |all, at| {
        all.with(Toy(at, work)).expect("the names differ")
    });
    let negotiated = Negotiated::accept(&extensions, Negotiated::offers(&extensions));
    assert_eq!(negotiated.agreed().len(), stack);
    let mut config = Config::new(Arc::new(ConstantKey));
    config.extensions = extensions;
    Connection::new(role, Arc::new(config), negotiated, now())
}

/// What a client sends for one message of this size.
fn wire(stack: usize, work: Work, size: usize) -> Vec<u8> {
    let mut client = connection(Role::Client, stack, work);
    let message = Message::binary(vec![7; size]);
    client.send(message, Hints::new()).expect("nothing waits");
    let mut wire = Vec::new();
    while let Transmit::Write(front, back) = client.poll_transmit() {
        wire.extend_from_slice(front);
        wire.extend_from_slice(back);
        let written = front.len() + back.len();
        client.handle_written(now(), written);
    }
    wire
}

/// A frame comes in; the server unmasks and decodes it, and hands the message over.
fn receive(bencher: Bencher<'_, '_>, stack: usize, work: Work, size: usize) {
    let octets = wire(stack, work, size);
    let mut server = connection(Role::Server, stack, work);
    let at = now();
    let mut input = octets.clone();
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        input.copy_from_slice(&octets);
        let range = input.as_ptr_range();
        match server.receive(at, &mut input) {
            (_, Some(Received::Message(MessageRef::Binary(payload)))) => {
                assert!(stack == 0 && range.contains(&payload.as_ptr()));
                payload.len()
            }
            (_, Some(Received::Event(Event::Message(message)))) => {
                assert!(stack > 0);
                message.payload().len()
            }
            other => panic!("{other:?}"),
        }
    });
}

/// A message goes out of the server, as far as the write buffer.
fn send(bencher: Bencher<'_, '_>, stack: usize, work: Work, size: usize) {
    let mut server = connection(Role::Server, stack, work);
    let at = now();
    let message = Message::binary(vec![7; size]);
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        let message = message.clone();
        server.send(message, Hints::new()).expect("nothing waits");
        while let Transmit::Write(front, back) = server.poll_transmit() {
            let written = front.len() + back.len();
            server.handle_written(at, written);
        }
    });
}

mod receiving {
    use super::{Bencher, SIZES, STACKS, Work, receive};

    #[divan::bench(args = SIZES, consts = STACKS)]
    fn idle<const STACK: usize>(bencher: Bencher<'_, '_>, size: usize) {
        receive(bencher, STACK, Work::Nothing, size);
    }

    #[divan::bench(args = SIZES, consts = STACKS)]
    fn with_a_prefix<const STACK: usize>(bencher: Bencher<'_, '_>, size: usize) {
        receive(bencher, STACK, Work::Prefix, size);
    }

    #[divan::bench(args = SIZES, consts = STACKS)]
    fn written_anew<const STACK: usize>(bencher: Bencher<'_, '_>, size: usize) {
        receive(bencher, STACK, Work::Replace, size);
    }
}

mod sending {
    use super::{Bencher, SIZES, STACKS, Work, send};

    #[divan::bench(args = SIZES, consts = STACKS)]
    fn idle<const STACK: usize>(bencher: Bencher<'_, '_>, size: usize) {
        send(bencher, STACK, Work::Nothing, size);
    }

    #[divan::bench(args = SIZES, consts = STACKS)]
    fn with_a_prefix<const STACK: usize>(bencher: Bencher<'_, '_>, size: usize) {
        send(bencher, STACK, Work::Prefix, size);
    }

    #[divan::bench(args = SIZES, consts = STACKS)]
    fn written_anew<const STACK: usize>(bencher: Bencher<'_, '_>, size: usize) {
        send(bencher, STACK, Work::Replace, size);
    }
}
