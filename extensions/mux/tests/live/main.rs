//! Live, with pywebsocket 0.7.9: our client with its server, and the mux client of its tests with
//! our server.
//!
//! Needs Python 2.7 with pip, which fetches the one package there is. Without, every test says so and
//! passes; with `CLOVERLEAF_REQUIRE_PYTHON2=1` it fails.

mod line;
mod our_client;
mod our_server;
mod python;
mod wire;
