//! What a server shows its clients, and what it wants to see of them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection};
use tokio_rustls::server::TlsStream;

use super::certificate::Certificate;
use super::error::failed;
use super::names::Names;
use super::pem::{self, unusable};
use super::tickets::Tickets;
use super::{BUFFER_LIMIT, HTTP_1_1, provider};
use crate::error::{Error, ErrorKind};

/// A server's certificates, and whom it lets in.
///
/// A clone is another handle on the same: what is [reloaded](Self::reload) through one of them holds
/// for the next handshake of a server that was given another. Connections that are open, and
/// handshakes under way, stay with what they began with.
///
/// ```no_run
/// # async fn example() -> Result<(), cloverleaf::Error> {
/// let tls = cloverleaf::ServerTls::from_files("chain.pem", "key.pem")?;
/// let server = cloverleaf::Server::bind("0.0.0.0:443").await?.tls(tls.clone());
/// // When the files have been renewed:
/// tls.reload_files()?;
/// # Ok(())
/// # }
/// ```
///
/// Sessions are resumed with tickets: a client is handed two, usable for at most 12 hours; the server
/// keeps nothing for them. A reload of any kind forgets the keys they are encrypted under, so that no
/// client comes back with what held before: neither with an old certificate, nor as somebody whose
/// authority is no longer trusted. Tickets of one process are worth nothing to another.
#[derive(Clone)]
pub struct ServerTls(Arc<Shared>);

struct Shared {
    /// Held while something is reloaded, so that one reload does not undo another.
    settings: Mutex<Settings>,
    /// Held for as long as it takes to clone or to replace the pointer.
    config: RwLock<Arc<ServerConfig>>,
}

#[derive(Clone)]
struct Settings {
    first: Certificate,
    more: Vec<Certificate>,
    unknown_name: UnknownName,
    clients: Option<Clients>,
    resumption: bool,
}

#[derive(Clone)]
struct Clients {
    roots: Arc<RootCertStore>,
    file: Option<PathBuf>,
    certificates: ClientCertificates,
}

/// What becomes of a client that asks for a server name (RFC 6066 §3) without a certificate here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownName {
    /// It is shown the first certificate, and may make of it what it will. The default.
    #[default]
    FirstCertificate,
    /// The handshake ends with an alert. A client that asks for no name at all, as with an address in
    /// its URL, is shown the first certificate still.
    Refuse,
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientCertificates {
    /// A client may show none. If it shows one, that must be good.
    Optional,
    /// No handshake without.
    Required,
}

impl ServerTls {
    /// Shows this certificate to everybody.
    ///
    /// # Errors
    ///
    /// If the operating system has no random numbers.
    pub fn new(certificate: Certificate) -> Result<Self, Error> {
        Self::with(Settings {
            first: certificate,
            more: Vec::new(),
            unknown_name: UnknownName::default(),
            clients: None,
            resumption: true,
        })
    }

    /// The same, from PEM texts.
    ///
    /// # Errors
    ///
    /// As [`Certificate::from_pem`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        Self::new(Certificate::from_pem(chain, key)?)
    }

    /// The same, from two PEM files.
    ///
    /// # Errors
    ///
    /// As [`Certificate::from_files`].
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        Self::new(Certificate::from_files(chain, key)?)
    }

    /// Shows this certificate, too: to clients that ask for one of its
    /// [names](Certificate::names). Where a name has several, the first that a client can check is
    /// shown.
    ///
    /// # Errors
    ///
    /// If there is no name in it: nobody would ever see it.
    pub fn with_certificate(self, certificate: Certificate) -> Result<Self, Error> {
        named(&certificate)?;
        self.but(|settings| settings.more.push(certificate))
    }

    /// What becomes of a client that asks for a name without a certificate.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn unknown_name(self, unknown_name: UnknownName) -> Result<Self, Error> {
        self.but(|settings| settings.unknown_name = unknown_name)
    }

    /// Lets in clients with a certificate that these authorities vouch for, in PEM form. What a client
    /// has shown is in the request: see
    /// [`Received::peer`](cloverleaf_proto::handshake::Received::peer).
    ///
    /// # Errors
    ///
    /// If there is no certificate in the text.
    pub fn client_authorities(
        self,
        pem: &[u8],
        certificates: ClientCertificates,
    ) -> Result<Self, Error> {
        let clients = Clients {
            roots: Arc::new(pem::authorities(pem)?),
            file: None,
            certificates,
        };
        self.but(|settings| settings.clients = Some(clients))
    }

    /// The same, from a file, which [`reload_files`](Self::reload_files) reads again.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or holds no certificate.
    pub fn client_authorities_file(
        self,
        file: impl AsRef<Path>,
        certificates: ClientCertificates,
    ) -> Result<Self, Error> {
        let clients = Clients {
            roots: Arc::new(pem::authorities(&pem::read(file.as_ref())?)?),
            file: Some(file.as_ref().to_owned()),
            certificates,
        };
        self.but(|settings| settings.clients = Some(clients))
    }

    /// Whether clients may resume sessions. Default: yes.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn resumption(self, resumption: bool) -> Result<Self, Error> {
        self.but(|settings| settings.resumption = resumption)
    }

    /// Shows these certificates from the next handshake on, the first of them to everybody who asks
    /// for none of the others. Everything else stays as it is, above all who is let in.
    ///
    /// # Errors
    ///
    /// If there is none among them, or one behind the first has no name. What held before holds on.
    pub fn reload(&self, certificates: impl IntoIterator<Item = Certificate>) -> Result<(), Error> {
        let mut certificates = certificates.into_iter();
        let Some(first) = certificates.next() else {
            let message = "a server needs a certificate; give at least one";
            return Err(Error::new(ErrorKind::Usage, message));
        };
        let more: Vec<_> = certificates.collect();
        more.iter().try_for_each(named)?;
        self.change(|settings| {
            settings.first = first;
            settings.more = more;
            Ok(())
        })
    }

    /// From the next handshake on, lets in whom these authorities vouch for, in PEM form. Whether a
    /// certificate is required stays as it is.
    ///
    /// # Errors
    ///
    /// If there is no certificate in the text, or [`client_authorities`](Self::client_authorities)
    /// have never been asked for. What held before holds on.
    pub fn reload_client_authorities(&self, pem: &[u8]) -> Result<(), Error> {
        let roots = Arc::new(pem::authorities(pem)?);
        self.change(|settings| {
            let clients = settings.clients.as_mut().ok_or_else(|| {
                let message = "clients are not asked for certificates; \
                               call client_authorities before the server starts";
                Error::new(ErrorKind::Usage, message)
            })?;
            clients.roots = roots;
            clients.file = None;
            Ok(())
        })
    }

    /// Reads every file again that certificates and authorities came from: all of them, or, if
    /// anything is wrong with one, none.
    ///
    /// Blocks for as long as reading small files takes. A file that is just being written is an error,
    /// and what held before holds on: try again when it is whole.
    ///
    /// # Errors
    ///
    /// As [`Certificate::from_files`], and if nothing came from a file.
    pub fn reload_files(&self) -> Result<(), Error> {
        self.change(|settings| {
            let mut any = false;
            let first = std::iter::once(&mut settings.first);
            for certificate in first.chain(&mut settings.more) {
                any |= certificate.is_from_files();
                *certificate = certificate.read_again()?;
            }
            settings.more.iter().try_for_each(named)?;
            if let Some(clients) = &mut settings.clients
                && let Some(file) = &clients.file
            {
                any = true;
                clients.roots = Arc::new(pem::authorities(&pem::read(file)?)?);
            }
            if any {
                Ok(())
            } else {
                let message = "nothing came from a file; use from_files, or reload";
                Err(Error::new(ErrorKind::Usage, message))
            }
        })
    }

    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<TlsStream<S>, Error> {
        let config = {
            let current = self.0.config.read();
            Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
        };
        let limit = |session: &mut ServerConnection| {
            session.set_buffer_limit(Some(BUFFER_LIMIT));
        };
        TlsAcceptor::from(config)
            .accept_with(stream, limit)
            .await
            .map_err(|error| failed("TLS with the client failed", &error))
    }

    fn with(settings: Settings) -> Result<Self, Error> {
        Ok(Self(Arc::new(Shared {
            config: RwLock::new(settings.config()?),
            settings: Mutex::new(settings),
        })))
    }

    /// Another one, which shares nothing with this one.
    fn but(self, change: impl FnOnce(&mut Settings)) -> Result<Self, Error> {
        let mut settings = self.settings().clone();
        change(&mut settings);
        Self::with(settings)
    }

    fn change(&self, change: impl FnOnce(&mut Settings) -> Result<(), Error>) -> Result<(), Error> {
        let mut current = self.settings();
        let mut settings = current.clone();
        change(&mut settings)?;
        let config = settings.config()?;
        *current = settings;
        *self
            .0
            .config
            .write()
            .unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.0
            .settings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings();
        let clients = settings.clients.as_ref();
        f.debug_struct("ServerTls")
            .field("first", &settings.first)
            .field("more", &settings.more)
            .field("unknown_name", &settings.unknown_name)
            .field("clients", &clients.map(|clients| clients.certificates))
            .finish_non_exhaustive()
    }
}

impl Settings {
    fn config(&self) -> Result<Arc<ServerConfig>, Error> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions");
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier({
                let roots = Arc::clone(&clients.roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
                match clients.certificates {
                    ClientCertificates::Optional => verifier.allow_unauthenticated(),
                    ClientCertificates::Required => verifier,
                }
                .build()
                .map_err(unusable("cannot use the certificate authorities"))?
            }),
        };
        let refuses_unknown = self.unknown_name == UnknownName::Refuse;
        let names = Names::new(&self.first, &self.more, refuses_unknown);
        let mut config = builder.with_cert_resolver(Arc::new(names));
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        // Nothing is kept for sessions: tickets or nothing. Keys of their own for every config.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        if self.resumption {
            let tickets = Tickets::new().map_err(unusable("cannot make keys for tickets"))?;
            config.ticketer = Arc::new(tickets);
        } else {
            config.send_tls13_tickets = 0;
        }
        config.max_early_data_size = 0;
        Ok(Arc::new(config))
    }
}

fn named(certificate: &Certificate) -> Result<(), Error> {
    if certificate.names().is_empty() {
        let message = "a certificate without a DNS name would be shown to nobody; \
                       say with for_names whom it is for, or make it the first";
        return Err(Error::new(ErrorKind::Tls, message));
    }
    Ok(())
}
