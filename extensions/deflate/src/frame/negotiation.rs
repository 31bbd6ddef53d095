//! What is offered, accepted and confirmed.

use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Extension, Params, Placement, Stage,
};
use cloverleaf_proto::frame::Rsv;

use super::config::DeflateFrame;
use super::decoder::FrameDecoder;
use super::encoder::FrameEncoder;
use super::parameters::Demands;

impl Extension for DeflateFrame {
    fn name(&self) -> &str {
        self.name
    }

    fn claims(&self) -> Claims {
        // On continuations too: each frame says for itself whether it is compressed.
        const { Claims::at(Stage::Frame).rsv(Rsv::RSV1, Placement::DataFrames) }
    }

    fn offers(&self) -> Vec<Params> {
        let mut offers = vec![self.demands.write()];
        if self.fallback && self.demands != Demands::NONE {
            offers.push(Params::new());
        }
        offers
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        let of_us = Demands::read(offer, self.ignore_unknown_parameters)?;
        let of_them = self.demands;
        Ok(self.agree(of_them.write(), of_us, !of_them.no_context_takeover))
    }

    fn confirm(&self, offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        let of_us = Demands::read(answer, false)?;
        // The answer does not say which offer it accepts. The server keeps no window only if every
        // offer demands that.
        let takeover = !offered.iter().all(|offer| {
            Demands::read(offer, false).is_ok_and(|of_them| of_them.no_context_takeover)
        });
        Ok(self.agree(answer.clone(), of_us, takeover))
    }
}

impl DeflateFrame {
    /// The halves, where `of_us` binds our compressor and `they_take_over` says whether the peer's
    /// may refer to earlier frames.
    fn agree(&self, answer: Params, of_us: Demands, they_take_over: bool) -> Agreement {
        let takeover = self.context_takeover && !of_us.no_context_takeover;
        let sending = self.contexts.sending(of_us.window_bits, takeover);
        Agreement::new(answer)
            .encoder(FrameEncoder::new(self.threshold, sending))
            .decoder(FrameDecoder::new(self.contexts.receiving(they_take_over)))
    }
}
