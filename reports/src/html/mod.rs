//! One self-contained HTML page.
//!
//! The page needs no network, and to read verdicts, sentences and everything with remarks no
//! script either. The inline script adds the filter and the keyboard, and unpacks the details of
//! results with nothing to remark where a record has too many of them to stand in the page as they
//! are. All text of the record goes through `Markup::text`, which escapes it. The page shows long
//! wire logs and long payloads in part and says what it left out; the case files hold all of it.

mod anchor;
mod badge;
mod cases;
mod column;
mod ending;
mod event;
mod handshake;
mod markup;
mod matrix;
mod pack;
mod page;
mod plan;
mod problem;
mod profile;
mod result;
pub(crate) mod stamp;
mod suite;
mod summary;
mod timing;
mod traffic;
mod visible;
mod wire;

use crate::model::Record;

/// Renders a record as one page that works from a file, without network; script only adds
/// convenience, and unfolds what is packed.
///
/// The same record always gives the same bytes.
pub fn render(record: &Record) -> String {
    let mut out = markup::Markup::default();
    page::write(&mut out, record);
    out.into_string()
}
