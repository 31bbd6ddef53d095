//! Zstandard (RFC 8878) as the extension uses it: one frame a message, without its magic number.
//!
//! The only file that knows the library behind it.

use cloverleaf_proto::extension::{Failure, Output};
use zstd_safe::zstd_sys::ZSTD_EndDirective as Directive;
use zstd_safe::{
    CCtx, CParameter, DCtx, DDict, DParameter, ErrorCode, InBuffer, OutBuffer, ResetDirective,
    compress_bound, get_error_name,
};

use crate::window_bits::WindowBits;

/// What every frame begins with, and what never travels: the agreement says as much
/// (RFC 8878 §3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Octets come out in steps of this size, so that a bomb is noticed this long after it passes the
/// limit.
const STEP: usize = 16 << 10;

/// A compressor that has had to hold a whole message larger than this gives the memory back.
const KEEP: usize = 256 << 10;

/// Whether zstd takes these octets for a dictionary.
pub(crate) fn is_dictionary(content: &[u8]) -> bool {
    DDict::try_create(content).is_some()
}

/// Trains a dictionary; `sizes` are those of the samples, which stand one behind the other.
pub(crate) fn train(samples: &[u8], sizes: &[usize], size: usize) -> Result<Vec<u8>, &'static str> {
    let mut dictionary = Vec::with_capacity(size);
    match zstd_safe::train_from_buffer(&mut dictionary, samples, sizes) {
        Ok(_) => Ok(dictionary),
        Err(code) => Err(get_error_name(code)),
    }
}

/// How to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) level: i32,
    pub(crate) window_bits: WindowBits,
}

/// A compressor with one dictionary. It remembers nothing from one message to the next.
pub(crate) struct Compressor {
    settings: Settings,
    context: CCtx<'static>,
    step: Vec<u8>,
    /// Of a message in parts: whether its magic number has been taken off.
    begun: bool,
}

impl Compressor {
    /// A compressor. The dictionary is digested at the first use, and stays so.
    pub(crate) fn new(dictionary: &[u8], settings: Settings) -> Result<Self, Failure> {
        let mut context = CCtx::try_create().ok_or_else(no_memory)?;
        for parameter in [
            CParameter::CompressionLevel(settings.level),
            CParameter::WindowLog(settings.window_bits.get().into()),
            // It goes in front of a whole message: from it the other end knows how much memory it
            // needs, and mostly it stands in for the octet with the size of the window.
            CParameter::ContentSizeFlag(true),
            // TCP and TLS have their own.
            CParameter::ChecksumFlag(false),
            // The agreement names the dictionary.
            CParameter::DictIdFlag(false),
        ] {
            context.set_parameter(parameter).map_err(broken)?;
        }
        context.load_dictionary(dictionary).map_err(broken)?;
        Ok(Self {
            settings,
            context,
            step: Vec::new(),
            begun: false,
        })
    }

    /// How it compresses.
    pub(crate) const fn settings(&self) -> Settings {
        self.settings
    }

    /// Compresses a whole message. `false`: it would not become smaller, and nothing was written.
    pub(crate) fn whole(&mut self, input: &[u8], out: &mut Output<'_>) -> Result<bool, Failure> {
        self.step.clear();
        self.step.reserve(compress_bound(input.len()));
        let result = self.context.compress2(&mut self.step, input);
        result.map_err(broken)?;
        let frame = self.step.strip_prefix(&MAGIC).ok_or_else(no_magic)?;
        let smaller = frame.len() < input.len();
        if smaller {
            out.write(frame)?;
        }
        if self.step.capacity() > KEEP {
            self.step = Vec::new();
        }
        Ok(smaller)
    }

    /// A message in parts begins.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.begun = false;
        let result = self.context.reset(ResetDirective::SessionOnly);
        result.map(|_| ()).map_err(broken)
    }

    /// Compresses one part: all of it comes out, so that the other end has it.
    pub(crate) fn part(
        &mut self,
        input: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let directive = if last {
            Directive::ZSTD_e_end
        } else {
            Directive::ZSTD_e_flush
        };
        let mut input = InBuffer::around(input);
        self.step.reserve(STEP);
        loop {
            self.step.clear();
            let mut step = OutBuffer::around(&mut self.step);
            let left = self
                .context
                .compress_stream2(&mut step, &mut input, directive)
                .map_err(broken)?;
            let mut written = self.step.as_slice();
            if !self.begun && !written.is_empty() {
                written = written.strip_prefix(&MAGIC).ok_or_else(no_magic)?;
                self.begun = true;
            }
            out.write(written)?;
            if left == 0 {
                return Ok(());
            }
        }
    }
}

/// A decompressor with one dictionary.
pub(crate) struct Decompressor {
    context: DCtx<'static>,
    step: Vec<u8>,
    /// So many octets of the frame's header are to come; at least one, as long as none has.
    header: usize,
    begun: bool,
    ended: bool,
}

impl Decompressor {
    /// A decompressor, with its dictionary digested.
    pub(crate) fn new(dictionary: &[u8]) -> Result<Self, Failure> {
        let mut context = DCtx::try_create().ok_or_else(no_memory)?;
        context.load_dictionary(dictionary).map_err(broken)?;
        Ok(Self {
            context,
            step: Vec::with_capacity(STEP),
            header: 1,
            begun: false,
            ended: false,
        })
    }

    /// A message begins. Of its frame the window must not be larger than this.
    pub(crate) fn begin(&mut self, window_bits: WindowBits) -> Result<(), Failure> {
        self.header = 1;
        self.begun = false;
        self.ended = false;
        let reset = self.context.reset(ResetDirective::SessionOnly);
        reset.map_err(broken)?;
        let bound = DParameter::WindowLogMax(window_bits.get().into());
        self.context.set_parameter(bound).map_err(broken)?;
        self.advance(&MAGIC).map(|_| ())
    }

    /// Whether the frame is complete.
    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Decompresses one piece.
    ///
    /// # Errors
    ///
    /// Data that is no zstd frame of this dictionary, or goes on behind it, or an output over the
    /// limit.
    pub(crate) fn piece(&mut self, input: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
        let mut input = input;
        // The header octet by octet. Given more at once, zstd looks whether it has been given a
        // whole frame, reads one in another way that does not heed the size of the window, and
        // takes even a skippable frame for one.
        while self.header > 0
            && let Some((first, rest)) = input.split_first()
        {
            if !self.begun {
                self.begun = true;
                self.header = header_size(*first);
            }
            self.advance(&[*first])?;
            self.header -= 1;
            input = rest;
        }
        while !self.ended {
            let taken = self.advance(input)?;
            input = &input[taken..];
            out.write(&self.step)?;
            // With room left it has stopped for want of input.
            if !self.ended && self.step.len() < self.step.capacity() {
                break;
            }
        }
        if input.is_empty() {
            Ok(())
        } else {
            Err(Failure::invalid_data("data behind the zstd frame"))
        }
    }

    /// Takes octets until the step is full, and says how many.
    fn advance(&mut self, input: &[u8]) -> Result<usize, Failure> {
        self.step.clear();
        let mut step = OutBuffer::around(&mut self.step);
        let mut input = InBuffer::around(input);
        let hint = self.context.decompress_stream(&mut step, &mut input);
        let hint = hint.map_err(|code| Failure::invalid_data(get_error_name(code)))?;
        self.ended = hint == 0;
        Ok(input.pos())
    }
}

/// The size of a frame's header, by its first octet (RFC 8878 §3.1.1.1.1).
fn header_size(descriptor: u8) -> usize {
    let single_segment = descriptor >> 5 & 1;
    let window = 1 - single_segment;
    let dictionary_id = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content_size = [single_segment, 2, 4, 8][usize::from(descriptor >> 6)];
    usize::from(1 + window + dictionary_id + content_size)
}

/// An error that is none of the peer's.
fn broken(code: ErrorCode) -> Failure {
    Failure::invalid_data(get_error_name(code))
}

fn no_memory() -> Failure {
    Failure::invalid_data("no memory for a zstd context")
}

fn no_magic() -> Failure {
    Failure::invalid_data("zstd wrote a frame without its magic number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_header_is_that_of_the_standards_table() {
        for (descriptor, size) in [
            // The size of the window, and nothing else.
            (0x00, 2),
            // One segment: the size of the content in one octet, and no window.
            (0x20, 2),
            (0x60, 3),
            (0xA0, 5),
            (0xE0, 9),
            (0x40, 4),
            (0x80, 6),
            (0xC0, 10),
            // An id of one, two and four octets.
            (0x01, 3),
            (0x02, 4),
            (0x03, 6),
            (0xC3, 14),
            (0x23, 6),
            // Bits that do not count.
            (0x14, 2),
        ] {
            assert_eq!(header_size(descriptor), size, "{descriptor:02x}");
        }
    }
}
