//! `fuzzingclient.json`: which servers to judge, in which cases.

use std::path::{Path, PathBuf};

use cloverleaf_reports::CaseId;
use serde_json::Value;

use super::cases;
use super::error::{Problem, SpecError};
use super::exclusion::AgentExclusions;
use super::options::{Options, Side, all_names};
use super::reader::{Object, nearest, parse_json, read_file};
use super::url::WsUrl;

const URL: &str = "a ws:// or wss:// URL such as \"ws://127.0.0.1:9001\"";
const DEFAULT_OUTDIR: &str = "./reports/servers/";

/// What the fuzzing client is to do.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct ClientSpec {
    /// The servers, in the order they are judged in. May be empty until
    /// [`require_server`](Self::require_server).
    pub servers: Vec<JudgedServer>,
    /// Where the reports go.
    pub outdir: PathBuf,
    /// The cases, in the order they run in. Never empty.
    pub cases: Vec<CaseId>,
    /// Cases that are left out for some agents.
    pub exclusions: AgentExclusions,
    /// The judge's behavior towards a server that the file does not list.
    pub options: Options,
    /// What the file says in vain, each a sentence with its place.
    pub warnings: Vec<String>,
}

/// One server to judge.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct JudgedServer {
    /// Where it listens.
    pub url: WsUrl,
    /// The name in the report. If there is none: the `Server` header of its response, else
    /// `UnknownServer`.
    pub agent: Option<String>,
    /// The origin to announce.
    pub origin: Option<String>,
    /// The subprotocols to offer.
    pub protocols: Vec<String>,
    /// The host name to send in the TLS handshake (SNI).
    pub hostname: Option<String>,
    /// The judge's behavior: the file's `options`, this server's own applied over them.
    pub options: Options,
}

impl ClientSpec {
    /// Reads a spec file. `known` are all cases there are, in any order.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, and as [`parse`](Self::parse).
    pub fn load(path: &Path, known: &[CaseId]) -> Result<Self, SpecError> {
        Self::parse(&read_file(path)?, known).map_err(|error| error.in_file(path))
    }

    /// Reads the text of a spec.
    ///
    /// # Errors
    ///
    /// If it is not JSON, a field is missing or of a wrong type, an entry of `cases` is no
    /// case, or no case is selected.
    pub fn parse(text: &str, known: &[CaseId]) -> Result<Self, SpecError> {
        let value = parse_json(text)?;
        let spec = Object::new(String::new(), &value)?;
        let mut warnings = Vec::new();
        warn_of_top_level(
            &spec,
            &[
                "servers",
                "outdir",
                "options",
                "cases",
                "exclude-cases",
                "exclude-agent-cases",
            ],
            &["url", "agent", "origin", "protocols", "hostname"],
            "an entry of `servers`",
            &mut warnings,
        );
        let mut options = Options::default();
        if let Some(given) = spec.object("options")? {
            options.apply(&given, Side::Client, &mut warnings)?;
        }
        let must_be = "a list of servers, [{\"url\": \"ws://127.0.0.1:9001\"}]";
        let servers = spec
            .list("servers", must_be)?
            .unwrap_or_default()
            .iter()
            .enumerate()
            .map(|(at, value)| read_server(at, value, &options, &mut warnings))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            servers,
            outdir: outdir(&spec, DEFAULT_OUTDIR)?,
            cases: cases::select(&spec, known, &mut warnings)?,
            exclusions: AgentExclusions::read(&spec, known, &mut warnings)?,
            options,
            warnings,
        })
    }

    /// Sees to it that there is a server: if the file lists none, `url` (the flag `-w`) is it.
    /// If the file does, the flag is not looked at.
    ///
    /// # Errors
    ///
    /// If there is none, or `url` is none.
    pub fn require_server(&mut self, url: Option<&str>) -> Result<(), SpecError> {
        if !self.servers.is_empty() {
            return Ok(());
        }
        let text = url.ok_or(Problem::NoServers)?;
        let url = WsUrl::parse(text).map_err(|found| Problem::Wrong {
            place: "the URL of -w".to_owned(),
            must_be: URL.to_owned(),
            found,
        })?;
        self.servers.push(JudgedServer {
            url,
            agent: None,
            origin: None,
            protocols: Vec::new(),
            hostname: None,
            options: self.options.clone(),
        });
        Ok(())
    }
}

fn read_server(
    at: usize,
    value: &Value,
    global: &Options,
    warnings: &mut Vec<String>,
) -> Result<JudgedServer, Problem> {
    let server = Object::new(format!("servers[{at}]"), value)?;
    server.warn_of_unknown(
        &["url", "agent", "origin", "protocols", "hostname", "options"],
        warnings,
    );
    let mut options = global.clone();
    if let Some(given) = server.object("options")? {
        options.apply(&given, Side::Client, warnings)?;
    }
    Ok(JudgedServer {
        url: url(&server)?,
        agent: server.string("agent")?.filter(|agent| !agent.is_empty()),
        origin: server.string("origin")?.filter(|origin| !origin.is_empty()),
        protocols: server.strings("protocols")?.unwrap_or_default(),
        hostname: server.string("hostname")?.filter(|name| !name.is_empty()),
        options,
    })
}

/// The field `url`.
pub(super) fn url(object: &Object<'_>) -> Result<WsUrl, Problem> {
    let text = object.required_string("url", URL)?;
    WsUrl::parse(&text).map_err(|found| Problem::Wrong {
        place: format!("`{}`", object.place("url")),
        must_be: URL.to_owned(),
        found,
    })
}

/// The field `outdir`.
pub(super) fn outdir(spec: &Object<'_>, default: &str) -> Result<PathBuf, Problem> {
    let outdir = match spec.string("outdir")? {
        None => default.to_owned(),
        // The original takes it for the working directory.
        Some(empty) if empty.is_empty() => ".".to_owned(),
        Some(outdir) => outdir,
    };
    Ok(outdir.into())
}

/// Warns of fields of the outermost object that belong elsewhere or nowhere.
pub(super) fn warn_of_top_level(
    spec: &Object<'_>,
    known: &[&str],
    deeper: &[&str],
    deeper_place: &str,
    warnings: &mut Vec<String>,
) {
    for name in spec.names().filter(|name| !known.contains(name)) {
        let place = if name == "webport" {
            // Many published specs have it; the original never read it.
            "the flag -u"
        } else if deeper.contains(&name) {
            deeper_place
        } else if all_names().any(|option| option == name) {
            "`options`"
        } else {
            let meant = nearest(name, known.iter().copied());
            warnings.push(spec.unknown(name, meant));
            continue;
        };
        warnings.push(format!(
            "{}; it belongs in {place}",
            spec.unknown(name, None)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Draft;
    use crate::spec::cases::tests::known;
    use std::fs;

    fn parse(text: &str) -> ClientSpec {
        ClientSpec::parse(text, &known()).expect(text)
    }

    fn error(text: &str) -> String {
        ClientSpec::parse(text, &known())
            .expect_err(text)
            .to_string()
    }

    #[test]
    fn a_full_spec_is_read() {
        let spec = parse(
            r#"{
                "servers": [
                    {"agent": "One", "url": "ws://127.0.0.1:9001",
                     "options": {"version": 13, "autoFragmentSize": 0}},
                    {"url": "wss://[::1]/chat", "origin": "http://o", "protocols": ["a", "b"],
                     "hostname": "example.org"}
                ],
                "outdir": "./out",
                "options": {"failByDrop": true, "version": 12, "autoFragmentSize": 9},
                "cases": ["2.*", "1.1.1"],
                "exclude-cases": ["2.1*"],
                "exclude-agent-cases": {"On*": ["2.9"]}
            }"#,
        );
        assert_eq!(spec.warnings, Vec::<String>::new());
        assert_eq!(spec.outdir, Path::new("./out"));
        let ids: Vec<&str> = spec.cases.iter().map(CaseId::as_str).collect();
        assert_eq!(
            ids,
            [
                "1.1.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9"
            ]
        );
        let nine = "2.9".parse().expect("an id");
        assert!(spec.exclusions.excludes("One", &nine));
        assert!(!spec.exclusions.excludes("Two", &nine));

        let [one, two] = &spec.servers[..] else {
            panic!("{:?}", spec.servers);
        };
        assert_eq!(one.agent.as_deref(), Some("One"));
        assert_eq!((one.url.host(), one.url.port()), ("127.0.0.1", 9001));
        assert_eq!((one.origin.as_ref(), one.hostname.as_ref()), (None, None));
        assert_eq!(one.options.draft.number(), 13);
        assert_eq!(one.options.auto_fragment_size, None);
        assert!(one.options.fail_by_drop);

        assert_eq!(two.agent, None);
        assert!(two.url.is_secure());
        assert_eq!(two.origin.as_deref(), Some("http://o"));
        assert_eq!(two.protocols, ["a", "b"]);
        assert_eq!(two.hostname.as_deref(), Some("example.org"));
        assert_eq!(two.options.draft.number(), 12);
        assert_eq!(two.options.auto_fragment_size, Some(9));
    }

    #[test]
    fn what_a_spec_leaves_out_has_the_defaults_of_the_original() {
        let spec = parse(r#"{"servers": [{"url": "ws://h", "agent": null}], "cases": ["*"]}"#);
        assert_eq!(spec.cases.len(), 517);
        assert_eq!(spec.outdir, Path::new("./reports/servers/"));
        assert_eq!(spec.exclusions, AgentExclusions::default());
        assert_eq!(spec.servers[0].options, Options::default());
        assert!(!spec.servers[0].options.fail_by_drop);
        assert_eq!(spec.servers[0].agent, None);
        assert_eq!(
            parse(r#"{"cases": ["*"], "outdir": ""}"#).outdir,
            Path::new(".")
        );
    }

    #[test]
    fn a_spec_without_servers_takes_the_url_of_the_flag_with_the_files_options() {
        let mut spec = parse(r#"{"cases": ["*"], "options": {"version": 11}, "servers": []}"#);
        let missing = spec
            .require_server(None)
            .expect_err("no server")
            .to_string();
        assert!(missing.contains("-w URL"), "{missing}");
        let wrong = spec
            .require_server(Some("h:1"))
            .expect_err("no URL")
            .to_string();
        assert!(wrong.contains("the URL of -w must be a ws://"), "{wrong}");
        spec.require_server(Some("ws://h:1/x")).expect("a URL");
        assert_eq!(spec.servers.len(), 1);
        assert_eq!(spec.servers[0].url.target(), "/x");
        assert_eq!(spec.servers[0].options.draft.header(), 8);

        let mut spec = parse(r#"{"cases": ["*"], "servers": [{"url": "ws://listed"}]}"#);
        spec.require_server(Some("ws://h:1"))
            .expect("one is listed");
        assert_eq!(spec.servers.len(), 1);
        assert_eq!(spec.servers[0].url.host(), "listed");
        assert_eq!(spec.servers[0].options.draft, Draft::RFC_6455);
    }

    #[test]
    fn fields_of_a_wrong_type_are_named_with_what_they_must_be() {
        for (text, expected) in [
            ("[]", "the spec must be an object, {...}, but is a list"),
            (
                r#"{"servers": {}, "cases": ["*"]}"#,
                "`servers` must be a list of servers",
            ),
            (
                r#"{"servers": ["ws://h"], "cases": ["*"]}"#,
                "`servers[0]` must be an object, {...}, but is the text \"ws://h\"",
            ),
            (
                r#"{"servers": [{"url": "ws://h"}, {"agent": "A"}], "cases": ["*"]}"#,
                "`servers[1].url` is missing; it must be a ws:// or wss:// URL",
            ),
            (
                r#"{"servers": [{"url": "localhost:9001"}], "cases": ["*"]}"#,
                "`servers[0].url` must be a ws:// or wss:// URL such as \"ws://127.0.0.1:9001\", \
                 but is \"localhost:9001\": it does not begin with ws:// or wss://",
            ),
            (
                r#"{"servers": [{"url": 9001}], "cases": ["*"]}"#,
                "`servers[0].url` must be a text in double quotes, but is 9001",
            ),
            (
                r#"{"servers": [{"url": "ws://h", "protocols": "a"}], "cases": ["*"]}"#,
                "`servers[0].protocols` must be a list of texts",
            ),
            (
                r#"{"servers": [{"url": "ws://h", "options": {"version": 1}}], "cases": ["*"]}"#,
                "`servers[0].options.version` must be the number of a draft",
            ),
            (
                r#"{"cases": ["*"], "options": []}"#,
                "`options` must be an object",
            ),
            (
                r#"{"cases": ["*"], "outdir": 1}"#,
                "`outdir` must be a text",
            ),
            (
                r#"{"cases": ["9.1"]}"#,
                "`cases[0]`: no case matches `9.1`; for all cases below",
            ),
            (
                "{\n\"cases\": [\"*\",]}",
                "not JSON at line 2, column 15: trailing comma",
            ),
        ] {
            let error = error(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn unknown_fields_are_warned_of_with_their_place() {
        let spec = parse(
            r#"{"cases": ["1.*"], "exclude_cases": [], "webport": 8080, "failByDrop": false,
                "url": "ws://h", "comment": "",
                "servers": [{"url": "ws://h", "agnet": "x", "options": {"ver": 18}}]}"#,
        );
        assert_eq!(
            spec.warnings,
            [
                "`comment` at the top is not known and is ignored",
                "`exclude_cases` at the top is not known and is ignored; \
                 did you mean `exclude-cases`?",
                "`failByDrop` at the top is not known and is ignored; it belongs in `options`",
                "`url` at the top is not known and is ignored; it belongs in an entry of \
                 `servers`",
                "`webport` at the top is not known and is ignored; it belongs in the flag -u",
                "`agnet` in `servers[0]` is not known and is ignored; did you mean `agent`?",
                "`ver` in `servers[0].options` is not known and is ignored",
            ]
        );
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = r#"{"cases": ["2.1"]}"#;
        for (name, bytes, expected) in [
            ("missing.json", None, "missing.json: there is no such file"),
            (
                "latin1.json",
                Some(&b"{\"a\": \"\xe9\"}"[..]),
                "not UTF-8 from byte 7 on",
            ),
            (
                "utf16.json",
                Some(b"\xff\xfe{\0}\0"),
                "not UTF-8 from byte 0 on",
            ),
            (
                "empty.json",
                Some(b""),
                "empty.json: not JSON at line 1, column 0",
            ),
            (
                "type.json",
                Some(b"7"),
                "type.json: the spec must be an object",
            ),
        ] {
            let path = folder.path().join(name);
            if let Some(bytes) = bytes {
                fs::write(&path, bytes).expect("the folder is ours");
            }
            let error = ClientSpec::load(&path, &known()).expect_err(name);
            assert_eq!(error.file(), Some(&*path), "{name}");
            let error = error.to_string();
            assert!(error.contains(expected), "{error}");
        }
        let folder_error = ClientSpec::load(folder.path(), &known()).expect_err("a folder");
        assert!(
            folder_error.to_string().contains("cannot be read"),
            "{folder_error}"
        );
        assert!(matches!(folder_error.problem(), Problem::Unreadable(_)));

        let path = folder.path().join("mark.json");
        fs::write(&path, format!("\u{feff}{good}")).expect("the folder is ours");
        let spec = ClientSpec::load(&path, &known()).expect("a byte order mark is no defect");
        assert_eq!(spec.cases.len(), 1);
    }
}
