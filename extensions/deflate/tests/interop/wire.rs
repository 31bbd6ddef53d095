//! The octets of a connection, noted as they pass, and what they say about compression.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::walker::Walker;

/// Both directions, opening handshake included.
#[derive(Default)]
struct Octets {
    sent: Vec<u8>,
    received: Vec<u8>,
}

/// A stream that notes what passes.
pub(crate) struct Tapped {
    stream: TcpStream,
    octets: Arc<Mutex<Octets>>,
}

/// What a [`Tapped`] has noted.
pub(crate) struct Notes(Arc<Mutex<Octets>>);

impl Tapped {
    pub(crate) fn new(stream: TcpStream) -> (Self, Notes) {
        let octets = Arc::default();
        let notes = Notes(Arc::clone(&octets));
        (Self { stream, octets }, notes)
    }
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let mut octets = self.octets.lock().expect("nobody panics in here");
        octets.received.extend_from_slice(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        let mut octets = self.octets.lock().expect("nobody panics in here");
        octets.sent.extend_from_slice(&buf[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What one direction did with compression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// Data frames.
    pub(crate) frames: usize,
    /// Those of them that were compressed, or messages that were, and continuations among these.
    pub(crate) compressed: usize,
    pub(crate) continuations: usize,
    /// Octets that were compressed, and what they came from.
    pub(crate) wire: usize,
    pub(crate) plain: usize,
    /// The furthest any match reaches back.
    pub(crate) distance: usize,
    /// Whether something refers to what came before it.
    pub(crate) takes_over: bool,
}

impl Notes {
    /// What we sent, and what we received. What is compressed on its own is a frame, or a message.
    pub(crate) fn flows(&self, per_message: bool) -> [Flow; 2] {
        let octets = self.0.lock().expect("nobody panics in there");
        [&octets.sent, &octets.received].map(|octets| flow(octets, per_message))
    }
}

fn flow(octets: &[u8], per_message: bool) -> Flow {
    let head = octets.windows(4).position(|four| four == b"\r\n\r\n");
    let mut rest = &octets[head.expect("an opening handshake") + 4..];
    let mut flow = Flow::default();
    let mut walker = Walker::default();
    let (mut unit, mut compressed) = (Vec::new(), false);
    while let Some((first, payload)) = frame(&mut rest) {
        if first & 0x08 != 0 {
            assert_eq!(first & 0x70, 0, "a control frame with a reserved bit");
            continue;
        }
        flow.frames += 1;
        let continuation = first & 0x0F == 0;
        if !continuation || !per_message {
            compressed = first & 0x40 != 0;
        }
        unit.extend_from_slice(&payload);
        if per_message && first & 0x80 == 0 {
            continue;
        }
        let unit = core::mem::take(&mut unit);
        if !compressed || unit.is_empty() {
            continue;
        }
        flow.compressed += 1;
        flow.continuations += usize::from(continuation);
        flow.wire += unit.len();
        let plain = walker.message(&unit).expect("DEFLATE");
        flow.plain += plain.len();
        flow.takes_over |= Walker::default().message(&unit) != Ok(plain);
    }
    flow.distance = walker.max_distance;
    flow
}

/// The next frame, unmasked.
fn frame(rest: &mut &[u8]) -> Option<(u8, Vec<u8>)> {
    let (head, after) = rest.split_at_checked(2)?;
    let extended = match head[1] & 0x7F {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let (extended, after) = after.split_at(extended);
    let mut length = extended
        .iter()
        .fold(0, |n, octet| n << 8 | usize::from(*octet));
    if extended.is_empty() {
        length = usize::from(head[1] & 0x7F);
    }
    let (key, after) = after.split_at(if head[1] & 0x80 == 0 { 0 } else { 4 });
    let (payload, after) = after.split_at(length);
    *rest = after;
    let mut payload = payload.to_vec();
    if !key.is_empty() {
        for (octet, key) in payload.iter_mut().zip(key.iter().cycle()) {
            *octet ^= key;
        }
    }
    Some((head[0], payload))
}
