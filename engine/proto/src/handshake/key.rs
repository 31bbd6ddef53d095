//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 §4.1, §4.2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Accept` that answers this `Sec-WebSocket-Key`.
///
/// The key is hashed as the text it is, not decoded (RFC 6455 §4.2.2, item 5.4).
#[must_use]
pub fn accept_key(key: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    STANDARD.encode(hash.finalize())
}

/// Whether this is a `Sec-WebSocket-Key`: the canonical base64 of 16 octets.
///
/// Canonical means that the four bits that are left over are zero. The sample in RFC 6455 §4.1 has
/// them wrong (erratum 3150).
#[must_use]
pub fn is_client_key(key: &[u8]) -> bool {
    let mut nonce = [0; 18];
    STANDARD.decode_slice(key, &mut nonce) == Ok(16)
}

pub(super) fn encode_nonce(nonce: [u8; 16]) -> String {
    STANDARD.encode(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";

    // B1: the first is the sample of RFC 6455 §1.3, the others were computed independently.
    #[test]
    fn accept_vectors() {
        for (key, accept) in [
            (SAMPLE, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            (b"AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
            (b"x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ] {
            assert_eq!(accept_key(key), accept);
        }
    }

    // H16.
    #[test]
    fn a_key_is_the_canonical_base64_of_sixteen_octets() {
        assert!(is_client_key(SAMPLE));
        assert_eq!(encode_nonce(*b"the sample nonce").as_bytes(), SAMPLE);
        for key in [
            &b""[..],
            b"AQIDBAUGBwgJCgsMDQ4P",         // 15 octets
            b"AQIDBAUGBwgJCgsMDQ4PEBE=",     // 17 octets
            b"AQIDBAUGBwgJCgsMDQ4PEBES",     // 18 octets
            b"AQIDBAUGBwgJCgsMDQ4PEA",       // no padding
            b"AQIDBAUGBwgJCgsMDQ4PEC==",     // bits left over, as in the sample of the RFC
            b"AQIDBAUGBwgJCgsMDQ4P*A==",     // no letter of base64
            b"AQIDBAUGBwgJCgsMDQ4P-A==",     // a letter of base64url
            b"AQID BAUGBwgJCgsMDQ4PEA==",    // a space
            b"========================",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff==",
        ] {
            assert!(!is_client_key(key), "{}", key.escape_ascii());
        }
    }
}
