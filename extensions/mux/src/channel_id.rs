//! Channel ids on the wire: one to four octets, the first bits say how many (section 4 of the
//! format, see the crate's documentation).

use cloverleaf_proto::extension::ChannelId;

use crate::code::{DropCode, Physical};

/// The channel of the control blocks.
pub(crate) const CONTROL: u32 = 0;
/// The channel that the physical handshake opens.
pub(crate) const FIRST: u32 = 1;
/// The last one there can be.
pub(crate) const LAST: u32 = (1 << 29) - 1;

/// Appends an id in its shortest form.
pub(crate) fn put(id: u32, out: &mut Vec<u8>) {
    let octets = id.to_be_bytes();
    match id {
        0..=0x7f => out.push(octets[3]),
        0x80..=0x3fff => out.extend_from_slice(&[octets[2] | 0x80, octets[3]]),
        0x4000..=0x1f_ffff => {
            out.extend_from_slice(&[octets[1] | 0xc0, octets[2], octets[3]]);
        }
        _ => {
            debug_assert!(id <= LAST, "{} has no encoding", ChannelId::new(id));
            out.extend_from_slice(&[octets[0] | 0xe0, octets[1], octets[2], octets[3]]);
        }
    }
}

/// Takes an id off the front of `octets`. `lenient`: a longer form than needed passes.
pub(crate) fn take(octets: &mut &[u8], lenient: bool) -> Result<u32, Physical> {
    const CUT_OFF: Physical = Physical::new(DropCode::CHANNEL_ID, "channel id cut off");
    let first = *octets.first().ok_or(CUT_OFF)?;
    let (length, bits, least) = match first.leading_ones() {
        0 => (1, 0x7f, 0),
        1 => (2, 0x3f, 0x80),
        2 => (3, 0x1f, 0x4000),
        _ => (4, 0x1f, 0x20_0000),
    };
    let (id, rest) = octets.split_at_checked(length).ok_or(CUT_OFF)?;
    let high = u32::from(first & bits);
    let id = id[1..]
        .iter()
        .fold(high, |id, octet| id << 8 | u32::from(*octet));
    if id < least && !lenient {
        return Err(Physical::new(
            DropCode::CHANNEL_ID,
            "channel id not in its shortest form",
        ));
    }
    *octets = rest;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &[(u32, &[u8])] = &[
        (0, &[0x00]),
        (1, &[0x01]),
        (2, &[0x02]),
        (55, &[0x37]),
        (127, &[0x7f]),
        (128, &[0x80, 0x80]),
        (255, &[0x80, 0xff]),
        (300, &[0x81, 0x2c]),
        (16383, &[0xbf, 0xff]),
        (16384, &[0xc0, 0x40, 0x00]),
        (65535, &[0xc0, 0xff, 0xff]),
        (2_097_151, &[0xdf, 0xff, 0xff]),
        (2_097_152, &[0xe0, 0x20, 0x00, 0x00]),
        (16_777_215, &[0xe0, 0xff, 0xff, 0xff]),
        (536_870_911, &[0xff, 0xff, 0xff, 0xff]),
    ];

    #[test]
    fn an_id_takes_the_octets_of_the_table_and_leaves_the_rest() {
        for (id, octets) in VECTORS {
            let mut out = Vec::new();
            put(*id, &mut out);
            assert_eq!(out, *octets, "{id}");
            out.extend_from_slice(b"rest");
            let mut left = &out[..];
            assert_eq!(take(&mut left, false), Ok(*id));
            assert_eq!(left, b"rest");
        }
    }

    #[test]
    fn a_cut_off_id_of_each_length_is_2002() {
        for (_, octets) in VECTORS {
            for cut in 0..octets.len() {
                let failure = take(&mut &octets[..cut], true);
                assert_eq!(failure.map_err(|f| f.code), Err(DropCode::CHANNEL_ID));
            }
        }
    }

    #[test]
    fn an_over_long_id_is_2002_unless_one_is_lenient() {
        for (octets, id) in [
            (&[0x80, 0x00][..], 0),
            (&[0x80, 0x01], 1),
            (&[0x80, 0x7f], 127),
            (&[0xc0, 0x00, 0x00], 0),
            (&[0xc0, 0x3f, 0xff], 16383),
            (&[0xe0, 0x00, 0x00, 0x00], 0),
            (&[0xe0, 0x00, 0x00, 0x01], 1),
            (&[0xe0, 0x1f, 0xff, 0xff], 2_097_151),
        ] {
            let strict = take(&mut &octets[..], false);
            assert_eq!(strict.map_err(|f| f.code), Err(DropCode::CHANNEL_ID));
            assert_eq!(take(&mut &octets[..], true), Ok(id));
        }
    }
}
