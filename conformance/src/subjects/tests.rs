//! Subjects files: what is read from them, and what is wrong with others.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cloverleaf_reports::Role;

use super::*;
use crate::deviation::Deviation;
use crate::subject::{Start, Subject};

/// A folder with a subjects file of this text, and a program.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("subjects.toml");
    fs::write(&path, text).expect("written");
    fs::write(folder.path().join("echo.py"), "").expect("written");
    (folder, path)
}

fn entry(lines: &str) -> String {
    format!("[[subject]]\nname = \"x\"\n{lines}\n")
}

const SERVER: &str = "server.command = [\"echo-server\"]";

fn subjects_of(library: &Library) -> Vec<Subject> {
    let mut said = Vec::new();
    let subjects = library.subjects(&[Role::Server, Role::Client], &mut |line| {
        said.push(line.to_owned());
    });
    assert!(said.is_empty(), "nothing is installed: {said:?}");
    subjects
}

#[test]
fn each_slip_is_refused_with_the_file_the_entry_and_what_to_do() {
    for (text, parts) in [
        (String::new(), &["missing field `subject`"][..]),
        ("subject = []".to_owned(), &["no [[subject]]"]),
        ("[[subject]\n".to_owned(), &["TOML parse error", "line 1"]),
        (
            "[[subject]]\nserver.command = \"x\"".to_owned(),
            &["missing field `name`"],
        ),
        (
            entry("servers.command = \"x\""),
            &["unknown field `servers`", "line 3"],
        ),
        (entry(""), &["\"x\"", "needs `server`, `client` or both"]),
        (
            entry("server.jobs = 1"),
            &["needs a `command`, or the `url`"],
        ),
        (
            entry("server.command = 1"),
            &["a list of words, or one line for the shell"],
        ),
        (entry("server.command = []"), &["`server.command` is empty"]),
        (
            entry("server.command = \" \""),
            &["`server.command` is empty"],
        ),
        (
            entry(&format!("{SERVER}\nserver.jobs = 0")),
            &["nonzero", "line 4"],
        ),
        (
            entry(&format!("{SERVER}\nserver.url = \"ws://[::1]:80\"")),
            &["ready = \"port\""],
        ),
        (
            entry(&format!("{SERVER}\nserver.ready = \"port\"")),
            &["needs `server.url`"],
        ),
        (
            entry(&format!("{SERVER}\nserver.ready = \"soon\"")),
            &["`line` or `port`"],
        ),
        (
            entry("server.url = \"ws://127.0.0.1:80\"\nserver.ready = \"port\""),
            &["`server.ready` is for a server with a `command`"],
        ),
        (
            entry("server.url = \"http://127.0.0.1\""),
            &["neither ws nor wss"],
        ),
        (
            entry(&format!(
                "{SERVER}\nserver.ready = \"port\"\nserver.url = \"ws://{{host}}:1\""
            )),
            &["`server.url` has {host}", "{port}"],
        ),
        (
            entry("server.command = [\"x\", \"{url}\"]"),
            &["{url}", "{port}"],
        ),
        (
            entry("server.command = [\"{python}\"]"),
            &["{python}, which needs `install.pypi`"],
        ),
        (
            entry("client.command = \"walk {agent}\""),
            &["has no {url}"],
        ),
        (entry("client.browser = \"lynx\""), &["`chromium`"]),
        (
            entry("client.browser = \"chromium\"\nclient.command = \"x {url}\""),
            &["and not both"],
        ),
        (
            entry(&format!("{SERVER}\nfolder = \"nowhere\"")),
            &["no folder", "nowhere"],
        ),
        (
            entry(&format!("{SERVER}\nenv = {{ \"A=B\" = \"\" }}")),
            &["\"A=B\""],
        ),
        (
            entry(&format!("{SERVER}\nenv = {{ A = \"{{hello}}\" }}")),
            &["`env.A` has {hello}"],
        ),
        (entry(&format!("{SERVER}\npatience = 0")), &["nonzero"]),
        (
            entry(&format!("{SERVER}\ninstall = {{}}")),
            &["one of `pypi`, `npm` and `cargo`"],
        ),
        (
            entry(&format!(
                "{SERVER}\ninstall = {{ pypi = [\"a==1\"], npm = [\"b@1\"] }}"
            )),
            &["and not two"],
        ),
        (
            entry(&format!(
                "{SERVER}\ninstall = {{ pypi = [\"websockets\"] }}"
            )),
            &["\"websockets\" without its version", "NAME==1.2.3"],
        ),
        (
            entry(&format!("{SERVER}\ninstall = {{ npm = [\"@scope/ws\"] }}")),
            &["without its version", "NAME@1.2.3"],
        ),
        (
            entry(&format!(
                "{SERVER}\ninstall = {{ pypi = [\"a==1\"], python = \"2.7\" }}"
            )),
            &["\"2.7\"", "3.11"],
        ),
        (
            entry(&format!(
                "{SERVER}\ninstall = {{ npm = [\"a@1\"], files = [\"no.mjs\"] }}"
            )),
            &["no.mjs"],
        ),
        (
            entry(&format!("{SERVER}\ninstall = {{ cargo = \"rust\" }}")),
            &["Cargo.toml", "Cargo.lock"],
        ),
        (
            entry(SERVER).repeat(2),
            &["two of this name", "into one entry"],
        ),
        (
            entry(SERVER) + &entry(SERVER).replace("\"x\"", "\"X\""),
            &["would be called as those of \"x\""],
        ),
        (
            entry(SERVER).replace("\"x\"", "\" x\""),
            &["no spaces around it"],
        ),
        (
            entry(SERVER).replace("\"x\"", "\"\""),
            &["1 to 60 characters"],
        ),
    ] {
        let (_folder, path) = file(&text);
        let error = Subjects::read(&path).expect_err(&text).to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
    let error = Subjects::read(Path::new("/no/such/file")).expect_err("there is none");
    assert!(error.to_string().contains("/no/such/file"), "{error}");
}

#[test]
fn each_slip_in_a_deviation_is_refused() {
    let known = "verdict = \"FAILED\"\ncases = [\"1.1.1\"]\nreason = \"because\"";
    let text = |deviation: &str| entry(SERVER) + "[[subject.deviation]]\n" + deviation;
    let (_folder, path) = file(&text(known));
    assert!(Subjects::read(&path).is_ok());
    for (from, to, part) in [
        ("\"1.1.1\"", "\"8.1\"", "8.1"),
        ("\"1.1.1\"", "", "no `cases`"),
        ("because", " ", "no `reason`"),
        ("reason = \"because\"", "", "missing field `reason`"),
        ("FAILED", "BROKEN", "\"BROKEN\", which is no verdict"),
        (
            "reason",
            "role = \"client\"\nreason",
            "a role that the subject does not have",
        ),
        ("reason", "close = []\nreason", "an empty `close`"),
        (
            "reason",
            "close = [\"BAD\"]\nreason",
            "no verdict on a closing",
        ),
        ("reason", "because", "unknown field `because`"),
    ] {
        let (_folder, path) = file(&text(&known.replacen(from, to, 1)));
        let error = Subjects::read(&path).expect_err(part).to_string();
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_full_entry_gives_a_subject_for_each_role() {
    let (folder, path) = file(
        "[[subject]]\nname = \"x\"\nversion = \"1.2\"\nlanguage = \"C\"\nhomepage = \"https://x\"\n\
         patience = 5\nserver.command = \"serve\"\nserver.jobs = 3\n\
         client.command = [\"{cloverleaf}\", \"{url}\"]\n\
         [[subject.deviation]]\ncases = [\"6.4.*\"]\nverdict = \"NON-STRICT\"\nreason = \"late\"\n\
         [[subject.deviation]]\nrole = \"client\"\ncases = [\"3.4\"]\nverdict = \"FAILED\"\n\
         close = [\"OK\", \"UNCLEAN\"]\nreason = \"a race\"\nsometimes = true\n",
    );
    let subjects = Subjects::read(&path).expect("valid");
    let [server, client] = &subjects_of(&subjects.libraries()[0])[..] else {
        panic!("two roles")
    };
    for subject in [server, client] {
        assert_eq!(subject.version.as_deref(), Some("1.2"));
        assert_eq!(subject.language.as_deref(), Some("C"));
        assert_eq!(subject.homepage.as_deref(), Some("https://x"));
    }
    assert_eq!((server.role, client.role), (Role::Server, Role::Client));
    assert_eq!(server.jobs.map(usize::from), Some(3));
    assert_eq!(client.jobs, None);
    let known = |subject: &Subject, case: &str| {
        let case = case.parse().expect("an id");
        let known = subject.deviations_in(&case);
        known
            .map(|deviation: &Deviation| deviation.reason.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(known(server, "6.4.1"), ["late"]);
    assert_eq!(known(client, "6.4.4"), ["late"]);
    assert_eq!(known(server, "3.4"), [""; 0]);
    assert_eq!(known(client, "3.4"), ["a race"]);
    assert!(client.is_ours() && !server.is_ours());
    drop(folder);
}

#[test]
fn what_cannot_be_installed_is_a_subject_that_cannot_be_started() {
    let (folder, path) = file(&entry(
        "install = { cargo = \"rust\" }\nserver.command = [\"{bin}/x\"]",
    ));
    // A package without programs: Cargo refuses it, or is not there at all.
    let package = folder.path().join("rust");
    fs::create_dir(&package).expect("made");
    for name in ["Cargo.toml", "Cargo.lock"] {
        fs::write(package.join(name), "no package").expect("written");
    }
    let subjects = Subjects::read(&path).expect("valid");
    let cache = tempfile::tempdir().expect("temporary folder");
    let recipe = subjects.libraries()[0].recipe().expect("there is one");
    let error = recipe
        .prepare_in(cache.path(), "x", &mut |_| {})
        .expect_err("not installed");
    assert!(!error.to_string().is_empty());
}

#[test]
fn names_are_found_in_any_case_and_unknown_ones_are_told_the_others() {
    let (_folder, path) = file(&(entry(SERVER) + &entry(SERVER).replace("\"x\"", "\"Y y\"")));
    let subjects = Subjects::read(&path).expect("valid");
    let names = |wanted: &[&str]| -> Result<Vec<String>, String> {
        let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
        let found = subjects.select(&wanted)?;
        Ok(found
            .iter()
            .map(|library| library.name().to_owned())
            .collect())
    };
    assert_eq!(names(&[]).expect("all"), ["x", "Y y"]);
    assert_eq!(names(&["y Y", "X"]).expect("both"), ["x", "Y y"]);
    assert_eq!(names(&["X"]).expect("one"), ["x"]);
    let error = names(&["x", "z"]).expect_err("no z");
    assert!(
        error.contains("\"z\"") && error.contains("x; Y y"),
        "{error}"
    );
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("subjects.toml")
}

#[test]
fn the_shipped_file_is_valid_and_every_program_it_names_comes_with_it() {
    let subjects = Subjects::read(&repository()).unwrap_or_else(|error| panic!("{error}"));
    let embedded: BTreeSet<&str> = shipped::FILES.iter().map(|(path, _)| *path).collect();
    for library in subjects.libraries() {
        for word in library.words().filter(|word| word.contains("peers/")) {
            assert!(library.folder().join(word).is_file(), "{word}");
            assert!(embedded.contains(word), "{word} is not embedded");
        }
        assert!(library.version().is_some() || library.recipe().is_none());
    }
    for (path, text) in shipped::FILES {
        let file = repository().with_file_name("").join(path);
        assert_eq!(fs::read_to_string(file).expect("there"), text, "{path}");
    }
    // What another machine gets from this program alone is the same.
    let placed = Subjects::shipped().expect("in the cache");
    let names = |subjects: &Subjects| {
        let libraries = subjects.libraries().iter();
        libraries
            .map(|library| library.name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&placed), names(&subjects));
}

#[test]
fn every_program_in_the_folder_of_peers_comes_with_this_one() {
    let embedded: BTreeSet<&str> = shipped::FILES.iter().map(|(path, _)| *path).collect();
    let repository = repository().with_file_name("");
    for below in ["peers", "peers/rust/src/bin"] {
        for file in fs::read_dir(repository.join(below)).expect("there") {
            let file = file.expect("readable");
            if file.file_type().expect("known").is_file() {
                let path = format!("{below}/{}", file.file_name().to_string_lossy());
                assert!(embedded.contains(path.as_str()), "{path}");
            }
        }
    }
}

#[test]
fn every_version_told_is_the_version_pinned() {
    let subjects = Subjects::read(&repository()).expect("valid");
    for library in subjects.libraries() {
        let Some(recipe) = library.recipe() else {
            // Ours; and a browser's version is that of the machine.
            let version = library.version();
            assert!(version.is_none_or(|version| version == env!("CARGO_PKG_VERSION")));
            continue;
        };
        let version = library.version().expect("another test looks");
        let name = library.name();
        match recipe.cargo_package() {
            None => {
                let pins = [format!("{name}=={version}"), format!("{name}@{version}")];
                let found = recipe
                    .packages()
                    .iter()
                    .any(|package| pins.contains(package));
                assert!(found, "{name} {version}: {:?}", recipe.packages());
            }
            Some(package) => {
                let read = |file: &str| -> toml::Table {
                    let text = fs::read_to_string(package.join(file)).expect("there");
                    text.parse().expect("TOML")
                };
                let manifest = read("manifest.toml");
                let dependency = &manifest["dependencies"][name];
                let pin = dependency.get("version").unwrap_or(dependency);
                assert_eq!(pin.as_str(), Some(format!("={version}").as_str()), "{name}");
                let lock = read("Cargo.lock");
                let locked = lock["package"].as_array().expect("packages").iter();
                assert!(
                    locked.clone().any(|package| {
                        package["name"].as_str() == Some(name)
                            && package["version"].as_str() == Some(version)
                    }),
                    "{name} {version} is not in Cargo.lock"
                );
            }
        }
    }
}

#[test]
fn the_schema_knows_every_key_and_nothing_else() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).expect("JSON");
    assert_eq!(schema["additionalProperties"], false);
    let entry = &schema["$defs"]["Entry"];
    assert_eq!(entry["additionalProperties"], false);
    assert_eq!(entry["required"], serde_json::json!(["name"]));
    let keys: Vec<_> = entry["properties"]
        .as_object()
        .expect("keys")
        .keys()
        .collect();
    assert_eq!(
        keys.iter().copied().collect::<BTreeSet<_>>(),
        [
            "name",
            "version",
            "language",
            "homepage",
            "install",
            "folder",
            "env",
            "patience",
            "server",
            "client",
            "deviation",
        ]
        .map(str::to_owned)
        .iter()
        .collect()
    );
}

#[tokio::test]
#[ignore = "installs all of them, which needs the network the first time and minutes"]
async fn every_shipped_server_can_be_installed_and_started() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for library in Subjects::shipped().expect("valid").libraries() {
        for subject in library.subjects(&[Role::Server], &mut |line| eprintln!("{line}")) {
            // This program is a test here, and serves nobody.
            if subject.is_ours() {
                continue;
            }
            let Start::Command(command) = &subject.start else {
                panic!("{subject}: {:?}", subject.start)
            };
            let log = folder.path().join("log");
            let (process, _) = command
                .start_server(&log)
                .await
                .unwrap_or_else(|error| panic!("{subject}: {error}"));
            let ended = process.stop(std::time::Duration::from_secs(60)).await;
            assert!(ended, "{subject} ends with its standard input");
        }
    }
}
