//! Multiplies real results to see how large a page of many subjects gets, and how long it takes:
//! `measure PAGE.html SUBJECTS CASES server=DIR client=DIR`, with folders as `check --out` writes
//! them. Some verdicts are made worse, so that there is something to remark.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use cloverleaf_reports::model::Suite;
use cloverleaf_reports::{
    CaseResult, CloseVerdict, Record, Role, Run, Subject, Verdict, autobahn, html,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [page, subjects, cases, directories @ ..] = &arguments[..] else {
        return Err("usage: measure PAGE.html SUBJECTS CASES server=DIR client=DIR".into());
    };
    let (subjects, cases): (usize, usize) = (subjects.parse()?, cases.parse()?);
    let mut sources = Vec::new();
    for argument in directories {
        let (role, directory) = argument.split_once('=').ok_or("expected role=DIR")?;
        let role = match role {
            "server" => Role::Server,
            _ => Role::Client,
        };
        sources.extend(autobahn::read_dir(Path::new(directory), role)?.subjects);
    }
    let mut record = Record::new("Implementations of WebSocket, measured");
    record.suite = Some(Suite::new("native", "0.1.0"));
    record.started = Some("2026-11-21 10:00 UTC".to_owned());
    record.host = Some("example, 2 cores".to_owned());
    record.runs = vec![Run::new(Role::Server), Run::new(Role::Client)];
    let names = [
        "cloverleaf",
        "websockets",
        "wsproto",
        "aiohttp",
        "ws4py",
        "autobahn",
        "ws",
        "websocket",
        "faye-websocket",
        "tokio-tungstenite",
        "fastwebsockets",
        "soketto",
        "yawc",
        "chromium",
    ];
    for number in 0..subjects {
        let role = number % sources.len().max(1);
        let source = sources.get(role).ok_or("no subject in the folders")?;
        let mut subject = Subject::new(*names.get(number / 2).unwrap_or(&"another"));
        subject.version = Some(format!("{}.{}", number % 4, number % 7));
        subject.language = Some(["Rust", "Python", "JavaScript"][number % 3].to_owned());
        subject.homepage = Some("https://example.org/".to_owned());
        let real = source.results.values();
        let more = source.results.values().map(|result| {
            let mut more = result.clone();
            more.id = format!("more.{}", result.id).parse().unwrap_or(more.id);
            more
        });
        for (position, mut result) in real.cloned().chain(more).take(cases).enumerate() {
            worsen(
                &mut result,
                number * 31 + position * 7 + position / 50,
                number,
            );
            result.verbatim = None;
            subject.insert(result);
        }
        record.runs[role].subjects.push(subject);
    }
    let before = Instant::now();
    let rendered = html::render(&record);
    println!(
        "{} bytes in {} ms",
        rendered.len(),
        before.elapsed().as_millis()
    );
    std::fs::write(page, rendered)?;
    Ok(())
}

/// Makes about one result in fifteen worse; of the first subject none.
fn worsen(result: &mut CaseResult, seed: usize, subject: usize) {
    result.duration_ms = result.duration_ms * (subject as u64 + 2) / 2;
    if subject == 0 {
        return;
    }
    match seed % 97 {
        0 => result.verdict = Verdict::Failed,
        1 => result.verdict = Verdict::NonStrict,
        2 => result.close_verdict = CloseVerdict::Unclean,
        3 => result.close_verdict = CloseVerdict::FailedByClient,
        4 => result.verdict = Verdict::Unimplemented,
        5 => {
            result.verdict = Verdict::Failed;
            result.accepted = Some("It answers before the handshake is complete.".to_owned());
        }
        _ => {}
    }
}
