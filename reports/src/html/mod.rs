//! One self-contained HTML page.
//!
//! The page needs no network and no script: the inline script only adds the filter. All text of
//! the record goes through `visible` and through the template's escaping. The page shows long
//! wire logs and long payloads in part and says what it left out; the case files hold all of it.

mod anchor;
mod badge;
mod event;
mod page;
mod problem;
mod result;
mod visible;
mod wire;

use minijinja::{Environment, UndefinedBehavior};

use crate::model::Record;

/// Macros first, then the page that calls them.
const TEMPLATE: &str = concat!(
    include_str!("../../assets/macros.html"),
    include_str!("../../assets/page.html")
);
const STYLE: &str = include_str!("../../assets/page.css");
const SCRIPT: &str = include_str!("../../assets/page.js");

/// Renders a record as one page that works from a file, without network and without script.
///
/// The same record always gives the same bytes.
pub fn render(record: &Record) -> String {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The ending of the name switches escaping on.
    environment
        .add_template("page.html", TEMPLATE)
        .expect("the template is part of the program");
    let template = environment
        .get_template("page.html")
        .expect("it was just added");
    let page = page::Page::of(record, STYLE, SCRIPT);
    let html = template
        .render(page)
        .expect("the template uses only fields that the page has");
    // The escaping also takes `/`, which is special neither in text nor in quoted attributes and
    // frequent in handshakes. A `&` of the record is `&amp;` by now, so nothing else can match.
    html.replace("&#x2f;", "/")
}
