//! mod-pywebsocket 0.7.9, the last that was published for Python 2.
//!
//! What was observed:
//! - It knows `deflate-frame` and `x-webkit-deflate-frame`, and no `permessage-deflate`. A client that
//!   offers both names gets both, one upon the other: offer it one. (Later ones take the first.)
//! - It compresses everything, empty messages too, and keeps its window unless told not to.
//! - It obeys what is demanded of it and answers without a parameter; but `max_window_bits` it takes
//!   as a string, accepts, and then loses the connection at its first echo. The programs beside this
//!   file make a number of it, so that the window can be seen to be kept. With 8 it is lost even
//!   then: zlib has no such compressor.
//! - What it demands itself binds the client alone, as it should.

use cloverleaf::proto::extension::Extensions;
use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};

use crate::python::python;
use crate::traffic::{Connected, as_client, as_server, only, records};

type New = fn() -> DeflateFrame;
const NAMES: [(&str, New); 2] = [
    ("deflate-frame", DeflateFrame::new),
    ("x-webkit-deflate-frame", DeflateFrame::webkit),
];

#[tokio::test]
async fn our_client_obeys_what_its_server_demands() {
    let Some(python) = python() else { return };
    let server = python.serve("pywebsocket_server.py");
    let table = [
        ("", "", 15),
        ("window_bits=12", "; max_window_bits=12", 12),
        ("window_bits=9", "; max_window_bits=9", 9),
        ("window_bits=8", "; max_window_bits=8", 8),
        ("no_context_takeover", "; no_context_takeover", 15),
        (
            "window_bits=10&no_context_takeover",
            "; max_window_bits=10; no_context_takeover",
            10,
        ),
        ("bfinal", "", 15),
        ("fragments", "", 15),
    ];
    for (name, new) in NAMES {
        for (wishes, answer, bits) in table {
            for takeover in [false, true] {
                let ours = new().level(6).context_takeover(takeover);
                let it = as_client(server.port, &format!("/echo?{wishes}"), only(ours)).await;
                assert_eq!(it.agreed, format!("{name}{answer}"));
                let keeps = takeover && !answer.contains("no_context");
                // With takeover the noise is compressed as well.
                let compressed = if keeps { 7 } else { 6 };
                assert_eq!(it.ours.compressed, compressed, "{it:?}");
                assert_eq!(it.ours.continuations, 1, "{it:?}");
                assert_eq!(it.ours.takes_over, keeps, "{it:?}");
                assert!(it.ours.distance <= 1 << bits, "{it:?}");
                assert!(keeps || it.ours.wire * 5 < it.ours.plain, "{it:?}");
                assert_eq!(it.theirs.compressed, it.theirs.frames, "{it:?}");
                assert_eq!(it.theirs.takes_over, wishes != "bfinal", "{it:?}");
                let fragments = if wishes == "fragments" { 38 } else { 0 };
                assert_eq!(it.theirs.continuations, fragments, "{it:?}");
            }
        }
    }
}

#[tokio::test]
async fn its_server_obeys_what_our_client_demands() {
    let Some(python) = python() else { return };
    let server = python.serve("pywebsocket_server.py");
    for (bits, no_takeover) in [(9, false), (10, true), (12, false), (15, true)] {
        let ours = DeflateFrame::new()
            .max_window_bits(bits)
            .no_context_takeover(no_takeover);
        let it = as_client(server.port, "/echo", only(ours)).await;
        assert_eq!(it.agreed, "deflate-frame");
        assert_eq!(it.theirs.compressed, it.theirs.frames);
        assert!(it.theirs.distance <= 1 << bits, "{it:?}");
        assert_eq!(it.theirs.takes_over, !no_takeover, "{it:?}");
        // What we demand is no demand on us.
        assert!(it.ours.distance > 1 << 14, "{it:?}");
    }
}

#[tokio::test]
async fn as_published_its_server_cannot_keep_to_a_window_it_agreed_to() {
    let Some(python) = python() else { return };
    let server = python.serve("pywebsocket_server.py");
    for path in ["/echo?as_published", "/echo"] {
        let ours = DeflateFrame::new().max_window_bits(8);
        let mut connected = Connected::to(server.port, path, only(ours)).await;
        assert_eq!(connected.socket.opening().agreed.len(), 1);
        assert!(!connected.echoes("Hello").await, "{path}");
    }
    // What helps is not to ask.
    let mut connected =
        Connected::to(server.port, "/echo?as_published", only(DeflateFrame::new())).await;
    assert!(connected.echoes(records(10_000)).await);
}

#[tokio::test]
async fn its_server_passes_over_what_it_does_not_know() {
    let Some(python) = python() else { return };
    let server = python.serve("pywebsocket_server.py");
    let alone = Extensions::new().with(PermessageDeflate::new());
    let alone = alone.expect("legal");
    for (name, new) in NAMES {
        let both = alone.clone().with(new()).expect("legal");
        let it = as_client(server.port, "/echo", both).await;
        assert_eq!(it.agreed, name);
    }
    let it = as_client(server.port, "/echo", alone).await;
    assert_eq!(it.agreed, "");
    assert_eq!((it.ours.compressed, it.theirs.compressed), (0, 0));
}

#[tokio::test]
async fn its_server_agrees_to_both_names_at_once_which_we_refuse() {
    let Some(python) = python() else { return };
    let server = python.serve("pywebsocket_server.py");
    let both = only(DeflateFrame::webkit()).with(DeflateFrame::new());
    let refused = Connected::attempt(server.port, "/echo", both.expect("legal")).await;
    let refused = refused.err().expect("both at once cannot be").to_string();
    assert!(refused.contains("rsv1 is taken"), "{refused}");
}

#[tokio::test]
async fn its_client_and_our_server_obey_each_other() {
    let Some(python) = python() else { return };
    // What it offers, how far our compressor may look back, whether it may remember.
    let offers: [(&'static [&str], &str, u32, bool); 6] = [
        (&["deflate-frame"], "deflate-frame", 15, true),
        (
            &["x-webkit-deflate-frame"],
            "x-webkit-deflate-frame",
            15,
            true,
        ),
        (
            &["deflate-frame; max_window_bits=10"],
            "deflate-frame",
            10,
            true,
        ),
        (
            &["deflate-frame; max_window_bits=8"],
            "deflate-frame",
            8,
            true,
        ),
        (
            &["deflate-frame; no_context_takeover"],
            "deflate-frame",
            15,
            false,
        ),
        (
            &[
                "deflate-frame; max_window_bits=7, mux, x-webkit-deflate-frame; max_window_bits=9; no_context_takeover",
            ],
            "x-webkit-deflate-frame",
            9,
            false,
        ),
    ];
    // What our server demands, and what that means.
    type Set = fn(DeflateFrame) -> DeflateFrame;
    let demands: [(Set, &str, u32, bool); 4] = [
        (|it| it, "", 15, true),
        (|it| it.max_window_bits(9), "; max_window_bits=9", 9, true),
        (
            |it| it.no_context_takeover(true),
            "; no_context_takeover",
            15,
            false,
        ),
        (
            |it| it.max_window_bits(11).no_context_takeover(true),
            "; max_window_bits=11; no_context_takeover",
            11,
            false,
        ),
    ];
    for (offer, name, our_bits, we_keep) in offers {
        for (set, answer, their_bits, they_keep) in demands {
            let configured = |new: New| set(new().level(6).context_takeover(true));
            let extensions = Extensions::new().with(configured(DeflateFrame::new));
            let extensions = extensions.and_then(|all| all.with(configured(DeflateFrame::webkit)));
            let extensions = extensions.expect("legal");
            let (printed, it) = as_server(python, "pywebsocket_client.py", offer, extensions).await;
            assert_eq!(it.agreed, format!("{name}{answer}"));
            assert_eq!(printed, it.agreed);
            assert!(it.ours.compressed >= 5, "{it:?}");
            assert!(it.ours.distance <= 1 << our_bits, "{it:?}");
            assert_eq!(it.ours.takes_over, we_keep, "{it:?}");
            assert_eq!(it.theirs.compressed, it.theirs.frames, "{it:?}");
            assert_eq!(it.theirs.continuations, 2, "{it:?}");
            assert!(it.theirs.distance <= 1 << their_bits, "{it:?}");
            assert_eq!(it.theirs.takes_over, they_keep, "{it:?}");
        }
    }
}
