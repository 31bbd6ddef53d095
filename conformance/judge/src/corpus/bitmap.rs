//! A bitmap: 512 by 512 grey octets, hills of light with a weave upon them and the noise of film.

use super::random::Random;

/// The octets of the whole: two headers, the palette, the picture.
pub(super) const SIZE: usize = OFFSET as usize + SIDE * SIDE;

const SIDE: usize = 512;
const GREYS: u32 = 256;
/// Where the picture begins: after 14 octets of file header, 40 of picture header, the palette.
const OFFSET: u32 = 14 + 40 + 4 * GREYS;
/// 72 dots to the inch, in dots to the metre.
const DENSITY: u32 = 2835;

/// The layers of light: the side of a cell, and the share of the layer in 256ths.
const LAYERS: [(usize, i64); 5] = [(256, 104), (128, 64), (64, 40), (32, 24), (16, 12)];

/// The file as a whole.
pub(super) fn generate() -> Vec<u8> {
    let mut file = Vec::with_capacity(SIZE);
    header(&mut file);
    picture(&mut Random::new(0x626d_7020), &mut file);
    file
}

fn header(file: &mut Vec<u8>) {
    let pixels = (SIDE * SIDE) as u32;
    file.extend_from_slice(b"BM");
    for number in [OFFSET + pixels, 0, OFFSET, 40, SIDE as u32, SIDE as u32] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    // One plane, eight bits a pixel.
    file.extend_from_slice(&[1, 0, 8, 0]);
    for number in [0, pixels, DENSITY, DENSITY, GREYS, 0] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    file.extend((0..=255_u8).flat_map(|grey| [grey, grey, grey, 0]));
}

fn picture(random: &mut Random, file: &mut Vec<u8>) {
    let mut light = vec![0; SIDE * SIDE];
    for (cell, share) in LAYERS {
        layer(random, cell, share, &mut light);
    }
    for (place, &light) in light.iter().enumerate() {
        let (x, y) = ((place % SIDE) as i64, (place / SIDE) as i64);
        // Cloth where it is bright, bent by the light itself; bare ground elsewhere.
        let weave = if light > 130 {
            wave(x + light, 14) / 2 + wave(y - light / 2, 10) / 2
        } else {
            wave(x + 2 * y, 46) / 4
        };
        // The sum of two dice is likeliest in the middle, as the grain of film is.
        let grain = i64::from(random.below(5) + random.below(5)) - 4;
        let grey = (light + weave + grain).clamp(0, 255);
        file.push(u8::try_from(grey).expect("clamped to an octet"));
    }
}

/// Adds a grid of random lights, blended smoothly from knot to knot.
fn layer(random: &mut Random, cell: usize, share: i64, light: &mut [i64]) {
    let knots = SIDE / cell + 1;
    let grid: Vec<i64> = (0..knots * knots)
        .map(|_| i64::from(random.below(256)))
        .collect();
    // 3t^2 - 2t^3 in 256ths, which is level at both ends of the cell.
    let size = cell as i64;
    let ease: Vec<i64> = (0..size)
        .map(|t| 256 * t * t * (3 * size - 2 * t) / (size * size * size))
        .collect();
    let blend = |from: i64, to: i64, ease: i64| from + (to - from) * ease / 256;
    for (place, light) in light.iter_mut().enumerate() {
        let (x, y) = (place % SIDE, place / SIDE);
        let knot = y / cell * knots + x / cell;
        let (right, down) = (ease[x % cell], ease[y % cell]);
        let above = blend(grid[knot], grid[knot + 1], right);
        let below = blend(grid[knot + knots], grid[knot + knots + 1], right);
        *light += blend(above, below, down) * share / 256;
    }
}

/// A wave of straight flanks, from -10 to 10, that comes again after `period`.
fn wave(at: i64, period: i64) -> i64 {
    let phase = at.rem_euclid(period);
    20 * phase.min(period - phase) / (period / 2) - 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_tell_of_512_by_512_pixels_of_eight_bits() {
        let file = generate();
        let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four"));
        assert_eq!(&file[..2], b"BM");
        assert_eq!(number(2) as usize, file.len());
        assert_eq!(number(10), 1078);
        assert_eq!(number(14), 40);
        assert_eq!((number(18), number(22)), (512, 512));
        assert_eq!(file[26..30], [1, 0, 8, 0]);
        assert_eq!((number(30), number(34)), (0, 262_144));
        assert_eq!(number(46), 256);
        assert_eq!(file[54..62], [0, 0, 0, 0, 1, 1, 1, 0]);
        assert_eq!(file[1074..1078], [255, 255, 255, 0]);
    }

    #[test]
    fn the_picture_uses_many_greys_and_neighbours_resemble_each_other() {
        let file = generate();
        let pixels = &file[1078..];
        let greys: std::collections::BTreeSet<u8> = pixels.iter().copied().collect();
        assert!(greys.len() > 150, "{}", greys.len());
        let steps: u64 = pixels
            .windows(2)
            .map(|pair| u64::from(pair[0].abs_diff(pair[1])))
            .sum();
        let mean = steps / pixels.len() as u64;
        assert!((1..10).contains(&mean), "{mean}");
    }
}
