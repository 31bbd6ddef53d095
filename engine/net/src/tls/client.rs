//! Whom a client trusts, and what it shows.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::sign::SingleCertAndKey;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::certificate::Certificate;
use super::error::failed;
use super::fingerprint::Fingerprint;
use super::pem;
use super::verify::Verifier;
use super::{BUFFER_LIMIT, HTTP_1_1, provider};
use crate::error::{Error, ErrorKind};

/// So many servers' sessions are remembered, up to eight tickets for each.
const SESSIONS: usize = 256;

/// How a client checks servers, and what it shows them. Cheap to clone.
///
/// A certificate must come from an authority that is trusted, be in its time, and be for the name or
/// the address in the URL. Revocation is not looked up.
///
/// Sessions are resumed among clones (RFC 8446 §2.2): for 256 servers, with up to eight tickets each,
/// for as long as a server lets them, which must be at most a week. A resumed session rests on the
/// check that was made when it began. Whatever changes who is trusted or what is shown begins with
/// no sessions.
#[derive(Clone)]
pub struct ClientTls {
    trust: Trust,
    pins: Vec<Fingerprint>,
    certificate: Option<Certificate>,
    resumption: bool,
    config: Arc<ClientConfig>,
}

#[derive(Clone)]
enum Trust {
    Authorities(Arc<RootCertStore>),
    /// Whoever holds a key that is pinned.
    Pins,
    Anybody,
}

impl ClientTls {
    /// Trusts the certificate authorities of the Mozilla programme, as compiled in.
    #[must_use]
    pub fn webpki() -> Self {
        // One for all who say nothing else, or no session would ever be resumed.
        static WEBPKI: LazyLock<ClientTls> = LazyLock::new(|| {
            let mut roots = RootCertStore::empty();
            add_webpki(&mut roots);
            ClientTls::trusting(roots).expect("its authorities are not none")
        });
        WEBPKI.clone()
    }

    /// Trusts what the operating system trusts.
    ///
    /// # Errors
    ///
    /// If no certificate of the system can be read.
    pub fn native() -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        add_native(&mut roots)?;
        Self::trusting(roots)
    }

    /// Trusts the certificate authorities, or the self-signed certificates, in this PEM text and no
    /// others.
    ///
    /// # Errors
    ///
    /// If the text holds no certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        Self::trusting(pem::authorities(pem)?)
    }

    /// The same, from a file.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), and if the file cannot be read.
    pub fn from_file(file: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_pem(&pem::read(file.as_ref())?)
    }

    /// Trusts whoever holds one of these keys or certificates, and nobody else. No authority, no name
    /// and no date is checked: that a key has been stolen is for you to notice. At least one is needed.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn pinned_only(pins: impl IntoIterator<Item = Fingerprint>) -> Result<Self, Error> {
        Self::build(Trust::Pins, some(pins)?, None, true)
    }

    /// Accepts every certificate, of anybody. Whoever sits between can read and change everything.
    /// For tests against a server that cannot be given a certificate.
    #[must_use]
    pub fn dangerous_without_verification() -> Self {
        Self::build(Trust::Anybody, Vec::new(), None, true).expect("nothing in it can be wrong")
    }

    /// Trusts the Mozilla programme's authorities, too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`] where no authority is asked.
    pub fn and_webpki(self) -> Result<Self, Error> {
        self.and(|roots| {
            add_webpki(roots);
            Ok(())
        })
    }

    /// Trusts what the operating system trusts, too.
    ///
    /// # Errors
    ///
    /// As [`native`](Self::native), and [`ErrorKind::Usage`] where no authority is asked.
    pub fn and_native(self) -> Result<Self, Error> {
        self.and(add_native)
    }

    /// Trusts the certificate authorities in this PEM text, too.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), and [`ErrorKind::Usage`] where no authority is asked.
    pub fn and_pem(self, pem: &[u8]) -> Result<Self, Error> {
        self.and(|roots| pem::add_authorities(roots, pem))
    }

    /// Beside everything that is checked already, the server's own certificate, or its key, must be
    /// one of these. A certificate further up the chain is not looked at: servers send what they like
    /// there.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn pinned(self, pins: impl IntoIterator<Item = Fingerprint>) -> Result<Self, Error> {
        Self::build(self.trust, some(pins)?, self.certificate, self.resumption)
    }

    /// Shows this certificate to servers that ask for one.
    ///
    /// # Errors
    ///
    /// None, as it is.
    pub fn certificate(self, certificate: Certificate) -> Result<Self, Error> {
        Self::build(self.trust, self.pins, Some(certificate), self.resumption)
    }

    /// Whether sessions are resumed. Default: yes. Whoever sees the tickets go by can tell that it is
    /// the same client with the same server as before.
    ///
    /// # Errors
    ///
    /// None, as it is.
    pub fn resumption(self, resumption: bool) -> Result<Self, Error> {
        Self::build(self.trust, self.pins, self.certificate, resumption)
    }

    pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<TlsStream<S>, Error> {
        // An IPv6 address stands in brackets in a URL, and without in a certificate.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| Error::new(ErrorKind::Url, format!("{error}: {host:?}")))?;
        let limit = |session: &mut ClientConnection| {
            session.set_buffer_limit(Some(BUFFER_LIMIT));
        };
        TlsConnector::from(Arc::clone(&self.config))
            .connect_with(name, stream, limit)
            .await
            .map_err(|error| failed("TLS with the server failed", &error))
    }

    fn trusting(roots: RootCertStore) -> Result<Self, Error> {
        Self::build(Trust::Authorities(Arc::new(roots)), Vec::new(), None, true)
    }

    fn and(self, add: impl FnOnce(&mut RootCertStore) -> Result<(), Error>) -> Result<Self, Error> {
        let Trust::Authorities(roots) = &self.trust else {
            let message = "no authority is asked here; begin with webpki, native or from_pem";
            return Err(Error::new(ErrorKind::Usage, message));
        };
        let mut roots = RootCertStore::clone(roots);
        add(&mut roots)?;
        let trust = Trust::Authorities(Arc::new(roots));
        Self::build(trust, self.pins, self.certificate, self.resumption)
    }

    fn build(
        trust: Trust,
        pins: Vec<Fingerprint>,
        certificate: Option<Certificate>,
        resumption: bool,
    ) -> Result<Self, Error> {
        let verifier = Verifier::new(
            match &trust {
                Trust::Authorities(roots) => Some(Arc::clone(roots)),
                Trust::Pins | Trust::Anybody => None,
            },
            pins.clone(),
        )?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &certificate {
            None => builder.with_no_client_auth(),
            Some(certificate) => {
                let key = SingleCertAndKey::from(Arc::clone(certificate.key()));
                builder.with_client_cert_resolver(Arc::new(key))
            }
        };
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        config.enable_early_data = false;
        config.resumption = if resumption {
            Resumption::in_memory_sessions(SESSIONS)
        } else {
            Resumption::disabled()
        };
        Ok(Self {
            trust,
            pins,
            certificate,
            resumption,
            config: Arc::new(config),
        })
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trust = match &self.trust {
            Trust::Authorities(roots) => format!("{} authorities", roots.len()),
            Trust::Pins => "pins only".to_owned(),
            Trust::Anybody => "anybody".to_owned(),
        };
        f.debug_struct("ClientTls")
            .field("trust", &trust)
            .field("pins", &self.pins)
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

fn add_webpki(roots: &mut RootCertStore) {
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
}

fn add_native(roots: &mut RootCertStore) -> Result<(), Error> {
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let message = "the system has no certificate authorities; \
                       install them, or use ClientTls::webpki";
        return Err(Error::new(ErrorKind::Tls, message));
    }
    Ok(())
}

fn some(pins: impl IntoIterator<Item = Fingerprint>) -> Result<Vec<Fingerprint>, Error> {
    let pins: Vec<_> = pins.into_iter().collect();
    if pins.is_empty() {
        let message = "no fingerprint is given, so no server could be trusted";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    Ok(pins)
}
