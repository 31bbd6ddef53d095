//! Which extensions are agreed: RFC 6455 §9.1.

use cloverleaf_proto::error::ConfigError;
use cloverleaf_proto::extension::{
    Claims, Conflict, Extensions, Negotiated, Offer, Order, Params, Placement, Refused, Stage, Why,
};
use cloverleaf_proto::frame::{OpCode, Rsv};

use crate::toy::Toy;

fn offer(name: &str) -> Offer {
    Offer::new(name, Params::new())
}

fn offers(names: &[&str]) -> Vec<Offer> {
    names.iter().map(|name| offer(name)).collect()
}

/// `pmd` and `frame` want RSV1, `seal` RSV2, `mux` and `mux2` the connection; `op` and `op2` want an
/// opcode.
fn all() -> Extensions {
    let op = Claims::at(Stage::Message).opcode(OpCode::new(0xB));
    [
        (
            "pmd",
            Claims::at(Stage::Message).rsv(Rsv::RSV1, Placement::MessageStart),
        ),
        (
            "frame",
            Claims::at(Stage::Frame).rsv(Rsv::RSV1, Placement::DataFrames),
        ),
        (
            "seal",
            Claims::at(Stage::Frame).rsv(Rsv::RSV2, Placement::DataFrames),
        ),
        ("mux", Claims::at(Stage::Carrier)),
        ("mux2", Claims::at(Stage::Carrier)),
        ("op", op),
        ("op2", op.opcode(OpCode::new(0xC))),
    ]
    .into_iter()
    .fold(Extensions::new(), |all, (name, claims)| {
        all.with(Toy::new(name, claims))
            .expect("names differ and claims work")
    })
}

const BIT: Conflict = Conflict::ReservedBit(Rsv::RSV1);

/// Names in the order of the offers, and the one that is in conflict with those before it.
type Row = (&'static [&'static str], Option<(&'static str, Conflict)>);

const TABLE: &[Row] = &[
    (&["pmd"], None),
    (&["pmd", "seal"], None),
    (&["seal", "pmd"], Some(("pmd", Conflict::Order))),
    (&["pmd", "frame"], Some(("frame", BIT))),
    (&["frame", "pmd"], Some(("pmd", BIT))),
    (&["frame", "seal"], None),
    (&["pmd", "mux"], None),
    (&["pmd", "op", "mux"], None),
    (&["frame", "mux"], Some(("mux", Conflict::Order))),
    (&["mux", "pmd"], Some(("pmd", Conflict::Order))),
    (&["mux", "seal"], Some(("seal", Conflict::Order))),
    (&["mux", "mux2"], Some(("mux2", Conflict::Order))),
    (&["pmd", "pmd"], Some(("pmd", Conflict::Name))),
    (&["op", "op2"], Some(("op2", Conflict::OpCode))),
    (&["op", "pmd", "op"], Some(("op", Conflict::Name))),
];

#[test]
fn a_server_passes_over_what_conflicts_and_takes_the_rest_in_the_clients_order() {
    for (names, conflict) in TABLE {
        let negotiated = Negotiated::accept(&all(), offers(names));
        let skipped: Vec<_> = negotiated
            .skipped()
            .iter()
            .map(|skipped| (&*skipped.offer.name, skipped.why.clone()))
            .collect();
        let expected: Vec<_> = conflict
            .iter()
            .map(|(name, conflict)| (*name, Why::Conflict(*conflict)))
            .collect();
        assert_eq!(skipped, expected, "{names:?}");
        let agreed: Vec<&str> = negotiated
            .agreed()
            .iter()
            .map(|agreed| &*agreed.name)
            .collect();
        let kept = names.len() - expected.len();
        assert_eq!(agreed, names[..kept], "{names:?}");
        assert_eq!(negotiated.answer(), Some(names[..kept].join(", ")));
        let carrier = names[..kept].iter().any(|name| name.starts_with("mux"));
        assert_eq!(negotiated.has_carrier(), carrier, "{names:?}");
    }
}

#[test]
fn a_client_refuses_an_answer_that_conflicts() {
    for (names, conflict) in TABLE {
        let confirmed = Negotiated::confirm(&all(), offers(names));
        match conflict {
            None => assert_eq!(confirmed.unwrap().agreed().len(), names.len()),
            Some((name, conflict)) => {
                let expected = Refused::Conflict((*name).to_owned(), *conflict);
                assert_eq!(confirmed.unwrap_err(), expected, "{names:?}");
            }
        }
    }
}

#[test]
fn a_client_refuses_an_answer_it_never_offered_or_cannot_confirm() {
    let unknown = Negotiated::confirm(&all(), offers(&["pmd", "what"]));
    assert_eq!(unknown.unwrap_err(), Refused::NotOffered("what".into()));
    let folded = Negotiated::confirm(&all(), offers(&["PMD"]));
    assert_eq!(folded.unwrap_err(), Refused::NotOffered("PMD".into()));
    let odd = Offer::new("pmd", Params::new().flag("odd"));
    let declined = Negotiated::confirm(&all(), vec![odd]);
    assert!(matches!(declined, Err(Refused::Declined(name, _)) if name == "pmd"));
}

#[test]
fn a_server_says_why_it_passed_over_an_offer_and_takes_the_next_of_the_same_name() {
    let odd = Offer::new("pmd", Params::new().value("odd", 1));
    let negotiated = Negotiated::accept(&all(), vec![offer("what"), odd, offer("pmd")]);
    assert_eq!(negotiated.answer().as_deref(), Some("pmd"));
    let [unknown, declined] = negotiated.skipped() else {
        panic!("two are passed over")
    };
    assert_eq!(
        (&*unknown.offer.name, &unknown.why),
        ("what", &Why::Unknown)
    );
    assert_eq!(declined.offer.to_string(), "pmd; odd=1");
    assert!(
        matches!(&declined.why, Why::Declined(why) if why.to_string() == "a toy has no parameters")
    );
}

#[test]
fn nothing_acceptable_is_no_answer_and_no_failure() {
    let negotiated = Negotiated::accept(&all(), offers(&["PMD", "x"]));
    assert_eq!((negotiated.answer(), negotiated.skipped().len()), (None, 2));
    assert_eq!(Negotiated::accept(&all(), Vec::new()).answer(), None);
    assert!(
        Negotiated::confirm(&all(), Vec::new())
            .unwrap()
            .agreed()
            .is_empty()
    );
}

#[test]
fn h21_only_the_first_32_offers_are_looked_at() {
    let mut many = offers(&["what"; 32]);
    many.push(offer("pmd"));
    let negotiated = Negotiated::accept(&all(), many);
    assert_eq!(negotiated.answer(), None);
    assert_eq!(negotiated.skipped()[31].why, Why::Unknown);
    assert_eq!(negotiated.skipped()[32].why, Why::TooMany);
    let mut many = offers(&["what"; 31]);
    many.push(offer("pmd"));
    assert_eq!(
        Negotiated::accept(&all(), many).answer().as_deref(),
        Some("pmd")
    );
}

#[test]
fn a_client_offers_everything_in_the_order_of_registration() {
    let names: Vec<String> = Negotiated::offers(&all())
        .into_iter()
        .map(|offer| offer.name)
        .collect();
    assert_eq!(names, ["pmd", "frame", "seal", "mux", "mux2", "op", "op2"]);
}

#[test]
fn what_cannot_work_is_refused_when_it_is_registered() {
    let twice = all().with(Toy::new("pmd", Claims::at(Stage::Frame)));
    assert_eq!(
        twice.unwrap_err(),
        ConfigError::DuplicateExtension("pmd".into())
    );
    for name in ["", "a b", "a;b", "ä", "a\r\n"] {
        let extension = Toy::new(name, Claims::at(Stage::Frame));
        let refused = Extensions::new().with(extension);
        assert_eq!(
            refused.unwrap_err(),
            ConfigError::InvalidExtensionName(name.into())
        );
    }
    let claims = Claims::at(Stage::Message).rsv(Rsv::RSV3, Placement::DataFrames);
    let refused = Extensions::new().with(Toy::new("a", claims));
    assert_eq!(
        refused.unwrap_err(),
        ConfigError::InvalidClaims("a".into(), Rsv::RSV3)
    );
}

/// The names that are skipped, with the reasons as a log shows them.
fn skips(negotiated: &Negotiated) -> Vec<String> {
    negotiated
        .skipped()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn an_impossible_order_of_offers_is_refused_with_a_reason_and_a_server_may_choose_its_own() {
    let clients = Negotiated::accept(&all(), offers(&["seal", "x", "pmd"]));
    assert_eq!(clients.answer().as_deref(), Some("seal"));
    assert_eq!(
        skips(&clients),
        [
            "x: unknown",
            "pmd: may not stand behind what is agreed already"
        ]
    );
    let ours = all().order(Order::Server);
    let servers = Negotiated::accept(&ours, offers(&["seal", "x", "pmd"]));
    assert_eq!(servers.answer().as_deref(), Some("pmd, seal"));
    assert_eq!(skips(&servers), ["x: unknown"]);
}

#[test]
fn in_the_servers_order_the_offers_of_one_extension_stay_as_the_client_made_them() {
    let ours = all().order(Order::Server);
    let bad = Offer::new("pmd", Params::new().flag("bad"));
    let offers = vec![
        offer("op"),
        offer("frame"),
        bad.clone(),
        offer("pmd"),
        offer("pmd"),
    ];
    let negotiated = Negotiated::accept(&ours, offers);
    assert_eq!(negotiated.answer().as_deref(), Some("pmd, op"));
    assert_eq!(
        skips(&negotiated),
        [
            "frame: rsv1 is taken",
            "pmd; bad: a toy has no parameters",
            "pmd: agreed already under the same name",
        ],
        "told in the order of the offers"
    );
}

#[test]
fn a_client_learns_which_of_its_offers_were_not_answered() {
    let extensions = ["one", "two", "three"]
        .into_iter()
        .fold(Extensions::new(), |all, name| {
            all.with(Toy::new(name, Claims::at(Stage::Message)))
                .expect("names differ")
        });
    let negotiated = Negotiated::confirm(&extensions, offers(&["two"])).expect("it was offered");
    assert_eq!(
        skips(&negotiated),
        [
            "one: not in the server's answer",
            "three: not in the server's answer"
        ]
    );
    assert!(negotiated.has("two") && !negotiated.has("one"));
}

#[test]
fn what_a_log_shows_of_an_offer_is_short_and_harmless() {
    let long = Offer::new("x", Params::new().value("a", "\u{1b}[2J".repeat(100)));
    let negotiated = Negotiated::accept(&all(), vec![long]);
    let shown = &skips(&negotiated)[0];
    assert!(shown.chars().all(|c| !c.is_control()), "{shown}");
    assert!(shown.len() < 1000, "{shown}");
    assert!(shown.ends_with("…: unknown"), "{shown}");
}

#[test]
fn a_local_codec_is_not_offered_and_its_name_is_nobody_elses() {
    let make = || cloverleaf_proto::extension::Agreement::new(Params::new());
    let extensions = all().with_local("sign", make).expect("the name is free");
    let offered = Negotiated::offers(&extensions);
    assert!(offered.iter().all(|offer| offer.name != "sign"));
    let negotiated = Negotiated::accept(&extensions, offers(&["sign"]));
    assert_eq!(negotiated.answer(), None);
    for taken in ["sign", "pmd"] {
        assert!(matches!(
            extensions.clone().with_local(taken, make),
            Err(ConfigError::DuplicateExtension(name)) if name == taken
        ));
    }
    assert!(matches!(
        extensions.with_local("no token", make),
        Err(ConfigError::InvalidExtensionName(_))
    ));
}
