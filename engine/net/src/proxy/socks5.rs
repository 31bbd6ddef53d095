//! A tunnel through a SOCKS 5 proxy (RFC 1928), with user and password (RFC 1929) if it wants them,
//! without I/O.

use std::fmt;
use std::net::IpAddr;

use super::{Login, Progress, ProxyError};

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An address that is known here.
    Address(IpAddr, u16),
    /// A name that the proxy looks up, of at most 255 octets.
    Name(String, u16),
}

/// Asks for a tunnel.
pub(super) struct Socks5 {
    place: Place,
    login: Option<Login>,
    state: State,
    /// What has come of the current answer.
    input: Vec<u8>,
    output: Vec<u8>,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waits for the method (RFC 1928 §3).
    Method,
    /// Waits for the word on user and password (RFC 1929 §2).
    Login,
    /// Waits for the reply (RFC 1928 §6).
    Reply,
}

/// Without octets: there may be a password among them.
impl fmt::Debug for Socks5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socks5")
            .field("place", &self.place)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Socks5 {
    pub(super) fn new(place: Place, login: Option<Login>) -> Self {
        // RFC 1928 §3. The proxy chooses: who needs no password from us is not shown one.
        let output = match login {
            Some(_) => vec![VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
            None => vec![VERSION, 1, NO_AUTHENTICATION],
        };
        Self {
            place,
            login,
            state: State::Method,
            input: Vec::new(),
            output,
            progress: Progress::NeedsInput,
        }
    }

    /// How many octets the answer has at least, as far as it is known.
    fn wanted(&self) -> usize {
        match (self.state, self.input.as_slice()) {
            (State::Method | State::Login, _) => 2,
            // Version, code, reserved, kind of address; then address and port.
            (State::Reply, [_, _, _, IPV4, ..]) => 4 + 4 + 2,
            (State::Reply, [_, _, _, IPV6, ..]) => 4 + 16 + 2,
            (State::Reply, [_, _, _, NAME, length, ..]) => 4 + 1 + usize::from(*length) + 2,
            (State::Reply, [_, _, _, NAME]) => 5,
            // A code that is an error may stand alone, before the end of the connection.
            (State::Reply, [] | [_]) => 2,
            (State::Reply, _) => 4,
        }
    }

    /// As many octets as were wanted are there.
    fn judge(&mut self) -> Result<(), ProxyError> {
        match (self.state, self.input.as_slice()) {
            (State::Login, &[_, 0]) => self.ask(),
            // RFC 1929 §2: anything else is a refusal.
            (State::Login, _) => return Err(ProxyError::CredentialsRefused),
            (_, &[version, ..]) if version != VERSION => return Err(ProxyError::Version(version)),
            (State::Method, &[_, NO_AUTHENTICATION]) => self.ask(),
            (State::Method, &[_, method]) => match &self.login {
                Some(login) if method == USER_AND_PASSWORD => {
                    self.output.extend(login_request(login));
                    self.state = State::Login;
                }
                _ => return Err(ProxyError::Method(method)),
            },
            (State::Reply, &[_, code, ..]) if code != 0 => return Err(ProxyError::Reply(code)),
            (State::Reply, &[_, _, _, kind, ..]) if ![IPV4, IPV6, NAME].contains(&kind) => {
                return Err(ProxyError::AddressKind(kind));
            }
            (State::Reply, _) if self.input.len() == self.wanted() => {
                self.progress = Progress::Open;
            }
            // There is more to come than it seemed.
            (State::Reply, _) => return Ok(()),
            (State::Method, _) => return Err(ProxyError::Eof),
        }
        self.input.clear();
        Ok(())
    }

    /// RFC 1928 §4.
    fn ask(&mut self) {
        self.output.extend_from_slice(&[VERSION, CONNECT, 0]);
        let port = match &self.place {
            Place::Address(IpAddr::V4(address), port) => {
                self.output.push(IPV4);
                self.output.extend_from_slice(&address.octets());
                port
            }
            Place::Address(IpAddr::V6(address), port) => {
                self.output.push(IPV6);
                self.output.extend_from_slice(&address.octets());
                port
            }
            Place::Name(name, port) => {
                let length = u8::try_from(name.len()).expect("a host has at most 255 octets");
                self.output.extend_from_slice(&[NAME, length]);
                self.output.extend_from_slice(name.as_bytes());
                port
            }
        };
        self.output.extend_from_slice(&port.to_be_bytes());
        self.state = State::Reply;
    }
}

/// RFC 1929 §2.
fn login_request(login: &Login) -> Vec<u8> {
    let mut octets = vec![LOGIN_VERSION];
    for part in [&login.user, &login.password] {
        octets.push(u8::try_from(part.len()).expect("looked at when the proxy was named"));
        octets.extend_from_slice(part);
    }
    octets
}

impl super::Machine for Socks5 {
    fn transmit(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn handle_input(&mut self, octets: &[u8]) -> usize {
        let mut rest = octets;
        while !rest.is_empty() && matches!(self.progress, Progress::NeedsInput) {
            let missing = self.wanted() - self.input.len();
            let (taken, behind) = rest.split_at(missing.min(rest.len()));
            self.input.extend_from_slice(taken);
            rest = behind;
            if taken.len() == missing
                && let Err(error) = self.judge()
            {
                self.progress = Progress::Failed(error);
            }
        }
        octets.len() - rest.len()
    }

    fn handle_eof(&mut self) {
        self.progress = Progress::Failed(ProxyError::Eof);
    }

    fn is_explained(&self) -> bool {
        false
    }

    fn take_progress(&mut self) -> Progress {
        std::mem::replace(&mut self.progress, Progress::NeedsInput)
    }
}
