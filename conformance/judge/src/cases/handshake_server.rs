//! handshake.1: what a server makes of requests.

use crate::case::Case;

pub(super) const SECTIONS: &[(&str, &str)] = &[];

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
