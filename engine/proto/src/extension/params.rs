//! The parameters of an extension.

use core::fmt;
use core::ops::RangeInclusive;

use super::Declined;

/// The parameters of one offer or answer, in the order of the wire, quoting resolved, duplicates
/// kept (RFC 6455 §9.1).
///
/// Names and values compare exactly; neither is folded to lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// No parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a parameter without a value.
    #[must_use]
    pub fn flag(mut self, name: &str) -> Self {
        self.0.push((name.to_owned(), None));
        self
    }

    /// Adds a parameter with a value.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.0.push((name.to_owned(), Some(value.to_string())));
        self
    }

    /// The parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A parameter that stands twice, if one does. Most extensions decline such an offer.
    #[must_use]
    pub fn duplicate(&self) -> Option<&str> {
        // Sorted, because a hostile header may hold thousands of them.
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(*a),
            _ => None,
        })
    }

    /// Reads the parameters by name, strictly: whatever most extensions must decline is declined.
    ///
    /// ```
    /// use cloverleaf_proto::extension::{Declined, Params};
    ///
    /// fn read(params: &Params) -> Result<(u32, bool), Declined> {
    ///     let mut reader = params.reader()?;
    ///     let shift = reader.required_number("shift", 0..=25)?;
    ///     let loud = reader.flag("loud")?;
    ///     reader.end()?;
    ///     Ok((shift, loud))
    /// }
    ///
    /// assert_eq!(read(&Params::new().value("shift", 13)), Ok((13, false)));
    /// for bad in [
    ///     Params::new(),
    ///     Params::new().flag("shift"),
    ///     Params::new().value("shift", "+13"),
    ///     Params::new().value("shift", 13).value("shift", 13),
    ///     Params::new().value("shift", 13).value("loud", 1),
    ///     Params::new().value("shift", 13).flag("other"),
    /// ] {
    ///     assert!(read(&bad).is_err());
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// A parameter stands twice.
    pub fn reader(&self) -> Result<ParamsReader<'_>, Declined> {
        match self.duplicate() {
            Some(name) => Err(Declined::new(format!("{} stands twice", shown(name)))),
            None => Ok(ParamsReader {
                left: self.iter().collect(),
            }),
        }
    }

    pub(crate) fn push(&mut self, name: String, value: Option<String>) {
        self.0.push((name, value));
    }
}

/// Reads parameters by name; see [`Params::reader`]. What was read is taken out.
#[derive(Clone, Debug)]
pub struct ParamsReader<'a> {
    left: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> ParamsReader<'a> {
    fn take(&mut self, name: &str) -> Option<Option<&'a str>> {
        let at = self.left.iter().position(|(other, _)| *other == name)?;
        Some(self.left.remove(at).1)
    }

    /// Whether the parameter is there.
    ///
    /// # Errors
    ///
    /// It has a value.
    pub fn flag(&mut self, name: &str) -> Result<bool, Declined> {
        match self.take(name) {
            None => Ok(false),
            Some(None) => Ok(true),
            Some(Some(_)) => Err(Declined::new(format!("{name} takes no value"))),
        }
    }

    /// The parameter's value, if the parameter is there.
    ///
    /// # Errors
    ///
    /// It has no value.
    pub fn text(&mut self, name: &str) -> Result<Option<&'a str>, Declined> {
        match self.take(name) {
            None => Ok(None),
            Some(Some(value)) => Ok(Some(value)),
            Some(None) => Err(Declined::new(format!("{name} needs a value"))),
        }
    }

    /// The parameter's value as a number, if the parameter is there.
    ///
    /// # Errors
    ///
    /// It has no value, or one that is not a number of this range in plain decimal: no sign, no
    /// leading zero.
    pub fn number(
        &mut self,
        name: &str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, Declined> {
        let Some(value) = self.text(name)? else {
            return Ok(None);
        };
        let number = value.parse().ok().filter(|number| {
            // "+8" and "08" pass the parser.
            range.contains(number) && number.to_string() == value
        });
        match number {
            Some(number) => Ok(Some(number)),
            None => {
                let (least, most) = (range.start(), range.end());
                Err(Declined::new(format!(
                    "{name} must be {least} to {most}, in decimal"
                )))
            }
        }
    }

    /// The value of a parameter that must be there, as a number.
    ///
    /// # Errors
    ///
    /// As [`number`](Self::number), or the parameter is missing.
    pub fn required_number(
        &mut self,
        name: &str,
        range: RangeInclusive<u32>,
    ) -> Result<u32, Declined> {
        self.number(name, range)?
            .ok_or_else(|| Declined::new(format!("{name} is missing")))
    }

    /// Nothing else may be there.
    ///
    /// # Errors
    ///
    /// A parameter that was not asked for.
    pub fn end(self) -> Result<(), Declined> {
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => Err(Declined::new(format!("{} is not known", shown(name)))),
        }
    }
}

/// A name that the peer chose, as it may stand in a log.
fn shown(name: &str) -> String {
    let start: String = name.chars().take(40).collect();
    format!("{start:?}")
}

/// As in the header, each parameter behind its semicolon: `; a; b=10`.
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            match value {
                Some(value) => write!(f, "; {name}={value}")?,
                None => write!(f, "; {name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_print_as_they_stand_in_the_header() {
        let params = Params::new().flag("a").value("b", 10).flag("a");
        assert_eq!(params.to_string(), "; a; b=10; a");
        assert_eq!(params.duplicate(), Some("a"));
        assert_eq!(Params::new().flag("a").flag("b").duplicate(), None);
    }

    #[test]
    fn a_number_is_plain_decimal_within_its_range() {
        for (value, expected) in [
            ("8", Some(8)),
            ("15", Some(15)),
            ("7", None),
            ("16", None),
            ("08", None),
            ("+8", None),
            (" 8", None),
            ("8 ", None),
            ("8.0", None),
            ("0x8", None),
            ("", None),
            ("\u{0669}", None),
            ("99999999999999999999", None),
        ] {
            let params = Params::new().value("bits", value);
            let mut reader = params.reader().expect("no parameter stands twice");
            let number = reader.number("bits", 8..=15);
            assert_eq!(number.ok().flatten(), expected, "{value:?}");
        }
    }

    #[test]
    fn what_is_not_asked_for_is_declined_in_the_end() {
        let params = Params::new().flag("a").value("b", "x");
        let mut reader = params.reader().expect("no parameter stands twice");
        assert_eq!(reader.flag("a"), Ok(true));
        assert_eq!(reader.flag("a"), Ok(false), "it was taken out");
        assert!(reader.clone().end().is_err());
        assert_eq!(reader.text("b"), Ok(Some("x")));
        assert_eq!(reader.number("c", 0..=1), Ok(None));
        assert!(reader.required_number("c", 0..=1).is_err());
        assert_eq!(reader.end(), Ok(()));
    }
}
