//! Text of a record as one harmless line.
//!
//! Names, titles and sentences may come from a peer. For the formats that are lines of text they
//! lose what a terminal or a reader would act on: control characters, line ends and directional
//! overrides are written as `\u{1b}`.

/// The text with everything escaped that is not shown as itself.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_shown(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// The first `limit` characters, escaped, and how many were left out.
#[must_use]
pub fn clipped(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => printable(text),
        Some((end, _)) => format!(
            "{} … {} more characters",
            printable(&text[..end]),
            text[end..].chars().count()
        ),
    }
}

/// The longest name of a subject that is shown, in characters.
const NAME: usize = 80;

/// A name: short names are whole, long ones end in `…`.
#[must_use]
pub fn name(text: &str) -> String {
    match text.char_indices().nth(NAME) {
        None => printable(text),
        Some((end, _)) => format!("{}…", printable(&text[..end])),
    }
}

/// No control, no directional mark or override, no line separator, no byte order mark, no
/// non-character.
pub(crate) fn is_shown(c: char) -> bool {
    let hidden = matches!(c,
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fdd0}'..='\u{fdef}');
    !c.is_control() && !hidden && u32::from(c) & 0xfffe != 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_instead_of_being_shown_is_escaped() {
        for (text, shown) in [
            ("plain κόσμε 🍀", "plain κόσμε 🍀"),
            ("a\x1b[31mb\r\nc\0", "a\\u{1b}[31mb\\u{d}\\u{a}c\\u{0}"),
            ("\u{202e}exe\u{feff}", "\\u{202e}exe\\u{feff}"),
            ("\u{85}\u{2028}\u{ffff}", "\\u{85}\\u{2028}\\u{ffff}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn a_clipped_text_says_how_much_is_missing() {
        assert_eq!(clipped("κόσμε", 5), "κόσμε");
        assert_eq!(clipped("κόσμε", 2), "κό … 3 more characters");
        assert_eq!(name(&"x".repeat(81)), format!("{}…", "x".repeat(80)));
    }
}
