//! Reads a capture file again, with code of its own, and believes nothing: every length, checksum
//! and number is looked at.

use std::collections::BTreeMap;

/// What is in a file.
pub(crate) struct Read {
    pub(crate) packets: Vec<Packet>,
    pub(crate) conversations: BTreeMap<(u8, u16), Conversation>,
}

pub(crate) struct Packet {
    pub(crate) micros: u64,
    /// As it was; `data` may have fewer.
    pub(crate) length: usize,
    pub(crate) data: Vec<u8>,
    pub(crate) comment: Option<String>,
}

/// One connection: what each side sent, the client's first.
#[derive(Default)]
pub(crate) struct Conversation {
    pub(crate) streams: [Vec<u8>; 2],
    next: [Option<u32>; 2],
    /// The flags of each packet without data, with the side.
    pub(crate) signals: Vec<(usize, u8)>,
    pub(crate) comments: Vec<String>,
    /// Octets that are missing.
    pub(crate) lost: usize,
}

/// One WebSocket frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
}

impl Conversation {
    /// The head and the frames of a side.
    pub(crate) fn parse(&self, side: usize) -> (String, Vec<Frame>) {
        let stream = &self.streams[side];
        let end = stream.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, mut rest) = stream.split_at(end.expect("a head ends") + 4);
        let mut frames = Vec::new();
        while let [first, second, behind @ ..] = rest {
            let masked = second & 0x80 != 0;
            let (length, behind) = match second & 0x7F {
                126 => (be(&behind[..2]), &behind[2..]),
                127 => (be(&behind[..8]), &behind[8..]),
                short => (u64::from(short), behind),
            };
            let behind = if masked {
                assert_eq!(behind[..4], [0; 4], "a key that changes nothing");
                &behind[4..]
            } else {
                behind
            };
            let (payload, behind) = behind.split_at(length as usize);
            frames.push(Frame {
                first: *first,
                masked,
                payload: payload.to_vec(),
            });
            rest = behind;
        }
        assert_eq!(rest, b"");
        (String::from_utf8_lossy(head).into_owned(), frames)
    }
}

fn be(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |n, octet| n << 8 | u64::from(*octet))
}

fn le(octets: &[u8]) -> usize {
    octets
        .iter()
        .rev()
        .fold(0, |n, octet| n << 8 | usize::from(*octet))
}

/// Reads a whole file.
pub(crate) fn read(file: &[u8]) -> Read {
    let mut conversations = BTreeMap::new();
    let packets = packets(file);
    for packet in &packets {
        segment(packet, &mut conversations);
    }
    Read {
        packets,
        conversations,
    }
}

/// Reads the blocks of a file, and does not look into the packets.
pub(crate) fn packets(file: &[u8]) -> Vec<Packet> {
    let mut packets = Vec::new();
    let mut rest = file;
    let mut number = 0;
    while !rest.is_empty() {
        let length = le(&rest[4..8]);
        assert_eq!(length % 4, 0, "blocks end on a multiple of four");
        let (block, behind) = rest.split_at(length);
        assert_eq!(le(&block[length - 4..]), length, "the length stands twice");
        let body = &block[8..length - 4];
        match (number, le(&block[..4])) {
            (0, 0x0A0D_0D0A) => {
                assert_eq!(body[..8], [0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0]);
                assert_eq!(body[8..16], [0xFF; 8]);
                let options = options(&body[16..]);
                assert_eq!(options.last(), Some(&(4, b"cloverleaf".to_vec())));
            }
            (1, 1) => {
                assert_eq!(body[..8], [1, 0, 0, 0, 0, 0, 0, 0], "Ethernet");
                assert!(options(&body[8..]).contains(&(9, vec![6])), "microseconds");
            }
            (2.., 6) => packets.push(packet(body)),
            other => panic!("block {other:?}"),
        }
        number += 1;
        rest = behind;
    }
    packets
}

fn options(mut rest: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut options = Vec::new();
    while !rest.is_empty() {
        let (code, length) = (le(&rest[..2]), le(&rest[2..4]));
        let value = rest[4..4 + length].to_vec();
        rest = &rest[4 + length.next_multiple_of(4)..];
        if code == 0 {
            assert_eq!((length, rest), (0, &b""[..]), "the end of options is last");
        } else {
            options.push((code, value));
        }
    }
    options
}

fn packet(body: &[u8]) -> Packet {
    assert_eq!(le(&body[..4]), 0, "there is one interface");
    let micros = ((le(&body[4..8]) as u64) << 32) | le(&body[8..12]) as u64;
    let (captured, length) = (le(&body[12..16]), le(&body[16..20]));
    assert!(captured <= length && length <= 1514);
    let data = body[20..20 + captured].to_vec();
    let mut comment = None;
    for (code, value) in options(&body[20 + captured.next_multiple_of(4)..]) {
        assert_eq!(code, 1);
        comment = Some(String::from_utf8(value).expect("a comment is UTF-8"));
    }
    Packet {
        micros,
        length,
        data,
        comment,
    }
}

/// The sum of all 16-bit words; all ones with a right checksum among them.
fn sum(parts: &[&[u8]]) -> u64 {
    let octets = parts.concat();
    let mut sum: u64 = octets
        .chunks(2)
        .map(|pair| be(pair) << (8 * (2 - pair.len())))
        .sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum
}

fn segment(packet: &Packet, conversations: &mut BTreeMap<(u8, u16), Conversation>) {
    let (data, length) = (&packet.data[..], packet.length);
    let (ethernet, ip) = data.split_at(14);
    assert_eq!(ethernet[12..], [8, 0]);
    assert_eq!((ip[0], ip[9]), (0x45, 6));
    assert_eq!(be(&ip[2..4]) as usize, length - 14);
    let (ip, tcp) = ip.split_at(20);
    assert_eq!(sum(&[ip]), 0xFFFF);
    let whole = data.len() == length;
    if whole {
        let pseudo = [&ip[12..20], &[0, 6], &(tcp.len() as u16).to_be_bytes()].concat();
        assert_eq!(sum(&[&pseudo, tcp]), 0xFFFF);
    }
    let (source, destination) = (&ip[12..16], &ip[16..20]);
    let (source_port, destination_port) = (be(&tcp[..2]) as u16, be(&tcp[2..4]) as u16);
    let side = usize::from(source_port == 80);
    let (client, port, server) = match side {
        0 => (source, source_port, (destination, destination_port)),
        _ => (destination, destination_port, (source, source_port)),
    };
    assert_eq!(server, (&[192, 0, 2, 1][..], 80));
    assert!(client[..3] == [192, 0, 2] && (2..=254).contains(&client[3]) && port >= 49152);
    let (to, from) = ethernet[..12].split_at(6);
    assert_eq!((to[5], from[5]), if side == 0 { (2, 1) } else { (1, 2) });

    let flags = tcp[13];
    let header = usize::from(tcp[12] >> 4) * 4;
    assert_eq!(header, if flags & 2 == 0 { 20 } else { 28 });
    let octets = &tcp[header..];
    let sent = length - 34 - header;
    let conversation = conversations.entry((client[3], port)).or_default();
    let (sequence, acknowledged) = (be(&tcp[4..8]) as u32, be(&tcp[8..12]) as u32);
    match conversation.next[side] {
        None => assert_eq!(flags & 2, 2, "a stream begins with SYN"),
        Some(next) => assert_eq!(sequence, next, "nothing is missing, nothing is there twice"),
    }
    if flags & 0x10 == 0 {
        assert_eq!(
            (flags, acknowledged),
            (2, 0),
            "all but the first acknowledge"
        );
    } else {
        assert_eq!(Some(acknowledged), conversation.next[1 - side]);
    }
    let counted = u32::from(flags & 1 != 0) + u32::from(flags & 2 != 0);
    conversation.next[side] = Some(sequence.wrapping_add(sent as u32 + counted));
    conversation.streams[side].extend_from_slice(octets);
    conversation.lost += sent - octets.len();
    if sent == 0 {
        conversation.signals.push((side, flags));
    }
    conversation.comments.extend(packet.comment.clone());
}
