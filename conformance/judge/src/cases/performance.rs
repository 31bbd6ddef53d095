//! 9: large messages and many of them.

use crate::case::Case;

pub(super) const SECTIONS: &[(&str, &str)] = &[];

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
