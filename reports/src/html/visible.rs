//! Making text from the wire safe to look at.

/// Replaces characters that a page cannot show or that change how their neighbours are shown:
/// control characters by their symbols (`␀`), directional overrides by their number. A line end
/// stays; a carriage return before one is dropped.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push('\n'),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\u{7f}' => out.push('\u{2421}'),
            '\0'..='\u{1f}' => {
                out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'));
            }
            _ if is_unshowable(c) => out.push_str(&format!("[U+{:04X}]", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

/// C1 controls, directional marks and overrides, line separators, the byte order mark, and
/// non-characters.
fn is_unshowable(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// The first `limit` characters of a text, and how many were left out.
pub(super) fn cut(text: &str, limit: usize) -> (&str, usize) {
    match text.char_indices().nth(limit) {
        None => (text, 0),
        Some((end, _)) => (&text[..end], text[end..].chars().count()),
    }
}

/// The longest name shown, in characters. Names of subjects may come from their `Server` header, and
/// are repeated for each case.
const NAME: usize = 80;

/// A name, made visible, and cut if it is very long.
pub(super) fn name(text: &str) -> String {
    let (shown, left_out) = cut(text, NAME);
    let more = if left_out > 0 { "…" } else { "" };
    format!("{}{more}", visible(shown))
}

/// The first `limit` characters, made visible, with a note on how many were left out.
pub(super) fn with_rest(text: &str, limit: usize) -> String {
    let (shown, left_out) = cut(text, limit);
    let shown = visible(shown);
    if left_out == 0 {
        shown
    } else {
        format!("{shown} … {left_out} more characters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_gets_through() {
        for (text, shown) in [
            ("plain κόσμε 🍀", "plain κόσμε 🍀"),
            ("a\0b\x1b[31mc\x7f", "a␀b␛[31mc␡"),
            ("GET / HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1\nHost: x\n"),
            ("alone\rhere\t", "alone␍here␉"),
            ("\u{202e}txt.exe\u{200f}", "[U+202E]txt.exe[U+200F]"),
            (
                "\u{85}\u{feff}\u{fffe}\u{10ffff}",
                "[U+0085][U+FEFF][U+FFFE][U+10FFFF]",
            ),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn a_cut_says_how_much_it_cut() {
        assert_eq!(cut("κόσμε", 5), ("κόσμε", 0));
        assert_eq!(cut("κόσμε", 2), ("κό", 3));
    }
}
