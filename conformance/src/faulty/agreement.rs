//! permessage-deflate: how it is agreed on (RFC 7692 §5, §7.1), and the two codecs that follow.

use cloverleaf_judge::deflate::{
    Agreed, Answer, Deflater, Element, Inflater, Offer, PERMESSAGE_DEFLATE, TAIL,
};
use cloverleaf_judge::frame::Frame;
use cloverleaf_reports::Role;

use super::Faulty;
use super::endpoint::MAX_MESSAGE;
use super::fault::Kind;

/// Why an extension header does not lead to a connection: the request or answer is broken.
#[derive(Debug)]
pub(super) struct Broken;

/// What the client offers: the server may limit the client's window.
pub(super) fn offer() -> Offer {
    Offer {
        client_max_window_bits: Some(None),
        ..Offer::default()
    }
}

/// The server's choice: the values of its extension fields, and the codec.
pub(super) fn choose(
    lines: &[&str],
    faulty: Faulty,
) -> Result<(Vec<String>, Option<Codec>), Broken> {
    let elements = match elements(lines, faulty) {
        Err(Broken) if faulty.has(Kind::AcceptsBadExtensionList) => Vec::new(),
        read => read?,
    };
    let mut values = Vec::new();
    let mut codec = None;
    for element in elements {
        if !is_deflate(&element, faulty) {
            // RFC 6455 §9.1: what a server does not know, it does not answer.
            if faulty.has(Kind::RefusesUnknownExtensions) {
                return Err(Broken);
            }
            continue;
        }
        match Offer::read(&read_leniently(element, faulty)) {
            // RFC 7692 §5: the first acceptable offer.
            Ok(offer) if !(is_window_of_8(&offer) && faulty.has(Kind::RefusesWindowOf8Bits)) => {
                let answer = answer(&offer, faulty);
                values.push(written(&answer, faulty));
                codec = Some(Codec::new(
                    &Agreed::new(&offer, &answer),
                    Role::Server,
                    faulty,
                ));
                break;
            }
            // §7.1: an offer that is not right is declined, no more.
            _ if faulty.has(Kind::RefusesBadOffers) => return Err(Broken),
            _ if faulty.has(Kind::LooksAtFirstOfferOnly) => break,
            _ => {}
        }
    }
    match faulty.0 {
        Some(Kind::ChoosesUnofferedExtension) => values.push("x-unheard-of".to_owned()),
        Some(Kind::AnswersUnofferedDeflate) if codec.is_none() => {
            values.push(PERMESSAGE_DEFLATE.to_owned());
        }
        Some(Kind::AnswersDeflateTwice) => values.extend(values.first().cloned()),
        _ => {}
    }
    Ok((values, codec))
}

/// What the server grants: all that was asked of it.
fn answer(offer: &Offer, faulty: Faulty) -> Answer {
    let mut answer = Answer {
        server_no_context_takeover: offer.server_no_context_takeover,
        client_no_context_takeover: offer.client_no_context_takeover,
        server_max_window_bits: offer.server_max_window_bits,
        client_max_window_bits: offer.client_max_window_bits.flatten(),
    };
    match faulty.0 {
        Some(Kind::AnswersWithoutServerWindow) => answer.server_max_window_bits = None,
        Some(Kind::AnswersWithLargerServerWindow) if offer.server_max_window_bits.is_some() => {
            answer.server_max_window_bits = Some(15);
        }
        Some(Kind::AnswersWithoutNoTakeover) => answer.server_no_context_takeover = false,
        Some(Kind::AnswersWithUnofferedClientWindow) => answer.client_max_window_bits = Some(12),
        _ => {}
    }
    answer
}

fn written(answer: &Answer, faulty: Faulty) -> String {
    if faulty.has(Kind::AnswersClientWindowWithoutValue) {
        let answer = Answer {
            client_max_window_bits: None,
            ..*answer
        };
        return format!("{answer}; client_max_window_bits");
    }
    answer.to_string()
}

/// The client's reading of the answer to [`offer`].
pub(super) fn accept(lines: &[&str], faulty: Faulty) -> Result<Option<Codec>, Broken> {
    let lenient = faulty.has(Kind::AcceptsUnofferedExtension);
    let elements = match elements(lines, faulty) {
        Err(Broken) if lenient => Vec::new(),
        read => read?,
    };
    let mut codec = None;
    for element in elements {
        // RFC 6455 §9.1: nothing that was not offered.
        if !is_deflate(&element, faulty) {
            if lenient {
                continue;
            }
            return Err(Broken);
        }
        if codec.is_some() && !faulty.has(Kind::AcceptsDeflateTwice) {
            return Err(Broken);
        }
        // RFC 7692 §7.1: an answer that is not right fails the connection.
        let answer = Answer::read(&read_leniently(element, faulty)).map_err(|_| Broken)?;
        if answer.server_max_window_bits == Some(8) && faulty.has(Kind::RefusesWindowOf8Bits) {
            return Err(Broken);
        }
        codec = Some(Codec::new(
            &Agreed::new(&offer(), &answer),
            Role::Client,
            faulty,
        ));
    }
    Ok(codec)
}

fn is_window_of_8(offer: &Offer) -> bool {
    offer.server_max_window_bits == Some(8) || offer.client_max_window_bits == Some(Some(8))
}

fn is_deflate(element: &Element, faulty: Faulty) -> bool {
    match faulty.has(Kind::IgnoresParameterNamesCase) {
        true => element.name.eq_ignore_ascii_case(PERMESSAGE_DEFLATE),
        false => element.name == PERMESSAGE_DEFLATE,
    }
}

/// RFC 6455 §9.1: several lines are one list.
fn elements(lines: &[&str], faulty: Faulty) -> Result<Vec<Element>, Broken> {
    let lines = match faulty.has(Kind::ReadsFirstExtensionLineOnly) {
        true => &lines[..lines.len().min(1)],
        false => lines,
    };
    let mut elements = Vec::new();
    for line in lines {
        let quoted = line.contains('"') && faulty.has(Kind::RefusesQuotedValues);
        // An empty field lists nothing.
        if !line.trim().is_empty() && !quoted {
            elements.extend(Element::list(line).map_err(|_| Broken)?);
        }
    }
    Ok(elements)
}

/// RFC 7692 §7.1: what is wrong with parameters is made right where a fault overlooks it.
fn read_leniently(mut element: Element, faulty: Faulty) -> Element {
    let Some(fault) = faulty.0 else {
        return element;
    };
    if fault == Kind::IgnoresParameterNamesCase {
        element.name.make_ascii_lowercase();
    }
    let mut seen: Vec<String> = Vec::new();
    element.params.retain_mut(|param| {
        let window = matches!(
            &*param.name,
            "server_max_window_bits" | "client_max_window_bits"
        );
        let flag = matches!(
            &*param.name,
            "server_no_context_takeover" | "client_no_context_takeover"
        );
        let again = seen.contains(&param.name);
        seen.push(param.name.clone());
        match (fault, &mut param.value) {
            (Kind::AcceptsUnknownParameters, _) => return window || flag,
            (Kind::AcceptsDuplicateParameters, _) => return !again,
            (Kind::AcceptsValuesOfFlags, value) if flag => *value = None,
            (Kind::AcceptsAnyWindowBits, Some(value))
                if window && !value.parse().is_ok_and(|bits| (8..=15).contains(&bits)) =>
            {
                "15".clone_into(value);
            }
            (Kind::AcceptsLeadingZeros, Some(value)) if window => {
                *value = value.trim_start_matches(['+', '0']).to_owned();
            }
            (Kind::AcceptsMissingWindowBits, value @ None) if window => {
                *value = Some("15".to_owned());
            }
            (Kind::IgnoresParameterNamesCase, _) => param.name.make_ascii_lowercase(),
            _ => {}
        }
        true
    });
    element
}

/// Both directions of a connection with permessage-deflate.
pub(super) struct Codec {
    inflater: Inflater,
    deflater: Deflater,
    /// How the peer compresses: its window, and whether it takes its context over.
    theirs: (u8, bool),
}

impl Codec {
    fn new(agreed: &Agreed, role: Role, faulty: Faulty) -> Self {
        let server = (agreed.server_bits, agreed.server_takeover);
        let client = (agreed.client_bits, agreed.client_takeover);
        let (theirs, ours) = match role {
            Role::Server => (client, server),
            Role::Client => (server, client),
        };
        let (mut inflate_bits, mut inflate_takeover) = theirs;
        let (mut bits, mut takeover) = ours;
        match faulty.0 {
            Some(Kind::WindowTooLarge) => bits = 15,
            Some(Kind::KeepsContext) => takeover = true,
            Some(Kind::InflatesWithSmallWindow) => inflate_bits = 9,
            Some(Kind::CannotInflateTakeover) => inflate_takeover = false,
            _ => {}
        }
        Self {
            inflater: Inflater::new(inflate_bits, inflate_takeover),
            deflater: Deflater::new(bits, takeover),
            theirs: (inflate_bits, inflate_takeover),
        }
    }

    /// RFC 7692 §7.2.2; an error is the code to fail the connection with.
    pub(super) fn inflate(&mut self, payload: &[u8], faulty: Faulty) -> Result<Vec<u8>, u16> {
        let (final_block, kind) = match payload.first() {
            Some(first) => (first & 1 == 1, first >> 1 & 3),
            None => (false, 0),
        };
        // §7.2.3: any block is right, and a final one too.
        if final_block && faulty.has(Kind::StopsAtFinalBlock)
            || kind == 0 && payload.len() > 1 && faulty.has(Kind::RefusesStoredBlocks)
        {
            return Err(1002);
        }
        let mut plain = Vec::new();
        let limit = match faulty.has(Kind::MeasuresBeforeInflating) {
            true => 1 << 30,
            false => MAX_MESSAGE as usize,
        };
        match self.inflater.message(payload, limit, &mut plain) {
            Ok(()) => Ok(plain),
            // RFC 6455 §7.4.1: too big to process.
            Err(_) if plain.len() >= limit => Err(1009),
            Err(_) => Err(1002),
        }
    }

    /// A message that was not compressed has no part in the context (RFC 7692 §6).
    pub(super) fn plain_message(&mut self, faulty: Faulty) -> Result<(), u16> {
        match faulty.0 {
            Some(Kind::RefusesPlainMessages) => return Err(1002),
            Some(Kind::LosesContextAfterPlainMessage) => {
                self.inflater = Inflater::new(self.theirs.0, self.theirs.1);
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn deflate(&mut self, payload: &[u8]) -> Vec<u8> {
        self.deflater.message(payload)
    }

    /// RFC 7692 §6.1, §7.2.1: the frames of a compressed message.
    pub(super) fn frames(&mut self, opcode: u8, payload: &[u8], faulty: Faulty) -> Vec<Frame> {
        match faulty.0 {
            Some(Kind::PlainWithRsv1) => return vec![Frame::new(opcode, payload).rsv(4)],
            Some(Kind::EmptyMessageAsNoOctets) if payload.is_empty() => {
                return vec![Frame::new(opcode, "").rsv(4)];
            }
            Some(Kind::CompressesFragments) => {
                let (left, right) = payload.split_at(payload.len() / 2);
                let first = Frame::new(opcode, self.deflate(left)).rsv(4).not_final();
                return vec![first, Frame::continuation(self.deflate(right))];
            }
            _ => {}
        }
        let mut deflated = self.deflate(payload);
        match faulty.0 {
            Some(Kind::SendsTailOctets) => deflated.extend_from_slice(&TAIL),
            Some(Kind::CutsTooMuch) => {
                deflated.pop();
            }
            _ => {}
        }
        let (first, last) = match faulty.0 {
            Some(Kind::CompressedWithoutRsv1) => return vec![Frame::new(opcode, deflated)],
            Some(Kind::Rsv1OnContinuations) => (4, 4),
            Some(Kind::Rsv1OnLastFragmentOnly) => (0, 4),
            _ => return vec![Frame::new(opcode, deflated).rsv(4)],
        };
        let rest = deflated.split_off(deflated.len() / 2);
        vec![
            Frame::new(opcode, deflated).rsv(first).not_final(),
            Frame::continuation(rest).rsv(last),
        ]
    }
}
