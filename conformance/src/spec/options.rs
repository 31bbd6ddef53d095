//! The object `options`: how the judge itself behaves on the wire.

use std::time::Duration;

use super::draft::{self, Draft};
use super::error::Problem;
use super::glob;
use super::reader::{Object, nearest};

/// Which of the two programs a spec is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Client,
    Server,
}

const COMMON: [&str; 13] = [
    "utf8validateIncoming",
    "applyMask",
    "maxFramePayloadSize",
    "maxMessagePayloadSize",
    "autoFragmentSize",
    "failByDrop",
    "echoCloseCodeReason",
    "openHandshakeTimeout",
    "closeHandshakeTimeout",
    "tcpNoDelay",
    "autoPingInterval",
    "autoPingTimeout",
    "autoPingSize",
];
const CLIENT: [&str; 4] = [
    "version",
    "acceptMaskedServerFrames",
    "maskClientFrames",
    "serverConnectionDropTimeout",
];
const SERVER: [&str; 6] = [
    "versions",
    "webStatus",
    "requireMaskedClientFrames",
    "maskServerFrames",
    "allowedOrigins",
    "maxConnections",
];
/// The original's, which do nothing here: Hixie-76, Flash, and Python objects.
const WITHOUT_EFFECT: [&str; 5] = [
    "allowHixie76",
    "perMessageCompressionOffers",
    "perMessageCompressionAccept",
    "serveFlashSocketPolicy",
    "flashSocketPolicy",
];

/// Every option's name, for advice on names in the wrong place.
pub(super) fn all_names() -> impl Iterator<Item = &'static str> {
    COMMON
        .into_iter()
        .chain(CLIENT)
        .chain(SERVER)
        .chain(WITHOUT_EFFECT)
}

/// The judge's behavior on the wire. The defaults are those of the original suite.
///
/// A size limit or a time of `None` is none at all; spec files write 0.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The protocol version that the judging client asks for (`version`).
    pub draft: Draft,
    /// Whether the judging client masks what it sends.
    pub mask_client_frames: bool,
    /// Whether the judging client puts up with masked frames.
    pub accept_masked_server_frames: bool,
    /// How long the judging client waits for the server to drop TCP after the closing
    /// handshake.
    pub server_connection_drop_timeout: Option<Duration>,
    /// The values of `Sec-WebSocket-Version` that the judging server takes: 8 and 13.
    pub versions: Vec<u8>,
    /// Whether the judging server answers a request that is no upgrade with a page.
    pub web_status: bool,
    /// Whether the judging server fails unmasked frames.
    pub require_masked_client_frames: bool,
    /// Whether the judging server masks what it sends.
    pub mask_server_frames: bool,
    /// The origins that the judging server takes; see [`allows_origin`](Self::allows_origin).
    pub allowed_origins: Vec<String>,
    /// How many connections the judging server serves at once.
    pub max_connections: Option<u64>,
    /// Whether text that comes in must be UTF-8.
    pub utf8_validate_incoming: bool,
    /// Whether masking changes the payload, in both directions. If not, the key is sent and
    /// read, and the payload left as it is.
    pub apply_mask: bool,
    /// The longest payload of a frame taken, in bytes.
    pub max_frame_payload_size: Option<u64>,
    /// The longest message taken, in bytes.
    pub max_message_payload_size: Option<u64>,
    /// The longest payload of the frames that messages are sent in, in bytes.
    pub auto_fragment_size: Option<u64>,
    /// Whether the judge fails a connection by dropping TCP, with no close frame.
    pub fail_by_drop: bool,
    /// Whether a close is answered with its own code and reason, and not with 1000.
    pub echo_close_code_reason: bool,
    /// How long the opening handshake may take.
    pub open_handshake_timeout: Option<Duration>,
    /// How long the judge waits for the answer to its close frame.
    pub close_handshake_timeout: Option<Duration>,
    /// Whether small writes go out at once.
    pub tcp_no_delay: bool,
    /// The time between the pings that the judge sends unasked.
    pub auto_ping_interval: Option<Duration>,
    /// How long the peer may take to answer such a ping.
    pub auto_ping_timeout: Option<Duration>,
    /// The payload of such a ping in bytes, 4 to 125.
    pub auto_ping_size: u8,
    /// Options of the original that were given and have no effect here, by name.
    pub ignored: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        let seconds = |count| Some(Duration::from_secs(count));
        Self {
            draft: Draft::RFC_6455,
            mask_client_frames: true,
            accept_masked_server_frames: false,
            server_connection_drop_timeout: seconds(1),
            versions: vec![8, 13],
            web_status: true,
            require_masked_client_frames: true,
            mask_server_frames: false,
            allowed_origins: vec!["*".to_owned()],
            max_connections: None,
            utf8_validate_incoming: true,
            apply_mask: true,
            max_frame_payload_size: None,
            max_message_payload_size: None,
            auto_fragment_size: None,
            // The library's default is true; the suite changes it (RFC 6455 §7.1.7).
            fail_by_drop: false,
            echo_close_code_reason: false,
            open_handshake_timeout: seconds(5),
            close_handshake_timeout: seconds(1),
            tcp_no_delay: true,
            auto_ping_interval: None,
            auto_ping_timeout: None,
            auto_ping_size: 4,
            ignored: Vec::new(),
        }
    }
}

impl Options {
    /// Whether the judging server takes a request with this `Origin` (empty if there is none).
    /// As in the original the patterns are matched at the start only.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.allowed_origins
            .iter()
            .any(|pattern| glob::matches_start(pattern, origin))
    }

    /// Applies what an `options` object says; what it does not mention stays as it is.
    pub(super) fn apply(
        &mut self,
        given: &Object<'_>,
        side: Side,
        warnings: &mut Vec<String>,
    ) -> Result<(), Problem> {
        match side {
            Side::Client => self.apply_client(given)?,
            Side::Server => self.apply_server(given)?,
        }
        set(
            &mut self.utf8_validate_incoming,
            given.boolean("utf8validateIncoming")?,
        );
        set(&mut self.apply_mask, given.boolean("applyMask")?);
        set(
            &mut self.max_frame_payload_size,
            limit(given, "maxFramePayloadSize")?,
        );
        set(
            &mut self.max_message_payload_size,
            limit(given, "maxMessagePayloadSize")?,
        );
        set(
            &mut self.auto_fragment_size,
            limit(given, "autoFragmentSize")?,
        );
        set(&mut self.fail_by_drop, given.boolean("failByDrop")?);
        set(
            &mut self.echo_close_code_reason,
            given.boolean("echoCloseCodeReason")?,
        );
        set(
            &mut self.open_handshake_timeout,
            given.seconds("openHandshakeTimeout")?,
        );
        set(
            &mut self.close_handshake_timeout,
            given.seconds("closeHandshakeTimeout")?,
        );
        set(&mut self.tcp_no_delay, given.boolean("tcpNoDelay")?);
        set(
            &mut self.auto_ping_interval,
            given.seconds("autoPingInterval")?,
        );
        set(
            &mut self.auto_ping_timeout,
            given.seconds("autoPingTimeout")?,
        );
        if let Some(size) = given.integer("autoPingSize", 4..=125)? {
            self.auto_ping_size = size as u8;
        }
        self.note_the_rest(given, side, warnings);
        Ok(())
    }

    fn apply_client(&mut self, given: &Object<'_>) -> Result<(), Problem> {
        set(&mut self.draft, draft::version(given)?);
        set(
            &mut self.mask_client_frames,
            given.boolean("maskClientFrames")?,
        );
        set(
            &mut self.accept_masked_server_frames,
            given.boolean("acceptMaskedServerFrames")?,
        );
        set(
            &mut self.server_connection_drop_timeout,
            given.seconds("serverConnectionDropTimeout")?,
        );
        Ok(())
    }

    fn apply_server(&mut self, given: &Object<'_>) -> Result<(), Problem> {
        set(&mut self.versions, draft::versions(given)?);
        set(&mut self.web_status, given.boolean("webStatus")?);
        set(
            &mut self.require_masked_client_frames,
            given.boolean("requireMaskedClientFrames")?,
        );
        set(
            &mut self.mask_server_frames,
            given.boolean("maskServerFrames")?,
        );
        set(&mut self.allowed_origins, given.strings("allowedOrigins")?);
        set(&mut self.max_connections, limit(given, "maxConnections")?);
        Ok(())
    }

    fn note_the_rest(&mut self, given: &Object<'_>, side: Side, warnings: &mut Vec<String>) {
        let (own, foreign): (&[&str], &[&str]) = match side {
            Side::Client => (&CLIENT, &SERVER),
            Side::Server => (&SERVER, &CLIENT),
        };
        for name in given.names() {
            if COMMON.contains(&name) || own.contains(&name) {
                continue;
            }
            let place = given.place(name);
            if WITHOUT_EFFECT.contains(&name) {
                warnings.push(format!(
                    "`{place}` is an option of Autobahn's that has no effect here"
                ));
            } else if foreign.contains(&name) {
                let (here, there) = match side {
                    Side::Client => ("fuzzingclient", "fuzzingserver"),
                    Side::Server => ("fuzzingserver", "fuzzingclient"),
                };
                warnings.push(format!(
                    "`{place}` is an option of {there} and has no effect in {here}"
                ));
            } else {
                let candidates = COMMON.into_iter().chain(own.iter().copied());
                warnings.push(given.unknown(name, nearest(name, candidates)));
                continue;
            }
            if !self.ignored.iter().any(|known| known == name) {
                self.ignored.push(name.to_owned());
            }
        }
    }
}

fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *option = value;
    }
}

/// A limit; 0 stands for none.
fn limit(given: &Object<'_>, name: &str) -> Result<Option<Option<u64>>, Problem> {
    Ok(given
        .integer(name, 0..=u64::MAX)?
        .map(|limit| Some(limit).filter(|&limit| limit > 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::reader::parse_json;

    fn apply_to(
        options: &mut Options,
        json: &str,
        side: Side,
    ) -> (Result<(), Problem>, Vec<String>) {
        let value = parse_json(json).expect("JSON");
        let given = Object::new("options".to_owned(), &value).expect("an object");
        let mut warnings = Vec::new();
        let result = options.apply(&given, side, &mut warnings);
        (result, warnings)
    }

    fn read(json: &str, side: Side) -> Options {
        let mut options = Options::default();
        let (result, warnings) = apply_to(&mut options, json, side);
        result.expect(json);
        assert_eq!(warnings, Vec::<String>::new(), "{json}");
        options
    }

    fn milliseconds(count: u64) -> Option<Duration> {
        Some(Duration::from_millis(count))
    }

    #[test]
    fn every_option_of_the_client_is_read() {
        let options = read(
            r#"{"version": 10, "maskClientFrames": false, "acceptMaskedServerFrames": true,
                "serverConnectionDropTimeout": 2.5, "utf8validateIncoming": false,
                "applyMask": false, "maxFramePayloadSize": 1, "maxMessagePayloadSize": 2,
                "autoFragmentSize": 3, "failByDrop": true, "echoCloseCodeReason": true,
                "openHandshakeTimeout": 0.25, "closeHandshakeTimeout": 0, "tcpNoDelay": false,
                "autoPingInterval": 10, "autoPingTimeout": 1, "autoPingSize": 125}"#,
            Side::Client,
        );
        let expected = Options {
            draft: Draft::new(10).expect("a draft"),
            mask_client_frames: false,
            accept_masked_server_frames: true,
            server_connection_drop_timeout: milliseconds(2500),
            utf8_validate_incoming: false,
            apply_mask: false,
            max_frame_payload_size: Some(1),
            max_message_payload_size: Some(2),
            auto_fragment_size: Some(3),
            fail_by_drop: true,
            echo_close_code_reason: true,
            open_handshake_timeout: milliseconds(250),
            close_handshake_timeout: None,
            tcp_no_delay: false,
            auto_ping_interval: milliseconds(10_000),
            auto_ping_timeout: milliseconds(1000),
            auto_ping_size: 125,
            ..Options::default()
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn every_option_of_the_server_is_read() {
        let options = read(
            r#"{"versions": [13], "webStatus": false, "requireMaskedClientFrames": false,
                "maskServerFrames": true, "allowedOrigins": ["http://a.*"], "maxConnections": 4,
                "failByDrop": true}"#,
            Side::Server,
        );
        let expected = Options {
            versions: vec![13],
            web_status: false,
            require_masked_client_frames: false,
            mask_server_frames: true,
            allowed_origins: vec!["http://a.*".to_owned()],
            max_connections: Some(4),
            fail_by_drop: true,
            ..Options::default()
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn null_leaves_an_option_alone_and_numbers_may_be_written_as_python_prints_them() {
        assert_eq!(
            read(r#"{"version": null, "failByDrop": null}"#, Side::Client),
            Options::default()
        );
        let options = read(
            r#"{"version": 13.0, "failByDrop": 1, "tcpNoDelay": 0, "maxFramePayloadSize": 1e3}"#,
            Side::Client,
        );
        assert_eq!(options.draft.number(), 13);
        assert!(options.fail_by_drop);
        assert!(!options.tcp_no_delay);
        assert_eq!(options.max_frame_payload_size, Some(1000));
    }

    #[test]
    fn later_options_are_applied_over_earlier_ones() {
        let mut options = Options::default();
        for json in [
            r#"{"version": 12, "autoFragmentSize": 5}"#,
            r#"{"autoFragmentSize": 0, "tcpNoDelay": false}"#,
        ] {
            let (result, _) = apply_to(&mut options, json, Side::Client);
            result.expect(json);
        }
        let expected = Options {
            draft: Draft::new(12).expect("a draft"),
            tcp_no_delay: false,
            ..Options::default()
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn values_of_another_kind_are_errors_that_say_what_to_write() {
        use Side::{Client, Server};
        for (side, json, expected) in [
            (Client, r#"{"version": 8}"#, "write 12"),
            (Server, r#"{"versions": [18]}"#, "write 13"),
            (
                Client,
                r#"{"failByDrop": "no"}"#,
                "must be true or false, but is the text",
            ),
            (
                Client,
                r#"{"failByDrop": 2}"#,
                "must be true or false, but is 2",
            ),
            (
                Client,
                r#"{"maxFramePayloadSize": -1}"#,
                "a whole number, 0 or more, but is -1",
            ),
            (
                Client,
                r#"{"autoFragmentSize": 1.5}"#,
                "a whole number, 0 or more, but is 1.5",
            ),
            (
                Client,
                r#"{"autoPingSize": 3}"#,
                "a whole number from 4 to 125, but is 3",
            ),
            (
                Client,
                r#"{"autoPingSize": 126}"#,
                "a whole number from 4 to 125",
            ),
            (
                Client,
                r#"{"openHandshakeTimeout": -1}"#,
                "seconds from 0 (off)",
            ),
            (Client, r#"{"closeHandshakeTimeout": 1e7}"#, "to 1000000"),
            (
                Client,
                r#"{"closeHandshakeTimeout": "1s"}"#,
                "a number of seconds",
            ),
            (
                Server,
                r#"{"allowedOrigins": "*"}"#,
                "must be a list of texts",
            ),
            (Server, r#"{"maxConnections": true}"#, "a whole number"),
        ] {
            let (result, _) = apply_to(&mut Options::default(), json, side);
            let error = result.expect_err(json).to_string();
            assert!(error.starts_with("`options."), "{json}: {error}");
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn options_without_effect_are_kept_by_name_and_warned_of() {
        let mut options = Options::default();
        let (result, warnings) = apply_to(
            &mut options,
            r#"{"allowHixie76": false, "webStatus": 7, "failByDorp": true, "colour": "red"}"#,
            Side::Client,
        );
        result.expect("foreign options are not looked into");
        assert_eq!(options.ignored, ["allowHixie76", "webStatus"]);
        assert_eq!(
            warnings,
            [
                "`options.allowHixie76` is an option of Autobahn's that has no effect here",
                "`colour` in `options` is not known and is ignored",
                "`failByDorp` in `options` is not known and is ignored; \
                 did you mean `failByDrop`?",
                "`options.webStatus` is an option of fuzzingserver and has no effect in \
                 fuzzingclient",
            ]
        );
        let (_, warnings) = apply_to(
            &mut options,
            r#"{"maskClientFrames": true, "flashSocketPolicy": "x", "allowHixie76": true}"#,
            Side::Server,
        );
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(
            options.ignored,
            [
                "allowHixie76",
                "webStatus",
                "flashSocketPolicy",
                "maskClientFrames"
            ]
        );
    }

    #[test]
    fn origins_are_matched_at_the_start_and_any_will_do() {
        let with = |patterns: &[&str]| Options {
            allowed_origins: patterns.iter().map(ToString::to_string).collect(),
            ..Options::default()
        };
        for (patterns, origin, allowed) in [
            (&["*"][..], "", true),
            (&["*"], "http://a", true),
            (&[], "http://a", false),
            (&["http://a"], "http://a", true),
            (&["http://a"], "http://a.evil", true),
            (&["http://a"], "", false),
            (&["http://*.org:80"], "http://x.org:80", true),
            (&["http://*.org:80"], "http://x.com:80", false),
            (&["https://b", "*://a"], "http://a", true),
        ] {
            assert_eq!(
                with(patterns).allows_origin(origin),
                allowed,
                "{patterns:?} {origin}"
            );
        }
    }
}
