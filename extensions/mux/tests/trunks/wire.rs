//! What is on the wire, read the slow way: physical frames, channel ids, blocks, frames of channels.
//! Nothing of it is from the crate under test.

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A frame of a channel: FIN, RSV and opcode in the first octet.
    Frame(u32, u8, Vec<u8>),
    /// The target of the request.
    Request(u32, String),
    /// Whether it was accepted.
    Response(u32, bool),
    Grant(u32, u64),
    Drop(u32, Option<u16>),
    /// How many, and the quota of each.
    Slots(u64, u64),
    /// A control frame of the connection itself.
    Physical(u8, Vec<u8>),
}

/// One direction.
#[derive(Default)]
pub(crate) struct Reader {
    octets: Vec<u8>,
    /// The message that is not complete.
    message: Option<Vec<u8>>,
}

impl Reader {
    /// What these octets complete.
    pub(crate) fn read(&mut self, octets: &[u8]) -> Vec<Said> {
        self.octets.extend_from_slice(octets);
        let mut said = Vec::new();
        let mut at = 0;
        while let Some((first, payload, length)) = frame(&self.octets[at..]) {
            at += length;
            if first & 0x08 != 0 {
                said.push(Said::Physical(first & 0x0f, payload));
                continue;
            }
            assert_eq!(first & 0x70, 0, "a reserved bit of the connection");
            match (&mut self.message, first & 0x0f) {
                (none @ None, 2) => *none = Some(payload),
                (Some(message), 0) => message.extend_from_slice(&payload),
                other => panic!("a frame that does not fit: {other:?}"),
            }
            if first & 0x80 != 0 {
                let message = self.message.take().expect("it has begun");
                take_message(&message, &mut said);
            }
        }
        self.octets.drain(..at);
        said
    }
}

/// The first octet of a physical frame, its payload and its length, if it is all there.
pub(crate) fn frame(octets: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let [first, second, rest @ ..] = octets else {
        return None;
    };
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let big_endian = |sum, octet: &u8| sum * 256 + usize::from(*octet);
    let length = match extended {
        0 => usize::from(second & 0x7f),
        _ => rest.get(..extended)?.iter().fold(0, big_endian),
    };
    let masked = second & 0x80 != 0;
    let key = match masked {
        true => rest.get(extended..extended + 4)?,
        false => &[0; 4],
    };
    let head = 2 + extended + if masked { 4 } else { 0 };
    let payload = octets.get(head..head + length)?;
    let unmasked = payload.iter().zip(key.iter().cycle());
    let payload = unmasked.map(|(octet, key)| octet ^ key).collect();
    Some((*first, payload, head + length))
}

/// Reads numbers one behind the other.
struct Octets<'a>(&'a [u8]);

impl<'a> Octets<'a> {
    fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n);
        self.0 = rest;
        taken
    }

    fn big_endian(&mut self, n: usize) -> u64 {
        let taken = self.take(n);
        taken.iter().fold(0, |sum, o| sum * 256 + u64::from(*o))
    }

    fn id(&mut self) -> u32 {
        let (octets, bits) = match self.0[0] >> 5 {
            0..=3 => (1, 7),
            4 | 5 => (2, 14),
            6 => (3, 21),
            _ => (4, 29),
        };
        let id = self.big_endian(octets) & ((1 << bits) - 1);
        u32::try_from(id).expect("29 bits")
    }

    fn number(&mut self) -> u64 {
        match self.big_endian(1) {
            126 => self.big_endian(2),
            127 => self.big_endian(8),
            small => small,
        }
    }

    fn counted(&mut self) -> &'a [u8] {
        let n = self.number();
        self.take(usize::try_from(n).expect("it is in memory"))
    }
}

/// A physical message, or a frame that is one.
pub(crate) fn take_message(message: &[u8], said: &mut Vec<Said>) {
    let mut octets = Octets(message);
    let id = octets.id();
    if id != 0 {
        let first = octets.take(1)[0];
        said.push(Said::Frame(id, first, octets.0.to_vec()));
        return;
    }
    while !octets.0.is_empty() {
        let first = octets.take(1)[0];
        said.push(match first >> 5 {
            0 => {
                let id = octets.id();
                let head = String::from_utf8_lossy(octets.counted());
                let target = head.split(' ').nth(1).expect("a request line");
                Said::Request(id, target.to_owned())
            }
            1 => {
                let said = Said::Response(octets.id(), first & 0x10 == 0);
                octets.counted();
                said
            }
            2 => Said::Grant(octets.id(), octets.number()),
            3 => {
                let id = octets.id();
                let reason = octets.counted();
                let code = reason.first_chunk::<2>();
                Said::Drop(id, code.map(|code| u16::from_be_bytes(*code)))
            }
            4 => Said::Slots(octets.number(), octets.number()),
            other => panic!("block {other}"),
        });
    }
}
