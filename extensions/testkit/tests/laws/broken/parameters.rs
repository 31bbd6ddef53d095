//! What is not understood is declined.

use cloverleaf_proto::extension::{Declined, Params};
use cloverleaf_testkit::Law;

use crate::sound::{by, read, shift};
use crate::toy::breaks;

/// Reads carelessly: the first of each name, whatever else there is.
fn find<'a>(params: &'a Params, name: &str) -> Option<Option<&'a str>> {
    params
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, value)| value)
}

fn number(params: &Params) -> Result<u32, Declined> {
    let value = find(params, "by")
        .flatten()
        .and_then(|value| value.parse().ok());
    value
        .filter(|by| *by <= 25)
        .ok_or_else(|| Declined::new("by is 0 to 25"))
}

#[test]
fn accepts_an_unknown_parameter() {
    let toy = shift().accepting(|offer| {
        let mut reader = offer.reader()?;
        let number = reader.required_number("by", 0..=25)?;
        reader.flag("loud")?;
        Ok(by(number))
    });
    let story = toy.breaks(Law::Parameters);
    assert!(story.contains("x-testkit-unknown"), "{story}");
}

#[test]
fn accepts_a_parameter_that_stands_twice() {
    let toy = shift().accepting(|offer| {
        let known = |name: &str| ["by", "loud"].contains(&name);
        if !offer
            .iter()
            .all(|(name, value)| known(name) && (name == "by") == value.is_some())
        {
            return Err(Declined::new("unknown"));
        }
        number(offer).map(by)
    });
    let story = toy.breaks(Law::Parameters);
    assert!(story.contains("twice"), "{story}");
}

#[test]
fn accepts_a_flag_with_a_value() {
    let toy = shift().accepting(|offer| {
        let known = |name: &str| ["by", "loud"].contains(&name);
        if offer.duplicate().is_some() || !offer.iter().all(|(name, _)| known(name)) {
            return Err(Declined::new("unknown"));
        }
        number(offer).map(by)
    });
    let story = toy.breaks(Law::Parameters);
    assert!(
        story.contains("loud=1") && story.contains("gives a flag a value"),
        "{story}"
    );
}

/// Takes `by` for 13 where it has no value, or is not there.
fn lenient(params: &Params, may_lack: bool) -> Result<Params, Declined> {
    let mut reader = params.reader()?;
    let loud = reader.flag("loud")?;
    let number = match find(params, "by") {
        None if may_lack => 13,
        Some(None) if !may_lack => 13,
        _ => reader.required_number("by", 0..=25)?,
    };
    let _ = reader.text("by");
    reader.end()?;
    Ok(if loud {
        by(number).flag("loud")
    } else {
        by(number)
    })
}

#[test]
fn takes_a_default_where_a_value_is_left_out() {
    let story = shift()
        .accepting(|offer| lenient(offer, false))
        .breaks(Law::Parameters);
    assert!(story.contains("leaves out the value"), "{story}");
}

#[test]
fn takes_a_default_where_a_required_parameter_is_left_out() {
    let toy = || shift().accepting(|offer| lenient(offer, true));
    let story = breaks(&toy().kit().require("by"), Law::Parameters);
    assert!(story.contains("lacks \"by\""), "{story}");
    // Nobody but its author can say whether it is required.
    assert!(toy().kit().run().is_ok());
}

#[test]
fn reads_names_in_any_case() {
    let toy = shift().accepting(|offer| {
        let lower = offer
            .iter()
            .fold(Params::new(), |all, (name, value)| match value {
                Some(value) => all.value(&name.to_lowercase(), value),
                None => all.flag(&name.to_lowercase()),
            });
        read(&lower)
    });
    toy.breaks(Law::Parameters);
}

#[test]
fn panics_on_a_value_that_is_no_number() {
    let toy = shift().accepting(|offer| {
        if let Some(Some(value)) = find(offer, "by") {
            let _: i64 = value.parse().expect("a number");
        }
        read(offer)
    });
    let story = toy.breaks(Law::Parameters);
    assert!(story.contains("panicked: a number"), "{story}");
}

#[test]
fn cuts_a_value_inside_a_character() {
    let toy = shift().accepting(|offer| {
        for (_, value) in offer.iter() {
            let _ = value.map(|value| &value[..value.len().min(64)]);
        }
        read(offer)
    });
    toy.breaks(Law::Parameters);
}

#[test]
fn confirms_an_unknown_parameter() {
    let story = shift()
        .confirming(|answer| number(answer).map(by))
        .breaks(Law::Parameters);
    assert!(story.contains("confirms the answer"), "{story}");
}
