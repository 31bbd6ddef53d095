//! What an opening handshake agreed on: permessage-deflate, and what the case brings along.

use cloverleaf_reports::Role;

use crate::deflate::{Agreed, Element, Offer, judge_answer};
use crate::session::{Compression, Layer, Order};

/// The extensions of a connection.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    pub(super) compression: Option<Compression>,
    pub(super) layer: Option<(Layer, Order)>,
}

impl Agreement {
    /// permessage-deflate alone, or nothing.
    pub(super) fn compressed(compression: Option<Compression>) -> Self {
        Self {
            compression,
            layer: None,
        }
    }

    /// What the lines of an answer agree on, if they fit the offers (RFC 6455 §9.1, RFC 7692 §5).
    /// `layer` is the case's own extension, if it was offered.
    pub(super) fn of_answer(
        subject: Role,
        offers: &[Offer],
        layer: Option<Layer>,
        lines: &[&str],
    ) -> Result<Self, String> {
        let Some(layer) = layer else {
            let compression = compression(subject, offers, lines)?;
            return Ok(Self::compressed(compression));
        };
        let mut order = None;
        let mut others = Vec::new();
        for line in lines {
            for element in Element::list(line).map_err(|error| error.to_string())? {
                if element.name != layer.name {
                    others.push(as_line(&element));
                } else if !element.params.is_empty() {
                    return Err(format!("{} has no parameters", layer.name));
                } else if order.is_some() {
                    return Err(format!("the answer accepts {} twice", layer.name));
                } else if others.is_empty() {
                    order = Some(Order::LayerFirst);
                } else {
                    order = Some(Order::DeflateFirst);
                }
            }
        }
        let others: Vec<_> = others.iter().map(String::as_str).collect();
        Ok(Self {
            compression: compression(subject, offers, &others)?,
            layer: order.map(|order| (layer, order)),
        })
    }

    /// The same where the judge answers a client whose request has these lines.
    pub(super) fn of_answer_to(
        client_lines: &[&str],
        layer: Option<Layer>,
        lines: &[&str],
    ) -> Result<Self, String> {
        let mut offers = Vec::new();
        let mut layer_offered = false;
        for line in client_lines {
            for element in Element::list(line).map_err(|error| error.to_string())? {
                offers.extend(Offer::read(&element).ok());
                layer_offered |= layer.is_some_and(|layer| layer.name == element.name);
            }
        }
        let layer = layer.filter(|_| layer_offered);
        Self::of_answer(Role::Client, &offers, layer, lines)
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

    #[test]
    fn the_order_of_the_answer_is_the_order_of_work() {
        let offers = [Offer::default()];
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
            (&["permessage-deflate"], true, None),
            (&[], false, None),
        ] {
            let agreed = Agreement::of_answer(Role::Server, &offers, Some(LAYER), lines)
                .expect("a right answer");
            assert_eq!(agreed.compression.is_some(), compressed, "{lines:?}");
            assert_eq!(agreed.layer.map(|(_, order)| order), order, "{lines:?}");
        }
    }

    #[test]
    fn an_answer_that_does_not_fit_is_none() {
        let offers = [Offer::default()];
        for line in [
            "x-layer; a",
            "x-layer, x-layer",
            "x-layer, x-other",
            "permessage-deflate, x-layer, permessage-deflate",
            "x-layer,;",
        ] {
            let agreed = Agreement::of_answer(Role::Server, &offers, Some(LAYER), &[line]);
            assert!(agreed.is_err(), "{line}");
        }
    }

    #[test]
    fn a_client_can_be_answered_with_what_it_offered_only() {
        let both = ["permessage-deflate; client_max_window_bits, x-layer"];
        let one = ["permessage-deflate"];
        for (client, answer, fits) in [
            (
                &both,
                "x-layer, permessage-deflate; client_max_window_bits=9",
                true,
            ),
            (&one, "permessage-deflate; client_max_window_bits=9", false),
            (&one, "permessage-deflate, x-layer", false),
            (&one, "permessage-deflate", true),
        ] {
            let agreed = Agreement::of_answer_to(client, Some(LAYER), &[answer]);
            assert_eq!(agreed.is_ok(), fits, "{client:?} {answer}");
        }
    }
}
