//! Certificates known by heart.

use std::fmt;

use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use webpki::EndEntityCert;

use super::pem::{self, unusable};
use crate::error::{Error, ErrorKind};

/// SHA-256 of a certificate, or of the public key in it: of a server that a client knows.
///
/// The key is the better choice: it may stay when the certificate is renewed. Pin a second key, too,
/// which lies in a safe place, or losing the first locks everybody out.
///
/// ```no_run
/// # fn example() -> Result<(), cloverleaf::Error> {
/// use cloverleaf::{ClientTls, Fingerprint};
///
/// // As `openssl x509 -noout -fingerprint -sha256` prints it.
/// let known = Fingerprint::of_certificate("6F:0C:…")?;
/// let tls = ClientTls::webpki().pinned([known])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    part: Part,
    sha256: [u8; 32],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Certificate,
    Key,
}

impl Fingerprint {
    /// Of a whole certificate in DER form, as 64 hexadecimal digits, with or without colons.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`] for anything else.
    pub fn of_certificate(sha256: &str) -> Result<Self, Error> {
        digits(sha256).map(|sha256| Self {
            part: Part::Certificate,
            sha256,
        })
    }

    /// Of a public key: of the whole `SubjectPublicKeyInfo` in DER form (RFC 7469 §2.4), as 64
    /// hexadecimal digits, with or without colons.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`] for anything else.
    pub fn of_key(sha256: &str) -> Result<Self, Error> {
        digits(sha256).map(|sha256| Self {
            part: Part::Key,
            sha256,
        })
    }

    /// Of the public key of the first certificate in this PEM text.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn of_key_in(pem: &[u8]) -> Result<Self, Error> {
        let certificates = pem::certificates(pem)?;
        Self::key(&certificates[0]).map_err(unusable("the certificate cannot be read"))
    }

    /// Of the first certificate in this PEM text.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn of_certificate_in(pem: &[u8]) -> Result<Self, Error> {
        let certificates = pem::certificates(pem)?;
        Ok(Self::certificate(&certificates[0]))
    }

    pub(super) fn key(certificate: &CertificateDer<'_>) -> Result<Self, webpki::Error> {
        let certificate = EndEntityCert::try_from(certificate)?;
        let info = certificate.subject_public_key_info();
        Ok(Self {
            part: Part::Key,
            sha256: Sha256::digest(&info).into(),
        })
    }

    pub(super) fn certificate(certificate: &CertificateDer<'_>) -> Self {
        Self {
            part: Part::Certificate,
            sha256: Sha256::digest(certificate).into(),
        }
    }
}

/// `key 6f0c…` or `certificate 6f0c…`.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.part {
            Part::Certificate => "certificate ",
            Part::Key => "key ",
        })?;
        self.sha256
            .iter()
            .try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

fn digits(text: &str) -> Result<[u8; 32], Error> {
    let wrong = || {
        let message = "a SHA-256 fingerprint has 64 hexadecimal digits, with colons or without";
        Error::new(ErrorKind::Usage, message)
    };
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|&c| c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64);
    let octets: Vec<u8> = digits
        .ok_or_else(wrong)?
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit))
        .collect();
    octets.try_into().map_err(|_| wrong())
}
