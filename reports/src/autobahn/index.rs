//! `index.json`: `{agent: {case: {behavior, behaviorClose, duration, remoteCloseCode, reportfile}}}`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::ser::PrettyFormatter;

use super::surrogate::escape_lone_surrogates;
use super::{ReadError, ReadErrorReason, WriteError, case_file, case_json, file_name};
use crate::model::{CaseId, CaseResult, Role, Run, Subject};

const INDEX: &str = "index.json";

/// An entry; the fields in the order of their names, as Autobahn sorts them.
#[derive(Serialize, Deserialize)]
struct Entry {
    behavior: String,
    #[serde(rename = "behaviorClose")]
    behavior_close: String,
    duration: u64,
    #[serde(rename = "remoteCloseCode")]
    remote_close_code: Option<u16>,
    reportfile: String,
}

type Index = BTreeMap<String, BTreeMap<String, Entry>>;

pub(super) fn read(directory: &Path, role: Role) -> Result<Run, ReadError> {
    let path = directory.join(INDEX);
    let error = |reason| ReadError {
        path: path.clone(),
        reason,
    };
    let index = read_index(&path)?;

    let mut run = Run::new(role);
    for (agent, cases) in index {
        let mut subject = Subject::new(agent);
        for (id, entry) in cases {
            let id: CaseId = id.parse().map_err(|invalid: crate::model::InvalidCaseId| {
                error(ReadErrorReason::InvalidCaseId(invalid.to_string()))
            })?;
            if !is_plain_file_name(&entry.reportfile) {
                return Err(error(ReadErrorReason::NotAFileName(entry.reportfile)));
            }
            let mut result = CaseResult::new(
                id,
                entry.behavior.as_str().into(),
                entry.behavior_close.as_str().into(),
            );
            result.duration_ms = entry.duration;
            result.remote_close_code = entry.remote_close_code;
            read_case_file(&directory.join(&entry.reportfile), role, &mut result)?;
            subject.insert(result);
        }
        run.subjects.push(subject);
    }
    Ok(run)
}

fn read_index(path: &Path) -> Result<Index, ReadError> {
    let error = |reason| ReadError {
        path: path.to_owned(),
        reason,
    };
    let text = read_text(path).map_err(|cause| error(ReadErrorReason::Io(cause)))?;
    serde_json::from_str(&escape_lone_surrogates(&text))
        .map_err(|cause| error(ReadErrorReason::Malformed(cause.to_string())))
}

pub(super) fn find_role(directory: &Path) -> Result<Option<Role>, ReadError> {
    let index = read_index(&directory.join(INDEX))?;
    let names = index
        .values()
        .flat_map(BTreeMap::values)
        .map(|entry| &entry.reportfile)
        .filter(|name| is_plain_file_name(name));
    for name in names {
        // A file that is absent or broken tells nothing; reading the run reports it.
        if let Ok(text) = read_text(&directory.join(name))
            && let Some(role) = case_file::subject_role(&text)
        {
            return Ok(Some(role));
        }
    }
    Ok(None)
}

fn read_case_file(path: &Path, role: Role, result: &mut CaseResult) -> Result<(), ReadError> {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(ReadError {
                path: path.to_owned(),
                reason: ReadErrorReason::Io(error),
            });
        }
    };
    case_file::fill(result, role, text).map_err(|reason| ReadError {
        path: path.to_owned(),
        reason,
    })
}

fn read_text(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// An index may name files beside it, and no others.
fn is_plain_file_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0', ':'])
}

pub(super) fn write(directory: &Path, run: &Run) -> Result<(), WriteError> {
    refuse_shared_file_names(run)?;
    fs::create_dir_all(directory).map_err(|error| WriteError::Io {
        path: directory.to_owned(),
        error,
    })?;

    let mut index = Index::new();
    for subject in &run.subjects {
        let cases = index.entry(subject.name.clone()).or_default();
        for (position, result) in subject.results.values().enumerate() {
            if result.is_missing() {
                continue;
            }
            let reportfile = file_name::case_file_name(&subject.name, &result.id);
            let text = match &result.verbatim {
                Some(text) => text.clone(),
                None => case_json::text(&subject.name, run.role, position + 1, result),
            };
            write_text(&directory.join(&reportfile), &text)?;
            cases.insert(
                result.id.to_string(),
                Entry {
                    behavior: result.verdict.to_string(),
                    behavior_close: result.close_verdict.to_string(),
                    duration: result.duration_ms,
                    remote_close_code: result.remote_close_code,
                    reportfile,
                },
            );
        }
    }
    write_text(&directory.join(INDEX), &json_text(&index))
}

fn refuse_shared_file_names(run: &Run) -> Result<(), WriteError> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for subject in &run.subjects {
        if let Some(first) = seen.insert(file_name::stem(&subject.name), &subject.name) {
            return Err(WriteError::SameFileName {
                first: first.to_owned(),
                second: subject.name.clone(),
            });
        }
    }
    Ok(())
}

fn write_text(path: &Path, text: &str) -> Result<(), WriteError> {
    fs::write(path, text).map_err(|error| WriteError::Io {
        path: path.to_owned(),
        error,
    })
}

/// JSON as Autobahn lays it out: an indent of three spaces, no line end after the last brace.
pub(super) fn json_text(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"   ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    value
        .serialize(&mut serializer)
        .expect("text, numbers and text keys always serialize");
    String::from_utf8(out).expect("serde_json writes UTF-8")
}
