//! The inflater against the vectors of RFC 7692, against hand-made streams, and against zlib.

use super::craft::{Block, Stream, Symbol, bomb, fixed, stored_by};
use super::{Alphabet, InflateError, Inflater, TAIL};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

const LIMIT: usize = 1 << 20;

fn inflate(payload: &[u8]) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    Inflater::new(15, true)
        .message(payload, LIMIT, &mut out)
        .map(|()| out)
}

/// What zlib makes of one message, if it then stands between two blocks.
fn zlib(payload: &[u8]) -> Option<Vec<u8>> {
    // Two lengths: one alone might be just what an unfinished stored block swallows.
    let first = zlib_then(payload, b"=%Probe%")?;
    let second = zlib_then(payload, b"another, longer one")?;
    (first == second).then_some(first)
}

/// Has zlib read the message, then a stored block, then a final block that ends it.
fn zlib_then(payload: &[u8], probe: &[u8]) -> Option<Vec<u8>> {
    let mut stream = [payload, &TAIL, &stored_by(probe, probe.len()), &TAIL].concat();
    stream.extend_from_slice(b"\x01\x00\x00\xff\xff");
    let mut out = Vec::with_capacity(2 * LIMIT);
    let mut read = 0;
    let end = stream.len();
    let mut decompress = Decompress::new(false);
    loop {
        let before = decompress.total_in();
        let status = decompress
            .decompress_vec(&stream[read..], &mut out, FlushDecompress::Sync)
            .ok()?;
        read += (decompress.total_in() - before) as usize;
        match status {
            // BFINAL: what follows is a stream of its own.
            Status::StreamEnd if read < end => decompress.reset(false),
            Status::StreamEnd => break,
            Status::Ok if read < end => {}
            _ => return None,
        }
    }
    out.strip_suffix(probe).map(<[u8]>::to_vec)
}

/// Both must say the same, but that zlib cannot know what the last four octets ought to be.
fn compare_with_zlib(payload: &[u8]) {
    let ours = inflate(payload);
    match (&ours, zlib(payload)) {
        (Ok(ours), Some(theirs)) => assert!(*ours == theirs, "{payload:02x?}"),
        (Err(InflateError::NoEmptyBlockAtEnd | InflateError::EmptyPayload), _) | (Err(_), None) => {
        }
        (ours, theirs) => panic!("{payload:02x?}: {ours:?}, zlib: {theirs:?}"),
    }
}

/// Octets that follow from `seed`.
fn noise(seed: u32) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % below
    }
}

fn text(seed: u32, length: usize) -> Vec<u8> {
    let mut random = noise(seed);
    let mut text = Vec::with_capacity(length + 20);
    while text.len() < length {
        if text.is_empty() || random(3) > 0 {
            text.extend((0..random(7)).map(|_| b'a' + (random(26) * random(26) / 26) as u8));
        } else {
            let from = random(text.len());
            let to = (from + random(40)).min(text.len());
            text.extend_from_within(from..to);
        }
    }
    text.truncate(length);
    text
}

fn deflate(compress: &mut Compress, plain: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(plain.len() * 2 + 100);
    compress
        .compress_vec(plain, &mut payload, FlushCompress::Sync)
        .expect("deflates");
    payload.truncate(payload.len() - 4);
    payload
}

#[test]
fn the_vectors_of_the_rfc_inflate() {
    // RFC 7692 §7.2.3.1, .3, .4, .5
    for payload in [
        &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
        b"\x00\x05\x00\xfa\xffHello\x00",
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        &[
            0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
        ],
        &[
            0xf2, 0x48, 0xcd, 0x01, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0x07, 0x00,
        ],
    ] {
        // The fifth has BFINAL set on an empty block in the middle.
        assert_eq!(inflate(payload), Ok(b"Hello".to_vec()), "{payload:02x?}");
    }
    // §7.2.3.6, and the same with BFINAL set.
    assert_eq!(inflate(&[0x00]), Ok(Vec::new()));
    assert_eq!(inflate(&[0x03, 0x00, 0x00]), Ok(Vec::new()));
    // Window stimuli: no distance above 1, and one of 1087.
    let expected = [vec![b'b'; 64], vec![b'a'; 1024], vec![b'b'; 64]].concat();
    let near = [
        0x4a, 0x4a, 0xa2, 0x0c, 0x24, 0x8e, 0x82, 0x51, 0x30, 0x0a, 0x46, 0x2c, 0x48, 0xa2, 0x10,
        0x00, 0x00,
    ];
    let far = [
        0x4a, 0x4a, 0xa2, 0x0c, 0x24, 0x8e, 0x82, 0x51, 0x30, 0x0a, 0x46, 0x2c, 0xa0, 0xb0, 0xf8,
        0x48, 0x02, 0x00,
    ];
    let mut out = Vec::new();
    for (payload, largest) in [(&near[..], 1), (&far, 1087)] {
        let mut inflater = Inflater::new(11, false);
        assert_eq!(inflater.message(payload, LIMIT, &mut out), Ok(()));
        assert_eq!(out, expected);
        assert_eq!(inflater.largest_distance(), largest);
    }
    assert_eq!(
        Inflater::new(10, false).message(&far, LIMIT, &mut out),
        Err(InflateError::BeyondWindow {
            distance: 1087,
            window: 1024
        })
    );
}

#[test]
fn the_window_is_kept_with_takeover_and_only_then() {
    // RFC 7692 §7.2.3.2
    let first = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let second = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let third = [0x02, 0x13, 0x00, 0x00];
    let mut out = Vec::new();
    let mut inflater = Inflater::new(15, true);
    for payload in [&first[..], &second, &third, &[0], &second] {
        assert_eq!(inflater.message(payload, 5, &mut out), Ok(()));
        assert_eq!(out, if payload == [0] { &b""[..] } else { b"Hello" });
    }
    let mut inflater = Inflater::new(15, false);
    assert_eq!(inflater.message(&first, 5, &mut out), Ok(()));
    assert_eq!(
        inflater.message(&second, 5, &mut out),
        Err(InflateError::BeyondHistory {
            distance: 5,
            history: 1
        })
    );
    assert_eq!(out, b"H");
}

#[test]
fn a_final_block_empties_the_window() {
    let hello: Vec<Symbol> = b"Hello".map(Symbol::Literal).into();
    let again = Symbol::Match {
        length: 5,
        distance: 5,
    };
    let kept = Stream::new()
        .block(Block::Fixed(&hello))
        .block(Block::Fixed(&[again]));
    assert_eq!(inflate(&kept.flushed()), Ok(b"HelloHello".to_vec()));
    let emptied = Stream::new()
        .final_block(Block::Fixed(&hello))
        .block(Block::Fixed(&[again]));
    assert_eq!(
        inflate(&emptied.flushed()),
        Err(InflateError::BeyondHistory {
            distance: 5,
            history: 0
        })
    );
}

#[test]
fn a_distance_may_reach_the_edge_of_the_window_and_not_an_octet_further() {
    let mut out = Vec::new();
    for bits in 8..=15u8 {
        let window = 1usize << bits;
        // So much history that it has been moved about, and the edge lies in earlier messages.
        let mut inflater = Inflater::new(bits, true);
        let plain = text(u32::from(bits), 300_000);
        for message in plain.chunks(7000) {
            let payload = stored_by(message, 7000);
            assert_eq!(inflater.message(&payload, 7000, &mut out), Ok(()));
        }
        let refer = |distance: usize| {
            fixed(&[Symbol::Match {
                length: 3,
                distance: distance as u16,
            }])
        };
        assert_eq!(inflater.message(&refer(window), 3, &mut out), Ok(()));
        assert_eq!(out, plain[plain.len() - window..][..3]);
        assert_eq!(inflater.largest_distance(), window);
        if window < 32_768 {
            assert_eq!(
                inflater.message(&refer(window + 1), 3, &mut out),
                Err(InflateError::BeyondWindow {
                    distance: window + 1,
                    window
                })
            );
        }
    }
}

#[test]
fn each_sin_has_its_own_error() {
    use InflateError::*;
    let literal = Alphabet::Literal;
    for (payload, expected) in [
        (&[][..], EmptyPayload),
        (&[0x07], ReservedBlockType),
        (&[0xff, 0xff, 0xff], ReservedBlockType),
        (
            b"\x01\x05\x00\x00\x00Hello",
            StoredLengths {
                length: 5,
                complement: 0,
            },
        ),
        // "Hello" cut short, and with BFINAL set but without the octet that should follow.
        (&[0xf2, 0x48, 0xcd, 0xc9], Unfinished),
        (&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], Unfinished),
        // The four octets left where they were: they are two blocks, and the rest of one.
        (&[0x00, 0x00, 0x00, 0xff, 0xff], Unfinished),
        // A stored block of four octets, which are the tail.
        (&[0x00, 0x04, 0x00, 0xfb, 0xff], NoEmptyBlockAtEnd),
        // HLIT 30, HDIST 0; HLIT 0, HDIST 30.
        (
            &[0xf4, 0x00, 0x00],
            AlphabetTooLarge {
                literals: 287,
                distances: 1,
            },
        ),
        (
            &[0x04, 0x1e, 0x00],
            AlphabetTooLarge {
                literals: 257,
                distances: 31,
            },
        ),
    ] {
        assert_eq!(inflate(payload), Err(expected), "{payload:02x?}");
    }
    // The fixed codes of 286 and of distance 30: 1100_0110 and 11110.
    assert_eq!(
        inflate(&[0b0001_1011, 0b0000_0011, 0, 0]),
        Err(UnassignedCode { alphabet: literal })
    );
    assert_eq!(
        inflate(&[0b0000_0011, 0b0011_1110, 0, 0]),
        Err(UnassignedCode {
            alphabet: Alphabet::Distance
        })
    );
    assert!(!Unfinished.is_seen_while_reading());
    assert!(ReservedBlockType.is_seen_while_reading());
}

#[test]
fn the_limit_is_kept_to_the_octet_for_every_kind_of_block() {
    let noise: Vec<u8> = (0..3000u32)
        .map(|i| (i.wrapping_mul(7919) >> 3) as u8)
        .collect();
    let messages = [
        stored_by(&noise, 1000),
        bomb(3000),
        fixed(
            &noise
                .iter()
                .map(|&o| Symbol::Literal(o))
                .collect::<Vec<_>>(),
        ),
        deflate(
            &mut Compress::new(Compression::new(6), false),
            &text(5, 3000),
        ),
    ];
    let mut out = Vec::new();
    for payload in &messages {
        let mut inflater = Inflater::new(15, true);
        assert_eq!(inflater.message(payload, 3000, &mut out), Ok(()));
        assert_eq!(out.len(), 3000);
        for limit in [
            0, 1, 2, 257, 258, 259, 999, 1000, 1001, 2741, 2742, 2743, 2998, 2999,
        ] {
            let error = inflater.message(payload, limit, &mut out);
            assert_eq!(error, Err(InflateError::TooLong { limit }));
            assert!(out.len() <= limit);
        }
        assert_eq!(inflater.message(payload, 3000, &mut out), Ok(()));
        assert_eq!(out.len(), 3000);
    }
    // A gigabyte in a megabyte is given up at the limit, not before and not after.
    let mut inflater = Inflater::new(15, false);
    let error = inflater.message(&bomb(1 << 30), 1 << 16, &mut out);
    assert_eq!(error, Err(InflateError::TooLong { limit: 1 << 16 }));
    assert_eq!(out, vec![0; 1 << 16]);
}

#[test]
fn every_level_size_and_history_inflates_to_what_was_deflated() {
    let mut out = Vec::new();
    for level in 0..=9 {
        for takeover in [false, true] {
            let mut compress = Compress::new(Compression::new(level), false);
            let mut inflater = Inflater::new(15, takeover);
            let sizes = [
                1, 2, 16, 17, 255, 4096, 100, 70_000, 33_000, 3, 150_000, 9999,
            ];
            for (i, size) in sizes.into_iter().enumerate() {
                let mut plain = text(level * 100 + i as u32, size);
                if i % 4 == 3 {
                    let mut random = noise(level);
                    plain
                        .iter_mut()
                        .for_each(|octet| *octet = random(256) as u8);
                }
                if !takeover {
                    compress.reset();
                }
                let payload = deflate(&mut compress, &plain);
                assert_eq!(inflater.message(&payload, size, &mut out), Ok(()));
                assert!(out == plain, "level {level}, {size} octets");
            }
        }
    }
}

#[test]
fn a_message_cut_at_any_octet_fares_as_with_zlib() {
    for level in [0, 1, 6] {
        let payload = deflate(
            &mut Compress::new(Compression::new(level), false),
            &text(level, 900),
        );
        for end in 0..=payload.len() {
            compare_with_zlib(&payload[..end]);
        }
    }
}

#[test]
fn a_message_with_any_bit_wrong_fares_as_with_zlib() {
    for (level, size) in [(0, 40), (1, 200), (6, 300), (9, 700)] {
        let mut payload = deflate(
            &mut Compress::new(Compression::new(level), false),
            &text(level, size),
        );
        for bit in 0..payload.len() * 8 {
            payload[bit / 8] ^= 1 << (bit % 8);
            compare_with_zlib(&payload);
            payload[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn garbage_fares_as_with_zlib() {
    for seed in 0..20_000 {
        let mut random = noise(seed);
        let length = 1 + random(120);
        let mut payload: Vec<u8> = (0..length).map(|_| random(256) as u8).collect();
        // Half of them are made to begin with a dynamic block that stands a chance.
        if seed % 2 == 0 {
            payload[0] = payload[0] & 0xf8 | 4;
        }
        compare_with_zlib(&payload);
    }
}
