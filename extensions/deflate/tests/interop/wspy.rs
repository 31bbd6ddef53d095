//! wspy 0.91.
//!
//! What was observed:
//! - As published it receives no frame of 126 octets or more; `repaired.py` says why and mends it.
//! - It knows both names, and `permessage-deflate` as a server; an offer with more than one parameter
//!   it cannot read, and declines.
//! - It repeats the offer's parameters in its answer and applies them to both directions. With a
//!   client of its kind, an answer that demands `max_window_bits=9` would bind our own compressor,
//!   which it does not: demand no window of it.
//! - It sends a frame as it is where compression does not help, but keeps it in its window all the
//!   same, where we have nothing. What it compresses afterwards comes out wrong or not at all. Demand
//!   `no_context_takeover` of it.
//! - It cannot compress its own binary messages; the server here hands it something it can.
//! - Its client can offer nothing as it is, and its `Connection` does not mask.

use cloverleaf::proto::extension::Extensions;
use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};

use crate::python::python;
use crate::traffic::{Connected, as_client, as_server, noise, only, records};

#[tokio::test]
async fn our_client_and_its_server_understand_each_other() {
    let Some(python) = python() else { return };
    let server = python.serve("wspy_server.py");
    type New = fn() -> DeflateFrame;
    // What is agreed, how far either side may look back, whether it may remember.
    let table: [(New, &str, u32, bool); 5] = [
        (DeflateFrame::new, "deflate-frame", 15, true),
        (DeflateFrame::webkit, "x-webkit-deflate-frame", 15, true),
        (
            || DeflateFrame::new().max_window_bits(10),
            "deflate-frame; max_window_bits=10",
            10,
            true,
        ),
        (
            || DeflateFrame::new().no_context_takeover(true),
            "deflate-frame; no_context_takeover",
            15,
            false,
        ),
        // Two parameters are too many for it.
        (
            || {
                DeflateFrame::new()
                    .max_window_bits(10)
                    .no_context_takeover(true)
                    .fallback(true)
            },
            "deflate-frame",
            15,
            true,
        ),
    ];
    for (new, agreed, bits, keeps) in table {
        for (path, continuations) in [("/echo", 0), ("/fragments", 25)] {
            for takeover in [false, true] {
                let ours = new().level(6).context_takeover(takeover);
                let it = as_client(server.port, path, only(ours)).await;
                assert_eq!(it.agreed, agreed);
                assert!(it.ours.compressed >= 6, "{it:?}");
                assert_eq!(it.ours.continuations, 1, "{it:?}");
                assert!(it.ours.distance <= 1 << bits, "{it:?}");
                assert_eq!(it.ours.takes_over, takeover && keeps, "{it:?}");
                assert_eq!(it.theirs.continuations, continuations, "{it:?}");
                assert!(it.theirs.compressed >= 5, "{it:?}");
                assert!(it.theirs.distance <= 1 << bits, "{it:?}");
                assert_eq!(it.theirs.takes_over, keeps, "{it:?}");
            }
        }
    }
}

#[tokio::test]
async fn its_server_remembers_what_it_did_not_compress_unless_it_may_remember_nothing() {
    let Some(python) = python() else { return };
    let server = python.serve("wspy_server.py");
    for forbidden in [false, true] {
        let ours = DeflateFrame::new().no_context_takeover(forbidden);
        let mut connected = Connected::to(server.port, "/echo", only(ours)).await;
        assert!(connected.echoes(records(500)).await);
        assert!(connected.echoes(noise(100)).await);
        assert_eq!(connected.echoes(records(500)).await, forbidden);
    }
}

#[tokio::test]
async fn its_server_speaks_permessage_deflate_too() {
    let Some(python) = python() else { return };
    let server = python.serve("wspy_server.py");
    for keep in [None, Some(false)] {
        let mut ours = PermessageDeflate::new();
        if let Some(keep) = keep {
            ours = ours.client_no_context_takeover(keep);
        }
        let extensions = Extensions::new().with(ours).expect("legal");
        let it = as_client(server.port, "/echo", extensions).await;
        assert_eq!(it.agreed, "permessage-deflate");
        assert!(it.ours.compressed >= 5, "{it:?}");
        assert_eq!(it.ours.takes_over, keep.is_some(), "{it:?}");
        assert!(it.theirs.compressed >= 5, "{it:?}");
        assert!(it.theirs.takes_over, "{it:?}");
    }
}

#[tokio::test]
async fn its_client_and_our_server_understand_each_other() {
    let Some(python) = python() else { return };
    // What it offers, how far our compressor may look back, whether it may remember.
    let offers: [(&'static [&str], u32, bool); 4] = [
        (&["deflate-frame"], 15, true),
        (&["x-webkit-deflate-frame"], 15, true),
        (&["deflate-frame", "max_window_bits=10"], 10, true),
        (&["deflate-frame", "no_context_takeover"], 15, false),
    ];
    for (offer, bits, keeps) in offers {
        for takeover in [false, true] {
            // With takeover it must not be told to forget: it would apply that to our direction.
            let configured = |it: DeflateFrame| {
                it.level(6)
                    .context_takeover(takeover)
                    .no_context_takeover(!takeover)
            };
            let extensions = Extensions::new().with(configured(DeflateFrame::new()));
            let extensions =
                extensions.and_then(|all| all.with(configured(DeflateFrame::webkit())));
            let extensions = extensions.expect("legal");
            let (printed, it) = as_server(python, "wspy_client.py", offer, extensions).await;
            let demand = if takeover {
                ""
            } else {
                "; no_context_takeover"
            };
            assert_eq!(it.agreed, format!("{}{demand}", offer[0]));
            let parameters = if takeover {
                "{}"
            } else {
                "{'no_context_takeover': True}"
            };
            assert_eq!(printed, format!("{} {parameters}", offer[0]));
            assert!(it.ours.compressed >= 5, "{it:?}");
            assert!(it.ours.distance <= 1 << bits, "{it:?}");
            assert_eq!(it.ours.takes_over, takeover && keeps, "{it:?}");
            assert!(it.theirs.compressed >= 5, "{it:?}");
            assert!(it.theirs.continuations >= 2, "{it:?}");
            assert_eq!(it.theirs.takes_over, takeover, "{it:?}");
        }
    }
}
