//! HTTP/1.1 heads as the judge reads them (RFC 9112): as much as an opening handshake needs.

use std::fmt::Write as _;

/// A request or response head that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// The first line.
    pub start_line: String,
    /// The fields in their order; names as written.
    pub fields: Vec<(String, String)>,
}

/// The longest head that the judge reads, in octets.
pub const MAX_HEAD: usize = 64 << 10;

impl Head {
    /// Reads a head from the beginning of `octets`; returns it with its size in octets. `None`:
    /// the empty line has not come yet.
    pub fn parse(octets: &[u8]) -> Option<(Self, usize)> {
        let end = octets.windows(4).position(|window| window == b"\r\n\r\n")?;
        let text = String::from_utf8_lossy(&octets[..end]);
        let mut lines = text.split("\r\n");
        let start_line = lines.next().unwrap_or_default().to_owned();
        let fields = lines
            .map(|line| match line.split_once(':') {
                Some((name, value)) => (name.to_owned(), value.trim().to_owned()),
                None => (line.to_owned(), String::new()),
            })
            .collect();
        Some((Self { start_line, fields }, end + 4))
    }

    /// The values of all fields of this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(other, _)| other.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of the field of this name: the only one, or `None` if there is none or several.
    pub fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether a list field of this name has the element, in any case of letters.
    pub fn lists(&self, name: &str, element: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(element))
    }

    /// The status code of a response head.
    pub fn status(&self) -> Option<u16> {
        let digits = self.start_line.split_ascii_whitespace().nth(1)?;
        (digits.len() == 3).then(|| digits.parse().ok())?
    }

    /// The target of a request head.
    pub fn target(&self) -> Option<&str> {
        self.start_line.split_ascii_whitespace().nth(1)
    }
}

/// Writes a head: the first line, the fields, the empty line.
pub fn write(start_line: &str, fields: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    let mut text = format!("{start_line}\r\n");
    for (name, value) in fields {
        let (name, value) = (name.as_ref(), value.as_ref());
        write!(text, "{name}: {value}\r\n").expect("writing to a String does not fail");
    }
    text + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_up_to_its_empty_line_and_no_further() {
        let octets = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
            connection: keep-alive, Upgrade\r\nX:\r\n\r\n\x81\x00";
        let (head, size) = Head::parse(octets).expect("a whole head");
        assert_eq!(size, octets.len() - 2);
        assert_eq!(head.status(), Some(101));
        assert_eq!(head.value("upgrade"), Some("WebSocket"));
        assert!(head.lists("Connection", "upgrade") && !head.lists("Connection", "grade"));
        assert_eq!(head.value("x"), Some(""));
        assert_eq!(head.value("absent"), None);
        for cut in 0..size {
            assert_eq!(Head::parse(&octets[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn a_field_that_comes_twice_has_no_single_value() {
        let (head, _) =
            Head::parse(b"GET /a?b HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n").expect("whole");
        assert_eq!(head.value("Host"), None);
        assert_eq!(head.values("HOST").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(head.target(), Some("/a?b"));
        assert_eq!(head.status(), None);
    }

    #[test]
    fn what_is_written_can_be_read() {
        let text = write(
            "GET / HTTP/1.1",
            &[("Host", "example.com"), ("Upgrade", "websocket")],
        );
        assert_eq!(
            text,
            "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\r\n"
        );
    }
}
