use cloverleaf_reports::trend::{html, in_order, series, time_chart};
use cloverleaf_reports::{Record, Role};

use crate::sample::{
    assert_golden, assert_harmless, empty, hostile, huge, record, sample, subject,
};

fn history() -> Vec<Record> {
    let mut old = sample();
    old.label = Some("v0.1.0".into());
    old.started = Some("2026-10-01 04:27 UTC".into());
    old.runs[0].subjects.truncate(1);
    vec![sample(), old]
}

#[test]
fn runs_stand_in_the_order_of_their_start() {
    let mut runs = history();
    let labels = |runs: &[Record]| -> Vec<String> {
        let labels = in_order(runs).into_iter().map(|run| run.label.clone());
        labels.flatten().collect()
    };
    assert_eq!(labels(&runs), ["v0.1.0", "v0.2.0"]);
    runs[0].started = None;
    assert_eq!(labels(&runs), ["v0.2.0", "v0.1.0"], "as given");
}

#[test]
fn the_sample_is_written_byte_for_byte() {
    let runs = history();
    assert_eq!(series(&runs).len(), 3);
    assert_golden("trend.html", &html(&runs));
}

#[test]
fn no_number_leaves_the_chart() {
    let run = |ms| {
        record(
            Role::Server,
            vec![subject(
                "a",
                &[("1.1", "OK", "OK", ms), ("2.1", "OK", "OK", ms)],
            )],
        )
    };
    let runs = [run(0), run(u64::MAX), run(1), run(u64::MAX / 2)];
    let chart = time_chart(&series(&runs)[0]);
    let points = chart.split("points=\"").skip(1);
    for list in points {
        let list = list.split('"').next().unwrap_or_default();
        for point in list.split(' ') {
            let (x, y) = point.split_once(',').expect("a point");
            let (x, y): (u64, u64) = (x.parse().expect("x"), y.parse().expect("y"));
            assert!(x <= 240 && (24..=144).contains(&y), "{point}");
        }
    }
}

#[test]
fn hostile_huge_and_empty_records_have_a_history() {
    let [(_, none), (_, no_subject), (_, no_case)] = empty();
    for runs in [
        vec![],
        vec![none, no_subject, no_case],
        vec![hostile(), sample()],
        vec![huge()],
    ] {
        let page = html(&runs);
        assert_harmless(&page);
        assert!(!page.contains("<script") && !page.contains("<img"));
        assert!(page.len() < 100_000, "{}", page.len());
    }
}
