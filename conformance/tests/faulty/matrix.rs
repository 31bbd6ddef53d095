//! What the matrix must show.

use std::fmt::Write as _;

use cloverleaf_conformance::faulty::Fault;
use cloverleaf_reports::Role;

use crate::run::{self, Row};

#[test]
fn cases_and_faults_find_each_other() {
    let rows = run::matrix();
    if let Ok(path) = std::env::var("MATRIX") {
        std::fs::write(path, table(&rows)).expect("a file that can be written");
    }
    let mut findings = dishonest(&rows);
    findings.extend(overlooked(&rows));
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// Where a subject without a fault does not pass.
fn dishonest(rows: &[Row]) -> Vec<String> {
    let mut findings = Vec::new();
    for row in rows {
        let honest = &row.honest;
        if !(honest.verdict.standing().is_pass() && honest.close_verdict.standing().is_pass()) {
            let detail = honest.detail.as_ref();
            findings.push(format!(
                "honest {}: {} / {} ({} {})",
                row.name(),
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
fn overlooked(rows: &[Row]) -> Vec<String> {
    let mut findings = Vec::new();
    for role in [Role::Server, Role::Client] {
        for fault in Fault::all().filter(|fault| fault.exists_in(role)) {
            let mut rows = rows.iter().filter(|row| row.role == role);
            if !rows.any(|row| row.finds(fault)) {
                findings.push(format!("no case finds a {role} that {fault}"));
            }
        }
    }
    findings
}

/// Each fault with the cases that find it; each case with the faults that it finds.
fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for role in [Role::Server, Role::Client] {
        for fault in Fault::all().filter(|fault| fault.exists_in(role)) {
            let rows = rows.iter().filter(|row| row.role == role);
            let found: Vec<_> = rows
                .filter(|row| row.finds(fault))
                .map(|row| row.case.id.to_string())
                .collect();
            let _ = writeln!(text, "{role} {fault}: {} {}", found.len(), found.join(" "));
        }
    }
    for row in rows {
        let faults: Vec<_> = row.changed.iter().map(|(fault, _)| fault.name).collect();
        let _ = writeln!(
            text,
            "{}: {} {}",
            row.name(),
            faults.len(),
            faults.join(" ")
        );
    }
    text
}
