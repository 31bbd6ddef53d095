//! The native suite, in process and over TCP.

mod in_process;
