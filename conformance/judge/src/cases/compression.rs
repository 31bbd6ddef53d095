//! 12 and 13: permessage-deflate.

use crate::case::Case;

pub(super) const SECTIONS: &[(&str, &str)] = &[];

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
