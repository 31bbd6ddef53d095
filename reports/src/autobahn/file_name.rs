//! The names of Autobahn's case files.

use crate::model::CaseId;

/// The name of the JSON file of one case: `autobahnpython_0_10_9_case_6_4_1.json`.
///
/// The subject's name is lower-cased; everything but `a`-`z` and `0`-`9` becomes `_`, and the ends
/// are trimmed.
pub fn case_file_name(subject: &str, case: &CaseId) -> String {
    format!(
        "{}_case_{}.json",
        stem(subject),
        case.as_str().replace('.', "_")
    )
}

/// The longest part of a file name that stands for the subject, in octets: file systems take 255
/// for the whole.
const LONGEST: usize = 150;

/// The part of a file name that stands for the subject. Two subjects with the same cannot be in
/// one directory.
pub fn stem(subject: &str) -> String {
    let cleaned: String = subject
        .trim()
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '_'
            }
        })
        .collect();
    // All ASCII by now, so it can be cut anywhere.
    let cleaned = cleaned.trim_matches('_');
    cleaned[..cleaned.len().min(LONGEST)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_follow_autobahns_rule() {
        for (subject, case, name) in [
            (
                "AutobahnPython/0.10.9",
                "6.4.1",
                "autobahnpython_0_10_9_case_6_4_1.json",
            ),
            ("  My  Server ", "10.1.1", "my__server_case_10_1_1.json"),
            ("(x)", "2.1", "x_case_2_1.json"),
            ("../../etc", "1.1.1", "etc_case_1_1_1.json"),
            ("É\0<b>", "handshake.2", "b_case_handshake_2.json"),
            (
                &"A".repeat(300),
                "2.1",
                &format!("{}_case_2_1.json", "a".repeat(150)),
            ),
        ] {
            assert_eq!(case_file_name(subject, &case.parse().expect("an id")), name);
        }
    }
}
