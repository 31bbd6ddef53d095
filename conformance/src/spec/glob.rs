//! Patterns in which `*` is anything and every other character is itself.

/// Whether the pattern covers all of the text.
pub(super) fn matches_all(pattern: &str, text: &str) -> bool {
    let Some((first, pieces)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (pieces, last) = pieces.rsplit_once('*').unwrap_or(("", pieces));
    let Some(mut rest) = text
        .strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last))
    else {
        return false;
    };
    // Taking each piece where it first occurs leaves the most for those that follow.
    for piece in pieces.split('*') {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    true
}

/// Whether the pattern covers a beginning of the text.
pub(crate) fn matches_start(pattern: &str, text: &str) -> bool {
    matches_all(&format!("{pattern}*"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By trying every length for every star.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            Some((first, rest)) => text.first() == Some(first) && naive(rest, &text[1..]),
        }
    }

    fn words(alphabet: &[char], longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..longest {
            let to = all.len();
            for at in from..to {
                for letter in alphabet {
                    all.push(format!("{}{letter}", all[at]));
                }
            }
            from = to;
        }
        all
    }

    #[test]
    fn every_short_pattern_matches_what_trying_everything_matches() {
        let texts = words(&['a', 'b'], 5);
        for pattern in words(&['a', 'b', '*'], 5) {
            for text in &texts {
                let expected = naive(pattern.as_bytes(), text.as_bytes());
                assert_eq!(matches_all(&pattern, text), expected, "{pattern} on {text}");
            }
        }
    }

    #[test]
    fn a_dot_is_a_dot_and_the_end_is_free_when_only_the_start_counts() {
        assert!(matches_all("1.*", "1.2.3"));
        assert!(!matches_all("1.*", "10.1.1"));
        assert!(!matches_all("6.*.3", "6.4.34"));
        assert!(matches_start("6.*.3", "6.4.34"));
        assert!(matches_start("", "anything"));
    }
}
