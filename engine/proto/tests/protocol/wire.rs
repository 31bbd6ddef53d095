//! Frames written and read the naive way, with nothing of the engine.

use cloverleaf_proto::Role;

/// The key with which the tests mask.
pub(crate) const PEER_KEY: [u8; 4] = [0x9c, 0x01, 0xe7, 0x5a];

/// A frame from the peer of `to`: masked if that is a client.
pub(crate) fn frame(to: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let masked = to == Role::Server;
    let mut octets = vec![first];
    let bit = if masked { 0x80 } else { 0 };
    match payload.len() {
        length @ 0..=125 => octets.push(bit | length as u8),
        length @ 126..=0xFFFF => {
            octets.push(bit | 126);
            octets.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            octets.push(bit | 127);
            octets.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if masked {
        octets.extend_from_slice(&PEER_KEY);
        octets.extend(
            payload
                .iter()
                .zip(0..)
                .map(|(octet, i)| octet ^ PEER_KEY[i % 4]),
        );
    } else {
        octets.extend_from_slice(payload);
    }
    octets
}

/// Frames one behind the other.
pub(crate) fn frames(to: Role, frames: &[(u8, &[u8])]) -> Vec<u8> {
    frames
        .iter()
        .flat_map(|(first, payload)| frame(to, *first, payload))
        .collect()
}

/// The start of a frame that announces `length` octets, in eight octets of length.
pub(crate) fn long_header(to: Role, first: u8, length: u64) -> Vec<u8> {
    let mut octets = vec![first, if to == Role::Server { 0xFF } else { 0x7F }];
    octets.extend_from_slice(&length.to_be_bytes());
    octets
}

/// A frame that the engine sent, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) first: u8,
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) payload: Vec<u8>,
}

/// Reads what the engine sent. Panics if it is not whole frames in their shortest form.
pub(crate) fn read(mut octets: &[u8]) -> Vec<Sent> {
    let mut frames = Vec::new();
    while !octets.is_empty() {
        let (frame, rest) = read_one(octets).expect("the engine sends whole frames");
        frames.push(frame);
        octets = rest;
    }
    frames
}

fn read_one(octets: &[u8]) -> Option<(Sent, &[u8])> {
    let (&first, rest) = octets.split_first()?;
    let (&second, rest) = rest.split_first()?;
    let (length, rest) = match second & 0x7F {
        126 => {
            let (octets, rest) = rest.split_at_checked(2)?;
            let length = usize::from(u16::from_be_bytes([octets[0], octets[1]]));
            assert!(length > 125, "the engine sends the shortest form");
            (length, rest)
        }
        127 => {
            let (octets, rest) = rest.split_at_checked(8)?;
            let length = octets
                .iter()
                .fold(0, |sum, octet| sum << 8 | usize::from(*octet));
            assert!(length > 0xFFFF, "the engine sends the shortest form");
            (length, rest)
        }
        short => (usize::from(short), rest),
    };
    let (key, rest) = if second & 0x80 == 0 {
        (None, rest)
    } else {
        let (key, rest) = rest.split_at_checked(4)?;
        (Some([key[0], key[1], key[2], key[3]]), rest)
    };
    let (payload, rest) = rest.split_at_checked(length)?;
    let mut payload = payload.to_vec();
    if let Some(key) = key {
        payload
            .iter_mut()
            .zip(0..)
            .for_each(|(octet, i)| *octet ^= key[i % 4]);
    }
    Some((
        Sent {
            first,
            key,
            payload,
        },
        rest,
    ))
}
