//! Gathers what the judges of all shards wrote.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use cloverleaf_reports::{CaseId, Role, Run, Subject, autobahn};
use serde::Deserialize;
use serde_json::{Value, json};

/// The results of one role, and what could not be read of them.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) run: Run,
    pub(super) troubles: Vec<String>,
}

/// Reads every shard's case files below `folder` (`NN/cases/*.json`), and marks those of
/// `cases` that no shard has as missing.
///
/// The case files are what counts, not `index.json`: a judge that was cut short wrote none.
pub(super) fn collect(
    folder: &Path,
    role: Role,
    agent: &str,
    cases: &[CaseId],
) -> io::Result<Collected> {
    let mut run = Run::new(role);
    let mut troubles = Vec::new();
    let mut shards: Vec<_> = match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<io::Result<_>>()?,
        // Interrupted before the first shard.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    shards.sort_by_key(fs::DirEntry::path);
    for shard in shards {
        let directory = shard.path().join("cases");
        if !directory.is_dir() {
            continue;
        }
        write_index(&directory)?;
        let merged = autobahn::read_dir(&directory, role)
            .map_err(|error| error.to_string())
            .and_then(|part| run.merge(part).map_err(|error| error.to_string()));
        if let Err(trouble) = merged {
            troubles.push(format!("results of a shard cannot be used: {trouble}"));
        }
    }
    if run.subjects.is_empty() {
        run.subjects.push(Subject::new(agent));
    }
    run.expect_cases(cases);
    Ok(Collected { run, troubles })
}

/// What the index repeats of a case file. The other fields are skipped without being decoded:
/// the texts of some UTF-8 cases hold half surrogate pairs, which no Rust string can.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CaseFile {
    agent: String,
    id: String,
    behavior: String,
    behavior_close: String,
    duration: u64,
    remote_close_code: Option<u16>,
}

/// Writes the `index.json` that belongs to the case files which are whole.
fn write_index(directory: &Path) -> io::Result<()> {
    let mut index: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let (Some(name), true) = (name, path.extension().is_some_and(|ext| ext == "json")) else {
            continue;
        };
        // A file cut short by a crash is not JSON: its case is missing.
        let Ok(case) = serde_json::from_slice::<CaseFile>(&fs::read(&path)?) else {
            continue;
        };
        let entry = json!({
            "behavior": case.behavior,
            "behaviorClose": case.behavior_close,
            "duration": case.duration,
            "remoteCloseCode": case.remote_close_code,
            "reportfile": name,
        });
        index.entry(case.agent).or_default().insert(case.id, entry);
    }
    fs::write(directory.join("index.json"), serde_json::to_vec(&index)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case_file(folder: &Path, shard: &str, id: &str, text: Option<&str>) {
        let folder = folder.join(shard).join("cases");
        fs::create_dir_all(&folder).expect("created");
        let whole = json!({
            "agent": "Us", "id": id, "behavior": "OK", "behaviorClose": "OK",
            "duration": 3, "remoteCloseCode": 1000, "isServer": false,
        })
        .to_string();
        fs::write(folder.join(format!("{id}.json")), text.unwrap_or(&whole)).expect("written");
    }

    fn ids(list: &[&str]) -> Vec<CaseId> {
        list.iter().map(|id| id.parse().expect("an id")).collect()
    }

    #[test]
    fn shards_are_put_together_and_gaps_are_missing_cases() {
        let folder = tempfile::tempdir().expect("temporary folder");
        case_file(folder.path(), "01", "1.1.1", None);
        case_file(folder.path(), "02", "2.10", None);
        case_file(
            folder.path(),
            "02",
            "2.11",
            Some("{\"agent\": \"Us\", \"id"),
        );
        let cases = ids(&["1.1.1", "2.9", "2.10", "2.11"]);
        let collected = collect(folder.path(), Role::Server, "Us", &cases).expect("read");
        assert_eq!(collected.troubles, [""; 0]);
        let results = &collected.run.subject("Us").expect("the subject").results;
        let missing: Vec<_> = results
            .values()
            .filter(|result| result.is_missing())
            .map(|r| r.id.as_str())
            .collect();
        assert_eq!(missing, ["2.9", "2.11"]);
        assert_eq!(results.len(), 4);
    }

    #[test]
    fn half_a_surrogate_pair_in_a_payload_does_not_lose_the_case() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let text = r#"{"agent": "Us", "id": "6.20.1", "behavior": "OK", "behaviorClose": "OK",
            "duration": 3, "remoteCloseCode": null, "received": [["message", "\ud800", false]]}"#;
        case_file(folder.path(), "01", "6.20.1", Some(text));
        let collected =
            collect(folder.path(), Role::Server, "Us", &ids(&["6.20.1"])).expect("read");
        assert_eq!(collected.troubles, [""; 0]);
        let results = &collected.run.subject("Us").expect("the subject").results;
        assert!(results.values().all(|result| !result.is_missing()));
    }

    #[test]
    fn without_any_shard_every_case_is_missing() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let cases = ids(&["1.1.1", "2.9"]);
        let collected =
            collect(&folder.path().join("none"), Role::Client, "Us", &cases).expect("read");
        let results = &collected.run.subject("Us").expect("the subject").results;
        assert!(results.len() == 2 && results.values().all(|result| result.is_missing()));
    }

    #[test]
    fn a_case_in_two_shards_is_trouble_and_not_lost() {
        let folder = tempfile::tempdir().expect("temporary folder");
        case_file(folder.path(), "01", "1.1.1", None);
        case_file(folder.path(), "02", "1.1.1", None);
        let collected = collect(folder.path(), Role::Server, "Us", &ids(&["1.1.1"])).expect("read");
        assert_eq!(collected.troubles.len(), 1);
        assert!(
            !collected
                .run
                .subject("Us")
                .expect("there")
                .results
                .values()
                .any(|r| r.is_missing())
        );
    }
}
