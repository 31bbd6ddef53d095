//! What is asked of the server: of the first WebSocket, and of others over the same connection.

use std::error::Error;

use cloverleaf::proto::handshake::ClientRequest;
use cloverleaf_mux::Mux;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri};

/// What every request of a session says.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) protocols: Vec<String>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) required: Vec<String>,
}

impl Asked {
    /// The request that begins the connection.
    pub(super) fn first(&self) -> Result<ClientRequest, Box<dyn Error>> {
        let request = cloverleaf::request(&self.url)
            .map_err(|error| format!("{error}: write ws://HOST:PORT/PATH or wss://…"))?;
        let request = self.with_all(request)?;
        Ok(self
            .required
            .iter()
            .fold(request, |request, name| request.require_extension(name)))
    }

    /// The request for one more WebSocket: with another path, or the same.
    pub(super) fn another(&self, path: Option<&str>) -> Result<ClientRequest, Box<dyn Error>> {
        let mut parts = self.url.parse::<Uri>()?.into_parts();
        if let Some(path) = path {
            if !path.starts_with('/') || path.contains('#') {
                return Err("a path begins with / and has no #: /open /chat?room=1".into());
            }
            parts.path_and_query = Some(path.parse::<PathAndQuery>()?);
        }
        let request = self.with_all(ClientRequest::from_uri(&Uri::from_parts(parts)?)?)?;
        // What carries the channels is agreed already.
        let carries = [Mux::TOKEN, Mux::TOKEN_OF_PYWEBSOCKET];
        let required = self.required.iter();
        Ok(required
            .filter(|name| !carries.contains(&name.as_str()))
            .fold(request, |request, name| request.require_extension(name)))
    }

    fn with_all(&self, mut request: ClientRequest) -> Result<ClientRequest, Box<dyn Error>> {
        for name in &self.protocols {
            request = request.protocol(name)?;
        }
        for (name, value) in &self.headers {
            request = request.header(name.clone(), value.clone())?;
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_request_differs_in_its_path_only() {
        let asked = Asked {
            url: "wss://user@example.com:8443/a?b=c".to_owned(),
            protocols: vec!["chat".to_owned()],
            headers: Vec::new(),
            required: Vec::new(),
        };
        for (path, uri) in [
            (None, "wss://example.com:8443/a?b=c"),
            (Some("/d"), "wss://example.com:8443/d"),
            (Some("/d?e=%20"), "wss://example.com:8443/d?e=%20"),
        ] {
            let request = asked.another(path).expect("a path");
            assert_eq!(request.uri().to_string(), uri);
        }
        for path in ["d", "?e", "/d e", "/d#e", "wss://elsewhere/"] {
            assert!(asked.another(Some(path)).is_err(), "{path}");
        }
    }
}
