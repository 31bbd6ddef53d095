//! What compression costs: `cargo bench -p cloverleaf-deflate`.
//!
//! Messages are JSON-like and all different, so that a window kept from one to the next matters as
//! it would in life. Everything goes through the extension's own halves, as the engine does it.
//! `context` shows in its allocation columns what one context takes.

use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_proto::extension::{Agreement, Decoder, Encoder, Extension, Hints, Output, Params};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    ratios();
    divan::main();
}

const SIZES: [usize; 3] = [128, 1024, 65536];
const LEVELS: [u8; 4] = [1, 2, 3, 6];
const DISTINCT: usize = 64;

/// Records as a service would send them, cut to exactly `size`.
fn messages(size: usize) -> Vec<Vec<u8>> {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let names = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"];
    (0..DISTINCT)
        .map(|_| {
            let mut text = String::from("[");
            while text.len() < size {
                let (id, price, name) = (next() % 1_000_000, next() % 100_000, next() as usize % 6);
                text += &format!(
                    r#"{{"id":{id},"user":"{}","price":{}.{:02},"active":{},"tags":["{:x}","new"]}},"#,
                    names[name],
                    price / 100,
                    price % 100,
                    next() % 2 == 0,
                    next() & 0xFFFF_FFFF,
                );
            }
            text.truncate(size);
            text.into_bytes()
        })
        .collect()
}

struct Halves {
    encoder: Box<dyn Encoder>,
    decoder: Box<dyn Decoder>,
    out: Vec<u8>,
}

/// permessage-deflate.
fn halves(level: u8, takeover: bool) -> Halves {
    let extension = PermessageDeflate::new()
        .level(level)
        .threshold(0)
        .server_no_context_takeover(!takeover)
        .client_no_context_takeover(!takeover);
    let agreement = extension.accept(&Params::new());
    agreement.expect("a plain offer").into()
}

/// deflate-frame.
fn frame_halves(level: u8, takeover: bool) -> Halves {
    let extension = DeflateFrame::new()
        .level(level)
        .threshold(0)
        .context_takeover(takeover)
        .no_context_takeover(!takeover);
    let agreement = extension.accept(&Params::new());
    agreement.expect("a plain offer").into()
}

impl From<Agreement> for Halves {
    fn from(agreement: Agreement) -> Self {
        let (encoder, decoder) = agreement.into_halves();
        Self {
            encoder: encoder.expect("both ways"),
            decoder: decoder.expect("both ways"),
            out: Vec::new(),
        }
    }
}

const TEXT: Head = Head::new(OpCode::TEXT);

impl Halves {
    fn encode(&mut self, message: &[u8]) -> usize {
        self.out.clear();
        let mut out = Output::new(&mut self.out, usize::MAX);
        self.encoder
            .encode(TEXT, Hints::new(), message, &mut out)
            .expect("no limit");
        self.out.len()
    }

    fn decode(&mut self, message: &[u8]) -> usize {
        self.out.clear();
        let mut out = Output::new(&mut self.out, usize::MAX);
        self.decoder
            .decode(TEXT.with_rsv(Rsv::RSV1), message, &mut out)
            .expect("it is ours");
        self.out.len()
    }
}

fn compress(bencher: Bencher<'_, '_>, size: usize, mut halves: Halves) {
    let messages = messages(size);
    let mut i = 0;
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        i += 1;
        halves.encode(&messages[i % DISTINCT])
    });
}

/// What these halves have compressed themselves.
fn inflate(bencher: Bencher<'_, '_>, size: usize, mut halves: Halves) {
    let compressed: Vec<Vec<u8>> = messages(size)
        .iter()
        .map(|message| {
            halves.encode(message);
            halves.out.clone()
        })
        .collect();
    let mut i = 0;
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        let message = &compressed[i % DISTINCT];
        i += 1;
        halves.decode(message)
    });
}

fn cases() -> impl Iterator<Item = (usize, u8)> {
    SIZES
        .into_iter()
        .flat_map(|size| LEVELS.into_iter().map(move |level| (size, level)))
}

#[divan::bench(args = cases())]
fn compress_pooled(bencher: Bencher<'_, '_>, (size, level): (usize, u8)) {
    compress(bencher, size, halves(level, false));
}

#[divan::bench(args = cases())]
fn compress_takeover(bencher: Bencher<'_, '_>, (size, level): (usize, u8)) {
    compress(bencher, size, halves(level, true));
}

#[divan::bench(args = SIZES)]
fn inflate_pooled(bencher: Bencher<'_, '_>, size: usize) {
    inflate(bencher, size, halves(1, false));
}

#[divan::bench(args = SIZES)]
fn inflate_takeover(bencher: Bencher<'_, '_>, size: usize) {
    inflate(bencher, size, halves(1, true));
}

/// The same with deflate-frame. A message of 64 KiB is one frame, the largest that we send.
mod frame {
    use super::*;

    #[divan::bench(args = cases())]
    fn compress_pooled(bencher: Bencher<'_, '_>, (size, level): (usize, u8)) {
        compress(bencher, size, frame_halves(level, false));
    }

    #[divan::bench(args = cases())]
    fn compress_takeover(bencher: Bencher<'_, '_>, (size, level): (usize, u8)) {
        compress(bencher, size, frame_halves(level, true));
    }

    #[divan::bench(args = SIZES)]
    fn inflate_pooled(bencher: Bencher<'_, '_>, size: usize) {
        inflate(bencher, size, frame_halves(1, false));
    }

    #[divan::bench(args = SIZES)]
    fn inflate_takeover(bencher: Bencher<'_, '_>, size: usize) {
        inflate(bencher, size, frame_halves(1, true));
    }
}

/// Everything one connection with takeover allocates, by window bits and memory level.
mod context {
    use super::*;

    #[divan::bench(args = [(15, 8), (15, 5), (12, 8), (12, 5), (9, 8), (9, 1)], sample_count = 3)]
    fn compressor((bits, memory_level): (u8, u8)) -> Halves {
        let extension = PermessageDeflate::new()
            .threshold(0)
            .server_no_context_takeover(false)
            .server_max_window_bits(bits)
            .memory_level(memory_level);
        let agreement = extension.accept(&Params::new());
        let mut halves = Halves::from(agreement.expect("a plain offer"));
        halves.encode(b"Hello");
        halves
    }

    #[divan::bench(sample_count = 3)]
    fn inflater() -> Halves {
        let mut halves = halves(1, true);
        halves.decode(&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]);
        halves
    }
}

/// How much smaller messages become: the other half of every choice of a level.
fn ratios() {
    println!("octets in per octet out   level 1   level 2   level 3   level 6");
    for size in SIZES {
        for takeover in [false, true] {
            let context = if takeover { "takeover" } else { "pooled" };
            print!("{size:>8} {context:<15}");
            for level in LEVELS {
                let mut halves = halves(level, takeover);
                let total: usize = messages(size).iter().map(|m| halves.encode(m)).sum();
                print!("{:>10.2}", (size * DISTINCT) as f64 / total as f64);
            }
            println!();
        }
    }
}
