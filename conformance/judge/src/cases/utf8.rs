//! 6: UTF-8 in text messages.

use crate::case::Case;

pub(super) const SECTIONS: &[(&str, &str)] = &[];

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
