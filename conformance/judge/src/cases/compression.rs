//! 12 and 13: permessage-deflate with payloads of five kinds, and with other parameters.

use crate::case::{Case, Content, Exchange, Negotiation, Opening};
use crate::corpus::Kind;
use crate::deflate::{Offer, Requirement};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("12", "permessage-deflate: kinds of payload"),
    ("12.1", "JSON, as text"),
    ("12.2", "A bitmap, as binary"),
    ("12.3", "Prose, as binary"),
    ("12.4", "HTML, as text"),
    ("12.5", "A PDF, as binary"),
    ("13", "permessage-deflate: parameters"),
    ("13.1", "Nothing asked of the subject"),
    ("13.2", "No context takeover"),
    ("13.3", "A window of 9 bits"),
    ("13.4", "A window of 15 bits"),
    ("13.5", "No context takeover, a window of 9 bits"),
    ("13.6", "No context takeover, a window of 15 bits"),
    ("13.7", "A choice of three"),
];

/// The items of every section: the size of the messages, and that of the fragments they are cut
/// into once compressed (0: they are not).
const ITEMS: [(usize, usize); 18] = [
    (16, 0),
    (64, 0),
    (256, 0),
    (1024, 0),
    (4096, 0),
    (8192, 0),
    (16384, 0),
    (32768, 0),
    (65536, 0),
    (131_072, 0),
    (8192, 256),
    (16384, 256),
    (32768, 256),
    (65536, 256),
    (131_072, 256),
    (131_072, 1024),
    (131_072, 4096),
    (131_072, 32768),
];

/// What the judge asks of the subject's compression: no context takeover, and a window of so many
/// bits. As the client it offers this, as the server it requires it.
type Asked = (bool, Option<u8>);

const NOTHING: Asked = (false, None);

/// The sections of 13: what is asked for, best first.
const PARAMETERS: [&[Asked]; 7] = [
    &[NOTHING],
    &[(true, None)],
    &[(false, Some(9))],
    &[(false, Some(15))],
    &[(true, Some(9))],
    &[(true, Some(15))],
    &[(true, Some(9)), (true, None), NOTHING],
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (section, kind) in (1..).zip(Kind::ALL) {
        cases.extend(items(&format!("12.{section}"), kind, &[NOTHING]));
    }
    for (section, asked) in (1..).zip(PARAMETERS) {
        cases.extend(items(&format!("13.{section}"), Kind::Json, asked));
    }
    cases
}

fn items(section: &str, kind: Kind, asked: &[Asked]) -> Vec<Case> {
    let asked_for: Vec<_> = asked.iter().map(in_words).collect();
    let opening = Opening::Deflate(negotiation(asked));
    (1..)
        .zip(ITEMS)
        .map(|(item, (size, fragment))| {
            let limit = match size {
                16 | 64 => 60,
                256 => 120,
                1024 => 240,
                _ => 480,
            };
            // Text is counted in characters, so that no window cuts one.
            let (name, binary, unit) = match kind {
                Kind::Json => ("JSON", false, "characters"),
                Kind::Bitmap => ("a bitmap", true, "octets"),
                Kind::Prose => ("prose", true, "octets"),
                Kind::Html => ("HTML", false, "characters"),
                Kind::Pdf => ("a PDF", true, "octets"),
            };
            let content = Content::Corpus(kind);
            let mut exchange = Exchange::new(content, size, 1000, binary, limit).compressed();
            let mut title = format!("1000 compressed messages of {size} {unit} of {name}");
            if fragment > 0 {
                exchange = exchange.fragmented(fragment);
                title += &format!(", in fragments of {fragment} octets");
            }
            title += &format!("; asked for: {}", asked_for.join(", or "));
            Case::new(format!("{section}.{item}"), title, exchange)
                .opening(opening.clone())
                .expect(format!(
                    "Every message comes back unchanged, all within {limit} s; then a clean close \
                     with 1000. Without compression the case does not apply."
                ))
                .section("RFC 7692 §6, §7.1, §7.2")
        })
        .collect()
}

fn negotiation(asked: &[Asked]) -> Negotiation {
    Negotiation {
        offers: asked
            .iter()
            .map(|&(no_takeover, bits)| Offer {
                server_no_context_takeover: no_takeover,
                server_max_window_bits: bits,
                // Of itself the judge lets the server ask what it likes.
                client_no_context_takeover: true,
                client_max_window_bits: Some(None),
            })
            .collect(),
        requirements: asked
            .iter()
            .map(|&(no_takeover, bits)| Requirement {
                client_no_context_takeover: no_takeover,
                client_max_window_bits: bits,
            })
            .collect(),
    }
}

fn in_words(asked: &Asked) -> String {
    match asked {
        (false, None) => "nothing".to_owned(),
        (true, None) => "no context takeover".to_owned(),
        (false, Some(bits)) => format!("a window of {bits} bits"),
        (true, Some(bits)) => format!("no context takeover and a window of {bits} bits"),
    }
}
