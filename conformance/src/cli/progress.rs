//! What a person sees while a check runs: a bar on a terminal, else a line now and then.

use std::cell::RefCell;
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
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    /// For each role that runs: cases judged, cases in all.
    server: Option<(usize, usize)>,
    client: Option<(usize, usize)>,
    unexpected: usize,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    pub(super) fn new(options: &Options) -> Self {
        let terminal = stderr().is_terminal();
        let cases = |role| (0, catalog::for_role(&options.cases, role).len());
        let roles = options.roles();
        let count = |role| roles.contains(&role).then(|| cases(role));
        let server = count(Role::Server);
        let client = count(Role::Client);
        let roles = u64::from(server.is_some()) + u64::from(client.is_some());
        // The bar counts expected time, not cases: those of groups 12 and 13 take far longer.
        let work: u64 = options.cases.iter().map(catalog::weight).sum();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let style =
            ProgressStyle::with_template("{bar:30} {percent:>3}% {elapsed} gone  {wide_msg}")
                .expect("the template is well-formed");
        let bar = ProgressBar::with_draw_target(Some(work * roles), target).with_style(style);
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
            state: RefCell::new(state),
        }
    }

    pub(super) fn show(&self, event: &Event) {
        match event {
            Event::Judged {
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
                    self.say(&format!("{role} {case}: {verdict}{close}"));
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
            Event::Trouble(trouble) => self.say(trouble),
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
