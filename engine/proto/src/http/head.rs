//! Where a head ends: each octet is looked at once, however it arrives (RFC 9112 §2.1).

use core::fmt;

/// How large the head of a request or of a response may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeadLimits {
    /// The longest first line, in octets without its CRLF. Default 8 KiB. A longer request line
    /// is refused with 414.
    pub max_request_line: usize,
    /// The longest head, in octets: first line, header lines and the empty line. Default 16 KiB,
    /// which large cookies fit. A longer one is refused with 431.
    pub max_header_bytes: usize,
    /// The most header lines. Default 100. More are refused with 431.
    pub max_headers: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            max_request_line: 8 << 10,
            max_header_bytes: 16 << 10,
            max_headers: 100,
        }
    }
}

/// What is wrong with the head of a request or of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeadError {
    /// The first line exceeds [`HeadLimits::max_request_line`].
    LineTooLong,
    /// It breaks the grammar of HTTP/1.1; the text says where.
    Malformed(&'static str),
    /// The head exceeds [`HeadLimits::max_header_bytes`].
    TooLarge,
    /// There are more lines than [`HeadLimits::max_headers`].
    TooManyHeaders,
    /// A version of HTTP other than 1.1.
    Version,
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineTooLong => "the first line is too long",
            Self::Malformed(what) => what,
            Self::TooLarge => "the header section is too large",
            Self::TooManyHeaders => "there are too many header lines",
            Self::Version => "the version of HTTP is not 1.1",
        })
    }
}

impl core::error::Error for HeadError {}

/// The search for the empty line.
///
/// It never looks back, so a head that arrives octet by octet costs what it costs in one piece. The
/// line terminator is CRLF alone: RFC 9112 §2.2 allows a recipient to take a bare LF for one, and
/// such leniency is what request smuggling is made of.
#[derive(Debug, Default)]
pub(crate) struct HeadScan {
    scanned: usize,
    lines: usize,
    line: usize,
    after_cr: bool,
    may_skip: bool,
}

impl HeadScan {
    /// For a request, before which one empty line is passed over (RFC 9112 §2.2).
    pub(crate) fn of_request() -> Self {
        Self {
            may_skip: true,
            ..Self::default()
        }
    }

    /// Looks at the octets that came. `Some(n)`: the head ends after the first `n` of them, and the
    /// rest has not been looked at.
    pub(crate) fn push(
        &mut self,
        octets: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        for (i, octet) in octets.iter().enumerate() {
            if self.scanned == limits.max_header_bytes {
                return Err(HeadError::TooLarge);
            }
            self.scanned += 1;
            match (self.after_cr, octet) {
                (true, b'\n') if self.line > 0 => {
                    self.lines += 1;
                    self.line = 0;
                    self.after_cr = false;
                }
                (true, b'\n') if self.lines > 0 => return Ok(Some(i + 1)),
                (true, b'\n') if self.may_skip => {
                    self.may_skip = false;
                    self.after_cr = false;
                }
                (true, b'\n') => return Err(HeadError::Malformed("the first line is empty")),
                (true, _) => return Err(HeadError::Malformed("a CR without its LF")),
                (false, b'\r') => self.after_cr = true,
                (false, b'\n') => return Err(HeadError::Malformed("an LF without its CR")),
                (false, 0) => return Err(HeadError::Malformed("a NUL")),
                (false, _) => {
                    self.line += 1;
                    if self.lines == 0 && self.line > limits.max_request_line {
                        return Err(HeadError::LineTooLong);
                    }
                    if self.lines > limits.max_headers {
                        return Err(HeadError::TooManyHeaders);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether an octet has come.
    pub(crate) const fn has_begun(&self) -> bool {
        self.scanned > 0
    }

    /// How many header lines the head has.
    pub(crate) const fn headers(&self) -> usize {
        self.lines.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";

    #[test]
    fn the_end_is_found_wherever_the_head_is_cut() {
        let limits = HeadLimits::default();
        let mut whole = HEAD.to_vec();
        whole.extend_from_slice(b"\x81\x00");
        for cut in 0..HEAD.len() {
            let mut scan = HeadScan::default();
            assert_eq!(scan.push(&whole[..cut], &limits), Ok(None), "cut at {cut}");
            assert_eq!(
                scan.push(&whole[cut..], &limits),
                Ok(Some(HEAD.len() - cut)),
                "cut at {cut}"
            );
            assert_eq!(scan.headers(), 2);
        }
    }

    #[test]
    fn one_empty_line_before_a_request_is_passed_over_and_no_more() {
        let limits = HeadLimits::default();
        let head = [b"\r\n", HEAD].concat();
        for cut in 0..head.len() {
            let mut scan = HeadScan::of_request();
            assert_eq!(scan.push(&head[..cut], &limits), Ok(None), "cut at {cut}");
            let rest = scan.push(&head[cut..], &limits);
            assert_eq!(rest, Ok(Some(head.len() - cut)), "cut at {cut}");
            assert_eq!(scan.headers(), 2);
        }
        for (mut scan, octets) in [
            (HeadScan::of_request(), &b"\r\n\r\n"[..]),
            (HeadScan::default(), b"\r\n"),
        ] {
            let error = scan
                .push(octets, &limits)
                .expect_err("an empty line too many");
            assert_eq!(error, HeadError::Malformed("the first line is empty"));
        }
    }

    // H03: the parser behind the scan reads the head once more, which makes twice its length.
    #[test]
    fn an_octet_is_looked_at_once_when_16_kib_come_one_by_one() {
        let limits = HeadLimits::default();
        let mut head = b"GET / HTTP/1.1\r\nX: ".to_vec();
        head.resize(limits.max_header_bytes - 4, b'x');
        head.extend_from_slice(b"\r\n\r\n");
        let mut scan = HeadScan::default();
        let (last, others) = head.split_last().expect("it is 16 KiB long");
        for octet in others {
            assert_eq!(scan.push(&[*octet], &limits), Ok(None));
        }
        assert_eq!(scan.push(&[*last], &limits), Ok(Some(1)));
        assert_eq!(scan.scanned, head.len());
    }

    #[test]
    fn nothing_behind_a_limit_is_looked_at() {
        let limits = HeadLimits::default();
        let mut scan = HeadScan::default();
        let endless = vec![b'x'; 1 << 20];
        assert_eq!(scan.push(&endless, &limits), Err(HeadError::LineTooLong));
        assert_eq!(scan.scanned, limits.max_request_line + 1);

        let mut scan = HeadScan::default();
        assert_eq!(scan.push(b"GET / HTTP/1.1\r\n", &limits), Ok(None));
        assert_eq!(scan.push(&endless, &limits), Err(HeadError::TooLarge));
        assert_eq!(scan.scanned, limits.max_header_bytes);
    }
}
