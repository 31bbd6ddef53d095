//! A dictionary: octets that both ends have before the first message comes.

use core::fmt;
use std::sync::Arc;

use sha1::{Digest, Sha1};

use crate::codec;

/// zstd takes fewer octets for no dictionary at all.
const LEAST: usize = 8;

/// So many octets of the hash are in the id.
const ID_OCTETS: usize = 8;

/// What both ends know beforehand. Cloning shares it.
///
/// Either as the zstd tool trains it (`zstd --train`, or [`Dictionary::train`]), or any octets that
/// messages are likely to repeat.
#[derive(Clone, PartialEq, Eq)]
pub struct Dictionary {
    id: Arc<str>,
    content: Arc<[u8]>,
}

impl Dictionary {
    /// A dictionary of these octets, at least 8.
    ///
    /// # Errors
    ///
    /// There are fewer, or they begin like a trained dictionary and are none.
    pub fn new(content: impl Into<Arc<[u8]>>) -> Result<Self, DictionaryError> {
        let content = content.into();
        if content.len() < LEAST {
            return Err(DictionaryError::TooShort);
        }
        if !codec::is_dictionary(&content) {
            return Err(DictionaryError::Corrupt);
        }
        let hash = Sha1::digest(&content);
        let id: String = hash[..ID_OCTETS]
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        Ok(Self {
            id: id.into(),
            content,
        })
    }

    /// Trains a dictionary of at most `size` octets from messages like those to come.
    ///
    /// A hundred times as many octets of samples as the dictionary is to have are a good measure; 16
    /// to 100 KiB a good size.
    ///
    /// # Errors
    ///
    /// The samples are too few, too small or too much alike.
    pub fn train<S: AsRef<[u8]>>(
        samples: impl IntoIterator<Item = S>,
        size: usize,
    ) -> Result<Self, DictionaryError> {
        let mut all = Vec::new();
        let mut sizes = Vec::new();
        for sample in samples {
            let sample = sample.as_ref();
            all.extend_from_slice(sample);
            sizes.push(sample.len());
        }
        Self::new(codec::train(&all, &sizes, size).map_err(DictionaryError::Untrainable)?)
    }

    /// The name by which the two ends know that they have the same: the first 16 hexadecimal digits
    /// of the content's SHA-1, in lower case.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The octets, such as to keep them in a file.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary")
            .field("id", &self.id)
            .field("octets", &self.content.len())
            .finish()
    }
}

/// Why octets are of no use as a dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DictionaryError {
    /// They begin like a trained dictionary and are none.
    Corrupt,
    /// They are fewer than 8.
    TooShort,
    /// No dictionary comes of the samples.
    Untrainable(&'static str),
}

impl fmt::Display for DictionaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt => f.write_str(
                "the dictionary begins with zstd's magic number but is damaged: train it anew",
            ),
            Self::TooShort => write!(f, "a dictionary must have at least {LEAST} octets"),
            Self::Untrainable(why) => write!(
                f,
                "no dictionary comes of these samples ({why}): give more, and more different ones"
            ),
        }
    }
}

impl core::error::Error for DictionaryError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_beginning_of_the_sha_1_of_the_content() {
        // `printf %s 'The quick brown fox jumps over the lazy dog' | sha1sum`
        let content = &b"The quick brown fox jumps over the lazy dog"[..];
        let dictionary = Dictionary::new(content).expect("long enough");
        assert_eq!(dictionary.id(), "2fd4e1c67a2d28fc");
        assert_eq!(dictionary.content(), content);
        let other = Dictionary::new(&b"The quick brown fox jumps over the lazy cog"[..]);
        assert_eq!(other.expect("long enough").id(), "de9f2c7fd25e1b3a");
    }

    #[test]
    fn too_few_octets_and_a_damaged_dictionary_are_refused() {
        let new = |octets: &[u8]| Dictionary::new(octets).map(|_| ());
        assert_eq!(new(b""), Err(DictionaryError::TooShort));
        assert_eq!(new(b"1234567"), Err(DictionaryError::TooShort));
        assert_eq!(new(b"12345678"), Ok(()));
        // The magic number of a trained one (RFC 8878 section 5), and nothing behind its id.
        let damaged = b"\x37\xA4\x30\xEC\x01\x00\x00\x00";
        assert_eq!(new(damaged), Err(DictionaryError::Corrupt));
    }

    #[test]
    fn samples_that_teach_nothing_are_an_error() {
        let none: [&[u8]; 0] = [];
        for result in [
            Dictionary::train(none, 1024),
            Dictionary::train([b"one sample"], 1024),
            Dictionary::train([b"one sample"; 100], 0),
        ] {
            assert!(
                matches!(result, Err(DictionaryError::Untrainable(_))),
                "{result:?}"
            );
        }
    }

    #[test]
    fn what_was_trained_is_a_dictionary_of_at_most_the_size_asked_for() {
        let samples: Vec<String> = (0..1000)
            .map(|n| format!(r#"{{"number":{n},"square":{},"kind":"sample"}}"#, n * n))
            .collect();
        let dictionary = Dictionary::train(&samples, 2048).expect("enough samples");
        assert!(dictionary.content().starts_with(b"\x37\xA4\x30\xEC"));
        assert!(dictionary.content().len() <= 2048);
        let again = Dictionary::new(dictionary.content()).expect("it was trained");
        assert_eq!(again, dictionary);
    }
}
