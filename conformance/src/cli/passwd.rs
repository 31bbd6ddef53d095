//! `cloverleaf passwd`: who may connect.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args, ValueEnum};
use cloverleaf_auth::digest::Hash;
use cloverleaf_auth::store::{Htdigest, Htpasswd, PasswordHash};

use super::{fail, password};

/// Who may read the file: its owner. A hash for Digest is as good as the password.
const SECRET: u32 = 0o600;

/// Add a user to a file of users, or give one a new password
///
/// Asks for the password without showing it. The file is made if there is none, readable by its owner
/// only, and changed all at once, so that a server that reads it meanwhile finds the old one or the
/// new one. --htdigest is for Digest and Basic, --htpasswd for Basic alone. Exit code: 0 done, 2 usage
/// or a file that cannot be changed.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("file").required(true).args(["htdigest", "htpasswd"]))]
pub(super) struct Passwd {
    /// The user
    user: String,

    /// The file, in the format of Apache's htdigest
    #[arg(long, value_name = "FILE", requires = "realm")]
    htdigest: Option<PathBuf>,

    /// The realm: the name of what the password is for, as the server tells it
    #[arg(long, conflicts_with = "htpasswd")]
    realm: Option<String>,

    /// The file, in the format of Apache's htpasswd
    #[arg(long, value_name = "FILE")]
    htpasswd: Option<PathBuf>,

    /// How the password is hashed [default: sha-256 for --htdigest, bcrypt for --htpasswd]
    #[arg(long, value_enum)]
    hash: Option<Hashing>,

    /// Take the first line of this file as the password; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "delete")]
    password_file: Option<PathBuf>,

    /// Remove the user
    #[arg(long)]
    delete: bool,
}

/// How a password is hashed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Hashing {
    /// for Digest, as every browser knows it today
    #[value(name = "sha-256")]
    Sha256,
    /// for Digest; no browser knows it
    #[value(name = "sha-512-256")]
    Sha512_256,
    /// for Digest, broken: for clients that know nothing else, beside sha-256
    Md5,
    /// for htpasswd
    Bcrypt,
    /// for htpasswd
    Argon2,
}

impl Passwd {
    pub(super) fn run(self) -> ExitCode {
        match self.change() {
            Ok(done) => {
                println!("{done}");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, 2),
        }
    }

    fn change(&self) -> Result<String, String> {
        let (path, entry) = match (&self.htdigest, &self.realm, &self.htpasswd) {
            (Some(path), Some(realm), _) => (path, Entry::Digest(realm)),
            (_, _, Some(path)) => (path, Entry::Basic),
            // The command line has been checked.
            _ => return Err("which file? --htdigest FILE --realm REALM".to_owned()),
        };
        let hashing = self.hash.unwrap_or(match entry {
            Entry::Digest(_) => Hashing::Sha256,
            Entry::Basic => Hashing::Bcrypt,
        });
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.delete => String::new(),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        let line = if self.delete {
            None
        } else {
            // Before anybody is asked for anything.
            self.line(&entry, hashing, &"x".into())?;
            let password = password::obtain_new(self.password_file.as_deref())?;
            Some(self.line(&entry, hashing, &password)?)
        };
        // Without --hash, the user is gone altogether.
        let only = if self.delete {
            self.hash
        } else {
            Some(hashing)
        };
        let (kept, found) = without(&text, &self.user, &entry, only);
        if self.delete && !found {
            return Err(format!("{} has no such user", path.display()));
        }
        let line = line.map(|line| format!("{line}\n")).unwrap_or_default();
        replace(path, &format!("{kept}{line}"))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(match (self.delete, found) {
            (true, _) => format!("{}: removed", path.display()),
            (false, true) => format!("{}: changed", path.display()),
            (false, false) => format!("{}: added", path.display()),
        })
    }

    fn line(
        &self,
        entry: &Entry<'_>,
        hashing: Hashing,
        password: &cloverleaf_auth::Secret,
    ) -> Result<String, String> {
        let line = match (entry, hashing) {
            (Entry::Digest(realm), Hashing::Sha256) => {
                Htdigest::line(&self.user, realm, password, Hash::Sha256)
            }
            (Entry::Digest(realm), Hashing::Sha512_256) => {
                Htdigest::line(&self.user, realm, password, Hash::Sha512_256)
            }
            (Entry::Digest(realm), Hashing::Md5) => {
                Htdigest::line(&self.user, realm, password, Hash::Md5)
            }
            (Entry::Basic, Hashing::Bcrypt) => Htpasswd::line(
                &self.user,
                password,
                PasswordHash::BCRYPT,
                &*cloverleaf::entropy(),
            ),
            (Entry::Basic, Hashing::Argon2) => Htpasswd::line(
                &self.user,
                password,
                PasswordHash::ARGON2ID,
                &*cloverleaf::entropy(),
            ),
            (Entry::Digest(_), _) => {
                return Err("--htdigest takes --hash sha-256, sha-512-256 or md5".to_owned());
            }
            (Entry::Basic, _) => return Err("--htpasswd takes --hash bcrypt or argon2".to_owned()),
        };
        line.map_err(|error| error.to_string())
    }
}

/// Which lines are a user's.
enum Entry<'a> {
    /// Those of this realm.
    Digest(&'a str),
    Basic,
}

/// The text without a user's lines, those of one hash or all of them, and whether there was one.
fn without(text: &str, user: &str, entry: &Entry<'_>, only: Option<Hashing>) -> (String, bool) {
    let is_theirs = |line: &str| {
        let fields: Vec<&str> = line.trim_end_matches('\r').split(':').collect();
        match (entry, &fields[..]) {
            (Entry::Basic, [name, ..]) => *name == user,
            (Entry::Digest(realm), [name, of, hash, algorithm @ ..]) => {
                let is_of_hash = matches!(
                    (only, algorithm, hash.len()),
                    (None, ..)
                        | (Some(Hashing::Md5), _, 32)
                        | (Some(Hashing::Sha256), [] | ["SHA-256"], 64)
                        | (Some(Hashing::Sha512_256), ["SHA-512-256"], 64)
                );
                *name == user && of == realm && is_of_hash
            }
            _ => false,
        }
    };
    let (theirs, others): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| is_theirs(line));
    let kept = others.iter().map(|line| format!("{line}\n")).collect();
    (kept, !theirs.is_empty())
}

/// Writes beside the file and renames, so that nobody sees a half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mode = fs::metadata(path).map_or(SECRET, |found| found.permissions().mode() & 0o777);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(SECRET);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# users\n\
        ada:chat:00000000000000000000000000000000\n\
        ada:chat:0000000000000000000000000000000000000000000000000000000000000000\n\
        ada:chat:0000000000000000000000000000000000000000000000000000000000000000:SHA-512-256\n\
        ada:mail:00000000000000000000000000000000\n\
        adam:chat:00000000000000000000000000000000\n";

    #[test]
    fn the_lines_of_one_user_realm_and_hash_go_and_no_other() {
        let lines: Vec<&str> = FILE.lines().collect();
        for (user, realm, only, gone) in [
            ("ada", "chat", None, &[1, 2, 3][..]),
            ("ada", "chat", Some(Hashing::Md5), &[1]),
            ("ada", "chat", Some(Hashing::Sha256), &[2]),
            ("ada", "chat", Some(Hashing::Sha512_256), &[3]),
            ("ada", "mail", None, &[4]),
            ("ada", "other", None, &[]),
            ("eve", "chat", None, &[]),
            ("# users", "chat", None, &[]),
        ] {
            let (kept, found) = without(FILE, user, &Entry::Digest(realm), only);
            let left: Vec<&str> = kept.lines().collect();
            let expected: Vec<&str> = (0..lines.len())
                .filter(|n| !gone.contains(n))
                .map(|n| lines[n])
                .collect();
            assert_eq!(left, expected, "{user} {realm} {only:?}");
            assert_eq!(found, !gone.is_empty());
        }
        let (kept, found) = without("ada:x\nadam:y\r\n", "ada", &Entry::Basic, None);
        assert_eq!((&*kept, found), ("adam:y\n", true));
    }

    #[test]
    fn a_file_is_made_for_its_owner_and_keeps_the_mode_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("users");
        replace(&path, "a\n").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode(&path), SECRET);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
        replace(&path, "b\n").expect("written");
        assert_eq!(mode(&path), 0o640);
        assert_eq!(fs::read_to_string(&path).expect("text"), "b\n");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
