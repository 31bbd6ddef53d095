//! The tables of cases, one file per section.

mod auth_client;
mod auth_server;
mod auto_fragmentation;
mod close;
mod closing;
mod composition;
mod compression;
mod deflate_frame;
mod fragmentation;
mod framing;
mod handshake_client;
mod handshake_server;
mod limits;
mod mux;
mod negotiation;
mod opcodes;
mod performance;
mod ping;
mod reserved_bits;
mod utf8;

use cloverleaf_reports::CaseId;

use crate::case::Case;

/// Autobahn's 517 cases, in the order of their ids.
pub fn autobahn() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(framing::cases());
    cases.extend(ping::cases());
    cases.extend(reserved_bits::cases());
    cases.extend(opcodes::cases());
    cases.extend(fragmentation::cases());
    cases.extend(utf8::cases());
    cases.extend(closing::cases());
    cases.extend(performance::cases());
    cases.extend(auto_fragmentation::cases());
    cases.extend(compression::cases());
    cases
}

/// The cases that Autobahn does not have, in the order of their ids, but for authentication.
pub fn beyond() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(close::cases());
    cases.extend(composition::cases());
    cases.extend(deflate_frame::cases());
    cases.extend(handshake_server::cases());
    cases.extend(handshake_client::cases());
    cases.extend(limits::cases());
    cases.extend(mux::cases());
    cases.extend(negotiation::cases());
    cases
}

/// The cases for subjects that want credentials, or have some, in the order of their ids.
pub fn authentication() -> Vec<Case> {
    let mut cases = auth_server::cases();
    cases.extend(auth_client::cases());
    cases
}

/// All cases, Autobahn's first, in the order of their ids.
pub fn all() -> Vec<Case> {
    let mut cases = autobahn();
    cases.extend(authentication());
    cases.extend(beyond());
    cases
}

/// The title of a group or section: of `6` or `6.4`, say.
pub fn section_title(prefix: &str) -> Option<&'static str> {
    let tables = [
        framing::SECTIONS,
        ping::SECTIONS,
        reserved_bits::SECTIONS,
        opcodes::SECTIONS,
        fragmentation::SECTIONS,
        utf8::SECTIONS,
        closing::SECTIONS,
        performance::SECTIONS,
        auto_fragmentation::SECTIONS,
        compression::SECTIONS,
        close::SECTIONS,
        composition::SECTIONS,
        deflate_frame::SECTIONS,
        handshake_server::SECTIONS,
        handshake_client::SECTIONS,
        limits::SECTIONS,
        mux::SECTIONS,
        negotiation::SECTIONS,
        auth_server::SECTIONS,
        auth_client::SECTIONS,
    ];
    let mut titles = tables.into_iter().flatten();
    titles
        .find(|(section, _)| *section == prefix)
        .map(|(_, title)| *title)
}

/// The case with this id.
pub fn find(id: &CaseId) -> Option<Case> {
    all().into_iter().find(|case| case.id == *id)
}
