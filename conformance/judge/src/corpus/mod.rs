//! The payloads of the compression cases.
//!
//! The cases of 12.x and 13.x send windows of five files: a JSON register, a bitmap, German
//! prose, a page of HTML and a PDF. These are of the same kinds and sizes, but our own: code
//! makes them, the same on every machine, when they are first asked for.

mod bitmap;
mod html;
mod json;
mod pdf;
mod prose;
mod random;
mod words;

use std::borrow::Cow;
use std::sync::OnceLock;

/// The kinds of payload, in the order of the sub-groups 12.1 to 12.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the suite has these five")]
pub enum Kind {
    /// JSON text, which compresses best.
    Json,
    /// A picture of grey octets, which hardly compresses.
    Bitmap,
    /// German-like prose, sent as binary.
    Prose,
    /// A page of HTML, with characters of one to four octets.
    Html,
    /// A PDF of pictures, which all but refuses to be compressed.
    Pdf,
}

impl Kind {
    /// All of them, in the order of the sub-groups.
    pub const ALL: [Self; 5] = [Self::Json, Self::Bitmap, Self::Prose, Self::Html, Self::Pdf];

    /// The payloads of this kind; the first call makes them, in some milliseconds.
    #[must_use]
    pub fn corpus(self) -> &'static Corpus {
        static CORPORA: [OnceLock<Corpus>; 5] = [const { OnceLock::new() }; 5];
        CORPORA[self as usize].get_or_init(|| match self {
            Self::Json => Corpus::text("json", "Large JSON data file", json::generate()),
            Self::Bitmap => Corpus::binary(
                "bitmap",
                "Bitmap of 512x512 grey pixels",
                bitmap::generate(),
            ),
            Self::Prose => Corpus::binary(
                "prose",
                "Human-readable text, German-like",
                prose::generate(),
            ),
            Self::Html => Corpus::text("html", "Large HTML file", html::generate()),
            Self::Pdf => Corpus::binary("pdf", "A larger PDF", pdf::generate()),
        })
    }
}

/// Octets to cut payloads from.
///
/// Positions and lengths count octets in a binary corpus and code points in a text one.
#[derive(Debug)]
pub struct Corpus {
    name: &'static str,
    description: &'static str,
    octets: Vec<u8>,
    is_text: bool,
    total: usize,
    /// Of each code point longer than one octet: the position after it, and by how many octets
    /// that lies further on than the position says. Empty for a binary corpus.
    shifts: Vec<(usize, usize)>,
}

impl Corpus {
    fn binary(name: &'static str, description: &'static str, octets: Vec<u8>) -> Self {
        let total = octets.len();
        Self {
            name,
            description,
            octets,
            is_text: false,
            total,
            shifts: Vec::new(),
        }
    }

    fn text(name: &'static str, description: &'static str, octets: Vec<u8>) -> Self {
        let text = std::str::from_utf8(&octets).expect("the generators of text write Strings");
        let mut shift = 0;
        let mut total = 0;
        let mut shifts = Vec::new();
        for character in text.chars() {
            total += 1;
            if character.len_utf8() > 1 {
                shift += character.len_utf8() - 1;
                shifts.push((total, shift));
            }
        }
        Self {
            name,
            description,
            octets,
            is_text: true,
            total,
            shifts,
        }
    }

    /// One word for it: `json`, `bitmap`, `prose`, `html` or `pdf`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is, for a report.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// The whole.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Whether it is sent in text messages; then every window is UTF-8.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.is_text
    }

    /// How many positions there are: code points of text, octets otherwise.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// The payload of `length` positions that begins at `from`, and where the next one begins.
    ///
    /// A window that reaches the end goes on at the beginning. Begin with 0 and pass on what
    /// comes back. `length` is at most [`total`](Self::total); a longer one is cut down to it by
    /// whole rounds. A `from` past the end counts from the beginning again.
    #[must_use]
    pub fn window(&self, from: usize, length: usize) -> (Cow<'_, [u8]>, usize) {
        let from = from % self.total;
        let next = (from + length % self.total) % self.total;
        let (begin, end) = (self.octet(from), self.octet(next));
        let window = if length == 0 {
            Cow::Borrowed(&[][..])
        } else if next > from {
            Cow::Borrowed(&self.octets[begin..end])
        } else if next == 0 {
            Cow::Borrowed(&self.octets[begin..])
        } else {
            Cow::Owned([&self.octets[begin..], &self.octets[..end]].concat())
        };
        (window, next)
    }

    /// The octet at which this position begins.
    fn octet(&self, position: usize) -> usize {
        let before = self.shifts.partition_point(|&(after, _)| after <= position);
        position + before.checked_sub(1).map_or(0, |last| self.shifts[last].1)
    }
}

#[cfg(test)]
mod tests;
