//! A PDF of scanned pages: little text, and pictures whose grain leaves nothing to compress.

use std::fmt::Write;

use super::{random::Random, words};

/// The octets of the whole.
pub(super) const SIZE: usize = 1_042_328;

const PAGES: usize = 12;
/// A page is three objects: itself, its text, its picture.
const PER_PAGE: usize = 3;
const FIRST_PAGE: usize = 5;
const OBJECTS: usize = FIRST_PAGE - 1 + PAGES * PER_PAGE;

const WIDTH: usize = 256;
const HEIGHT: usize = 308;
const LINES: usize = 80;

/// Header, objects, table of references, trailer; the metadata, object 4, takes what is left.
pub(super) fn generate() -> Vec<u8> {
    let mut random = Random::new(0x7064_6620);
    let mut file = File {
        octets: Vec::with_capacity(SIZE),
        offsets: vec![0; OBJECTS],
    };
    // A comment of high octets tells those who carry the file that it is not text.
    file.octets
        .extend_from_slice(b"%PDF-1.4\n%\xe4\xf6\xfc\xdf\n");
    file.object(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R >>\n");
    let kids: Vec<String> = (0..PAGES)
        .map(|page| format!("{} 0 R", FIRST_PAGE + page * PER_PAGE))
        .collect();
    file.object(
        2,
        &format!(
            "<< /Type /Pages /Count {PAGES} /Kids [ {} ] >>\n",
            kids.join(" ")
        ),
    );
    file.object(
        3,
        "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>\n",
    );
    for page in 0..PAGES {
        let number = FIRST_PAGE + page * PER_PAGE;
        let (text, picture) = (number + 1, number + 2);
        file.object(
            number,
            &format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 595 842 ] /Contents {text} 0 R\n   \
                 /Resources << /Font << /F1 3 0 R >> /XObject << /Im1 {picture} 0 R >> >> >>\n"
            ),
        );
        file.stream(text, "", contents(&mut random, page).as_bytes());
        let entries = format!(
            " /Type /XObject /Subtype /Image /Width {WIDTH} /Height {HEIGHT}\n   \
             /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /RunLengthDecode"
        );
        file.stream(picture, &entries, &scan(&mut random));
    }
    file.close();
    file.octets
}

/// The text of a page: a title, lines, and the picture beneath them.
fn contents(random: &mut Random, page: usize) -> String {
    let mut text = format!("BT\n/F1 18 Tf\n72 790 Td\n({}. ", page + 1);
    words::sentence(random, 4, &mut text);
    text.push_str(") Tj\n/F1 7 Tf\n0 -14 Td\n7.5 TL\n");
    for _ in 0..LINES {
        text.push('(');
        words::fill(random, 70, &mut text);
        text.push_str(") Tj T*\n");
    }
    text.push_str("ET\nq\n256 0 0 308 170 40 cm\n/Im1 Do\nQ\n");
    text
}

/// A picture of noise in the run lengths of ISO 32000-1, 7.4.5: runs of 128 octets as they are
/// (announced by 127), and the mark of the end.
fn scan(random: &mut Random) -> Vec<u8> {
    const RUN: usize = 128;
    let mut octets = Vec::with_capacity(WIDTH * HEIGHT / RUN * (RUN + 1) + 1);
    let mut run = [127; 1 + RUN];
    for _ in 0..WIDTH * HEIGHT / RUN {
        for pixels in run[1..].chunks_exact_mut(4) {
            // Each octet is the sum of two of seven bits: the middle greys come oftenest.
            let bits = random.bits();
            let (some, others) = (bits & 0x7f7f_7f7f, (bits >> 32) & 0x7f7f_7f7f);
            let sums = u32::try_from(some + others).expect("no sum carries into the next octet");
            pixels.copy_from_slice(&sums.to_le_bytes());
        }
        octets.extend_from_slice(&run);
    }
    octets.push(128);
    octets
}

struct File {
    octets: Vec<u8>,
    /// Where each object begins, that of object 1 first.
    offsets: Vec<usize>,
}

impl File {
    fn object(&mut self, number: usize, body: &str) {
        self.offsets[number - 1] = self.octets.len();
        self.octets
            .extend_from_slice(format!("{number} 0 obj\n{body}endobj\n").as_bytes());
    }

    fn stream(&mut self, number: usize, entries: &str, octets: &[u8]) {
        self.offsets[number - 1] = self.octets.len();
        let head = format!(
            "{number} 0 obj\n<< /Length {}{entries} >>\nstream\n",
            octets.len()
        );
        self.octets.extend_from_slice(head.as_bytes());
        self.octets.extend_from_slice(octets);
        self.octets.extend_from_slice(b"\nendstream\nendobj\n");
    }

    /// Metadata with the white space usual in it, for a later writer, then the references.
    fn close(&mut self) {
        const BEGIN: &str = "<?xpacket begin=\"\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
            <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"></x:xmpmeta>\n";
        const END: &str = "\n<?xpacket end=\"w\"?>";
        const ENTRIES: &str = " /Type /Metadata /Subtype /XML";
        // The frame of the stream with a length of four digits; the test of the size and of the
        // references watches over both.
        let frame = format!("4 0 obj\n<< /Length 0000{ENTRIES} >>\nstream\n\nendstream\nendobj\n");
        let start = SIZE - self.references(SIZE).len();
        let length = start - self.octets.len() - frame.len();
        let mut packet = BEGIN.to_owned();
        while packet.len() + END.len() < length {
            packet.push(if packet.len() % 80 == 79 { '\n' } else { ' ' });
        }
        packet.push_str(END);
        self.stream(4, ENTRIES, packet.as_bytes());
        let references = self.references(start);
        self.octets.extend_from_slice(references.as_bytes());
    }

    /// The table of references and the trailer; of one length for every `start` of seven digits.
    fn references(&self, start: usize) -> String {
        let entries = self.offsets.len() + 1;
        let mut table = format!("xref\n0 {entries}\n0000000000 65535 f \n");
        for offset in &self.offsets {
            writeln!(table, "{offset:010} 00000 n ").expect("a String takes what is written to it");
        }
        table + &format!("trailer\n<< /Size {entries} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(octets: &[u8]) -> &str {
        let end = octets
            .iter()
            .position(|&octet| octet == b'\n')
            .expect("a line ends");
        std::str::from_utf8(&octets[..end]).expect("a line of the structure is ASCII")
    }

    #[test]
    fn the_references_lead_to_every_object() {
        let file = generate();
        assert!(file.starts_with(b"%PDF-1.4\n"));
        assert!(file.ends_with(b"\n%%EOF\n"));
        let tail = std::str::from_utf8(&file[file.len() - 100..]).expect("the trailer is ASCII");
        let start = tail
            .split("startxref\n")
            .nth(1)
            .and_then(|rest| rest.lines().next());
        let start: usize = start
            .and_then(|digits| digits.parse().ok())
            .expect("a number");
        let table = std::str::from_utf8(&file[start..]).expect("the table is ASCII");
        let mut lines = table.lines();
        assert_eq!(lines.next(), Some("xref"));
        assert_eq!(lines.next(), Some("0 41"));
        assert_eq!(lines.next(), Some("0000000000 65535 f "));
        for number in 1..=OBJECTS {
            let entry = lines.next().expect("an entry for each object");
            assert_eq!((entry.len(), &entry[10..]), (19, " 00000 n "));
            let offset: usize = entry[..10].parse().expect("ten digits");
            assert_eq!(line(&file[offset..]), format!("{number} 0 obj"));
        }
        assert_eq!(lines.next(), Some("trailer"));
    }

    #[test]
    fn every_stream_is_as_long_as_it_says_and_objects_follow_without_a_gap() {
        let file = generate();
        let mut at = b"%PDF-1.4\n%\xe4\xf6\xfc\xdf\n".len();
        let mut objects = 0;
        while !file[at..].starts_with(b"xref\n") {
            let mut length = None;
            loop {
                let text = line(&file[at..]);
                at += text.len() + 1;
                if let Some(rest) = text.strip_prefix("<< /Length ") {
                    let digits = rest.split(' ').next().expect("a split has a first part");
                    length = Some(digits.parse::<usize>().expect("a number"));
                }
                if text == "stream" {
                    at += length.expect("a length before the stream");
                    assert!(file[at..].starts_with(b"\nendstream\n"));
                    at += 1;
                }
                if text == "endobj" {
                    break;
                }
            }
            objects += 1;
        }
        assert_eq!(objects, OBJECTS);
    }

    #[test]
    fn a_picture_unpacks_to_as_many_pixels_as_it_has() {
        let packed = scan(&mut Random::new(1));
        let mut pixels = 0;
        let mut rest = &packed[..];
        while rest[0] != 128 {
            assert_eq!(rest[0], 127);
            pixels += 128;
            rest = &rest[129..];
        }
        assert_eq!((pixels, rest.len()), (WIDTH * HEIGHT, 1));
    }
}
