//! `fuzzingserver.json`: where to wait for clients, and which cases to run with them.

use std::path::{Path, PathBuf};

use cloverleaf_reports::CaseId;

use super::cases;
use super::client::{outdir, url, warn_of_top_level};
use super::error::{Problem, SpecError};
use super::exclusion::AgentExclusions;
use super::options::{Options, Side};
use super::reader::{Object, parse_json, read_file};
use super::url::WsUrl;

const DEFAULT_OUTDIR: &str = "./reports/clients/";

/// What the fuzzing server is to do.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct ServerSpec {
    /// Where to listen: only the port, and whether it is `wss`, count. The original listens
    /// on all addresses, whatever the host.
    pub url: WsUrl,
    /// Where the reports go.
    pub outdir: PathBuf,
    /// The cases, in the order they are numbered in. Never empty.
    pub cases: Vec<CaseId>,
    /// Cases that are left out for some agents.
    pub exclusions: AgentExclusions,
    /// The judge's behavior.
    pub options: Options,
    /// The subprotocols that the server speaks.
    pub protocols: Vec<String>,
    /// The file of the TLS private key; see [`tls`](Self::tls).
    pub key: Option<PathBuf>,
    /// The file of the TLS certificate; see [`tls`](Self::tls).
    pub cert: Option<PathBuf>,
    /// What the file says in vain, each a sentence with its place.
    pub warnings: Vec<String>,
}

/// The files that TLS needs, both in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TlsFiles {
    /// The private key.
    pub key: PathBuf,
    /// The certificate.
    pub cert: PathBuf,
}

impl ServerSpec {
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
                "url",
                "outdir",
                "options",
                "cases",
                "exclude-cases",
                "exclude-agent-cases",
                "protocols",
                "key",
                "cert",
            ],
            &["servers"],
            "the spec of fuzzingclient",
            &mut warnings,
        );
        let mut options = Options::default();
        if let Some(given) = spec.object("options")? {
            options.apply(&given, Side::Server, &mut warnings)?;
        }
        let file = |name| -> Result<Option<PathBuf>, Problem> {
            let path = spec.string(name)?.filter(|path| !path.is_empty());
            Ok(path.map(PathBuf::from))
        };
        Ok(Self {
            url: url(&spec)?,
            outdir: outdir(&spec, DEFAULT_OUTDIR)?,
            cases: cases::select(&spec, known, &mut warnings)?,
            exclusions: AgentExclusions::read(&spec, known, &mut warnings)?,
            options,
            protocols: spec.strings("protocols")?.unwrap_or_default(),
            key: file("key")?,
            cert: file("cert")?,
            warnings,
        })
    }

    /// The files for TLS, or `None` if the URL is `ws`. The flags `-k` and `-c` come before
    /// the fields of the file.
    ///
    /// # Errors
    ///
    /// If the URL is `wss` and one of the two is not named anywhere.
    pub fn tls(
        &self,
        key_flag: Option<PathBuf>,
        cert_flag: Option<PathBuf>,
    ) -> Result<Option<TlsFiles>, SpecError> {
        if !self.url.is_secure() {
            return Ok(None);
        }
        match (
            key_flag.or_else(|| self.key.clone()),
            cert_flag.or_else(|| self.cert.clone()),
        ) {
            (Some(key), Some(cert)) => Ok(Some(TlsFiles { key, cert })),
            _ => Err(Problem::NoKeyAndCert.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::cases::tests::known;

    fn parse(text: &str) -> ServerSpec {
        ServerSpec::parse(text, &known()).expect(text)
    }

    #[test]
    fn a_full_spec_is_read() {
        let spec = parse(
            r#"{"url": "wss://localhost:9443", "outdir": "o", "cases": ["1.*", "10.*"],
                "exclude-cases": ["1.2.*"], "exclude-agent-cases": {"A": ["10.*"]},
                "options": {"versions": [13], "maskServerFrames": true},
                "protocols": ["p", "q"], "key": "k.pem", "cert": "c.pem"}"#,
        );
        assert_eq!(spec.warnings, Vec::<String>::new());
        assert!(spec.url.is_secure());
        assert_eq!(spec.url.port(), 9443);
        assert_eq!(spec.outdir, Path::new("o"));
        assert_eq!(spec.cases.len(), 9);
        assert_eq!(spec.cases[8].as_str(), "10.1.1");
        assert!(spec.exclusions.excludes("A", &spec.cases[8]));
        assert_eq!(spec.options.versions, [13]);
        assert!(spec.options.mask_server_frames);
        assert_eq!(spec.protocols, ["p", "q"]);
        assert_eq!(spec.key.as_deref(), Some(Path::new("k.pem")));
        assert_eq!(spec.cert.as_deref(), Some(Path::new("c.pem")));
    }

    #[test]
    fn what_a_spec_leaves_out_has_the_defaults_of_the_original() {
        let spec = parse(r#"{"url": "ws://127.0.0.1:9001", "cases": ["*"]}"#);
        assert_eq!(spec.cases.len(), 517);
        assert_eq!(spec.outdir, Path::new("./reports/clients/"));
        assert_eq!(spec.options, Options::default());
        assert_eq!(spec.protocols, Vec::<String>::new());
        assert_eq!((spec.key, spec.cert), (None, None));
    }

    #[test]
    fn tls_needs_both_files_and_flags_come_first() {
        let file = |name: &str| Some(PathBuf::from(name));
        let plain = r#"{"url": "ws://h", "cases": ["*"], "key": "k", "cert": "c"}"#;
        let both = r#"{"url": "wss://h", "cases": ["*"], "key": "k", "cert": "c"}"#;
        let half = r#"{"url": "wss://h", "cases": ["*"], "key": "k", "cert": ""}"#;
        let none = r#"{"url": "wss://h", "cases": ["*"]}"#;
        for (text, key, cert, expected) in [
            (plain, file("K"), file("C"), Some(None)),
            (both, None, None, Some(Some(("k", "c")))),
            (both, file("K"), None, Some(Some(("K", "c")))),
            (both, file("K"), file("C"), Some(Some(("K", "C")))),
            (half, None, file("C"), Some(Some(("k", "C")))),
            (half, None, None, None),
            (none, None, file("C"), None),
        ] {
            match (parse(text).tls(key, cert), expected) {
                (Ok(files), Some(names)) => {
                    let expected = names.map(|(key, cert)| TlsFiles {
                        key: key.into(),
                        cert: cert.into(),
                    });
                    assert_eq!(files, expected, "{text}");
                }
                (Err(error), None) => {
                    assert!(error.to_string().contains("-k and -c"), "{error}");
                }
                (result, expected) => panic!("{text}: {result:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn fields_of_a_wrong_type_are_named_with_what_they_must_be() {
        for (text, expected) in [
            (
                r#"{"cases": ["*"]}"#,
                "`url` is missing; it must be a ws:// or wss:// URL",
            ),
            (
                r#"{"url": "http://h", "cases": ["*"]}"#,
                "its scheme is neither ws nor wss",
            ),
            (r#"{"url": "ws://h"}"#, "`cases` is missing"),
            (
                r#"{"url": "ws://h", "cases": ["*"], "key": ["k"]}"#,
                "`key` must be a text in double quotes, but is a list",
            ),
            (
                r#"{"url": "ws://h", "cases": ["*"], "protocols": [1]}"#,
                "`protocols[0]` must be a text in double quotes, but is 1",
            ),
            (
                r#"{"url": "ws://h", "cases": ["*"], "options": {"versions": [0]}}"#,
                "Hixie-76, which is not supported",
            ),
        ] {
            let error = ServerSpec::parse(text, &known())
                .expect_err(text)
                .to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn unknown_fields_are_warned_of_with_their_place() {
        let spec = parse(
            r#"{"url": "ws://h", "cases": ["*"], "webport": 8080, "servers": [],
                "certificate": "c", "Protocol": [], "maxConnections": 1}"#,
        );
        assert_eq!(
            spec.warnings,
            [
                "`Protocol` at the top is not known and is ignored; did you mean `protocols`?",
                "`certificate` at the top is not known and is ignored",
                "`maxConnections` at the top is not known and is ignored; it belongs in \
                 `options`",
                "`servers` at the top is not known and is ignored; it belongs in the spec of \
                 fuzzingclient",
                "`webport` at the top is not known and is ignored; it belongs in the flag -u",
            ]
        );
    }
}
