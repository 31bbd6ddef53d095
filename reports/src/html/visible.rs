//! Making text from the wire safe to look at.

use crate::printable::is_shown;

/// What stands for a character that a page cannot show or that changes how its neighbours are
/// shown: a symbol for a control character (`␀`), a number for a directional override. `None` for
/// any other, and for a line end.
pub(super) fn symbol(c: char) -> Option<String> {
    match c {
        '\n' => None,
        '\u{7f}' => Some('\u{2421}'.into()),
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).map(String::from),
        _ if !is_shown(c) => Some(format!("[U+{:04X}]", u32::from(c))),
        _ => None,
    }
}

/// The first `limit` characters of a text, and how many were left out.
pub(super) fn cut(text: &str, limit: usize) -> (&str, usize) {
    // No character is shorter than a byte.
    if text.len() <= limit {
        return (text, 0);
    }
    match text.char_indices().nth(limit) {
        None => (text, 0),
        Some((end, _)) => (&text[..end], text[end..].chars().count()),
    }
}

/// The longest name shown, in characters. Names of subjects may come from their `Server` header, and
/// are repeated for each case.
const NAME: usize = 80;

/// A name, cut if it is very long.
pub(super) fn name(text: &str) -> String {
    let (shown, left_out) = cut(text, NAME);
    let more = if left_out > 0 { "…" } else { "" };
    format!("{shown}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_gets_through() {
        for (c, shown) in [
            ('a', None),
            ('🍀', None),
            ('\n', None),
            ('\0', Some("␀")),
            ('\r', Some("␍")),
            ('\u{7f}', Some("␡")),
            ('\u{85}', Some("[U+0085]")),
            ('\u{202e}', Some("[U+202E]")),
            ('\u{feff}', Some("[U+FEFF]")),
            ('\u{10ffff}', Some("[U+10FFFF]")),
        ] {
            assert_eq!(symbol(c).as_deref(), shown, "{c:?}");
        }
    }

    #[test]
    fn a_cut_says_how_much_it_cut() {
        assert_eq!(cut("κόσμε", 5), ("κόσμε", 0));
        assert_eq!(cut("κόσμε", 2), ("κό", 3));
        assert_eq!(cut("", 0), ("", 0));
    }
}
