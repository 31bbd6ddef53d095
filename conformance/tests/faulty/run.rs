//! Every case against every fault, in process, in virtual time, on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cloverleaf_conformance::faulty::{Fault, memory};
use cloverleaf_judge::case::{Case, Content, Plan};
use cloverleaf_judge::cases;
use cloverleaf_judge::session::Options;
use cloverleaf_reports::{CaseResult, CloseVerdict, Role, Verdict};

/// Both verdicts.
pub(crate) type Verdicts = (Verdict, CloseVerdict);

/// What one case says of an honest subject and of those with a fault.
pub(crate) struct Row {
    pub(crate) role: Role,
    pub(crate) case: Case,
    pub(crate) honest: CaseResult,
    /// The faults, in their order, under which a verdict changes, and what it becomes.
    pub(crate) changed: Vec<(Fault, Verdicts)>,
}

impl Row {
    /// `server 1.1.1`
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.role, self.case.id)
    }

    /// Whether a subject with this fault is found out: a verdict changes, and not for the better.
    pub(crate) fn finds(&self, fault: Fault) -> bool {
        let (verdict, close) = match self.changed.iter().find(|(other, _)| *other == fault) {
            Some((_, verdicts)) => verdicts,
            None => return false,
        };
        !(verdict.standing().is_pass() && close.standing().is_pass())
    }
}

/// Runs everything.
pub(crate) fn matrix() -> Vec<Row> {
    let mut work = Vec::new();
    for role in [Role::Server, Role::Client] {
        for case in cases::all() {
            if case.subjects.include(role) && wanted(&case) {
                work.push((role, smaller(case)));
            }
        }
    }
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((role, case)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = row(*role, case);
                    rows.lock().expect("no thread panics").push(row);
                }
            });
        }
    });
    rows.into_inner().expect("no thread panicked")
}

/// `CASES=6.4,close` in the environment narrows the matrix down.
fn wanted(case: &Case) -> bool {
    let only = std::env::var("CASES").unwrap_or_default();
    only.split(',')
        .any(|prefix| case.id.as_str().starts_with(prefix))
}

/// The cases of 9, 12 and 13 with fewer and smaller messages: what they can find does not depend
/// on how many there are.
fn smaller(mut case: Case) -> Case {
    if let Plan::Exchange(exchange) = &mut case.plan {
        exchange.count = exchange.count.min(3);
        // Still more than 64 KiB in one frame, and more than one fragment.
        if let Content::Repeated(_) = exchange.content {
            exchange.size = exchange.size.min(128 << 10);
        }
        if let Some(octets) = exchange
            .fragment
            .filter(|octets| exchange.size / octets > 64)
        {
            exchange.size = octets * 64;
        }
        if let Some(octets) = exchange.chop.filter(|octets| exchange.size / octets > 64) {
            exchange.size = octets * 64;
        }
    }
    case
}

/// One case, on a thread of its own and a clock of its own.
fn row(role: Role, case: &Case) -> Row {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O");
    runtime.block_on(async {
        let options = Options::default();
        let honest = memory::judge(role, case, None, &options).await;
        let mut changed = Vec::new();
        for fault in Fault::all().filter(|fault| fault.exists_in(role)) {
            let result = memory::judge(role, case, Some(fault), &options).await;
            let verdicts = (result.verdict, result.close_verdict);
            if verdicts != (honest.verdict.clone(), honest.close_verdict.clone()) {
                changed.push((fault, verdicts));
            }
        }
        Row {
            role,
            case: case.clone(),
            honest,
            changed,
        }
    })
}
