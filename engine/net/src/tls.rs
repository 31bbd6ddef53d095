//! TLS for both roles, on rustls with the *ring* provider, named explicitly: never the process's
//! default, which another crate may have set.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::{
    self, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
};

use crate::error::{Error, ErrorKind};

/// What a writer may leave in a TLS session before it has to wait, as on a plain socket.
const BUFFER_LIMIT: usize = 64 << 10;

/// How a client checks servers. Cheap to clone.
#[derive(Clone)]
pub struct ClientTls(Arc<ClientConfig>);

impl ClientTls {
    /// Trusts the certificate authorities of the Mozilla programme, as compiled in.
    #[must_use]
    pub fn webpki() -> Self {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self::from_roots(roots)
    }

    /// Trusts what the operating system trusts.
    ///
    /// # Errors
    ///
    /// If no certificate of the system can be read.
    pub fn native() -> Result<Self, Error> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let message = "the system has no certificate authorities; \
                           install them, or use ClientTls::webpki";
            return Err(Error::new(ErrorKind::Tls, message));
        }
        Ok(Self::from_roots(roots))
    }

    /// Trusts the certificate authorities, or the self-signed certificates, in this PEM text and no
    /// others.
    ///
    /// # Errors
    ///
    /// If the text holds no certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots
                .add(certificate)
                .map_err(tls("cannot use the certificate authority"))?;
        }
        Ok(Self::from_roots(roots))
    }

    /// Accepts every certificate, of anybody. Whoever sits between can read and change everything.
    /// For tests against a server that cannot be given a certificate.
    #[must_use]
    pub fn dangerous_without_verification() -> Self {
        let mut config = client(RootCertStore::empty());
        config
            .dangerous()
            .set_certificate_verifier(Arc::new(Anybody(Arc::new(ring::default_provider()))));
        Self(Arc::new(config))
    }

    fn from_roots(roots: RootCertStore) -> Self {
        Self(Arc::new(client(roots)))
    }

    pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<tokio_rustls::client::TlsStream<S>, Error> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| Error::new(ErrorKind::Url, format!("{error}: {host:?}")))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.0));
        let limit = |session: &mut rustls::ClientConnection| {
            session.set_buffer_limit(Some(BUFFER_LIMIT));
        };
        connector
            .connect_with(name, stream, limit)
            .await
            .map_err(tls("TLS with the server failed"))
    }
}

fn client(roots: RootCertStore) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}

/// A server's certificate and key. Cheap to clone.
#[derive(Clone)]
pub struct ServerTls(Arc<ServerConfig>);

impl ServerTls {
    /// Reads a certificate chain, the server's own certificate first, and its private key from PEM
    /// texts.
    ///
    /// # Errors
    ///
    /// If one of them is missing or unreadable, or they do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(tls("no private key in PEM form was found"))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(tls("the certificate and the key cannot be used together"))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Reads the same from two files.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), and if a file cannot be read.
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_pem(&read(chain.as_ref())?, &read(key.as_ref())?)
    }

    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<tokio_rustls::server::TlsStream<S>, Error> {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&self.0));
        let limit = |session: &mut rustls::ServerConnection| {
            session.set_buffer_limit(Some(BUFFER_LIMIT));
        };
        acceptor
            .accept_with(stream, limit)
            .await
            .map_err(tls("TLS with the client failed"))
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| {
        Error::new(
            ErrorKind::Tls,
            format!("cannot read {}: {error}", path.display()),
        )
        .caused_by(error)
    })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(tls("a certificate in PEM form cannot be read"))?;
    if found.is_empty() {
        return Err(Error::new(
            ErrorKind::Tls,
            "no certificate in PEM form was found",
        ));
    }
    Ok(found)
}

fn tls<E: std::error::Error + Send + Sync + 'static>(what: &str) -> impl FnOnce(E) -> Error {
    move |error| Error::new(ErrorKind::Tls, format!("{what}: {error}")).caused_by(error)
}

/// Checks that the server holds the key of its certificate, and not whose certificate it is.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
