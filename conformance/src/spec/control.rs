//! The URLs by which test clients steer the fuzzing server.

use std::error::Error;
use std::fmt;

use cloverleaf_reports::CaseId;

use super::error::shown;

/// What a client asks for with the target of its request.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "Autobahn's commands, and a rest: all there is"
)]
pub enum Control {
    /// `/getCaseCount`: how many cases are selected.
    CaseCount,
    /// `/runCase`: run this case.
    RunCase {
        /// Which.
        case: CaseRef,
        /// The client's name in the report.
        agent: String,
    },
    /// `/getCaseInfo`: the case's id and description.
    CaseInfo {
        /// Which.
        case: CaseRef,
    },
    /// `/getCaseStatus`: the verdict, once there is one.
    CaseStatus {
        /// Which.
        case: CaseRef,
        /// The client's name in the report.
        agent: String,
    },
    /// `/updateReports`: write the reports.
    UpdateReports {
        /// The client's name in the report.
        agent: String,
        /// Whether the server is to end then.
        shutdown: bool,
    },
    /// `/stopServer`: end now.
    StopServer,
    /// Any other path: the client sends [commands](super::command::Command).
    Direct,
}

/// A case as clients name it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "by `case` or by `casetuple`")]
pub enum CaseRef {
    /// Its number among the selected cases, from 1 (`case=7`).
    Number(u32),
    /// Its id (`casetuple=1.1.2`).
    Id(String),
}

impl CaseRef {
    /// The case meant, and its number, from 1. `selected` are the cases of the run, in order.
    ///
    /// # Errors
    ///
    /// If the number is out of range or the case not among the selected ones.
    pub fn find<'a>(&self, selected: &'a [CaseId]) -> Result<(u32, &'a CaseId), ControlError> {
        let count = u32::try_from(selected.len()).unwrap_or(u32::MAX);
        let mut numbered = (1..=count).zip(selected);
        match self {
            &Self::Number(wanted) => {
                numbered
                    .find(|&(number, _)| number == wanted)
                    .ok_or(ControlError::NoSuchNumber {
                        number: wanted,
                        count,
                    })
            }
            Self::Id(id) => numbered
                .find(|(_, case)| case.as_str() == id)
                .ok_or_else(|| ControlError::NotSelected(id.clone())),
        }
    }
}

impl Control {
    /// Reads a request target: a path and a query, or a whole URL.
    ///
    /// Parameters are percent-decoded, `+` being a space; what is not UTF-8 then is replaced.
    /// A parameter without a value counts as absent, one that nobody knows is passed over. If
    /// both `case` and `casetuple` are there, `case` counts.
    ///
    /// # Errors
    ///
    /// If a parameter is missing, repeated, or not of its form, or there is a fragment. The
    /// server answers these with HTTP status 500.
    pub fn parse(target: &str) -> Result<Self, ControlError> {
        if target.contains('#') {
            return Err(ControlError::Fragment);
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = match path.split_once("://") {
            Some((_, rest)) if !path.starts_with('/') => {
                rest.find('/').map_or("/", |at| &rest[at..])
            }
            _ => path,
        };
        // The original looks at all of them first, whatever the path.
        let given_agent = parameter(query, "agent")?;
        let id = parameter(query, "casetuple")?.map(|id| CaseRef::Id(id.trim().to_owned()));
        let number = parameter(query, "case")?.map(number).transpose()?;
        let shutdown = parameter(query, "shutdownOnComplete")?
            .is_some_and(|value| ["true", "yes"].contains(&value.to_lowercase().as_str()));

        let case = || {
            number
                .or(id)
                .ok_or(ControlError::Missing("case", "a number from 1"))
        };
        let agent = || given_agent.ok_or(ControlError::Missing("agent", "a name for the report"));
        Ok(match path {
            "/getCaseCount" => Self::CaseCount,
            "/runCase" => Self::RunCase {
                case: case()?,
                agent: agent()?,
            },
            "/getCaseInfo" => Self::CaseInfo { case: case()? },
            "/getCaseStatus" => Self::CaseStatus {
                case: case()?,
                agent: agent()?,
            },
            "/updateReports" => Self::UpdateReports {
                agent: agent()?,
                shutdown,
            },
            "/stopServer" => Self::StopServer,
            _ => Self::Direct,
        })
    }
}

fn number(text: String) -> Result<CaseRef, ControlError> {
    match text.trim().parse() {
        // The original takes 0 for no number at all.
        Ok(number) if number > 0 => Ok(CaseRef::Number(number)),
        _ => Err(ControlError::NotANumber(text)),
    }
}

/// The value of a parameter, decoded.
fn parameter(query: &str, name: &'static str) -> Result<Option<String>, ControlError> {
    let mut values = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, value)| !value.is_empty() && decode(key) == name)
        .map(|(_, value)| decode(value));
    let first = values.next();
    if values.next().is_some() {
        return Err(ControlError::Repeated(name));
    }
    Ok(first)
}

/// Undoes percent-encoding. A `%` without two hexadecimal digits stands for itself.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match after {
                [high, low, behind @ ..] => match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => {
                        rest = behind;
                        high << 4 | low
                    }
                    _ => byte,
                },
                _ => byte,
            },
            _ => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| value.try_into().ok())
}

/// A request target that the fuzzing server does not serve.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ControlError {
    /// A parameter is there more than once.
    Repeated(&'static str),
    /// The path needs this parameter; what it must be.
    Missing(&'static str, &'static str),
    /// `case` is not a number from 1.
    NotANumber(String),
    /// There are not so many cases.
    NoSuchNumber {
        /// The number asked for.
        number: u32,
        /// How many there are.
        count: u32,
    },
    /// `casetuple` is not among the selected cases.
    NotSelected(String),
    /// The target has a fragment (RFC 6455 §3).
    Fragment,
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated(name) => write!(f, "`{name}` is there twice; give it once"),
            Self::Missing(name, what) => write!(f, "add the parameter `{name}={what}`"),
            Self::NotANumber(text) => write!(
                f,
                "`case={}` must be a number from 1; for an id write `casetuple=`",
                shown(text)
            ),
            Self::NoSuchNumber { number, count } => {
                write!(f, "there is no case {number}; numbers go from 1 to {count}")
            }
            Self::NotSelected(id) => write!(
                f,
                "`{}` is not among the selected cases; add it to `cases` in the spec file",
                shown(id)
            ),
            Self::Fragment => f.write_str("a WebSocket URL has no #fragment; write %23"),
        }
    }
}

impl Error for ControlError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(case: CaseRef, agent: &str) -> Control {
        Control::RunCase {
            case,
            agent: agent.to_owned(),
        }
    }

    fn update(agent: &str, shutdown: bool) -> Control {
        Control::UpdateReports {
            agent: agent.to_owned(),
            shutdown,
        }
    }

    #[test]
    fn every_command_is_read() {
        use CaseRef::{Id, Number};
        for (target, expected) in [
            ("/getCaseCount", Control::CaseCount),
            ("/getCaseCount?agent=X", Control::CaseCount),
            ("/runCase?case=7&agent=X", run(Number(7), "X")),
            ("/runCase?agent=X&case=7&more=1&more=2", run(Number(7), "X")),
            (
                "/runCase?casetuple=1.1.2&agent=X",
                run(Id("1.1.2".to_owned()), "X"),
            ),
            (
                "/runCase?casetuple=%201.1.2+&agent=X",
                run(Id("1.1.2".to_owned()), "X"),
            ),
            (
                "/runCase?casetuple=1.1.2&case=3&agent=X",
                run(Number(3), "X"),
            ),
            ("/runCase?case=+7%20&agent=X", run(Number(7), "X")),
            ("/runCase?case=&case=7&agent=X", run(Number(7), "X")),
            (
                "ws://localhost:9001/runCase?case=7&agent=ws://",
                run(Number(7), "ws://"),
            ),
            ("/getCaseInfo?case=1", Control::CaseInfo { case: Number(1) }),
            (
                "/getCaseStatus?case=1&agent=X",
                Control::CaseStatus {
                    case: Number(1),
                    agent: "X".to_owned(),
                },
            ),
            ("/updateReports?agent=X", update("X", false)),
            (
                "/updateReports?agent=X&shutdownOnComplete=true",
                update("X", true),
            ),
            (
                "/updateReports?agent=X&shutdownOnComplete=YES",
                update("X", true),
            ),
            (
                "/updateReports?agent=X&shutdownOnComplete=True",
                update("X", true),
            ),
            (
                "/updateReports?agent=X&shutdownOnComplete=1",
                update("X", false),
            ),
            (
                "/updateReports?agent=X&shutdownOnComplete=",
                update("X", false),
            ),
            (
                "/updateReports?agent=X&shutdownoncomplete=true",
                update("X", false),
            ),
            ("/stopServer", Control::StopServer),
            ("/", Control::Direct),
            ("", Control::Direct),
            ("/runcase?case=1&agent=X", Control::Direct),
            ("/runCase/?case=1&agent=X", Control::Direct),
            ("ws://localhost:9001", Control::Direct),
        ] {
            assert_eq!(Control::parse(target), Ok(expected), "{target}");
        }
    }

    #[test]
    fn agents_are_decoded() {
        for (written, agent) in [
            ("Chrome/10", "Chrome/10"),
            ("Chrome%2F10", "Chrome/10"),
            ("a+b%2Bc", "a b+c"),
            ("a%20b%26c%3D", "a b&c="),
            ("x=y", "x=y"),
            ("%C3%A9", "\u{e9}"),
            ("%c3%a9", "\u{e9}"),
            ("100%", "100%"),
            ("%2", "%2"),
            ("%zz%41", "%zzA"),
            ("%+1", "% 1"),
            ("%ff", "\u{fffd}"),
            ("a;b", "a;b"),
        ] {
            assert_eq!(
                Control::parse(&format!("/updateReports?agent={written}")),
                Ok(update(agent, false)),
                "{written}"
            );
        }
        assert_eq!(
            Control::parse("/updateReports?%61gent=X"),
            Ok(update("X", false))
        );
    }

    #[test]
    fn what_cannot_be_served_is_refused_with_advice() {
        for (target, expected) in [
            ("/runCase?case=1", "add the parameter `agent="),
            ("/runCase?case=1&agent=", "add the parameter `agent="),
            ("/runCase?agent=X", "add the parameter `case="),
            ("/runCase?agent=X&case", "add the parameter `case="),
            ("/getCaseInfo", "add the parameter `case="),
            ("/getCaseStatus?case=1", "add the parameter `agent="),
            ("/getCaseStatus?agent=X", "add the parameter `case="),
            ("/updateReports", "add the parameter `agent="),
            (
                "/runCase?case=1&case=2&agent=X",
                "`case` is there twice; give it once",
            ),
            ("/runCase?case=1&agent=X&agent=X", "`agent` is there twice"),
            (
                "/runCase?casetuple=1.1.1&casetuple=1.1.1&agent=X",
                "`casetuple` is there",
            ),
            (
                "/getCaseCount?shutdownOnComplete=yes&shutdownOnComplete=no",
                "`shutdownOnComplete` is there twice",
            ),
            (
                "/runCase?case=1.1.1&agent=X",
                "for an id write `casetuple=`",
            ),
            ("/runCase?case=0&agent=X", "a number from 1"),
            ("/runCase?case=-1&agent=X", "a number from 1"),
            ("/runCase?case=4294967296&agent=X", "a number from 1"),
            ("/other?case=%0d%0ax", "`case=\\r\\nx` must be"),
            ("/runCase?case=1&agent=a#b", "write %23"),
        ] {
            let error = Control::parse(target).expect_err(target).to_string();
            assert!(error.contains(expected), "{target}: {error}");
        }
    }

    #[test]
    fn cases_are_found_among_the_selected_ones() {
        let selected: Vec<CaseId> = ["1.1.2", "2.9", "2.10"]
            .iter()
            .map(|id| id.parse().expect("an id"))
            .collect();
        for (case, expected) in [
            (CaseRef::Number(1), Ok((1, "1.1.2"))),
            (CaseRef::Number(3), Ok((3, "2.10"))),
            (CaseRef::Id("2.9".to_owned()), Ok((2, "2.9"))),
            (CaseRef::Number(0), Err("numbers go from 1 to 3")),
            (
                CaseRef::Number(4),
                Err("there is no case 4; numbers go from 1 to 3"),
            ),
            (CaseRef::Number(u32::MAX), Err("numbers go from 1 to 3")),
            (
                CaseRef::Id("1.1.1".to_owned()),
                Err("add it to `cases` in the spec file"),
            ),
            (
                CaseRef::Id("2.*\n".to_owned()),
                Err("`2.*\\n` is not among"),
            ),
        ] {
            match (case.find(&selected), expected) {
                (Ok((number, id)), Ok(expected)) => assert_eq!((number, id.as_str()), expected),
                (Err(error), Err(advice)) => {
                    assert!(error.to_string().contains(advice), "{error}");
                }
                (found, _) => panic!("{case:?}: {found:?}"),
            }
        }
    }
}
