//! Masking (RFC 6455 §5.3): payload octet `i` is XORed with octet `i mod 4` of the key.

use core::fmt;

/// Where a client's masking keys come from.
///
/// RFC 6455 §5.3: "The masking key needs to be unpredictable; thus, the masking key MUST be
/// derived from a strong source of entropy." One source serves any number of connections.
/// The engine itself has no randomness, so a caller must bring one; tests bring a constant.
pub trait MaskSource: fmt::Debug + Send + Sync {
    /// A fresh key, for one frame.
    fn mask_key(&self) -> [u8; 4];
}

/// Masks or unmasks `payload` in place; the two are the same operation.
///
/// `offset` is the position of `payload[0]` within the frame's payload, so that a frame may be
/// processed in pieces; only its remainder by four matters.
pub fn mask(payload: &mut [u8], key: [u8; 4], offset: usize) {
    if u32::from_ne_bytes(key) == 0 {
        return;
    }
    let key = rotated(key, offset);
    let wide = u64::from_ne_bytes(doubled(key));
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (octet, key) in rest.iter_mut().zip(doubled(key)) {
        *octet ^= key;
    }
}

/// Appends `payload`, masked, to `out`.
pub(crate) fn mask_into(payload: &[u8], key: [u8; 4], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(payload);
    mask(&mut out[start..], key, 0);
}

fn rotated(mut key: [u8; 4], offset: usize) -> [u8; 4] {
    key.rotate_left(offset % 4);
    key
}

const fn doubled([a, b, c, d]: [u8; 4]) -> [u8; 8] {
    [a, b, c, d, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sentence of the RFC, and nothing else.
    fn naive(payload: &mut [u8], key: [u8; 4], offset: usize) {
        for (i, octet) in payload.iter_mut().enumerate() {
            *octet ^= key[(i + offset) % 4];
        }
    }

    #[test]
    fn the_hello_of_section_5_7() {
        let mut payload = *b"Hello";
        mask(&mut payload, [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn equals_the_naive_loop_for_every_length_phase_and_alignment() {
        let key = [0x12, 0x00, 0xFE, 0x80];
        let source: Vec<u8> = (0..1100u32).map(|i| (i * 7 + 3) as u8).collect();
        for length in (0..200).chain([255, 256, 257, 1023, 1024]) {
            for phase in 0..8 {
                for start in 0..16 {
                    let mut ours = source.clone();
                    let mut theirs = source.clone();
                    mask(&mut ours[start..start + length], key, phase);
                    naive(&mut theirs[start..start + length], key, phase);
                    assert_eq!(
                        ours, theirs,
                        "length {length}, phase {phase}, start {start}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_payload_masked_in_pieces_equals_the_whole() {
        let key = [1, 2, 3, 4];
        let whole: Vec<u8> = (0..=255).collect();
        let mut expected = whole.clone();
        naive(&mut expected, key, 0);
        for cut in 0..=whole.len() {
            let mut pieces = whole.clone();
            mask(&mut pieces[..cut], key, 0);
            mask(&mut pieces[cut..], key, cut);
            assert_eq!(pieces, expected, "cut at {cut}");
        }
        let mut appended = vec![9];
        mask_into(&whole, key, &mut appended);
        assert_eq!(appended[1..], expected[..]);
    }
}
