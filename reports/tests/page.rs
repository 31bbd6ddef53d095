//! The HTML page: byte for byte, and against hostile records.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloverleaf_reports::model::{
    Close, Direction, Event, ExpectedClose, Suite, TimerEvent, Tool, WireRow,
};
use cloverleaf_reports::{
    CaseId, CaseResult, CloseVerdict, Detail, Record, Role, Run, Subject, Verdict, autobahn, html,
    text,
};
use flate2::read::DeflateDecoder;

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
    assert!(page.contains("<p>2 of 11 results are against the standard"));
    assert!(page.contains("1 of 12 cases were not run."));
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
    result.accepted = Some(owned());
    result.detail = Some(detail);
    let mut subject = Subject::new(text);
    subject.version = Some(owned());
    subject.language = Some(owned());
    subject.homepage = Some(owned());
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
    record.label = Some(owned());
    record.notes = vec![owned()];
    record.troubles = vec![owned()];
    record.sections = ["1", "1.1", "handshake"]
        .map(|prefix| (prefix.to_owned(), owned()))
        .into();
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

/// Three subjects, each with `cases` results as wstest recorded them.
fn suite_of(cases: usize) -> Record {
    let sample = sample();
    let source = &sample.runs[0].subjects[0];
    let kinds: Vec<&CaseResult> = source.results.values().collect();
    let mut record = Record::new("Everything");
    for (role, name) in [
        (Role::Server, "one"),
        (Role::Server, "two"),
        (Role::Client, "one"),
    ] {
        let mut subject = Subject::new(name);
        for number in 0..cases {
            let mut result = kinds[number % kinds.len()].clone();
            let (group, section, last) = (number / 60 + 1, number / 18, number % 18 + 1);
            result.id = id(&format!("{group}.{section}.{last}"));
            result.verbatim = None;
            subject.insert(result);
        }
        let mut run = Run::new(role);
        run.subjects.push(subject);
        record.add(run).expect("different subjects");
    }
    assert_eq!(record.summary().subjects[1].counts.total, cases);
    record
}

/// The whole suite has 517 cases; a page must stay easy to load and to mail.
#[test]
fn the_whole_suite_of_three_subjects_stays_below_three_megabytes() {
    let page = html::render(&suite_of(517));
    assert!(page.len() < 3_000_000, "{}", page.len());
    assert_eq!(
        page,
        html::render(&suite_of(517)),
        "same record, same bytes"
    );
}

/// The packed details of each case that has some, unpacked.
fn unpacked(page: &str) -> Vec<String> {
    attribute(page, "data-packed")
        .into_iter()
        .map(|text| {
            let octets = STANDARD.decode(text).expect("base64");
            let mut markup = String::new();
            DeflateDecoder::new(&*octets)
                .read_to_string(&mut markup)
                .expect("deflated UTF-8");
            markup
        })
        .collect()
}

/// A record of `cases` cases that pass but for the first, which fails, each with the same detail.
fn alike(cases: usize, lines: usize) -> Record {
    let sample = sample();
    let source = sample.runs[0].subjects[0].results.values();
    let detail = source.last().and_then(|result| result.detail.clone());
    let mut detail = detail.expect("a case with details");
    detail.result = Some("This is what was said.".to_owned());
    let rows = detail.wire_log.clone();
    detail.wire_log = rows.into_iter().cycle().take(lines).collect();
    let mut subject = Subject::new("x");
    for number in 1..=cases {
        let verdict = if number == 1 {
            Verdict::Failed
        } else {
            Verdict::Ok
        };
        let mut result = CaseResult::new(id(&format!("1.{number}")), verdict, CloseVerdict::Ok);
        result.detail = Some(detail.clone());
        subject.insert(result);
    }
    let mut run = Run::new(Role::Server);
    run.subjects.push(subject);
    let mut record = Record::new("Alike");
    record.runs.push(run);
    record
}

#[test]
fn what_is_packed_is_what_would_stand_in_the_page() {
    let few = html::render(&alike(3, 40));
    assert_eq!(unpacked(&few).len(), 0, "a small page packs nothing");
    let many = html::render(&alike(3000, 40));
    let chunks = unpacked(&many);
    assert_eq!(chunks.len(), 2999);
    for chunk in &chunks[..2] {
        assert!(chunk.starts_with("<details class=result") && few.contains(&**chunk));
    }
    assert!(many.len() < 5_000_000, "{}", many.len());
}

#[test]
fn what_has_a_remark_is_never_packed_while_there_is_room() {
    let page = html::render(&alike(3000, 40));
    let inline = html::render(&alike(1, 40));
    let body = |page: &str| -> String {
        let from = page.find("<details class=result").expect("a result");
        page[from..]
            .split("</article>")
            .next()
            .expect("its end")
            .to_owned()
    };
    assert_eq!(body(&page), body(&inline));
    assert!(body(&page).contains("class=panels") && body(&page).contains("Wire log, "));
}

#[test]
fn remarks_without_room_keep_verdicts_and_sentences_and_an_address() {
    let mut record = alike(2000, 300);
    for result in record.runs[0].subjects[0].results.values_mut() {
        result.verdict = Verdict::Failed;
    }
    let page = html::render(&record);
    let ids: BTreeSet<&str> = attribute(&page, "id").into_iter().collect();
    assert!((1..=2000).all(|number| ids.contains(&*format!("1.{number}:server:x"))));
    assert_eq!(page.matches("This is what was said.").count(), 2000);
    assert!(!unpacked(&page).is_empty());
    assert!(page.len() < 8_000_000, "{}", page.len());
}

#[test]
fn ten_megabytes_of_wire_log_leave_a_small_page() {
    let mut record = alike(1, 300_000);
    let result = record.runs[0].subjects[0].results.values_mut().next();
    let detail = result
        .and_then(|result| result.detail.as_mut())
        .expect("a detail");
    detail.wire_log.insert(
        0,
        WireRow::Octets {
            direction: Direction::Sent,
            length: 5_000_000,
            hex: "ab".repeat(5_000_000),
            sync: false,
        },
    );
    let page = html::render(&record);
    assert!(page.len() < 100_000, "{}", page.len());
    assert!(page.contains("more lines in <code>x_case_1_1.json</code>"));
}

#[test]
fn an_incomplete_run_says_so_first() {
    let mut record = suite_of(1);
    assert!(!html::render(&record).contains("This run is incomplete"));
    record
        .troubles
        .push("The run was <interrupted> after 3 cases.".into());
    record
        .notes
        .push("A tenth of the messages was sent.".into());
    let page = html::render(&record);
    let banner = page.find("This run is incomplete").expect("a banner");
    assert!(banner < page.find("class=cards").expect("the cards"));
    assert!(page.contains("<title>Incomplete · "));
    assert!(page.contains("<li>The run was &lt;interrupted&gt; after 3 cases."));
    assert!(page.contains("<li>A tenth of the messages was sent."));
}

#[test]
fn a_homepage_is_a_link_only_if_it_is_an_address_of_the_web() {
    let mut record = suite_of(1);
    record.runs[0].subjects[0].homepage = Some("https://example.org/a?b&c".into());
    record.runs[0].subjects[1].homepage = Some("javascript:alert(1)".into());
    let page = html::render(&record);
    assert!(
        page.contains("<a href=\"https://example.org/a?b&amp;c\" rel=\"noreferrer noopener\">")
    );
    assert!(page.contains("<span>javascript:alert(1)</span>"));
}

#[test]
fn a_matrix_of_many_subjects_holds_symbols_with_names() {
    let mut record = suite_of(8);
    let source = record.runs[0].subjects[0].clone();
    for number in 0..12 {
        let mut subject = source.clone();
        subject.name = format!("number {number}");
        let first = subject.results.values_mut().next().expect("a result");
        first.verdict = Verdict::Failed;
        first.accepted = Some("known".into());
        record.runs[0].subjects.push(subject);
    }
    record
        .sections
        .insert("1.0".into(), "The first section".into());
    let page = html::render(&record);
    assert!(page.contains("aria-label=\"FAILED, close "));
    assert!(page.contains(", accepted\">✗✓*</a>"));
    assert!(page.contains("aria-label=\"OK, close OK"));
    assert!(page.contains("<b>1.0</b> The first section"));
    assert!(page.contains("<th scope=col>Subject"));
}
