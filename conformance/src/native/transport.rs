//! Byte streams for the judge: TCP, with TLS or without.
//!
//! The judge trusts every certificate. It is pointed at a server by hand, sends nothing worth
//! keeping, and most servers under test have a certificate of their own making.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::spec::WsUrl;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// A byte stream of any kind.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for S {}

/// Connects to the server of a URL. `hostname` is the name for TLS, if it is not the URL's.
///
/// # Errors
///
/// If it cannot be reached within ten seconds, or TLS fails.
pub async fn connect(
    url: &WsUrl,
    hostname: Option<&str>,
    no_delay: bool,
) -> io::Result<Box<dyn ByteStream>> {
    let connecting = async {
        let tcp = TcpStream::connect((address_of(url.host()).await, url.port())).await?;
        tcp.set_nodelay(no_delay)?;
        if !url.is_secure() {
            return Ok(Box::new(tcp) as Box<dyn ByteStream>);
        }
        let name = ServerName::try_from(hostname.unwrap_or_else(|| url.host()).to_owned())
            .map_err(io::Error::other)?;
        let tls = TlsConnector::from(Arc::new(client_config()?))
            .connect(name, tcp)
            .await?;
        Ok(Box::new(tls) as Box<dyn ByteStream>)
    };
    timeout(CONNECT, connecting).await.unwrap_or_else(|_| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "it does not answer",
        ))
    })
}

/// What Docker calls the machine that it runs on. Spec files for the original's image have it.
pub const DOCKER_HOST: &str = "host.docker.internal";

/// Where to connect for a host. Outside of Docker, the machine it runs on is this one.
async fn address_of(host: &str) -> &str {
    if host == DOCKER_HOST && lookup_host((host, 0)).await.is_err() {
        return "127.0.0.1";
    }
    host
}

/// TLS for the fuzzing server.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerTls")
    }
}

impl ServerTls {
    /// With a certificate chain and its key, both PEM files.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or the two do not go together. The message names the file.
    pub fn load(key: &Path, certificate: &Path) -> io::Result<Self> {
        let named = |path: &Path, error: &dyn fmt::Display| {
            io::Error::other(format!("{}: {error}", path.display()))
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| named(certificate, &error))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, &error))?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(chain, private)
            })
            .map_err(|error| named(certificate, &error))?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Does the TLS handshake on an accepted connection.
    pub(super) async fn accept(&self, tcp: TcpStream) -> io::Result<Box<dyn ByteStream>> {
        let accepted = timeout(CONNECT, self.0.accept(tcp)).await;
        let tls = accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok(Box::new(tls))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn client_config() -> io::Result<ClientConfig> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustsAll(provider())))
        .with_no_client_auth())
}

/// Trusts every certificate, but insists that the server holds its key.
#[derive(Debug)]
struct TrustsAll(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustsAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
