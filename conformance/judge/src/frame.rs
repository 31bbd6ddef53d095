//! Frames as the judge writes them (RFC 6455 §5.2): legal ones by default, broken ones on demand.

/// Opcode of a continuation frame.
pub const CONTINUATION: u8 = 0x0;
/// Opcode of a text frame.
pub const TEXT: u8 = 0x1;
/// Opcode of a binary frame.
pub const BINARY: u8 = 0x2;
/// Opcode of a close frame.
pub const CLOSE: u8 = 0x8;
/// Opcode of a ping frame.
pub const PING: u8 = 0x9;
/// Opcode of a pong frame.
pub const PONG: u8 = 0xA;

/// How the length of a payload is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 has three forms")]
pub enum LengthForm {
    /// The shortest that fits, as the standard asks.
    #[default]
    Shortest,
    /// 126 and two octets.
    TwoOctets,
    /// 127 and eight octets.
    EightOctets,
}

/// Whether and how a frame is masked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth way")]
pub enum Masking {
    /// As the role asks: a client masks, a server does not (§5.1).
    #[default]
    ByRole,
    /// Not masked, whatever the role.
    Never,
    /// Masked with this key, whatever the role.
    With([u8; 4]),
}

/// A frame to be sent.
///
/// ```
/// use cloverleaf_judge::frame::{Frame, Masking};
///
/// let frame = Frame::text("Hello").masking(Masking::Never);
/// assert_eq!(frame.encode(None), b"\x81\x05Hello");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The final frame of its message.
    pub fin: bool,
    /// RSV1, RSV2, RSV3 as a number: RSV1 counts 4.
    pub rsv: u8,
    /// 0 to 15.
    pub opcode: u8,
    /// The payload before masking.
    pub payload: Vec<u8>,
    /// How it is masked.
    pub masking: Masking,
    /// How its length is written.
    pub length_form: LengthForm,
    /// The length that the head claims, if it is not that of the payload.
    pub claimed_length: Option<u64>,
    /// Written to TCP in pieces of so many octets, each on its own.
    pub chop: Option<usize>,
    /// Written to TCP on its own.
    pub alone: bool,
}

impl Frame {
    /// A final frame with this opcode.
    pub fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            payload: payload.into(),
            masking: Masking::ByRole,
            length_form: LengthForm::Shortest,
            claimed_length: None,
            chop: None,
            alone: false,
        }
    }

    /// A whole text message. The octets need not be UTF-8.
    pub fn text(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(TEXT, payload)
    }

    /// A whole binary message.
    pub fn binary(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(BINARY, payload)
    }

    /// A continuation frame, final unless told otherwise.
    pub fn continuation(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(CONTINUATION, payload)
    }

    /// A ping.
    pub fn ping(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(PING, payload)
    }

    /// A pong.
    pub fn pong(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(PONG, payload)
    }

    /// A close frame with a code and a reason.
    pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_ref());
        Self::new(CLOSE, payload)
    }

    /// A close frame with these octets as its payload, valid or not.
    pub fn close_with(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(CLOSE, payload)
    }

    /// The same, with more to come.
    #[must_use]
    pub fn not_final(mut self) -> Self {
        self.fin = false;
        self
    }

    /// The same with these reserved bits: RSV1 counts 4, RSV2 2, RSV3 1.
    #[must_use]
    pub fn rsv(mut self, rsv: u8) -> Self {
        self.rsv = rsv;
        self
    }

    /// The same, masked in this way.
    #[must_use]
    pub fn masking(mut self, masking: Masking) -> Self {
        self.masking = masking;
        self
    }

    /// The same, its length written in this form.
    #[must_use]
    pub fn length_form(mut self, form: LengthForm) -> Self {
        self.length_form = form;
        self
    }

    /// The same, with a head that claims this length whatever the payload has.
    #[must_use]
    pub fn claimed_length(mut self, length: u64) -> Self {
        self.claimed_length = Some(length);
        self
    }

    /// The same, written to TCP in pieces of so many octets.
    #[must_use]
    pub fn chopped(mut self, octets: usize) -> Self {
        self.chop = Some(octets);
        self
    }

    /// The same, written to TCP on its own and not together with its neighbours.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// The octets on the wire. `role_key` is the masking key where the role asks for one.
    pub fn encode(&self, role_key: Option<[u8; 4]>) -> Vec<u8> {
        let key = match self.masking {
            Masking::ByRole => role_key,
            Masking::Never => None,
            Masking::With(key) => Some(key),
        };
        let length = self.claimed_length.unwrap_or(self.payload.len() as u64);
        let mut octets = Vec::with_capacity(14 + self.payload.len());
        octets.push(u8::from(self.fin) << 7 | (self.rsv & 7) << 4 | (self.opcode & 15));
        let mask_bit = u8::from(key.is_some()) << 7;
        match (self.length_form, length) {
            (LengthForm::Shortest, 0..=125) => octets.push(mask_bit | length as u8),
            (LengthForm::Shortest, 126..=0xFFFF) | (LengthForm::TwoOctets, _) => {
                octets.push(mask_bit | 126);
                octets.extend_from_slice(&(length as u16).to_be_bytes());
            }
            (LengthForm::Shortest | LengthForm::EightOctets, _) => {
                octets.push(mask_bit | 127);
                octets.extend_from_slice(&length.to_be_bytes());
            }
        }
        if let Some(key) = key {
            octets.extend_from_slice(&key);
        }
        let head = octets.len();
        octets.extend_from_slice(&self.payload);
        if let Some(key) = key {
            mask(&mut octets[head..], key, 0);
        }
        octets
    }
}

/// Masks or unmasks octets that begin `offset` octets into a payload (§5.3).
pub fn mask(octets: &mut [u8], key: [u8; 4], offset: usize) {
    let mut turned = key;
    turned.rotate_left(offset % 4);
    let [a, b, c, d] = turned;
    let mut pieces = octets.chunks_exact_mut(8);
    for piece in &mut pieces {
        for (octet, key) in piece.iter_mut().zip([a, b, c, d, a, b, c, d]) {
            *octet ^= key;
        }
    }
    for (octet, key) in pieces
        .into_remainder()
        .iter_mut()
        .zip([a, b, c, d, a, b, c, d])
    {
        *octet ^= key;
    }
}

/// The head of a frame that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// The final frame of its message.
    pub fin: bool,
    /// RSV1, RSV2, RSV3 as a number: RSV1 counts 4.
    pub rsv: u8,
    /// 0 to 15.
    pub opcode: u8,
    /// The masking key, if the frame is masked.
    pub key: Option<[u8; 4]>,
    /// The length of the payload, as the head has it.
    pub length: u64,
    /// The seven bits: the length itself, 126 or 127.
    pub short_length: u8,
}

impl Head {
    /// Reads a head from the beginning of `octets`; returns it with its size in octets.
    /// `None`: more octets are needed.
    pub fn parse(octets: &[u8]) -> Option<(Self, usize)> {
        let (&first, rest) = octets.split_first()?;
        let (&second, rest) = rest.split_first()?;
        let short_length = second & 0x7F;
        let (length, rest) = match short_length {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from_be_bytes(*length), rest)
            }
            short => (u64::from(short), rest),
        };
        let (key, rest) = if second & 0x80 == 0 {
            (None, rest)
        } else {
            let (key, rest) = rest.split_first_chunk()?;
            (Some(*key), rest)
        };
        let head = Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            opcode: first & 15,
            key,
            length,
            short_length,
        };
        Some((head, octets.len() - rest.len()))
    }

    /// Whether this is a control frame (§5.5).
    pub fn is_control(&self) -> bool {
        self.opcode & 8 != 0
    }

    /// Whether the length is written in the shortest form (§5.2).
    pub fn is_shortest(&self) -> bool {
        match self.short_length {
            126 => self.length > 125,
            127 => self.length > 0xFFFF,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_6455_section_5_7_are_written_as_there() {
        let key = Some([0x37, 0xFA, 0x21, 0x3D]);
        for (frame, key, octets) in [
            (Frame::text("Hello"), None, &b"\x81\x05Hello"[..]),
            (
                Frame::text("Hello"),
                key,
                b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            ),
            (Frame::text("Hel").not_final(), None, b"\x01\x03Hel"),
            (Frame::continuation("lo"), None, b"\x80\x02lo"),
            (Frame::ping("Hello"), None, b"\x89\x05Hello"),
            (
                Frame::pong("Hello"),
                key,
                b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            ),
            (Frame::close(1000, "bye"), None, b"\x88\x05\x03\xe8bye"),
        ] {
            assert_eq!(frame.encode(key), octets);
        }
    }

    #[test]
    fn lengths_are_written_in_the_shortest_form_unless_another_is_asked_for() {
        for (length, form, head) in [
            (125, LengthForm::Shortest, &b"\x82\x7d"[..]),
            (126, LengthForm::Shortest, b"\x82\x7e\x00\x7e"),
            (65535, LengthForm::Shortest, b"\x82\x7e\xff\xff"),
            (65536, LengthForm::Shortest, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
            (5, LengthForm::TwoOctets, b"\x82\x7e\x00\x05"),
            (5, LengthForm::EightOctets, b"\x82\x7f\0\0\0\0\0\0\0\x05"),
        ] {
            let frame = Frame::binary(vec![0; length]).length_form(form);
            let octets = frame.encode(None);
            assert!(octets.starts_with(head), "{length} {form:?}");
            assert_eq!(octets.len(), head.len() + length);
            let (parsed, size) = Head::parse(&octets).expect("a whole head");
            assert_eq!((parsed.length, size), (length as u64, head.len()));
            assert_eq!(parsed.is_shortest(), form == LengthForm::Shortest);
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_never_before_it_is_whole() {
        for frame in [
            Frame::text("x").rsv(5).not_final(),
            Frame::new(11, vec![7; 200]).masking(Masking::With([1, 2, 3, 4])),
            Frame::binary("").claimed_length(u64::MAX >> 1),
        ] {
            let octets = frame.encode(None);
            let (head, size) = Head::parse(&octets).expect("a whole head");
            assert_eq!(
                (head.fin, head.rsv, head.opcode),
                (frame.fin, frame.rsv, frame.opcode)
            );
            let claimed = frame.claimed_length.unwrap_or(frame.payload.len() as u64);
            assert_eq!(head.length, claimed);
            for cut in 0..size {
                assert_eq!(Head::parse(&octets[..cut]), None, "{cut}");
            }
        }
    }

    #[test]
    fn masking_in_pieces_is_masking_at_once() {
        let key = [0xA1, 0x02, 0x33, 0xF4];
        let plain: Vec<u8> = (0..100).collect();
        let twin: Vec<u8> = plain
            .iter()
            .enumerate()
            .map(|(at, octet)| octet ^ key[at % 4])
            .collect();
        for cut in 0..=plain.len() {
            let mut octets = plain.clone();
            let (left, right) = octets.split_at_mut(cut);
            mask(left, key, 0);
            mask(right, key, cut);
            assert_eq!(octets, twin, "{cut}");
        }
    }
}
