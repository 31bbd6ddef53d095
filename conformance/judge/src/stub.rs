//! Until the codec is there.
#![allow(
    missing_docs,
    unused_variables,
    clippy::all,
    clippy::exhaustive_structs
)]
use cloverleaf_reports::Role;
#[derive(Debug)]
pub struct Inflater;
impl Inflater {
    pub fn new(bits: u8, takeover: bool) -> Self {
        Self
    }
    pub fn message(&mut self, c: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), String> {
        Err("stub".into())
    }
    pub fn largest_distance(&self) -> usize {
        0
    }
}
#[derive(Debug)]
pub struct Deflater;
impl Deflater {
    pub fn new(bits: u8, takeover: bool) -> Self {
        Self
    }
    pub fn message(&mut self, plain: &[u8]) -> Vec<u8> {
        vec![0]
    }
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    pub server_no_context_takeover: bool,
    pub client_no_context_takeover: bool,
    pub server_max_window_bits: Option<u8>,
    pub client_max_window_bits: Option<Option<u8>>,
}
impl std::fmt::Display for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("permessage-deflate")
    }
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    pub client_no_context_takeover: bool,
    pub client_max_window_bits: Option<u8>,
}
pub struct Agreed;
impl Agreed {
    pub fn compression(self, subject: Role) -> crate::session::Compression {
        crate::session::Compression {
            inflater: Inflater,
            deflater: Deflater,
            own_window_bits: 15,
            own_takeover: true,
        }
    }
}
pub struct Answer;
impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("permessage-deflate")
    }
}
impl Answer {
    pub fn judge<'a>(
        values: impl Iterator<Item = &'a str>,
        offers: &[Offer],
    ) -> Result<Option<Agreed>, String> {
        Ok(None)
    }
}
pub fn choose<'a>(
    values: impl Iterator<Item = &'a str>,
    r: &[Requirement],
) -> Result<Option<(Answer, Agreed)>, String> {
    Ok(None)
}
