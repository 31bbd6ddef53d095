//! `cloverleaf parity`

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use cloverleaf_conformance::catalog;
use cloverleaf_conformance::parity::{self, Comparison, Difference, Listed, Plan};
use cloverleaf_conformance::selection::{self, Pattern};
use cloverleaf_conformance::subject::{Start, Subject};
use cloverleaf_conformance::subjects::Subjects;
use cloverleaf_conformance::suite::{Judge, Suite};

use super::fail;

/// Compare the native suite with the original, verdict for verdict
///
/// Runs the same cases by each suite over the same subjects, and prints every case that they judge
/// differently. Differences from wstest must be listed with their reason; kosoku's are only shown.
/// Exit code: 0 no others, 1 differences, or entries of the list that are out of date, 2 usage,
/// 3 a suite or a subject that could not be run.
#[derive(Args, Debug)]
pub(super) struct Parity {
    /// The suites to compare with
    #[arg(long, value_enum, num_args = 1.., value_delimiter = ',', default_values = ["wstest", "kosoku"])]
    suite: Vec<SuiteName>,

    /// Over which subjects: our own, each with one fault, foreign ones from registries
    #[arg(long, value_enum, num_args = 1.., value_delimiter = ',', default_values = ["ours", "faults", "foreign"])]
    subjects: Vec<SubjectsName>,

    /// Only subjects whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    /// Only subjects in this role
    #[arg(long, value_enum, default_value_t = super::check::RoleName::Both)]
    role: super::check::RoleName,

    /// Which cases; without this all but most of the long ones: of 9, 12 and 13 one of each kind
    #[arg(long, value_name = "GLOB", num_args = 1.., value_delimiter = ',')]
    cases: Vec<Pattern>,

    /// How many subjects are judged at a time
    #[arg(long, value_name = "N", default_value = "2")]
    jobs: NonZeroUsize,

    /// The folder for the reports
    #[arg(long, value_name = "DIR", default_value = "reports/out/parity")]
    out: PathBuf,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum SuiteName {
    Wstest,
    Kosoku,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum SubjectsName {
    Ours,
    Faults,
    Foreign,
}

/// The cases of groups 9, 12 and 13 that stand for the others of their kind.
const REPRESENTATIVES: [&str; 16] = [
    "9.1.1", "9.2.1", "9.3.9", "9.4.9", "9.5.6", "9.6.6", "9.7.1", "9.8.1", "12.1.1", "12.5.2",
    "13.1.1", "13.2.1", "13.3.3", "13.4.1", "13.5.3", "13.7.3",
];

impl Parity {
    pub(super) fn run(self) -> ExitCode {
        match super::runtime() {
            Ok(runtime) => runtime.block_on(self.compare()),
            Err(error) => fail(&error, 2),
        }
    }

    async fn compare(self) -> ExitCode {
        let listed = match Listed::all() {
            Ok(listed) => listed,
            Err(error) => return fail(&error, 2),
        };
        let cases = match selection::select(catalog::all(), &self.patterns(), &[]) {
            Ok(cases) => cases,
            Err(error) => return fail(&error, 2),
        };
        let mut troubles = Vec::new();
        let subjects = match self.chosen(&mut troubles) {
            Ok(subjects) => subjects,
            Err(error) => return fail(&error, 2),
        };
        let mut judges = Vec::new();
        for suite in &self.suite {
            let suite = match suite {
                SuiteName::Wstest => Suite::Wstest,
                SuiteName::Kosoku => Suite::Kosoku,
            };
            match Judge::prepare(suite, &mut |line| eprintln!("{line}")) {
                Ok(judge) => judges.push(judge),
                Err(error) => return fail(&error, 3),
            }
        }
        println!("{} cases, {} subjects", cases.len(), subjects.len());
        let mut plan = Plan::new(subjects, judges, cases.clone(), self.out.clone());
        plan.jobs = self.jobs;

        let mut unexplained = 0;
        let mut shown: Vec<bool> = vec![false; listed.len()];
        let mut looked: Vec<bool> = vec![false; listed.len()];
        parity::compare(plan, |comparison| {
            unexplained += print(&comparison, &listed, &mut shown);
            for (at, entry) in listed.iter().enumerate() {
                let covered = cases
                    .iter()
                    .any(|case| entry.cases.iter().any(|p| p.matches(case)));
                looked[at] |= covered && entry.concerns(&comparison);
            }
            for trouble in &comparison.troubles {
                println!("  INCOMPLETE: {trouble}");
            }
            troubles.extend(comparison.troubles);
        })
        .await;

        let mut outdated = 0;
        for (at, entry) in listed.iter().enumerate() {
            if looked[at] && !shown[at] && entry.steady {
                outdated += 1;
                println!(
                    "OUT OF DATE: {} / {}: {}",
                    entry.subject, entry.suite, entry.reason
                );
            }
        }
        if unexplained + outdated > 0 {
            println!(
                "{unexplained} differences that are not listed, {outdated} entries out of date."
            );
            ExitCode::from(1)
        } else if troubles.is_empty() {
            println!("No differences but those listed.");
            ExitCode::SUCCESS
        } else {
            println!("The comparison is INCOMPLETE.");
            ExitCode::from(3)
        }
    }

    fn patterns(&self) -> Vec<Pattern> {
        if !self.cases.is_empty() {
            return self.cases.clone();
        }
        ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
            .iter()
            .chain(&REPRESENTATIVES)
            .filter_map(|pattern| pattern.parse().ok())
            .collect()
    }

    fn chosen(
        &self,
        troubles: &mut Vec<String>,
    ) -> Result<Vec<Subject>, Box<dyn std::error::Error>> {
        let mut subjects = Vec::new();
        if self.subjects.contains(&SubjectsName::Ours) {
            subjects.extend(parity::ours()?);
        }
        if self.subjects.contains(&SubjectsName::Foreign) {
            let wanted = |name: &str| self.only.as_ref().is_none_or(|text| name.contains(text));
            let shipped = Subjects::shipped()?;
            for library in shipped.libraries() {
                if !library.is_installed() || !wanted(library.name()) {
                    continue;
                }
                let roles: Vec<_> = library.roles().collect();
                for subject in library.subjects(&roles, &mut |line| eprintln!("{line}")) {
                    if let Start::Unavailable(reason) = &subject.start {
                        let trouble = format!("{subject}: {reason}");
                        println!("INCOMPLETE: {trouble}");
                        troubles.push(trouble);
                    } else {
                        subjects.push(subject);
                    }
                }
            }
        }
        if self.subjects.contains(&SubjectsName::Faults) {
            subjects.extend(parity::faulty()?);
        }
        subjects.retain(|subject| self.role.includes(subject.role));
        if let Some(text) = &self.only {
            subjects.retain(|subject| subject.name.contains(text));
        }
        Ok(subjects)
    }
}

/// Shows a comparison; returns how many of its differences count against parity.
fn print(comparison: &Comparison, listed: &[Listed], shown: &mut [bool]) -> usize {
    let Comparison {
        subject,
        role,
        suite,
        compared,
        ..
    } = comparison;
    let counts = *suite == Suite::Wstest.name();
    let mut unexplained = 0;
    let explained = |difference: &Difference, shown: &mut [bool]| {
        let at = listed
            .iter()
            .position(|entry| entry.concerns(comparison) && entry.explains(difference))?;
        shown[at] = true;
        Some(at)
    };
    println!(
        "{subject} ({role}), {suite}: {compared} cases, {} judged differently{}",
        comparison.differences.len(),
        match comparison.unsteady.len() {
            0 => String::new(),
            count => format!(", {count} once only"),
        }
    );
    for difference in &comparison.differences {
        match explained(difference, shown) {
            Some(at) => println!("  {difference} (listed: {})", listed[at].reason),
            None => {
                unexplained += usize::from(counts);
                println!("  {difference}");
            }
        }
    }
    for difference in &comparison.unsteady {
        // A listed one may be unsteady.
        let _ = explained(difference, shown);
        println!("  once only: {difference}");
    }
    unexplained
}
