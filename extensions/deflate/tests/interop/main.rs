//! Live, with the two implementations of deflate-frame that can still be installed.

mod python;
mod pywebsocket;
mod traffic;
#[path = "../permessage_deflate/walker.rs"]
mod walker;
mod wire;
mod wspy;
