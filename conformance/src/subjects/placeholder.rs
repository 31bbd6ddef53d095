//! `{word}` in commands, URLs and environment variables.

/// What placeholders stand for.
pub(crate) type Values<'a> = [(&'a str, &'a str)];

/// The placeholders in a text: `port` for `{port}`. `${name}` is the shell's, and `{}` or `{"a": 1}`
/// is nobody's.
pub(super) fn of(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices()
        .filter(|&(_, letter)| letter == '{')
        .filter(|&(at, _)| !text[..at].ends_with('$'))
        .filter_map(|(at, _)| {
            let (word, _) = text[at + 1..].split_once('}')?;
            let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
            is_word.then_some(word)
        })
}

/// The text with these placeholders replaced, in one pass: what a value contains stays as it is.
pub(crate) fn replaced(text: &str, values: &Values<'_>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, found) = rest.split_at(at);
        result.push_str(before);
        let value = values.iter().find_map(|(word, value)| {
            let rest = found.strip_prefix('{')?.strip_prefix(word)?;
            Some((value, rest.strip_prefix('}')?))
        });
        match value {
            Some((value, after)) if !before.ends_with('$') => {
                result.push_str(value);
                rest = after;
            }
            _ => {
                result.push('{');
                rest = &found[1..];
            }
        }
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_braces_is_a_placeholder_and_nothing_else_is() {
        for (text, found) in [
            ("{port}", &["port"][..]),
            ("ws://127.0.0.1:{port}/{url}", &["port", "url"]),
            ("{{port}}", &["port"]),
            ("${port} {} {Port} {a b} {\"a\": 1} { {", &[]),
            ("é{x}é", &["x"]),
        ] {
            assert_eq!(of(text).collect::<Vec<_>>(), found, "{text}");
        }
    }

    #[test]
    fn values_are_put_in_once_and_unknown_words_stay() {
        let values = [("url", "ws://{agent}"), ("agent", "é{url}")];
        for (text, result) in [
            ("{url} {agent}", "ws://{agent} é{url}"),
            ("{other} {url", "{other} {url"),
            ("{{url}}", "{ws://{agent}}"),
            ("${url}", "${url}"),
            ("", ""),
        ] {
            assert_eq!(replaced(text, &values), result, "{text}");
        }
    }
}
