//! What was measured, by agent and case.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::catalog;
use cloverleaf_reports::model::{Suite, Tool};
use cloverleaf_reports::{CaseId, CaseResult, Record, Role, Run, Subject, Verdict, autobahn, html};
use tokio::sync::Notify;

/// Results as they come in, from many cases at a time.
#[derive(Debug)]
pub struct Results {
    role: Role,
    run: Mutex<Run>,
    /// The cases that are running, by agent.
    open: Mutex<HashSet<(String, CaseId)>>,
    news: Notify,
}

impl Results {
    /// No results yet, of subjects in this role.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            run: Mutex::new(Run::new(role)),
            open: Mutex::default(),
            news: Notify::new(),
        }
    }

    /// The role of the subjects.
    pub fn role(&self) -> Role {
        self.role
    }

    /// A case has begun: until its result is there, an earlier one is no verdict on it.
    pub(super) fn begin(&self, agent: &str, case: &CaseId) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert((agent.to_owned(), case.clone()));
    }

    /// Keeps a result. A later one of the same case replaces it.
    pub fn insert(&self, agent: &str, result: CaseResult) {
        let case = (agent.to_owned(), result.id.clone());
        let mut run = self.lock();
        match run
            .subjects
            .iter_mut()
            .find(|subject| subject.name == agent)
        {
            Some(subject) => {
                subject.insert(result);
            }
            None => {
                let mut subject = Subject::new(agent);
                subject.insert(result);
                run.subjects.push(subject);
            }
        }
        drop(run);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&case);
        drop(open);
        self.news.notify_waiters();
    }

    /// The verdict on a case, as soon as there is one.
    pub async fn verdict(&self, agent: &str, case: &CaseId) -> Verdict {
        loop {
            let news = self.news.notified();
            if let Some(verdict) = self.known(agent, case) {
                return verdict;
            }
            news.await;
        }
    }

    fn known(&self, agent: &str, case: &CaseId) -> Option<Verdict> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.contains(&(agent.to_owned(), case.clone())) {
            return None;
        }
        drop(open);
        let run = self.lock();
        let result = run.subject(agent)?.results.get(case)?;
        Some(result.verdict.clone())
    }

    /// All that there is so far. If the files of two agents would have the same names, the later
    /// agent gets a number.
    pub fn run(&self) -> Run {
        let mut run = self.lock().clone();
        let mut taken = HashSet::new();
        for subject in &mut run.subjects {
            let given = subject.name.clone();
            let mut number = 2;
            while !taken.insert(autobahn::file_stem(&subject.name)) {
                let end = format!(" {number}");
                // The part that counts for file names must not push the number out.
                let kept = given.chars().take(100).collect::<String>();
                subject.name = kept + &end;
                number += 1;
            }
        }
        run
    }

    /// All that there is so far, as a report has it, with what is missing and why.
    ///
    /// # Errors
    ///
    /// If two agents have one name; they have not, as results are kept by name.
    pub fn record(&self, troubles: &[String]) -> Result<Record, String> {
        record(self.run(), troubles)
    }

    /// How many cases of each agent have failed in either verdict.
    pub fn failures(&self) -> HashMap<String, usize> {
        let run = self.lock();
        let failed = |result: &&CaseResult| {
            result.verdict.standing().is_fail() || result.close_verdict.standing().is_fail()
        };
        run.subjects
            .iter()
            .map(|subject| {
                (
                    subject.name.clone(),
                    subject.results.values().filter(failed).count(),
                )
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes Autobahn's report files and a page into a folder.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; the message names it.
    pub fn write(&self, outdir: &Path, troubles: &[String]) -> io::Result<()> {
        autobahn::write_dir(outdir, &self.run()).map_err(io::Error::other)?;
        let record = self.record(troubles).map_err(io::Error::other)?;
        let page = outdir.join("index.html");
        fs::write(&page, html::render(&record))
            .map_err(|error| io::Error::other(format!("{}: {error}", page.display())))
    }
}

/// A record of a run by the native suite.
fn record(run: Run, troubles: &[String]) -> Result<Record, String> {
    let names: Vec<_> = run
        .subjects
        .iter()
        .map(|subject| subject.name.clone())
        .collect();
    let title = if names.is_empty() {
        "Nothing was judged".to_owned()
    } else {
        format!("{} judged by the native suite", names.join(", "))
    };
    let mut record = Record::new(title);
    record.tool = Some(Tool::new("cloverleaf", env!("CARGO_PKG_VERSION")));
    record.suite = Some(Suite::new("native", env!("CARGO_PKG_VERSION")));
    record.troubles = troubles.to_vec();
    record.sections = catalog::sections(
        run.subjects
            .iter()
            .flat_map(|subject| subject.results.keys()),
    );
    record.add(run).map_err(|error| error.to_string())?;
    record.started = record.first_case_started();
    Ok(record)
}
