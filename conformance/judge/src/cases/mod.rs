//! The tables of cases, one file per section.

mod framing;

use crate::case::Case;

/// Autobahn's 517 cases, in the order of their ids.
pub fn autobahn() -> Vec<Case> {
    framing::cases()
}
