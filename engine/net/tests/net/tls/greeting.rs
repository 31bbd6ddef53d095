//! TLS clients with ideas of their own, on rustls directly.

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{
    self, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};

use super::authority::Authority;

pub(super) fn name(name: &str) -> ServerName<'static> {
    ServerName::try_from(name.to_owned()).unwrap()
}

/// A client that trusts this authority.
pub(super) fn config(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let pem = authority.pem();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A client that offers these application protocols and trusts this authority.
pub(super) fn offering(authority: &Authority, protocols: &[&[u8]]) -> ClientConfig {
    let mut config = config(authority, rustls::ALL_VERSIONS);
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config
}

/// A handshake with this client.
pub(super) async fn handshake(
    config: ClientConfig,
    host: &str,
    port: u16,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name(host), stream).await
}

/// The octets that this client begins with.
pub(super) fn hello(config: ClientConfig) -> (ClientConnection, Vec<u8>) {
    let mut session = ClientConnection::new(Arc::new(config), name("localhost")).unwrap();
    let mut octets = Vec::new();
    session.write_tls(&mut octets).unwrap();
    (session, octets)
}

/// The certificate that a client is shown that asks for this name and accepts every certificate.
pub(super) async fn greet(port: u16, host: &str) -> io::Result<Bytes> {
    greet_with(port, host, |_| true).await
}

/// The same, of a client that knows only these kinds of signatures.
pub(super) async fn greet_with(
    port: u16,
    host: &str,
    knows: fn(SignatureScheme) -> bool,
) -> io::Result<Bytes> {
    let witness = Arc::new(Witness {
        knows,
        seen: Mutex::new(None),
    });
    let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(&witness) as _;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    handshake(config, host, port).await?;
    let seen = witness.seen.lock().unwrap().take();
    Ok(seen.expect("a handshake has a certificate"))
}

/// Accepts every certificate, and remembers it.
#[derive(Debug)]
struct Witness {
    knows: fn(SignatureScheme) -> bool,
    seen: Mutex<Option<Bytes>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap() = Some(Bytes::copy_from_slice(certificate));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        let mut schemes = algorithms.supported_schemes();
        schemes.retain(|scheme| (self.knows)(*scheme));
        schemes
    }
}
