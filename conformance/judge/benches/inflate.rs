//! How many octets of output a second the judge inflates and deflates, and zlib-rs next to it.

use cloverleaf_judge::deflate::{Deflater, Inflater};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

fn main() {
    divan::main();
}

/// The sizes of message of the compression cases that differ most.
const SIZES: [usize; 5] = [16, 256, 4096, 32_768, 131_072];

/// Prose of made-up words, about as compressible as the real thing.
fn prose(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let words: Vec<String> = (0..3000)
        .map(|_| {
            (0..2 + random(8))
                .map(|_| {
                    char::from(
                        b"etaoinshrdlucmfwypvbgkqjxz"[(random(26) * random(26) / 26) as usize],
                    )
                })
                .collect()
        })
        .collect();
    let mut prose = Vec::with_capacity(length + 16);
    while prose.len() < length {
        let rank = random(3000) * random(3000) / 3000 * random(3000) / 3000;
        prose.extend_from_slice(words[rank as usize].as_bytes());
        prose.extend_from_slice(if random(9) == 0 { b", " } else { b" " });
    }
    prose.truncate(length);
    prose
}

/// A megabyte in messages of `size`, deflated with takeover at zlib's usual level.
fn payloads(size: usize, level: u32) -> Vec<Vec<u8>> {
    let mut compress = Compress::new_with_window_bits(Compression::new(level), false, 15);
    prose(1 << 20)
        .chunks_exact(size)
        .map(|plain| {
            let mut payload = Vec::with_capacity(size + 100);
            compress
                .compress_vec(plain, &mut payload, FlushCompress::Sync)
                .expect("deflates");
            payload.truncate(payload.len() - 4);
            payload
        })
        .collect()
}

#[divan::bench(args = SIZES, consts = [1, 6])]
fn inflate<const LEVEL: u32>(bencher: Bencher<'_, '_>, size: usize) {
    let payloads = payloads(size, LEVEL);
    bencher
        .counter(BytesCount::new(payloads.len() * size))
        .with_inputs(|| Inflater::new(15, true))
        .bench_local_values(|mut inflater| {
            let mut out = Vec::new();
            for payload in &payloads {
                inflater
                    .message(payload, size, &mut out)
                    .expect("what was deflated inflates");
                black_box(&out);
            }
            inflater
        });
}

#[divan::bench(args = SIZES, consts = [1, 6])]
fn inflate_with_zlib<const LEVEL: u32>(bencher: Bencher<'_, '_>, size: usize) {
    let payloads: Vec<Vec<u8>> = payloads(size, LEVEL)
        .into_iter()
        .map(|payload| [&payload[..], &[0, 0, 255, 255]].concat())
        .collect();
    bencher
        .counter(BytesCount::new(payloads.len() * size))
        .with_inputs(|| Decompress::new(false))
        .bench_local_values(|mut decompress| {
            let mut out = Vec::with_capacity(size + 100);
            for payload in &payloads {
                out.clear();
                decompress
                    .decompress_vec(payload, &mut out, FlushDecompress::Sync)
                    .expect("what was deflated inflates");
                black_box(&out);
            }
            decompress
        });
}

#[divan::bench(args = SIZES, consts = [false, true])]
fn deflate<const TAKEOVER: bool>(bencher: Bencher<'_, '_>, size: usize) {
    let plain = prose(1 << 20);
    bencher
        .counter(BytesCount::new(plain.len() / size * size))
        .with_inputs(|| Deflater::new(15, TAKEOVER))
        .bench_local_values(|mut deflater| {
            for message in plain.chunks_exact(size) {
                black_box(deflater.message(message));
            }
            deflater
        });
}
