//! A connection before it is open: heads are written and read, and logged.

use std::time::Duration;

use cloverleaf_reports::model::Direction;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout_at};

use crate::http::{Head, MAX_HEAD};
use crate::session::Log;

/// How reading a head ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadHead {
    /// It is whole.
    Whole(Head),
    /// TCP ended before it was.
    End,
    /// Time ran out.
    Late,
    /// It grew too long.
    TooLong,
}

pub(super) struct Wire<S> {
    pub(super) stream: S,
    pub(super) log: Log,
    /// Octets that were read and not used.
    pub(super) rest: Vec<u8>,
    /// The text of the last head.
    pub(super) text: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, rest: Vec<u8>) -> Self {
        Self {
            stream,
            log: Log::default(),
            rest,
            text: String::new(),
        }
    }

    /// Writes octets, in pieces with pauses if so asked. A subject that is gone is noticed when
    /// reading.
    pub(super) async fn write(&mut self, octets: &[u8], chop: Option<usize>, pause: Duration) {
        let size = chop.unwrap_or(octets.len()).max(1);
        for (number, piece) in octets.chunks(size).enumerate() {
            if number > 0 && !pause.is_zero() {
                sleep(pause).await;
            }
            self.log.handshake(Direction::Sent, piece);
            if self.stream.write_all(piece).await.is_err() || self.stream.flush().await.is_err() {
                return;
            }
            if chop.is_some() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Reads a head.
    pub(super) async fn read_head(&mut self, until: Instant) -> ReadHead {
        loop {
            if let Some((head, size)) = Head::parse(&self.rest) {
                self.text = String::from_utf8_lossy(&self.rest[..size]).into_owned();
                self.rest.drain(..size);
                return ReadHead::Whole(head);
            }
            if self.rest.len() > MAX_HEAD {
                return ReadHead::TooLong;
            }
            match self.read_more(until).await {
                Some(true) => {}
                Some(false) => return ReadHead::End,
                None => return ReadHead::Late,
            }
        }
    }

    /// Reads what comes next: `Some(false)` at the end of TCP, `None` if nothing came in time.
    pub(super) async fn read_more(&mut self, until: Instant) -> Option<bool> {
        let mut buffer = [0; 16 << 10];
        match timeout_at(until, self.stream.read(&mut buffer)).await {
            Err(_) => None,
            Ok(Err(_) | Ok(0)) => Some(false),
            Ok(Ok(count)) => {
                self.log.handshake(Direction::Received, &buffer[..count]);
                self.rest.extend_from_slice(&buffer[..count]);
                Some(true)
            }
        }
    }

    /// Reads to the end of TCP, keeping at most so many octets; whether the end came in time.
    pub(super) async fn read_to_end(&mut self, until: Instant) -> bool {
        loop {
            match self.read_more(until).await {
                Some(true) if self.rest.len() > 1 << 20 => self.rest.clear(),
                Some(true) => {}
                Some(false) => return true,
                None => return false,
            }
        }
    }
}
