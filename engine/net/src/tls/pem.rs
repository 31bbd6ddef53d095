//! Certificates and keys out of PEM texts and files (RFC 7468).

use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio_rustls::rustls::RootCertStore;

use crate::error::{Error, ErrorKind};

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| {
        let message = format!("cannot read {}: {error}", path.display());
        Error::new(ErrorKind::Tls, message).caused_by(error)
    })
}

/// At least one certificate.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(unusable("a certificate in PEM form cannot be read"))?;
    if found.is_empty() {
        return Err(Error::new(
            ErrorKind::Tls,
            "no certificate in PEM form was found",
        ));
    }
    Ok(found)
}

/// Adds the certificate authorities, or the self-signed certificates, in this text.
pub(super) fn add_authorities(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), Error> {
    for certificate in certificates(pem)? {
        roots
            .add(certificate)
            .map_err(unusable("cannot use the certificate authority"))?;
    }
    Ok(())
}

/// The certificate authorities in this text, and no others.
pub(super) fn authorities(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    add_authorities(&mut roots, pem)?;
    Ok(roots)
}

pub(super) fn unusable<E: std::error::Error + Send + Sync + 'static>(
    what: &str,
) -> impl FnOnce(E) -> Error {
    move |error| Error::new(ErrorKind::Tls, format!("{what}: {error}")).caused_by(error)
}
