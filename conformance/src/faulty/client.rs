//! An echo client with a fault, which walks the cases of a fuzzing server.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;

use cloverleaf::proto::Config;
use tokio::net::TcpStream;

use super::{Fault, echo};
use crate::testee::{self, Testee};

/// Why a client cannot walk the cases.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is not `ws://HOST:PORT`.
    Address {
        /// What it is.
        url: String,
    },
    /// The server cannot be reached.
    Connect {
        /// Host and port.
        host: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The server could be reached, and does not speak as a fuzzing server does.
    Server {
        /// What happened.
        source: cloverleaf::Error,
    },
    /// The server does not say how many cases it has.
    NoCount,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { url } => {
                write!(
                    f,
                    "{url:?} is not ws://HOST:PORT (a client with a fault has no TLS)"
                )
            }
            Self::Connect { host, source } => write!(f, "cannot connect to {host}: {source}"),
            Self::Server { source } => source.fmt(f),
            Self::NoCount => f.write_str("the server does not say how many cases it has"),
        }
    }
}

impl std::error::Error for ClientError {}

/// A client that sends every message back, but for its fault.
///
/// The control URLs are asked for without the fault, so that every fault can be reported.
#[derive(Debug)]
pub struct Client {
    control: Testee,
    host: String,
    path: String,
    agent: String,
    fault: Option<Fault>,
}

impl Client {
    /// A client for the fuzzing server at `url`, such as `ws://127.0.0.1:9001`.
    ///
    /// # Errors
    ///
    /// [`ClientError::Address`] if `url` is not of this form.
    pub fn new(
        url: &str,
        agent: &str,
        config: Config,
        fault: Option<Fault>,
    ) -> Result<Self, ClientError> {
        let wrong = || ClientError::Address {
            url: url.to_owned(),
        };
        let place = url.strip_prefix("ws://").ok_or_else(wrong)?;
        let (host, path) = place.split_once('/').unwrap_or((place, ""));
        if host.is_empty() || place.contains(['?', '#', ' ']) {
            return Err(wrong());
        }
        let path = path.trim_end_matches('/');
        Ok(Self {
            control: Testee::new(url, agent, config),
            host: host.to_owned(),
            path: match path {
                "" => String::new(),
                path => format!("/{path}"),
            },
            agent: testee::percent_encoded(agent),
            fault,
        })
    }

    /// How many cases the server has.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or does not say.
    pub async fn case_count(&self) -> Result<u32, ClientError> {
        match self.control.case_count().await {
            Ok(count) => count.ok_or(ClientError::NoCount),
            Err(source) => Err(ClientError::Server { source }),
        }
    }

    /// Runs cases one after the other, telling `on_end` of each.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached any more.
    pub async fn run(
        &self,
        cases: RangeInclusive<u32>,
        mut on_end: impl FnMut(u32),
    ) -> Result<(), ClientError> {
        for case in cases {
            let host = match self.host.contains(':') {
                true => self.host.clone(),
                false => format!("{}:80", self.host),
            };
            let stream = match TcpStream::connect(&host).await {
                Ok(stream) => stream,
                Err(source) => return Err(ClientError::Connect { host, source }),
            };
            // Without it echoes only come later.
            let _ = stream.set_nodelay(true);
            let target = format!("{}/runCase?case={case}&agent={}", self.path, self.agent);
            echo(stream, &self.host, &target, self.fault).await;
            on_end(case);
        }
        Ok(())
    }

    /// Makes the server write its reports.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn update_reports(&self) -> Result<(), ClientError> {
        let reported = self.control.update_reports().await;
        reported.map_err(|source| ClientError::Server { source })
    }
}
