//! An extension of one's own: it owns RSV2 and the reserved control opcode B.
//!
//! `x-caesar; shift=N` shifts the letters of text messages by N places and marks them with RSV2; a
//! frame with opcode B carries a question to the extension of the other end, which answers with its
//! shift. Neither end's application code knows how any of it works.

use bytes::Bytes;
use cloverleaf::{Client, Config, Event, Server, request};
use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Extensions,
    Failure, Hints, Output, Params, Placement, Stage,
};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};

const ASK: OpCode = OpCode::new(0xB);

#[derive(Debug)]
struct Caesar {
    shift: u8,
}

impl Caesar {
    fn agree(params: &Params) -> Result<Agreement, Declined> {
        let mut shift = None;
        for (name, value) in params.iter() {
            let number = value
                .and_then(|value| value.parse().ok())
                .filter(|n| *n < 26);
            match (name, number) {
                ("shift", Some(number)) if shift.is_none() => shift = Some(number),
                _ => return Err(Declined::new("x-caesar wants one shift from 0 to 25")),
            }
        }
        let shift = shift.ok_or_else(|| Declined::new("x-caesar wants a shift"))?;
        let agreement = Agreement::new(Params::new().value("shift", shift));
        Ok(agreement
            .encoder(Shift { by: shift })
            .decoder(Unshift { by: shift }))
    }
}

impl Extension for Caesar {
    fn name(&self) -> &str {
        "x-caesar"
    }

    fn claims(&self) -> Claims {
        const {
            Claims::at(Stage::Frame)
                .rsv(Rsv::RSV2, Placement::DataFrames)
                .opcode(ASK)
        }
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new().value("shift", self.shift)]
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        Self::agree(offer)
    }

    fn confirm(&self, offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        if !offered.contains(answer) {
            return Err(Declined::new("the server changed the shift"));
        }
        Self::agree(answer)
    }
}

fn shift(payload: &[u8], by: u8, out: &mut Output<'_>) -> Result<(), Failure> {
    for octet in payload {
        let shifted = match octet {
            b'a'..=b'z' => b'a' + (octet - b'a' + by) % 26,
            b'A'..=b'Z' => b'A' + (octet - b'A' + by) % 26,
            other => *other,
        };
        out.write(&[shifted])?;
    }
    Ok(())
}

struct Shift {
    by: u8,
}

impl Encoder for Shift {
    fn encode(
        &mut self,
        head: Head,
        _: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        if head.opcode.is_control() {
            return Ok(Encoded::Unchanged);
        }
        shift(payload, self.by, out)?;
        Ok(Encoded::Replaced(Rsv::RSV2))
    }
}

struct Unshift {
    by: u8,
}

impl Decoder for Unshift {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        if head.opcode == ASK {
            return match payload {
                // A question: answered here, and the application never hears of it.
                b"?" => {
                    out.write(format!("shift is {}", self.by).as_bytes())?;
                    Ok(Decoded::Answered(ASK))
                }
                // An answer: for the application.
                _ => Ok(Decoded::Unchanged),
            };
        }
        if !head.rsv.contains(Rsv::RSV2) {
            return Ok(Decoded::Unchanged);
        }
        shift(payload, 26 - self.by, out)?;
        Ok(Decoded::Replaced)
    }
}

fn config(shift: u8) -> Result<Config, cloverleaf_proto::error::ConfigError> {
    let mut config = cloverleaf::config();
    config.extensions = Extensions::new().with(Caesar { shift })?;
    Ok(config)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::bind("127.0.0.1:0").await?.config(config(0)?);
    let url = format!("ws://{}/", server.local_addr()?);
    let serving = tokio::spawn(server.serve(|mut socket| async move {
        while let Some(message) = socket.recv().await? {
            println!("server got {message:?}");
            socket.send(message).await?;
        }
        Ok(())
    }));

    let client = Client::new(config(13)?);
    let mut socket = client
        .request(request(&url)?.require_extension("x-caesar"))
        .await?;
    let [agreed] = socket.opening().agreed.as_slice() else {
        return Err("not agreed".into());
    };
    println!("agreed: {}{}", agreed.name, agreed.params);
    socket.send("Hello, world!").await?;
    println!("client got {:?}", socket.recv().await?);
    socket.send_extension(ASK, Bytes::from_static(b"?")).await?;
    if let Some(Event::Extension { opcode, payload }) = socket.recv_event().await {
        println!("{opcode}: {}", payload.escape_ascii());
    }
    socket.close().await?;
    serving.abort();
    Ok(())
}
