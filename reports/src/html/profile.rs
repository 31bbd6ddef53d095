//! What is said of each subject once: what it is, how long its cases took, how it opens a
//! connection.

use super::column::Column;
use super::markup::Markup;
use super::suite::Group;
use super::visible::name;
use super::{handshake, timing};

/// The longest address of a homepage that is linked, in bytes.
const ADDRESS: usize = 300;

pub(super) fn write(out: &mut Markup, columns: &[Column<'_>], groups: &[Group<'_>]) {
    out.tag("<section class=profiles>\n<h2>Timings and handshakes</h2>\n");
    timing::write_comparison(out, groups, columns);
    out.tag("<div class=profile-grid>\n");
    for column in columns {
        write_profile(out, column);
    }
    out.tag("</div>\n</section>\n");
}

fn write_profile(out: &mut Markup, column: &Column<'_>) {
    let subject = column.subject;
    out.tag("<article class=profile id=\"s:")
        .text(&column.anchor)
        .tag("\">\n<h3>");
    column.write_name(out);
    out.tag("</h3>\n");
    let facts = [&subject.version, &subject.language];
    if facts.iter().any(|fact| fact.is_some()) || subject.homepage.is_some() {
        out.tag("<p class=about>");
        for fact in facts.into_iter().flatten() {
            out.tag("<span>").text(&name(fact)).tag("</span>");
        }
        if let Some(address) = &subject.homepage {
            write_homepage(out, address);
        }
        out.tag("</p>\n");
    }
    timing::write_histogram(out, column);
    timing::write_slowest(out, column);
    let heads: Vec<(&'static str, &str)> = [
        ("Request", column.usual.request),
        ("Response", column.usual.response),
    ]
    .into_iter()
    .filter_map(|(what, head)| Some((what, head?)))
    .collect();
    if !heads.is_empty() {
        out.tag("<details class=more><summary>Usual opening handshake</summary>");
        handshake::write(out, &heads);
        out.tag("<p class=cut>Target, key and date differ from case to case.</p></details>\n");
    }
    out.tag("</article>\n");
}

/// A link, if the address is one of the web; any other is text.
fn write_homepage(out: &mut Markup, address: &str) {
    if is_web_address(address) {
        out.tag("<a href=\"")
            .text(address)
            .tag("\" rel=\"noreferrer noopener\">");
        out.text(&name(address)).tag("</a>");
    } else {
        out.tag("<span>").text(&name(address)).tag("</span>");
    }
}

/// Whether an address is safe to link to: `http` or `https`, and nothing that cannot be in an
/// address (RFC 3986 section 2).
fn is_web_address(address: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty())
        && address.len() <= ADDRESS
        && address
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_become_links() {
        for (address, linked) in [
            ("https://websockets.readthedocs.io/", true),
            ("http://example.org/a?b=c#d", true),
            ("https://", false),
            ("javascript:alert(1)", false),
            ("JAVASCRIPT:alert(1)//http://", false),
            (" https://example.org", false),
            ("https://example.org/\"onclick=\"x", false),
            ("data:text/html,x", false),
            ("//example.org", false),
        ] {
            assert_eq!(is_web_address(address), linked, "{address}");
        }
    }
}
