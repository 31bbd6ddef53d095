//! Every piece of code in the guide stands in the source of this extension, word for word.

use std::fs;
use std::path::Path;

/// The pieces of this language in a page of Markdown.
fn pieces<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    let behind = page.split(&*fence).skip(1);
    behind
        .map(|text| text.split("\n```").next().expect("there is a first"))
        .collect()
}

#[test]
fn the_guide_shows_nothing_that_is_not_compiled_and_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A published crate comes without its neighbours.
    let Ok(page) = fs::read_to_string(folder.join("../README.md")) else {
        println!("skipped: the guide is not here");
        return;
    };
    let read = |file: &str| fs::read_to_string(folder.join(file)).expect("it is ours");
    let source = [read("src/lib.rs"), read("tests/laws.rs")].join("\n");
    let code = pieces(&page, "rust");
    assert!(code.len() >= 10, "there are {} pieces", code.len());
    for piece in code {
        assert!(source.contains(piece), "not in the source:\n{piece}");
    }
    let manifest = read("Cargo.toml");
    for piece in pieces(&page, "toml") {
        assert!(manifest.contains(piece), "not in the manifest:\n{piece}");
    }
    for link in page.split("](").skip(1) {
        let target = link.split(')').next().expect("there is a first");
        if !target.starts_with('#') && !target.starts_with("http") {
            let there = folder.join("..").join(target).exists();
            assert!(there, "the link to {target} leads nowhere");
        }
    }
}
