//! One self-contained HTML page.

use crate::model::Record;

/// Renders a record as one page that works from a file, without network and without script.
pub fn render(record: &Record) -> String {
    format!("<!doctype html>\n<title>{}</title>\n", record.title.len())
}
