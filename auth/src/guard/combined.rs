//! Several guards as one.

use core::fmt;
use std::sync::Arc;

use cloverleaf_proto::handshake::{Check, Received, Rejection, RequestGuard};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};

use super::unauthorized;
use crate::{basic, digest, header};

/// Lets those pass whom one of several guards lets pass. They are asked in their order, and the
/// first that does decides; without any, nobody passes.
///
/// If none does, the answer is: that of the first that could not tell or make sense of the request
/// (anything but 401 and 403); or one 401 with the challenges of all, in their order, but MD5 behind
/// the rest of Digest, and Basic last; or the first 403.
#[derive(Clone, Default)]
pub struct AnyOf(Vec<Arc<dyn RequestGuard>>);

/// Lets those pass whom all of several guards let pass. They are asked in their order, and the first
/// that refuses decides. Where several find out who it is, the last one's word counts. A request has
/// one `Authorization`: so at most one guard can be about it.
#[derive(Clone, Default)]
pub struct AllOf(Vec<Arc<dyn RequestGuard>>);

impl AnyOf {
    /// Of none yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a guard.
    #[must_use]
    pub fn or(mut self, guard: impl RequestGuard + 'static) -> Self {
        self.0.push(Arc::new(guard));
        self
    }

    async fn decide(&self, received: &mut Received) -> Result<(), Rejection> {
        let mut refusals = Vec::new();
        for guard in &self.0 {
            // What a guard leaves behind that refuses in the end is not to be seen.
            let headers = received.response_headers.clone();
            let extensions = received.request.extensions().clone();
            match guard.check(received).await {
                Ok(()) => return Ok(()),
                Err(refusal) => refusals.push(refusal),
            }
            received.response_headers = headers;
            *received.request.extensions_mut() = extensions;
        }
        Err(merge(refusals))
    }
}

impl AllOf {
    /// Of none yet: everybody passes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a guard.
    #[must_use]
    pub fn and(mut self, guard: impl RequestGuard + 'static) -> Self {
        self.0.push(Arc::new(guard));
        self
    }

    async fn decide(&self, received: &mut Received) -> Result<(), Rejection> {
        for guard in &self.0 {
            guard.check(received).await?;
        }
        Ok(())
    }
}

fn merge(refusals: Vec<Rejection>) -> Rejection {
    let is_about_credentials =
        |refusal: &&Rejection| matches!(refusal.status().as_u16(), 401 | 403);
    if let Some(other) = refusals
        .iter()
        .find(|refusal| !is_about_credentials(refusal))
    {
        return other.clone();
    }
    let mut challenges: Vec<_> = refusals
        .iter()
        .filter(|refusal| refusal.status() == StatusCode::UNAUTHORIZED)
        .flat_map(|refusal| refusal.headers().get_all(WWW_AUTHENTICATE))
        .cloned()
        .collect();
    challenges.sort_by_key(weakness);
    unauthorized(challenges)
        .or_else(|| refusals.into_iter().next())
        .unwrap_or_else(|| Rejection::forbidden("nobody may"))
}

/// Clients should take the first challenge that they understand (RFC 7616 §3.7).
fn weakness(challenge: &HeaderValue) -> u8 {
    let challenges = header::parse_challenges([challenge]);
    let Some(challenge) = challenges.first() else {
        return 0;
    };
    if challenge.is(basic::SCHEME) {
        return 2;
    }
    let is_md5 = digest::Challenge::parse(challenge)
        .is_ok_and(|challenge| challenge.algorithm.hash == digest::Hash::Md5);
    u8::from(is_md5)
}

impl RequestGuard for AnyOf {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(self.decide(received))
    }
}

impl RequestGuard for AllOf {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(self.decide(received))
    }
}

impl fmt::Debug for AnyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyOf({} guards)", self.0.len())
    }
}

impl fmt::Debug for AllOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AllOf({} guards)", self.0.len())
    }
}
