//! A certificate with its chain and its private key: what one end shows the other.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

use super::pem::{self, unusable};
use super::provider;
use crate::error::{Error, ErrorKind};

/// A certificate, the chain behind it, and its private key: a server's, or a client's. Cheap to
/// clone; its `Debug` form shows no key.
#[derive(Clone)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    files: Option<Files>,
    /// In the place of those in the certificate.
    names: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
struct Files {
    chain: PathBuf,
    key: PathBuf,
}

impl Certificate {
    /// Reads a chain, the certificate itself first, and its private key from PEM texts.
    ///
    /// # Errors
    ///
    /// If one of them is missing or unreadable, or they do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let chain = pem::certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(unusable("no private key in PEM form was found"))?;
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(unusable(
            "the certificate and the key cannot be used together",
        ))?;
        names(key.end_entity_cert().ok())?;
        Ok(Self {
            key: Arc::new(key),
            files: None,
            names: None,
        })
    }

    /// Reads the same from two files, and remembers where they are: see
    /// [`ServerTls::reload_files`](crate::ServerTls::reload_files).
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), and if a file cannot be read.
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let mut certificate = Self::from_pem(&pem::read(chain)?, &pem::read(key)?)
            .map_err(|error| at(chain, error))?;
        certificate.files = Some(Files {
            chain: chain.to_owned(),
            key: key.to_owned(),
        });
        Ok(certificate)
    }

    /// On a server: is for these names, in the place of those in the certificate. `*.example.com` is
    /// for every name with one label more than `example.com`.
    #[must_use]
    pub fn for_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let lower = |name: String| name.to_ascii_lowercase();
        self.names = Some(names.into_iter().map(Into::into).map(lower).collect());
        self
    }

    /// The names it is for, in lower case: those it was [told](Self::for_names), or the DNS names in
    /// the certificate (RFC 5280 §4.2.1.6).
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match &self.names {
            Some(names) => names.clone(),
            None => names(self.key.end_entity_cert().ok()).unwrap_or_default(),
        }
    }

    /// Itself, or, if it comes from files, what these hold now.
    pub(super) fn read_again(&self) -> Result<Self, Error> {
        let Some(files) = &self.files else {
            return Ok(self.clone());
        };
        let read = Self::from_files(&files.chain, &files.key)?;
        Ok(Self {
            names: self.names.clone(),
            ..read
        })
    }

    pub(super) const fn is_from_files(&self) -> bool {
        self.files.is_some()
    }

    pub(super) const fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("names", &self.names())
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

fn names(certificate: Option<&CertificateDer<'_>>) -> Result<Vec<String>, Error> {
    let missing = || Error::new(ErrorKind::Tls, "no certificate in PEM form was found");
    let certificate = EndEntityCert::try_from(certificate.ok_or_else(missing)?)
        .map_err(unusable("the certificate cannot be read"))?;
    let lower = |name: &str| name.to_ascii_lowercase();
    Ok(certificate.valid_dns_names().map(lower).collect())
}

fn at(path: &Path, error: Error) -> Error {
    Error::new(error.kind(), format!("{}: {error}", path.display())).caused_by(error)
}
