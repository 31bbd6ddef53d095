//! Extensions by name, with parameters, as a person writes them: `permessage-deflate;level=6`.
//!
//! `SHIPPED` has an entry for each; to add one, add an entry.

mod shipped;

use std::fmt::{self, Write as _};
use std::str::FromStr;

use cloverleaf::proto::error::ConfigError;
use cloverleaf::proto::extension::{Extension, Extensions};
use cloverleaf_heartbeat::Heartbeat;

use shipped::SHIPPED;

/// An extension that can be had by its name.
struct Entry {
    name: &'static str,
    about: &'static str,
    parameters: &'static [Parameter],
    /// Adds the extension, as configured, behind the others.
    add: fn(Built, &Wanted) -> Result<Built, Problem>,
}

/// Extensions, ready to be offered or accepted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Built {
    /// All of them, in order.
    pub extensions: Extensions,
    /// If it is among them: what the application beats with.
    pub heartbeat: Option<Heartbeat>,
    /// Among them is one that has a connection carry many WebSockets.
    pub multiplexes: bool,
}

impl Built {
    /// Adds one more, behind the others.
    ///
    /// # Errors
    ///
    /// One that is among them already, or cannot be built.
    pub fn including(self, wanted: &Wanted) -> Result<Self, Problem> {
        (wanted.entry.add)(self, wanted)
    }

    fn with(mut self, extension: impl Extension + 'static) -> Result<Self, Problem> {
        self.extensions = self.extensions.with(extension)?;
        Ok(self)
    }
}

/// A parameter of the configuration: most are parameters on the wire too, but not all.
struct Parameter {
    name: &'static str,
    takes: Takes,
    about: &'static str,
}

/// What may stand behind a parameter's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// Nothing, `=yes` or `=no`.
    YesNo,
    /// A number from the first to the second.
    Number(u32, u32),
    /// One of these words.
    Word(&'static [&'static str]),
    /// The path of a file, without a semicolon.
    File,
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::YesNo => f.write_str("[=yes|no]"),
            Self::Number(_, u32::MAX) => f.write_str("=NUMBER"),
            Self::Number(least, most) => write!(f, "={least}..{most}"),
            Self::Word(words) => write!(f, "={}", words.join("|")),
            Self::File => f.write_str("=FILE"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    YesNo(bool),
    Number(u32),
    Text(String),
}

/// An extension that somebody asked for, with the parameters given.
#[derive(Clone)]
pub struct Wanted {
    entry: &'static Entry,
    given: Vec<(&'static str, Value)>,
}

impl Wanted {
    /// The extension's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    fn value(&self, name: &str) -> Option<&Value> {
        debug_assert!(
            self.entry.parameters.iter().any(|known| known.name == name),
            "{name} stands in the table"
        );
        let given = self.given.iter().find(|(given, _)| *given == name);
        given.map(|(_, value)| value)
    }

    fn yes_no(&self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::YesNo(yes) => Some(*yes),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<u32> {
        match self.value(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number that the table keeps under 256.
    fn small(&self, name: &str) -> Option<u8> {
        u8::try_from(self.number(name)?).ok()
    }
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wanted")
            .field("name", &self.name())
            .field("given", &self.given)
            .finish()
    }
}

/// Reads `NAME[;param[=value]]…`.
impl FromStr for Wanted {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let mut pieces = text.split(';').map(str::trim);
        let name = pieces.next().unwrap_or_default();
        let entry = entry(name).ok_or_else(|| Problem::Unknown(name.to_owned()))?;
        let mut given: Vec<(&'static str, Value)> = Vec::new();
        for piece in pieces {
            let (name, value) = match piece.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
                None => (piece, None),
            };
            let known = entry.parameters.iter().find(|known| known.name == name);
            let known =
                known.ok_or_else(|| Problem::NoSuchParameter(entry.name, name.to_owned()))?;
            if given.iter().any(|(given, _)| *given == known.name) {
                return Err(Problem::ParameterTwice(entry.name, known.name));
            }
            let value = read(known.takes, value).ok_or_else(|| {
                let takes = known.takes.to_string();
                Problem::BadValue(entry.name, known.name, takes)
            })?;
            given.push((known.name, value));
        }
        Ok(Self { entry, given })
    }
}

fn read(takes: Takes, value: Option<&str>) -> Option<Value> {
    match (takes, value) {
        (Takes::YesNo, None | Some("yes")) => Some(Value::YesNo(true)),
        (Takes::YesNo, Some("no")) => Some(Value::YesNo(false)),
        (Takes::Word(words), Some(text)) if words.contains(&text) => {
            Some(Value::Text(text.to_owned()))
        }
        (Takes::File, Some(path)) if !path.is_empty() => Some(Value::Text(path.to_owned())),
        (Takes::YesNo | Takes::Word(_) | Takes::File, _) | (Takes::Number(..), None) => None,
        (Takes::Number(least, most), Some(text)) => {
            let number = text.parse().ok()?;
            (least..=most)
                .contains(&number)
                .then_some(Value::Number(number))
        }
    }
}

fn entry(name: &str) -> Option<&'static Entry> {
    SHIPPED.iter().find(|entry| entry.name == name)
}

/// Builds the extensions, in this order.
///
/// # Errors
///
/// One that stands there twice, or cannot be built.
pub fn build(wanted: &[Wanted]) -> Result<Built, Problem> {
    wanted.iter().try_fold(Built::default(), Built::including)
}

/// All names with their parameters, for a person to read.
#[must_use]
pub fn list() -> String {
    let mut text = String::new();
    for entry in SHIPPED {
        let _ = writeln!(text, "{}\n    {}", entry.name, entry.about);
        for parameter in entry.parameters {
            let written = format!(";{}{}", parameter.name, parameter.takes);
            let _ = writeln!(text, "    {written:<38} {}", parameter.about);
        }
    }
    text
}

/// An extension that cannot be had as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No extension has this name.
    Unknown(String),
    /// The extension has no such parameter.
    NoSuchParameter(&'static str, String),
    /// The parameter was given twice.
    ParameterTwice(&'static str, &'static str),
    /// The parameter cannot have this value, or needs one; the last text is what it takes.
    BadValue(&'static str, &'static str, String),
    /// The parameter must be there; the last text is what it takes.
    Missing(&'static str, &'static str, String),
    /// The file of a parameter is of no use, and why.
    File(String, String),
    /// The engine does not take it: it was asked for twice.
    Config(ConfigError),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(f, "no extension is called {name:?}; there are ")?;
                joined(f, SHIPPED.iter().map(|entry| entry.name.to_owned()))
            }
            Self::NoSuchParameter(extension, name) => {
                let known = entry(extension).map_or(&[][..], |entry| entry.parameters);
                if known.is_empty() {
                    return write!(f, "{extension} has no parameters; leave out {name:?}");
                }
                write!(f, "{extension} has no parameter {name:?}; there are ")?;
                joined(f, known.iter().map(|it| format!("{}{}", it.name, it.takes)))
            }
            Self::ParameterTwice(extension, name) => {
                write!(f, "{extension}: {name} stands twice; leave one out")
            }
            Self::BadValue(extension, name, takes) => {
                write!(f, "{extension}: write {name}{takes}")
            }
            Self::Missing(extension, name, takes) => {
                write!(
                    f,
                    "{extension} needs a parameter: {extension};{name}{takes}"
                )
            }
            Self::File(path, why) => write!(f, "cannot use {path}: {why}"),
            Self::Config(error) => error.fmt(f),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, names: impl Iterator<Item = String>) -> fmt::Result {
    f.write_str(&names.collect::<Vec<_>>().join(", "))
}

impl std::error::Error for Problem {}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(texts: &[&str]) -> Vec<String> {
        let wanted: Vec<Wanted> = texts.iter().map(|text| text.parse().expect(text)).collect();
        let built = build(&wanted).expect("no name stands twice");
        let offers = built.extensions.iter().flat_map(|extension| {
            let name = extension.name().to_owned();
            let offers = extension.offers().into_iter();
            offers.map(move |params| format!("{name}{params}"))
        });
        offers.collect()
    }

    #[test]
    fn every_entry_can_be_built_from_its_name_alone_and_with_every_parameter() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for entry in SHIPPED {
            let mut all = entry.name.to_owned();
            let mut least = entry.name.to_owned();
            for parameter in entry.parameters {
                let value = match parameter.takes {
                    Takes::YesNo => String::new(),
                    Takes::Number(_, most) => format!("={most}"),
                    Takes::Word(words) => format!("={}", words[0]),
                    Takes::File => format!("={file}"),
                };
                all = format!("{all}; {} {value}", parameter.name);
                if parameter.takes == Takes::File {
                    least = format!("{least};{}{value}", parameter.name);
                }
            }
            for text in [least, all] {
                let wanted: Wanted = text.parse().expect("its own form");
                let built = build(&[wanted]).expect(entry.name);
                assert!(built.extensions.get(entry.name).is_some(), "{text}");
            }
        }
    }

    #[test]
    fn what_is_given_is_offered_and_in_the_order_given() {
        assert_eq!(
            offers(&[
                "x-cloverleaf-probe",
                "permessage-deflate;server_no_context_takeover;server_max_window_bits=10",
            ]),
            [
                "x-cloverleaf-probe",
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; \
                 client_max_window_bits",
            ]
        );
        assert_eq!(
            offers(&["deflate-frame;max_window_bits=9;no_context_takeover=no"]),
            ["deflate-frame; max_window_bits=9"]
        );
    }

    #[test]
    fn a_slip_is_answered_with_what_would_be_right() {
        for (text, advice) in [
            ("", "there are permessage-deflate, "),
            ("deflate", "there are permessage-deflate, "),
            ("x-cloverleaf-probe;a", "has no parameters"),
            ("permessage-deflate;", "has no parameter \"\"; there are "),
            ("permessage-deflate;levle=3", "level=1..9"),
            ("permessage-deflate;level", "write level=1..9"),
            ("permessage-deflate;level=10", "write level=1..9"),
            ("permessage-deflate;level=x", "write level=1..9"),
            ("permessage-deflate;threshold=-1", "write threshold=NUMBER"),
            ("permessage-deflate;fallback=1", "write fallback[=yes|no]"),
            ("permessage-deflate;level=1;level=1", "level stands twice"),
            ("x-heartbeat;resolution=s", "write resolution=us|ms"),
            ("x-zstd-dictionary;dictionary", "write dictionary=FILE"),
            ("x-zstd-dictionary;dictionary=", "write dictionary=FILE"),
        ] {
            let problem = text.parse::<Wanted>().expect_err(text).to_string();
            assert!(problem.contains(advice), "{text}: {problem}");
        }
        for (text, advice) in [
            ("x-zstd-dictionary", "x-zstd-dictionary;dictionary=FILE"),
            (
                "x-zstd-dictionary;dictionary=/no/such",
                "cannot use /no/such: ",
            ),
        ] {
            let problem = build(&[text.parse().expect(text)]).expect_err(text);
            assert!(problem.to_string().contains(advice), "{text}: {problem}");
        }
        let twice = ["deflate-frame", "deflate-frame;level=2"].map(|it| it.parse().expect(it));
        let problem = build(&twice).expect_err("one name").to_string();
        assert!(problem.contains("deflate-frame"), "{problem}");
    }

    #[test]
    fn the_list_has_every_name_and_every_parameter() {
        let list = list();
        for entry in SHIPPED {
            assert!(list.contains(&format!("{}\n", entry.name)), "{list}");
            for parameter in entry.parameters {
                assert!(list.contains(&format!(";{}", parameter.name)), "{list}");
            }
        }
    }
}
