//! What is offered, accepted and confirmed (RFC 7692 §5 and §7.1).

use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Extension, Params, Placement, Stage,
};
use cloverleaf_proto::frame::Rsv;

use super::config::PermessageDeflate;
use super::decoder::MessageDecoder;
use super::encoder::MessageEncoder;
use super::parameters::Parameters;
use crate::window_bits::WindowBits;

impl Extension for PermessageDeflate {
    fn name(&self) -> &str {
        "permessage-deflate"
    }

    fn claims(&self) -> Claims {
        const { Claims::at(Stage::Message).rsv(Rsv::RSV1, Placement::MessageStart) }
    }

    fn offers(&self) -> Vec<Params> {
        let wanted = Parameters {
            server_no_context_takeover: self.server_no_context_takeover == Some(true),
            client_no_context_takeover: self.client_no_context_takeover == Some(true),
            server_max_window_bits: self.server_max_window_bits.below_max(),
            client_max_window_bits: Some(self.client_max_window_bits),
        };
        let plain = Parameters {
            client_max_window_bits: Some(WindowBits::MAX),
            ..Parameters::default()
        };
        let mut offers = vec![wanted.to_offer()];
        if self.fallback && wanted != plain {
            offers.push(plain.to_offer());
        }
        offers
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        let offer = Parameters::from_offer(offer)?;
        let demands_bits = self.client_max_window_bits < WindowBits::MAX;
        if demands_bits && offer.client_max_window_bits.is_none() {
            // We may not answer with a parameter that was not offered (§7.1.2.2).
            return Err(Declined::new("client cannot limit its window"));
        }
        let answer = Parameters {
            server_no_context_takeover: offer.server_no_context_takeover
                || self.server_no_context_takeover != Some(false),
            client_no_context_takeover: offer.client_no_context_takeover
                || self.client_no_context_takeover != Some(false),
            server_max_window_bits: match offer.server_max_window_bits {
                Some(asked) => Some(asked.min(self.server_max_window_bits)),
                None => self.server_max_window_bits.below_max(),
            },
            client_max_window_bits: offer
                .client_max_window_bits
                .filter(|_| demands_bits)
                .map(|hint| hint.min(self.client_max_window_bits)),
        };
        let encoder = self.encoder(
            answer.server_max_window_bits.unwrap_or(WindowBits::MAX),
            !answer.server_no_context_takeover,
        );
        let decoder = self.decoder(!answer.client_no_context_takeover);
        Ok(Agreement::new(answer.to_answer())
            .encoder(encoder)
            .decoder(decoder))
    }

    fn confirm(&self, offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        let parameters = Parameters::from_answer(answer)?;
        // The answer does not say which offer it accepts; any that it satisfies will do.
        let satisfied = offered.iter().any(|offer| {
            Parameters::from_offer(offer).is_ok_and(|offer| satisfies(parameters, offer))
        });
        if !satisfied {
            return Err(Declined::new("satisfies none of the offers"));
        }
        // A server may allow more than we want to use; and a window we do not want we need not
        // keep, whatever was agreed (§7.1.1.2).
        let bits = parameters
            .client_max_window_bits
            .unwrap_or(WindowBits::MAX)
            .min(self.client_max_window_bits);
        let takeover = !parameters.client_no_context_takeover
            && self.client_no_context_takeover == Some(false);
        Ok(Agreement::new(answer.clone())
            .encoder(self.encoder(bits, takeover))
            .decoder(self.decoder(!parameters.server_no_context_takeover)))
    }
}

impl PermessageDeflate {
    fn encoder(&self, bits: WindowBits, takeover: bool) -> MessageEncoder {
        MessageEncoder::new(self.threshold, self.contexts.sending(bits, takeover))
    }

    fn decoder(&self, takeover: bool) -> MessageDecoder {
        MessageDecoder::new(self.contexts.receiving(takeover))
    }
}

/// Whether this answer meets what this offer asks for (RFC 7692 §7.1.1.1, §7.1.2.1) and says
/// nothing the offer rules out (§7.1.2.2).
fn satisfies(answer: Parameters, offer: Parameters) -> bool {
    let takeover = answer.server_no_context_takeover || !offer.server_no_context_takeover;
    let server_bits = match (answer.server_max_window_bits, offer.server_max_window_bits) {
        (Some(answered), Some(asked)) => answered <= asked,
        (None, Some(_)) => false,
        (_, None) => true,
    };
    // Not compared: our value is a hint, and a larger answer only allows what we need not use.
    let client_bits =
        answer.client_max_window_bits.is_none() || offer.client_max_window_bits.is_some();
    takeover && server_bits && client_bits
}
