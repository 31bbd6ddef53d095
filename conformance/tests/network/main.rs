//! The native suite over TCP: servers and clients of every kind, good and bad, and the program as
//! a person uses it.

mod command;
mod control;
mod direct;
mod files;
mod page;
mod raw;
mod servers;
