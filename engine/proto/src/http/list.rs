//! Comma-separated lists (RFC 9110 §5.6.1).

use http::header::AsHeaderName;
use http::{HeaderMap, HeaderValue};

use super::is_token;

/// The elements of all lines of a header, without the whitespace around them, empty ones included.
fn elements(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &[u8]> {
    headers.get_all(name).into_iter().flat_map(|value| {
        value
            .as_bytes()
            .split(|octet| *octet == b',')
            .map(<[u8]>::trim_ascii)
    })
}

/// Whether a header of tokens that are compared without case contains this one: `Connection`,
/// `Upgrade`.
pub(crate) fn contains_token(headers: &HeaderMap, name: impl AsHeaderName, token: &str) -> bool {
    elements(headers, name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

/// The value of a header that must stand exactly once.
pub(crate) fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&HeaderValue> {
    let mut all = headers.get_all(name).into_iter();
    match (all.next(), all.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// What is wrong with a list of distinct tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListError {
    Duplicate,
    NotToken,
}

/// A list of distinct tokens, such as `Sec-WebSocket-Protocol` (RFC 6455 §4.1, item 10). An empty
/// element is an error, unlike elsewhere: it would be an empty name.
pub(crate) fn token_list(
    headers: &HeaderMap,
    name: impl AsHeaderName,
) -> Result<Vec<String>, ListError> {
    let tokens = elements(headers, name)
        .map(|element| match str::from_utf8(element) {
            Ok(token) if is_token(element) => Ok(token.to_owned()),
            _ => Err(ListError::NotToken),
        })
        .collect::<Result<Vec<String>, ListError>>()?;
    // Sorted, because a hostile header may hold thousands of them.
    let mut sorted: Vec<&str> = tokens.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(ListError::Duplicate);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("list", HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn a_token_is_found_in_any_element_and_case_but_never_inside_a_word() {
        for lines in [
            &["upgrade"][..],
            &["keep-alive, UPGRADE"],
            &["a,,Upgrade ,b"],
            &["keep-alive", "upgrade"],
        ] {
            assert!(
                contains_token(&headers(lines), "list", "Upgrade"),
                "{lines:?}"
            );
        }
        for lines in [&[][..], &["upgrades"], &["not upgrade"], &["up", "grade"]] {
            assert!(
                !contains_token(&headers(lines), "list", "Upgrade"),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn lines_merge_in_order_and_tokens_keep_their_case() {
        assert_eq!(
            token_list(&headers(&["b, A", "c"]), "list"),
            Ok(vec!["b".to_owned(), "A".to_owned(), "c".to_owned()])
        );
        assert_eq!(token_list(&headers(&[]), "list"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_list_of_distinct_tokens_is_refused() {
        for (lines, error) in [
            (&[""][..], ListError::NotToken),
            (&["a,,b"], ListError::NotToken),
            (&["a b"], ListError::NotToken),
            (&["a, b", "a"], ListError::Duplicate),
        ] {
            assert_eq!(token_list(&headers(lines), "list"), Err(error), "{lines:?}");
        }
    }

    #[test]
    fn a_value_that_stands_twice_is_not_the_only_one() {
        assert!(only(&headers(&["a"]), "list").is_some());
        assert!(only(&headers(&[]), "list").is_none());
        assert!(only(&headers(&["a", "a"]), "list").is_none());
    }
}
