//! `x-rot13; shift=N`, N from 1 to 25: both ends shift the letters A-Z and a-z of the text messages
//! they send N places on, and of those they receive N back. No reserved bit is used. The server
//! answers with the shift that was offered, and a client takes no other answer.
use cloverleaf_proto::{extension::*, frame::*};

/// The extension. The shift that a client offers is that in range which is nearest to this one.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a shift is all there is to say")]
pub struct Rot13(pub u8);

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
        let by = reader.required_number("shift", 1..=25)? as u8;
        reader.end()?;
        let agreement = Agreement::new(offer.clone()).encoder(Half(by, false));
        Ok(agreement.decoder(Half(26 - by, false)))
    }
    fn confirm(&self, offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        let own = offered.iter().find(|offer| *offer == answer);
        self.accept(own.ok_or_else(|| Declined::new("not what was offered"))?)
    }
}

/// How far to shift, and whether a text message is under way: binary ones change nothing here.
struct Half(u8, bool);
type Done<T> = Result<T, Failure>;

impl Encoder for Half {
    fn encode(&mut self, head: Head, _: Hints, data: &[u8], out: &mut Output<'_>) -> Done<Encoded> {
        match self.decode(head, data, out)? {
            Decoded::Unchanged => Ok(Encoded::Unchanged),
            _ => Ok(Encoded::Replaced(Rsv::NONE)),
        }
    }
}
impl Decoder for Half {
    fn decode(&mut self, head: Head, data: &[u8], out: &mut Output<'_>) -> Done<Decoded> {
        if !self.1 && head.opcode != OpCode::TEXT {
            return Ok(Decoded::Unchanged);
        }
        self.1 = !head.fin;
        data.iter().try_for_each(|octet| match octet {
            b'A'..=b'Z' => out.write(&[b'A' + (octet - b'A' + self.0) % 26]),
            b'a'..=b'z' => out.write(&[b'a' + (octet - b'a' + self.0) % 26]),
            _ => out.write(&[*octet]),
        })?;
        Ok(Decoded::Replaced)
    }
}
