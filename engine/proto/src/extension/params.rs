//! The parameters of an extension.

use core::fmt;

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

    pub(crate) fn push(&mut self, name: String, value: Option<String>) {
        self.0.push((name, value));
    }
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
}
