//! What stands in front of the upgrade: guards that let only those pass who prove who they are.
//!
//! They go into [`ServerOptions::guards`](cloverleaf_proto::handshake::ServerOptions::guards).
//! Behind each the request's `http::Extensions` have an [`Identity`](crate::Identity). Who is known
//! but may not is for the application to refuse, with 403.
//!
//! [`Digest`], [`Basic`] and [`Bearer`] ask for credentials; [`ClientCertificate`] looks at what TLS
//! has found; [`Tickets`] are for pages, which can show neither. [`AnyOf`], [`AllOf`] and [`PerPath`] combine them, and guards of one's own.

mod basic;
mod bearer;
mod certificate;
mod combined;
mod digest;
mod failure;
mod path;
mod target;
#[cfg(test)]
mod tests;
mod ticket;

pub use basic::Basic;
pub use bearer::{Bearer, Refused};
pub use certificate::ClientCertificate;
pub use combined::{AllOf, AnyOf};
pub use digest::Digest;
pub use failure::{Failure, Reason};
pub use path::{PathError, PerPath};
pub use ticket::{NameTooLong, Tickets};

use cloverleaf_proto::handshake::{Received, Rejection};
use http::HeaderValue;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};

use self::failure::Listener;
use crate::Scheme;
use crate::header::{Credentials, HeaderError, find_credentials};

/// The credentials of this scheme; `None` if there are none, or those of another.
fn credentials(received: &Received, scheme: &str) -> Result<Option<Credentials>, HeaderError> {
    let headers = received.request.headers();
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) if !is_of(value, scheme) => return Ok(None),
        _ => {}
    }
    find_credentials(headers, &AUTHORIZATION)
}

/// Whether credentials are of this scheme, however broken they are otherwise.
fn is_of(value: &HeaderValue, scheme: &str) -> bool {
    let value = value.as_bytes();
    value
        .get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
        && value
            .get(scheme.len())
            .is_none_or(|octet| matches!(octet, b' ' | b'\t' | b','))
}

/// The credentials of a scheme that shows what must stay secret; `None` if they are broken. Refused
/// is what came in the clear, with 403 and without a challenge: a client must not be invited to send it.
fn shown(
    received: &Received,
    scheme: Scheme,
    allow_insecure: bool,
    only_over_tls: &'static str,
    missing: &HeaderValue,
    listener: &Listener,
) -> Result<Option<Credentials>, Rejection> {
    let found = credentials(received, scheme.name());
    if !allow_insecure && !received.is_secure() {
        if !matches!(found, Ok(None)) {
            listener.tell(received, scheme, None, Reason::Insecure);
        }
        return Err(Rejection::forbidden(only_over_tls));
    }
    match found {
        Ok(None) => Err(Rejection::unauthorized(missing.clone())),
        Ok(Some(found)) => Ok(Some(found)),
        Err(HeaderError::TwoHeaders) => {
            listener.tell(received, scheme, None, Reason::Malformed);
            Err(two_headers())
        }
        Err(_) => Ok(None),
    }
}

/// 401 with these challenges, one header line each (RFC 9110 §11.6.1).
fn unauthorized(challenges: impl IntoIterator<Item = HeaderValue>) -> Option<Rejection> {
    let mut challenges = challenges.into_iter();
    let first = Rejection::unauthorized(challenges.next()?);
    Some(challenges.fold(first, |rejection, challenge| {
        rejection.with_header(WWW_AUTHENTICATE, challenge)
    }))
}

/// 400: which of two is meant is for nobody to guess.
fn two_headers() -> Rejection {
    Rejection::bad_request("Authorization stands there twice; send it once")
}
