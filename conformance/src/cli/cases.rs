//! `cloverleaf cases`

use std::process::ExitCode;

use clap::Args;
use cloverleaf_conformance::catalog;
use cloverleaf_conformance::selection::{self, Pattern};
use cloverleaf_judge::case::{Case, Subjects};
use cloverleaf_judge::cases;
use cloverleaf_reports::CaseId;

use super::fail;

/// List the cases of the native suite, or explain some of them
///
/// Without arguments: the groups and sections with the number of their cases. With ids or
/// patterns such as 6.4.* or handshake.*: each case with what it does, what it expects, and where
/// the rule stands.
#[derive(Args, Debug)]
pub(super) struct Cases {
    /// The cases to explain
    #[arg(value_name = "GLOB")]
    cases: Vec<Pattern>,

    /// One line per case: id and title
    #[arg(long)]
    list: bool,
}

impl Cases {
    pub(super) fn run(self) -> ExitCode {
        let text = if self.cases.is_empty() && !self.list {
            overview()
        } else {
            let ids = selection::select(catalog::known().to_vec(), &self.cases, &[]);
            match ids {
                Ok(ids) if self.list => chosen(&ids, false, None).iter().map(line).collect(),
                Ok(ids) => chosen(&ids, false, None).iter().map(explanation).collect(),
                Err(error) => return fail(&error, 2),
            }
        };
        super::print(&text);
        ExitCode::SUCCESS
    }
}

/// The cases with these ids, shortened as asked for.
pub(super) fn chosen(ids: &[CaseId], fast: bool, budget: Option<u64>) -> Vec<Case> {
    let budget = super::fuzzing_client::budget(budget);
    cases::all()
        .into_iter()
        .filter(|case| ids.contains(&case.id))
        .map(|case| if fast { case.fast() } else { case })
        .map(|case| match budget {
            Some(budget) => case.within(budget),
            None => case,
        })
        .collect()
}

fn overview() -> String {
    let all = cases::all();
    let mut text = String::new();
    let mut last = String::new();
    for case in &all {
        let parts: Vec<_> = case.id.parts().collect();
        for depth in 1..parts.len() {
            let prefix = parts[..depth].join(".");
            let shown = last == prefix || last.starts_with(&format!("{prefix}."));
            if shown {
                continue;
            }
            let below = format!("{prefix}.");
            let count = all
                .iter()
                .filter(|case| case.id.as_str().starts_with(&below))
                .count();
            let title = cases::section_title(&prefix).unwrap_or_default();
            let indent = "  ".repeat(depth - 1);
            text += &format!("{indent}{prefix:<21} {count:>4}  {title}\n");
        }
        last = parts[..parts.len() - 1].join(".");
    }
    text + &format!("{} cases\n", all.len())
}

fn line(case: &Case) -> String {
    format!("{:<24} {}\n", case.id, case.title)
}

fn explanation(case: &Case) -> String {
    let whom = match case.subjects {
        Subjects::Both => "servers and clients",
        Subjects::Servers => "servers",
        Subjects::Clients => "clients",
    };
    format!(
        "{}  {}\n  expects  {}\n  judges   {whom}\n  rule     {}\n\n",
        case.id, case.title, case.expectation, case.section
    )
}
