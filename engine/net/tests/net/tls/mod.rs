//! TLS in both roles, with certificates made for the purpose.

mod authority;
mod clients;
mod errors;
mod greeting;
mod handshake;
mod hostile;
mod names;
mod peer;
mod pins;
mod reload;
mod resumption;
