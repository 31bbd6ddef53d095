//! Packing markup that few readers will unfold: deflated (RFC 1951), then base64 (RFC 4648
//! section 4). The script of the page unpacks it with what browsers bring along.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Markup as text that stands for it in an attribute. The same markup always gives the same text.
pub(super) fn packed(markup: &str) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    let octets = encoder
        .write_all(markup.as_bytes())
        .and_then(|()| encoder.finish())
        .expect("a vector takes everything");
    STANDARD.encode(octets)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;

    use super::*;

    #[test]
    fn what_was_packed_can_be_unpacked() {
        for markup in ["", "<p>κόσμε</p>", &"<li>".repeat(100_000)] {
            let text = packed(markup);
            let octets = STANDARD.decode(&text).expect("base64");
            let mut unpacked = String::new();
            DeflateDecoder::new(&*octets)
                .read_to_string(&mut unpacked)
                .expect("deflate");
            assert_eq!(unpacked, markup);
            assert!(text.len() < 100 + markup.len() / 100);
        }
    }
}
