//! Numbers in control blocks: one, three or nine octets, as the length of an RFC 6455 frame without
//! the mask bit (section 5 of the format).

use crate::code::Physical;

/// The largest number there is.
pub(crate) const LARGEST: u64 = (1 << 63) - 1;

/// Appends a number in its shortest form; what is larger than the largest is cut to it.
pub(crate) fn put(number: u64, out: &mut Vec<u8>) {
    if let Ok(short) = u8::try_from(number)
        && short <= 125
    {
        out.push(short);
    } else if let Ok(medium) = u16::try_from(number) {
        out.push(126);
        out.extend_from_slice(&medium.to_be_bytes());
    } else {
        out.push(127);
        out.extend_from_slice(&number.min(LARGEST).to_be_bytes());
    }
}

/// Takes a number off the front of `octets`.
pub(crate) fn take(octets: &mut &[u8]) -> Result<u64, Physical> {
    const CUT_OFF: Physical = Physical::block("number cut off");
    let (first, rest) = octets.split_first().ok_or(CUT_OFF)?;
    let (number, least, rest) = match first {
        0..=125 => (u64::from(*first), 0, rest),
        126 => {
            let (two, rest) = rest.split_first_chunk().ok_or(CUT_OFF)?;
            (u64::from(u16::from_be_bytes(*two)), 126, rest)
        }
        127 => {
            let (eight, rest) = rest.split_first_chunk().ok_or(CUT_OFF)?;
            (u64::from_be_bytes(*eight), 0x1_0000, rest)
        }
        128.. => return Err(Physical::block("number with its top bit set")),
    };
    if number < least {
        return Err(Physical::block("number not in its shortest form"));
    }
    if number > LARGEST {
        return Err(Physical::block("number of 2^63 or more"));
    }
    *octets = rest;
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::DropCode;

    const VECTORS: &[(u64, &[u8])] = &[
        (0, &[0x00]),
        (1, &[0x01]),
        (125, &[0x7d]),
        (126, &[0x7e, 0x00, 0x7e]),
        (127, &[0x7e, 0x00, 0x7f]),
        (128, &[0x7e, 0x00, 0x80]),
        (255, &[0x7e, 0x00, 0xff]),
        (256, &[0x7e, 0x01, 0x00]),
        (8192, &[0x7e, 0x20, 0x00]),
        (65535, &[0x7e, 0xff, 0xff]),
        (65536, &[0x7f, 0, 0, 0, 0, 0, 1, 0, 0]),
        (4_294_967_295, &[0x7f, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
        (4_294_967_296, &[0x7f, 0, 0, 0, 1, 0, 0, 0, 0]),
        (
            LARGEST,
            &[0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
    ];

    #[test]
    fn a_number_takes_the_octets_of_the_table_and_leaves_the_rest() {
        for (number, octets) in VECTORS {
            let mut out = Vec::new();
            put(*number, &mut out);
            assert_eq!(out, *octets, "{number}");
            out.extend_from_slice(b"rest");
            let mut left = &out[..];
            assert_eq!(take(&mut left), Ok(*number));
            assert_eq!(left, b"rest");
        }
    }

    #[test]
    fn a_bad_number_is_2005() {
        for octets in [
            &[0x80][..],
            &[0xff],
            &[0x7e, 0x00, 0x7d],
            &[0x7e, 0x00, 0x00],
            &[0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
            &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let failure = take(&mut &octets[..]);
            assert_eq!(failure.map_err(|f| f.code), Err(DropCode::INVALID_BLOCK));
        }
        for (_, octets) in VECTORS {
            for cut in 0..octets.len() {
                let failure = take(&mut &octets[..cut]);
                assert_eq!(failure.map_err(|f| f.code), Err(DropCode::INVALID_BLOCK));
            }
        }
    }
}
