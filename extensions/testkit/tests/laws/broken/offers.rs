//! The two sides agree with each other.

use std::sync::atomic::{AtomicU32, Ordering};

use cloverleaf_proto::extension::{Declined, Params};
use cloverleaf_testkit::Law;

use crate::sound::{by, read, shift};

#[test]
fn declines_its_own_second_offer() {
    let toy = shift().offering(|| vec![by(3), by(30)]);
    let story = toy.breaks(Law::Offers);
    assert!(story.contains(r#""x-toy; by=30""#), "{story}");
}

#[test]
fn declines_its_own_answer() {
    let toy = shift().confirming(|answer| match read(answer)?.len() {
        1 => Ok(answer.clone()),
        _ => Err(Declined::new("loud answers are not for us")),
    });
    let story = toy.breaks(Law::Offers);
    assert!(story.contains("loud answers are not for us"), "{story}");
}

#[test]
fn offers_something_else_each_time() {
    let next = AtomicU32::new(0);
    shift()
        .offering(move || vec![by(next.fetch_add(1, Ordering::Relaxed) % 20)])
        .breaks(Law::Offers);
}

#[test]
fn offers_a_value_that_is_no_token() {
    let free = |params: &Params| Ok(params.clone());
    shift()
        .offering(|| vec![Params::new().value("by", "1 or 2")])
        .accepting(free)
        .confirming(free)
        .breaks(Law::Offers);
}

#[test]
fn answers_what_breaks_the_header() {
    shift()
        .accepting(|offer| Ok(read(offer)?.value("said", "yes, please")))
        .confirming(|answer| Ok(answer.clone()))
        .breaks(Law::Offers);
}

#[test]
fn offers_nothing() {
    shift().offering(Vec::new).breaks(Law::Offers);
}
