//! Authentication with the programs of others: our client with Apache (`mod_auth_digest`) and
//! nginx, and curl, the Python package `websockets` and Chromium with our guards.
//!
//! What is not installed is skipped, and said so; with `CLOVERLEAF_REQUIRE_AUTH_PEERS=1` it is a
//! failure. On Debian: apache2-bin, chromium, curl, nginx, python3-websockets.

mod browser;
#[path = "../chromium/mod.rs"]
mod chromium;
mod curl;
#[path = "../mux_chat/devtools.rs"]
mod devtools;
mod our_client;
mod peers;
mod python;
mod servers;
