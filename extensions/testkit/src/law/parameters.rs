//! What is not understood is declined.

use cloverleaf_proto::Role;
use cloverleaf_proto::extension::{Agreement, Declined, Extension, Offer, Params};

use crate::subject::{Subject, guard, only, through_the_header};

/// Values that number parsers and buffers have stumbled over. Some can never come out of a header,
/// but an extension may be asked from elsewhere.
const GARBAGE: [&str; 23] = [
    "",
    "0",
    "1",
    "00",
    "01",
    "-0",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "0x10",
    "1_000",
    "255",
    "256",
    "65536",
    "4294967296",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "nan",
    " 1",
    "1\0",
    "é",
    "🍀",
];

/// A value that no header line would carry.
const LONG: usize = 10 << 10;

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    let (client, server) = (subject.side(Role::Client)?, subject.side(Role::Server)?);
    let (client, server) = (only(&client)?, only(&server)?);
    let offers = client.offers();
    let mut bases = offers.clone();
    bases.extend(subject.also_accepts.iter().cloned());
    let mut answers: Vec<Params> = Vec::new();
    for base in &bases {
        let Ok(accepted) = server.accept(base) else {
            continue;
        };
        let accept = |offer: &Params| server.accept(offer);
        Side {
            subject,
            verb: "accepts the offer",
            decide: &accept,
            name: server.name(),
        }
        .check(base, true)?;
        let answer = accepted.params().clone();
        // Only what answers an offer that was made can be confirmed.
        if offers.contains(base) && !answers.contains(&answer) {
            answers.push(answer);
        }
    }
    for answer in &answers {
        let confirm = |answer: &Params| client.confirm(&offers, answer);
        Side {
            subject,
            verb: "confirms the answer",
            decide: &confirm,
            name: client.name(),
        }
        .check(answer, false)?;
    }
    required(subject, server, &bases)
}

fn required(subject: &Subject, server: &dyn Extension, bases: &[Params]) -> Result<(), String> {
    for name in &subject.required {
        if !bases
            .iter()
            .any(|base| base.iter().any(|(param, _)| param == name))
        {
            return Err(format!(
                "the parameter {name:?} is required, but no offer has it"
            ));
        }
        for base in bases {
            subject.trial(format!("an offer without {name:?}"));
            let without = rebuilt(base.iter().filter(|(param, _)| param != name));
            if server.accept(&without).is_ok() {
                return Err(format!(
                    "the server side accepts the offer \"{}{without}\", which lacks {name:?}",
                    server.name()
                ));
            }
        }
    }
    Ok(())
}

/// One of the two who decide.
struct Side<'a> {
    subject: &'a Subject,
    verb: &'static str,
    decide: &'a dyn Fn(&Params) -> Result<Agreement, Declined>,
    name: &'a str,
}

const UNKNOWN: &str = "x-testkit-unknown";

impl Side<'_> {
    fn check(&self, base: &Params, is_offer: bool) -> Result<(), String> {
        let unknown = "has an unknown parameter";
        self.declines(&base.clone().flag(UNKNOWN), unknown)?;
        self.declines(&base.clone().value(UNKNOWN, 1), unknown)?;
        let first = core::iter::once((UNKNOWN, None)).chain(base.iter());
        self.declines(&rebuilt(first), unknown)?;
        for (i, (param, value)) in base.iter().enumerate() {
            let twice = "has a parameter twice";
            self.declines(&rebuilt(base.iter().chain([(param, value)])), twice)?;
            let again = Some(value.map_or("1", |_| "2"));
            self.declines(&rebuilt(base.iter().chain([(param, again)])), twice)?;
            self.declines(&rebuilt(base.iter().chain([(param, None)])), twice)?;
            let with = |value| {
                rebuilt(base.iter().enumerate().map(
                    |(j, pair)| {
                        if i == j { (param, value) } else { pair }
                    },
                ))
            };
            // A name in another case is another name.
            let upper = param.to_uppercase();
            if upper != param {
                let shouted = rebuilt(base.iter().enumerate().map(|(j, pair)| {
                    if i == j {
                        (upper.as_str(), pair.1)
                    } else {
                        pair
                    }
                }));
                self.declines(&shouted, "writes a parameter in upper case")?;
            }
            let both = self.subject.without_value.iter().any(|name| name == param);
            match value {
                _ if both => {}
                None => {
                    self.declines(&with(Some("1")), "gives a flag a value")?;
                    self.declines(&with(Some("true")), "gives a flag a value")?;
                }
                Some(_) => self.declines(&with(None), "leaves out the value of a parameter")?,
            }
            for garbage in GARBAGE {
                self.survives(&with(Some(garbage)), is_offer)?;
            }
            for long in ["9", "a", "\u{20AC}"] {
                let long = long.repeat(LONG / long.len());
                let params = rebuilt(base.iter().enumerate().map(|(j, pair)| {
                    if i == j {
                        (param, Some(long.as_str()))
                    } else {
                        pair
                    }
                }));
                self.survives(&params, is_offer)?;
            }
        }
        Ok(())
    }

    fn decide(&self, params: &Params) -> Result<Option<Agreement>, String> {
        self.subject.trial(String::new());
        guard(|| (self.decide)(params).ok())
            .map_err(|panic| format!("asked for {}: {panic}", self.shown(params)))
    }

    fn shown(&self, params: &Params) -> String {
        let shown: String = format!("{}{params}", self.name).chars().take(120).collect();
        format!("\"{}\"", shown.escape_debug())
    }

    fn declines(&self, params: &Params, because: &str) -> Result<(), String> {
        match self.decide(params)? {
            None => Ok(()),
            Some(_) => Err(format!(
                "it {} {}, which {because}",
                self.verb,
                self.shown(params)
            )),
        }
    }

    /// Any answer will do, if it can stand in a header.
    fn survives(&self, params: &Params, is_offer: bool) -> Result<(), String> {
        let Some(agreement) = self.decide(params)? else {
            return Ok(());
        };
        let possible = through_the_header(&[Offer::new(self.name, params.clone())]).is_ok();
        if is_offer && possible {
            let answer = Offer::new(self.name, agreement.params().clone());
            through_the_header(&[answer]).map_err(|error| {
                format!(
                    "asked for {}, the answer breaks the header: {error}",
                    self.shown(params)
                )
            })?;
        }
        Ok(())
    }
}

fn rebuilt<'a>(params: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Params {
    params.fold(Params::new(), |all, (name, value)| match value {
        Some(value) => all.value(name, value),
        None => all.flag(name),
    })
}
