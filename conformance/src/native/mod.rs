//! The native suite: the judge of `cloverleaf-judge`, against our engine in process or against any
//! server and client over a network.

pub mod memory;
