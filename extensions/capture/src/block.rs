//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in little-endian order.

/// Section header: what the file is.
const SECTION_HEADER: u32 = 0x0A0D_0D0A;
/// Interface description: what its packets are.
const INTERFACE: u32 = 1;
/// Enhanced packet: one packet.
const PACKET: u32 = 6;

const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;

/// A comment is cut behind so many characters, far within the 65,535 octets of an option.
const MAX_COMMENT: usize = 1000;

/// The blocks at the beginning of a file.
pub(crate) fn begin(out: &mut Vec<u8>) {
    block(out, SECTION_HEADER, |out| {
        out.extend_from_slice(&0x1A2B_3C4D_u32.to_le_bytes());
        // Version 1.0, and a section of a length that is not known.
        out.extend_from_slice(&1_u16.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&u64::MAX.to_le_bytes());
        // Hardware, operating system, application.
        option(
            out,
            2,
            b"none: the packets are made up around WebSocket frames",
        );
        option(out, 3, b"any");
        option(out, 4, b"cloverleaf");
        option(out, END_OF_OPTIONS, b"");
    });
    block(out, INTERFACE, |out| {
        // Ethernet; reserved; packets of any length.
        out.extend_from_slice(&1_u16.to_le_bytes());
        out.extend_from_slice(&[0; 6]);
        option(out, 2, b"websocket");
        // if_tsresol: times count in 10^-6 seconds.
        option(out, 9, &[6]);
        option(out, END_OF_OPTIONS, b"");
    });
}

/// One packet, at so many microseconds since 1970. `write` appends its first octets, all or as many
/// as were kept; it was `length` long.
pub(crate) fn packet(
    out: &mut Vec<u8>,
    micros: u64,
    length: usize,
    comment: Option<&str>,
    write: impl FnOnce(&mut Vec<u8>),
) {
    block(out, PACKET, |out| {
        out.extend_from_slice(&0_u32.to_le_bytes());
        out.extend_from_slice(&((micros >> 32) as u32).to_le_bytes());
        out.extend_from_slice(&(micros as u32).to_le_bytes());
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(length as u32).to_le_bytes());
        let start = out.len();
        write(out);
        let captured = (out.len() - start) as u32;
        out[at..at + 4].copy_from_slice(&captured.to_le_bytes());
        pad(out, start);
        if let Some(comment) = comment {
            let comment: String = comment.chars().take(MAX_COMMENT).collect();
            option(out, COMMENT, comment.as_bytes());
            option(out, END_OF_OPTIONS, b"");
        }
    });
}

/// A block: its type, its length, what is in it, its length again.
fn block(out: &mut Vec<u8>, kind: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = ((out.len() - start + 4) as u32).to_le_bytes();
    out[start + 4..start + 8].copy_from_slice(&length);
    out.extend_from_slice(&length);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    let start = out.len();
    out.extend_from_slice(value);
    pad(out, start);
}

/// Everything ends on a multiple of four.
fn pad(out: &mut Vec<u8>, start: usize) {
    let padded = (out.len() - start).next_multiple_of(4);
    out.resize(start + padded, 0);
}
