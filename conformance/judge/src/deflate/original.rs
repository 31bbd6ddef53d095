//! Where the original suite reads `Sec-WebSocket-Extensions` differently, for verdicts that agree
//! with its own.
//!
//! It is more lenient than [`judge_answer`](super::judge_answer) and [`Offer::read`]:
//!
//! * names of extensions and parameters are compared without regard to case;
//! * text is split at every `,`, `;` and `=` without regard to quotes, and one quote is taken off
//!   either end of a value, whatever is between; nothing has to be a token;
//! * numbers may have a sign, leading zeros and white space around them;
//! * a header without an extension in it is none;
//! * an answer is compared with no offer: neither a missing `server_no_context_takeover` nor a wide
//!   `server_max_window_bits` nor an unoffered `client_max_window_bits` is noticed.
//!
//! It is stricter in two things: two header lines fail the handshake, and so does a *client's*
//! offer of permessage-deflate with a wrong parameter, which RFC 7692 §7.1 has a server decline.
//! (The same goes for offers of permessage-bzip2 and -snappy, which are passed over here.)

use super::header::{Element, Param};
use super::negotiation::AnswerError;
use super::params::{Answer, Offer, PERMESSAGE_DEFLATE};

/// Reads a server's answer as the original does: `None` where it accepts no extension.
///
/// # Errors
///
/// Why the original fails the handshake.
pub fn answer(lines: &[&str]) -> Result<Option<Answer>, AnswerError> {
    let mut found = None;
    for element in elements(lines)? {
        if element.name != PERMESSAGE_DEFLATE {
            let name = element.name;
            return Err(AnswerError::NotOffered { name });
        }
        if found.is_some() {
            return Err(AnswerError::Twice);
        }
        found = Some(Answer::read_with(&element, number).map_err(AnswerError::Param)?);
    }
    Ok(found)
}

/// Reads a client's offers of permessage-deflate as the original does, passing over others.
///
/// # Errors
///
/// Why the original fails the handshake.
pub fn offers(lines: &[&str]) -> Result<Vec<Offer>, AnswerError> {
    elements(lines)?
        .iter()
        .filter(|element| element.name == PERMESSAGE_DEFLATE)
        .map(|element| Offer::read_with(element, number).map_err(AnswerError::Param))
        .collect()
}

fn elements(lines: &[&str]) -> Result<Vec<Element>, AnswerError> {
    let line = match lines {
        [] => "",
        [line] => line,
        _ => return Err(AnswerError::SeveralLines),
    };
    Ok(line
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| {
            let mut parts = text.split(';').map(str::trim);
            Element {
                name: parts.next().unwrap_or_default().to_ascii_lowercase(),
                params: parts.map(param).collect(),
            }
        })
        .collect())
}

fn param(text: &str) -> Param {
    let (name, value) = match text.split_once('=') {
        None => (text, None),
        Some((name, value)) => {
            let value = value.trim();
            let value = value.strip_prefix('"').unwrap_or(value);
            (name, Some(value.strip_suffix('"').unwrap_or(value)))
        }
    };
    Param {
        name: name.trim().to_ascii_lowercase(),
        value: value.map(str::to_owned),
    }
}

fn number(value: &str) -> Option<u8> {
    let value = value.trim();
    let digits = value.strip_prefix('+').unwrap_or(value);
    let plain = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    // Leading zeros are read over; so many that they overflow are not worth agreeing on.
    let bits = digits.parse::<u64>().ok().filter(|_| plain)?;
    u8::try_from(bits)
        .ok()
        .filter(|bits| (8..=15).contains(bits))
}

#[cfg(test)]
mod tests {
    use super::super::negotiation::judge_answer;
    use super::*;

    #[test]
    fn each_difference_from_the_strict_reading_of_an_answer_is_one() {
        let strict = Offer {
            server_no_context_takeover: true,
            server_max_window_bits: Some(9),
            ..Offer::default()
        };
        let rest = "; server_no_context_takeover; server_max_window_bits=9";
        for (line, expected) in [
            (format!("PerMessage-Deflate{rest}"), Some(9)),
            (
                rest.replacen(';', "permessage-deflate;", 1).to_uppercase(),
                Some(9),
            ),
            (format!("permessage-deflate{rest}\""), Some(9)),
            (
                rest.replace("; server_max", "; server_MAX").replacen(
                    ';',
                    "permessage-deflate;",
                    1,
                ),
                Some(9),
            ),
            (
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=+09"
                    .to_owned(),
                Some(9),
            ),
            (
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=\" 9 \""
                    .to_owned(),
                Some(9),
            ),
            (
                "permessage-deflate; server_max_window_bits=9".to_owned(),
                Some(9),
            ),
            (
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=15"
                    .to_owned(),
                Some(15),
            ),
            (
                format!("permessage-deflate{rest}; client_max_window_bits=15"),
                Some(9),
            ),
        ] {
            let lenient = answer(&[&line]).expect("the original accepts it");
            assert_eq!(
                lenient.and_then(|a| a.server_max_window_bits),
                expected,
                "{line}"
            );
            assert!(judge_answer(&[strict], &[&line]).is_err(), "{line}");
        }
        assert_eq!(answer(&[" , "]), Ok(None));
        assert!(judge_answer(&[strict], &[" , "]).is_err());
        let right = format!("permessage-deflate{rest}");
        assert!(judge_answer(&[strict], &[&right]).is_ok());
        assert_eq!(answer(&[&right, ""]), Err(AnswerError::SeveralLines));
    }

    #[test]
    fn what_the_original_refuses_in_an_answer() {
        for line in [
            "foo",
            "permessage-deflate, foo",
            "permessage-deflate, permessage-deflate",
            "permessage-deflate;",
            "permessage-deflate; foo",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=-9",
            "permessage-deflate; server_max_window_bits=9=9",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_max_window_bits=9; Server_Max_Window_Bits=9",
        ] {
            assert!(answer(&[line]).is_err(), "{line}");
        }
    }

    #[test]
    fn a_wrong_offer_fails_the_handshake_and_others_are_passed_over() {
        assert_eq!(offers(&["foo; bar, x"]), Ok(Vec::new()));
        assert_eq!(
            offers(&["foo, permessage-deflate; client_max_window_bits=9"]).map(|o| o.len()),
            Ok(1)
        );
        assert!(offers(&["permessage-deflate; foo, permessage-deflate"]).is_err());
        assert!(offers(&["permessage-deflate", "permessage-deflate"]).is_err());
    }
}
