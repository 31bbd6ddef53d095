//! What a server says about an answer that it took (RFC 7616 §3.5).

use core::fmt;

use http::HeaderValue;

use super::memory::Known;
use crate::basic::UserPass;
use crate::digest::{Authorization, Challenge, Ha1, Info, NonceCount, matches};

/// An answer to Digest, and what is needed to check what comes back.
pub(super) struct Proof {
    challenge: Challenge,
    sent: Authorization,
    pair: UserPass,
}

impl Proof {
    pub(super) const fn new(challenge: Challenge, sent: Authorization, pair: UserPass) -> Self {
        Self {
            challenge,
            sent,
            pair,
        }
    }

    pub(super) fn nonce(&self) -> &str {
        &self.challenge.nonce
    }

    /// Checks `Authentication-Info`: the nonce for the next request, if it names one.
    pub(super) fn check<'a>(
        &self,
        values: impl IntoIterator<Item = &'a HeaderValue>,
        is_required: bool,
    ) -> Result<Option<String>, String> {
        let mut values = values.into_iter();
        let info = match (values.next(), values.next()) {
            (None, _) => Info::default(),
            (Some(value), None) => Info::parse(value)
                .map_err(|error| format!("the server's Authentication-Info: {error}"))?,
            (Some(_), Some(_)) => {
                return Err("the server's Authentication-Info stands there twice".to_owned());
            }
        };
        match &info.rspauth {
            Some(rspauth) => {
                let Self { sent, pair, .. } = self;
                let hash = sent.algorithm.hash;
                let ha1 = Ha1::new(hash, &pair.user, &sent.realm, &pair.password);
                let expected = ha1.rspauth(&sent.question("", b""));
                let number = |nc: Option<NonceCount>| nc.map(NonceCount::number);
                let is_about_ours = info.qop == sent.qop
                    && info.cnonce == sent.cnonce
                    && number(info.nc) == number(sent.nc);
                if !is_about_ours || !matches(&expected, rspauth) {
                    let error =
                        "the server's proof (rspauth) is wrong: it does not know the password";
                    return Err(error.to_owned());
                }
            }
            None if is_required => {
                let error = "the server does not prove (rspauth) that it knows the password";
                return Err(error.to_owned());
            }
            None => {}
        }
        Ok(info.nextnonce)
    }

    /// What may be sent unasked from now on.
    pub(super) fn next(&self, nextnonce: Option<String>, reuse: bool) -> Option<Known> {
        let mut challenge = self.challenge.clone();
        let used = self.sent.nc?.number();
        let used = match nextnonce {
            Some(nonce) if nonce == challenge.nonce => used,
            Some(nonce) => {
                challenge.nonce = nonce;
                0
            }
            // With the same nonce a session is the same, and its secret part is made of the first
            // nonce of the client for some servers and of the last for others (RFC 7616 §3.4.2).
            None if reuse && !challenge.algorithm.session => used,
            None => return None,
        };
        Some(Known::Digest(Box::new(challenge), used))
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proof").field(&self.sent).finish()
    }
}
