//! Subjects with a fault: an echo endpoint in either role that keeps to the protocol but for one
//! named [`Fault`].
//!
//! They prove that cases can fail. Each rule stands in one place, and each fault is a question at
//! that place; without a fault the endpoint passes every case.
//!
//! ```text
//!  fault                the names and what they mean
//!  answering, asking    the handshake of a server and of a client
//!  auth                 credentials, wanted and sent
//!  agreement, codec     extensions: agreed on, and at work
//!  endpoint             an open connection: message, control, closing; send
//!  mux                  an open connection with channels
//! ```

mod agreement;
mod answering;
mod asking;
mod auth;
mod client;
mod closing;
mod codec;
mod control;
mod endpoint;
mod fault;
pub mod memory;
mod message;
mod mux;
mod send;
mod server;
mod text;
mod wire;

use std::io;

use cloverleaf_judge::authentication::Credentials;
use cloverleaf_reports::Role;
use tokio::io::{AsyncRead, AsyncWrite};

pub use auth::Guard;
pub use client::{Client, ClientError};
pub use fault::{Fault, UnknownFault};
pub use server::Server;

use asking::Asked;
use auth::{Next, Visitor};
use codec::Codec;
use endpoint::Endpoint;
use fault::Kind;
use mux::Trunk;
use wire::Wire;

/// The fault of an endpoint, if it has one.
#[derive(Clone, Copy, Debug)]
struct Faulty(Option<Kind>);

impl Faulty {
    fn has(self, kind: Kind) -> bool {
        self.0 == Some(kind)
    }
}

impl From<Option<Fault>> for Faulty {
    fn from(fault: Option<Fault>) -> Self {
        Self(fault.map(|fault| fault.kind))
    }
}

/// Serves one connection to its end: the opening handshake, then echoes. With a guard, only those
/// get in who have credentials.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    guard: Option<&Guard>,
    fault: Option<Fault>,
) {
    let faulty = Faulty::from(fault);
    let mut wire = Wire::new(stream, Role::Server, faulty);
    if let Ok(agreed) = answering::open(&mut wire, guard, faulty).await {
        run(wire, Role::Server, faulty, agreed).await;
    }
}

/// Opens a connection over `stream`, asking `host` for `target`, and echoes to its end.
pub async fn echo<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    target: &str,
    fault: Option<Fault>,
) {
    let faulty = Faulty::from(fault);
    let mut wire = Wire::new(stream, Role::Client, faulty);
    if let Ok(agreed) = asking::open(&mut wire, host, target, faulty).await {
        run(wire, Role::Client, faulty, agreed).await;
    }
}

/// The same with credentials, for a server that asks for some; `dial` opens connections to it.
pub async fn visit<S, F>(
    dial: impl Fn() -> F,
    host: &str,
    target: &str,
    credentials: &Credentials,
    fault: Option<Fault>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = io::Result<S>>,
{
    let faulty = Faulty::from(fault);
    let mut visitor = Visitor::new(credentials);
    let mut values = visitor.unasked(faulty);
    let mut inputs = None;
    let Ok(stream) = dial().await else {
        return;
    };
    let mut wire = Wire::new(stream, Role::Client, faulty);
    loop {
        let asked = asking::open_with(&mut wire, host, target, Some(&values), faulty).await;
        let head = match asked {
            Ok(Asked::Challenged(head)) => head,
            Ok(Asked::Open(codec, head)) if Visitor::trusts(&head, inputs.as_ref(), faulty) => {
                return run(wire, Role::Client, faulty, codec).await;
            }
            _ => return,
        };
        match visitor.refused(&head, target, faulty) {
            Next::Ask(next, of) => (values, inputs) = (next, of),
            Next::GiveUp => return,
        }
        // RFC 9112 §9.6
        if head.lists("Connection", "close") {
            if faulty.has(Kind::StaysWhereItWasClosed) {
                continue;
            }
            match dial().await {
                Ok(stream) => wire = Wire::new(stream, Role::Client, faulty),
                Err(_) => return,
            }
            continue;
        }
        let length = head
            .value("Content-Length")
            .and_then(|text| text.parse().ok());
        if !faulty.has(Kind::LeavesBodiesUnread) && wire.skip(length.unwrap_or(0)).await.is_err() {
            return;
        }
    }
}

async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    wire: Wire<S>,
    role: Role,
    faulty: Faulty,
    mut codec: Option<Codec>,
) {
    let channels = codec.as_mut().and_then(|codec| codec.channels.take());
    let codec = codec.and_then(Codec::if_any);
    match channels {
        Some(agreed) => {
            Trunk::new(wire, role, faulty, codec, agreed).run().await;
        }
        None => Endpoint::new(wire, role, faulty, codec).run().await,
    }
}
