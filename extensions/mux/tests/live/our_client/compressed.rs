//! Channels that compress.

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::extension::{Agreement, Claims, Declined, Extension, Extensions, Params};
use cloverleaf_proto::trunk::Key;

use super::noise;
use crate::line::{connect, mux, request};
use crate::python::python;
use crate::wire::{End, Seen};

/// permessage-deflate under the name and with the one parameter that it had before.
#[derive(Debug)]
struct PermessageCompress(PermessageDeflate);

impl Extension for PermessageCompress {
    fn name(&self) -> &str {
        "permessage-compress"
    }

    fn claims(&self) -> Claims {
        self.0.claims()
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new().value("method", "deflate")]
    }

    fn accept(&self, _offer: &Params) -> Result<Agreement, Declined> {
        Err(Declined::new("only for a client"))
    }

    fn confirm(&self, offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        assert_eq!(offered[0].to_string(), answer.to_string());
        self.0.confirm(&self.0.offers(), &Params::new())
    }
}

#[test]
fn a_channel_compresses_with_a_context_of_its_own() {
    let Some(python) = python() else { return };
    let server = python.serve();
    for delta in [false, true] {
        let deflate = PermessageDeflate::new()
            .threshold(0)
            .client_no_context_takeover(false)
            .server_no_context_takeover(false);
        let all = Extensions::new().with(PermessageCompress(deflate));
        let all = all
            .and_then(|all| all.with(mux().delta(delta)))
            .expect("they fit");
        let mut line = connect(request(server.port, "/echo"), all).expect("it knows mux");
        let keys = [line.open("/echo"), line.open("/echo")];
        for key in keys {
            let agreed = line.opened[&key].agreed.iter();
            let agreed: Vec<String> = agreed
                .map(|it| format!("{}{}", it.name, it.params))
                .collect();
            assert_eq!(agreed, ["permessage-compress; method=deflate"]);
        }
        for key in keys {
            line.echoes(key, "Hello");
            line.echoes(key, "Hello");
            line.echoes(key, noise(40_000, 5));
            line.echoes(key, "x".repeat(40_000));
        }
        for key in keys {
            let id = line.id(key);
            for end in [End::Client, End::Server] {
                let frames = line.wire.frames(end, id);
                let hello = (0xC1, &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..]);
                // The first one on either channel refers to nothing; the second does.
                assert_eq!(frames[0], hello, "{end:?} {id}");
                assert!(!frames[1..].contains(&hello), "{end:?} {id}");
            }
        }
        // What it does not say, and we cannot know: it compresses on the first channel as well.
        line.send(Key::FIRST, "Hello");
        let closed = line.closed(Key::FIRST);
        assert_eq!(line.wire.frames(End::Server, 1)[0].0, 0xC1);
        assert_eq!(closed.code, CloseCode::ABNORMAL);
        line.echoes(keys[0], "still there");
        // It encodes a text twice before it compresses it, and fails when that makes a difference.
        line.send(keys[0], "Grüße");
        assert_eq!(line.closed(keys[0]).code, CloseCode::ABNORMAL);
        assert!(line.wire.has(End::Server, &Seen::Drop(2, Some(1000))));
        line.echoes(keys[1], "still there");
    }
}
