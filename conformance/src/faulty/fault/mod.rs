//! The faults by name: what each is, in which role it exists, and the rule that it breaks.

mod auth;
mod closing;
mod control;
mod deflate;
mod frames;
mod framing;
mod kind;
mod messages;
mod mux;
mod opening;

use std::fmt;
use std::str::FromStr;

use cloverleaf_judge::case::Subjects;
use cloverleaf_reports::Role;

pub(super) use kind::Kind;

/// One fault, by which an endpoint differs from an honest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Its name: `accepts-rsv1`.
    pub name: &'static str,
    /// What the endpoint does, in a sentence without a subject.
    pub sentence: &'static str,
    /// The roles in which an endpoint can have it.
    pub roles: Subjects,
    /// The rule that it breaks.
    pub section: &'static str,
    pub(super) kind: Kind,
}

/// A row of the tables.
const fn fault(
    kind: Kind,
    name: &'static str,
    roles: Subjects,
    section: &'static str,
    sentence: &'static str,
) -> Fault {
    Fault {
        name,
        sentence,
        roles,
        section,
        kind,
    }
}

impl Fault {
    /// All faults: those of the opening handshake first, those of authentication last.
    pub fn all() -> impl Iterator<Item = Self> {
        let tables = [
            opening::SERVER,
            opening::CLIENT,
            framing::FAULTS,
            messages::FAULTS,
            control::FAULTS,
            closing::FAULTS,
            deflate::NEGOTIATION,
            deflate::MESSAGES,
            frames::FAULTS,
            mux::CONNECTION,
            mux::CHANNEL,
            auth::SERVER,
            auth::CLIENT,
            auth::EITHER,
        ];
        tables.into_iter().flatten().copied()
    }

    /// Whether an endpoint in this role can have it.
    pub fn exists_in(&self, role: Role) -> bool {
        self.roles.include(role)
    }

    /// Whether it is one of the opening handshake; its rules are those of RFC 6455 §4.
    pub fn is_of_opening(&self) -> bool {
        let tables = [opening::SERVER, opening::CLIENT];
        tables.into_iter().flatten().any(|fault| fault == self)
    }

    /// Whether it is one of multiplexing: it shows where that is agreed on only.
    pub fn is_of_multiplexing(&self) -> bool {
        let tables = [mux::CONNECTION, mux::CHANNEL];
        tables.into_iter().flatten().any(|fault| fault == self)
    }

    /// Whether it is one of authentication: it shows where credentials are asked for only.
    pub fn is_of_authentication(&self) -> bool {
        let tables = [auth::SERVER, auth::CLIENT, auth::EITHER];
        tables.into_iter().flatten().any(|fault| fault == self)
    }

    /// All faults that an endpoint in this role can have, one a line, with their sentences.
    pub fn list(role: Role) -> String {
        let lines = Self::all()
            .filter(|fault| fault.exists_in(role))
            .map(|fault| format!("  {}: {} ({})\n", fault.name, fault.sentence, fault.section));
        lines.collect()
    }
}

/// A name that no fault has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownFault {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "there is no fault {:?}; there are:", self.name)?;
        for fault in Fault::all() {
            let role = match fault.roles {
                Subjects::Both => "",
                Subjects::Servers => "servers only; ",
                Subjects::Clients => "clients only; ",
            };
            let Fault {
                name,
                sentence,
                section,
                ..
            } = fault;
            writeln!(f, "  {name}: {sentence} ({role}{section})")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownFault {}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let mut faults = Self::all();
        faults
            .find(|fault| fault.name == name)
            .ok_or_else(|| UnknownFault {
                name: name.to_owned(),
            })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own_a_sentence_and_a_rule() {
        let (mut names, mut kinds) = (HashSet::new(), HashSet::new());
        for fault in Fault::all() {
            let Fault {
                name,
                sentence,
                section,
                kind,
                ..
            } = fault;
            assert!(names.insert(name), "{name} twice");
            assert!(kinds.insert(kind), "{kind:?} twice");
            let kebab =
                |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
            assert!(name.bytes().all(kebab), "{name}");
            assert!(
                sentence.ends_with('.') && !sentence.contains(". "),
                "{name}"
            );
            assert!(
                section.starts_with("RFC ") && section.contains('§')
                    || section.starts_with("hybi-multiplexing ("),
                "{name}"
            );
            // The name and the identifier in the code are the same word.
            let identifier: String = name.split('-').collect();
            assert_eq!(identifier, format!("{kind:?}").to_lowercase());
            assert_eq!(name.parse(), Ok(fault));
        }
        assert!(names.len() >= 75, "{}", names.len());
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_names_there_are() {
        let error = "accepts-rsv4".parse::<Fault>().expect_err("unknown");
        let text = error.to_string();
        assert!(text.contains("\"accepts-rsv4\"") && text.contains("accepts-rsv1:"));
        assert!(Fault::list(Role::Client).contains("zero-mask"));
        assert!(!Fault::list(Role::Server).contains("zero-mask"));
    }
}
