//! The header that a proxy puts before a connection to say whose it is: the PROXY protocol, version 1
//! (a line) and 2 (octets), as HAProxy's proxy-protocol.txt describes them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};

/// What version 2 begins with (§2.2). No other protocol does.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// What version 1 begins with (§2.1).
const WORD: &[u8; 6] = b"PROXY ";

/// The longest line of version 1, its CRLF included (§2.1).
const MAX_LINE: usize = 107;

/// The signature, version and command, family, length.
const FIXED: usize = 16;

/// Behind the fixed part of version 2 there may be this much: far more than addresses and the usual
/// additions, among them names and a certificate's, need.
const MAX_REST: usize = 4096;

/// Reads the header from a connection, and nothing behind it.
pub(crate) async fn read(stream: &mut TcpStream, deadline: Instant) -> Result<Source, Error> {
    let mut reader = HeaderReader::default();
    let mut octets = [0; 256];
    let header = async {
        loop {
            let seen = stream.peek(&mut octets).await?;
            if seen == 0 {
                let message = "the proxy closed the connection before its header was complete";
                return Err(Error::new(ErrorKind::Proxy, message));
            }
            let taken = reader.handle_input(&octets[..seen]).map_err(|error| {
                Error::new(ErrorKind::Proxy, error.to_string()).caused_by(error)
            })?;
            stream.read_exact(&mut octets[..taken]).await?;
            if let Some(source) = reader.source() {
                return Ok(source);
            }
        }
    };
    match tokio::time::timeout_at(deadline, header).await {
        Ok(source) => source,
        Err(_) => {
            let message = "the proxy's header did not come in time";
            Err(Error::new(ErrorKind::Timeout, message))
        }
    }
}

/// Reads a header, without I/O.
#[derive(Debug, Default)]
pub(crate) struct HeaderReader {
    octets: Vec<u8>,
    found: Option<Source>,
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A client's.
    Client(SocketAddr),
    /// The proxy's own, such as one that looks whether we are alive; or it cannot tell.
    Itself,
}

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// It begins with something else.
    Missing,
    /// It is longer than it may be.
    TooLong,
    /// It breaks the rules; the text says which.
    Malformed(&'static str),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(
                "the proxy sends no header of the PROXY protocol; let it (send-proxy), or take it off \
                 the list of Server::proxy_protocol",
            ),
            Self::TooLong => f.write_str("the proxy's header is too long"),
            Self::Malformed(what) => write!(f, "the proxy's header cannot be read: {what}"),
        }
    }
}

impl std::error::Error for HeaderError {}

impl HeaderReader {
    /// Takes what belongs to the header, and returns how many octets that was: all of them, until
    /// there is a [`source`](Self::source). What is wrong is wrong on its first octet.
    pub(crate) fn handle_input(&mut self, octets: &[u8]) -> Result<usize, HeaderError> {
        let mut taken = 0;
        while taken < octets.len() && self.found.is_none() {
            // Octet by octet, at most a few thousand times: so nothing behind the end is taken.
            self.octets.push(octets[taken]);
            taken += 1;
            self.step()?;
        }
        Ok(taken)
    }

    /// Whose connection it is, once the header is there.
    pub(crate) const fn source(&self) -> Option<Source> {
        self.found
    }

    fn step(&mut self) -> Result<(), HeaderError> {
        let octets = self.octets.as_slice();
        let begins = |whole: &[u8]| {
            let n = octets.len().min(whole.len());
            octets[..n] == whole[..n]
        };
        if begins(WORD) {
            if octets.ends_with(b"\r\n") {
                self.found = Some(parse_line(&octets[..octets.len() - 2])?);
            } else if octets.len() == MAX_LINE {
                return Err(HeaderError::TooLong);
            }
            return Ok(());
        }
        if !begins(SIGNATURE) {
            return Err(HeaderError::Missing);
        }
        if octets.len() < FIXED {
            return Ok(());
        }
        let rest = usize::from(u16::from_be_bytes([octets[14], octets[15]]));
        if octets.len() == FIXED {
            check(octets[12], octets[13], rest)?;
        }
        if octets.len() == FIXED + rest {
            self.found = Some(parse_rest(octets[12], octets[13], &octets[FIXED..]));
        }
        Ok(())
    }
}

/// The line of version 1 without its CRLF (§2.1).
fn parse_line(line: &[u8]) -> Result<Source, HeaderError> {
    let text = std::str::from_utf8(line).map_err(|_| HeaderError::Malformed("it is not ASCII"))?;
    let mut words = text.split(' ');
    let family = words.nth(1);
    if family == Some("UNKNOWN") {
        // Whatever follows: the receiver must ignore it.
        return Ok(Source::Itself);
    }
    let (Some(source), Some(target), Some(source_port), Some(target_port), None) = (
        words.next(),
        words.next(),
        words.next(),
        words.next(),
        words.next(),
    ) else {
        return Err(HeaderError::Malformed("the line has not six words"));
    };
    let (source, target): (Option<IpAddr>, Option<IpAddr>) = match family {
        Some("TCP4") => {
            let parse = |text: &str| text.parse::<Ipv4Addr>().ok().map(IpAddr::from);
            (parse(source), parse(target))
        }
        Some("TCP6") => {
            let parse = |text: &str| text.parse::<Ipv6Addr>().ok().map(IpAddr::from);
            (parse(source), parse(target))
        }
        _ => return Err(HeaderError::Malformed("the family is unknown")),
    };
    match (source, target, port(source_port), port(target_port)) {
        (Some(source), Some(_), Some(port), Some(_)) => Ok(client(source, port)),
        _ => Err(HeaderError::Malformed("an address or a port is none")),
    }
}

/// A decimal number without leading zeros (§2.1).
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    (digits && (text == "0" || !text.starts_with('0')))
        .then(|| text.parse().ok())
        .flatten()
}

/// The fixed part of version 2 (§2.2).
fn check(command: u8, family: u8, rest: usize) -> Result<(), HeaderError> {
    if command >> 4 != 2 {
        return Err(HeaderError::Malformed("the version is not 2"));
    }
    if command & 0xf > 1 {
        return Err(HeaderError::Malformed("the command is unknown"));
    }
    if family >> 4 > 3 || family & 0xf > 2 {
        return Err(HeaderError::Malformed("the family is unknown"));
    }
    if rest > MAX_REST {
        return Err(HeaderError::TooLong);
    }
    let local = command & 0xf == 0;
    let addresses = match family {
        0x11 => 12,
        0x21 => 36,
        _ => 0,
    };
    if !local && rest < addresses {
        return Err(HeaderError::Malformed("there is no room for the addresses"));
    }
    Ok(())
}

/// What follows: the addresses, and additions, which are passed over.
fn parse_rest(command: u8, family: u8, rest: &[u8]) -> Source {
    if command & 0xf == 0 {
        return Source::Itself;
    }
    match (family, rest) {
        (0x11, [a, b, c, d, _, _, _, _, high, low, ..]) => {
            let address = Ipv4Addr::new(*a, *b, *c, *d);
            client(address.into(), u16::from_be_bytes([*high, *low]))
        }
        (0x21, rest) => match (rest.first_chunk::<16>(), rest.get(32..34)) {
            (Some(address), Some(&[high, low])) => {
                let address = Ipv6Addr::from(*address);
                client(address.into(), u16::from_be_bytes([high, low]))
            }
            _ => Source::Itself,
        },
        // Datagrams, sockets of files, and what the proxy does not say: §2.2 has the receiver go on
        // with the addresses of the connection.
        _ => Source::Itself,
    }
}

/// An IPv4 address may come as IPv6 from a proxy that listens for both.
const fn client(address: IpAddr, port: u16) -> Source {
    Source::Client(SocketAddr::new(address.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whose it is, and how many octets were taken; the same in pieces of every size.
    fn read(octets: &[u8]) -> Result<(Option<Source>, usize), HeaderError> {
        let with = |step: usize| {
            let mut reader = HeaderReader::default();
            let mut taken = 0;
            for piece in octets.chunks(step) {
                let n = reader.handle_input(piece)?;
                taken += n;
                if n < piece.len() {
                    break;
                }
            }
            Ok((reader.source(), taken))
        };
        let whole = with(octets.len().max(1));
        for step in 1..octets.len().min(300) {
            assert_eq!(with(step), whole, "in pieces of {step}");
        }
        whole
    }

    fn at(address: &str) -> Option<Source> {
        Some(Source::Client(address.parse().expect(address)))
    }

    #[test]
    fn lines_of_version_1() {
        let longest = "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
            ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
        assert_eq!(longest.len(), MAX_LINE);
        for (line, source) in [
            (
                "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n",
                at("192.0.2.7:56324"),
            ),
            (
                "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
                at("255.255.255.255:65535"),
            ),
            ("PROXY TCP4 1.1.1.1 1.1.1.1 0 1\r\n", at("1.1.1.1:0")),
            (
                "PROXY TCP6 2001:db8::7 ::1 4124 443\r\n",
                at("[2001:db8::7]:4124"),
            ),
            ("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", at("192.0.2.7:1")),
            ("PROXY UNKNOWN\r\n", Some(Source::Itself)),
            (longest, Some(Source::Itself)),
        ] {
            let octets = format!("{line}GET / HTTP/1.1\r\n");
            assert_eq!(read(octets.as_bytes()), Ok((source, line.len())), "{line}");
            let cut = &line.as_bytes()[..line.len() - 1];
            assert_eq!(read(cut), Ok((None, cut.len())), "{line}");
        }
    }

    #[test]
    fn lines_that_are_none() {
        for line in [
            "PROXY \r\n",
            "PROXY TCP4\r\n",
            "PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n",
            "PROXY tcp4 1.1.1.1 1.1.1.1 1 1\r\n",
            "PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n",
            "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n",
            "PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n",
            "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n",
            "PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n",
            "PROXY TCP4 1.1.1.1 1.1.1.1 +1 1\r\n",
            "PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n",
            "PROXY TCP4 1.1.1.1 1.1.1.1 1 x\r\n",
            "PROXY TCP4 01.1.1.1 1.1.1.1 1 1\r\n",
            "PROXY TCP4 ::1 ::1 1 1\r\n",
            "PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n",
            "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n\r\n",
            "PROXY UNKNOWNS\r\n",
            "PROXY TCP4 \u{e9} 1.1.1.1 1 1\r\n",
        ] {
            let error = read(line.as_bytes()).expect_err(line);
            assert!(
                matches!(error, HeaderError::Malformed(_)),
                "{line}: {error}"
            );
        }
        let endless = format!("PROXY UNKNOWN {}", "x".repeat(MAX_LINE));
        assert_eq!(read(endless.as_bytes()), Err(HeaderError::TooLong));
    }

    #[test]
    fn what_begins_otherwise_is_no_header_from_the_octet_on_that_differs() {
        for octets in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"G",
            b"PROXX",
            b"proxy TCP4",
            b"PROXY\t",
            b"\r\n\r\n\0\r\nQUIT\r",
            b"\r\nGET",
            b"\x16\x03\x01",
            b"\0",
        ] {
            assert_eq!(read(octets), Err(HeaderError::Missing), "{octets:?}");
        }
        for octets in [&b""[..], b"PROX", b"\r\n\r\n\0"] {
            assert_eq!(read(octets), Ok((None, octets.len())));
        }
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    #[test]
    fn octets_of_version_2() {
        let literal = b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x21\x11\x00\x0c\
            \xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb";
        assert_eq!(read(literal), Ok((at("192.0.2.7:56324"), 28)));

        let v4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb];
        let mut v6 = [0; 36];
        v6[..16].copy_from_slice(&"2001:db8::7".parse::<Ipv6Addr>().expect("one").octets());
        v6[31] = 1;
        v6[32..34].copy_from_slice(&4124_u16.to_be_bytes());
        // ALPN, a checksum (which is not looked at), and one that is cut off.
        let additions = b"\x01\x00\x02h2\x03\x00\x04abcd\x05\xff\xffx";
        for (command, family, rest, source) in [
            (0x21, 0x11, v4.to_vec(), at("192.0.2.7:56324")),
            (
                0x21,
                0x11,
                [&v4[..], additions].concat(),
                at("192.0.2.7:56324"),
            ),
            (0x21, 0x21, v6.to_vec(), at("[2001:db8::7]:4124")),
            (
                0x21,
                0x21,
                [&v6[..], additions].concat(),
                at("[2001:db8::7]:4124"),
            ),
            // LOCAL, UNSPEC, a datagram, a file's socket.
            (0x20, 0x11, v4.to_vec(), Some(Source::Itself)),
            (0x20, 0x00, Vec::new(), Some(Source::Itself)),
            (0x20, 0x11, Vec::new(), Some(Source::Itself)),
            (0x21, 0x00, vec![9; 50], Some(Source::Itself)),
            (0x21, 0x12, v4.to_vec(), Some(Source::Itself)),
            (0x21, 0x31, vec![b'/'; 216], Some(Source::Itself)),
            (0x21, 0x00, vec![0; MAX_REST], Some(Source::Itself)),
        ] {
            let header = version_2(command, family, &rest);
            let octets = [&header[..], b"\x16\x03\x01"].concat();
            assert_eq!(read(&octets), Ok((source, header.len())), "{header:?}");
            let cut = &header[..header.len() - 1];
            assert_eq!(read(cut), Ok((None, cut.len())));
        }
        for (command, family, rest) in [
            (0x11, 0x11, v4.to_vec()),
            (0x31, 0x11, v4.to_vec()),
            (0x22, 0x11, v4.to_vec()),
            (0x21, 0x41, v4.to_vec()),
            (0x21, 0x13, v4.to_vec()),
            (0x21, 0x11, v4[..11].to_vec()),
            (0x21, 0x21, v6[..35].to_vec()),
        ] {
            let error = read(&version_2(command, family, &rest)).expect_err("a fault");
            assert!(matches!(error, HeaderError::Malformed(_)), "{error}");
        }
        let long = version_2(0x21, 0x11, &vec![0; MAX_REST + 1]);
        // Before anything of it is waited for.
        assert_eq!(read(&long[..FIXED]), Err(HeaderError::TooLong));
    }

    #[test]
    fn arbitrary_octets_never_panic_and_are_bounded() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for round in 0..20_000 {
            let mut octets = match round % 3 {
                0 => SIGNATURE.to_vec(),
                1 => WORD.to_vec(),
                _ => Vec::new(),
            };
            if round % 2 == 0 {
                octets.extend_from_slice(&[0x21, 0x11, 0]);
            }
            octets.extend((0..random() / 4).map(|_| random()));
            octets.extend_from_slice(b"\r\n");
            let mut reader = HeaderReader::default();
            let _ = reader.handle_input(&octets);
            assert!(reader.octets.len() <= FIXED + MAX_REST);
        }
    }
}
