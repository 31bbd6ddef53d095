//! One implementation of the file, checked: what can be said about it before it is started.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloverleaf_reports::{CloseVerdict, Role, Verdict, autobahn};

use super::file::{self, Browser, Command, Entry, File, Ready};
use super::placeholder;
use super::recipe::Recipe;
use crate::browser;
use crate::deviation::Deviation;
use crate::selection::Pattern;
use crate::spec::WsUrl;
use crate::subject::{Start, Subject, SubjectCommand};

/// Names are part of file names.
const LONGEST_NAME: usize = 60;

/// An implementation of WebSocket: a server, a client, or both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Library {
    name: String,
    version: Option<String>,
    language: Option<String>,
    homepage: Option<String>,
    recipe: Option<Recipe>,
    folder: PathBuf,
    env: Vec<(String, String)>,
    patience: Option<Duration>,
    parts: Vec<Part>,
    deviations: Vec<Deviation>,
}

/// The implementation in one role.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    role: Role,
    how: How,
    jobs: Option<NonZeroUsize>,
}

/// How it is started, with placeholders.
#[derive(Clone, PartialEq, Eq, Debug)]
enum How {
    Program {
        words: Vec<String>,
        /// The URL, for a server that is ready when its port is.
        url: Option<String>,
    },
    Running(String),
    Browser(Browser),
}

impl Library {
    /// The name to report under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The roles it can be judged in.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        self.parts.iter().map(|part| part.role)
    }

    /// Whether it comes from a registry.
    pub fn is_installed(&self) -> bool {
        self.recipe.is_some()
    }

    /// What it is installed from.
    #[cfg(test)]
    pub(super) fn recipe(&self) -> Option<&Recipe> {
        self.recipe.as_ref()
    }

    /// Where its programs work.
    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The words of its commands.
    #[cfg(test)]
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let words = |part| match part {
            &Part {
                how: How::Program { ref words, .. },
                ..
            } => &words[..],
            _ => &[],
        };
        self.parts.iter().flat_map(words).map(String::as_str)
    }

    /// The implementation in those of these roles that it has, ready to be started: it is found in
    /// the cache, or installed there; only that needs the network. `say` receives a line for people
    /// before each step that takes long. What cannot be installed is a subject that cannot be
    /// started.
    ///
    /// Nothing is written outside the cache by us, but pip, npm and Cargo keep what they download
    /// in caches of their own.
    pub fn subjects(&self, roles: &[Role], say: &mut dyn FnMut(&str)) -> Vec<Subject> {
        let parts: Vec<_> = self
            .parts
            .iter()
            .filter(|part| roles.contains(&part.role))
            .collect();
        if parts.is_empty() {
            return Vec::new();
        }
        let values = self.values(say);
        parts
            .into_iter()
            .map(|part| {
                let start = match &values {
                    Ok(values) => self.start(part, values),
                    Err(reason) => Start::Unavailable(reason.clone()),
                };
                let mut subject = Subject::new(&self.name, part.role, start);
                subject.version = match (&self.version, &part.how) {
                    (None, How::Browser(Browser::Chromium)) => browser::chromium::version(),
                    (version, _) => version.clone(),
                };
                subject.language.clone_from(&self.language);
                subject.homepage.clone_from(&self.homepage);
                subject.jobs = part.jobs;
                subject.deviations = self
                    .deviations
                    .iter()
                    .filter(|deviation| deviation.role == part.role)
                    .cloned()
                    .collect();
                subject
            })
            .collect()
    }

    /// The values of the placeholders that do not wait until it is started.
    fn values(&self, say: &mut dyn FnMut(&str)) -> Result<Vec<(&'static str, String)>, String> {
        let program = std::env::current_exe()
            .map_err(|error| format!("the system does not say where this program is: {error}"))?;
        let mut values = vec![("cloverleaf", program.display().to_string())];
        if let Some(recipe) = &self.recipe {
            let version = self.version.as_deref().unwrap_or("0");
            let label = format!("{}-{version}", autobahn::file_stem(&self.name));
            let installed = recipe
                .prepare(&label, say)
                .map_err(|error| format!("it cannot be installed: {error}"))?;
            values.extend(installed);
        }
        Ok(values)
    }

    fn start(&self, part: &Part, values: &[(&'static str, String)]) -> Start {
        let values: Vec<_> = values
            .iter()
            .map(|(word, value)| (*word, value.as_str()))
            .collect();
        let replaced = |text: &String| placeholder::replaced(text, &values);
        let command = match &part.how {
            How::Running(url) => return Start::Running(url.clone()),
            How::Browser(Browser::Chromium) => match browser::chromium::client() {
                Ok(command) => command,
                Err(error) => return Start::Unavailable(error.to_string()),
            },
            How::Program { words, url } => {
                let ours = words.first().is_some_and(|word| word == "{cloverleaf}");
                let mut words = words.iter().map(replaced);
                let program = words.next().unwrap_or_default();
                // A path counts from the folder, a bare name is looked for on the path.
                let program = match program.contains('/') {
                    true => self.folder.join(program),
                    false => program.into(),
                };
                let command = SubjectCommand::program(program, words.collect()).ours_if(ours);
                match url {
                    Some(url) => command.ready_at(url),
                    None => command,
                }
            }
        };
        let env = self
            .env
            .iter()
            .map(|(key, value)| (key.clone(), replaced(value)));
        let command = command.in_folder(&self.folder).with_env(env.collect());
        Start::Command(match self.patience {
            Some(patience) => command.patient_for(patience),
            None => command,
        })
    }
}

/// What is wrong: the subject's name, or nothing, and the reason.
type Slip = (String, String);

/// Reads a file's text; its paths count from `folder`.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Vec<Library>, Slip> {
    let file: File = toml::from_str(text).map_err(|error| (String::new(), error.to_string()))?;
    if file.subject.is_empty() {
        return Err((String::new(), "there is no [[subject]] in it".to_owned()));
    }
    let mut libraries: Vec<Library> = Vec::new();
    for entry in file.subject {
        let name = entry.name.clone();
        let slip = |reason: String| (name.clone(), reason);
        check_name(&name, &libraries).map_err(slip)?;
        libraries.push(library(entry, folder).map_err(slip)?);
    }
    Ok(libraries)
}

/// Names must differ as names of files do.
fn check_name(name: &str, known: &[Library]) -> Result<(), String> {
    let fits =
        !name.trim().is_empty() && name.trim() == name && name.chars().count() <= LONGEST_NAME;
    if !fits || name.chars().any(char::is_control) {
        return Err(format!(
            "a name has 1 to {LONGEST_NAME} characters and no spaces around it"
        ));
    }
    let stem = autobahn::file_stem(name);
    match known
        .iter()
        .find(|library| autobahn::file_stem(&library.name) == stem)
    {
        Some(other) if other.name == name => Err(
            "there are two of this name; a server and a client belong into one entry".to_owned(),
        ),
        Some(other) => Err(format!(
            "its files would be called as those of {:?}; choose another name",
            other.name
        )),
        None => Ok(()),
    }
}

fn library(entry: Entry, folder: &Path) -> Result<Library, String> {
    let recipe = entry
        .install
        .as_ref()
        .map(|install| Recipe::new(install, folder))
        .transpose()?;
    let working = match &entry.folder {
        Some(below) => folder.join(below),
        None => folder.to_owned(),
    };
    if !working.is_dir() {
        return Err(format!("there is no folder {}", working.display()));
    }
    let mut known = vec!["cloverleaf"];
    known.extend(recipe.iter().flat_map(Recipe::placeholders));
    let mut parts = Vec::new();
    if let Some(server) = &entry.server {
        parts.push(server_part(server, &known)?);
    }
    if let Some(client) = &entry.client {
        parts.push(client_part(client, &known)?);
    }
    if parts.is_empty() {
        return Err("it needs `server`, `client` or both".to_owned());
    }
    for (key, value) in &entry.env {
        if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
            return Err(format!(
                "`env` has {key:?}, which cannot be a variable's name"
            ));
        }
        let known = [&known[..], &["port", "url", "agent"]].concat();
        check_placeholders(&format!("`env.{key}`"), value, &known)?;
    }
    let mut deviations = Vec::new();
    for deviation in &entry.deviation {
        deviations.extend(known_deviations(deviation, &parts)?);
    }
    Ok(Library {
        name: entry.name,
        version: entry.version,
        language: entry.language,
        homepage: entry.homepage,
        recipe,
        folder: working,
        env: entry.env.into_iter().collect(),
        patience: entry
            .patience
            .map(|seconds| Duration::from_secs(seconds.get())),
        parts,
        deviations,
    })
}

fn server_part(server: &file::Server, known: &[&str]) -> Result<Part, String> {
    let ready = server.ready.unwrap_or_default();
    let how = match (&server.command, &server.url, ready) {
        (None, Some(url), _) if server.ready.is_none() => {
            check_placeholders("`server.url`", url, &[])?;
            WsUrl::parse(url).map_err(|error| format!("`server.url`: {error}"))?;
            How::Running(url.clone())
        }
        (None, Some(_), _) => {
            return Err("`server.ready` is for a server with a `command`".to_owned());
        }
        (None, None, _) => {
            return Err("`server` needs a `command`, or the `url` of one that runs".to_owned());
        }
        (Some(_), Some(_), Ready::Line) => {
            return Err(
                "`server.url` is for `ready = \"port\"`; otherwise the server prints it".to_owned(),
            );
        }
        (Some(_), None, Ready::Port) => {
            return Err(
                "`ready = \"port\"` needs `server.url`, such as \"ws://127.0.0.1:{port}/\""
                    .to_owned(),
            );
        }
        (Some(command), url, _) => {
            let words = words("server", command, &[known, &["port"]].concat())?;
            if let Some(url) = url {
                check_placeholders("`server.url`", url, &["port"])?;
                let example = placeholder::replaced(url, &[("port", "9001")]);
                WsUrl::parse(&example).map_err(|error| format!("`server.url`: {error}"))?;
            }
            How::Program {
                words,
                url: url.clone(),
            }
        }
    };
    Ok(Part {
        role: Role::Server,
        how,
        jobs: server.jobs,
    })
}

fn client_part(client: &file::Client, known: &[&str]) -> Result<Part, String> {
    let how = match (&client.command, client.browser) {
        (Some(command), None) => {
            let words = words("client", command, &[known, &["url", "agent"]].concat())?;
            if !words
                .iter()
                .any(|word| placeholder::of(word).any(|word| word == "url"))
            {
                return Err(
                    "`client.command` has no {url}: it would not know where to connect".to_owned(),
                );
            }
            How::Program { words, url: None }
        }
        (None, Some(browser)) => How::Browser(browser),
        _ => return Err("`client` needs a `command` or a `browser`, and not both".to_owned()),
    };
    Ok(Part {
        role: Role::Client,
        how,
        jobs: client.jobs,
    })
}

/// A command as a program and its arguments.
fn words(role: &str, command: &Command, known: &[&str]) -> Result<Vec<String>, String> {
    let words = match command {
        Command::Line(line) if line.trim().is_empty() => Vec::new(),
        Command::Line(line) => vec!["/bin/sh".to_owned(), "-c".to_owned(), line.clone()],
        Command::Words(words) => words.clone(),
    };
    if words
        .first()
        .is_none_or(|program| program.trim().is_empty())
    {
        return Err(format!("`{role}.command` is empty"));
    }
    for word in &words {
        check_placeholders(&format!("`{role}.command`"), word, known)?;
    }
    Ok(words)
}

fn check_placeholders(place: &str, text: &str, known: &[&str]) -> Result<(), String> {
    let Some(unknown) = placeholder::of(text).find(|word| !known.contains(word)) else {
        return Ok(());
    };
    let needs = match unknown {
        "python" => ", which needs `install.pypi`",
        "node" => ", which needs `install.npm`",
        "bin" => ", which needs `install.cargo`",
        "installed" => ", which needs `install`",
        _ => "",
    };
    let known: Vec<_> = known.iter().map(|word| format!("{{{word}}}")).collect();
    let known = match known.is_empty() {
        true => "none here".to_owned(),
        false => known.join(", "),
    };
    Err(format!(
        "{place} has {{{unknown}}}{needs}; placeholders there are: {known}"
    ))
}

/// A known deviation, in each role it is for.
fn known_deviations(deviation: &file::Deviation, parts: &[Part]) -> Result<Vec<Deviation>, String> {
    let about = format!("the deviation of {}", deviation.cases.join(", "));
    if deviation.reason.trim().is_empty() {
        return Err(format!("{about} has no `reason`; say why it is so"));
    }
    if deviation.cases.is_empty() {
        return Err("a deviation has no `cases`".to_owned());
    }
    if deviation.close.is_empty() {
        return Err(format!("{about} has an empty `close`; leave it out for OK"));
    }
    // The report's types keep words that they do not know; here they are slips.
    let mut unknown = deviation.close.iter().filter_map(|close| match close {
        CloseVerdict::Other(word) => Some(word),
        _ => None,
    });
    if let Verdict::Other(word) = &deviation.verdict {
        return Err(format!("{about} has {word:?}, which is no verdict"));
    }
    if let Some(word) = unknown.next() {
        return Err(format!(
            "{about} has {word:?}, which is no verdict on a closing"
        ));
    }
    let cases = deviation
        .cases
        .iter()
        .map(|case| case.parse::<Pattern>())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{about}: {error}"))?;
    let roles: Vec<_> = parts
        .iter()
        .map(|part| part.role)
        .filter(|role| deviation.role.is_none_or(|only| only == *role))
        .collect();
    if roles.is_empty() {
        return Err(format!(
            "{about} is for a role that the subject does not have"
        ));
    }
    Ok(roles
        .into_iter()
        .map(|role| {
            Deviation::new(
                role,
                cases.clone(),
                deviation.verdict.clone(),
                deviation.close.clone(),
                deviation.reason.trim().to_owned(),
                deviation.sometimes,
            )
        })
        .collect())
}
