//! The little HTTP/1.1 that an opening handshake needs (RFC 9110, RFC 9112).

mod authority;
mod body;
mod extensions;
mod head;
mod list;
mod parse;
mod percent;
mod write;

pub(crate) use authority::HostPort;
pub(crate) use body::Body;
pub use extensions::{MalformedExtensions, parse_extensions};
pub(crate) use head::HeadScan;
pub use head::{HeadError, HeadLimits};
pub(crate) use list::{ListError, contains_token, only, token_list};
pub(crate) use parse::{parse_request, parse_response};
pub use percent::percent_decode;
pub(crate) use write::{end_head, header_line, header_lines};

/// Whether `octets` are a token (RFC 9110 §5.6.2).
pub(crate) fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(|octet| is_token_octet(*octet))
}

const fn is_token_octet(octet: u8) -> bool {
    matches!(octet,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
        | b'|' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
}
