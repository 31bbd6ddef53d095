//! Which certificate a client is shown: Server Name Indication (RFC 6066 §3).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::certificate::Certificate;

/// Certificates by name.
pub(super) struct Names {
    by_name: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// For clients that name nobody.
    nameless: Arc<CertifiedKey>,
    /// For names without a certificate.
    unknown: Option<Arc<CertifiedKey>>,
}

impl Names {
    pub(super) fn new(first: &Certificate, more: &[Certificate], refuses_unknown: bool) -> Self {
        let mut by_name: HashMap<String, Vec<_>> = HashMap::new();
        for certificate in std::iter::once(first).chain(more) {
            for name in certificate.names() {
                let key = Arc::clone(certificate.key());
                by_name.entry(name).or_default().push(key);
            }
        }
        Self {
            by_name,
            nameless: Arc::clone(first.key()),
            unknown: (!refuses_unknown).then(|| Arc::clone(first.key())),
        }
    }

    /// The certificates for a name: its own, or else those of all names beside it.
    fn of(&self, name: &str) -> Option<&Vec<Arc<CertifiedKey>>> {
        let name = name.to_ascii_lowercase();
        self.by_name.get(&name).or_else(|| {
            // RFC 6125 §6.4.3: the asterisk stands for the whole of the leftmost label.
            let (_, parent) = name.split_once('.')?;
            self.by_name.get(&format!("*.{parent}"))
        })
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let Some(name) = hello.server_name() else {
            return Some(Arc::clone(&self.nameless));
        };
        let Some(candidates) = self.of(name) else {
            return self.unknown.clone();
        };
        // Several for one name: the first whose kind of key the client knows.
        let schemes = hello.signature_schemes();
        candidates
            .iter()
            .find(|candidate| candidate.key.choose_scheme(schemes).is_some())
            .or_else(|| candidates.first())
            .cloned()
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}
