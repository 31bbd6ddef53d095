//! The answer to a request that is no opening handshake, such as the CONNECT that a proxy is asked.

use bytes::{Bytes, BytesMut};
use http::{Method, Response, StatusCode};

use super::HandshakeError;
use crate::http::{Body, HeadLimits, HeadScan, parse_response};

/// So many interim answers are passed over.
const MAX_INTERIM: u32 = 10;

/// Reads one answer: its head within limits, behind at most ten interim ones, and the first 64 KiB of
/// its content. Not an octet more is taken than belongs to it.
///
/// ```
/// use cloverleaf_proto::handshake::{HeadLimits, ResponseReader};
///
/// let mut reader = ResponseReader::new(&http::Method::CONNECT, HeadLimits::default());
/// let octets = b"HTTP/1.1 200 Connection established\r\n\r\nfrom the server";
/// let taken = reader.handle_input(octets)?;
/// assert_eq!(&octets[taken..], b"from the server");
/// let (response, _) = reader.finish().expect("it is complete");
/// assert_eq!(response.status(), 200);
/// # Ok::<(), cloverleaf_proto::handshake::HandshakeError>(())
/// ```
#[derive(Debug)]
pub struct ResponseReader {
    connect: bool,
    limits: HeadLimits,
    interim: u32,
    scan: HeadScan,
    head: BytesMut,
    state: State,
}

#[derive(Debug)]
enum State {
    Head,
    Content(Response<()>, Body),
    /// Whether the connection may carry another request.
    Complete(Response<Bytes>, bool),
}

impl ResponseReader {
    /// For the answer to a request with this method.
    #[must_use]
    pub fn new(method: &Method, limits: HeadLimits) -> Self {
        Self {
            connect: *method == Method::CONNECT,
            limits,
            interim: 0,
            scan: HeadScan::default(),
            head: BytesMut::new(),
            state: State::Head,
        }
    }

    /// Takes what belongs to the answer, and returns how many octets that was.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Head`] for what is no answer, or one with a head that is too large;
    /// [`HandshakeError::TooManyInterim`].
    pub fn handle_input(&mut self, octets: &[u8]) -> Result<usize, HandshakeError> {
        let mut rest = octets;
        while !rest.is_empty() && !self.is_complete() {
            let taken = match &mut self.state {
                State::Head => match self.scan.push(rest, &self.limits)? {
                    None => {
                        self.head.extend_from_slice(rest);
                        rest.len()
                    }
                    Some(end) => {
                        self.head.extend_from_slice(&rest[..end]);
                        self.judge()?;
                        end
                    }
                },
                State::Content(_, body) => body.push(rest),
                State::Complete(..) => 0,
            };
            rest = &rest[taken..];
            self.complete(false);
        }
        Ok(octets.len() - rest.len())
    }

    /// There is no more, or it is not waited for: content ends here.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Eof`] if there is no whole head.
    pub fn handle_eof(&mut self) -> Result<(), HandshakeError> {
        self.complete(true);
        match self.state {
            State::Head => Err(HandshakeError::Eof),
            _ => Ok(()),
        }
    }

    /// Whether an octet has come.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.interim > 0 || self.scan.has_begun() || !matches!(self.state, State::Head)
    }

    /// Whether the head is there, and content is waited for.
    #[must_use]
    pub const fn is_in_content(&self) -> bool {
        matches!(self.state, State::Content(..))
    }

    /// Whether the whole answer is there.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete(..))
    }

    /// The answer, and whether its connection may carry another request; `None` if it is not
    /// complete.
    #[must_use]
    pub fn finish(self) -> Option<(Response<Bytes>, bool)> {
        match self.state {
            State::Complete(response, reusable) => Some((response, reusable)),
            State::Head | State::Content(..) => None,
        }
    }

    /// A whole head has come.
    fn judge(&mut self) -> Result<(), HandshakeError> {
        let scan = core::mem::take(&mut self.scan);
        let response = parse_response(&self.head.split(), scan.headers())?;
        let status = response.status();
        if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
            self.interim += 1;
            return match self.interim > MAX_INTERIM {
                true => Err(HandshakeError::TooManyInterim),
                false => Ok(()),
            };
        }
        // RFC 9110 §9.3.6: behind a 2xx to CONNECT comes the tunnel, whatever the headers announce;
        // §15.2.2: and behind a 101 another protocol.
        if self.connect && status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            self.state = State::Complete(response.map(|()| Bytes::new()), false);
        } else {
            let body = Body::of(&response);
            self.state = State::Content(response, body);
            self.complete(false);
        }
        Ok(())
    }

    /// The content is there, or is not waited for any longer.
    fn complete(&mut self, cut: bool) {
        let state = core::mem::replace(&mut self.state, State::Head);
        self.state = match state {
            State::Content(response, body) if cut || body.is_complete() => {
                let reusable = body.is_reusable();
                State::Complete(response.map(|()| body.into_content()), reusable)
            }
            state => state,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::HeadError;

    type Outcome = Result<(Option<(u16, Bytes, bool)>, usize), String>;

    fn read(method: &Method, octets: &[u8], step: usize) -> Outcome {
        let mut reader = ResponseReader::new(method, HeadLimits::default());
        let mut taken = 0;
        for piece in octets.chunks(step.max(1)) {
            let n = reader
                .handle_input(piece)
                .map_err(|error| format!("{error:?}"))?;
            taken += n;
            if n < piece.len() {
                break;
            }
        }
        let answer = reader.finish();
        let answer = answer.map(|(it, again)| (it.status().as_u16(), it.into_body(), again));
        Ok((answer, taken))
    }

    #[test]
    fn an_answer_ends_where_it_ends_however_it_is_cut() {
        for (method, answer, status, content, again) in [
            (Method::CONNECT, "HTTP/1.1 200 OK\r\n\r\n", 200, "", false),
            (
                Method::CONNECT,
                "HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n",
                200,
                "",
                false,
            ),
            // The length is none of a tunnel's.
            (
                Method::CONNECT,
                "HTTP/1.1 204 x\r\nContent-Length: 9\r\n\r\n",
                204,
                "",
                false,
            ),
            (
                Method::CONNECT,
                "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n",
                200,
                "",
                false,
            ),
            (
                Method::CONNECT,
                "HTTP/1.1 102 x\r\n\r\nHTTP/1.1 407 x\r\nContent-Length: 3\r\n\r\nabc",
                407,
                "abc",
                true,
            ),
            (
                Method::CONNECT,
                "HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n",
                403,
                "",
                true,
            ),
            (
                Method::CONNECT,
                "HTTP/1.0 407 x\r\nContent-Length: 1\r\n\r\na",
                407,
                "a",
                false,
            ),
            (Method::CONNECT, "HTTP/1.1 101 x\r\n\r\n", 101, "", false),
            (
                Method::GET,
                "HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\nab",
                200,
                "ab",
                true,
            ),
        ] {
            let octets = format!("{answer}behind it");
            for step in 1..octets.len() {
                let read = read(&method, octets.as_bytes(), step);
                let expected = Some((status, Bytes::from(content), again));
                assert_eq!(read, Ok((expected, answer.len())), "{octets:?} by {step}");
            }
        }
    }

    #[test]
    fn content_without_an_end_ends_with_the_connection() {
        let mut reader = ResponseReader::new(&Method::CONNECT, HeadLimits::default());
        let octets = b"HTTP/1.1 502 x\r\n\r\nno such";
        assert_eq!(reader.handle_input(octets).expect("fine"), octets.len());
        assert!(reader.is_in_content() && !reader.is_complete());
        reader.handle_eof().expect("there is a head");
        let (response, again) = reader.finish().expect("complete");
        assert_eq!((response.body().as_ref(), again), (&b"no such"[..], false));
        // No head, no answer.
        for octets in [&b""[..], b"HTTP/1.1 200 OK\r\n"] {
            let mut reader = ResponseReader::new(&Method::CONNECT, HeadLimits::default());
            reader.handle_input(octets).expect("so far");
            assert_eq!(reader.has_begun(), !octets.is_empty());
            assert!(matches!(reader.handle_eof(), Err(HandshakeError::Eof)));
        }
    }

    #[test]
    fn what_is_endless_is_cut_off() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(11);
        let error = read(&Method::CONNECT, interim.as_bytes(), 7).expect_err("eleven");
        assert!(error.contains("TooManyInterim"), "{error}");
        let mut reader = ResponseReader::new(&Method::CONNECT, HeadLimits::default());
        let head = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20));
        let error = reader
            .handle_input(head.as_bytes())
            .expect_err("a megabyte");
        assert!(
            matches!(error, HandshakeError::Head(HeadError::TooLarge)),
            "{error}"
        );
        let long = format!("HTTP/1.1 407 x\r\n\r\n{}", "x".repeat(1 << 20));
        let (answer, taken) = read(&Method::CONNECT, long.as_bytes(), 1000).expect("cut");
        let (_, content, again) = answer.expect("complete");
        assert_eq!((content.len(), again), (64 << 10, false));
        assert!(taken < 66 << 10);
    }

    proptest! {
        #[test]
        fn arbitrary_octets_are_read_alike_in_every_size(
            octets in prop::collection::vec(any::<u8>(), 0..120),
            status in 99_u16..600,
            lines in "(\r\n|Content-Length: [0-9]{1,3}\r\n|Transfer-Encoding: chunked\r\n){0,3}",
            step in 1_usize..9,
        ) {
            let head = format!("HTTP/1.1 {status} x\r\n{lines}\r\n").into_bytes();
            for octets in [octets.clone(), [head, octets].concat()] {
                let whole = read(&Method::CONNECT, &octets, octets.len());
                prop_assert_eq!(read(&Method::CONNECT, &octets, step), whole);
            }
        }
    }
}
