//! A byte stream with what was read from it and is not used yet.

use std::time::Duration;

use cloverleaf_judge::http::Head;
use cloverleaf_reports::Role;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use super::Faulty;
use super::endpoint::LONG;
use super::fault::Kind;

/// How long the head of a handshake may take (RFC 6455 §10.7 leaves the time open).
const HEAD_TIME: Duration = Duration::from_secs(10);

/// The longest head of a handshake in octets.
const MAX_HEAD: usize = 16 << 10;

/// For ever.
const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

/// The peer ended TCP, or it broke.
#[derive(Debug)]
pub(super) struct Gone;

/// Why there is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHead {
    Gone,
    Late,
    TooLong,
    Broken,
}

#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    input: Vec<u8>,
    used: usize,
    role: Role,
    faulty: Faulty,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, role: Role, faulty: Faulty) -> Self {
        Self {
            stream,
            input: Vec::new(),
            used: 0,
            role,
            faulty,
        }
    }

    /// What was read and is not used.
    pub(super) fn pending(&mut self) -> &mut [u8] {
        &mut self.input[self.used..]
    }

    pub(super) fn consume(&mut self, octets: usize) {
        self.used += octets;
    }

    /// Forgets what was read and is not used.
    pub(super) fn lose_pending(&mut self) {
        self.used = self.input.len();
    }

    /// Reads once.
    pub(super) async fn read(&mut self) -> Result<(), Gone> {
        self.input.drain(..self.used);
        self.used = 0;
        self.input.reserve(16 << 10);
        match self.stream.read_buf(&mut self.input).await {
            Ok(1..) => Ok(()),
            Ok(0) | Err(_) => {
                if self.faulty.has(Kind::OverlooksTheEndOfTcp) {
                    sleep(LONG).await;
                }
                Err(Gone)
            }
        }
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> Result<(), Gone> {
        self.stream.write_all(octets).await.map_err(|_| Gone)?;
        self.stream.flush().await.map_err(|_| Gone)
    }

    /// Says that nothing more will be written.
    pub(super) async fn shutdown(&mut self) {
        // If it fails, the peer is gone already.
        let _ = self.stream.shutdown().await;
    }

    /// Reads so many octets and forgets them.
    pub(super) async fn skip(&mut self, octets: usize) -> Result<(), Gone> {
        let mut left = octets;
        loop {
            let here = self.pending().len().min(left);
            self.consume(here);
            left -= here;
            if left == 0 {
                return Ok(());
            }
            self.read().await?;
        }
    }

    /// Reads until the peer ends TCP, or the time is over, and forgets it all.
    pub(super) async fn drain(&mut self, time: Duration) {
        let read_on = async {
            while self.read().await.is_ok() {
                self.lose_pending();
            }
        };
        // Enough waited.
        let _ = timeout(time, read_on).await;
    }

    /// Reads the head of a request or a response.
    pub(super) async fn head(&mut self) -> Result<Head, NoHead> {
        let time = match self.faulty.0 {
            Some(Kind::WaitsForEver | Kind::HeadWithoutLimit) => FOR_EVER,
            _ => HEAD_TIME,
        };
        match timeout(time, self.head_in_time()).await {
            Ok(read) => read,
            Err(_) => Err(NoHead::Late),
        }
    }

    async fn head_in_time(&mut self) -> Result<Head, NoHead> {
        // Behind one head another may wait.
        let mut waiting = !self.pending().is_empty();
        loop {
            if !waiting {
                self.read().await.map_err(|Gone| NoHead::Gone)?;
            }
            waiting = false;
            // RFC 9112 §2.2: an empty line in front is skipped.
            if !self.faulty.has(Kind::RefusesEmptyLineInFront) {
                while self.pending().starts_with(b"\r\n") {
                    self.consume(2);
                }
            }
            let head = Head::parse(self.pending());
            let size = match &head {
                Some((_, size)) => *size,
                None => self.pending().len(),
            };
            // RFC 6455 §10.4
            if size > MAX_HEAD && !self.faulty.has(Kind::HeadWithoutLimit) {
                return Err(NoHead::TooLong);
            }
            if let Some((head, size)) = head {
                let colons = has_colons(&self.pending()[..size]);
                self.consume(size);
                // RFC 9112 §5: each line is a name, a colon, and a value. A client may overlook it.
                if !colons
                    && self.role == Role::Server
                    && !self.faulty.has(Kind::AcceptsLinesWithoutColon)
                {
                    return Err(NoHead::Broken);
                }
                return Ok(head);
            }
            if self.faulty.has(Kind::ExpectsHeadAtOnce) {
                return Err(NoHead::Broken);
            }
        }
    }
}

/// Whether every line of a head but the first has a colon.
fn has_colons(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let fields = text.trim_end_matches("\r\n").split("\r\n").skip(1);
    fields.into_iter().all(|line| line.contains(':'))
}
