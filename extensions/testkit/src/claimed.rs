//! What claims allow where, asked of the engine itself.

use std::sync::Arc;

use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Extension, Extensions, Negotiated, Offer, Params,
};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_proto::{Config, Endpoint, Role};

use crate::pair::Keys;

/// The bits and opcodes of a claim, placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) at_start: Rsv,
    pub(crate) on_continuations: Rsv,
    pub(crate) opcodes: Vec<OpCode>,
}

impl Claimed {
    /// Asks an endpoint which frames it admits once a do-nothing with the same claims is agreed.
    pub(crate) fn of(claims: Claims) -> Result<Self, String> {
        let extensions = Extensions::new()
            .with(Twin(claims))
            .map_err(|error| error.to_string())?;
        let negotiated = Negotiated::accept(&extensions, vec![Offer::new(TWIN, Params::new())]);
        let mut config = Config::new(Arc::new(Keys::default()));
        config.extensions = extensions;
        let mut endpoint = Endpoint::new(Role::Server, Arc::new(config), negotiated);
        let admitted = |endpoint: &Endpoint, opcode| {
            let head = Head::new(opcode).with_fin(false);
            let mut all = Rsv::NONE;
            for bit in [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3] {
                if endpoint.admit(head.with_rsv(bit)).is_ok() {
                    all = all | bit;
                }
            }
            all
        };
        let at_start = admitted(&endpoint, OpCode::BINARY);
        endpoint.handle_frame(Head::new(OpCode::BINARY).with_fin(false), b"");
        let on_continuations = admitted(&endpoint, OpCode::CONTINUATION);
        let opcodes = (0..16)
            .map(OpCode::new)
            .filter(|opcode| opcode.is_reserved() && claims.owns(*opcode))
            .collect();
        Ok(Self {
            at_start,
            on_continuations,
            opcodes,
        })
    }

    /// The claimed bits that a frame with this head may carry.
    pub(crate) const fn bits(&self, head: Head) -> Rsv {
        if head.opcode.is_control() {
            Rsv::NONE
        } else if head.starts_message() {
            self.at_start
        } else {
            self.on_continuations
        }
    }
}

const TWIN: &str = "x-twin";

/// The claims of another, and nothing else of it.
#[derive(Debug)]
struct Twin(Claims);

impl Extension for Twin {
    fn name(&self) -> &str {
        TWIN
    }

    fn claims(&self) -> Claims {
        self.0
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new()]
    }

    fn accept(&self, _offer: &Params) -> Result<Agreement, Declined> {
        Ok(Agreement::new(Params::new()))
    }

    fn confirm(&self, _offered: &[Params], _answer: &Params) -> Result<Agreement, Declined> {
        Ok(Agreement::new(Params::new()))
    }
}

#[cfg(test)]
mod tests {
    use cloverleaf_proto::extension::{Placement, Stage};

    use super::*;

    #[test]
    fn bits_are_found_where_they_were_claimed() {
        let of = |claims| Claimed::of(claims).expect("sound claims");
        let start = of(Claims::at(Stage::Message).rsv(Rsv::RSV1, Placement::MessageStart));
        assert_eq!(
            (start.at_start, start.on_continuations),
            (Rsv::RSV1, Rsv::NONE)
        );
        let both = of(Claims::at(Stage::Frame)
            .rsv(Rsv::RSV2, Placement::DataFrames)
            .rsv(Rsv::RSV3, Placement::MessageStart)
            .opcode(OpCode::new(0xC)));
        assert_eq!(both.at_start, Rsv::RSV2 | Rsv::RSV3);
        assert_eq!(both.on_continuations, Rsv::RSV2);
        assert_eq!(both.opcodes, [OpCode::new(0xC)]);
        assert_eq!(both.bits(Head::new(OpCode::PING)), Rsv::NONE);
    }
}
