//! Whole checks, with shell scripts in the place of the judge and of the subjects.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::catalog;
use crate::selection;
use crate::subject::{Start, SubjectCommand};

/// What every judge of these tests begins with: the folder and the cases of its shard, and a
/// way to give a verdict.
const JUDGE: &str = r#"#!/bin/sh
folder=$(dirname "$2")
mode=$4
cases=$(sed -n 's/^ *"\([0-9.]*\)",\{0,1\}$/\1/p' "$folder/spec.json")
judge() {
    server=$([ "$mode" = fuzzingserver ] && echo true || echo false)
    printf '{"agent":"Us","id":"%s","behavior":"%s","behaviorClose":"%s","duration":1,"remoteCloseCode":1000,"isServer":%s}' \
        "$1" "$2" "$3" $server > "$folder/cases/$1.json"
    printf '@verdict {"id":"%s","behavior":"%s","behaviorClose":"%s"}\n' "$1" "$2" "$3"
}
"#;

/// A server that comes up and does nothing.
const SERVER: &str = "echo listening on ws://127.0.0.1:9; cat";

struct Bench {
    folder: tempfile::TempDir,
    judge: Judge,
    options: Options,
}

impl Bench {
    fn new(judge: &str, cases: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let python = folder.path().join("python");
        fs::write(&python, format!("{JUDGE}{judge}")).expect("written");
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).expect("executable");
        let patterns: Vec<_> = cases
            .iter()
            .map(|text| text.parse().expect("a pattern"))
            .collect();
        let cases = selection::select(catalog::all(), &patterns, &[]).expect("not empty");
        let mut options = Options::new(Vec::new(), cases, folder.path().join("out"));
        options.jobs = NonZeroUsize::MIN;
        Self {
            judge: Judge::on(python),
            folder,
            options,
        }
    }

    fn server(mut self, command: &str) -> Self {
        self.add("Us", Role::Server, command);
        self
    }

    fn client(mut self, command: &str) -> Self {
        self.add("Us", Role::Client, command);
        self
    }

    fn add(&mut self, name: &str, role: Role, command: &str) {
        let start = Start::Command(SubjectCommand::shell(command));
        self.options.subjects.push(Subject::new(name, role, start));
    }

    async fn check(&self) -> (Outcome, Vec<String>) {
        let mut judged = Vec::new();
        let outcome = check(&By::Installed(self.judge.clone()), &self.options, |event| {
            if let Event::Judged {
                role,
                case,
                expected,
                ..
            } = event
            {
                judged.push(format!("{role} {case} {expected}"));
            }
        })
        .await
        .expect("a report");
        (outcome, judged)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.options.out.join(name)
    }

    fn index(&self, role: &str) -> serde_json::Value {
        let text = fs::read(self.file(role).join("index.json")).expect("an index");
        serde_json::from_slice(&text).expect("JSON")
    }
}

#[tokio::test]
async fn when_all_is_ok_there_is_a_report_and_nothing_else() {
    let bench = Bench::new(
        "for case in $cases; do judge $case OK OK; done",
        &["1.1.*", "2.10"],
    )
    .server(SERVER);
    let (outcome, judged) = bench.check().await;
    assert_eq!(outcome.exit_code(), 0);
    assert_eq!(judged.len(), 9);
    assert!(judged.contains(&"server 2.10 true".to_owned()));
    assert_eq!(
        bench.index("servers")["Us"]
            .as_object()
            .map(serde_json::Map::len),
        Some(9)
    );
    assert!(bench.file("servers/us_case_2_10.json").is_file());
    assert!(bench.file("index.html").is_file());
    assert!(
        !bench.file("run").exists(),
        "no logs are left after a success"
    );
    assert!(!bench.file("clients/index.json").exists());
}

#[tokio::test]
async fn a_failed_case_fails_the_check_and_keeps_the_logs() {
    let bench = Bench::new(
        "judge 1.1.1 OK OK; judge 1.1.2 NON-STRICT OK",
        &["1.1.1", "1.1.2"],
    )
    .server(SERVER);
    let (outcome, judged) = bench.check().await;
    assert_eq!(outcome.exit_code(), 1);
    assert_eq!(judged, ["server 1.1.1 true", "server 1.1.2 false"]);
    assert!(bench.file("run/Us-server/01/judge.log").is_file());
    assert!(bench.file("run/Us-server/server.log").is_file());
}

#[tokio::test]
async fn a_judge_that_breaks_off_leaves_an_incomplete_report_that_says_so() {
    let bench = Bench::new(
        "judge 1.1.1 OK OK; echo out of memory >&2; exit 9",
        &["1.1.*"],
    )
    .server(SERVER);
    let (outcome, _) = bench.check().await;
    assert_eq!(outcome.exit_code(), 3);
    let [trouble] = &outcome.troubles[..] else {
        panic!("{:?}", outcome.troubles)
    };
    for part in [
        "exit status: 9",
        "7 of 8 cases",
        "the first 1.1.2",
        "out of memory",
        "run/Us-server/01",
    ] {
        assert!(trouble.contains(part), "{part}: {trouble}");
    }
    assert_eq!(outcome.findings_of(&Reason::Missing).count(), 7);
    assert_eq!(bench.index("servers")["Us"]["1.1.1"]["behavior"], "OK");
}

#[tokio::test]
async fn a_server_that_never_comes_up_is_unreachable() {
    let bench = Bench::new("", &["1.1.1"]).server("echo no >&2; exit 1");
    let (outcome, _) = bench.check().await;
    assert_eq!(outcome.exit_code(), 3);
    let [trouble] = &outcome.troubles[..] else {
        panic!("{:?}", outcome.troubles)
    };
    for part in ["Us (server): ", "exit status: 1", "server.log"] {
        assert!(trouble.contains(part), "{part}: {trouble}");
    }
    assert_eq!(outcome.record.troubles, outcome.troubles);
    assert_eq!(outcome.findings_of(&Reason::Missing).count(), 1);
}

#[tokio::test]
async fn a_server_that_dies_in_mid_run_is_noticed() {
    let bench = Bench::new(
        // Waits until the server is gone, then ends as wstest does: without a complaint.
        "judge 1.1.1 OK OK; pid=$(cat \"$folder/../pid\"); kill $pid; \
         while kill -0 $pid 2>/dev/null; do :; done; exit 0",
        &["1.1.1", "1.1.2", "12.1.1"],
    );
    let pid = bench.file("run/Us-server/pid");
    let server = format!(
        "echo $$ > {}; {}",
        pid.display(),
        SERVER.replace("cat", "exec cat")
    );
    let bench = bench.server(&server);
    let (outcome, _) = bench.check().await;
    assert_eq!(outcome.exit_code(), 3);
    assert!(
        outcome
            .troubles
            .iter()
            .any(|trouble| trouble.contains("ended in mid-run")),
        "{:?}",
        outcome.troubles
    );
    assert!(bench.file("run/Us-server/01").is_dir());
    assert!(
        !bench.file("run/Us-server/02").exists(),
        "no shard begins without a server"
    );
}

#[tokio::test]
async fn a_client_walks_its_shard_and_is_told_where_and_as_whom() {
    let bench = Bench::new(
        "echo '@listening 4711'; for case in $cases; do judge $case OK OK; done; cat",
        &["1.1.1", "12.1.1"],
    );
    let seen = bench.folder.path().join("seen");
    let bench = bench.client(&format!("echo {{url}} {{agent}} >> {}", seen.display()));
    let (outcome, judged) = bench.check().await;
    assert_eq!(outcome.exit_code(), 0, "{:?}", outcome.troubles);
    assert_eq!(judged, ["client 1.1.1 true", "client 12.1.1 true"]);
    assert_eq!(
        fs::read_to_string(seen).expect("the client ran"),
        "ws://127.0.0.1:4711 Us\n".repeat(2)
    );
    assert_eq!(
        bench.index("clients")["Us"]
            .as_object()
            .map(serde_json::Map::len),
        Some(2)
    );
}

#[tokio::test]
async fn a_client_that_ends_early_leaves_missing_cases_and_its_status() {
    let bench = Bench::new(
        "echo '@listening 4711'; judge 1.1.1 OK OK; cat",
        &["1.1.1", "1.1.2"],
    )
    .client("exit 5");
    let (outcome, _) = bench.check().await;
    assert_eq!(outcome.exit_code(), 3);
    let [trouble] = &outcome.troubles[..] else {
        panic!("{:?}", outcome.troubles)
    };
    assert!(
        trouble.contains("Us (client): the client under test ended (exit status: 5)"),
        "{trouble}"
    );
    assert_eq!(bench.index("clients")["Us"]["1.1.1"]["behavior"], "OK");
}

#[tokio::test]
async fn verdicts_that_a_judge_gives_only_when_told_to_end_count() {
    let bench =
        Bench::new("echo '@listening 4711'; cat; judge 1.1.1 OK OK", &["1.1.1"]).client("true");
    let (outcome, _) = bench.check().await;
    assert_eq!(outcome.exit_code(), 0, "{:?}", outcome.troubles);
}

#[tokio::test]
async fn allowed_cases_are_shown_as_expected() {
    let mut bench = Bench::new("judge 6.4.1 FAILED UNCLEAN", &["6.4.1"]).server(SERVER);
    bench.options.allow = vec!["6.*".parse().expect("a pattern")];
    let (outcome, judged) = bench.check().await;
    assert_eq!(outcome.exit_code(), 0);
    assert_eq!(judged, ["server 6.4.1 true"]);
}

#[tokio::test]
async fn a_new_report_takes_the_place_of_the_old_and_leaves_strangers_files_alone() {
    let bench =
        Bench::new("for case in $cases; do judge $case OK OK; done", &["1.1.1"]).server(SERVER);
    for old in [
        "servers/us_case_9_9_9.json",
        "clients/index.json",
        "servers/notes.txt",
    ] {
        let old = bench.file(old);
        fs::create_dir_all(old.parent().expect("has one")).expect("created");
        fs::write(old, "old").expect("written");
    }
    assert_eq!(bench.check().await.0.exit_code(), 0);
    assert!(!bench.file("servers/us_case_9_9_9.json").exists());
    assert!(!bench.file("clients/index.json").exists());
    assert!(bench.file("servers/notes.txt").exists());
}

#[tokio::test]
async fn two_checks_cannot_write_to_one_folder() {
    let bench = Bench::new("", &["1.1.1"]).server(SERVER);
    fs::create_dir_all(&bench.options.out).expect("created");
    let held = fs::File::create(bench.file(".lock")).expect("created");
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).expect("locked");
    let error = check(&By::Installed(bench.judge.clone()), &bench.options, |_| {})
        .await
        .expect_err("refused");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("another run"), "{error}");
    assert!(!Path::new(&bench.file("run")).exists());
}

/// A check by the native suite of our engine's neighbours: shell scripts as clients and servers.
struct Field {
    folder: tempfile::TempDir,
    options: Options,
}

impl Field {
    fn new(cases: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let patterns: Vec<_> = cases
            .iter()
            .map(|text| text.parse().expect("a pattern"))
            .collect();
        let known = catalog::known().iter().cloned();
        let cases = selection::select(known, &patterns, &[]).expect("not empty");
        let mut options = Options::new(Vec::new(), cases, folder.path().join("out"));
        options.jobs = NonZeroUsize::MIN;
        Self { folder, options }
    }

    fn subject(mut self, name: &str, role: Role, start: Start) -> Self {
        self.options.subjects.push(Subject::new(name, role, start));
        self
    }

    /// An echo server of our own that runs in this process.
    async fn good_server(self, name: &str) -> Self {
        let config = crate::profile::config(true).expect("valid");
        let address = ([127, 0, 0, 1], 0).into();
        let server = crate::echo::EchoServer::bind(address, None, config)
            .await
            .expect("a free port");
        let url = server.url().expect("bound");
        tokio::spawn(server.serve_until(std::future::pending()));
        self.subject(name, Role::Server, Start::Running(url))
    }

    async fn check(&self) -> Outcome {
        check(&By::Us, &self.options, |_| {})
            .await
            .expect("a report")
    }
}

fn shell(line: &str) -> Start {
    Start::Command(SubjectCommand::shell(line))
}

fn verdicts(outcome: &Outcome, name: &str) -> Vec<String> {
    let found = outcome
        .record
        .subjects()
        .find(|(_, subject)| subject.name == name);
    let results = found.expect("it has a column").1.results.values();
    results.map(|result| result.verdict.to_string()).collect()
}

#[tokio::test]
async fn a_good_subject_is_judged_beside_those_that_never_run() {
    let impatient = SubjectCommand::shell("exec sleep 600").patient_for(Duration::from_millis(50));
    let field = Field::new(&["1.1.1", "7.7.*"])
        .subject(
            "absent",
            Role::Server,
            Start::Unavailable("no network".to_owned()),
        )
        .subject("dies", Role::Server, shell("echo oh >&2; exit 9"))
        .subject("hangs", Role::Server, Start::Command(impatient))
        .subject("quits", Role::Client, shell("exit 5"))
        .subject(
            "nothing",
            Role::Client,
            Start::Command(SubjectCommand::program("/no/such/program", Vec::new())),
        )
        .good_server("good")
        .await;
    let outcome = field.check().await;
    assert_eq!(outcome.exit_code(), 3);
    assert_eq!(verdicts(&outcome, "good"), ["OK"; 14]);
    for (name, role, part) in [
        ("absent", "server", "no network"),
        ("dies", "server", "exit status: 9"),
        ("hangs", "server", "within 0 s"),
        ("quits", "client", "exit status: 5"),
        ("nothing", "client", "cannot be started"),
    ] {
        assert_eq!(verdicts(&outcome, name), ["MISSING"; 14], "{name}");
        let about = format!("{name} ({role}): ");
        let mut troubles = outcome.troubles.iter();
        assert!(
            troubles.any(|trouble| trouble.starts_with(&about) && trouble.contains(part)),
            "{name}: {:?}",
            outcome.troubles
        );
    }
    let title = &outcome.record.title;
    assert!(
        title.starts_with("6 implementations judged by the native suite"),
        "{title}"
    );
    assert_eq!(outcome.record.troubles, outcome.troubles);
    let out = &field.options.out;
    assert!(out.join("run/dies-server/server.log").is_file());
    let text = fs::read_to_string(out.join("results.json")).expect("written");
    assert_eq!(
        cloverleaf_reports::Record::from_json(&text).expect("a record"),
        outcome.record
    );
    assert_eq!(
        outcome.record.section_title("7"),
        cloverleaf_judge::cases::section_title("7")
    );
    drop(field.folder);
}

#[tokio::test]
async fn the_columns_are_in_the_order_of_the_list_whoever_is_done_first() {
    for names in [["a", "b", "c"], ["c", "b", "a"]] {
        let mut field = Field::new(&["1.1.*"]);
        field.options.jobs = NonZeroUsize::new(3).expect("not 0");
        for name in names {
            field = field.good_server(name).await;
        }
        let outcome = field.check().await;
        assert_eq!(outcome.exit_code(), 0, "{:?}", outcome.troubles);
        let columns = outcome
            .record
            .subjects()
            .map(|(_, subject)| subject.name.clone());
        assert_eq!(columns.collect::<Vec<_>>(), names);
        assert!(
            !field.options.out.join("run").exists(),
            "no logs after a success"
        );
    }
}

#[tokio::test]
async fn a_known_deviation_is_accepted_with_its_reason_and_one_that_does_not_show_is_outdated() {
    let file = |case: &str, verdict: &str| {
        let text = format!(
            "[[deviation]]\nrole = \"server\"\ncases = [\"{case}\"]\nbehavior = \"{verdict}\"\n\
             close = [\"OK\", \"FAILED\"]\nreason = \"no probe\"\n"
        );
        crate::deviation::Deviation::parse(&text).expect("valid")
    };
    let mut field = Field::new(&["1.1.1", "12.1.1"]);
    field.options.fast = true;
    let config = crate::profile::config(false).expect("valid");
    let address = ([127, 0, 0, 1], 0).into();
    let server = crate::echo::EchoServer::bind(address, None, config)
        .await
        .expect("a free port");
    let start = Start::Running(server.url().expect("bound"));
    tokio::spawn(server.serve_until(std::future::pending()));
    field = field.subject("plain", Role::Server, start);
    assert_eq!(
        field.check().await.exit_code(),
        1,
        "UNIMPLEMENTED is not expected"
    );

    field.options.subjects[0].deviations = file("12.*", "UNIMPLEMENTED");
    let outcome = field.check().await;
    assert_eq!(outcome.exit_code(), 0);
    let (_, column) = outcome.record.subjects().next().expect("one");
    let accepted: Vec<_> = column
        .results
        .values()
        .map(|result| result.accepted.as_deref())
        .collect();
    assert_eq!(accepted, [None, Some("no probe")]);
    assert!(
        outcome.record.notes[0].contains("a tenth"),
        "{:?}",
        outcome.record.notes
    );

    field.options.subjects[0]
        .deviations
        .extend(file("1.1.1", "FAILED"));
    let outcome = field.check().await;
    assert_eq!(outcome.exit_code(), 1);
    assert_eq!(outcome.outdated[0].cases, "1.1.1");
}

#[tokio::test]
async fn a_server_that_goes_away_in_mid_run_is_started_again_once() {
    let dying = async || {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        // One connection is dropped; the next ones are refused.
        tokio::spawn(async move { listener.accept().await.map(drop) });
        format!("ws://{address}")
    };
    let good = Field::new(&["1.1.*"]).good_server("good").await;
    let Start::Running(good) = &good.options.subjects[0].start else {
        panic!("it runs")
    };
    for (second, code, missing) in [(good.clone(), 1, 0), (dying().await, 3, 6)] {
        let field = Field::new(&["1.1.*"]);
        let mark = field.folder.path().join("mark");
        let script = format!(
            "if [ -e {mark} ]; then echo listening on {second}; \
             else touch {mark}; echo listening on {first}; fi; cat",
            mark = mark.display(),
            first = dying().await,
        );
        let field = field.subject("x", Role::Server, shell(&script));
        let outcome = field.check().await;
        assert_eq!(outcome.exit_code(), code, "{:?}", outcome.troubles);
        let notes = outcome.record.notes.join("\n");
        assert!(
            notes.contains("started again, with 7 left to run"),
            "{notes}"
        );
        let results = verdicts(&outcome, "x");
        assert_eq!(results[0], "FAILED");
        let gone = results.iter().filter(|verdict| *verdict == "MISSING");
        assert_eq!(gone.count(), missing, "{results:?}");
    }
}
