//! Which proxy leads to which server, and what the environment says on it.
//!
//! No standard has these variables; this is what curl does, and most others.

use std::net::IpAddr;

use cloverleaf_proto::handshake::{ClientRequest, Network};

use super::Proxy;
use crate::error::{Error, ErrorKind};

/// Which proxies lead to which servers.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    secure: Option<Proxy>,
    plain: Option<Proxy>,
    direct: Vec<Rule>,
}

/// One proxy for every server.
impl From<Proxy> for Proxies {
    fn from(proxy: Proxy) -> Self {
        Self {
            secure: Some(proxy.clone()),
            plain: Some(proxy),
            direct: Vec::new(),
        }
    }
}

impl Proxies {
    /// What the environment says. `https_proxy` has the URL of the proxy for `wss`, `http_proxy` of
    /// that for `ws`, `all_proxy` of that for either where the other is not set; the same in capitals.
    /// Small letters come before capitals, what is empty is not set, and a URL without a scheme is an
    /// `http://` one. `no_proxy`: see [`except`](Self::except). Nothing set: no proxy.
    ///
    /// `HTTP_PROXY` in capitals is not looked at where `REQUEST_METHOD` is set: in a CGI program it
    /// holds a header of whoever sent the request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Url`] if a variable that is needed holds something else.
    pub fn from_environment() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let cgi = variable("REQUEST_METHOD").is_some();
        let first = |names: [&str; 4]| {
            names
                .into_iter()
                .filter(|name| !(cgi && *name == "HTTP_PROXY"))
                .find_map(|name| {
                    Some((name.to_owned(), variable(name)?)).filter(|it| !it.1.is_empty())
                })
        };
        let proxy = |names| match first(names) {
            None => Ok(None),
            Some((name, url)) => {
                let whole = if url.contains("://") {
                    url
                } else {
                    format!("http://{url}")
                };
                // Not the value: there may be a password in it.
                Proxy::new(&whole).map(Some).map_err(|error| {
                    Error::new(ErrorKind::Url, format!("the variable {name}: {error}"))
                })
            }
        };
        let direct = variable("no_proxy").filter(|list| !list.is_empty());
        let direct = direct.or_else(|| variable("NO_PROXY")).unwrap_or_default();
        let proxies = Self {
            secure: proxy(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            plain: proxy(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            direct: Vec::new(),
        };
        Ok(proxies.except(&direct))
    }

    /// Connects to these servers without a proxy: a list like that of `no_proxy`, with commas or
    /// spaces in between. An entry is
    ///
    /// - a name: this host and those below it, with a dot or `*.` before it or not;
    /// - an address or a range of them (`10.0.0.0/8`, `::1`), for URLs that have an address in place of
    ///   a name: names are not looked up for this;
    /// - either with a port (`example.com:8443`, `[::1]:80`), for that port alone;
    /// - `*` for every server.
    ///
    /// What is none of these fits no server.
    #[must_use]
    pub fn except(mut self, list: &str) -> Self {
        let entries = list.split([',', ' ', '\t', '\n']);
        self.direct.extend(entries.filter_map(Rule::parse));
        self
    }

    /// The proxy that leads to the server of this request, if one does.
    pub(crate) fn of(&self, request: &ClientRequest) -> Option<&Proxy> {
        let proxy = match request.is_secure() {
            true => self.secure.as_ref(),
            false => self.plain.as_ref(),
        };
        let fits = |rule: &Rule| rule.fits(request.host(), request.port());
        proxy.filter(|_| !self.direct.iter().any(fits))
    }
}

/// Servers that need no proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    Addresses(Network),
    /// This one and those below it; small letters, without dots at its ends.
    Name(String),
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self {
                hosts: Hosts::All,
                port: None,
            });
        }
        // An IPv6 address has colons of its own, and no port without brackets.
        if let Ok(network) = entry.parse() {
            return Some(Self {
                hosts: Hosts::Addresses(network),
                port: None,
            });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (entry, None),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let hosts = match bare.parse() {
            Ok(network) => Hosts::Addresses(network),
            Err(_) => Hosts::Name(name(host.strip_prefix('*').unwrap_or(host))?),
        };
        Some(Self { hosts, port })
    }

    fn fits(&self, host: &str, port: u16) -> bool {
        self.port.is_none_or(|it| it == port)
            && match &self.hosts {
                Hosts::All => true,
                Hosts::Addresses(network) => host
                    .parse::<IpAddr>()
                    .is_ok_and(|address| network.contains(address)),
                Hosts::Name(below) => name(host).is_some_and(|host| {
                    host.strip_suffix(below.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                }),
            }
    }
}

/// A name as it is compared.
fn name(text: &str) -> Option<String> {
    let text = text.strip_prefix('.').unwrap_or(text);
    let text = text.strip_suffix('.').unwrap_or(text);
    (!text.is_empty()).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, Error> {
        Proxies::from_variables(|name| {
            let found = variables.iter().find(|(it, _)| *it == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    /// The host of the proxy for a URL, or `direct`.
    fn way(proxies: &Proxies, url: &str) -> String {
        let request = ClientRequest::new(url).expect(url);
        let proxy = proxies.of(&request);
        proxy.map_or_else(|| "direct".to_owned(), |it| it.place.host().to_owned())
    }

    #[test]
    fn the_scheme_chooses_the_variable() {
        for (variables, ws, wss) in [
            (&[][..], "direct", "direct"),
            (&[("http_proxy", "http://a:1")], "a", "direct"),
            (&[("HTTP_PROXY", "http://a:1")], "a", "direct"),
            (&[("https_proxy", "http://a:1")], "direct", "a"),
            (&[("HTTPS_PROXY", "a:1")], "direct", "a"),
            (&[("ALL_PROXY", "socks5h://a")], "a", "a"),
            (&[("ALL_PROXY", "a"), ("https_proxy", "b")], "a", "b"),
            (&[("all_proxy", "a"), ("ALL_PROXY", "b")], "a", "a"),
            (&[("https_proxy", "a"), ("HTTPS_PROXY", "b")], "direct", "a"),
            (&[("https_proxy", ""), ("HTTPS_PROXY", "b")], "direct", "b"),
            // The request of a CGI program with the header `Proxy: evil`.
            (
                &[("HTTP_PROXY", "evil"), ("REQUEST_METHOD", "GET")],
                "direct",
                "direct",
            ),
            (
                &[("http_proxy", "a"), ("REQUEST_METHOD", "GET")],
                "a",
                "direct",
            ),
            (
                &[
                    ("HTTP_PROXY", "evil"),
                    ("REQUEST_METHOD", "GET"),
                    ("all_proxy", "b"),
                ],
                "b",
                "b",
            ),
        ] {
            let proxies = proxies(variables).expect("all fine");
            assert_eq!(way(&proxies, "ws://server/"), ws, "{variables:?}");
            assert_eq!(way(&proxies, "wss://server/"), wss, "{variables:?}");
        }
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named_and_its_value_is_not() {
        let error = proxies(&[("HTTPS_PROXY", "ftp://me:secret@a")]).expect_err("ftp");
        assert_eq!(error.kind(), ErrorKind::Url);
        let text = format!("{error} {error:?}");
        assert!(text.contains("HTTPS_PROXY"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn no_proxy_leads_past_the_proxy() {
        for (list, fits, not) in [
            ("*", &["ws://a/", "wss://[::1]:9/"][..], &[][..]),
            ("", &[], &["ws://a/"]),
            (
                "example.com",
                &["ws://example.com/", "ws://a.b.EXAMPLE.com:81/"],
                &[
                    "ws://example.org/",
                    "ws://notexample.com/",
                    "ws://example.com.evil.org/",
                    "ws://com/",
                ],
            ),
            (
                ".example.com",
                &["ws://example.com/", "ws://a.example.com./"],
                &["ws://xample.com/"],
            ),
            (
                "*.Example.com.",
                &["ws://a.example.com/"],
                &["ws://aexample.com/"],
            ),
            (
                "example.com:8443",
                &["wss://example.com:8443/", "ws://a.example.com:8443"],
                &["wss://example.com/"],
            ),
            (
                "example.com:443",
                &["wss://example.com/"],
                &["ws://example.com/"],
            ),
            (
                "192.0.2.1",
                &["ws://192.0.2.1:9/"],
                &["ws://192.0.2.10/", "ws://1.192.0.2.1.a/"],
            ),
            (
                "192.0.2.1:80",
                &["ws://192.0.2.1/"],
                &["ws://192.0.2.1:81/"],
            ),
            (
                "10.0.0.0/8",
                &["ws://10.200.0.1/"],
                &["ws://11.0.0.1/", "ws://a10.0.0.1/"],
            ),
            ("::1", &["ws://[::1]/"], &["ws://[::2]/"]),
            ("[::1]", &["ws://[::1]:9/"], &["ws://[::2]/"]),
            ("[::1]:80", &["ws://[::1]/"], &["ws://[::1]:9/"]),
            ("fd00::/8", &["ws://[fd12::1]/"], &["ws://[fe80::1]/"]),
            (
                "a, b\tc",
                &["ws://a/", "ws://b/", "ws://x.c/"],
                &["ws://d/"],
            ),
            (
                "a:b, 10.0.0.0/99, ., :80",
                &[],
                &["ws://a/", "ws://10.0.0.1/"],
            ),
        ] {
            let variables = [("all_proxy", "p:1"), ("no_proxy", list)];
            let proxies = proxies(&variables).expect("all fine");
            for url in fits {
                assert_eq!(way(&proxies, url), "direct", "{list}: {url}");
            }
            for url in not {
                assert_eq!(way(&proxies, url), "p", "{list}: {url}");
            }
        }
        let capitals = proxies(&[("ALL_PROXY", "p"), ("NO_PROXY", "a")]).expect("all fine");
        assert_eq!(way(&capitals, "ws://a/"), "direct");
    }
}
