//! Who may answer what: servers judged by their answer, clients by their offers (RFC 7692 §5, §7.1).

use super::deflater::Deflater;
use super::header::{Element, GrammarError};
use super::inflate::Inflater;
use super::params::{Answer, Offer, PERMESSAGE_DEFLATE, ParamError};
use std::fmt;

/// Why a client must fail the connection for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// The header is no list of extensions.
    Grammar(GrammarError),
    /// The answer's parameters are wrong in themselves.
    Param(ParamError),
    /// An extension that was not offered (RFC 6455 §9.1).
    NotOffered {
        /// Its name.
        name: String,
    },
    /// The extension accepted twice (RFC 7692 §5, as both would claim RSV1).
    Twice,
    /// `client_max_window_bits`, which the offer did not have (RFC 7692 §7.1.2.2).
    ClientWindowNotOffered,
    /// No `server_no_context_takeover`, which the offer asked for (RFC 7692 §7.1.1.1).
    ServerTakeoverKept,
    /// A larger `server_max_window_bits` than the offer asked for, or none (RFC 7692 §7.1.2.1).
    ServerWindowTooLarge {
        /// What was asked for.
        asked: u8,
        /// What was answered.
        answered: Option<u8>,
    },
    /// More than one header line. RFC 6455 §9.1 allows that; the original suite does not.
    SeveralLines,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grammar(error) => write!(f, "Sec-WebSocket-Extensions: {error}"),
            Self::Param(error) => error.fmt(f),
            Self::NotOffered { name } => {
                write!(f, "the answer names {name:?}, which was not offered")
            }
            Self::Twice => write!(f, "the answer accepts {PERMESSAGE_DEFLATE} twice"),
            Self::ClientWindowNotOffered => {
                f.write_str("the answer has client_max_window_bits, which the offer had not")
            }
            Self::ServerTakeoverKept => {
                f.write_str("the answer lacks server_no_context_takeover, which was asked for")
            }
            Self::ServerWindowTooLarge { asked, answered } => {
                write!(
                    f,
                    "server_max_window_bits={asked} was asked for; the answer "
                )?;
                match answered {
                    Some(bits) => write!(f, "says {bits}"),
                    None => f.write_str("does not have it"),
                }
            }
            Self::SeveralLines => f.write_str("Sec-WebSocket-Extensions stands there twice"),
        }
    }
}

impl std::error::Error for AnswerError {}

impl Offer {
    /// Whether a server may answer this offer so. A wider window for the client than the offer
    /// hints at is no sin: the hint says what the client will do, whatever the answer.
    ///
    /// # Errors
    ///
    /// What the answer lacks, or has too much of.
    pub const fn check(&self, answer: &Answer) -> Result<(), AnswerError> {
        if self.client_max_window_bits.is_none() && answer.client_max_window_bits.is_some() {
            return Err(AnswerError::ClientWindowNotOffered);
        }
        if self.server_no_context_takeover && !answer.server_no_context_takeover {
            return Err(AnswerError::ServerTakeoverKept);
        }
        if let Some(asked) = self.server_max_window_bits {
            match answer.server_max_window_bits {
                Some(bits) if bits <= asked => {}
                answered => return Err(AnswerError::ServerWindowTooLarge { asked, answered }),
            }
        }
        Ok(())
    }
}

/// Judges a server's answer to `offers`: the lines of `Sec-WebSocket-Extensions` it sent. Returns
/// its answer, with the index of the first offer it satisfies, or `None` if it declined them all.
///
/// # Errors
///
/// Why a client must fail the connection; where no offer is satisfied, the reason of the last.
pub fn judge_answer(
    offers: &[Offer],
    lines: &[&str],
) -> Result<Option<(usize, Answer)>, AnswerError> {
    let mut found = None;
    for line in lines {
        for element in Element::list(line).map_err(AnswerError::Grammar)? {
            if element.name != PERMESSAGE_DEFLATE || offers.is_empty() {
                let name = element.name;
                return Err(AnswerError::NotOffered { name });
            }
            let answer = Answer::read(&element).map_err(AnswerError::Param)?;
            if found.replace(answer).is_some() {
                return Err(AnswerError::Twice);
            }
        }
    }
    let Some(answer) = found else {
        return Ok(None);
    };
    let mut refusal = AnswerError::Twice;
    for (index, offer) in offers.iter().enumerate() {
        match offer.check(&answer) {
            Ok(()) => return Ok(Some((index, answer))),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// What the judge, as a server, requires of a client's compression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a server can ask for these two")]
pub struct Requirement {
    /// Every message starts with an empty window. No offer can forbid this (RFC 7692 §7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The client's window. Only an offer with `client_max_window_bits` allows this.
    pub client_max_window_bits: Option<u8>,
}

/// Chooses what to answer, as the original suite does in 12.* and 13.*: for the first requirement
/// that some offer allows, the first such offer. What the offer asks of the server is granted.
///
/// The original answers `client_no_context_takeover` unasked, as RFC 7692 §7.1.1.2 allows, and does
/// not look at the value of an offered `client_max_window_bits`: to `client_max_window_bits=8` it
/// may answer `client_max_window_bits=9`.
#[must_use]
pub fn choose(offers: &[Offer], requirements: &[Requirement]) -> Option<(usize, Answer)> {
    requirements.iter().find_map(|requirement| {
        let index = offers.iter().position(|offer| {
            requirement.client_max_window_bits.is_none() || offer.client_max_window_bits.is_some()
        })?;
        let answer = Answer {
            server_no_context_takeover: offers[index].server_no_context_takeover,
            server_max_window_bits: offers[index].server_max_window_bits,
            client_no_context_takeover: requirement.client_no_context_takeover,
            client_max_window_bits: requirement.client_max_window_bits,
        };
        Some((index, answer))
    })
}

/// What holds for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "RFC 7692 has two things a direction"
)]
pub struct Agreed {
    /// The server may refer back to earlier messages.
    pub server_takeover: bool,
    /// The client may.
    pub client_takeover: bool,
    /// The server's window.
    pub server_bits: u8,
    /// The client's window.
    pub client_bits: u8,
}

impl Agreed {
    /// What follows from an offer and its answer. Only the answer binds, but for the window that
    /// the client said it would not exceed in any case (RFC 7692 §7.1.2.2).
    #[must_use]
    pub fn new(offer: &Offer, answer: &Answer) -> Self {
        let hint = offer.client_max_window_bits.flatten().unwrap_or(15);
        Self {
            server_takeover: !answer.server_no_context_takeover,
            client_takeover: !answer.client_no_context_takeover,
            server_bits: answer.server_max_window_bits.unwrap_or(15),
            client_bits: answer.client_max_window_bits.unwrap_or(15).min(hint),
        }
    }

    /// What a client inflates and deflates with.
    ///
    /// # Panics
    ///
    /// Unless both windows have 8 to 15 bits.
    #[must_use]
    pub fn for_client(&self) -> (Inflater, Deflater) {
        (
            Inflater::new(self.server_bits, self.server_takeover),
            Deflater::new(self.client_bits, self.client_takeover),
        )
    }

    /// What a server inflates and deflates with.
    ///
    /// # Panics
    ///
    /// Unless both windows have 8 to 15 bits.
    #[must_use]
    pub fn for_server(&self) -> (Inflater, Deflater) {
        (
            Inflater::new(self.client_bits, self.client_takeover),
            Deflater::new(self.server_bits, self.server_takeover),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(value: &str) -> Vec<Offer> {
        Element::list(value)
            .expect("a right header")
            .iter()
            .map(|element| Offer::read(element).expect("a right offer"))
            .collect()
    }

    #[test]
    fn an_answer_may_give_more_than_was_asked_but_not_less() {
        for (asked, answered, index) in [
            ("", "", 0),
            ("", "; server_no_context_takeover", 0),
            ("", "; client_no_context_takeover", 0),
            ("", "; server_max_window_bits=15", 0),
            ("; client_max_window_bits", "", 0),
            ("; client_max_window_bits", "; client_max_window_bits=8", 0),
            (
                "; client_max_window_bits=9",
                "; client_max_window_bits=10",
                0,
            ),
            (
                "; server_max_window_bits=10",
                "; server_max_window_bits=9",
                0,
            ),
            ("; server_max_window_bits=10, permessage-deflate", "", 1),
        ] {
            let offers = offers(&format!("permessage-deflate{asked}"));
            let line = format!("permessage-deflate{answered}");
            let judged = judge_answer(&offers, &[&line]);
            assert_eq!(
                judged.map(|a| a.map(|a| a.0)),
                Ok(Some(index)),
                "{asked} / {answered}"
            );
        }
    }

    #[test]
    fn an_answer_that_breaks_the_offer_is_refused_for_its_reason() {
        for (asked, answered, expected) in [
            (
                "",
                "permessage-deflate; client_max_window_bits=15",
                AnswerError::ClientWindowNotOffered,
            ),
            (
                "; server_no_context_takeover",
                "permessage-deflate",
                AnswerError::ServerTakeoverKept,
            ),
            (
                "; server_max_window_bits=10",
                "permessage-deflate",
                AnswerError::ServerWindowTooLarge {
                    asked: 10,
                    answered: None,
                },
            ),
            (
                "; server_max_window_bits=10",
                "permessage-deflate; server_max_window_bits=12",
                AnswerError::ServerWindowTooLarge {
                    asked: 10,
                    answered: Some(12),
                },
            ),
            (
                "",
                "permessage-deflate, permessage-deflate",
                AnswerError::Twice,
            ),
            (
                "",
                "foo",
                AnswerError::NotOffered {
                    name: "foo".to_owned(),
                },
            ),
            (
                "",
                "permessage-deflate;",
                AnswerError::Grammar(GrammarError::TokenExpected { at: 19 }),
            ),
        ] {
            let offers = offers(&format!("permessage-deflate{asked}"));
            assert_eq!(
                judge_answer(&offers, &[answered]),
                Err(expected),
                "{answered}"
            );
        }
        assert_eq!(judge_answer(&[Offer::default()], &[]), Ok(None));
        let name = PERMESSAGE_DEFLATE.to_owned();
        assert_eq!(
            judge_answer(&[], &[PERMESSAGE_DEFLATE]),
            Err(AnswerError::NotOffered { name })
        );
    }

    /// The requirements of 13.1 to 13.7, against what clients offer.
    #[test]
    fn the_seven_requirements_choose_as_the_original_does() {
        let ask = |client_no_context_takeover, client_max_window_bits| Requirement {
            client_no_context_takeover,
            client_max_window_bits,
        };
        let seven = [
            vec![ask(false, None)],
            vec![ask(true, None)],
            vec![ask(false, Some(9))],
            vec![ask(false, Some(15))],
            vec![ask(true, Some(9))],
            vec![ask(true, Some(15))],
            vec![ask(true, Some(9)), ask(true, None), ask(false, None)],
        ];
        let answers = |value: &str| -> Vec<String> {
            seven
                .iter()
                .map(|requirements| match choose(&offers(value), requirements) {
                    Some((index, answer)) => {
                        format!("{index}{}", &answer.to_string()[PERMESSAGE_DEFLATE.len()..])
                    }
                    None => "none".to_owned(),
                })
                .collect()
        };
        assert_eq!(
            answers("permessage-deflate; client_max_window_bits=8"),
            [
                "0",
                "0; client_no_context_takeover",
                "0; client_max_window_bits=9",
                "0; client_max_window_bits=15",
                "0; client_no_context_takeover; client_max_window_bits=9",
                "0; client_no_context_takeover; client_max_window_bits=15",
                "0; client_no_context_takeover; client_max_window_bits=9",
            ]
        );
        assert_eq!(
            answers("permessage-deflate; server_no_context_takeover; server_max_window_bits=10"),
            [
                "0; server_no_context_takeover; server_max_window_bits=10",
                "0; server_no_context_takeover; server_max_window_bits=10; client_no_context_takeover",
                "none",
                "none",
                "none",
                "none",
                "0; server_no_context_takeover; server_max_window_bits=10; client_no_context_takeover",
            ]
        );
        // The first requirement that any offer allows goes before the first offer.
        assert_eq!(
            answers("permessage-deflate, permessage-deflate; client_max_window_bits")[6],
            "1; client_no_context_takeover; client_max_window_bits=9"
        );
    }

    #[test]
    fn client_and_server_understand_each_other_in_every_window() {
        for bits in 8..=15 {
            for takeover in [false, true] {
                let offer = Offer {
                    server_no_context_takeover: !takeover,
                    client_max_window_bits: Some(None),
                    ..Offer::default()
                };
                let answer = Answer {
                    server_no_context_takeover: !takeover,
                    client_max_window_bits: Some(bits),
                    ..Answer::default()
                };
                let agreed = Agreed::new(&offer, &answer);
                assert_eq!(agreed.server_takeover, takeover);
                assert!(agreed.client_takeover);
                assert_eq!((agreed.server_bits, agreed.client_bits), (15, bits));
                let (mut client_inflater, mut client_deflater) = agreed.for_client();
                let (mut server_inflater, mut server_deflater) = agreed.for_server();
                let mut out = Vec::new();
                for plain in [&b"Hello, Hello"[..], b"", b"Hello, Hello again"] {
                    let payload = client_deflater.message(plain);
                    assert_eq!(server_inflater.message(&payload, 99, &mut out), Ok(()));
                    assert_eq!(out, plain);
                    let payload = server_deflater.message(plain);
                    assert_eq!(client_inflater.message(&payload, 99, &mut out), Ok(()));
                    assert_eq!(out, plain);
                }
                assert_eq!(server_inflater.window(), 1 << bits);
            }
        }
    }

    #[test]
    fn a_client_is_held_to_the_window_it_hinted_at() {
        let offer = Offer {
            client_max_window_bits: Some(Some(10)),
            ..Offer::default()
        };
        assert_eq!(Agreed::new(&offer, &Answer::default()).client_bits, 10);
    }
}
