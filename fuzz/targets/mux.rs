//! Messages of a physical connection into the carrier of either end, with an application that takes
//! what comes and answers what is asked.
#![no_main]

use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::{Action, Carrier, EndsFor, Extension, Params};
use cloverleaf_proto::message::Kind;
use libfuzzer_sys::fuzz_target;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n";

/// The most that all channels together may hold.
const MEMORY: u32 = 1 << 16;

fn carrier(choice: u8) -> Option<Box<dyn Carrier>> {
    let mux = Mux::new().memory(MEMORY.into()).lenient(choice & 2 != 0);
    let params = Params::new().value("quota", 1000);
    let agreement = if choice & 1 == 0 {
        mux.accept(&params)
    } else {
        mux.confirm(&mux.offers(), &Params::new())
    };
    agreement.ok()?.into_carrier()
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, mut rest)) = data.split_first() else {
        return;
    };
    let Some(mut carrier) = carrier(*choice) else {
        return;
    };
    let mut actions = Vec::new();
    carrier.start(REQUEST, RESPONSE, &mut actions);
    let mut held = 0;
    // Each message behind its length and what the application does then.
    while let [length, then, behind @ ..] = rest {
        let (message, next) = behind.split_at(usize::from(*length).min(behind.len()));
        rest = next;
        let kind = if then & 0x80 == 0 {
            Kind::Binary
        } else {
            Kind::Text
        };
        let failed = carrier.receive(kind, message, &mut actions).is_err();
        for action in core::mem::take(&mut actions) {
            match action {
                Action::Frame {
                    id, payload, cost, ..
                } => {
                    assert!(payload.end <= message.len());
                    held += cost;
                    if then & 1 == 0 {
                        carrier.consumed(id, cost, &mut actions);
                        held -= cost;
                    }
                }
                Action::Control { payload, .. } => assert!(payload.len() <= 125),
                Action::Requested(id, _) => {
                    carrier.answer(id, then & 2 == 0, RESPONSE, &mut actions);
                }
                Action::Answered { id, .. } if then & 4 != 0 => carrier.closed(id, &mut actions),
                Action::Room(id) if then & 8 != 0 => {
                    carrier.drop_channel(id, EndsFor::Normal, &mut actions);
                }
                _ => {}
            }
        }
        assert!(held <= 2 * MEMORY as usize, "more is held than was granted");
        if failed {
            return;
        }
        if then & 16 != 0 {
            let _ = carrier.open(REQUEST, &mut actions);
        }
        actions.clear();
    }
});
