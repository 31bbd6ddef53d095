//! Python writes half surrogate pairs into JSON; JSON readers refuse them.

use std::borrow::Cow;

/// Turns each `\uD800`…`\uDFFF` escape that is not one of a pair into the visible text `\ud800`,
/// by escaping its backslash. Everything else stays as it is.
///
/// The UTF-8 cases of Autobahn send encoded surrogates, and Python 2 takes them for text.
pub(super) fn escape_lone_surrogates(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut out: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit_at(bytes, at) {
            Some(0xD800..=0xDBFF) if matches!(unit_at(bytes, at + 6), Some(0xDC00..=0xDFFF)) => {
                at += 12;
            }
            Some(0xD800..=0xDFFF) => {
                let out = out.get_or_insert_with(String::new);
                out.push_str(&json[copied..at]);
                out.push('\\');
                copied = at;
                at += 6;
            }
            Some(_) => at += 6,
            // Another escape, such as `\\` or `\"`: two bytes.
            None => at += 2,
        }
    }
    match out {
        None => Cow::Borrowed(json),
        Some(mut out) => {
            out.push_str(&json[copied..]);
            Cow::Owned(out)
        }
    }
}

/// The number of a `\uXXXX` escape at this place.
fn unit_at(bytes: &[u8], at: usize) -> Option<u16> {
    let escape = bytes.get(at..at + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lone_surrogates_change() {
        for (json, expected) in [
            (r#""plain""#, r#""plain""#),
            (r#""\ud83c\udf40""#, r#""\ud83c\udf40""#),
            (r#""\ud800""#, r#""\\ud800""#),
            (r#""\udfff\ud800x""#, r#""\\udfff\\ud800x""#),
            (r#""\ud800\ud83c\udf40""#, r#""\\ud800\ud83c\udf40""#),
            // The backslash is escaped: this is the text `\ud800` already.
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""é\\\uD800é""#, r#""é\\\\uD800é""#),
            (r#""\ud8"#, r#""\ud8"#),
            (r"\", r"\"),
        ] {
            assert_eq!(escape_lone_surrogates(json), expected);
        }
    }
}
