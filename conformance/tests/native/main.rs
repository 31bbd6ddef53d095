//! The native suite, in process and over TCP.

mod authentication;
mod catalog;
mod in_process;
mod unclosed;
