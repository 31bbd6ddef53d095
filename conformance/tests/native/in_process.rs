//! Every case against our own engine, in memory and virtual time.

use cloverleaf::proto::extension::Extensions;
use cloverleaf_conformance::native::memory;
use cloverleaf_conformance::profile;
use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_judge::case::Case;
use cloverleaf_judge::cases;
use cloverleaf_judge::session::Options;
use cloverleaf_reports::{CaseResult, Role, Verdict};

/// What is not as it should be.
fn findings(role: Role, results: &[CaseResult]) -> Vec<String> {
    results
        .iter()
        .filter(|result| {
            !(result.verdict.standing().is_pass() && result.close_verdict.standing().is_pass())
        })
        .map(|result| {
            let detail = result.detail.as_ref();
            format!(
                "{role} {}: {} / {} ({} {})",
                result.id,
                result.verdict,
                result.close_verdict,
                detail
                    .and_then(|detail| detail.result.as_deref())
                    .unwrap_or(""),
                detail
                    .and_then(|detail| detail.result_close.as_deref())
                    .unwrap_or(""),
            )
        })
        .collect()
}

async fn judge(role: Role, cases: &[Case]) -> Vec<CaseResult> {
    let mut results = Vec::new();
    for case in cases.iter().filter(|case| case.subjects.include(role)) {
        let config = profile::config(true).expect("valid settings");
        let options = Options::default();
        results.push(match role {
            Role::Server => memory::judge_our_server(case, config, &options).await,
            Role::Client => memory::judge_our_client(case, config, &options).await,
        });
    }
    results
}

/// The cases of `all` that are not about performance; `CASES=6.4,close` in the environment
/// narrows them down to those whose ids begin so.
fn quick(all: Vec<Case>) -> Vec<Case> {
    let only = std::env::var("CASES").unwrap_or_default();
    let heavy = |case: &Case| matches!(case.id.group(), "9" | "12" | "13");
    all.into_iter()
        .filter(|case| {
            only.split(',')
                .any(|prefix| case.id.as_str().starts_with(prefix))
        })
        .filter(|case| !heavy(case))
        .collect()
}

async fn check(role: Role, cases: Vec<Case>) {
    let results = judge(role, &cases).await;
    assert_eq!(findings(role, &results), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn our_server_passes_autobahns_cases() {
    check(Role::Server, quick(cases::autobahn())).await;
}

#[tokio::test(start_paused = true)]
async fn our_client_passes_autobahns_cases() {
    check(Role::Client, quick(cases::autobahn())).await;
}

#[tokio::test(start_paused = true)]
async fn our_server_passes_the_cases_beyond_autobahn() {
    check(Role::Server, quick(cases::beyond())).await;
}

/// Cases that judge by what a client offers, and our client as it is set up here does not offer
/// or ask for: no `client_max_window_bits`, a small window of the server's, no context of the
/// server's. For such a client they are INFORMATIONAL.
const NOT_ASKED: [&str; 4] = [
    "negotiation.answer.29",
    "negotiation.answer.30",
    "negotiation.answer.31",
    "negotiation.answer.32",
];

#[tokio::test(start_paused = true)]
async fn our_client_passes_the_cases_beyond_autobahn() {
    check(Role::Client, quick(cases::beyond())).await;
}

#[tokio::test(start_paused = true)]
async fn our_client_holds_a_server_to_what_it_asked_for() {
    let offers = |windowed: bool| {
        let deflate = match windowed {
            true => PermessageDeflate::new().server_max_window_bits(10),
            false => PermessageDeflate::new().server_no_context_takeover(true),
        };
        let mut config = cloverleaf::config();
        config.extensions = Extensions::new().with(deflate).expect("one extension");
        config
    };
    for (id, windowed, expected) in [
        // Our client always lets its window be limited.
        (NOT_ASKED[0], true, Verdict::Informational),
        (NOT_ASKED[1], true, Verdict::Ok),
        (NOT_ASKED[2], true, Verdict::Ok),
        (NOT_ASKED[3], false, Verdict::Ok),
    ] {
        let case = cases::find(&id.parse().expect("an id")).expect("a case");
        let config = offers(windowed);
        let result = memory::judge_our_client(&case, config, &Options::default()).await;
        assert_eq!(result.verdict, expected, "{id}: {:?}", result.detail);
    }
}

/// Cases that judge by what a client does not offer, and our client as it is set up here offers.
#[tokio::test(start_paused = true)]
async fn our_client_takes_deflate_frame_by_the_name_that_it_offered() {
    for (id, offered, expected) in [
        ("18", DeflateFrame::webkit(), Verdict::Ok),
        ("18", DeflateFrame::new(), Verdict::Informational),
        ("19", DeflateFrame::new(), Verdict::Ok),
        ("19", DeflateFrame::webkit(), Verdict::Informational),
    ] {
        let id = format!("deflate-frame.answer.{id}");
        let case = cases::find(&id.parse().expect("an id")).expect("a case");
        let mut config = cloverleaf::config();
        config.extensions = Extensions::new().with(offered).expect("one extension");
        let result = memory::judge_our_client(&case, config, &Options::default()).await;
        assert_eq!(result.verdict, expected, "{id}: {:?}", result.detail);
    }
}

/// Of every section of 9 a case that runs quickly.
fn large_or_many() -> Vec<Case> {
    ["1.1", "2.1", "3.9", "4.9", "5.6", "6.6", "7.1", "8.1"]
        .map(|id| {
            let id = format!("9.{id}").parse().expect("an id");
            cases::find(&id).expect("a case of 9")
        })
        .into()
}

#[tokio::test(start_paused = true)]
async fn our_server_returns_large_messages_and_many() {
    check(Role::Server, large_or_many()).await;
}

#[tokio::test(start_paused = true)]
async fn our_client_returns_large_messages_and_many() {
    check(Role::Client, large_or_many()).await;
}
