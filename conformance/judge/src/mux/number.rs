//! Channel ids and numbers: each has its own encoding, and both must be as short as can be.

use super::Wrong;

/// A channel id is at most this: 29 bits.
const LAST_ID: u32 = (1 << 29) - 1;

/// Where ids of one, two, three and four octets begin.
const FIRST_OF_SIZE: [u32; 4] = [0, 1 << 7, 1 << 14, 1 << 21];

/// A channel id: the first bits say how many octets it has.
///
/// # Panics
///
/// If it has more than 29 bits: no table has such an id.
pub fn channel_id(id: u32) -> Vec<u8> {
    assert!(id <= LAST_ID, "a channel id has 29 bits");
    let octets = id.to_be_bytes();
    match FIRST_OF_SIZE.iter().rposition(|first| id >= *first) {
        Some(3) => vec![octets[0] | 0xE0, octets[1], octets[2], octets[3]],
        Some(2) => vec![octets[1] | 0xC0, octets[2], octets[3]],
        Some(1) => vec![octets[2] | 0x80, octets[3]],
        _ => vec![octets[3]],
    }
}

/// Reads a channel id.
///
/// # Errors
///
/// 2002 if it is cut off, or longer than it need be.
pub fn take_channel_id(octets: &mut &[u8]) -> Result<u32, Wrong> {
    const CUT_OFF: Wrong = Wrong::new(2002, "a channel id is cut off");
    let first = *octets.first().ok_or(CUT_OFF)?;
    let (size, bits) = match first {
        0x00..=0x7F => (1, first),
        0x80..=0xBF => (2, first & 0x3F),
        0xC0..=0xDF => (3, first & 0x1F),
        0xE0..=0xFF => (4, first & 0x1F),
    };
    let (id, rest) = octets.split_at_checked(size).ok_or(CUT_OFF)?;
    *octets = rest;
    let id = id[1..]
        .iter()
        .fold(u32::from(bits), |id, octet| id << 8 | u32::from(*octet));
    if id < FIRST_OF_SIZE[size - 1] {
        return Err(Wrong::new(2002, "a channel id is longer than it need be"));
    }
    Ok(id)
}

/// A number in a control block: one octet up to 125, three up to 65,535, or nine.
pub fn number(number: u64) -> Vec<u8> {
    let octets = number.to_be_bytes();
    match number {
        0..=125 => vec![octets[7]],
        126..=0xFFFF => vec![0x7E, octets[6], octets[7]],
        _ => [&[0x7F], &octets[..]].concat(),
    }
}

/// Reads a number.
///
/// # Errors
///
/// 2005 if it is cut off, longer than it need be, or has its highest bit set.
pub fn take_number(octets: &mut &[u8]) -> Result<u64, Wrong> {
    const CUT_OFF: Wrong = Wrong::new(2005, "a number is cut off");
    let (first, rest) = octets.split_first().ok_or(CUT_OFF)?;
    let (size, least) = match *first {
        0..=125 => (0, 0),
        0x7E => (2, 126),
        0x7F => (8, 0x1_0000),
        _ => return Err(Wrong::new(2005, "the first octet of a number has bit 0x80")),
    };
    let (digits, rest) = rest.split_at_checked(size).ok_or(CUT_OFF)?;
    *octets = rest;
    let number = match size {
        0 => u64::from(*first),
        _ => digits
            .iter()
            .fold(0, |number, octet| number << 8 | u64::from(*octet)),
    };
    if number < least {
        return Err(Wrong::new(2005, "a number is longer than it need be"));
    }
    if number > i64::MAX as u64 {
        return Err(Wrong::new(2005, "a number has its highest bit set"));
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_ids_are_those_of_pywebsocket() {
        for (id, octets) in [
            (0, &[0x00][..]),
            (1, &[0x01]),
            (127, &[0x7F]),
            (128, &[0x80, 0x80]),
            (255, &[0x80, 0xFF]),
            (300, &[0x81, 0x2C]),
            (16_383, &[0xBF, 0xFF]),
            (16_384, &[0xC0, 0x40, 0x00]),
            (65_535, &[0xC0, 0xFF, 0xFF]),
            (2_097_151, &[0xDF, 0xFF, 0xFF]),
            (2_097_152, &[0xE0, 0x20, 0x00, 0x00]),
            (16_777_215, &[0xE0, 0xFF, 0xFF, 0xFF]),
            (536_870_911, &[0xFF, 0xFF, 0xFF, 0xFF]),
        ] {
            assert_eq!(channel_id(id), octets);
            let mut rest = &[octets, b"rest"].concat()[..];
            assert_eq!(take_channel_id(&mut rest), Ok(id));
            assert_eq!(rest, b"rest");
            for cut in 0..octets.len() {
                assert_eq!(
                    take_channel_id(&mut &octets[..cut]).map_err(|w| w.code),
                    Err(2002)
                );
            }
        }
    }

    #[test]
    fn a_channel_id_that_is_longer_than_it_need_be_is_none() {
        for octets in [
            &[0x80, 0x00][..],
            &[0x80, 0x7F],
            &[0xC0, 0x00, 0x00],
            &[0xC0, 0x3F, 0xFF],
            &[0xE0, 0x00, 0x00, 0x00],
            &[0xE0, 0x1F, 0xFF, 0xFF],
        ] {
            assert_eq!(
                take_channel_id(&mut &octets[..]).map_err(|w| w.code),
                Err(2002)
            );
        }
    }

    #[test]
    fn numbers_are_those_of_pywebsocket() {
        for (value, octets) in [
            (0, &[0x00][..]),
            (125, &[0x7D]),
            (126, &[0x7E, 0x00, 0x7E]),
            (255, &[0x7E, 0x00, 0xFF]),
            (8192, &[0x7E, 0x20, 0x00]),
            (65_535, &[0x7E, 0xFF, 0xFF]),
            (65_536, &[0x7F, 0, 0, 0, 0, 0, 1, 0, 0]),
            (
                i64::MAX as u64,
                &[0x7F, 0x7F, 255, 255, 255, 255, 255, 255, 255],
            ),
        ] {
            assert_eq!(number(value), octets);
            let mut rest = &[octets, b"rest"].concat()[..];
            assert_eq!(take_number(&mut rest), Ok(value));
            assert_eq!(rest, b"rest");
            for cut in 0..octets.len() {
                assert!(take_number(&mut &octets[..cut]).is_err());
            }
        }
    }

    #[test]
    fn numbers_with_a_high_bit_or_in_a_longer_form_are_none() {
        for octets in [
            &[0x80][..],
            &[0xFF],
            &[0x7E, 0x00, 0x7D],
            &[0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
            &[0x7F, 255, 255, 255, 255, 255, 255, 255, 255],
            &[0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(take_number(&mut &octets[..]).map_err(|w| w.code), Err(2005));
        }
    }
}
