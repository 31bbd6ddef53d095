//! Ways to a server that lead through a proxy.
//!
//! A proxy is asked for a tunnel, and the octets behind its consent are the server's: for `wss` TLS
//! with the server begins there, so that the proxy sees a host, a port and no more.

mod connect;
mod environment;
mod error;
mod socks5;
#[cfg(test)]
mod tests;

pub use environment::Proxies;
pub use error::ProxyError;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cloverleaf_proto::handshake::{Authenticator, ClientRequest, ResponseHandler, percent_decode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::connect::{Basic, Connect};
use self::socks5::{Place, Socks5};
use crate::error::{Error, ErrorKind};
use crate::tcp;

/// Octets looked at a time.
const READ: usize = 4096;

/// The content of a refusal may take this long; it is only there to explain.
const EXPLANATION: Duration = Duration::from_secs(3);

/// A proxy that connections are opened through.
///
/// ```
/// use cloverleaf::{Client, Proxy};
///
/// let client = Client::new(cloverleaf::config()).proxy(Proxy::new("http://proxy:3128")?);
/// # Ok::<(), cloverleaf::Error>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    kind: Kind,
    /// Its own URL, as that of an HTTP server: what authenticators are shown.
    place: ClientRequest,
    port: u16,
    login: Option<Login>,
    authenticator: Option<Arc<dyn Authenticator>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// CONNECT (RFC 9110 §9.3.6).
    Http,
    /// RFC 1928.
    Socks5 {
        /// The proxy looks names up.
        names: bool,
    },
}

/// User and password of a URL, decoded.
#[derive(Clone, PartialEq, Eq)]
struct Login {
    user: Vec<u8>,
    password: Vec<u8>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// Without user and password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("kind", &self.kind)
            .field("host", &self.place.host())
            .field("port", &self.port)
            .field("authenticator", &self.authenticator)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// The proxy at this URL: `http://host:port`, which is asked to CONNECT, for `ws` as well as for
    /// `wss`; `socks5://host:port` for SOCKS 5, or `socks5h://host:port` to let the proxy look up the
    /// names of servers too, as CONNECT does. Ports that are left out are 80 and 1080.
    ///
    /// The URL may hold `user:password@`, percent-encoded. SOCKS proxies are shown them if they choose
    /// so, HTTP proxies when they ask for Basic credentials (RFC 7617). Either goes over the wire as it
    /// is. For Digest, or to decide what is shown, set [`authenticate`](Self::authenticate).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Url`] for what is no such URL. TLS to the proxy itself (`https://`) is not spoken.
    pub fn new(url: &str) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| malformed(SCHEMES))?;
        let (kind, default) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http, 80),
            "socks5" => (Kind::Socks5 { names: false }, 1080),
            "socks5h" => (Kind::Socks5 { names: true }, 1080),
            "https" => {
                return Err(malformed(
                    "TLS to a proxy is not spoken; use its http:// port. \
                     What goes to a wss:// server is encrypted all the same",
                ));
            }
            _ => return Err(malformed(SCHEMES)),
        };
        // The reason of the other error may quote its text, and there may be a password in it.
        let place = ClientRequest::new(&format!("http://{rest}"))
            .map_err(|_| malformed("it should look like http://host:port"))?;
        if place.uri().path() != "/" || place.uri().query().is_some() {
            return Err(malformed("it has a path; leave it out"));
        }
        let login = place.userinfo().map(login).transpose()?;
        if let (Kind::Socks5 { .. }, Some(login)) = (kind, &login) {
            // RFC 1929 §2.
            let fits = |part: &Vec<u8>| part.len() <= 255;
            if login.user.is_empty() || !fits(&login.user) || !fits(&login.password) {
                return Err(malformed(
                    "SOCKS has room for a user of 1 to 255 octets and a password of 255",
                ));
            }
        }
        Ok(Self {
            kind,
            port: place.uri().port_u16().unwrap_or(default),
            place,
            login,
            authenticator: None,
        })
    }

    /// Answers the challenges of an HTTP proxy (407) with this instead of with what its URL says. It
    /// is shown the proxy's URL, then requests with the method CONNECT, and of its headers
    /// `Proxy-Authorization` is sent, to the proxy alone. Not for SOCKS, which has no challenges.
    #[must_use]
    pub fn authenticate(mut self, authenticator: impl Authenticator + 'static) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// A connection to the server of a request.
    pub(crate) async fn reach(&self, request: &ClientRequest) -> Result<TcpStream, Error> {
        let tunnel = match self.kind {
            Kind::Http => {
                // With brackets around an IPv6 address, and always with a port.
                let host = request.uri().host().unwrap_or_default();
                let place = format!("{host}:{}", request.port());
                let mut connect = Connect::new(&place, self.handler());
                self.open(&mut connect).await
            }
            Kind::Socks5 { names } => self.open_socks(request, names).await,
        };
        tunnel.map_err(|error| {
            let message = format!("{}:{}: {error}", self.place.host(), self.port);
            Error::new(ErrorKind::Proxy, message).caused_by(error)
        })
    }

    fn handler(&self) -> Option<Box<dyn ResponseHandler>> {
        match (&self.authenticator, &self.login) {
            (Some(authenticator), _) => Some(authenticator.begin(&self.place)),
            (None, Some(login)) => Some(Box::new(Basic(login.clone()))),
            (None, None) => None,
        }
    }

    async fn open_socks(
        &self,
        request: &ClientRequest,
        names: bool,
    ) -> Result<TcpStream, ProxyError> {
        let (host, port) = (request.host(), request.port());
        let places: Vec<Place> = if let Ok(address) = host.parse::<IpAddr>() {
            vec![Place::Address(address, port)]
        } else if names {
            vec![Place::Name(host.to_owned(), port)]
        } else {
            let found = tokio::net::lookup_host((host, port)).await;
            let found = found.map_err(ProxyError::Lookup)?;
            found.map(|it| Place::Address(it.ip(), port)).collect()
        };
        let mut last = ProxyError::Lookup(io::ErrorKind::NotFound.into());
        for place in places {
            let mut socks = Socks5::new(place, self.login.clone());
            match self.open(&mut socks).await {
                Ok(stream) => return Ok(stream),
                // Another address may do better, above all one of the other family.
                Err(error @ ProxyError::Reply(_)) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Connects to the proxy, and does what it takes until there is a tunnel.
    async fn open(&self, machine: &mut impl Machine) -> Result<TcpStream, ProxyError> {
        loop {
            let address = (self.place.host(), self.port);
            let mut stream = TcpStream::connect(address).await.map_err(ProxyError::Io)?;
            tcp::prepare(&stream);
            loop {
                let failed = exchange(&mut stream, machine).await.err();
                if failed.is_some() {
                    machine.handle_eof();
                }
                match (machine.take_progress(), failed) {
                    (Progress::NeedsInput, _) => {}
                    (Progress::Open, _) => return Ok(stream),
                    (Progress::NewConnection, _) => break,
                    (Progress::Failed(ProxyError::Eof), Some(error)) => {
                        return Err(ProxyError::Io(error));
                    }
                    (Progress::Failed(error), _) => return Err(error),
                }
            }
        }
    }
}

/// Writes what there is to be written, and reads once: not an octet more than the proxy's own, since
/// what comes behind is the server's.
async fn exchange(stream: &mut TcpStream, machine: &mut impl Machine) -> io::Result<()> {
    stream.write_all(&machine.transmit()).await?;
    let mut octets = [0; READ];
    let seen = if machine.is_explained() {
        // A refusal is one without the rest of its explanation.
        match tokio::time::timeout(EXPLANATION, stream.peek(&mut octets)).await {
            Ok(seen) => seen?,
            Err(_) => 0,
        }
    } else {
        stream.peek(&mut octets).await?
    };
    if seen == 0 {
        machine.handle_eof();
        return Ok(());
    }
    let taken = machine.handle_input(&octets[..seen]);
    stream.read_exact(&mut octets[..taken]).await?;
    Ok(())
}

/// What asks a proxy for a tunnel.
trait Machine {
    /// The octets to be written next. They are not kept.
    fn transmit(&mut self) -> Vec<u8>;

    /// Octets of the proxy. Returns how many it has taken: all of them, unless there is progress.
    fn handle_input(&mut self, octets: &[u8]) -> usize;

    /// The proxy sends no more.
    fn handle_eof(&mut self);

    /// Whether there is a refusal, and only its explanation is waited for.
    fn is_explained(&self) -> bool;

    /// How far it is, once: behind anything but `NeedsInput` there is nothing, or another beginning.
    fn take_progress(&mut self) -> Progress;
}

/// How far a [`Machine`] is.
#[derive(Debug)]
enum Progress {
    /// Write what is to be transmitted, and read.
    NeedsInput,
    /// There is a tunnel.
    Open,
    /// Go on over another connection to the same proxy.
    NewConnection,
    /// There is none.
    Failed(ProxyError),
}

const SCHEMES: &str = "it should begin with http://, socks5:// or socks5h://";

fn malformed(why: &str) -> Error {
    Error::new(ErrorKind::Url, format!("no URL of a proxy: {why}"))
}

/// `user:password`, percent-encoded (RFC 3986 §3.2.1).
fn login(userinfo: &str) -> Result<Login, Error> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decoded = |text: &str| {
        percent_decode(text.as_bytes())
            .ok_or_else(|| malformed("in user and password, write % as %25, and so on"))
    };
    Ok(Login {
        user: decoded(user)?,
        password: decoded(password)?,
    })
}
