//! The frame of the smaller pages: differences, trends, and the pages of a site.
//!
//! Like the page of a run they stand alone: one inline style, no script, no request.

use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

const HEAD: &str = concat!(
    include_str!("../assets/layout_head.html"),
    "<style>",
    include_str!("../assets/layout.css"),
    "</style>\n",
    include_str!("../assets/layout_top.html"),
);
const FOOT: &str = "</main>\n</body>\n</html>\n";

/// Renders a body in the frame. Every text is escaped, except values that are marked safe in the
/// template: charts, which this library wrote.
pub(crate) fn render(title: &str, body: &'static str, fields: impl Serialize) -> String {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The ending of the name switches escaping on.
    environment
        .add_template_owned("page.html", format!("{HEAD}{body}{FOOT}"))
        .expect("the template is part of the program");
    let template = environment
        .get_template("page.html")
        .expect("it was just added");
    let fields = context! { title, ..Value::from_serialize(fields) };
    let html = template
        .render(fields)
        .expect("the template uses only fields that the page has");
    // The escaping also takes `/`, which is special neither in text nor in quoted attributes. A `&`
    // of the record is `&amp;` by now, so nothing else can match.
    html.replace("&#x2f;", "/")
}
