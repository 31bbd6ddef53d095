//! The heads of logical handshakes: as they are, or as the difference to an earlier one (section 7
//! of the format).

use core::str;
use std::collections::BTreeSet;

/// The longest head there may be, in octets, also after a difference is applied.
pub(crate) const MAX_HEAD: usize = 16 * 1024;

/// What a logical request does not say, because the physical one said it.
pub(crate) const NOT_IN_REQUESTS: &[&str] =
    &["upgrade", "sec-websocket-key", "sec-websocket-version"];
/// What a logical response does not say.
pub(crate) const NOT_IN_RESPONSES: &[&str] = &["upgrade", "sec-websocket-accept"];

const EXTENSIONS: &str = "sec-websocket-extensions";

/// Why a head cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHead {
    Malformed,
    TooLong,
}

/// A start line, and the lines of the fields.
struct Lines<'a> {
    start: &'a str,
    fields: Vec<Field<'a>>,
}

#[derive(Clone, Copy)]
struct Field<'a> {
    /// As written: it is compared without regard to case.
    name: &'a str,
    /// Without the white space around it.
    value: &'a str,
}

impl<'a> Lines<'a> {
    /// Reads a head, with or without its final empty line. Only what the carrier must know is
    /// checked: that it is lines, that no other head or anything else hides in it, and where the
    /// names end. The rest is for the endpoint.
    fn read(head: &'a [u8]) -> Result<Self, BadHead> {
        if head.len() > MAX_HEAD {
            return Err(BadHead::TooLong);
        }
        let head = str::from_utf8(head).map_err(|_| BadHead::Malformed)?;
        let head = head.strip_suffix("\r\n").ok_or(BadHead::Malformed)?;
        let head = head.strip_suffix("\r\n").unwrap_or(head);
        let mut lines = head.split("\r\n");
        let start = lines.next().filter(|line| is_line(line));
        let fields = lines
            .map(|line| {
                let (name, value) = line.split_once(':')?;
                // White space in front of a name would make it part of the line before.
                let is_name = !name.is_empty() && !name.contains([' ', '\t']);
                (is_name && is_line(line)).then_some(Field {
                    name,
                    value: value.trim_matches([' ', '\t']),
                })
            })
            .collect::<Option<_>>();
        match (start, fields) {
            (Some(start), Some(fields)) => Ok(Self { start, fields }),
            _ => Err(BadHead::Malformed),
        }
    }
}

fn is_line(line: &str) -> bool {
    !line.is_empty() && !line.contains(['\r', '\n', '\0'])
}

fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// A head in identity encoding, with its final empty line whether it had one or not.
pub(crate) fn whole(head: &[u8]) -> Result<Vec<u8>, BadHead> {
    Lines::read(head)?;
    let mut whole = head.to_vec();
    if !whole.ends_with(b"\r\n\r\n") {
        whole.extend_from_slice(b"\r\n");
    }
    Ok(whole)
}

/// A response that refuses: behind its head there may be content, which says why.
pub(crate) fn refusal(response: &[u8]) -> Result<Vec<u8>, BadHead> {
    if response.len() > MAX_HEAD {
        return Err(BadHead::TooLong);
    }
    let (head, content) = response.split_at(end_of_head(response));
    let mut refusal = whole(head)?;
    refusal.extend_from_slice(content);
    Ok(refusal)
}

/// As much of a response that refuses as may be sent: content that is too long is left out.
pub(crate) fn sendable(response: &[u8]) -> &[u8] {
    match response.len() {
        0..=MAX_HEAD => response,
        _ => &response[..end_of_head(response)],
    }
}

/// Behind the empty line.
fn end_of_head(message: &[u8]) -> usize {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or(message.len(), |end| end + 4)
}

/// The fields that a difference is a difference to: lines of a name in lower case, a colon and a
/// value, in one string, since it is kept as long as the connection lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Base(String);

impl Base {
    /// The fields of a head, without those that logical handshakes leave out.
    pub(crate) fn new(head: &[u8], left_out: &[&str]) -> Result<Self, BadHead> {
        let mut base = Self::default();
        for field in Lines::read(head)?.fields {
            let name = folded(field.name);
            if !left_out.contains(&name.as_str()) {
                base.push(&name, field.value);
            }
        }
        base.0.shrink_to_fit();
        Ok(base)
    }

    fn push(&mut self, name: &str, value: &str) {
        for part in [name, ":", value, "\n"] {
            self.0.push_str(part);
        }
    }

    fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(|line| line.split_once(':'))
    }

    /// The base that the physical handshake makes: of the extensions, those in front of ours, which
    /// are those of channel 1 (section 11).
    pub(crate) fn physical(head: &[u8], left_out: &[&str], token: &str) -> Result<Self, BadHead> {
        let all = Self::new(head, left_out)?;
        let lines = all.fields().filter(|(name, _)| *name == EXTENSIONS);
        let extensions: Vec<&str> = lines.map(|(_, value)| value).collect();
        let extensions = extensions.join(", ");
        let before: Vec<&str> = elements(&extensions)
            .into_iter()
            .take_while(|element| element.split(';').next().map(str::trim) != Some(token))
            .collect();
        let mut base = Self::default();
        for (name, value) in all.fields().filter(|(name, _)| *name != EXTENSIONS) {
            base.push(name, value);
        }
        if !before.is_empty() {
            base.push(EXTENSIONS, &before.join(", "));
        }
        Ok(base)
    }

    /// The whole head that a difference stands for.
    pub(crate) fn expand(&self, delta: &[u8]) -> Result<Vec<u8>, BadHead> {
        let delta = Lines::read(delta)?;
        let said: BTreeSet<String> = delta
            .fields
            .iter()
            .map(|field| folded(field.name))
            .collect();
        let kept = self.fields().filter(|(name, _)| !said.contains(*name));
        // A field without a value takes it away.
        let new = delta
            .fields
            .iter()
            .filter(|field| !field.value.is_empty())
            .map(|field| (field.name, field.value));
        let mut head = delta.start.as_bytes().to_vec();
        head.extend_from_slice(b"\r\n");
        for (name, value) in kept.chain(new) {
            put_field(name, value, &mut head);
        }
        head.extend_from_slice(b"\r\n");
        if head.len() > MAX_HEAD {
            return Err(BadHead::TooLong);
        }
        Ok(head)
    }

    /// The difference that stands for this head, if there is one.
    pub(crate) fn difference(&self, head: &[u8]) -> Option<Vec<u8>> {
        let lines = Lines::read(head).ok()?;
        let mut delta = lines.start.as_bytes().to_vec();
        delta.extend_from_slice(b"\r\n");
        let mut said = BTreeSet::new();
        for field in &lines.fields {
            if field.value.is_empty() {
                return None;
            }
            let name = folded(field.name);
            if said.contains(&name) {
                continue;
            }
            let of_name = |other: &&Field<'_>| other.name.eq_ignore_ascii_case(&name);
            let new = lines.fields.iter().filter(of_name);
            let old = self.fields().filter(|(other, _)| *other == name);
            let same = new
                .clone()
                .map(|field| field.value)
                .eq(old.map(|(_, value)| value));
            if !same {
                for field in new {
                    put_field(field.name, field.value, &mut delta);
                }
            }
            said.insert(name);
        }
        for (name, _) in self.fields() {
            if said.insert(name.to_owned()) {
                delta.extend_from_slice(name.as_bytes());
                delta.extend_from_slice(b":\r\n");
            }
        }
        delta.extend_from_slice(b"\r\n");
        Some(delta)
    }
}

fn put_field(name: &str, value: &str, head: &mut Vec<u8>) {
    for part in [name, ": ", value, "\r\n"] {
        head.extend_from_slice(part.as_bytes());
    }
}

/// The elements of a list, commas in quotes left alone (RFC 9110 §5.6.1).
fn elements(list: &str) -> Vec<&str> {
    let mut quoted = false;
    let mut escaped = false;
    list.split(|letter| {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    })
    .map(str::trim)
    .filter(|element| !element.is_empty())
    .collect()
}

#[cfg(test)]
mod tests;
