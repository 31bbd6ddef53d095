//! Octets for tests as they stand in the digest of the format.

/// Hexadecimal octets, `'text'`, and `CRLF`.
pub(crate) fn octets(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, part) in text.split('\'').enumerate() {
        if at % 2 == 1 {
            out.extend_from_slice(part.as_bytes());
            continue;
        }
        for word in part.split_whitespace() {
            match word {
                "CRLF" => out.extend_from_slice(b"\r\n"),
                hex => out.push(u8::from_str_radix(hex, 16).expect("two digits")),
            }
        }
    }
    out
}
