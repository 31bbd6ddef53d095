//! The file, the tap that writes it, and what became of it.

use core::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloverleaf_proto::Role;
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::{Direction, Tap, View, Watcher};
use cloverleaf_proto::frame::Head;
use cloverleaf_proto::handshake::Handshake;

use crate::conversation::{Conversation, Packets};
use crate::{Options, block};

/// A tap that records into a file. Clones are handles to the same file.
#[derive(Clone)]
pub struct Capture(Arc<Mutex<Recorder>>);

/// Whether a [`Capture`] still records.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Status {
    /// It does.
    Recording,
    /// No: the file is as large as it may become.
    Full,
    /// No: the file could not be written.
    Failed(Arc<io::Error>),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording => f.write_str("recording"),
            Self::Full => f.write_str("no longer recording: the limit of the file is reached"),
            Self::Failed(error) => write!(f, "no longer recording: {error}"),
        }
    }
}

impl Capture {
    /// Records into this, beginning now. `clock` tells the time since 1970.
    ///
    /// It is written to in whole frames, by the thread of the connection; [`BufWriter`] makes less
    /// of it.
    pub fn to_writer(
        writer: impl Write + Send + 'static,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
        options: Options,
    ) -> Self {
        let mut recorder = Recorder {
            sink: Box::new(writer),
            clock: Box::new(clock),
            options,
            connections: 0,
            written: 0,
            status: Status::Recording,
            buffer: Vec::new(),
        };
        recorder.begin();
        Self(Arc::new(Mutex::new(recorder)))
    }

    /// Records into a new file, in place of one that may be there.
    ///
    /// # Errors
    ///
    /// The file cannot be made.
    pub fn create(
        path: impl AsRef<Path>,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
        options: Options,
    ) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Ok(Self::to_writer(file, clock, options))
    }

    /// Whether it still records.
    #[must_use]
    pub fn status(&self) -> Status {
        self.recorder().status.clone()
    }

    /// How many octets were handed to the file.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.recorder().written
    }

    /// Sees to it that what was recorded is in the file. The end of every connection does it too.
    ///
    /// # Errors
    ///
    /// The file cannot be written; then recording ends.
    pub fn flush(&self) -> io::Result<()> {
        let mut recorder = self.recorder();
        recorder.flush();
        match &recorder.status {
            Status::Failed(error) => Err(io::Error::new(error.kind(), Arc::clone(error))),
            Status::Recording | Status::Full => Ok(()),
        }
    }

    /// A thread that panicked elsewhere must not take the connections of others with it.
    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recorder = self.recorder();
        f.debug_struct("Capture")
            .field("status", &recorder.status)
            .field("written", &recorder.written)
            .field("connections", &recorder.connections)
            .field("options", &recorder.options)
            .finish_non_exhaustive()
    }
}

impl Tap for Capture {
    fn attach(&self, role: Role) -> Box<dyn Watcher> {
        let mut recorder = self.recorder();
        let conversation = Conversation::new(recorder.connections, role);
        recorder.connections += 1;
        Box::new(Recording {
            capture: self.clone(),
            conversation,
            stage: Stage::Before,
        })
    }
}

/// What all connections share.
struct Recorder {
    sink: Box<dyn Write + Send>,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    options: Options,
    connections: u64,
    written: u64,
    status: Status,
    buffer: Vec<u8>,
}

impl Recorder {
    /// A larger buffer is given back.
    const MAX_BUFFER: usize = 64 << 10;

    fn begin(&mut self) {
        let mut blocks = Vec::new();
        block::begin(&mut blocks);
        if self.written + blocks.len() as u64 > self.options.limit {
            self.status = Status::Full;
        } else {
            self.write(&blocks);
        }
    }

    /// Puts together what happened at one moment, and writes all of it or nothing.
    fn record(
        &mut self,
        conversation: &mut Conversation,
        make: impl FnOnce(&mut Conversation, &mut Packets<'_>),
    ) {
        if !matches!(self.status, Status::Recording) {
            return;
        }
        let since_1970 = (self.clock)();
        let mut blocks = core::mem::take(&mut self.buffer);
        blocks.clear();
        let mut packets = Packets {
            out: &mut blocks,
            micros: u64::try_from(since_1970.as_micros()).unwrap_or(u64::MAX),
            options: &self.options,
        };
        // Room for the note is always kept.
        conversation.note_full(&mut packets);
        let note = packets.out.len();
        make(conversation, &mut packets);
        if self.written.saturating_add(blocks.len() as u64) <= self.options.limit {
            self.write(&blocks[note..]);
        } else {
            self.status = Status::Full;
            if self.written.saturating_add(note as u64) <= self.options.limit {
                self.write(&blocks[..note]);
            }
            self.flush();
        }
        if blocks.capacity() <= Self::MAX_BUFFER {
            self.buffer = blocks;
        }
    }

    fn write(&mut self, blocks: &[u8]) {
        match self.sink.write_all(blocks) {
            Ok(()) => self.written += blocks.len() as u64,
            Err(error) => self.status = Status::Failed(Arc::new(error)),
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.sink.flush() {
            self.status = Status::Failed(Arc::new(error));
        }
    }
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Before,
    Open,
    Ended,
}

/// The watcher of one connection.
struct Recording {
    capture: Capture,
    conversation: Conversation,
    stage: Stage,
}

impl Recording {
    fn record(&mut self, make: impl FnOnce(&mut Conversation, &mut Packets<'_>)) {
        let mut recorder = self.capture.recorder();
        recorder.record(&mut self.conversation, make);
    }

    fn open(&mut self, heads: Option<(&[u8], &[u8])>) {
        if self.stage == Stage::Before {
            self.stage = Stage::Open;
            self.record(|conversation, packets| conversation.open(packets, heads));
        }
    }

    fn end(&mut self, make: impl FnOnce(&mut Conversation, &mut Packets<'_>)) {
        if core::mem::replace(&mut self.stage, Stage::Ended) == Stage::Open {
            self.record(make);
            self.capture.recorder().flush();
        }
    }
}

impl Watcher for Recording {
    fn opened(&mut self, handshake: &Handshake) {
        self.open(Some((handshake.request_head(), handshake.response_head())));
    }

    fn frame(&mut self, view: View, direction: Direction, head: Head, payload: &[u8]) {
        if view != View::Wire || self.stage == Stage::Ended {
            return;
        }
        self.open(None);
        let ours = self.conversation.ours();
        let from = match direction {
            Direction::Outgoing => ours,
            Direction::Incoming => ours.other(),
        };
        self.record(|conversation, packets| conversation.frame(packets, from, head, payload));
    }

    fn closed(&mut self, closed: &Closed) {
        self.end(|conversation, packets| {
            let comment = if packets.options.payloads {
                closed.to_string()
            } else {
                // Without the reason, which is the peer's.
                format!("closed with code {}", closed.code)
            };
            conversation.close(packets, &comment);
        });
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.end(|conversation, packets| conversation.drop(packets));
    }
}
