//! Dependencies point one way only.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Of our packages, what each may depend on. A package that is not listed may depend on all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("cloverleaf-proto", &[]),
    ("cloverleaf-reports", &[]),
    // Judge and judged share no code.
    ("cloverleaf-judge", &["cloverleaf-reports"]),
    ("cloverleaf", &["cloverleaf-proto"]),
    ("cloverleaf-auth", &["cloverleaf-proto"]),
    ("cloverleaf-checksum", &["cloverleaf-proto"]),
    ("cloverleaf-deflate", &["cloverleaf-proto"]),
    ("cloverleaf-dictionary", &["cloverleaf-proto"]),
    ("cloverleaf-capture", &["cloverleaf-proto"]),
    ("cloverleaf-heartbeat", &["cloverleaf-proto"]),
    ("cloverleaf-mux", &["cloverleaf-proto"]),
    ("cloverleaf-testkit", &["cloverleaf-proto"]),
    (
        "cloverleaf-conformance",
        &[
            "cloverleaf",
            "cloverleaf-proto",
            "cloverleaf-auth",
            "cloverleaf-capture",
            "cloverleaf-checksum",
            "cloverleaf-deflate",
            "cloverleaf-dictionary",
            "cloverleaf-heartbeat",
            "cloverleaf-judge",
            "cloverleaf-mux",
            "cloverleaf-reports",
        ],
    ),
];

/// Nobody depends on these.
const TOPMOST: &[&str] = &["cloverleaf-conformance", "cloverleaf-examples"];

/// All that the engine may take from outside: no runtime, no compressor, no clock, no randomness.
const ENGINE_MAY_USE: &[&str] = &["base64", "bytes", "http", "httparse", "sha1", "simdutf8"];

fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let dependencies = list(&package["dependencies"])
                .iter()
                // A test may use whatever it needs.
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| text(&dependency["name"]))
                .collect();
            (text(&package["name"]), dependencies)
        })
        .collect()
}

#[test]
fn our_packages_depend_on_each_other_in_one_direction_only() {
    let packages = packages();
    let ours: BTreeSet<&String> = packages.keys().collect();
    for (name, allowed) in MAY_USE {
        let used = packages
            .get(*name)
            .unwrap_or_else(|| panic!("there is no package {name}"));
        for dependency in used.iter().filter(|dependency| ours.contains(dependency)) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} depends on {dependency}"
            );
        }
    }
    for (name, used) in &packages {
        for topmost in TOPMOST {
            assert!(!used.contains(*topmost), "{name} depends on {topmost}");
        }
        let known = MAY_USE.iter().any(|(listed, _)| listed == name) || TOPMOST.contains(&&**name);
        assert!(known, "say in this test what {name} may depend on");
    }
}

#[test]
fn the_engine_has_no_runtime_no_compressor_and_no_randomness() {
    for dependency in &packages()["cloverleaf-proto"] {
        assert!(
            ENGINE_MAY_USE.contains(&dependency.as_str()),
            "cloverleaf-proto depends on {dependency}"
        );
    }
}
