//! What an opening handshake agreed on: permessage-deflate or deflate-frame, and what the case
//! brings along.

use cloverleaf_reports::Role;

use crate::deflate::{Agreed, DEFLATE_FRAME, Demands, Element, FrameOffer, Offer, judge_answer};
use crate::http::Head;
use crate::mux::{self, TOKEN};
use crate::session::{Compression, Layer, Order};

/// The extensions of a connection.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    pub(super) compression: Option<Compression>,
    pub(super) layer: Option<(Layer, Order)>,
    /// `mux`, with what the client offered the server to send on channel 1. The compression is that
    /// of channel 1 if it stands in front.
    pub(super) mux: Option<Mux>,
}

/// `mux` as it was agreed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mux {
    quota: u64,
    behind_compression: bool,
}

impl Agreement {
    /// permessage-deflate alone, or nothing.
    pub(super) fn compressed(compression: Option<Compression>) -> Self {
        Self {
            compression,
            ..Self::default()
        }
    }

    /// What the lines of an answer agree on, if they fit what was offered (RFC 6455 §9.1,
    /// RFC 7692 §5).
    pub(super) fn of_answer(
        subject: Role,
        offered: Offered<'_>,
        lines: &[&str],
    ) -> Result<Self, String> {
        let mut order = None;
        let mut frames = None;
        let mut mux = None;
        let mut others = Vec::new();
        for line in lines {
            for element in Element::list(line).map_err(|error| error.to_string())? {
                match offered.layer {
                    Some(layer) if layer.name == element.name => {
                        if !element.params.is_empty() {
                            return Err(format!("{} has no parameters", layer.name));
                        }
                        let place = match others.is_empty() && frames.is_none() {
                            true => Order::LayerFirst,
                            false => Order::DeflateFirst,
                        };
                        if order.replace((layer, place)).is_some() {
                            return Err(format!("the answer accepts {} twice", layer.name));
                        }
                    }
                    _ if element.name == TOKEN && offered.mux.is_some() => {
                        let agreed = Mux {
                            quota: offered.mux.unwrap_or(0),
                            behind_compression: !others.is_empty() || frames.is_some(),
                        };
                        if mux.replace(agreed).is_some() {
                            return Err("the answer accepts mux twice".to_owned());
                        }
                    }
                    _ if DEFLATE_FRAME.contains(&&*element.name) => {
                        let agreed = offered.frames_agreed(&element)?;
                        if frames.replace(agreed).is_some() {
                            return Err("the answer accepts deflate-frame twice".to_owned());
                        }
                    }
                    _ => others.push(as_line(&element)),
                }
            }
        }
        let others: Vec<_> = others.iter().map(String::as_str).collect();
        let compression = compression(subject, offered.deflate, &others)?;
        let compression = match (compression, frames) {
            (Some(_), Some(_)) => {
                return Err("the answer accepts two owners of RSV1".to_owned());
            }
            // What works on messages is done when frames begin.
            (None, Some(_)) if matches!(order, Some((_, Order::DeflateFirst))) => {
                return Err(
                    "the answer has deflate-frame, which works on frames, before an \
                            extension that works on messages"
                        .to_owned(),
                );
            }
            (None, Some(agreed)) => Some(Compression::of_frames(&agreed, subject)),
            (compression, None) => compression,
        };
        Ok(Self {
            compression,
            layer: order,
            mux,
        })
    }

    /// The same where the judge answers a client whose request has these lines.
    pub(super) fn of_answer_to(
        client_lines: &[&str],
        layer: Option<Layer>,
        lines: &[&str],
    ) -> Result<Self, String> {
        let (mut offers, mut frames) = (Vec::new(), Vec::new());
        let mut layer_offered = false;
        let mut mux = None;
        for line in client_lines {
            for element in Element::list(line).map_err(|error| error.to_string())? {
                offers.extend(Offer::read(&element).ok());
                frames.extend(FrameOffer::read(&element).ok().flatten());
                if element.name == TOKEN && mux.is_none() {
                    // Whether that is right is a case of its own.
                    mux = Some(quota(&element).unwrap_or(0));
                }
                layer_offered |= layer.is_some_and(|layer| layer.name == element.name);
            }
        }
        let offered = Offered {
            deflate: &offers,
            frames: &frames,
            layer: layer.filter(|_| layer_offered),
            mux,
        };
        Self::of_answer(Role::Client, offered, lines)
    }
}

/// What an answer has to fit.
#[derive(Clone, Copy, Default)]
pub(super) struct Offered<'a> {
    /// permessage-deflate.
    pub(super) deflate: &'a [Offer],
    /// deflate-frame.
    pub(super) frames: &'a [FrameOffer],
    /// The case's own extension.
    pub(super) layer: Option<Layer>,
    /// `mux`, with the quota of the server.
    pub(super) mux: Option<u64>,
}

impl Offered<'_> {
    /// What an answer with deflate-frame agrees on: it accepts the first offer of that name.
    fn frames_agreed(&self, answer: &Element) -> Result<Agreed, String> {
        let name = &answer.name;
        let offer = self.frames.iter().find(|offer| offer.name == name);
        let offer =
            offer.ok_or_else(|| format!("the answer names {name:?}; no offer of it is right"))?;
        let demands = Demands::read(answer).map_err(|error| error.to_string())?;
        Ok(offer.agreed(demands))
    }
}

impl Agreement {
    /// What the session needs to know of channels, and what works on all of them.
    pub(super) fn multiplexing(&mut self, request: Option<Head>) -> Option<mux::Agreed> {
        let (agreed, request) = (self.mux?, request?);
        let first = match agreed.behind_compression {
            true => self.compression.take(),
            false => None,
        };
        Some(mux::Agreed::new(request, agreed.quota, first))
    }
}

/// The quota in an offer of `mux`: decimal, below 2^32.
fn quota(offer: &Element) -> Result<u64, String> {
    match &offer.params[..] {
        [] => Ok(0),
        [param] if param.name == "quota" => {
            let digits = param.value.as_deref().unwrap_or_default();
            let decimal = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
            let value: Option<u32> = digits.parse().ok().filter(|_| decimal);
            value
                .map(u64::from)
                .ok_or_else(|| format!("{digits:?} is no quota of mux"))
        }
        _ => Err("mux is offered with other parameters than quota".to_owned()),
    }
}

fn compression(
    subject: Role,
    offers: &[Offer],
    lines: &[&str],
) -> Result<Option<Compression>, String> {
    let answer = judge_answer(offers, lines).map_err(|error| error.to_string())?;
    Ok(answer.and_then(|(index, answer)| {
        let agreed = Agreed::new(offers.get(index)?, &answer);
        Some(Compression::new(&agreed, subject))
    }))
}

/// The element as it might have been written. Values without their quotes are tokens.
fn as_line(element: &Element) -> String {
    let mut line = element.name.clone();
    for param in &element.params {
        line += "; ";
        line += &param.name;
        if let Some(value) = &param.value {
            line += "=";
            line += value;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYER: Layer = Layer {
        name: "x-layer",
        rsv: 2,
        encode: <[u8]>::to_vec,
        decode: |octets| Ok(octets.to_vec()),
    };

    /// What the judge offers in these tests.
    fn answered(lines: &[&str]) -> Result<Agreement, String> {
        let frames = DEFLATE_FRAME.map(|name| FrameOffer {
            name,
            demands: Demands::default(),
        });
        let offered = Offered {
            deflate: &[Offer::default()],
            frames: &frames,
            layer: Some(LAYER),
            mux: None,
        };
        Agreement::of_answer(Role::Server, offered, lines)
    }

    #[test]
    fn the_order_of_the_answer_is_the_order_of_work() {
        for (lines, compressed, order) in [
            (
                &["x-layer, permessage-deflate"][..],
                true,
                Some(Order::LayerFirst),
            ),
            (
                &["permessage-deflate, x-layer"],
                true,
                Some(Order::DeflateFirst),
            ),
            (
                &[
                    "permessage-deflate; server_max_window_bits=\"9\"",
                    "x-layer",
                ],
                true,
                Some(Order::DeflateFirst),
            ),
            (&["x-layer"], false, Some(Order::LayerFirst)),
            (&["x-layer, deflate-frame"], true, Some(Order::LayerFirst)),
            (&["x-webkit-deflate-frame; max_window_bits=9"], true, None),
            (&["permessage-deflate"], true, None),
            (&[], false, None),
        ] {
            let agreed = answered(lines).expect("a right answer");
            assert_eq!(agreed.compression.is_some(), compressed, "{lines:?}");
            assert_eq!(agreed.layer.map(|(_, order)| order), order, "{lines:?}");
        }
    }

    #[test]
    fn an_answer_that_does_not_fit_is_none() {
        for line in [
            "x-layer; a",
            "x-layer, x-layer",
            "x-layer, x-other",
            "permessage-deflate, x-layer, permessage-deflate",
            "x-layer,;",
            "deflate-frame; a",
            "deflate-frame; max_window_bits=7",
            "deflate-frame, deflate-frame",
            "deflate-frame, x-webkit-deflate-frame",
            "deflate-frame, permessage-deflate",
            "permessage-deflate, deflate-frame",
            "deflate-frame, x-layer",
        ] {
            assert!(answered(&[line]).is_err(), "{line}");
        }
    }

    #[test]
    fn a_client_can_be_answered_with_what_it_offered_only() {
        let both = ["permessage-deflate; client_max_window_bits, x-layer"];
        let one = ["permessage-deflate"];
        let frames = ["x-layer, x-webkit-deflate-frame"];
        for (client, answer, fits) in [
            (
                &both,
                "x-layer, permessage-deflate; client_max_window_bits=9",
                true,
            ),
            (&one, "permessage-deflate; client_max_window_bits=9", false),
            (&one, "permessage-deflate, x-layer", false),
            (&one, "permessage-deflate", true),
            (&one, "deflate-frame", false),
            (&frames, "x-webkit-deflate-frame; no_context_takeover", true),
            (&frames, "x-layer, x-webkit-deflate-frame", true),
            (&frames, "x-webkit-deflate-frame, x-layer", false),
            (&frames, "deflate-frame", false),
        ] {
            let agreed = Agreement::of_answer_to(client, Some(LAYER), &[answer]);
            assert_eq!(agreed.is_ok(), fits, "{client:?} {answer}");
        }
    }
}
