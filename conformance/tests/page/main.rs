//! The report, opened in a browser: what its readers get.

mod devtools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cloverleaf_reports::{CaseResult, Detail, Record, Role, Run, Subject, html};
use devtools::Browser;
use serde_json::{Value, json};

const WIDTHS: [u32; 2] = [400, 1400];

/// Something of everything that a page shows.
const CASES: [&str; 7] = [
    "1.*",
    "5.*",
    "6.4.*",
    "7.1.*",
    "12.1.1",
    "close.codes.*",
    "close.failing.*",
];

/// A folder with a page in it.
struct Page {
    folder: tempfile::TempDir,
}

impl Page {
    fn of(record: &Record) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join("index.html"), html::render(record)).expect("written");
        Self { folder }
    }

    /// The page of a real check, of our own server and client.
    fn of_a_check(cases: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        cloverleaf(
            &[&["check", "--fast", "--cases"], cases, &["--out"]].concat(),
            folder.path(),
        );
        Self { folder }
    }

    /// A site of two releases with the same results.
    fn site(check: &Self) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        for label in ["v1", "v2"] {
            let release = format!("{label}={}", check.folder.path().display());
            cloverleaf(&["report", "publish", &release, "--out"], folder.path());
        }
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("index.html")
    }
}

/// Runs the program, which must succeed.
fn cloverleaf(arguments: &[&str], folder: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_cloverleaf"))
        .args(arguments)
        .arg(folder)
        .output()
        .expect("starts");
    assert!(done.status.success(), "{arguments:?}: {done:?}");
}

/// A subject with a failure in each case; every text of it tries to leave its place.
fn hostile() -> Record {
    let text = "</script><script>window.seized=1</script><img src=x onerror=window.seized=1>\
                \"'><svg onload=window.seized=1>\u{0}\u{202e}\r\n{{ 7 * 7 }}";
    let mut record = Record::new(text);
    record.notes = vec![text.to_owned()];
    record.troubles = vec![text.to_owned()];
    record.host = Some(text.to_owned());
    record.sections = [("1".to_owned(), text.to_owned())].into();
    let mut subject = Subject::new(text);
    subject.version = Some(text.to_owned());
    subject.homepage = Some(format!("javascript:{text}"));
    for case in ["1.1.1", "1.1.2", "limits.x"] {
        let id = case.parse().expect("an id");
        let mut result = CaseResult::new(id, text.into(), text.into());
        result.title = Some(text.to_owned());
        result.description = Some(text.to_owned());
        result.expectation = Some(text.to_owned());
        let mut detail = Detail::default();
        detail.result = Some(text.to_owned());
        detail.request = Some(text.to_owned());
        result.detail = Some(detail);
        subject.insert(result);
    }
    let mut run = Run::new(Role::Server);
    run.subjects.push(subject);
    record.runs.push(run);
    record
}

/// The accessibility checker, where it is installed: the environment says where.
fn axe() -> Option<String> {
    let Some(path) = std::env::var_os("AXE_CORE") else {
        eprintln!("skipped: AXE_CORE does not name a file axe.min.js (npm's axe-core)");
        return None;
    };
    Some(fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

async fn count(browser: &mut Browser, selector: &str) -> u64 {
    let counted = browser
        .value(&format!("document.querySelectorAll({selector:?}).length"))
        .await;
    counted.as_u64().expect("a count")
}

/// What the page asked the network for, but for itself.
fn requests(browser: &Browser, page: &Path) -> Vec<String> {
    browser
        .events("Network.requestWillBeSent")
        .into_iter()
        .filter_map(|event| event["params"]["request"]["url"].as_str())
        .filter(|url| !url.starts_with(&format!("file://{}", page.display())))
        .map(ToOwned::to_owned)
        .collect()
}

#[tokio::test]
async fn the_report_asks_no_network_and_its_script_runs_without_errors() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    for page in [Page::of_a_check(&CASES), Page::of(&hostile())] {
        browser.open(&page.path(), "").await;
        browser
            .value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            .await;
        // Two frames later everything that unfolding can start has started.
        browser
            .value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")
            .await;
        assert_eq!(requests(&browser, &page.path()), [""; 0]);
        for kind in ["Runtime.exceptionThrown", "Log.entryAdded"] {
            assert!(
                browser.events(kind).is_empty(),
                "{:?}",
                browser.events(kind)
            );
        }
        assert!(count(&mut browser, "details").await > 0);
        assert_eq!(
            count(&mut browser, "[src], link[href], object, iframe, base").await,
            0
        );
    }
}

#[tokio::test]
async fn text_of_a_peer_stays_text() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let page = Page::of(&hostile());
    browser.open(&page.path(), "").await;
    browser
        .value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        .await;
    assert_eq!(browser.value("String(window.seized)").await, "undefined");
    assert_eq!(
        count(&mut browser, "img, svg[onload], a[href^=javascript]").await,
        0
    );
    let shown = browser.value("document.body.textContent").await;
    assert!(shown.as_str().expect("text").contains("</script><script>"));
}

#[tokio::test]
async fn an_accessibility_checker_finds_nothing_serious() {
    let Some(axe) = axe() else { return };
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let check = Page::of_a_check(&["1.1.*", "6.4.*", "12.1.1"]);
    let hostile = Page::of(&hostile());
    let site = Page::site(&check);
    let mut paths = vec![check.path(), hostile.path()];
    paths.extend(
        [
            "index.html",
            "ancestors.html",
            "trend.html",
            "diff/v1...v2.html",
        ]
        .map(|name| site.folder.path().join(name)),
    );
    for path in paths {
        for width in WIDTHS {
            for dark in [false, true] {
                browser.look(width, dark).await;
                browser.open(&path, "").await;
                // What is far below is not laid out until it is scrolled to, and the checker would
                // compare colours with boxes that are not there yet.
                browser
                    .value(
                        "(() => { const all = document.createElement('style');\
                         all.textContent = '* { content-visibility: visible !important }';\
                         document.head.append(all); })()",
                    )
                    .await;
                browser.value(&format!("{axe}; 0")).await;
                let found = browser
                    .value(
                        "axe.run().then((all) => [all.passes.length, all.violations\
                         .filter((one) => ['serious', 'critical'].includes(one.impact))\
                         .map((one) => [one.id, one.nodes.slice(0, 3).map((node) => node.html)])])",
                    )
                    .await;
                let place = format!("{}, {width} px wide, dark: {dark}", path.display());
                assert_eq!(found[1], json!([]), "{place}");
                assert!(
                    found[0].as_u64().is_some_and(|passes| passes > 10),
                    "{place}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_report_fits_narrow_and_wide_windows() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    for page in [Page::of_a_check(&CASES), Page::of(&hostile())] {
        for width in WIDTHS {
            browser.look(width, false).await;
            browser.open(&page.path(), "").await;
            let wide = browser.value("document.documentElement.scrollWidth").await;
            assert!(
                wide.as_u64().is_some_and(|wide| wide <= width.into()),
                "{wide} > {width}"
            );
        }
    }
}

#[tokio::test]
async fn dark_and_light_differ() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let page = Page::of(&hostile());
    let mut colours = Vec::new();
    for dark in [false, true] {
        browser.look(1400, dark).await;
        browser.open(&page.path(), "").await;
        colours.push(browser.value("getComputedStyle(document.body).color").await);
    }
    assert_ne!(colours[0], colours[1]);
}

#[tokio::test]
async fn a_link_to_a_result_opens_it() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let page = Page::of_a_check(&CASES);
    for fragment in [
        "#6.4.3:server:cloverleaf",
        "#7.1.1:client:cloverleaf",
        "#1.1.1",
    ] {
        browser.open(&page.path(), fragment).await;
        let seen = browser
            .value(
                "(() => { const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));\
                 const details = target.closest('details');\
                 const box = target.getBoundingClientRect();\
                 return [details === null || details.open, box.height > 0, box.top < innerHeight]; })()",
            )
            .await;
        assert_eq!(seen, json!([true, true, true]), "{fragment}");
    }
}

#[tokio::test]
async fn the_filter_shows_what_was_asked_for() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let page = Page::of_a_check(&CASES);
    browser.open(&page.path(), "").await;
    assert_eq!(
        browser
            .value("document.querySelector('.filter').hidden")
            .await,
        json!(false)
    );
    // It filters a moment after the last key, and then says how many cases are left.
    let shown = browser
        .value(
            "new Promise((done) => { \
             new MutationObserver(done).observe(document.querySelector('.filter output'),\
             { childList: true, characterData: true, subtree: true });\
             const find = document.querySelector('input[type=search]'); find.value = '6.4.3';\
             find.dispatchEvent(new Event('input', { bubbles: true })); }).then(() =>\
             [...document.querySelectorAll('.case')].filter((one) => !one.hidden)\
             .map((one) => one.id))",
        )
        .await;
    assert_eq!(shown, json!(["6.4.3"]));
}

#[tokio::test]
async fn without_scripts_everything_is_there_but_the_filter() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let page = Page::of_a_check(&CASES);
    browser.scripts(false).await;
    browser.open(&page.path(), "").await;
    let filter = browser
        .value("(document.querySelector('.filter') || { hidden: true }).hidden")
        .await;
    assert_eq!(filter, json!(true));
    let text = browser.value("document.body.textContent").await;
    let text = text.as_str().expect("text");
    for part in ["6.4.3", "OK", "1000", "TEXT", "Sec-WebSocket-Accept"] {
        assert!(text.contains(part), "{part}");
    }
    let unfolds: Value = browser
        .value(
            "(() => { const one = document.querySelector('.case details'); one.open = true;\
             return one.getBoundingClientRect().height > 60; })()",
        )
        .await;
    assert_eq!(unfolds, json!(true));
}

#[tokio::test]
async fn a_report_of_ten_subjects_and_eight_hundred_cases_opens() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let mut run = Run::new(Role::Server);
    for number in 0..10 {
        let mut subject = Subject::new(format!("subject {number}"));
        for case in 0..800 {
            let id = format!("{}.{}.{}", case % 7 + 1, case / 70, case);
            let id = id.parse().expect("an id");
            let verdict = if (case + number) % 50 == 0 {
                "FAILED"
            } else {
                "OK"
            };
            subject.insert(CaseResult::new(id, verdict.into(), "OK".into()));
        }
        run.subjects.push(subject);
    }
    let mut record = Record::new("ten times eight hundred");
    record.runs.push(run);
    let page = Page::of(&record);
    browser.open(&page.path(), "").await;
    assert_eq!(count(&mut browser, ".case").await, 800);
    let long = browser
        .value("performance.getEntriesByType('navigation')[0].loadEventEnd")
        .await;
    eprintln!("opened in {long} ms");
}
