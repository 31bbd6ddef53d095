//! Files that change while the server serves. The only place here that reads a disk.

use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::{BadLine, Loaded, Lookup, Store};
use crate::Secret;
use crate::digest::{Ha1, Hash};

type Parse<S> = Box<dyn Fn(&[u8]) -> Loaded<S> + Send + Sync>;

/// A file of users that is read anew when the application says so: on a signal, or now and then.
///
/// The new users stand in for the old ones all at once; who is being looked up meanwhile is looked up
/// among the old ones. A file that cannot be read, or has not one line that can be used, changes
/// nothing. Write to another file and rename it, so that none is ever seen half written: a half is
/// as good as a whole one but for its last line.
///
/// ```no_run
/// use cloverleaf_auth::store::{Htdigest, Reloading};
///
/// let (users, report) = Reloading::open("users.htdigest", Htdigest::parse)?;
/// for bad in &report.bad {
///     eprintln!("users.htdigest: {bad}");
/// }
/// // Later:
/// users.reload()?;
/// # Ok::<(), cloverleaf_auth::store::LoadError>(())
/// ```
pub struct Reloading<S> {
    path: PathBuf,
    parse: Parse<S>,
    current: RwLock<Arc<S>>,
}

impl<S> Reloading<S> {
    /// Reads a file for the first time, with the `parse` of its store.
    ///
    /// # Errors
    ///
    /// It cannot be read, or has not one line that can be used.
    pub fn open(
        path: impl Into<PathBuf>,
        parse: impl Fn(&[u8]) -> Loaded<S> + Send + Sync + 'static,
    ) -> Result<(Self, Loaded<()>), LoadError> {
        let (path, parse): (_, Parse<S>) = (path.into(), Box::new(parse));
        let (store, report) = load(&path, &parse)?;
        let current = RwLock::new(Arc::new(store));
        Ok((
            Self {
                path,
                parse,
                current,
            },
            report,
        ))
    }

    /// Reads the file again. It is read where this is called: from asynchronous code, call it on a
    /// thread that may block.
    ///
    /// # Errors
    ///
    /// It cannot be read, or has not one line that can be used. Then all stays as it was.
    pub fn reload(&self) -> Result<Loaded<()>, LoadError> {
        let (store, report) = load(&self.path, &self.parse)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(store);
        Ok(report)
    }

    /// The users as they are now.
    #[must_use]
    pub fn current(&self) -> Arc<S> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }
}

fn load<S>(path: &Path, parse: &Parse<S>) -> Result<(S, Loaded<()>), LoadError> {
    let text = zeroize::Zeroizing::new(std::fs::read(path).map_err(LoadError::Unreadable)?);
    let Loaded { store, good, bad } = parse(&text);
    if good == 0 {
        return Err(LoadError::NoUsers(bad));
    }
    let report = Loaded {
        store: (),
        good,
        bad,
    };
    Ok((store, report))
}

impl<S: Store> Store for Reloading<S> {
    fn ha1<'a>(&'a self, user: &'a str, realm: &'a str, hash: Hash) -> Lookup<'a, Option<Ha1>> {
        let current = self.current();
        Box::pin(async move { current.ha1(user, realm, hash).await })
    }

    fn user_of<'a>(
        &'a self,
        userhash: &'a str,
        realm: &'a str,
        hash: Hash,
    ) -> Lookup<'a, Option<String>> {
        let current = self.current();
        Box::pin(async move { current.user_of(userhash, realm, hash).await })
    }

    fn verify<'a>(
        &'a self,
        user: &'a str,
        password: &'a Secret,
        realm: &'a str,
    ) -> Lookup<'a, bool> {
        let current = self.current();
        Box::pin(async move { current.verify(user, password, realm).await })
    }
}

impl<S: fmt::Debug> fmt::Debug for Reloading<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloading")
            .field("path", &self.path)
            .field("current", &self.current())
            .finish_non_exhaustive()
    }
}

/// A file of users that cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The system does not give it.
    Unreadable(std::io::Error),
    /// It has not one line that can be used; these cannot.
    NoUsers(Vec<BadLine>),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "the file of users cannot be read: {error}"),
            Self::NoUsers(bad) => {
                f.write_str("the file of users has no line that can be used")?;
                bad.first().map_or(Ok(()), |bad| write!(f, "; {bad}"))
            }
        }
    }
}

impl core::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            Self::NoUsers(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Htdigest;
    use super::*;
    use crate::testing::now;

    fn line(user: &str, password: &str) -> String {
        Htdigest::line(user, "r", &password.into(), Hash::Sha256).unwrap()
    }

    fn is_user(users: &impl Store, user: &str, password: &str) -> bool {
        now(users.verify(user, &password.into(), "r")).unwrap()
    }

    #[test]
    fn a21_users_change_at_once_and_a_bad_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let write = |text: &str| std::fs::write(&path, text).unwrap();

        let missing = Reloading::open(&path, Htdigest::parse).unwrap_err();
        assert!(matches!(missing, LoadError::Unreadable(_)), "{missing}");
        write("");
        let empty = Reloading::open(&path, Htdigest::parse).unwrap_err();
        assert_eq!(
            empty.to_string(),
            "the file of users has no line that can be used"
        );

        write(&format!("{}\nx\n", line("one", "1")));
        let (users, report) = Reloading::open(&path, Htdigest::parse).unwrap();
        assert_eq!((report.good, report.bad.len()), (1, 1));
        assert!(is_user(&users, "one", "1"));

        // Half written: the last line is cut.
        let text = [line("one", "new"), line("two", "2"), line("three", "3")].join("\n");
        write(&text[..text.len() - 5]);
        let report = users.reload().unwrap();
        assert_eq!((report.good, report.bad[0].number), (2, 3));
        assert!(is_user(&users, "one", "new") && !is_user(&users, "one", "1"));
        assert!(is_user(&users, "two", "2") && !is_user(&users, "three", "3"));

        for text in ["", "x", "# nobody\n"] {
            write(text);
            assert!(
                matches!(users.reload(), Err(LoadError::NoUsers(_))),
                "{text}"
            );
            assert!(is_user(&users, "one", "new"));
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(users.reload(), Err(LoadError::Unreadable(_))));
        assert!(is_user(&users, "one", "new"));
    }

    #[test]
    fn a21_while_it_is_reloaded_every_look_up_finds_the_old_or_the_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let write = |text: String| {
            std::fs::write(path.with_extension("new"), text).unwrap();
            std::fs::rename(path.with_extension("new"), &path).unwrap();
        };
        write(line("one", "0"));
        let (users, _) = Reloading::open(&path, Htdigest::parse).unwrap();
        std::thread::scope(|scope| {
            let changing = scope.spawn(|| {
                for number in 1..=50 {
                    write(line("one", &(number % 2).to_string()));
                    users.reload().unwrap();
                }
            });
            while !changing.is_finished() {
                // The same moment for both questions.
                let users = users.current();
                assert!(is_user(&*users, "one", "0") != is_user(&*users, "one", "1"));
            }
            changing.join().unwrap();
        });
        assert!(is_user(&users, "one", "0"));
    }
}
