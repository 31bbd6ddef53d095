//! How the engine is set up to be judged.

use cloverleaf::proto::Config;
use cloverleaf::proto::error::ConfigError;
use cloverleaf::proto::extension::Extensions;
use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_mux::Mux;

use crate::probe::Probe;

/// The largest message of the suite is 16 MiB (9.1.6), and it comes in one frame.
const LARGEST_MESSAGE: usize = 64 << 20;

/// The settings of the echo server and the echo client.
///
/// They differ from the defaults in these points only: messages and frames of 64 MiB; no
/// keepalive, since the suite counts a ping that it did not ask for as a failure; with
/// `deflate`, permessage-deflate for every message, however short, and with context takeover
/// unless the suite asks for none: so its cases see both ways; behind it deflate-frame by both of
/// its names, so that whoever knows permessage-deflate takes that; the [`Probe`]; and [`Mux`]. No suite but
/// ours answers or offers these: to others they are unknown extensions, and those are ignored
/// (RFC 6455 section 9.1).
///
/// # Errors
///
/// None as it is; the type is that of adding any extension.
pub fn config(deflate: bool) -> Result<Config, ConfigError> {
    let mut config = cloverleaf::config();
    config.limits.max_message_size = LARGEST_MESSAGE;
    config.limits.max_frame_size = LARGEST_MESSAGE;
    config.timing.ping_interval = None;
    config.extensions = Extensions::new();
    if deflate {
        let deflate = PermessageDeflate::new()
            .threshold(0)
            .server_no_context_takeover(false)
            .client_no_context_takeover(false);
        config.extensions = config
            .extensions
            .with(deflate)?
            .with(DeflateFrame::new().threshold(0).context_takeover(true))?
            .with(DeflateFrame::webkit().threshold(0).context_takeover(true))?;
    }
    config.extensions = config.extensions.with(Probe)?.with(Mux::new())?;
    Ok(config)
}
