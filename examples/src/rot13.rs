//! `x-rot13; shift=N`, N from 1 to 25: letters of text messages, A-Z and a-z, travel N further on in
//! the alphabet, Z before A. Binary messages stay as they are. The server answers with the shift that
//! it was offered, whatever it would offer itself.

use cloverleaf_proto::{extension::*, frame::*};

/// The extension, with the shift that a client offers: 1 to 25, or it is brought there.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a shift is all there is to it")]
pub struct Rot13(pub u32);

impl Extension for Rot13 {
    fn name(&self) -> &str {
        "x-rot13"
    }
    fn claims(&self) -> Claims {
        const { Claims::at(Stage::Message) }
    }
    fn offers(&self) -> Vec<Params> {
        vec![Params::new().value("shift", self.0.clamp(1, 25))]
    }
    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        let mut reader = offer.reader()?;
        let n = reader.required_number("shift", 1..=25)? as u8;
        reader.end()?;
        let agreed = Agreement::new(offer.clone());
        Ok(agreed.encoder(Half(n, false)).decoder(Half(26 - n, false)))
    }
}

/// The shift, and whether the message at hand is text: continuations do not say.
struct Half(u8, bool);
type Done<T> = Result<T, Failure>;

impl Encoder for Half {
    fn encode(&mut self, head: Head, _: Hints, data: &[u8], out: &mut Output<'_>) -> Done<Encoded> {
        self.1 = head.opcode == OpCode::TEXT || self.1 && !head.starts_message();
        if !self.1 {
            return Ok(Encoded::Unchanged);
        }
        let shifted = data.iter().map(|octet| match octet {
            b'A'..=b'Z' => (octet - b'A' + self.0) % 26 + b'A',
            b'a'..=b'z' => (octet - b'a' + self.0) % 26 + b'a',
            _ => *octet,
        });
        out.write(&shifted.collect::<Vec<_>>())?;
        Ok(Encoded::Replaced(Rsv::NONE))
    }
}

impl Decoder for Half {
    fn decode(&mut self, head: Head, data: &[u8], out: &mut Output<'_>) -> Done<Decoded> {
        match self.encode(head, Hints::new(), data, out)? {
            Encoded::Unchanged => Ok(Decoded::Unchanged),
            _ => Ok(Decoded::Replaced),
        }
    }
}
