//! The HTML page: byte for byte, and against hostile records.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cloverleaf_reports::model::{
    Close, Direction, Event, ExpectedClose, Suite, TimerEvent, Tool, WireRow,
};
use cloverleaf_reports::{
    CaseId, CaseResult, CloseVerdict, Detail, Record, Role, Run, Subject, Verdict, autobahn, html,
    text,
};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn id(text: &str) -> CaseId {
    text.parse().expect("a case id")
}

/// A few cases as wstest recorded them, and one that did not run.
fn sample() -> Record {
    let mut record = Record::new("Sample of conformance");
    record.tool = Some(Tool::new("cloverleaf", "0.1.0"));
    record.suite = Some(Suite::new("Autobahn TestSuite", "25.10.1"));
    record.started = Some("2026-11-21 04:27 UTC".into());
    record.host = Some("example, 2 cores".into());
    for role in [Role::Server, Role::Client] {
        let directory = tests().join("wstest").join(role.as_str());
        let mut run = autobahn::read_dir(&directory, role).expect("a report");
        if role == Role::Client {
            run.expect_cases(&[id("7.1.5"), id("10.1.1")]);
        }
        record.add(run).expect("one run of each role");
    }
    record
}

/// Compares with a file in `tests/golden`, or writes it when `UPDATE_GOLDEN` is set.
fn assert_golden(name: &str, actual: &str) {
    let path = tests().join("golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).expect("the golden file");
    }
    let expected = fs::read_to_string(&path).expect("the golden file");
    let differs = expected
        .lines()
        .zip(actual.lines())
        .position(|(left, right)| left != right);
    assert!(
        expected == actual,
        "{name} differs from line {:?}: look at it, then run again with UPDATE_GOLDEN=1",
        differs.map(|line| line + 1)
    );
}

#[test]
fn the_sample_is_rendered_byte_for_byte() {
    assert_golden("sample.html", &html::render(&sample()));
    assert_golden("sample.txt", &text::table(&sample()));
}

#[test]
fn a_record_read_from_its_json_gives_the_same_page() {
    let record = sample();
    let again = Record::from_json(&record.to_json()).expect("a record");
    assert_eq!(html::render(&again), html::render(&record));
}

/// The values of an attribute, quoted or not.
fn attribute<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    page.split(&format!(" {name}="))
        .skip(1)
        .map(|rest| match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => rest.split([' ', '>']).next().unwrap_or_default(),
        })
        .collect()
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = html::render(&sample());
    for load in [
        "http:", "https:", " src=", "url(", "<link", "@import", "<img", "<iframe", "fetch(",
    ] {
        assert!(!page.contains(load), "{load}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn every_link_leads_to_one_place_on_the_page() {
    let page = html::render(&sample());
    let ids = attribute(&page, "id");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "an address given twice");
    let links = attribute(&page, "href");
    assert!(links.len() > 20);
    for link in links {
        let target = link.strip_prefix('#').expect("links stay on the page");
        assert!(unique.contains(target), "{link} leads nowhere");
    }
    for address in [
        "7.1.5",
        "7.1.5:server:python_websockets_15",
        "10.1.1",
        "g:7",
        "m:",
    ] {
        assert!(unique.contains(address), "{address}");
    }
}

#[test]
fn verdicts_are_words_and_symbols_not_colours() {
    let page = html::render(&sample());
    for badge in [
        "<i>✓</i> OK",
        "<i>≈</i> NON-STRICT",
        "<i>✗</i> FAILED",
        "<i>✗</i> WRONG CODE",
        "<i>i</i> INFORMATIONAL",
        "<i>?</i> MISSING",
    ] {
        assert!(page.contains(badge), "{badge}");
    }
    assert!(page.contains("<p>3 of 12 results are against the standard"));
}

/// A record with `text` wherever a record can hold text.
fn everywhere(text: &str) -> Record {
    let owned = || text.to_owned();
    let events = vec![
        Event::Message {
            payload: owned(),
            binary: true,
        },
        Event::Ping { payload: owned() },
        Event::Pong { payload: owned() },
        Event::Timeout { tag: owned() },
        Event::Other { json: owned() },
    ];
    let mut close = Close::default();
    close.suite_code = Some(1000);
    close.suite_reason = Some(owned());
    close.subject_code = Some(1001);
    close.subject_reason = Some(owned());
    close.not_clean_reason = Some(owned());
    let mut detail = Detail::default();
    detail.started = Some(owned());
    detail.result = Some(owned());
    detail.result_close = Some(format!("{text} "));
    detail.expected = [(owned(), events.clone())].into();
    detail.received = events;
    detail.received.pop();
    detail.expected_close = Some(ExpectedClose::default());
    detail.close = Some(close);
    detail.request = Some(owned());
    detail.response = Some(owned());
    for direction in [Direction::Sent, Direction::Received] {
        detail.wire_log.push(WireRow::Octets {
            direction,
            length: 9,
            hex: owned(),
            sync: true,
        });
        for opcode in [1, 8, 255] {
            detail.wire_log.push(WireRow::Frame {
                direction,
                opcode,
                fin: false,
                rsv: 7,
                mask: Some(owned()),
                length: u64::MAX,
                payload: owned(),
                repeat: Some(u64::MAX),
                chop: Some(0),
                sync: true,
            });
        }
    }
    detail.wire_log.push(WireRow::Timer {
        event: TimerEvent::ContinueSet,
        seconds: Some(f64::NAN),
        tag: Some(owned()),
    });
    detail.wire_log.push(WireRow::Other { json: owned() });
    detail.received_octets = [(u64::MAX, u64::MAX)].into();
    detail.sent_frames = [(u64::MAX, u64::MAX)].into();

    let mut result = CaseResult::new(
        id("1.1.1"),
        Verdict::Other(owned()),
        CloseVerdict::Other(owned()),
    );
    result.title = Some(owned());
    result.description = Some(owned());
    result.expectation = Some(owned());
    result.duration_ms = u64::MAX;
    result.detail = Some(detail);
    let mut subject = Subject::new(text);
    subject.insert(result);
    let mut untitled = CaseResult::new(id("handshake.12"), Verdict::Ok, CloseVerdict::Ok);
    untitled.description = Some(owned());
    subject.insert(untitled);
    let mut run = Run::new(Role::Server);
    run.subjects.push(subject);
    let mut record = Record::new(text);
    record.tool = Some(Tool::new(text, text));
    record.suite = Some(Suite::new(text, text));
    record.started = Some(owned());
    record.host = Some(owned());
    record.runs.push(run);
    record
}

/// The tags of a page, without what stands between them, and without those that hold the address
/// of a subject, which comes from its name.
fn tags(page: &str) -> Vec<&str> {
    // Script and style are the same in every page, and full of `<`.
    let body = page.split("</style>").nth(1).expect("a body");
    let body = body.split("<script>").next().expect("a body");
    body.split('<')
        .skip(1)
        .map(|tag| tag.split('>').next().unwrap_or_default())
        .filter(|tag| !tag.contains(":server:"))
        .collect()
}

#[test]
fn no_text_of_a_record_becomes_markup() {
    let harmless = html::render(&everywhere("x"));
    assert!(tags(&harmless).len() > 100);
    for hostile in [
        "x<script>alert(1)</script>",
        "x</style><script src=x>",
        "x</title></pre></code></details>",
        "x\" onmouseover=\"alert(1)\" y=\"",
        "x' onmouseover='alert(1)",
        "x`${alert(1)}`",
        "x{{ 7 * 7 }}{% raw %}{# no",
        "x<!--",
        "x]]>&lt;b&gt;&#60;b&#62;&amp;#x2f;",
    ] {
        let page = html::render(&everywhere(hostile));
        assert_eq!(tags(&page), tags(&harmless), "{hostile}");
        assert_eq!(page.matches("<script").count(), 1, "{hostile}");
        for address in attribute(&page, "id")
            .iter()
            .chain(&attribute(&page, "href"))
        {
            let safe = |c: char| c.is_ascii_alphanumeric() || "#.:_-".contains(c);
            assert!(address.chars().all(safe), "{hostile}: {address}");
        }
    }
    let template = html::render(&everywhere("x{{ 7 * 7 }}"));
    assert!(template.contains("x{{ 7 * 7 }}") && !template.contains("x49"));
}

#[test]
fn control_characters_and_directional_overrides_are_made_visible() {
    let page = html::render(&everywhere(
        "a\0\u{1b}[0m\r\u{85}\u{202e}\u{2066}\u{feff}\u{fffe}z",
    ));
    let control = |c: &char| c.is_control() && *c != '\n';
    assert_eq!(page.chars().find(control), None);
    let invisible = ['\u{202e}', '\u{2066}', '\u{feff}', '\u{fffe}'];
    assert_eq!(page.find(invisible), None);
    assert!(page.contains("a␀␛[0m␍[U+0085][U+202E][U+2066][U+FEFF][U+FFFE]z"));
}

#[test]
fn long_texts_are_cut_and_say_so() {
    let mut record = everywhere(&"ab".repeat(100_000));
    record.title = "Long".into();
    let page = html::render(&record);
    assert!(page.contains(" more characters"), "{}", page.len());
    assert!(page.len() < 80_000, "{} bytes", page.len());
}

#[test]
fn an_empty_record_is_a_page_that_says_so() {
    let page = html::render(&Record::new("Nothing"));
    assert!(page.contains("No case was run") && page.ends_with("</html>\n"));
}

/// The whole suite has 517 cases; a page of both roles must stay easy to load and to mail.
#[test]
fn the_whole_suite_in_both_roles_stays_near_three_megabytes() {
    let sample = sample();
    let source = &sample.runs[0].subjects[0];
    let kinds: Vec<&CaseResult> = source.results.values().collect();
    let mut record = Record::new("Everything");
    for role in [Role::Server, Role::Client] {
        let mut subject = Subject::new(&*source.name);
        for number in 0..517 {
            let mut result = kinds[number % kinds.len()].clone();
            result.id = id(&format!(
                "{}.{}.{}",
                number / 60 + 1,
                number / 18,
                number % 18 + 1
            ));
            result.verbatim = None;
            subject.insert(result);
        }
        let mut run = Run::new(role);
        run.subjects.push(subject);
        record.runs.push(run);
    }
    assert_eq!(record.summary().subjects[1].counts.total, 517);
    let page = html::render(&record);
    assert!(page.len() < 3_200_000, "{}", page.len());
}
