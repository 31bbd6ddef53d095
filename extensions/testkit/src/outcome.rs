//! What a run of the kit ends with.

use core::fmt;

use crate::Law;

/// A law that an extension breaks, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    extension: String,
    law: Law,
    story: String,
}

impl Broken {
    pub(crate) const fn new(extension: String, law: Law, story: String) -> Self {
        Self {
            extension,
            law,
            story,
        }
    }

    /// The law.
    #[must_use]
    pub const fn law(&self) -> Law {
        self.law
    }

    /// What was done, and what came of it: as little as shows it.
    #[must_use]
    pub fn story(&self) -> &str {
        &self.story
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            extension,
            law,
            story,
        } = self;
        write!(
            f,
            "{extension} breaks the law of {law}: {}\n{story}",
            law.statement()
        )
    }
}

impl core::error::Error for Broken {}

/// The laws that an extension was seen to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    extension: String,
    kept: Vec<(Law, usize)>,
}

impl Report {
    pub(crate) const fn new(extension: String, kept: Vec<(Law, usize)>) -> Self {
        Self { extension, kept }
    }

    /// The name of the extension.
    #[must_use]
    pub fn extension(&self) -> &str {
        &self.extension
    }

    /// Each law that was tried, with the number of trials. A law without a trial did not apply: that
    /// of opcodes, for an extension that owns none.
    pub fn kept(&self) -> impl Iterator<Item = (Law, usize)> {
        self.kept.iter().copied()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keeps", self.extension)?;
        for (i, (law, trials)) in self.kept.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma} {law} ({trials} trials)")?;
        }
        Ok(())
    }
}
