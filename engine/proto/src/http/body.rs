//! The content of an answer that is not a 101: bounded, and only kept to explain the refusal.

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Response, StatusCode, Version};

use super::{contains_token, only};

/// So much of it is kept.
const MAX_BODY: usize = 64 << 10;

/// So much framing around it is put up with: sizes, chunk extensions, trailers.
const MAX_OVERHEAD: usize = 16 << 10;

/// The content of a response, as far as it has come (RFC 9112 §6.3).
#[derive(Debug)]
pub(crate) struct Body {
    framing: Framing,
    content: BytesMut,
    overhead: usize,
    keep_alive: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Framing {
    /// So many octets are left.
    Length(u64),
    /// In a chunk size: its value and whether a digit has been seen.
    Size(u64, bool),
    /// Behind a chunk size, up to the end of the line.
    Extension(u64),
    /// So many octets of the chunk are left.
    Chunk(u64),
    /// In the CRLF behind a chunk.
    ChunkEnd,
    /// In the trailer section; the length of its current line.
    Trailer(usize),
    /// Up to the end of the connection.
    ToEof,
    /// Complete.
    Whole,
    /// Not to be read further: too long, or malformed.
    Cut,
}

impl Body {
    /// What follows this head.
    pub(crate) fn of(response: &Response<()>) -> Self {
        let headers = response.headers();
        let framing = if matches!(
            response.status(),
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        ) {
            Framing::Whole
        } else if headers.contains_key(TRANSFER_ENCODING) {
            if contains_token(headers, TRANSFER_ENCODING, "chunked") {
                Framing::Size(0, false)
            } else {
                Framing::ToEof
            }
        } else {
            let length = only(headers, CONTENT_LENGTH)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| value.parse().ok());
            match length {
                Some(0) => Framing::Whole,
                Some(length) => Framing::Length(length),
                None => Framing::ToEof,
            }
        };
        Self {
            framing,
            content: BytesMut::new(),
            overhead: 0,
            keep_alive: response.version() == Version::HTTP_11
                && !contains_token(headers, CONNECTION, "close"),
        }
    }

    /// Whether nothing more is wanted.
    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.framing, Framing::Whole | Framing::Cut)
    }

    /// Whether it ended in good order and the connection may carry another request.
    pub(crate) fn is_reusable(&self) -> bool {
        self.keep_alive && self.framing == Framing::Whole
    }

    pub(crate) fn into_content(self) -> Bytes {
        self.content.freeze()
    }

    /// Takes what belongs to it and returns how many octets that was.
    pub(crate) fn push(&mut self, octets: &[u8]) -> usize {
        let mut rest = octets;
        while !rest.is_empty() && !self.is_complete() {
            let taken = match self.framing {
                Framing::Length(left) | Framing::Chunk(left) => self.keep(rest, left),
                Framing::ToEof => self.keep(rest, u64::MAX),
                _ => {
                    self.overhead += 1;
                    self.framing = self.step(rest[0]);
                    1
                }
            };
            rest = &rest[taken..];
        }
        octets.len() - rest.len()
    }

    /// Takes content; `left` octets of it are left in its unit.
    fn keep(&mut self, octets: &[u8], left: u64) -> usize {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX);
        let room = MAX_BODY - self.content.len();
        let taken = octets.len().min(wanted).min(room);
        self.content.extend_from_slice(&octets[..taken]);
        let left = left - taken as u64;
        self.framing = match self.framing {
            Framing::Length(_) if left == 0 => Framing::Whole,
            Framing::Chunk(_) if left == 0 => Framing::ChunkEnd,
            // There is more, and no room for it.
            _ if self.content.len() == MAX_BODY => Framing::Cut,
            Framing::Length(_) => Framing::Length(left),
            Framing::Chunk(_) => Framing::Chunk(left),
            _ => Framing::ToEof,
        };
        taken
    }

    /// One octet of the framing of chunks (RFC 9112 §7.1). Lenient in what does not matter here:
    /// where a CR is missing, the LF will do.
    fn step(&self, octet: u8) -> Framing {
        if self.overhead > MAX_OVERHEAD {
            return Framing::Cut;
        }
        let after_size = |size| match size {
            0 => Framing::Trailer(0),
            size => Framing::Chunk(size),
        };
        match self.framing {
            Framing::Size(size, seen) => match (char::from(octet).to_digit(16), octet) {
                (Some(digit), _) => match size.checked_mul(16) {
                    Some(size) => Framing::Size(size + u64::from(digit), true),
                    None => Framing::Cut,
                },
                (None, _) if !seen => Framing::Cut,
                (None, b'\n') => after_size(size),
                (None, b'\r' | b';' | b' ' | b'\t') => Framing::Extension(size),
                (None, _) => Framing::Cut,
            },
            Framing::Extension(size) if octet == b'\n' => after_size(size),
            Framing::Extension(size) => Framing::Extension(size),
            Framing::ChunkEnd => match octet {
                b'\r' => Framing::ChunkEnd,
                b'\n' => Framing::Size(0, false),
                _ => Framing::Cut,
            },
            Framing::Trailer(0) if octet == b'\n' => Framing::Whole,
            Framing::Trailer(length) => match octet {
                b'\n' => Framing::Trailer(0),
                b'\r' => Framing::Trailer(length),
                _ => Framing::Trailer(length + 1),
            },
            _ => Framing::Cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::parse_response;

    fn body(head: &str) -> Body {
        Body::of(&parse_response(head.as_bytes(), 4).expect("a response"))
    }

    /// The content and how many octets were taken.
    fn read(head: &str, octets: &[u8], step: usize) -> (Body, usize) {
        let mut body = body(head);
        let mut taken = 0;
        for piece in octets.chunks(step) {
            taken += body.push(piece);
        }
        (body, taken)
    }

    const CHUNKED: &str = "HTTP/1.1 401 x\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn content_of_a_known_length_ends_there() {
        for step in [1, 2, 100] {
            let (body, taken) = read(
                "HTTP/1.1 401 x\r\nContent-Length: 5\r\n\r\n",
                b"HelloGET",
                step,
            );
            assert!(body.is_reusable());
            assert_eq!(taken, 5);
            assert_eq!(body.into_content(), "Hello");
        }
    }

    #[test]
    fn chunks_are_joined() {
        let octets = b"3\r\nHel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: z\r\n\r\nX";
        for step in [1, 3, 100] {
            let (body, taken) = read(CHUNKED, octets, step);
            assert!(body.is_reusable());
            assert_eq!(taken, octets.len() - 1);
            assert_eq!(body.into_content(), "Hello");
        }
    }

    #[test]
    fn malformed_chunks_end_the_content() {
        for octets in [
            &b"x\r\n"[..],
            b"\r\n",
            b"fffffffffffffffff\r\n",
            b"1\r\nab",
            b"1 \r\nab",
        ] {
            let (body, _) = read(CHUNKED, octets, 1);
            assert!(body.is_complete(), "{octets:?}");
            assert!(!body.is_reusable(), "{octets:?}");
        }
        let (body, _) = read(CHUNKED, format!("1;{}", "x".repeat(20_000)).as_bytes(), 7);
        assert!(body.is_complete());
    }

    // C07.
    #[test]
    fn no_more_than_64_kib_are_kept() {
        let long = vec![b'x'; MAX_BODY + 1];
        for head in [
            "HTTP/1.1 500 x\r\n\r\n",
            "HTTP/1.1 500 x\r\nContent-Length: 9223372036854775808\r\n\r\n",
            "HTTP/1.1 500 x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        ] {
            let (body, taken) = read(head, &long, 1000);
            assert!(body.is_complete());
            assert!(!body.is_reusable());
            assert_eq!(taken, MAX_BODY);
            assert_eq!(body.into_content().len(), MAX_BODY);
        }
    }

    #[test]
    fn a_closing_or_old_server_is_not_asked_again() {
        assert!(body("HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n").is_reusable());
        assert!(!body("HTTP/1.0 401 x\r\nContent-Length: 0\r\n\r\n").is_reusable());
        assert!(
            !body("HTTP/1.1 401 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").is_reusable()
        );
        assert!(!body("HTTP/1.1 401 x\r\n\r\n").is_complete());
    }
}
