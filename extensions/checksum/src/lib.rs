//! `x-checksum`: a CRC-32 in front of every data frame, so that a frame which something on the way
//! has damaged is noticed.
//!
//! TCP's own checksum has 16 bits, and a proxy that rewrites a frame computes a fresh one. This is
//! no protection against anybody who means harm: whoever can change a frame can change its checksum.
//!
//! ```
//! use cloverleaf_checksum::Checksum;
//! use cloverleaf_deflate::PermessageDeflate;
//! use cloverleaf_proto::extension::Extensions;
//!
//! // In this order: the checksum is one of what the compressor has made.
//! let extensions = Extensions::new()
//!     .with(PermessageDeflate::new())?
//!     .with(Checksum::new())?;
//! # drop(extensions);
//! # Ok::<(), cloverleaf_proto::error::ConfigError>(())
//! ```
//!
//! # On the wire
//!
//! RSV2 stands on every data frame, continuations too. Its payload begins with the last `octets`
//! octets of the CRC-32 (ISO 3309, as in gzip), in network order, of all that is behind them. The
//! one parameter, `octets`, 1 to 4, is required; a server answers with the value that it was offered,
//! or declines one that is lower than its own. A frame without RSV2 fails the connection with 1002, a
//! wrong checksum with 1007. Control frames carry none.

use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Failure, Hints,
    Output, Params, Placement, Stage,
};
use cloverleaf_proto::frame::{Head, Rsv};

/// The extension, as configured.
#[derive(Clone, Copy, Debug)]
pub struct Checksum {
    octets: u32,
}

impl Checksum {
    /// Checksums of four octets.
    #[must_use]
    pub const fn new() -> Self {
        Self { octets: 4 }
    }

    /// So many octets of each checksum travel, 1 to 4; numbers out of range are taken as the nearest
    /// in range. A client offers this many, a server declines fewer.
    #[must_use]
    pub fn octets(self, octets: u32) -> Self {
        Self {
            octets: octets.clamp(1, 4),
        }
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

impl Extension for Checksum {
    fn name(&self) -> &str {
        "x-checksum"
    }

    fn claims(&self) -> Claims {
        const { Claims::at(Stage::Frame).rsv(Rsv::RSV2, Placement::DataFrames) }
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new().value("octets", self.octets)]
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        let octets = read(offer)?;
        if octets < self.octets {
            return Err(Declined::new("too few octets"));
        }
        Ok(agree(octets))
    }
}

/// Reads an offer or an answer. What is unknown, stands twice or has no proper value is declined.
fn read(params: &Params) -> Result<u32, Declined> {
    let mut reader = params.reader()?;
    let octets = reader.required_number("octets", 1..=4)?;
    reader.end()?;
    Ok(octets)
}

fn agree(octets: u32) -> Agreement {
    let half = Half {
        octets: octets as usize,
    };
    Agreement::new(Params::new().value("octets", octets))
        .encoder(half)
        .decoder(half)
}

/// Either half: there is nothing to remember between two frames.
#[derive(Clone, Copy)]
struct Half {
    octets: usize,
}

impl Encoder for Half {
    fn encode(
        &mut self,
        head: Head,
        _hints: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        if head.opcode.is_control() {
            return Ok(Encoded::Unchanged);
        }
        let sum = crc32fast::hash(payload).to_be_bytes();
        out.write(&sum[4 - self.octets..])?;
        Ok(Encoded::Prefixed(Rsv::RSV2))
    }
}

impl Decoder for Half {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        _out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        if head.opcode.is_control() {
            return Ok(Decoded::Unchanged);
        }
        if !head.rsv.contains(Rsv::RSV2) {
            return Err(Failure::protocol("a frame without its checksum"));
        }
        let Some((found, data)) = payload.split_at_checked(self.octets) else {
            return Err(Failure::protocol("a frame shorter than its checksum"));
        };
        let sum = crc32fast::hash(data).to_be_bytes();
        if found != &sum[4 - self.octets..] {
            return Err(Failure::invalid_data("the checksum is wrong"));
        }
        Ok(Decoded::Stripped(self.octets))
    }
}
