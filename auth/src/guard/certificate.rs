//! Certificates of clients (mutual TLS).

use core::fmt;
use std::collections::HashMap;

use bytes::Bytes;
use cloverleaf_proto::handshake::{Check, Received, Rejection, RequestGuard};
use sha2::{Digest as _, Sha256};

use super::failure::Listener;
use super::{Failure, Reason};
use crate::{Identity, Scheme};

/// Lets those pass whose certificate the application takes.
///
/// TLS has checked by then that the certificate is good and that the client has its key; here it is
/// found out whose it is. There is no challenge for it: who has none, or the wrong one, is refused
/// with 403.
///
/// It is the certificate of the connection. All channels of a multiplexed connection have it in
/// common.
pub struct ClientCertificate {
    name: Box<Name>,
    listener: Listener,
}

type Name = dyn Fn(&[Bytes]) -> Option<String> + Send + Sync;

impl ClientCertificate {
    /// With a function that names whose certificates these are: the client's own is the first, each
    /// is in DER, and there is at least one.
    #[must_use]
    pub fn new(name: impl Fn(&[Bytes]) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            name: Box::new(name),
            listener: Listener::default(),
        }
    }

    /// For those whose certificate has one of these SHA-256 fingerprints, over the whole of it in
    /// DER, and what they are called.
    #[must_use]
    pub fn with_fingerprints(known: impl IntoIterator<Item = ([u8; 32], String)>) -> Self {
        let known: HashMap<_, _> = known.into_iter().collect();
        Self::new(move |certificates| {
            let own = Sha256::digest(certificates.first()?);
            known.get(own.as_slice()).cloned()
        })
    }

    /// Tells of certificates that are not taken.
    #[must_use]
    pub fn on_failure(mut self, listener: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    fn decide(&self, received: &mut Received) -> Result<(), Rejection> {
        let certificates = received.peer().map_or(&[][..], |peer| &peer.certificates);
        if certificates.is_empty() {
            return Err(Rejection::forbidden("a certificate is needed here"));
        }
        let Some(name) = (self.name)(certificates) else {
            self.listener
                .tell(received, Scheme::Certificate, None, Reason::Refused);
            return Err(Rejection::forbidden("this certificate may not"));
        };
        received.request.extensions_mut().insert(Identity {
            name,
            scheme: Scheme::Certificate,
        });
        Ok(())
    }
}

impl RequestGuard for ClientCertificate {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(core::future::ready(self.decide(received)))
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}
