//! What stands for octets in a URI (RFC 3986 §2.1).

/// The octets that percent-encoded text stands for; `None` if a `%` is not followed by two hexadecimal
/// digits (RFC 3986 §2.1). What is not encoded stands for itself, whatever it is.
#[must_use]
pub fn percent_decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&octet) = rest.next() {
        decoded.push(match octet {
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                let octet = (digit()? << 4) | digit()?;
                u8::try_from(octet).ok()?
            }
            octet => octet,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_of_either_case_stand_for_an_octet_and_nothing_else_does() {
        for (text, decoded) in [
            (&b""[..], Some(&b""[..])),
            (b"a+b c", Some(b"a+b c")),
            (b"%41%c3%A4%00", Some(b"A\xc3\xa4\0")),
            (b"%2541", Some(b"%41")),
            (b"\xff", Some(b"\xff")),
            (b"%", None),
            (b"%4", None),
            (b"a%", None),
            (b"%4g", None),
            (b"%+4", None),
            (b"% 4", None),
            (b"%%41", None),
            (b"%\xb2\xb3", None),
        ] {
            assert_eq!(percent_decode(text).as_deref(), decoded, "{text:?}");
        }
    }
}
