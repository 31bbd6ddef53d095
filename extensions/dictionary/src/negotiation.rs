//! What is offered, accepted and confirmed.

use std::sync::Arc;

use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Extension, Params, Placement, Stage,
};
use cloverleaf_proto::frame::Rsv;

use crate::codec::Settings;
use crate::config::{Known, ZstdDictionary};
use crate::decoder::MessageDecoder;
use crate::encoder::MessageEncoder;
use crate::parameters::Parameters;

/// A client offers so many dictionaries at most: each is a line of the request, and a server looks
/// at 32 offers only, among which must be the one to fall back to.
const MAX_OFFERS: usize = 8;

impl Extension for ZstdDictionary {
    fn name(&self) -> &str {
        "x-zstd-dictionary"
    }

    fn claims(&self) -> Claims {
        // As permessage-deflate, so that only one of the two is agreed.
        const { Claims::at(Stage::Message).rsv(Rsv::RSV1, Placement::MessageStart) }
    }

    fn offers(&self) -> Vec<Params> {
        let offers = self.known.iter().take(MAX_OFFERS).map(|known| {
            let wanted = Parameters {
                id: known.dictionary.id(),
                max_window_bits: self.max_window_bits,
            };
            wanted.to_params()
        });
        offers.collect()
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        let offer = Parameters::from_params(offer)?;
        let agreed = Parameters {
            max_window_bits: offer.max_window_bits.min(self.max_window_bits),
            ..offer
        };
        self.agree(agreed)
    }

    fn confirm(&self, offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        let answer = Parameters::from_params(answer)?;
        let satisfied = offered.iter().any(|offer| {
            Parameters::from_params(offer).is_ok_and(|offer| {
                answer.id == offer.id && answer.max_window_bits <= offer.max_window_bits
            })
        });
        if !satisfied {
            return Err(Declined::new("satisfies none of the offers"));
        }
        self.agree(answer)
    }
}

impl ZstdDictionary {
    fn find(&self, id: &str) -> Result<&Arc<Known>, Declined> {
        let mut all = self.known.iter();
        all.find(|known| known.dictionary.id() == id)
            .ok_or_else(|| Declined::new("the dictionary is not known here"))
    }

    fn agree(&self, agreed: Parameters<'_>) -> Result<Agreement, Declined> {
        let known = self.find(agreed.id)?;
        let window_bits = agreed.max_window_bits;
        let settings = Settings {
            level: self.level,
            window_bits,
        };
        let encoder = MessageEncoder::new(Arc::clone(known), settings, self.threshold);
        let decoder = MessageDecoder::new(Arc::clone(known), window_bits);
        Ok(Agreement::new(agreed.to_params())
            .encoder(encoder)
            .decoder(decoder))
    }
}
