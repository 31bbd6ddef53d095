//! How a server answers requests.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::{OriginPolicy, RequestGuard, TrustedProxies};
use crate::http::HeadLimits;

/// How a server answers requests. One value, behind an `Arc`, serves every connection.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerOptions {
    /// How large a request may be.
    pub limits: HeadLimits,
    /// The handshake must be over so long after its start, however busily octets come: a timer that
    /// every octet sets anew would let a client hold a connection for ever. Default 10 s.
    pub open_timeout: Duration,
    /// Which origins may open connections. Default: only the server's own.
    pub origin: OriginPolicy,
    /// The byte stream is TLS, so that our own origin begins with `https`. Default: no, and both
    /// schemes are our own, since a proxy may stand in front.
    pub tls: bool,
    /// The subprotocols to speak, our favourite first. Default: none.
    pub protocols: Vec<String>,
    /// Let the client's order of subprotocols decide rather than ours. Default: no.
    pub client_protocol_order: bool,
    /// Refuse a client that offers none of `protocols` with 400. Default: no; RFC 6455 lets it
    /// connect without one.
    pub require_protocol: bool,
    /// The subprotocol that stands for the [carrier](crate::extension::Carrier) in
    /// [`Config::extensions`](crate::Config::extensions). Browsers cannot offer extensions: a client that offers this subprotocol gets the
    /// channels of the carrier all the same, but no first one, since the connection itself speaks
    /// nothing else, and no other extension on it. `Host`, `Origin` and `Cookie` of every channel
    /// are those of the connection: a browser vouches for them, a page does not. All else in the
    /// request of a channel is what the client wrote: a guard must not trust a header there that a
    /// proxy adds to, or takes from, the request of the connection. Default: none.
    pub channels_over: Option<String>,
    /// Extensions without which no connection opens: a client with whom one of them cannot be agreed
    /// is refused, and so is every client if one of them is not registered in
    /// [`Config::extensions`](crate::Config::extensions). Default: none. A server that wants to decide from case to case looks at
    /// [`Received::offers`](super::Received::offers), or at what was agreed once the connection is
    /// open.
    pub required_extensions: Vec<String>,
    /// The status of that refusal: default 400. RFC 6455 names none; 426 says as well that a
    /// WebSocket with other extensions would do.
    pub missing_extension_status: StatusCode,
    /// Headers for every 101, such as `Server`. Default: none.
    pub response_headers: HeaderMap,
    /// Proxies in front, whose word is taken on where a request comes from: what they say in
    /// `Forwarded` (RFC 7239), or in `X-Forwarded-For`, `-Proto` and `-Host`, stands in
    /// [`Peer`](super::Peer) and in `Host` before origin and guards are asked. The entries are read
    /// from the right up to the first address that is not of these proxies. A request that has
    /// headers of both kinds, or ones that cannot be read, is answered 400. Each of these proxies
    /// must write over, or take out, what a client sends in the headers of the kind that it writes;
    /// above all `X-Forwarded-Proto` and `-Host`, which it may not write by itself. Headers of
    /// anybody else mean nothing. Default: nobody.
    pub trusted_proxies: TrustedProxies,
    /// Asked in this order. The first that refuses decides.
    pub guards: Vec<Arc<dyn RequestGuard>>,
    /// Show the application GET requests that ask for no WebSocket, instead of refusing them with
    /// 426. Default: no.
    pub plain_http: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            limits: HeadLimits::default(),
            open_timeout: Duration::from_secs(10),
            origin: OriginPolicy::SameHost,
            tls: false,
            protocols: Vec::new(),
            client_protocol_order: false,
            require_protocol: false,
            channels_over: None,
            required_extensions: Vec::new(),
            missing_extension_status: StatusCode::BAD_REQUEST,
            response_headers: HeaderMap::new(),
            trusted_proxies: TrustedProxies::none(),
            guards: Vec::new(),
            plain_http: false,
        }
    }
}

impl ServerOptions {
    /// The subprotocol to speak with a client that offers these.
    pub(super) fn choose_protocol(&self, offered: &[String]) -> Option<String> {
        let (first, second) = if self.client_protocol_order {
            (offered, self.protocols.as_slice())
        } else {
            (self.protocols.as_slice(), offered)
        };
        first.iter().find(|name| second.contains(name)).cloned()
    }
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("limits", &self.limits)
            .field("open_timeout", &self.open_timeout)
            .field("origin", &self.origin)
            .field("tls", &self.tls)
            .field("protocols", &self.protocols)
            .field("client_protocol_order", &self.client_protocol_order)
            .field("require_protocol", &self.require_protocol)
            .field("channels_over", &self.channels_over)
            .field("required_extensions", &self.required_extensions)
            .field("missing_extension_status", &self.missing_extension_status)
            .field("response_headers", &self.response_headers)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("guards", &self.guards.len())
            .field("plain_http", &self.plain_http)
            .finish()
    }
}
