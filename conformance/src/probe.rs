//! `x-cloverleaf-probe`: an extension that is there to be seen beside another one.
//!
//! RFC 6455 §9.1 has two extensions work in the order of the server's answer. No two extensions in
//! common use can be agreed together, so the suite brings one. Whoever wants to be judged by the
//! cases of `composition` implements it:
//!
//! * The token is `x-cloverleaf-probe`. It has no parameters: an offer with one is declined, an
//!   answer with one fails the connection.
//! * It works on whole data messages, before they are cut into frames, and owns RSV2. The bit
//!   stands on the first frame of a message that went through it; on any other frame it is an error
//!   (1002).
//! * A message becomes the octet `50` (hexadecimal), then each of its octets combined by exclusive
//!   or with a counter that begins at `35` and goes up by one, from `FF` on to `00`. "Hello" is
//!   `50 7d 53 5b 54 56`; the empty message is `50`.
//! * Every data message that is sent goes through it. One that comes without RSV2 is taken as it
//!   is. One with RSV2 that does not begin with `50` fails the connection.
//!
//! Deflated data through the probe is no deflated data any more, and what went through the probe
//! deflates to something else: on the wire the two orders cannot be confused.

use cloverleaf::proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Failure, Hints,
    Output, Params, Placement, Stage,
};
use cloverleaf::proto::frame::{Head, Rsv};

/// Its name in `Sec-WebSocket-Extensions`.
pub const NAME: &str = "x-cloverleaf-probe";

/// What a message that went through begins with.
const MARK: u8 = 0x50;
/// What its first octet is combined with.
const FIRST: u8 = 0x35;

/// The extension, for our own endpoints.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct Probe;

fn agree(params: &Params) -> Result<Agreement, Declined> {
    if !params.is_empty() {
        return Err(Declined::new("the probe has no parameters"));
    }
    Ok(Agreement::new(Params::new())
        .encoder(Half::default())
        .decoder(Half::default()))
}

impl Extension for Probe {
    fn name(&self) -> &str {
        NAME
    }

    fn claims(&self) -> Claims {
        const { Claims::at(Stage::Message).rsv(Rsv::RSV2, Placement::MessageStart) }
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new()]
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        agree(offer)
    }

    fn confirm(&self, _: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        agree(answer)
    }
}

/// One direction. A message comes in parts.
#[derive(Debug, Default)]
struct Half {
    /// The message at hand goes through.
    active: bool,
    /// Its mark was written or read.
    marked: bool,
    /// What the next octet is combined with.
    counter: u8,
}

impl Half {
    fn begin(&mut self, active: bool) {
        *self = Self {
            active,
            marked: false,
            counter: FIRST,
        };
    }

    fn combine(&mut self, octets: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
        let counter = &mut self.counter;
        let combined: Vec<u8> = octets
            .iter()
            .map(|octet| {
                let combined = octet ^ *counter;
                *counter = counter.wrapping_add(1);
                combined
            })
            .collect();
        out.write(&combined)
    }
}

impl Encoder for Half {
    fn encode(
        &mut self,
        head: Head,
        _: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        let mut bits = Rsv::NONE;
        if head.starts_message() {
            self.begin(true);
            out.write(&[MARK])?;
            bits = Rsv::RSV2;
        }
        self.combine(payload, out)?;
        Ok(Encoded::Replaced(bits))
    }
}

impl Decoder for Half {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        if head.starts_message() {
            self.begin(head.rsv.contains(Rsv::RSV2));
        }
        if !self.active {
            return Ok(Decoded::Unchanged);
        }
        let mut payload = payload;
        if !self.marked {
            match payload {
                [MARK, rest @ ..] => {
                    self.marked = true;
                    payload = rest;
                }
                // The mark may be in a later fragment.
                [] if !head.fin => {}
                _ => return Err(Failure::protocol("a message of the probe without its mark")),
            }
        }
        self.combine(payload, out)?;
        Ok(Decoded::Replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloverleaf::proto::frame::OpCode;

    const HELLO: [u8; 6] = [0x50, 0x7D, 0x53, 0x5B, 0x54, 0x56];

    fn head(first: bool, fin: bool, rsv: Rsv) -> Head {
        let opcode = if first {
            OpCode::TEXT
        } else {
            OpCode::CONTINUATION
        };
        Head::new(opcode).with_rsv(rsv).with_fin(fin)
    }

    #[test]
    fn hello_is_written_as_the_description_says() {
        let mut out = Vec::new();
        let mut output = Output::new(&mut out, 100);
        let encoded = Half::default().encode(
            head(true, true, Rsv::NONE),
            Hints::new(),
            b"Hello",
            &mut output,
        );
        assert_eq!(encoded, Ok(Encoded::Replaced(Rsv::RSV2)));
        assert_eq!(out, HELLO);
    }

    #[test]
    fn hello_is_read_wherever_it_is_cut() {
        for cut in 0..=HELLO.len() {
            let mut half = Half::default();
            let mut out = Vec::new();
            let (left, right) = HELLO.split_at(cut);
            let mut output = Output::new(&mut out, 100);
            half.decode(head(true, false, Rsv::RSV2), left, &mut output)
                .expect("the first part");
            half.decode(head(false, true, Rsv::NONE), right, &mut output)
                .expect("the second part");
            assert_eq!(out, b"Hello", "{cut}");
        }
    }

    #[test]
    fn a_message_without_the_bit_is_taken_as_it_is_and_one_without_the_mark_is_not() {
        let mut half = Half::default();
        let mut out = Vec::new();
        let mut output = Output::new(&mut out, 100);
        let plain = half.decode(head(true, true, Rsv::NONE), b"Hello", &mut output);
        assert_eq!(plain, Ok(Decoded::Unchanged));
        for payload in [&b""[..], b"Hello"] {
            let failed = half.decode(head(true, true, Rsv::RSV2), payload, &mut output);
            assert!(failed.is_err(), "{payload:?}");
        }
    }
}
