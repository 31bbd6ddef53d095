//! What is protected, and how often a nonce was used (RFC 7616 §3.3, §3.4).

use core::fmt;

/// The quality of protection: what goes into the digest beside the request's method and target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the two of the standard")]
pub enum Qop {
    /// Nothing: `auth`.
    Auth,
    /// The content: `auth-int`. That of an opening handshake is empty.
    AuthInt,
}

impl Qop {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The one of this name, in lower case: the name goes into the digest as it was sent.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Auth, Self::AuthInt]
            .into_iter()
            .find(|qop| qop.name() == name)
    }
}

/// The parameter `nc`: eight hexadecimal digits, as they were sent, since they go into the digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NonceCount([u8; 8]);

impl NonceCount {
    /// The first use of a nonce.
    pub const FIRST: Self = Self(*b"00000001");

    /// The count with this number, in lower case.
    #[must_use]
    pub fn new(number: u32) -> Self {
        let digit = |place: u32| {
            let value = (number >> (4 * (7 - place))) & 0xf;
            b"0123456789abcdef"[value as usize]
        };
        Self([0, 1, 2, 3, 4, 5, 6, 7].map(digit))
    }

    /// The count with these digits: exactly eight, with no sign; case does not count.
    #[must_use]
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let digits: [u8; 8] = digits.try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_hexdigit)
            .then_some(Self(digits))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.iter().fold(0, |number, digit| {
            (number << 4)
                | char::from(*digit)
                    .to_digit(16)
                    .expect("checked when it was made")
        })
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("hexadecimal digits")
    }
}

impl fmt::Debug for NonceCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qop_is_known_by_its_exact_name() {
        assert_eq!(Qop::from_name("auth"), Some(Qop::Auth));
        assert_eq!(Qop::from_name("auth-int"), Some(Qop::AuthInt));
        for name in ["", "Auth", "auth-conf", "auth "] {
            assert_eq!(Qop::from_name(name), None, "{name}");
        }
    }

    // A12.
    #[test]
    fn a_count_is_eight_hexadecimal_digits_and_nothing_else() {
        for (digits, number) in [
            ("00000001", 1),
            ("0000000a", 10),
            ("0000000A", 10),
            ("89abcDEF", 0x89ab_cdef),
            ("00000000", 0),
            ("ffffffff", u32::MAX),
        ] {
            let count = NonceCount::parse(digits.as_bytes()).expect(digits);
            assert_eq!((count.number(), count.as_str()), (number, digits));
            assert_eq!(
                NonceCount::new(number).as_str(),
                digits.to_ascii_lowercase()
            );
        }
        for digits in [
            "",
            "1",
            "0000001",
            "000000001",
            "+0000001",
            "-0000001",
            "0000000g",
            "0x000001",
            " 0000001",
            "0000\u{e9}01",
        ] {
            assert_eq!(NonceCount::parse(digits.as_bytes()), None, "{digits}");
        }
        assert_eq!(NonceCount::new(1), NonceCount::FIRST);
    }
}
