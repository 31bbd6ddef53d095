//! The extension under test, and how two sides of it come to an agreement.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use bytes::Bytes;
use cloverleaf_proto::Role;
use cloverleaf_proto::error::ConfigError;
use cloverleaf_proto::extension::{Claims, Extension, Extensions, Negotiated, Offer, Params};
use cloverleaf_proto::frame::OpCode;
use cloverleaf_proto::handshake::parse_extensions;

use crate::claimed::Claimed;
use crate::half::{Half, Way};
use crate::probe::Probe;

/// Adds a fresh configuration to a list.
pub(crate) type Register = Rc<dyn Fn(Extensions) -> Result<Extensions, ConfigError>>;

/// Both ends.
pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

pub(crate) struct Subject {
    pub(crate) client: Register,
    pub(crate) server: Register,
    /// Both sides are configured alike, so that every offer must be accepted.
    pub(crate) alike: bool,
    pub(crate) required: Vec<String>,
    pub(crate) without_value: Vec<String>,
    pub(crate) also_accepts: Vec<Params>,
    pub(crate) frames: Vec<(OpCode, Bytes)>,
    pub(crate) seed: u64,
    pub(crate) trials: Cell<usize>,
    doing: RefCell<String>,
}

impl Subject {
    pub(crate) fn new(client: Register, server: Register, alike: bool) -> Self {
        Self {
            client,
            server,
            alike,
            required: Vec::new(),
            without_value: Vec::new(),
            also_accepts: Vec::new(),
            frames: Vec::new(),
            seed: 0,
            trials: Cell::new(0),
            doing: RefCell::default(),
        }
    }

    /// Counts a trial, and keeps what it was in case it panics.
    pub(crate) fn trial(&self, what: impl Into<String>) {
        self.trials.set(self.trials.get() + 1);
        *self.doing.borrow_mut() = what.into();
    }

    /// What was tried last.
    pub(crate) fn doing(&self) -> String {
        self.doing.borrow().clone()
    }

    /// A fresh configuration of one side, alone in its list.
    pub(crate) fn side(&self, role: Role) -> Result<Extensions, String> {
        self.stack(role, &[], &[])
    }

    /// A fresh configuration of one side between probes.
    pub(crate) fn stack(
        &self,
        role: Role,
        before: &[Probe],
        behind: &[Probe],
    ) -> Result<Extensions, String> {
        let register = match role {
            Role::Client => &self.client,
            Role::Server => &self.server,
        };
        let mut all = Extensions::new();
        for probe in before {
            all = all.with(*probe).map_err(|error| error.to_string())?;
        }
        all = register(all)
            .map_err(|error| format!("the extension cannot be registered: {error}"))?;
        for probe in behind {
            all = all.with(*probe).map_err(|error| error.to_string())?;
        }
        Ok(all)
    }

    pub(crate) fn name(&self) -> Result<String, String> {
        Ok(only(&self.side(Role::Client)?)?.name().to_owned())
    }

    pub(crate) fn claims(&self) -> Result<Claims, String> {
        Ok(only(&self.side(Role::Client)?)?.claims())
    }

    pub(crate) fn claimed(&self) -> Result<Claimed, String> {
        Claimed::of(self.claims()?)
    }

    pub(crate) fn offers(&self) -> Result<Vec<Params>, String> {
        Ok(only(&self.side(Role::Client)?)?.offers())
    }

    /// The own offers, by number, that the server side accepts.
    pub(crate) fn pairings(&self) -> Result<Vec<usize>, String> {
        let server = self.side(Role::Server)?;
        let server = only(&server)?;
        let offers = self.offers()?;
        let accepted = offers
            .iter()
            .enumerate()
            .filter(|(_, offer)| server.accept(offer).is_ok())
            .map(|(i, _)| i);
        Ok(accepted.collect())
    }

    /// The halves of both ends behind an agreement on one of the own offers.
    pub(crate) fn halves(&self, pairing: usize) -> Result<[Half; 2], String> {
        let (client, server) = (self.side(Role::Client)?, self.side(Role::Server)?);
        let (client, server) = (only(&client)?, only(&server)?);
        let offers = client.offers();
        let offer = offers.get(pairing).ok_or("the offers change")?;
        let accepted = server
            .accept(offer)
            .map_err(|why| format!("the server side declines the offer \"{offer}\": {why}"))?;
        let answer = accepted.params().clone();
        let confirmed = client
            .confirm(&offers, &answer)
            .map_err(|why| format!("the client side declines the answer \"{answer}\": {why}"))?;
        let claims = client.claims();
        let claimed = Claimed::of(claims)?;
        Ok([
            Half::new(claims, claimed.clone(), confirmed),
            Half::new(claims, claimed, accepted),
        ])
    }

    /// One direction: the encoder of `from` and the decoder of the other end.
    pub(crate) fn way(&self, pairing: usize, from: Role) -> Result<Way, String> {
        let [client, server] = self.halves(pairing)?;
        Ok(match from {
            Role::Client => Way::new(client, server),
            Role::Server => Way::new(server, client),
        })
    }
}

/// The one extension in a list of one.
pub(crate) fn only(list: &Extensions) -> Result<&dyn Extension, String> {
    list.iter()
        .next()
        .ok_or_else(|| "nothing was registered".to_owned())
}

/// Negotiates as two endpoints would, with one of the client's own offers of `name`, by way of the
/// header's grammar.
pub(crate) fn negotiate(
    client: &Extensions,
    server: &Extensions,
    name: &str,
    pairing: usize,
) -> Result<[Negotiated; 2], String> {
    let mut number = 0;
    let mut offers = Negotiated::offers(client);
    offers.retain(|offer| {
        let keep = offer.name != name || number == pairing;
        number += usize::from(offer.name == name);
        keep
    });
    let accepted = Negotiated::accept(server, through_the_header(&offers)?);
    if let Some(skipped) = accepted.skipped().first() {
        let (offer, why) = (&skipped.offer, &skipped.why);
        return Err(format!(
            "the server passes over the offer \"{offer}\": {why}"
        ));
    }
    let answer = accepted.answer().unwrap_or_default();
    let answers = parse_extensions(answer.as_bytes())
        .map_err(|error| format!("the answer \"{}\": {error}", answer.escape_debug()))?;
    let confirmed = Negotiated::confirm(client, answers)
        .map_err(|refused| format!("the client fails on the server's answer: {refused}"))?;
    Ok([confirmed, accepted])
}

/// Offers or answers as the other end will see them.
pub(crate) fn through_the_header(offers: &[Offer]) -> Result<Vec<Offer>, String> {
    let printed: Vec<String> = offers.iter().map(Offer::to_string).collect();
    let printed = printed.join(", ");
    parse_extensions(printed.as_bytes())
        .map_err(|error| format!("the header \"{}\": {error}", printed.escape_debug()))
}

/// Runs what a third party wrote. A panic is an error.
pub(crate) fn guard<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let said = payload
            .downcast_ref::<&str>()
            .map(|said| (*said).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        format!("panicked: {}", said.as_deref().unwrap_or("(no message)"))
    })
}
