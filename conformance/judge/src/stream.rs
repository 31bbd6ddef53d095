//! Windows over a corpus in compressed form, made once and shared by all cases that send the same.
//!
//! Compressing is what costs the judge most, and what it sends depends on the corpus, the size,
//! and its own window and context only: the eight sections that send JSON send the same octets.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::corpus::Kind;
use crate::deflate::Deflater;

/// Compressed messages are kept up to about so many octets.
const KEPT: usize = 256 << 20;

type Key = (Kind, usize, u8, bool);

/// The messages of one kind, size, window and context, each made when it is first asked for.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    size: usize,
    made: Mutex<Made>,
}

#[derive(Debug)]
struct Made {
    deflater: Deflater,
    at: usize,
    messages: Vec<Arc<[u8]>>,
    octets: usize,
}

#[derive(Debug, Default)]
struct Shelf {
    streams: HashMap<Key, (u64, Arc<Stream>)>,
    uses: u64,
}

static SHELF: LazyLock<Mutex<Shelf>> = LazyLock::new(Mutex::default);

impl Stream {
    /// The windows of so many characters or octets over a corpus, compressed with a window of
    /// 2^`window_bits` octets, with or without the context of earlier messages.
    pub fn of(kind: Kind, size: usize, window_bits: u8, takeover: bool) -> Arc<Self> {
        let key = (kind, size, window_bits, takeover);
        let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.uses += 1;
        let uses = shelf.uses;
        if let Some((used, stream)) = shelf.streams.get_mut(&key) {
            *used = uses;
            return Arc::clone(stream);
        }
        shelf.make_room();
        let made = Made {
            deflater: Deflater::new(window_bits, takeover),
            at: 0,
            messages: Vec::new(),
            octets: 0,
        };
        let stream = Arc::new(Self {
            kind,
            size,
            made: Mutex::new(made),
        });
        shelf.streams.insert(key, (uses, Arc::clone(&stream)));
        stream
    }

    /// The message with this number, from 0.
    pub fn message(&self, number: u32) -> Arc<[u8]> {
        let number = number as usize;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        while made.messages.len() <= number {
            let (window, next) = self.kind.corpus().window(made.at, self.size);
            made.at = next;
            let message: Arc<[u8]> = made.deflater.message(&window).into();
            made.octets += message.len();
            made.messages.push(message);
        }
        Arc::clone(&made.messages[number])
    }

    fn octets(&self) -> usize {
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .octets
    }
}

impl Shelf {
    /// Takes the streams down that were not asked for longest, until the rest fits.
    fn make_room(&mut self) {
        let mut octets: usize = self
            .streams
            .values()
            .map(|(_, stream)| stream.octets())
            .sum();
        while octets > KEPT {
            let oldest = self.streams.iter().min_by_key(|(_, (used, _))| *used);
            let Some(key) = oldest.map(|(key, _)| *key) else {
                return;
            };
            if let Some((_, stream)) = self.streams.remove(&key) {
                octets -= stream.octets();
            }
        }
    }
}
