//! Where credentials belong.

use http::{Method, Request, Uri};

use cloverleaf_proto::handshake::ClientRequest;

/// A scheme, a host and a port (RFC 6454 §4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) is_secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    pub(super) fn of(request: &ClientRequest) -> Self {
        Self {
            is_secure: request.is_secure(),
            host: request.host().to_ascii_lowercase(),
            port: request.port(),
        }
    }

    /// The origin of a whole URI; `http` and `https` count as `ws` and `wss`.
    fn of_uri(uri: &Uri) -> Option<Self> {
        let is_secure = match uri.scheme_str()? {
            "wss" | "https" => true,
            "ws" | "http" => false,
            _ => return None,
        };
        let host = uri.host()?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let port = match uri.port() {
            Some(port) => port.as_u16(),
            None if is_secure => 443,
            None => 80,
        };
        Some(Self {
            is_secure,
            host: bare.unwrap_or(host).to_ascii_lowercase(),
            port,
        })
    }

    /// Whether a request goes there.
    pub(super) fn is_of(&self, request: &Request<()>) -> bool {
        Self::of_uri(request.uri()).is_some_and(|origin| origin == *self)
    }

    /// Whether a target of this origin is in the space that a challenge names (RFC 7616 §3.3,
    /// `domain`): none stands for all of the origin.
    pub(super) fn covers(&self, domain: &[String], target: &str) -> bool {
        let covers = |entry: &String| {
            if entry.starts_with('/') {
                return target.starts_with(&**entry);
            }
            Uri::try_from(&**entry).is_ok_and(|uri| {
                let prefix = uri.path_and_query().map_or("/", |prefix| prefix.as_str());
                Self::of_uri(&uri).is_some_and(|origin| origin == *self)
                    && target.starts_with(prefix)
            })
        };
        domain.is_empty() || domain.iter().any(covers)
    }
}

/// Whether a request asks a proxy for a tunnel. RFC 8441's extended CONNECT has a whole URI.
pub(super) fn is_tunnel(request: &Request<()>) -> bool {
    request.method() == Method::CONNECT && request.uri().scheme().is_none()
}

/// The request's target as it is sent: what goes into `uri` and the digest.
pub(super) fn target(request: &Request<()>) -> String {
    let uri = request.uri();
    match (uri.authority(), uri.query()) {
        (Some(authority), _) if is_tunnel(request) => authority.as_str().to_owned(),
        (_, Some(query)) => format!("{}?{query}", uri.path()),
        (_, None) => uri.path().to_owned(),
    }
}

/// RFC 7617 §2.2: what is at or below the folder of a path may be sent the same credentials.
pub(super) fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(uri: &str) -> Origin {
        Origin::of(&ClientRequest::new(uri).expect(uri))
    }

    fn get(uri: &str) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = uri.parse().expect(uri);
        request
    }

    #[test]
    fn a_request_belongs_to_one_origin() {
        for (ours, other, is_same) in [
            ("ws://a/", "ws://A:80/x?y", true),
            ("wss://a/", "wss://a:443/", true),
            ("wss://a/", "https://a/", true),
            ("ws://[::1]/", "ws://[::1]:80/", true),
            ("ws://a/", "wss://a/", false),
            ("ws://a/", "wss://a:80/", false),
            ("ws://a/", "ws://a:81/", false),
            ("ws://a/", "ws://b/", false),
            ("ws://a/", "ws://a.b/", false),
            ("ws://a/", "/", false),
            ("ws://a/", "ftp://a:80/", false),
        ] {
            assert_eq!(origin(ours).is_of(&get(other)), is_same, "{ours} {other}");
        }
    }

    #[test]
    fn what_a_domain_covers() {
        for (domain, covered) in [
            (&[][..], true),
            (&["/"], true),
            (&["/chat"], true),
            (&["/other", "/chat/"], true),
            (&["/other"], false),
            (&["http://a/chat"], true),
            (&["ws://a"], true),
            (&["https://a/"], false),
            (&["http://b/"], false),
            (&["chat"], false),
            (&["://"], false),
        ] {
            let domain: Vec<_> = domain.iter().map(|&entry| entry.to_owned()).collect();
            assert_eq!(
                origin("ws://a/").covers(&domain, "/chat/x"),
                covered,
                "{domain:?}"
            );
        }
    }

    #[test]
    fn the_target_is_what_the_request_line_has() {
        for (uri, sent) in [
            ("ws://a", "/"),
            ("ws://a/b?c=%20", "/b?c=%20"),
            ("ws://a?c", "/?c"),
        ] {
            assert_eq!(target(&get(uri)), sent);
            assert!(!is_tunnel(&get(uri)));
        }
        let mut tunnel = get("a:443");
        *tunnel.method_mut() = Method::CONNECT;
        assert!(is_tunnel(&tunnel));
        assert_eq!(target(&tunnel), "a:443");
        let mut stream = get("wss://a/b");
        *stream.method_mut() = Method::CONNECT;
        assert!(!is_tunnel(&stream));
        assert_eq!(target(&stream), "/b");
        for (path, of) in [("/", "/"), ("/a", "/"), ("/a/", "/a/"), ("/a/b", "/a/")] {
            assert_eq!(folder(path), of);
        }
    }
}
