//! What the matrix of cases and faults must show.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cloverleaf_conformance::faulty::Fault;
use cloverleaf_judge::cases;
use cloverleaf_reports::Role;
use serde::Deserialize;

use crate::run::{self, Judged, ROLES, on_all_cores};

#[test]
fn an_honest_subject_passes_each_fault_is_found_and_each_case_can_fail() {
    let cases = run::honest();
    let mut findings = dishonest(&cases);
    let faults = faults();
    findings.extend(overlooked(&cases, &faults));
    findings.extend(toothless(&cases, &narrow(&cases, &faults)));
    if let Ok(path) = std::env::var("MATRIX") {
        std::fs::write(path, table(&cases, &faults)).expect("a file that can be written");
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

fn faults() -> Vec<(Role, Fault)> {
    let of = |role: Role| Fault::all().filter(move |fault| fault.exists_in(role));
    ROLES
        .into_iter()
        .flat_map(|role| of(role).map(move |fault| (role, fault)))
        .collect()
}

/// Where a subject without a fault does not pass.
fn dishonest(cases: &[Judged]) -> Vec<String> {
    let mut findings = Vec::new();
    for judged in cases {
        let honest = &judged.honest;
        if !(honest.verdict.standing().is_pass() && honest.close_verdict.standing().is_pass()) {
            let detail = honest.detail.as_ref();
            findings.push(format!(
                "honest {} ({}): {} / {} ({} {})",
                judged.name(),
                judged.case.title,
                honest.verdict,
                honest.close_verdict,
                detail
                    .and_then(|detail| detail.result.as_deref())
                    .unwrap_or(""),
                detail
                    .and_then(|detail| detail.result_close.as_deref())
                    .unwrap_or(""),
            ));
        }
    }
    findings
}

/// Faults that no case finds.
fn overlooked(cases: &[Judged], faults: &[(Role, Fault)]) -> Vec<String> {
    let found = on_all_cores(faults, |runtime, (role, fault)| {
        let cases = cases.iter().filter(|judged| judged.role == *role);
        // Only there credentials are asked for.
        let cases =
            cases.filter(|judged| judged.case.needs_credentials() == fault.is_of_authentication());
        let (mux, others): (Vec<_>, Vec<_>) =
            cases.partition(|judged| judged.case.id.group() == "mux");
        let mut cases = match fault.is_of_multiplexing() {
            true => mux.into_iter().chain(others),
            false => others.into_iter().chain(mux),
        };
        cases.any(|judged| judged.finds(runtime, *fault))
    });
    let overlooked = faults.iter().zip(found).filter(|(_, found)| !found);
    overlooked
        .map(|((role, fault), _)| format!("no case finds: {role} {fault}"))
        .collect()
}

/// Cases of which each stands for its group.
const PROBES: [&str; 14] = [
    "1.1.2", "2.2", "3.2", "4.1.1", "4.2.1", "5.1", "5.3", "6.1.2", "6.3.1", "6.3.2", "7.1.1",
    "7.5.1", "7.7.3", "7.9.1",
];

/// The faults that leave most cases as they are. That a case fails when nothing works any more
/// says nothing of the case.
fn narrow(cases: &[Judged], faults: &[(Role, Fault)]) -> Vec<(Role, Fault)> {
    let probes: Vec<_> = cases
        .iter()
        .filter(|judged| PROBES.contains(&judged.case.id.as_str()))
        .collect();
    let broken = on_all_cores(faults, |runtime, (role, fault)| {
        let shows = |judged: &&&Judged| judged.role == *role && !fault.is_of_authentication();
        let probes = probes.iter().filter(shows);
        probes
            .filter(|judged| judged.under(runtime, *fault).is_some())
            .count()
    });
    let mut narrow: Vec<_> = faults
        .iter()
        .zip(broken)
        .filter(|(_, broken)| *broken <= PROBES.len() / 2)
        .collect();
    // Those that change most come first: what looks for one finds it soon.
    narrow.sort_by_key(|(_, broken)| usize::MAX - broken);
    narrow.into_iter().map(|(fault, _)| *fault).collect()
}

/// Cases whose verdicts no narrow fault changes, but for those that are listed with a reason; and
/// those that are listed although a fault changes them.
fn toothless(cases: &[Judged], narrow: &[(Role, Fault)]) -> Vec<String> {
    let listed = Untouched::read();
    let changed = on_all_cores(cases, |runtime, judged| {
        let faults = narrow.iter().filter(|(role, fault)| {
            *role == judged.role && judged.case.needs_credentials() == fault.is_of_authentication()
        });
        let (mux, faults): (Vec<_>, Vec<_>) =
            faults.partition(|(_, fault)| fault.is_of_multiplexing());
        let (opening, others): (Vec<_>, Vec<_>) = faults
            .into_iter()
            .partition(|(_, fault)| fault.is_of_opening());
        let groups = match judged.is_about_opening() {
            _ if judged.case.id.group() == "mux" => [mux, others, opening],
            true => [opening, others, mux],
            false => [others, opening, mux],
        };
        let mut faults = groups.into_iter().flatten();
        faults.find(|(_, fault)| judged.under(runtime, *fault).is_some())
    });
    let mut findings = Vec::new();
    for (judged, changed) in cases.iter().zip(changed) {
        let (name, title) = (judged.name(), &judged.case.title);
        match (listed.iter().any(|entry| entry.names(judged)), changed) {
            (false, None) => findings.push(format!("no fault changes: {name}: {title}")),
            (true, Some((_, fault))) => {
                findings.push(format!("listed, but {fault} changes it: {name}: {title}"));
            }
            _ => {}
        }
    }
    findings
}

/// Cases that no fault changes, as `expected/matrix.toml` has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Untouched {
    cases: Vec<String>,
    role: Option<String>,
    reason: String,
}

impl Untouched {
    fn read() -> Vec<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            untouched: Vec<Untouched>,
        }
        let file: File = toml::from_str(include_str!("../../expected/matrix.toml"))
            .expect("expected/matrix.toml is as its head says");
        let cases = cases::all();
        for entry in &file.untouched {
            assert!(!entry.reason.is_empty(), "{:?}", entry.cases);
            for id in &entry.cases {
                let known = cases.iter().any(|case| case.id.as_str() == id);
                assert!(known, "expected/matrix.toml names {id}, which is no case");
            }
        }
        file.untouched
    }

    fn names(&self, judged: &Judged) -> bool {
        let role = judged.role.to_string();
        self.role.as_ref().is_none_or(|only| *only == role)
            && self.cases.iter().any(|id| *id == judged.case.id.as_str())
    }
}

/// The whole matrix: each fault with the cases that find it, each case with the faults that it
/// finds. Takes minutes.
fn table(cases: &[Judged], faults: &[(Role, Fault)]) -> String {
    let mut by_case: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    let mut text = String::new();
    let rows = on_all_cores(faults, |runtime, (role, fault)| {
        let cases = cases.iter().enumerate();
        let cases = cases.filter(|(_, judged)| judged.role == *role);
        let found = cases.filter(|(_, judged)| judged.finds(runtime, *fault));
        found.map(|(at, _)| at).collect::<Vec<_>>()
    });
    for ((role, fault), found) in faults.iter().zip(rows) {
        let _ = write!(text, "{role} {fault}: {}", found.len());
        for at in found {
            let _ = write!(text, " {}", cases[at].case.id);
            by_case.entry(at).or_default().push(fault.name);
        }
        text.push('\n');
    }
    for (at, judged) in cases.iter().enumerate() {
        let faults = by_case.remove(&at).unwrap_or_default();
        let _ = writeln!(
            text,
            "{}: {} {}",
            judged.name(),
            faults.len(),
            faults.join(" ")
        );
    }
    text
}
