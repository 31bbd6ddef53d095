//! The subjects file: implementations to judge, how to install and start them, and what is known
//! of them.
//!
//! ```text
//!  file          the TOML of `subjects.toml`; its JSON schema
//!     |
//!  library       an entry, checked: one implementation with a server, a client or both
//!     |
//!  recipe        what it needs from PyPI, npm or crates.io
//!     |
//!  installation  put into the cache, whole or not at all
//! ```
//!
//! One such file, and the programs it names, are part of this one: [`Subjects::shipped`].

mod error;
mod file;
mod installation;
mod library;
mod placeholder;
mod recipe;
mod shipped;
mod unavailable;

use std::fs;
use std::path::Path;

pub use error::SubjectsError;
pub use library::Library;
pub(crate) use placeholder::{Values, replaced};
pub use unavailable::Unavailable;

/// The implementations of a subjects file, in its order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subjects {
    libraries: Vec<Library>,
}

impl Subjects {
    /// Reads a subjects file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or an entry is wrong: which, why, and what to do.
    pub fn read(path: &Path) -> Result<Self, SubjectsError> {
        let text = fs::read_to_string(path)
            .map_err(|error| SubjectsError::new(path, "", error.to_string()))?;
        let folder = std::path::absolute(path)
            .map_err(|error| SubjectsError::new(path, "", error.to_string()))?
            .parent()
            .map_or_else(Default::default, Path::to_owned);
        let libraries = library::parse(&text, &folder)
            .map_err(|(entry, reason)| SubjectsError::new(path, entry, reason))?;
        Ok(Self { libraries })
    }

    /// The file that comes with this program: our own server and client in each form that
    /// exists, foreign libraries, and a browser. It is kept in the cache, and read from there.
    ///
    /// # Errors
    ///
    /// If the cache cannot be written.
    pub fn shipped() -> Result<Self, SubjectsError> {
        Self::read(&shipped::place()?)
    }

    /// All of them.
    pub fn libraries(&self) -> &[Library] {
        &self.libraries
    }

    /// Those of these names, in the order of the file; all if no name is given. Upper and lower
    /// case are the same.
    ///
    /// # Errors
    ///
    /// If there is none of such a name; the message lists those there are.
    pub fn select(&self, names: &[String]) -> Result<Vec<&Library>, String> {
        let same = |library: &Library, name: &String| {
            library.name().to_lowercase() == name.trim().to_lowercase()
        };
        for name in names {
            if !self.libraries.iter().any(|library| same(library, name)) {
                let known: Vec<_> = self.libraries.iter().map(Library::name).collect();
                return Err(format!(
                    "there is no subject {name:?}; there are: {}",
                    known.join("; ")
                ));
            }
        }
        let wanted =
            |library: &&Library| names.is_empty() || names.iter().any(|name| same(library, name));
        Ok(self.libraries.iter().filter(wanted).collect())
    }
}

/// The JSON schema of a subjects file, indented.
pub fn schema() -> String {
    let mut text =
        serde_json::to_string_pretty(&schemars::schema_for!(file::File)).expect("a schema is JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
