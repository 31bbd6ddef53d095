//! WebSockets on tokio as applications use them: a file per chapter.
//!
//! Time is virtual wherever it matters, and byte streams are pipes in memory or scripts that say
//! what every single read and write does. TCP is used only where TCP itself is the subject.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

mod cancel;
mod challenges;
mod close;
mod cork;
mod ends;
mod hostile;
mod keepalive;
#[cfg(target_os = "linux")]
mod live_proxy;
mod memory;
mod messages;
mod mux;
mod opening;
mod proxy;
mod script;
mod server;
mod split;
#[cfg(feature = "rustls")]
mod tls;
mod wire;
