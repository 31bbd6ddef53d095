//! Authorities, the certificates they sign, and an echo server to show them.

use bytes::Bytes;
use cloverleaf::{Certificate, Client, ClientTls, Error, Server, ServerTls, Transport, WebSocket};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use tokio::task::JoinHandle;

use crate::ends::quiet;

/// An authority, and those it vouches for.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate in its forms.
pub(super) struct Made {
    pub(super) chain: String,
    pub(super) key: String,
    pub(super) der: Bytes,
}

impl Made {
    pub(super) fn certificate(&self) -> Certificate {
        Certificate::from_pem(self.chain.as_bytes(), self.key.as_bytes()).unwrap()
    }

    pub(super) fn server(&self) -> ServerTls {
        ServerTls::new(self.certificate()).unwrap()
    }
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("an authority")
    }

    pub(super) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
        Self(issuer.unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(super) fn trusted(&self) -> ClientTls {
        ClientTls::from_pem(self.pem().as_bytes()).unwrap()
    }

    pub(super) fn server(&self, name: &str) -> ServerTls {
        self.made(&[name]).server()
    }

    pub(super) fn server_between(&self, name: &str, from: i32, until: i32) -> ServerTls {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        self.sign(&params).server()
    }

    /// A server's certificate for these names.
    pub(super) fn made(&self, names: &[&str]) -> Made {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        self.sign(&CertificateParams::new(names).unwrap())
    }

    /// A client's certificate.
    pub(super) fn client(&self, name: &str) -> Made {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    pub(super) fn sign(&self, params: &CertificateParams) -> Made {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Made {
            chain: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().to_vec().into(),
        }
    }
}

pub(super) async fn echo(mut socket: WebSocket<Transport>) -> Result<(), Error> {
    assert!(socket.get_ref().is_some_and(Transport::is_tls));
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// An echo server with this certificate, and the port it listens on.
pub(super) async fn serve(tls: ServerTls) -> (u16, JoinHandle<Result<(), Error>>) {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.config(quiet()).tls(tls);
    let port = server.local_addr().unwrap().port();
    (port, tokio::spawn(server.serve(echo)))
}

pub(super) fn client(tls: ClientTls) -> Client {
    Client::new(quiet()).tls(tls)
}

/// What one connection has seen of the server.
pub(super) struct Seen {
    /// Its own certificate.
    pub(super) certificate: Bytes,
    pub(super) resumed: bool,
}

/// One connection to this server, with one echo on it, so that what comes behind the handshake has
/// come.
pub(super) async fn visit(client: &Client, host: &str, port: u16) -> Result<Seen, Error> {
    let mut socket = client.connect(&format!("wss://{host}:{port}/")).await?;
    alive(&mut socket).await;
    let seen = seen(&socket);
    socket.close().await.unwrap();
    Ok(seen)
}

pub(super) async fn alive(socket: &mut WebSocket<Transport>) {
    socket.send("alive?").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("alive?".into()));
}

pub(super) fn seen(socket: &WebSocket<Transport>) -> Seen {
    let session = socket.get_ref().and_then(Transport::tls).unwrap();
    Seen {
        certificate: session.certificates()[0].clone(),
        resumed: session.is_resumed(),
    }
}
