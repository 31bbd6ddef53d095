//! Offers and answers in every extension's hands, and all of them in the server's.
#![no_main]

use cloverleaf_checksum::Checksum;
use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_proto::extension::{Extension, Extensions, Negotiated, Order};
use cloverleaf_proto::handshake::parse_extensions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let all: [&dyn Extension; 3] = [
        &PermessageDeflate::new(),
        &DeflateFrame::new(),
        &Checksum::new(),
    ];
    for extension in all {
        cloverleaf_testkit::garbage_offer(extension, data);
    }
    let Ok(offers) = parse_extensions(data) else {
        return;
    };
    let registered = Extensions::new()
        .with(PermessageDeflate::new())
        .and_then(|all| all.with(DeflateFrame::new()))
        .and_then(|all| all.with(DeflateFrame::webkit()))
        .and_then(|all| all.with(Checksum::new()))
        .expect("the names differ");
    for order in [Order::Client, Order::Server] {
        let negotiated = Negotiated::accept(&registered.clone().order(order), offers.clone());
        let told = negotiated.agreed().len() + negotiated.skipped().len();
        assert_eq!(told, offers.len(), "every offer is agreed or has a reason");
        if let Some(answer) = negotiated.answer() {
            parse_extensions(answer.as_bytes()).expect("our answer keeps to the grammar");
        }
    }
    // A hostile server's answer; whatever it is, it is judged.
    let _ = Negotiated::confirm(&registered, offers);
});
