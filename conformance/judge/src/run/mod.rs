//! One case over one connection: the opening handshake, the session, the verdict.

mod agreement;
mod challenge;
mod client;
mod guard;
mod server;
mod wire;

use std::time::{Duration, SystemTime};

use cloverleaf_reports::model::Detail;
use cloverleaf_reports::{CaseResult, CloseVerdict, Role, Verdict};
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep_until, timeout};

use crate::case::{Case, Judgement, Program};
use crate::http::Head;
use crate::random::Random;
use crate::session::{Options, Session, Write};
use agreement::Agreement;
pub use challenge::{Visits, judge_challenged};
pub use client::{Place, judge_server};
pub use guard::{Dial, judge_guard, without_credentials};
pub use server::{ReadHeadError, Received, judge_client, read_head, talk_to_client};
use wire::Wire;

/// How long the judge tries to write what is left before it ends TCP.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// The time between two pieces of a frame that is sent in pieces.
const PACE: Duration = Duration::from_millis(1);

/// The octets that the judge reads at once.
const READ: usize = 64 << 10;

/// What a run has to say before it is a result.
struct Report {
    begun: Instant,
    started: SystemTime,
    detail: Detail,
    agent: Option<String>,
}

impl Report {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            started: SystemTime::now(),
            detail: Detail::default(),
            agent: None,
        }
    }

    /// A request of several.
    fn add_request(&mut self, text: &str) {
        self.detail.request.get_or_insert_default().push_str(text);
    }

    /// A response of several.
    fn add_response(&mut self, text: &str) {
        self.detail.response.get_or_insert_default().push_str(text);
    }

    /// The result of a case whose connection never opened, or should not have.
    fn finish(mut self, case: &Case, judgement: Judgement) -> CaseResult {
        self.detail.result = Some(judgement.result);
        self.detail.result_close = Some(judgement.result_close);
        self.detail.started = Some(in_milliseconds(self.started.into()));
        let mut result =
            CaseResult::new(case.id.clone(), judgement.verdict, judgement.close_verdict);
        if case.is_informational() {
            // Even if there never was a connection: the original has it so.
            result.verdict = Verdict::Informational;
            result.close_verdict = CloseVerdict::Informational;
        }
        result.title = Some(case.title.clone());
        result.description = Some(format!("{} ({})", case.title, case.section));
        result.expectation = Some(case.expectation.clone());
        result.duration_ms = self
            .begun
            .elapsed()
            .as_millis()
            .try_into()
            .unwrap_or(u64::MAX);
        result.remote_close_code = self
            .detail
            .close
            .as_ref()
            .and_then(|close| close.subject_code);
        result.detail = Some(self.detail);
        result
    }

    /// The result of a case whose connection was open.
    fn finish_session(
        mut self,
        case: &Case,
        session: Session,
        program: &mut dyn Program,
        overdue: bool,
    ) -> CaseResult {
        let mut judgement = program.judge(&session);
        if overdue {
            judgement.verdict = Verdict::Failed;
            judgement.result = "The case did not end within its time.".to_owned();
        }
        program.describe(&mut self.detail);
        self.detail.close = Some(session.close_facts().clone());
        if session.is_compressed() || session.compresses_frames() {
            self.detail.traffic = Some(session.log.traffic());
        }
        session.log.into_detail(&mut self.detail);
        self.finish(case, judgement)
    }
}

/// UTC with three places, as the original writes it: `2020-09-07T18:44:08.089Z`.
fn in_milliseconds(moment: OffsetDateTime) -> String {
    let (hour, minute, second, millisecond) = moment.time().as_hms_milli();
    let date = moment.date();
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// The judgement on a connection that did not come about.
fn never_opened(reason: &str) -> Judgement {
    Judgement {
        verdict: Verdict::Failed,
        close_verdict: CloseVerdict::Failed,
        result: format!("The opening handshake was not completed: {reason}."),
        result_close: "There was no connection to close.".to_owned(),
    }
}

/// A connection that went well and had better not been opened is tolerable.
fn should_not_have_opened(result: &mut CaseResult) {
    if result.verdict == Verdict::Ok {
        result.verdict = Verdict::NonStrict;
        if let Some(detail) = &mut result.detail {
            detail.result = Some("The subject opened the connection, and it worked.".to_owned());
        }
    }
}

/// Carries a case's plan out over a connection that its opening handshake has opened. Also says
/// whether the subject gave it up by itself, without a single frame.
async fn carry_out<S: AsyncRead + AsyncWrite>(
    wire: Wire<S>,
    report: Report,
    mut agreement: Agreement,
    subject: Role,
    case: &Case,
    options: &Options,
    random: Random,
) -> (CaseResult, bool) {
    let begun = report.begun;
    let request = report.detail.request.as_deref();
    let request = request.and_then(|text| Head::parse(text.as_bytes()));
    let multiplexing = agreement.multiplexing(request.map(|(head, _)| head));
    let mut session = Session::open(
        subject,
        options.clone(),
        agreement.compression,
        random,
        wire.log,
        begun.elapsed(),
    );
    if let Some((layer, order)) = agreement.layer {
        session.set_layer(layer, order);
    }
    if let Some(agreed) = multiplexing {
        session.set_multiplexing(agreed);
    }
    let mut program = case.start();
    program.on_open(&mut session);
    session.handle_leftover(&wire.rest);
    let overdue = pump(
        wire.stream,
        &mut session,
        &mut *program,
        begun,
        case.time_limit(),
    )
    .await;
    let gave_up = session.log.frames_received_in_all() == 0 && !overdue;
    let result = report.finish_session(case, session, &mut *program, overdue);
    (result, gave_up)
}

/// Moves octets between a transport and a session until the connection is over. Returns whether
/// it took too long.
async fn pump<S: AsyncRead + AsyncWrite>(
    stream: S,
    session: &mut Session,
    program: &mut dyn Program,
    begun: Instant,
    limit: Duration,
) -> bool {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = vec![0; READ];
    let mut writing: Option<(Write, usize)> = None;
    let (mut broken, mut half_closed) = (false, false);
    let end = Instant::now() + limit;
    let sleep = sleep_until(end);
    tokio::pin!(sleep);
    loop {
        while let Some(event) = session.next_event() {
            program.on_event(session, event);
        }
        if writing.is_none() {
            writing = session
                .poll_write()
                .map(|write| (write, 0))
                .filter(|_| !broken);
        }
        if session.is_aborted() || session.is_over() && writing.is_none() {
            break;
        }
        if session.is_half_closed() && writing.is_none() && !half_closed {
            half_closed = true;
            // The subject may be gone already.
            let _ = writer.shutdown().await;
        }
        let wake = session
            .poll_timeout()
            .map_or(end, |after| end.min(begun + after));
        if sleep.deadline() != wake {
            sleep.as_mut().reset(wake);
        }
        let unwritten = writing
            .as_ref()
            .map_or(&[][..], |(write, done)| &write.octets[*done..]);
        tokio::select! {
            read = reader.read(&mut buffer) => match read {
                Ok(0) | Err(_) => session.handle_end(begun.elapsed()),
                Ok(count) => session.handle_input(begun.elapsed(), &buffer[..count]),
            },
            written = writer.write(unwritten), if !unwritten.is_empty() => match written {
                Ok(0) | Err(_) => {
                    // What the subject said before it went away is still to be read.
                    writing = None;
                    broken = true;
                }
                Ok(count) => {
                    if let Some((write, done)) = &mut writing {
                        *done += count;
                        if *done == write.octets.len() {
                            let (alone, pause) = (write.alone, write.pause);
                            writing = None;
                            // A failed flush shows at the next write.
                            let _ = writer.flush().await;
                            if pause {
                                tokio::time::sleep(PACE).await;
                            } else if alone {
                                tokio::task::yield_now().await;
                            }
                        }
                    }
                }
            },
            () = &mut sleep => {
                if Instant::now() >= end {
                    session.note_unclean("the case did not end within its time");
                    session.drop_connection(true);
                    return true;
                }
                session.handle_timeout(begun.elapsed());
            }
        }
    }
    if !session.is_aborted() {
        // The subject may be gone already.
        let _ = timeout(LAST_WRITES, writer.shutdown()).await;
    }
    false
}
