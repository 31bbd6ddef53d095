//! Who may connect to a server of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use cloverleaf::proto::handshake::RequestGuard;
use cloverleaf_auth::digest::{self, Nonces};
use cloverleaf_auth::guard::{AnyOf, Basic, Bearer, Digest, Failure, Refused};
use cloverleaf_auth::store::{Htdigest, Htpasswd, LoadError, Loaded, Reloading, Store, Workers};

use super::password;

/// Threads that check passwords of an htpasswd file, and passwords that may wait for one.
const WORKERS: (usize, usize) = (2, 64);

/// Options that become guards.
#[derive(Args, Debug)]
#[group(id = "guards")]
pub(super) struct Options {
    /// Let in whom this file of Apache's htdigest names, by Digest (see `cloverleaf passwd`)
    #[arg(long, value_name = "FILE", requires = "realm")]
    htdigest: Option<PathBuf>,

    /// Let in whom this file of Apache's htpasswd names, by Basic
    #[arg(long, value_name = "FILE", requires = "realm")]
    htpasswd: Option<PathBuf>,

    /// Let in who has the token in the first line of this file, by Bearer
    #[arg(long, value_name = "FILE", requires = "realm")]
    bearer_file: Option<PathBuf>,

    /// What the credentials are for, as it is told to clients
    #[arg(long)]
    realm: Option<String>,

    /// Ask for MD5 beside SHA-256, for clients that know nothing else
    #[arg(long, requires = "htdigest")]
    legacy_md5: bool,

    /// Take passwords and tokens that come in the clear, without TLS
    #[arg(long)]
    allow_insecure_auth: bool,
}

impl Options {
    /// The guard that they ask for, if they do. Tells of credentials that are not taken, if wanted.
    pub(super) fn guard(&self, tells: bool) -> Result<Option<Arc<dyn RequestGuard>>, String> {
        let Some(realm) = &self.realm else {
            return Ok(None);
        };
        let tell = move |failure: &Failure| {
            if tells {
                eprintln!("refused: {failure}");
            }
        };
        let unwritable = |_| "--realm has characters that cannot stand in a header".to_owned();
        let mut any = AnyOf::new();
        let mut is_guarded = false;
        if let Some(path) = &self.htdigest {
            let nonces = Nonces::new(cloverleaf::entropy(), cloverleaf::wall_clock());
            let users = users(path, Htdigest::parse)?;
            let mut guard = Digest::new(realm, users, nonces).map_err(unwritable)?;
            if self.legacy_md5 {
                guard = guard.legacy_md5();
            }
            any = any.or(guard.on_failure(tell));
            is_guarded = true;
        }
        if let Some(path) = &self.htpasswd {
            let workers = Workers::new(WORKERS.0, WORKERS.1)
                .map_err(|error| format!("cannot start threads: {error}"))?;
            let users = users(path, move |text| Htpasswd::parse(text, workers.clone()))?;
            let mut guard = Basic::new(realm, users).map_err(unwritable)?;
            if self.allow_insecure_auth {
                guard = guard.allow_insecure_basic();
            }
            any = any.or(guard.on_failure(tell));
            is_guarded = true;
        }
        if let Some(path) = &self.bearer_file {
            let right = password::obtain(Some(path), "")?;
            let check = move |shown: cloverleaf_auth::Secret| {
                // Hexadecimal, for a comparison whose time says nothing.
                let known = digest::Hash::Sha256.hex(&[right.expose()]);
                let shown = digest::Hash::Sha256.hex(&[shown.expose()]);
                match digest::matches(&known, &shown) {
                    true => Ok("bearer".to_owned()),
                    false => Err(Refused::InvalidToken),
                }
            };
            let mut guard = Bearer::new(realm, check).map_err(unwritable)?;
            if self.allow_insecure_auth {
                guard = guard.allow_insecure_bearer();
            }
            any = any.or(guard.on_failure(tell));
            is_guarded = true;
        }
        if !is_guarded {
            return Err("--realm needs --htdigest, --htpasswd or --bearer-file".to_owned());
        }
        Ok(Some(Arc::new(any)))
    }
}

/// The users of a file. Says which of its lines are left out.
fn users<S: Store + 'static>(
    path: &Path,
    parse: impl Fn(&[u8]) -> Loaded<S> + Send + Sync + 'static,
) -> Result<Arc<Reloading<S>>, String> {
    // Whoever can read the file can be any of its users.
    if fs::metadata(path).is_ok_and(|found| is_open_to_all(&found)) {
        eprintln!(
            "cloverleaf: everybody can read {}: chmod 600",
            path.display()
        );
    }
    let (users, report) = Reloading::open(path, parse)
        .map_err(|error: LoadError| format!("{}: {error}", path.display()))?;
    for bad in &report.bad {
        eprintln!("cloverleaf: {}: {bad}", path.display());
    }
    Ok(Arc::new(users))
}

fn is_open_to_all(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o004 != 0
}
