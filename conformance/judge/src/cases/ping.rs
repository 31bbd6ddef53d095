//! 2: pings and pongs.

use crate::case::Case;

pub(super) const SECTIONS: &[(&str, &str)] = &[];

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
