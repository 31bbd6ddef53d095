//! An extension made of closures: each half is made anew for every agreement, with its own state.

use core::fmt;
use std::sync::Arc;

use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Failure, Hints,
    Output, Params, Stage,
};
use cloverleaf_proto::frame::Head;
use cloverleaf_testkit::{Kit, Law};

pub(crate) type Encode =
    Box<dyn FnMut(Head, Hints, &[u8], &mut Output<'_>) -> Result<Encoded, Failure> + Send>;
pub(crate) type Decode =
    Box<dyn FnMut(Head, &[u8], &mut Output<'_>) -> Result<Decoded, Failure> + Send>;
type Judge = dyn Fn(&Params) -> Result<Params, Declined> + Send + Sync;

/// What it does is said by closures; by itself it does nothing.
#[derive(Clone)]
pub(crate) struct Toy {
    name: &'static str,
    claims: Claims,
    offers: Arc<dyn Fn() -> Vec<Params> + Send + Sync>,
    accept: Arc<Judge>,
    confirm: Arc<Judge>,
    encoder: Arc<dyn Fn() -> Encode + Send + Sync>,
    decoder: Arc<dyn Fn() -> Decode + Send + Sync>,
}

/// No parameters at all.
fn bare(params: &Params) -> Result<Params, Declined> {
    params.reader()?.end()?;
    Ok(Params::new())
}

impl Toy {
    pub(crate) fn new(name: &'static str, claims: Claims) -> Self {
        Self {
            name,
            claims,
            offers: Arc::new(|| vec![Params::new()]),
            accept: Arc::new(bare),
            confirm: Arc::new(bare),
            encoder: Arc::new(|| Box::new(|_, _, _, _| Ok(Encoded::Unchanged))),
            decoder: Arc::new(|| Box::new(|_, _, _| Ok(Decoded::Unchanged))),
        }
    }

    pub(crate) fn at(stage: Stage) -> Self {
        Self::new("x-toy", Claims::at(stage))
    }

    pub(crate) fn claiming(self, claims: Claims) -> Self {
        Self { claims, ..self }
    }

    pub(crate) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(crate) fn offering(self, offers: impl Fn() -> Vec<Params> + Send + Sync + 'static) -> Self {
        Self {
            offers: Arc::new(offers),
            ..self
        }
    }

    /// Says what is answered to an offer.
    pub(crate) fn accepting(
        self,
        accept: impl Fn(&Params) -> Result<Params, Declined> + Send + Sync + 'static,
    ) -> Self {
        Self {
            accept: Arc::new(accept),
            ..self
        }
    }

    pub(crate) fn confirming(
        self,
        confirm: impl Fn(&Params) -> Result<Params, Declined> + Send + Sync + 'static,
    ) -> Self {
        Self {
            confirm: Arc::new(confirm),
            ..self
        }
    }

    pub(crate) fn encoding<F>(self, encoder: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: FnMut(Head, Hints, &[u8], &mut Output<'_>) -> Result<Encoded, Failure> + Send + 'static,
    {
        Self {
            encoder: Arc::new(move || Box::new(encoder())),
            ..self
        }
    }

    pub(crate) fn decoding<F>(self, decoder: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: FnMut(Head, &[u8], &mut Output<'_>) -> Result<Decoded, Failure> + Send + 'static,
    {
        Self {
            decoder: Arc::new(move || Box::new(decoder())),
            ..self
        }
    }

    fn agreement(&self, params: Params) -> Agreement {
        Agreement::new(params)
            .encoder(Sending((self.encoder)()))
            .decoder(Receiving((self.decoder)()))
    }

    pub(crate) fn kit(self) -> Kit {
        Kit::new(move || self.clone())
    }

    /// Asserts that this law catches it, and that the laws before it do not; and shows the story of
    /// a test that fails.
    #[track_caller]
    pub(crate) fn breaks(self, law: Law) -> String {
        breaks(&self.kit(), law)
    }
}

#[track_caller]
pub(crate) fn breaks(kit: &Kit, law: Law) -> String {
    match kit.run() {
        Ok(report) => panic!("nothing was noticed: {report}"),
        Err(broken) => {
            assert_eq!(broken.law(), law, "{broken}");
            println!("{broken}");
            broken.story().to_owned()
        }
    }
}

impl fmt::Debug for Toy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Extension for Toy {
    fn name(&self) -> &str {
        self.name
    }

    fn claims(&self) -> Claims {
        self.claims
    }

    fn offers(&self) -> Vec<Params> {
        (self.offers)()
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        (self.accept)(offer).map(|answer| self.agreement(answer))
    }

    fn confirm(&self, _offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        (self.confirm)(answer).map(|answer| self.agreement(answer))
    }
}

struct Sending(Encode);

impl Encoder for Sending {
    fn encode(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        (self.0)(head, hints, payload, out)
    }
}

struct Receiving(Decode);

impl Decoder for Receiving {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        (self.0)(head, payload, out)
    }
}
