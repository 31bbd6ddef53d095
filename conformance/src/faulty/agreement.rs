//! Extensions: how they are agreed on (RFC 6455 §9.1, RFC 7692 §5, §7.1).

use cloverleaf_judge::deflate::{
    Agreed, Answer, DEFLATE_FRAME, Demands, Element, FrameOffer, Offer, PERMESSAGE_DEFLATE,
};
use cloverleaf_judge::http::Head;
use cloverleaf_judge::mux::TOKEN;
use cloverleaf_reports::Role;

use super::Faulty;
use super::codec::{Codec, Deflate, Layer};
use super::fault::Kind;
use super::mux;
use crate::probe;

/// Why an extension header does not lead to a connection: the request or answer is broken.
#[derive(Debug)]
pub(super) struct Broken;

/// What a server may send on channel 1 at first.
const OFFERED_QUOTA: u64 = 8192;

/// What the client offers.
pub(super) fn offers(faulty: Faulty) -> String {
    let quota = match faulty.has(Kind::MuxOffersABadQuota) {
        true => "many".to_owned(),
        false => OFFERED_QUOTA.to_string(),
    };
    format!("{}, {TOKEN}; quota={quota}", offers_of_channels(faulty))
}

/// What it offers for each channel.
pub(super) fn offers_of_channels(faulty: Faulty) -> String {
    let mut offers = vec![offer(faulty).to_string()];
    offers.extend(frame_names(faulty).iter().map(ToString::to_string));
    offers.push(probe::NAME.to_owned());
    offers.join(", ")
}

/// The names by which the client offers deflate-frame.
fn frame_names(faulty: Faulty) -> &'static [&'static str] {
    match faulty.0 {
        Some(Kind::TakesAnyNameOfFrames) => &DEFLATE_FRAME[..1],
        Some(Kind::TakesAnyNameOfWebkits) => &DEFLATE_FRAME[1..],
        _ => &DEFLATE_FRAME,
    }
}

/// The client's offer of compression: the server may limit the client's window.
fn offer(faulty: Faulty) -> Offer {
    if faulty.has(Kind::TakesAnyAnswerToNarrowOffers) {
        return Offer {
            server_no_context_takeover: true,
            server_max_window_bits: Some(10),
            ..Offer::default()
        };
    }
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
    let mut codec = Codec::default();
    let mut refused = false;
    for (at, element) in elements.into_iter().enumerate() {
        if element.name == TOKEN {
            let first = at == 0 || !faulty.has(Kind::MuxLooksAtTheFirstExtension);
            if let (true, Some(quota)) = (first, quota(&element, faulty)) {
                values.push(element.name);
                codec.channels = Some(channels(quota));
                // Nothing may follow it.
                break;
            }
            continue;
        }
        if is_probe(&element) {
            // What works on messages cannot come behind what works on frames.
            let behind = codec.is_per_frame() && !faulty.has(Kind::AnswersFramesBeforeMessages);
            if !codec.layers.contains(&Layer::Probe) && !behind {
                codec.layers.push(Layer::Probe);
                values.push(element.name);
            }
            continue;
        }
        if codec.deflate.is_some()
            && is_owner_of_rsv1(&element)
            && faulty.has(Kind::AnswersTwoOwnersOfRsv1)
        {
            values.push(element.name);
            continue;
        }
        if DEFLATE_FRAME.contains(&&*element.name) {
            if codec.deflate.is_some() || refused && faulty.has(Kind::LooksAtFirstOfferOnly) {
                continue;
            }
            match FrameOffer::read(&read_leniently(element, faulty)) {
                Ok(Some(offer)) => {
                    values.push(frame_answer(offer.name, faulty));
                    codec.agree_on_frames(&offer, Demands::default(), Role::Server, faulty);
                }
                _ if faulty.has(Kind::RefusesBadOffers) => return Err(Broken),
                _ => refused = true,
            }
            continue;
        }
        if element.name != PERMESSAGE_DEFLATE {
            // RFC 6455 §9.1: what a server does not know, it does not answer.
            if faulty.has(Kind::RefusesUnknownExtensions) {
                return Err(Broken);
            }
            continue;
        }
        if codec.deflate.is_some() || refused && faulty.has(Kind::LooksAtFirstOfferOnly) {
            continue;
        }
        match Offer::read(&read_leniently(element, faulty)) {
            // RFC 7692 §5: the first acceptable offer.
            Ok(offer) if !(is_window_of_8(&offer) && faulty.has(Kind::RefusesWindowOf8Bits)) => {
                let answer = answer(&offer, faulty);
                values.push(written(&answer, faulty));
                let agreed = Agreed::new(&offer, &answer);
                codec.layers.push(Layer::Deflate);
                codec.deflate = Some(Deflate::new(&agreed, Role::Server, faulty));
            }
            // §7.1: an offer that is not right is declined, no more.
            _ if faulty.has(Kind::RefusesBadOffers) => return Err(Broken),
            _ => refused = true,
        }
    }
    match faulty.0 {
        Some(Kind::ChoosesUnofferedExtension) => values.push("x-unheard-of".to_owned()),
        Some(Kind::AnswersUnofferedDeflate) if codec.deflate.is_none() => {
            values.push(PERMESSAGE_DEFLATE.to_owned());
        }
        Some(Kind::MuxAnswersUnasked) if codec.channels.is_none() => {
            values.push(TOKEN.to_owned());
            codec.channels = Some(channels(0));
        }
        Some(Kind::AnswersDeflateTwice) => values.extend(values.first().cloned()),
        _ => {}
    }
    Ok((values, codec.if_any()))
}

/// The name in the server's answer: the one that was offered.
fn frame_answer(offered: &str, faulty: Faulty) -> String {
    let name = match faulty.has(Kind::AnswersTheOtherName) {
        true => DEFLATE_FRAME.into_iter().find(|name| *name != offered),
        false => None,
    };
    name.unwrap_or(offered).to_owned()
}

fn is_owner_of_rsv1(element: &Element) -> bool {
    element.name == PERMESSAGE_DEFLATE || DEFLATE_FRAME.contains(&&*element.name)
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
    let mut codec = Codec::default();
    for element in elements {
        if element.name == TOKEN {
            if codec.channels.replace(channels(OFFERED_QUOTA)).is_some() {
                return Err(Broken);
            }
            continue;
        }
        if is_probe(&element) && !codec.layers.contains(&Layer::Probe) {
            if codec.is_per_frame() && !faulty.has(Kind::AcceptsFramesBeforeMessages) {
                return Err(Broken);
            }
            codec.layers.push(Layer::Probe);
            continue;
        }
        if is_owner_of_rsv1(&element)
            && codec.deflate.is_some()
            && faulty.has(Kind::AcceptsTwoOwnersOfRsv1)
        {
            continue;
        }
        let any_name =
            faulty.has(Kind::TakesAnyNameOfFrames) || faulty.has(Kind::TakesAnyNameOfWebkits);
        let names = match any_name {
            true => &DEFLATE_FRAME,
            false => frame_names(faulty),
        };
        if let Some(name) = names.iter().find(|name| **name == element.name) {
            if codec.deflate.is_some() {
                return Err(Broken);
            }
            let demands = Demands::read(&read_leniently(element, faulty)).map_err(|_| Broken)?;
            let offer = FrameOffer {
                name,
                demands: Demands::default(),
            };
            codec.agree_on_frames(&offer, demands, Role::Client, faulty);
            continue;
        }
        // RFC 6455 §9.1: nothing that was not offered.
        if element.name != PERMESSAGE_DEFLATE {
            if lenient {
                continue;
            }
            return Err(Broken);
        }
        if codec.deflate.is_some() && !faulty.has(Kind::AcceptsDeflateTwice) {
            return Err(Broken);
        }
        // RFC 7692 §7.1: an answer that is not right fails the connection.
        let answer = Answer::read(&read_leniently(element, faulty)).map_err(|_| Broken)?;
        if answer.server_max_window_bits == Some(8) && faulty.has(Kind::RefusesWindowOf8Bits) {
            return Err(Broken);
        }
        let agreed = Agreed::new(&offer(faulty), &answer);
        if codec.deflate.is_none() {
            codec.layers.push(Layer::Deflate);
        }
        codec.deflate = Some(Deflate::new(&agreed, Role::Client, faulty));
    }
    Ok(codec.if_any())
}

/// Channels, whose request is filled in by who has it.
fn channels(quota: u64) -> mux::Agreed {
    let (request, _) = Head::parse(b"GET / HTTP/1.1\r\n\r\n").expect("a head in a table");
    mux::Agreed { quota, request }
}

/// The quota in an offer of mux: decimal, below 2^32; without one, 0.
fn quota(offer: &Element, faulty: Faulty) -> Option<u64> {
    let value = match &offer.params[..] {
        [] => Some("0"),
        [param] if param.name == "quota" => param.value.as_deref(),
        _ => None,
    };
    let quota: Option<u32> = value
        .filter(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok());
    match (quota, faulty.0) {
        (None, Some(Kind::MuxTakesBadQuotas)) => Some(0),
        (Some(0x8000_0000..), Some(Kind::MuxRefusesLargeQuotas)) => None,
        // The quotes are gone: the case with them has this quota.
        (Some(16), Some(Kind::MuxRefusesQuotedQuotas)) => None,
        (quota, _) => quota.map(u64::from),
    }
}

fn is_window_of_8(offer: &Offer) -> bool {
    offer.server_max_window_bits == Some(8) || offer.client_max_window_bits == Some(Some(8))
}

/// The probe has no parameters.
fn is_probe(element: &Element) -> bool {
    element.name == probe::NAME && element.params.is_empty()
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
    let mut seen: Vec<String> = Vec::new();
    element.params.retain_mut(|param| {
        let window = matches!(
            &*param.name,
            "server_max_window_bits" | "client_max_window_bits" | "max_window_bits"
        );
        let flag = matches!(
            &*param.name,
            "server_no_context_takeover" | "client_no_context_takeover" | "no_context_takeover"
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
            _ => {}
        }
        true
    });
    element
}
