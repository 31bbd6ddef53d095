//! Autobahn's descriptions hold HTML; a record holds plain text.

/// Drops tags, turns `<br>` into line ends, and resolves the five usual entities.
///
/// Only what looks like a tag is one: `length < 126` stays as it is. This is for reading, not for
/// safety: renderers escape the result like any other text.
pub(super) fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    // A line end in HTML is a space.
    let html = html.replace(['\r', '\n', '\t'], " ");
    let mut rest = html.as_str();
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let tag = &rest[start..];
        let Some(end) = tag_end(tag) else {
            text.push('<');
            rest = &tag[1..];
            continue;
        };
        let name = tag[1..end].trim_matches('/').trim().to_ascii_lowercase();
        if matches!(name.as_str(), "br" | "p") {
            text.push('\n');
        }
        rest = &tag[end + 1..];
    }
    text.push_str(rest);
    let text = resolve_entities(&text);
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim) {
        // One empty line is a paragraph, two say no more.
        if !line.is_empty() || lines.last().is_some_and(|last: &&str| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim_end().to_owned()
}

/// Where the `>` of a tag is, if the text begins with a tag.
fn tag_end(text: &str) -> Option<usize> {
    let name = text[1..].trim_start_matches('/');
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        .then(|| text.find('>'))
        .flatten()
}

fn resolve_entities(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        // Last, so that `&amp;lt;` becomes `&lt;` and not `<`.
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_line_breaks_stay() {
        for (html, text) in [
            (
                "send again with <b>RSV = 4</b>, then Ping.",
                "send again with RSV = 4, then Ping.",
            ),
            (
                "MESSAGE:<br>Hello<br/><BR />there ",
                "MESSAGE:\nHello\n\nthere",
            ),
            (
                "one\ntwo.\n<br><br>\nPARTS:<br>\nA<br>\n",
                "one two.\n\nPARTS:\nA",
            ),
            ("a<br><br><br><br>b", "a\n\nb"),
            ("length < 126, 3 > 2, a<b", "length < 126, 3 > 2, a<b"),
            ("a &lt;b&gt; &amp;lt; &#39;&quot;", "a <b> &lt; '\""),
            ("<", "<"),
            ("é<i>ü</i><", "éü<"),
            ("<script src=x>alert(1)</script>", "alert(1)"),
        ] {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }
}
