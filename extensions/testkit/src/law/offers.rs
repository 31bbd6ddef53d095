//! The two sides agree with each other.

use cloverleaf_proto::Role;
use cloverleaf_proto::extension::{Extension, Offer, Params};

use crate::subject::{Subject, negotiate, only, through_the_header};

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    let (client, server) = (subject.side(Role::Client)?, subject.side(Role::Server)?);
    let (asking, answering) = (only(&client)?, only(&server)?);
    let (name, other) = (asking.name(), answering.name());
    if name != other {
        return Err(format!(
            "the client side is called {name:?}, the server side {other:?}"
        ));
    }
    let offers = asking.offers();
    subject.trial("offers() twice");
    if asking.offers() != offers {
        return Err(
            "offers() changes from call to call; the engine asks again when it confirms".into(),
        );
    }
    if offers.is_empty() {
        return Err("offers() is empty: nothing can be agreed, so nothing can be tried".into());
    }
    let mut agreed = 0;
    let mut declined = String::new();
    for (i, offer) in offers.iter().enumerate() {
        subject.trial(format!("offer \"{name}{offer}\""));
        let parsed = survives(name, offer)?;
        match agree(answering, asking, &offers, &parsed) {
            Ok(()) => {}
            Err(Disagreement::Declined(why)) if !subject.alike => {
                declined = why;
                continue;
            }
            Err(Disagreement::Declined(story) | Disagreement::Answer(story)) => return Err(story),
        }
        negotiate(&client, &server, name, i)?;
        agreed += 1;
    }
    if agreed == 0 {
        return Err(format!("none of the offers is acceptable: {declined}"));
    }
    for offer in &subject.also_accepts {
        subject.trial(format!("offer \"{name}{offer}\""));
        let parsed = survives(name, offer)?;
        let accepted = answering.accept(&parsed).map_err(|why| {
            format!("the server side declines \"{name}{offer}\", which it is said to accept: {why}")
        })?;
        survives(name, accepted.params())?;
    }
    Ok(())
}

/// The parameters behind the header's grammar, which must not change them.
fn survives(name: &str, params: &Params) -> Result<Params, String> {
    let printed = Offer::new(name, params.clone());
    let parsed = through_the_header(core::slice::from_ref(&printed))?;
    if parsed == [printed] {
        Ok(params.clone())
    } else {
        Err(format!(
            "\"{name}{params}\" is not the same any more when it is read from the header"
        ))
    }
}

enum Disagreement {
    Declined(String),
    Answer(String),
}

fn agree(
    server: &dyn Extension,
    client: &dyn Extension,
    offers: &[Params],
    offer: &Params,
) -> Result<(), Disagreement> {
    let name = server.name();
    let accepted = server.accept(offer).map_err(|why| {
        Disagreement::Declined(format!(
            "the server side declines the offer \"{name}{offer}\": {why}"
        ))
    })?;
    let answer = survives(name, accepted.params()).map_err(Disagreement::Answer)?;
    client.confirm(offers, &answer).map_err(|why| {
        Disagreement::Answer(format!(
            "the client side declines the answer \"{name}{answer}\" to its offer \"{name}{offer}\": {why}"
        ))
    })?;
    Ok(())
}
