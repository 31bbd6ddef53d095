//! DEFLATE (RFC 1951) as both extensions use it: a stream that never ends, cut at sync flushes.
//!
//! What stands between two cuts is a message of permessage-deflate or a frame of deflate-frame: a
//! *unit* here.
//!
//! The only file that knows the library behind it: flate2 on zlib-rs. Two things flate2 does not show,
//! and for them zlib-rs is asked itself: the memory level of a compressor, and whether an inflater
//! stands between two blocks.

use cloverleaf_proto::extension::{Failure, Output};
use flate2::{Compress, Compression, FlushCompress};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush, Status};

use crate::window_bits::WindowBits;

/// The octets of a sync flush that never travel (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Octets come out of the deflater in steps of this size.
///
/// It must not be given "what is left": a sync flush into five octets or fewer never ends, for
/// every call adds one more marker.
const DEFLATE_STEP: usize = 4 << 10;

/// Octets come out of the inflater in steps of this size, so that a bomb is noticed this long after
/// it passes the limit.
const INFLATE_STEP: usize = 16 << 10;

/// The same for a piece of at most [`SMALL`] octets, where clearing the larger one shows.
const SMALL_INFLATE_STEP: usize = 4 << 10;
const SMALL: usize = 1 << 10;

/// What the tail can bring out: 16 matches of 258 octets in 32 bits, and one or two whose bits have
/// come before. The room for it must never be full.
const TAIL_STEP: usize = 20 * 258;

/// The memory level that flate2 sets.
const MEMORY_LEVEL: u8 = 8;

/// The same deflater behind two doors.
enum Deflater {
    Flate2(Compress),
    WithMemoryLevel(Deflate),
}

impl Deflater {
    fn new(level: u8, memory_level: u8, bits: u8) -> Self {
        if memory_level == MEMORY_LEVEL {
            let level = Compression::new(level.into());
            return Self::Flate2(Compress::new_with_window_bits(level, false, bits));
        }
        Self::WithMemoryLevel(Deflate::new_with_config(DeflateConfig {
            level: level.into(),
            mem_level: memory_level.into(),
            // Negative: without the zlib header.
            window_bits: -i32::from(bits),
            ..DeflateConfig::default()
        }))
    }

    fn reset(&mut self) {
        match self {
            Self::Flate2(deflate) => deflate.reset(),
            Self::WithMemoryLevel(deflate) => deflate.reset(),
        }
    }

    /// Octets taken and given since the last reset.
    fn totals(&self) -> (u64, u64) {
        match self {
            Self::Flate2(deflate) => (deflate.total_in(), deflate.total_out()),
            Self::WithMemoryLevel(deflate) => (deflate.total_in(), deflate.total_out()),
        }
    }

    fn sync(&mut self, input: &[u8], step: &mut [u8]) {
        const WHY: &str = "a stream that was never finished takes any input";
        match self {
            Self::Flate2(deflate) => {
                deflate
                    .compress(input, step, FlushCompress::Sync)
                    .expect(WHY);
            }
            Self::WithMemoryLevel(deflate) => {
                deflate
                    .compress(input, step, DeflateFlush::SyncFlush)
                    .expect(WHY);
            }
        }
    }
}

/// A deflater of one window size.
pub(crate) struct Compressor {
    deflate: Deflater,
    window_bits: WindowBits,
    fresh: bool,
}

impl Compressor {
    /// A deflater with an empty window. Levels are 1 to 9.
    pub(crate) fn new(level: u8, memory_level: u8, window_bits: WindowBits) -> Self {
        // zlib cannot deflate with 8 and panics if asked. With 9 it keeps 262 octets of the 512
        // for itself and no match reaches back further than 250, so that 9 honours 8.
        let deflate = Deflater::new(level, memory_level, window_bits.get().max(9));
        Self {
            deflate,
            window_bits,
            fresh: true,
        }
    }

    /// The window it was made for.
    pub(crate) const fn window_bits(&self) -> WindowBits {
        self.window_bits
    }

    /// Empties the window.
    pub(crate) fn restart(&mut self) {
        // The hash table alone is 128 KiB to clear.
        if !self.fresh {
            self.deflate.reset();
            self.fresh = true;
        }
    }

    /// Compresses a part that others follow: what comes out ends on an octet boundary, with the
    /// tail of a sync flush, or is nothing if nothing went in.
    pub(crate) fn part(&mut self, mut input: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
        self.fresh = false;
        let mut step = [0; DEFLATE_STEP];
        loop {
            let before = self.deflate.totals();
            self.deflate.sync(input, &mut step);
            let after = self.deflate.totals();
            let written = (after.1 - before.1) as usize;
            input = &input[(after.0 - before.0) as usize..];
            out.write(&step[..written])?;
            // A step that was filled may hide more, even with no input left.
            if written < step.len() {
                debug_assert!(input.is_empty(), "deflate stops for want of room only");
                return Ok(());
            }
        }
    }

    /// Compresses the end of a unit, or all of it (RFC 7692 §7.2.1). `out` must be empty.
    pub(crate) fn last(&mut self, input: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
        self.part(input, out)?;
        if out.written().ends_with(&TAIL) {
            out.truncate_by(TAIL.len());
            Ok(())
        } else {
            // A flush behind a flush yields nothing; an empty block is due (RFC 7692 §7.2.3.6).
            out.write(&[0])
        }
    }
}

/// An inflater. Its window is always the largest, which inflates whatever a smaller one wrote.
pub(crate) struct Inflater {
    inflate: Inflate,
    /// Whether there have been octets since the stream was last known to stand at its very
    /// beginning or behind the tail of a unit.
    open: bool,
    fresh: bool,
}

impl Inflater {
    /// An inflater with an empty window.
    pub(crate) fn new() -> Self {
        Self {
            inflate: Inflate::new(false, WindowBits::MAX.get()),
            open: false,
            fresh: true,
        }
    }

    /// Empties the window.
    pub(crate) fn restart(&mut self) {
        if !self.fresh {
            self.inflate.reset(false);
            self.open = false;
            self.fresh = true;
        }
    }

    /// Inflates one piece of a unit.
    ///
    /// # Errors
    ///
    /// Data that is no DEFLATE stream, or an output over the limit. Of no use until
    /// [`Self::restart`] then.
    pub(crate) fn piece(&mut self, input: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
        if input.is_empty() {
            Ok(())
        } else if input.len() <= SMALL {
            self.steps(input, &mut [0; SMALL_INFLATE_STEP], out)
        } else {
            self.steps(input, &mut [0; INFLATE_STEP], out)
        }
    }

    fn steps(
        &mut self,
        mut input: &[u8],
        step: &mut [u8],
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        loop {
            let done = self.step(input, step, InflateFlush::NoFlush)?;
            out.write(&step[..done.written])?;
            input = &input[done.read..];
            if done.ended {
                // A block with BFINAL is legal, and what follows begins with an empty window
                // (RFC 7692 §7.2.3.4).
                self.restart();
                if input.is_empty() {
                    return Ok(());
                }
            } else if done.written < step.len() {
                // Room was left, so that it can only have stopped for want of input.
                return if input.is_empty() {
                    Ok(())
                } else {
                    Err(corrupt())
                };
            }
        }
    }

    /// Inflates what is due behind the last piece of a unit (RFC 7692 §7.2.2).
    ///
    /// # Errors
    ///
    /// As [`Self::piece`]; also a unit that ends inside a block.
    pub(crate) fn end(&mut self, out: &mut Output<'_>) -> Result<(), Failure> {
        if !self.open {
            // An empty unit, or one that ended with a BFINAL block and no empty block behind it,
            // as zlib's Z_FINISH leaves it. The bare tail would be garbage to the inflater.
            return Ok(());
        }
        // Told to stop between blocks, the inflater must stop in front of the fifth octet; if it
        // takes that one, the tail was not the end of a block to it.
        let tail = [TAIL[0], TAIL[1], TAIL[2], TAIL[3], 0];
        let mut input = &tail[..];
        let mut step = [0; TAIL_STEP];
        // Every turn takes an octet; a bound all the same, for nothing a peer sends may loop.
        for _ in TAIL {
            if input.len() <= 1 {
                break;
            }
            let done = self.step(input, &mut step, InflateFlush::Block)?;
            out.write(&step[..done.written])?;
            input = &input[done.read..];
            if done.ended {
                self.restart();
                break;
            }
        }
        self.open = false;
        if input.len() == 1 {
            Ok(())
        } else {
            Err(Failure::invalid_data("compressed data is cut short"))
        }
    }

    fn step(
        &mut self,
        input: &[u8],
        step: &mut [u8],
        flush: InflateFlush,
    ) -> Result<Step, Failure> {
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        self.fresh = false;
        self.open = true;
        let status = self
            .inflate
            .decompress(input, step, flush)
            .map_err(|_| corrupt())?;
        Ok(Step {
            read: (self.inflate.total_in() - read) as usize,
            written: (self.inflate.total_out() - written) as usize,
            ended: status == Status::StreamEnd,
        })
    }
}

struct Step {
    read: usize,
    written: usize,
    /// A block with BFINAL has ended.
    ended: bool,
}

fn corrupt() -> Failure {
    Failure::invalid_data("corrupt compressed data")
}
