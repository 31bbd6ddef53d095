//! How fine the times are that an end sends.

use core::fmt;

use cloverleaf_proto::extension::{Declined, Params};

/// The name of the parameter.
const NAME: &str = "resolution";

/// How fine the times are that an end sends.
///
/// A fine clock in the hands of a peer helps it to measure what it should not; a coarse one costs
/// nothing but the certainty of the offset, since round trips are measured with one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a third would need a new extension token"
)]
pub enum Resolution {
    /// Whole microseconds.
    #[default]
    Microseconds,
    /// Whole milliseconds.
    Milliseconds,
}

impl Resolution {
    /// How many microseconds it has.
    pub(crate) const fn micros(self) -> u64 {
        match self {
            Self::Microseconds => 1,
            Self::Milliseconds => 1000,
        }
    }

    /// The last time not behind this one that may be sent.
    pub(crate) const fn floor(self, micros: u64) -> u64 {
        micros - micros % self.micros()
    }

    /// As an offer or an answer says it.
    pub(crate) fn params(self) -> Params {
        match self {
            Self::Microseconds => Params::new(),
            Self::Milliseconds => Params::new().value(NAME, self),
        }
    }

    /// What the peer says of its times.
    pub(crate) fn read(params: &Params) -> Result<Self, Declined> {
        let mut reader = params.reader()?;
        let resolution = match reader.text(NAME)? {
            None | Some("us") => Self::Microseconds,
            Some("ms") => Self::Milliseconds,
            Some(_) => return Err(Declined::new("resolution must be us or ms")),
        };
        reader.end()?;
        Ok(resolution)
    }
}

/// As in the parameter: `us` or `ms`.
impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_end_says_of_itself_is_what_the_other_reads() {
        for resolution in [Resolution::Microseconds, Resolution::Milliseconds] {
            assert_eq!(Resolution::read(&resolution.params()), Ok(resolution));
        }
        let said = Params::new().value("resolution", "us");
        assert_eq!(Resolution::read(&said), Ok(Resolution::Microseconds));
        assert_eq!(
            Resolution::Milliseconds.params().to_string(),
            "; resolution=ms"
        );
    }

    #[test]
    fn everything_else_is_declined() {
        for bad in [
            Params::new().flag("resolution"),
            Params::new().value("resolution", "s"),
            Params::new().value("resolution", "MS"),
            Params::new().value("resolution", ""),
            Params::new()
                .value("resolution", "ms")
                .value("resolution", "ms"),
            Params::new().flag("other"),
            Params::new().value("resolution", "ms").flag("other"),
        ] {
            assert!(Resolution::read(&bad).is_err(), "{bad}");
        }
    }
}
