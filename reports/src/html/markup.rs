//! Writing markup: the only place where text of a record becomes part of the page.

use super::visible::{cut, symbol};

/// Markup as it grows.
///
/// Markup itself can only come from the program: [`Markup::tag`] takes nothing else. Whatever a
/// record holds goes through [`Markup::text`], which escapes it for text and for quoted attributes
/// and makes it visible.
#[derive(Default)]
pub(super) struct Markup {
    out: String,
}

impl Markup {
    /// Markup of the program.
    pub(super) fn tag(&mut self, markup: &'static str) -> &mut Self {
        self.out.push_str(markup);
        self
    }

    /// Text from anywhere. Attributes that hold it must be quoted.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        // Up to `written` everything is in `out`.
        let mut written = 0;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let entity = match c {
                ' '..='~' => match c {
                    '&' => "&amp;",
                    '<' => "&lt;",
                    '>' => "&gt;",
                    '"' => "&quot;",
                    '\'' => "&#x27;",
                    _ => continue,
                },
                '\n' => continue,
                // A carriage return before a line end says nothing more.
                '\r' if chars.peek().is_some_and(|(_, next)| *next == '\n') => "",
                _ => match symbol(c) {
                    None => continue,
                    Some(symbol) => {
                        self.out.push_str(&text[written..at]);
                        self.out.push_str(&symbol);
                        written = at + c.len_utf8();
                        continue;
                    }
                },
            };
            self.out.push_str(&text[written..at]);
            self.out.push_str(entity);
            written = at + c.len_utf8();
        }
        self.out.push_str(&text[written..]);
        self
    }

    /// The first `limit` characters of a text, and how many were left out.
    pub(super) fn start_of(&mut self, text: &str, limit: usize) -> &mut Self {
        let (shown, left_out) = cut(text, limit);
        self.text(shown);
        if left_out > 0 {
            self.tag(" … ").count(left_out, " more character");
        }
        self
    }

    /// A number.
    pub(super) fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        self.out.push_str(&number.into().to_string());
        self
    }

    /// A number of things: `1 case`, `2 cases`.
    pub(super) fn count(&mut self, count: usize, one: &'static str) -> &mut Self {
        self.out.push_str(&count.to_string());
        self.out.push_str(one);
        if count != 1 {
            self.out.push('s');
        }
        self
    }

    /// The length in bytes.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// What was written.
    pub(super) fn as_str(&self) -> &str {
        &self.out
    }

    /// What was written, for good.
    pub(super) fn into_string(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_between_tags_and_in_quoted_attributes() {
        for (text, written) in [
            ("plain κόσμε 🍀", "plain κόσμε 🍀"),
            (
                "<b a=\"1\" b='2'>&amp;",
                "&lt;b a=&quot;1&quot; b=&#x27;2&#x27;&gt;&amp;amp;",
            ),
            ("a\0b\x1b[31mc\x7f", "a␀b␛[31mc␡"),
            ("GET / HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1\nHost: x\n"),
            ("alone\rhere\t", "alone␍here␉"),
            ("\u{202e}txt.exe\u{200f}", "[U+202E]txt.exe[U+200F]"),
        ] {
            let mut markup = Markup::default();
            assert_eq!(markup.text(text).as_str(), written);
        }
    }

    #[test]
    fn what_is_cut_says_how_much() {
        let mut markup = Markup::default();
        markup
            .start_of("κόσμε", 5)
            .tag("|")
            .start_of("κόσμε", 4)
            .tag("|")
            .start_of("κόσμε", 1);
        assert_eq!(
            markup.as_str(),
            "κόσμε|κόσμ … 1 more character|κ … 4 more characters"
        );
    }
}
