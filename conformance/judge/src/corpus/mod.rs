//! The payloads of the compression cases.
