//! What stands behind an option, read.

use std::time::Duration;

use clap::ValueEnum;
use cloverleaf::proto::extension::Hints;
use http::{HeaderName, HeaderValue};

/// What to ask of extensions.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hint {
    /// leave the message as it is
    DoNotCompress,
}

impl Hint {
    pub(super) const fn add_to(self, hints: Hints) -> Hints {
        match self {
            Self::DoNotCompress => hints.do_not_compress(),
        }
    }
}

/// `Name: value`.
pub(super) fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or("a header is written 'Name: value'")?;
    let name = name.trim();
    let name = HeaderName::try_from(name).map_err(|_| format!("{name:?} is no header's name"))?;
    let value = HeaderValue::try_from(value.trim())
        .map_err(|_| format!("the value of {name} must be one line of text"))?;
    Ok((name, value))
}

/// Seconds, or `off`.
pub(super) fn ping_interval(text: &str) -> Result<Option<Duration>, String> {
    if text == "off" {
        return Ok(None);
    }
    let seconds = text.parse().ok().filter(|seconds| *seconds >= 0.001);
    let interval = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let day = Duration::from_secs(86_400);
    match interval {
        Some(interval) if interval <= day => Ok(Some(interval)),
        _ => Err("give seconds from 0.001 to 86400, such as 20 or 0.5, or `off`".to_owned()),
    }
}

/// Octets: a number, with `k`, `M` or `G` behind it for powers of 1024.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let (digits, factor) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let number = digits.parse().ok().filter(|number| *number > 0);
    number
        .and_then(|number: usize| number.checked_mul(factor))
        .ok_or_else(|| "give octets, such as 65536, 64k or 16M".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_octets_or_powers_of_1024() {
        for (text, octets) in [
            ("1", 1),
            ("64k", 65_536),
            ("16M", 16 << 20),
            ("2G", 2 << 30),
        ] {
            assert_eq!(size(text), Ok(octets));
        }
        for text in [
            "",
            "0",
            "k",
            "-1",
            "1.5M",
            "1T",
            "99999999999999999999",
            "99999999999999G",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_interval_is_seconds_or_off() {
        assert_eq!(ping_interval("off"), Ok(None));
        assert_eq!(ping_interval("0.5"), Ok(Some(Duration::from_millis(500))));
        for text in ["", "0", "-1", "nan", "inf", "1e300", "20s"] {
            assert!(ping_interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_header_is_a_name_a_colon_and_one_line() {
        let (name, value) = header("X-Key:  a: b ").expect("a header");
        assert_eq!((name.as_str(), value.as_bytes()), ("x-key", &b"a: b"[..]));
        for text in ["X-Key", "X Key: a", ": a", "X: a\r\nY: b"] {
            assert!(header(text).is_err(), "{text:?}");
        }
    }
}
