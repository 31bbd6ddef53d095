//! Frames as octets (RFC 8878 section 3.1.1, without the magic number), and what they say.

use crate::halves::{connect, cuts, extension, plain, trained, with};

/// What a peer may send, and what it means with the plain dictionary.
const VECTORS: &[(&str, &[u8], &[u8])] = &[
    (
        "one block of five octets, its size known",
        b"\x20\x05\x29\x00\x00Hello",
        b"Hello",
    ),
    ("one octet five times", b"\x20\x05\x2B\x00\x00x", b"xxxxx"),
    (
        "a window of 128 KiB, and a size that nobody knows",
        b"\x00\x38\x29\x00\x00Hello",
        b"Hello",
    ),
    (
        "the bit that means nothing is set",
        b"\x30\x05\x29\x00\x00Hello",
        b"Hello",
    ),
    (
        "a dictionary id of zero, which is none",
        b"\x21\x00\x05\x29\x00\x00Hello",
        b"Hello",
    ),
    (
        "three blocks, the one in the middle empty",
        b"\x00\x38\x18\x00\x00Hel\x00\x00\x00\x11\x00\x00lo",
        b"Hello",
    ),
    ("nothing, its size known", b"\x20\x00\x01\x00\x00", b""),
    ("nothing at all", b"\x00\x38\x01\x00\x00", b""),
];

#[test]
fn a_frame_is_read_wherever_it_is_cut() {
    let mut halves = with(plain());
    for (what, wire, message) in VECTORS {
        for pieces in cuts(wire) {
            let (came, result) = halves.feed(&pieces, usize::MAX);
            assert_eq!(result, Ok(()), "{what}: {pieces:02x?}");
            assert_eq!(came, *message, "{what}: {pieces:02x?}");
        }
    }
}

#[test]
fn a_frame_that_repeats_the_dictionary_is_a_few_octets() {
    let message = b"{\"event\":\"trade\",\"symbol\":\"ACME\",\"price\":101.00}";
    let wire = REPEATS;
    let mut halves = with(plain());
    assert_eq!(halves.compress(message).as_deref(), Some(wire));
    for pieces in cuts(wire) {
        assert_eq!(halves.feed(&pieces, usize::MAX), (message.to_vec(), Ok(())));
    }
    // The same octets with another dictionary are another message, or none.
    assert_ne!(with(trained()).decompress(wire), Ok(message.to_vec()));
}

/// One block: five literals, and one sequence of 43 octets out of the dictionary.
const REPEATS: &[u8] = b"\x20\x30\x65\x00\x00\x28\x31.00}\x01\x00\x4C\x53\x01\x01";

#[test]
fn a_frame_may_name_the_dictionary_that_was_agreed() {
    let dictionary = trained();
    let id = &dictionary.content()[4..8];
    let mut halves = with(dictionary.clone());
    let wire = [b"\x23", id, b"\x05\x29\x00\x00Hello"].concat();
    assert_eq!(halves.decompress(&wire), Ok(b"Hello".to_vec()));
}

/// zstd's own calls, whole messages at a time: slow, and beyond doubt.
#[test]
fn zstd_reads_what_we_write_and_we_read_what_zstd_writes() {
    const MAGIC: &[u8] = b"\x28\xB5\x2F\xFD";
    for dictionary in [plain(), trained()] {
        let mut halves = connect(&extension(dictionary.clone()));
        for n in 0..200 {
            let message: String = (0..n % 20 + 1)
                .map(|k| crate::halves::sample(n * 31 + k))
                .collect();
            let message = message.as_bytes();

            let frame = [MAGIC, &halves.compress(message).expect("it repeats")].concat();
            let mut read = Vec::with_capacity(message.len());
            zstd_safe::DCtx::create()
                .decompress_using_dict(&mut read, &frame, dictionary.content())
                .expect("a frame");
            assert_eq!(read, message);

            // With its dictionary id, as zstd writes it unless told otherwise.
            let mut frame = Vec::with_capacity(zstd_safe::compress_bound(message.len()));
            zstd_safe::CCtx::create()
                .compress_using_dict(&mut frame, message, dictionary.content(), 7)
                .expect("there is room");
            let wire = frame.strip_prefix(MAGIC).expect("a frame");
            assert_eq!(halves.decompress(wire).as_deref(), Ok(message));
        }
    }
}

#[test]
fn a_checksum_is_checked() {
    let mut context = zstd_safe::CCtx::create();
    let set = context.set_parameter(zstd_safe::CParameter::ChecksumFlag(true));
    set.expect("a parameter");
    let mut frame = Vec::with_capacity(100);
    context
        .compress2(&mut frame, b"Hello")
        .expect("there is room");
    let mut halves = with(plain());
    assert_eq!(halves.decompress(&frame[4..]), Ok(b"Hello".to_vec()));
    *frame.last_mut().expect("a frame") ^= 1;
    assert!(halves.decompress(&frame[4..]).is_err());
}
