//! The extensions that come with the engine keep the laws.

use std::time::Duration;

use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_heartbeat::Heartbeat;
use cloverleaf_proto::extension::Params;
use cloverleaf_testkit::{Kit, Law};

/// A kit that knows RFC 7692's parameters, whatever the extension itself offers.
fn knowing(kit: Kit) -> Kit {
    // §7.1.2.2: the one parameter that an offer may have with or without a value.
    kit.also_without_value("client_max_window_bits")
}

fn all_parameters() -> Params {
    Params::new()
        .flag("server_no_context_takeover")
        .flag("client_no_context_takeover")
        .value("server_max_window_bits", 10)
        .value("client_max_window_bits", 12)
}

#[test]
fn permessage_deflate_keeps_the_laws_as_it_comes() {
    knowing(Kit::new(PermessageDeflate::new))
        .also_accepts(all_parameters())
        .check();
}

#[test]
fn permessage_deflate_keeps_the_laws_with_and_without_takeover() {
    for (server, client) in [(false, false), (false, true), (true, false), (true, true)] {
        knowing(Kit::new(move || {
            PermessageDeflate::new()
                .server_no_context_takeover(server)
                .client_no_context_takeover(client)
                .threshold(16)
        }))
        .also_accepts(all_parameters())
        .check();
    }
}

#[test]
fn permessage_deflate_keeps_the_laws_with_every_window() {
    for bits in [8, 9, 15] {
        for memory_level in [1, 8] {
            knowing(Kit::new(move || {
                PermessageDeflate::new()
                    .server_max_window_bits(bits)
                    .client_max_window_bits(bits)
                    .server_no_context_takeover(false)
                    .client_no_context_takeover(false)
                    .memory_level(memory_level)
                    .threshold(0)
            }))
            .check();
        }
    }
}

#[test]
fn permessage_deflate_keeps_the_laws_with_a_fallback() {
    knowing(Kit::new(|| {
        PermessageDeflate::new()
            .fallback(true)
            .server_no_context_takeover(true)
            .server_max_window_bits(9)
            .level(6)
    }))
    .check();
}

#[test]
fn permessage_deflate_keeps_the_laws_between_sides_of_different_minds() {
    let pair = Kit::pair(
        || {
            PermessageDeflate::new()
                .fallback(true)
                .client_no_context_takeover(false)
                .server_max_window_bits(8)
                .threshold(0)
        },
        || {
            PermessageDeflate::new()
                .server_no_context_takeover(false)
                .client_no_context_takeover(false)
                .client_max_window_bits(9)
                .threshold(40)
        },
    );
    knowing(pair).check();
}

#[test]
fn deflate_frame_keeps_the_laws_under_both_names() {
    let both = Params::new()
        .flag("no_context_takeover")
        .value("max_window_bits", 10);
    Kit::new(DeflateFrame::new)
        .also_accepts(both.clone())
        .check();
    Kit::new(DeflateFrame::webkit).also_accepts(both).check();
}

#[test]
fn deflate_frame_breaks_the_law_of_parameters_where_it_is_told_to_and_no_other() {
    let lenient = || Kit::new(|| DeflateFrame::new().ignore_unknown_parameters(true));
    let broken = lenient()
        .run()
        .expect_err("an unknown parameter is accepted");
    assert_eq!(broken.law(), Law::Parameters);
    lenient().except(Law::Parameters).check();
}

#[test]
fn deflate_frame_keeps_the_laws_with_and_without_takeover_and_with_every_window() {
    for bits in [8, 9, 15] {
        for takeover in [false, true] {
            Kit::new(move || {
                DeflateFrame::new()
                    .context_takeover(takeover)
                    .no_context_takeover(!takeover)
                    .max_window_bits(bits)
                    .fallback(true)
                    .threshold(0)
            })
            .check();
        }
    }
}

#[test]
fn the_heartbeat_keeps_the_laws() {
    let heartbeat = || Heartbeat::new(|| Duration::from_secs(5));
    let beat = heartbeat().beats().beat();
    Kit::new(heartbeat)
        .also_accepts(Params::new().value("resolution", "ms"))
        .also_accepts(Params::new().value("resolution", "us"))
        .frame(Heartbeat::OPCODE, beat)
        .check();
}
