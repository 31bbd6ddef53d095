//! What is offered, accepted and confirmed.

use cloverleaf_dictionary::{Dictionary, ZstdDictionary};
use cloverleaf_proto::extension::{Extension, Extensions, Negotiated, Offer, Params, Why};

use crate::halves::{PLAIN_ID, params, plain};

const OTHER_ID: &str = "2fd4e1c67a2d28fc";

fn other() -> Dictionary {
    Dictionary::new(&b"The quick brown fox jumps over the lazy dog"[..]).expect("long enough")
}

fn new(bits: u8) -> ZstdDictionary {
    ZstdDictionary::new([plain(), other()]).max_window_bits(bits)
}

fn offers(extension: &ZstdDictionary) -> Vec<String> {
    extension.offers().iter().map(ToString::to_string).collect()
}

#[test]
fn a_client_offers_its_dictionaries_in_order_and_a_window_only_if_it_is_not_the_usual_one() {
    let (first, second) = (format!("; id={PLAIN_ID}"), format!("; id={OTHER_ID}"));
    assert_eq!(offers(&new(17)), [first.clone(), second.clone()]);
    let with = |bits: &str| [&first, &second].map(|id| format!("{id}; max_window_bits={bits}"));
    for (bits, said) in [(10, "10"), (23, "23"), (0, "10"), (255, "23")] {
        assert_eq!(offers(&new(bits)), with(said), "{bits}");
    }
    assert!(ZstdDictionary::new([]).offers().is_empty());
}

#[test]
fn a_client_offers_eight_dictionaries_at_most_and_a_server_knows_all() {
    let all = (0..100).map(|n| Dictionary::new(format!("dictionary {n}").into_bytes()));
    let all: Vec<Dictionary> = all.map(|it| it.expect("long enough")).collect();
    let extension = ZstdDictionary::new(all.clone());
    let first: Vec<String> = all[..8]
        .iter()
        .map(|it| format!("; id={}", it.id()))
        .collect();
    assert_eq!(offers(&extension), first);
    let last = Params::new().value("id", all[99].id());
    assert_eq!(extension.accept(&last).expect("known").params(), &last);
}

#[test]
fn a_server_answers_as_the_table_says() {
    let table: &[(u8, &str, Option<&str>)] = &[
        (17, "id=@", Some("; id=@")),
        (17, "id=2fd4e1c67a2d28fc", Some("; id=2fd4e1c67a2d28fc")),
        // The smaller window of the two.
        (17, "id=@; max_window_bits=17", Some("; id=@")),
        (17, "id=@; max_window_bits=23", Some("; id=@")),
        (
            17,
            "max_window_bits=10; id=@",
            Some("; id=@; max_window_bits=10"),
        ),
        (12, "id=@", Some("; id=@; max_window_bits=12")),
        (
            12,
            "id=@; max_window_bits=11",
            Some("; id=@; max_window_bits=11"),
        ),
        (23, "id=@", Some("; id=@")),
        (
            23,
            "id=@; max_window_bits=20",
            Some("; id=@; max_window_bits=20"),
        ),
        // Nobody knows it; it must be exact.
        (17, "id=0000000000000000", None),
        (17, "id=2FD4E1C67A2D28FC", None),
        (17, "id=2fd4e1c67a2d28f", None),
        (17, "id=", None),
        (17, "id", None),
        (17, "", None),
        (17, "id=@; id=@", None),
        (17, "id=@; max_window_bits", None),
        (17, "id=@; max_window_bits=9", None),
        (17, "id=@; max_window_bits=24", None),
        (17, "id=@; max_window_bits=017", None),
        (17, "id=@; max_window_bits=10; max_window_bits=10", None),
        (17, "id=@; level=3", None),
        (17, "id=@; other", None),
        (17, "ID=@", None),
    ];
    for (bits, offer, expected) in table {
        let offer = offer.replace('@', PLAIN_ID);
        let expected = expected.map(|answer| answer.replace('@', PLAIN_ID));
        let agreement = new(*bits).accept(&params(&offer));
        let answer = agreement.map(|agreement| agreement.params().to_string());
        assert_eq!(answer.ok(), expected, "{offer} to one with {bits}");
    }
}

#[test]
fn a_client_goes_on_or_fails_as_the_table_says() {
    let table: &[(u8, &str, bool)] = &[
        (17, "id=@", true),
        (17, "id=2fd4e1c67a2d28fc", true),
        (17, "id=@; max_window_bits=17", true),
        (17, "id=@; max_window_bits=10", true),
        // More than was offered: a window that we would not hold.
        (17, "id=@; max_window_bits=18", false),
        (12, "id=@", false),
        (12, "id=@; max_window_bits=12", true),
        (17, "id=0000000000000000", false),
        (17, "", false),
        (17, "id=@; id=@", false),
        (17, "id=@; max_window_bits=9", false),
        (17, "id=@; other", false),
    ];
    for (bits, answer, expected) in table {
        let client = new(*bits);
        let answer = params(&answer.replace('@', PLAIN_ID));
        let result = client.confirm(&client.offers(), &answer);
        assert_eq!(result.is_ok(), *expected, "{answer} to one with {bits}");
    }
    // Known, but not offered.
    let offered = [params(&format!("id={OTHER_ID}"))];
    let answer = params(&format!("id={PLAIN_ID}"));
    assert!(new(17).confirm(&offered, &answer).is_err());
}

#[test]
fn the_first_dictionary_that_both_have_is_agreed_and_the_reason_for_the_others_is_told() {
    let extensions = |dictionary| {
        let extension = ZstdDictionary::new(dictionary);
        Extensions::new().with(extension).expect("legal")
    };
    let client = extensions(vec![other(), plain()]);
    let offers = Negotiated::offers(&client);
    let server = Negotiated::accept(&extensions(vec![plain()]), offers.clone());
    let answer = format!("x-zstd-dictionary; id={PLAIN_ID}");
    assert_eq!(server.answer(), Some(answer));
    assert!(matches!(server.skipped()[0].why, Why::Declined(_)));

    let both = Negotiated::accept(&extensions(vec![plain(), other()]), offers);
    assert_eq!(both.agreed()[0].params, params(&format!("id={OTHER_ID}")));
    assert!(matches!(both.skipped()[0].why, Why::Conflict(_)));

    let answers = vec![Offer::new(
        "x-zstd-dictionary",
        params(&format!("id={PLAIN_ID}")),
    )];
    assert!(Negotiated::confirm(&client, answers).is_ok());
}

#[test]
fn every_window_agrees_with_every_other_on_the_smaller_one() {
    for asked in 10..=23 {
        for own in 10..=23 {
            let (client, server) = (new(asked), new(own));
            let accepted = server.accept(&client.offers()[0]).expect("known");
            let confirmed = client.confirm(&client.offers(), accepted.params());
            assert!(confirmed.is_ok(), "{asked} {own}");
            let bits = match asked.min(own).min(if asked == 17 { 17 } else { asked }) {
                17 => String::new(),
                bits => format!("; max_window_bits={bits}"),
            };
            assert_eq!(
                accepted.params().to_string(),
                format!("; id={PLAIN_ID}{bits}")
            );
        }
    }
}
