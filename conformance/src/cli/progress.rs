//! What a person sees while a check runs: a bar on a terminal, else a line now and then.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use cloverleaf_conformance::catalog;
use cloverleaf_conformance::check::{Event, Options};
use cloverleaf_reports::{CloseVerdict, Role};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The state of a run, shown on standard error.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    terminal: bool,
    /// Whether lines must say which subject they are about.
    several: bool,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    /// For each role that runs: cases judged, cases in all, of all subjects.
    server: Option<(usize, usize)>,
    client: Option<(usize, usize)>,
    unexpected: usize,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    pub(super) fn new(options: &Options) -> Self {
        let terminal = stderr().is_terminal();
        let count = |role| {
            let of_role = options
                .subjects
                .iter()
                .filter(|subject| subject.role == role);
            let cases = of_role.map(|subject| catalog::for_subject(&options.cases, subject).len());
            match cases.sum() {
                0 => None,
                cases => Some((0, cases)),
            }
        };
        let server = count(Role::Server);
        let client = count(Role::Client);
        let names: BTreeSet<&str> = options
            .subjects
            .iter()
            .map(|subject| subject.name.as_str())
            .collect();
        let several = names.len() > 1;
        // The bar counts expected time, not cases: those of groups 12 and 13 take far longer.
        let work: u64 = options.cases.iter().map(catalog::weight).sum();
        let subjects = u64::try_from(options.subjects.len()).unwrap_or(u64::MAX);
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let style =
            ProgressStyle::with_template("{bar:30} {percent:>3}% {elapsed} gone  {wide_msg}")
                .expect("the template is well-formed");
        let bar = ProgressBar::with_draw_target(Some(work.saturating_mul(subjects)), target)
            .with_style(style);
        if terminal {
            bar.enable_steady_tick(Duration::from_millis(500));
        }
        let now = Instant::now();
        let state = State {
            server,
            client,
            unexpected: 0,
            started: now,
            last_line: now,
        };
        bar.set_message(state.to_string());
        Self {
            bar,
            terminal,
            several,
            state: RefCell::new(state),
        }
    }

    pub(super) fn show(&self, event: &Event) {
        match event {
            Event::Judged {
                subject,
                role,
                case,
                verdict,
                close_verdict,
                expected,
                ..
            } => {
                let mut state = self.state.borrow_mut();
                let count = match role {
                    Role::Server => &mut state.server,
                    Role::Client => &mut state.client,
                };
                if let Some((judged, _)) = count {
                    *judged += 1;
                }
                self.bar.inc(catalog::weight(case));
                if !expected {
                    state.unexpected += 1;
                    let close = match close_verdict {
                        CloseVerdict::Ok => String::new(),
                        other => format!(", close {other}"),
                    };
                    let who = match self.several {
                        true => format!("{subject} ({role})"),
                        false => role.to_string(),
                    };
                    self.say(&format!("{who} {case}: {verdict}{close}"));
                }
                self.bar.set_message(format!("{state}{}", self.left()));
                if !self.terminal && state.last_line.elapsed() >= LINE_EVERY {
                    state.last_line = Instant::now();
                    eprintln!(
                        "{:>4} s: {state}{}",
                        state.started.elapsed().as_secs(),
                        self.left()
                    );
                }
            }
            Event::Remark(line) | Event::Trouble(line) => self.say(line),
            _ => {}
        }
    }

    /// How long the rest will take if it goes on like this: the bar's position is expected time.
    fn left(&self) -> String {
        let done = self.bar.position();
        let rest = self.bar.length().unwrap_or(done).saturating_sub(done);
        if done == 0 || rest == 0 {
            return String::new();
        }
        let seconds = u128::from(rest) * self.bar.elapsed().as_millis() / u128::from(done) / 1000;
        format!("; about {seconds} s left")
    }

    fn say(&self, line: &str) {
        if self.terminal {
            self.bar.println(line);
        } else {
            eprintln!("{line}");
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
        let state = self.state.borrow();
        eprintln!("{state}, in {} s", state.started.elapsed().as_secs());
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut separator = "";
        for (name, count) in [("server", self.server), ("client", self.client)] {
            if let Some((judged, all)) = count {
                write!(f, "{separator}{name} {judged}/{all}")?;
                separator = ", ";
            }
        }
        if self.unexpected > 0 {
            write!(f, ", {} not as expected", self.unexpected)?;
        }
        Ok(())
    }
}
