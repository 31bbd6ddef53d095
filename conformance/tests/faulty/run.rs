//! Cases against faults, in process, in virtual time, on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cloverleaf_conformance::faulty::{Fault, memory};
use cloverleaf_judge::case::{Case, Content, Opening, Plan};
use cloverleaf_judge::cases;
use cloverleaf_judge::session::Options;
use cloverleaf_reports::{CaseResult, CloseVerdict, Role, Verdict};
use tokio::runtime::Runtime;

/// Both roles.
pub(crate) const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// A case, and what it says of an honest subject.
pub(crate) struct Judged {
    pub(crate) role: Role,
    pub(crate) case: Case,
    pub(crate) honest: CaseResult,
}

impl Judged {
    /// `server 1.1.1`
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.role, self.case.id)
    }

    /// Whether the opening handshake is not the ordinary one.
    pub(crate) fn is_about_opening(&self) -> bool {
        matches!(
            self.case.opening,
            Opening::Request(_) | Opening::Response(_)
        )
    }

    /// What becomes of the verdicts under a fault, if they change.
    pub(crate) fn under(&self, runtime: &Runtime, fault: Fault) -> Option<(Verdict, CloseVerdict)> {
        let result = judge(runtime, self.role, &self.case, Some(fault));
        let changed = result.verdict != self.honest.verdict
            || result.close_verdict != self.honest.close_verdict;
        changed.then_some((result.verdict, result.close_verdict))
    }

    /// Whether a subject with this fault is found out: a verdict changes, and not for the better.
    /// A limit that is missing only informs.
    pub(crate) fn finds(&self, runtime: &Runtime, fault: Fault) -> bool {
        let verdicts = self.under(runtime, fault);
        verdicts.is_some_and(|(verdict, close)| (verdict, close) != (Verdict::Ok, CloseVerdict::Ok))
    }
}

/// All cases in both roles, those that take longest last.
pub(crate) fn honest() -> Vec<Judged> {
    let mut work = Vec::new();
    for role in ROLES {
        let cases = cases::all().into_iter().filter(wanted);
        let cases = cases.filter(|case| case.subjects.include(role));
        work.extend(cases.map(|case| (role, smaller(case))));
    }
    work.sort_by_key(|(_, case)| match (case.id.group(), &case.plan) {
        ("limits", _) => 2,
        ("deflate-frame", _) if case.id.parts().nth(1) == Some("limit") => 2,
        (_, Plan::Exchange(_)) => 1,
        _ => 0,
    });
    on_all_cores(&work, |runtime, (role, case)| Judged {
        role: *role,
        case: case.clone(),
        honest: judge(runtime, *role, case, None),
    })
}

/// Does the same to all items; the results are in their order.
pub(crate) fn on_all_cores<T: Sync, R: Send>(
    items: &[T],
    act: impl Fn(&Runtime, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = runtime();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else {
                        return;
                    };
                    let result = act(&runtime, item);
                    results.lock().expect("no thread panics").push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no thread panicked");
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A clock of its own.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O")
}

fn judge(runtime: &Runtime, role: Role, case: &Case, fault: Option<Fault>) -> CaseResult {
    runtime.block_on(memory::judge(role, case, fault, &Options::default()))
}

/// `CASES=6.4,close` in the environment narrows the cases down.
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
        // Still 64 KiB in one frame, and several fragments.
        if let Content::Repeated(_) = exchange.content {
            exchange.size = exchange.size.min(128 << 10);
        }
        for octets in [exchange.fragment, exchange.chop].into_iter().flatten() {
            exchange.size = exchange.size.min(octets * 64);
        }
    }
    case
}
