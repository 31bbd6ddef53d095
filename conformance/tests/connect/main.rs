//! `cloverleaf connect` and `cloverleaf echo --extension`, over pipes, as a person uses them.

mod ends;
mod extensions;
mod hostile;
mod mux;
mod run;
mod talk;
