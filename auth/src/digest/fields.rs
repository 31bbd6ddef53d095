//! Reading the parameters that the headers of Digest share.

use super::compute::is_hex;
use super::{DigestError, NonceCount};
use crate::header::Params;

/// A value of more octets is refused, but for `uri`, which is as long as a request's line may be.
pub(super) const MAX_VALUE: usize = 1024;

/// The text of a parameter: UTF-8, without control characters, at most [`MAX_VALUE`] octets.
pub(super) fn text(params: &Params, name: &'static str) -> Result<Option<String>, DigestError> {
    bounded(params, name, MAX_VALUE)
}

pub(super) fn bounded(
    params: &Params,
    name: &'static str,
    most: usize,
) -> Result<Option<String>, DigestError> {
    let Some(octets) = params.get(name) else {
        return Ok(None);
    };
    match core::str::from_utf8(octets) {
        Ok(text) if octets.len() <= most && !has_control(text) => Ok(Some(text.to_owned())),
        _ => Err(DigestError::Invalid(name)),
    }
}

pub(super) fn has_control(text: &str) -> bool {
    text.chars().any(|char| char.is_ascii_control())
}

pub(super) fn needed(params: &Params, name: &'static str) -> Result<String, DigestError> {
    text(params, name)?.ok_or(DigestError::Missing(name))
}

/// `true` or `false`, in either case; `false` if it is not there.
pub(super) fn flag(params: &Params, name: &'static str) -> Result<bool, DigestError> {
    match params.get(name) {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(b"false") => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(b"true") => Ok(true),
        Some(_) => Err(DigestError::Invalid(name)),
    }
}

pub(super) fn count(params: &Params) -> Result<Option<NonceCount>, DigestError> {
    match params.get("nc") {
        None => Ok(None),
        Some(digits) => match NonceCount::parse(digits) {
            Some(count) => Ok(Some(count)),
            None => Err(DigestError::Invalid("nc")),
        },
    }
}

/// A hash in hexadecimal: 32 digits or 64.
pub(super) fn hash(params: &Params, name: &'static str) -> Result<Option<String>, DigestError> {
    match text(params, name)? {
        Some(digits) if !matches!(digits.len(), 32 | 64) || !is_hex(&digits) => {
            Err(DigestError::Invalid(name))
        }
        found => Ok(found),
    }
}
