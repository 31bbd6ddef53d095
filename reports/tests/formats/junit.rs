use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use cloverleaf_reports::junit::render;

use crate::sample::{assert_golden, assert_harmless, empty, hostile, huge, sample};

/// Asks `xmllint` whether the text is XML of the schema beside this file. Without `xmllint` the
/// test says so; the golden file and the other tests still hold.
fn assert_valid(name: &str, xml: &str) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/junit.xsd");
    if Command::new("xmllint")
        .arg("--version")
        .stderr(Stdio::null())
        .status()
        .is_err()
    {
        println!("skipped: no xmllint");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("junit-{}.xml", name.replace(' ', "-")));
    fs::write(&file, xml).expect("a folder for tests");
    let output = Command::new("xmllint")
        .args(["--nonet", "--noout", "--huge", "--schema"])
        .args([&schema, &file])
        .output()
        .expect("it just ran");
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_sample_is_written_byte_for_byte_and_valid() {
    let xml = render(&sample());
    assert_golden("sample.junit.xml", &xml);
    assert_valid("sample", &xml);
}

#[test]
fn a_result_counts_as_in_the_exit_code() {
    let xml = render(&sample());
    let case = |name: &str| {
        let start = xml.find(&format!("name=\"{name}")).expect(name);
        let rest = &xml[start..];
        let end = rest.find("<testcase").unwrap_or(rest.len());
        rest[..end].to_owned()
    };
    for (name, element) in [
        ("6.4.1\"", "<failure message=\"NON-STRICT\""),
        ("6.4.2\"", "<skipped message=\"NON-STRICT; accepted: It"),
        (
            "7.1.5 Close, then a text\"",
            "<failure message=\"FAILED, close WRONG CODE: Nothing came back. Code 1000",
        ),
        ("7.9.1\"", "<failure message=\"OK, close UNCLEAN\""),
        ("9.1.1\"", "<error message=\"ERROR, close FAILED\""),
        ("10.1.1\"", "<error message=\"MISSING\""),
        ("12.1.1\"", "<skipped message=\"UNIMPLEMENTED\"/>"),
        (
            "handshake.host.1\"",
            "<failure message=\"BRAND NEW, close ODD\"",
        ),
        (
            "the run is complete\"",
            "<error message=\"beta (server) stopped",
        ),
    ] {
        assert!(case(name).contains(element), "{}", case(name));
    }
    assert!(!case("7.1.6\"").contains("message"), "INFORMATIONAL passes");
}

#[test]
fn nothing_that_ran_is_an_error() {
    for (name, record) in empty() {
        let xml = render(&record);
        assert!(xml.contains("errors=\"1\""), "{name}: {xml}");
        assert_valid(name, &xml);
    }
}

#[test]
fn hostile_and_huge_text_stays_text() {
    let xml = render(&hostile());
    assert_harmless(&xml);
    assert!(!xml.contains("<script") && !xml.contains("<img"));
    assert_valid("hostile", &xml);
    let xml = render(&huge());
    assert!(xml.len() < 20_000, "{}", xml.len());
    assert_valid("huge", &xml);
}
