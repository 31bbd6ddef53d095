//! The extensions that come with the engine, an entry for each.

use std::time::Instant;

use cloverleaf_checksum::Checksum;
use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_dictionary::{Dictionary, ZstdDictionary};
use cloverleaf_heartbeat::{Heartbeat, Resolution};
use cloverleaf_mux::Mux;

use super::{Built, Entry, Parameter, Problem, Takes, Wanted};
use crate::probe::{self, Probe};

/// Every extension that can be had by name.
pub(super) const SHIPPED: &[Entry] = &[
    Entry {
        name: "permessage-deflate",
        about: "compresses messages (RFC 7692)",
        parameters: &[
            SERVER_NO_CONTEXT_TAKEOVER,
            CLIENT_NO_CONTEXT_TAKEOVER,
            SERVER_MAX_WINDOW_BITS,
            CLIENT_MAX_WINDOW_BITS,
            THRESHOLD,
            LEVEL,
            MEMORY_LEVEL,
            FALLBACK,
        ],
        add: permessage_deflate,
    },
    Entry {
        name: "deflate-frame",
        about: "compresses frames, as before permessage-deflate",
        parameters: DEFLATE_FRAME,
        add: |to, wanted| deflate_frame(DeflateFrame::new(), to, wanted),
    },
    Entry {
        name: "x-webkit-deflate-frame",
        about: "deflate-frame by the name that old WebKit knows",
        parameters: DEFLATE_FRAME,
        add: |to, wanted| deflate_frame(DeflateFrame::webkit(), to, wanted),
    },
    Entry {
        name: "x-zstd-dictionary",
        about: "compresses messages with a dictionary that both ends have; before permessage-deflate",
        parameters: &[
            DICTIONARY,
            Parameter {
                name: "level",
                takes: Takes::Number(1, 19),
                about: "how hard to compress (3)",
            },
            Parameter {
                name: "max_window_bits",
                takes: Takes::Number(10, 23),
                about: "the largest window of either direction (17)",
            },
            THRESHOLD,
        ],
        add: zstd_dictionary,
    },
    Entry {
        name: "x-checksum",
        about: "a checksum on every data frame; behind every compressor of messages",
        parameters: &[Parameter {
            name: "octets",
            takes: Takes::Number(1, 4),
            about: "so many octets of it travel (4)",
        }],
        add: |to, wanted| {
            let checksum = Checksum::new();
            to.with(match wanted.number("octets") {
                Some(octets) => checksum.octets(octets),
                None => checksum,
            })
        },
    },
    Entry {
        name: Heartbeat::NAME,
        about: "frames of its own that measure the way there and back; `connect` sends them at /beat",
        parameters: &[Parameter {
            name: "resolution",
            takes: Takes::Word(&["us", "ms"]),
            about: "how fine the times are that we send (us)",
        }],
        add: heartbeat,
    },
    Entry {
        name: probe::NAME,
        about: "there to be seen beside another extension: RSV2, one octet more, the others masked",
        parameters: &[],
        add: |to, _| to.with(Probe),
    },
    Entry {
        name: Mux::TOKEN,
        about: "many WebSockets over one connection; behind all others. --mux is short for it",
        parameters: MUX,
        add: |to, wanted| mux(Mux::new(), to, wanted),
    },
    Entry {
        name: Mux::TOKEN_OF_PYWEBSOCKET,
        about: "mux by the name that pywebsocket knows, and as lenient",
        parameters: MUX,
        add: |to, wanted| {
            let mux_of_pywebsocket = Mux::new().token(Mux::TOKEN_OF_PYWEBSOCKET).lenient(true);
            mux(mux_of_pywebsocket, to, wanted)
        },
    },
];

const DICTIONARY: Parameter = Parameter {
    name: "dictionary",
    takes: Takes::File,
    about: "what both ends know: any octets, or what `zstd --train` wrote",
};
const SERVER_NO_CONTEXT_TAKEOVER: Parameter = Parameter {
    name: "server_no_context_takeover",
    takes: Takes::YesNo,
    about: "the server starts every message with an empty window",
};
const CLIENT_NO_CONTEXT_TAKEOVER: Parameter = Parameter {
    name: "client_no_context_takeover",
    takes: Takes::YesNo,
    about: "the client does",
};
const SERVER_MAX_WINDOW_BITS: Parameter = Parameter {
    name: "server_max_window_bits",
    takes: Takes::Number(8, 15),
    about: "the largest window of the server (15)",
};
const CLIENT_MAX_WINDOW_BITS: Parameter = Parameter {
    name: "client_max_window_bits",
    takes: Takes::Number(8, 15),
    about: "the largest window of the client (15)",
};
const THRESHOLD: Parameter = Parameter {
    name: "threshold",
    takes: Takes::Number(0, u32::MAX),
    about: "compress from so many octets on (0)",
};
const LEVEL: Parameter = Parameter {
    name: "level",
    takes: Takes::Number(1, 9),
    about: "how hard to compress (1)",
};
const MEMORY_LEVEL: Parameter = Parameter {
    name: "memory_level",
    takes: Takes::Number(1, 9),
    about: "memory for symbols not yet written (8)",
};
const FALLBACK: Parameter = Parameter {
    name: "fallback",
    takes: Takes::YesNo,
    about: "client: a second offer that asks for nothing",
};
const DEFLATE_FRAME: &[Parameter] = &[
    Parameter {
        name: "no_context_takeover",
        takes: Takes::YesNo,
        about: "the peer starts every frame with an empty window",
    },
    Parameter {
        name: "max_window_bits",
        takes: Takes::Number(8, 15),
        about: "the largest window of the peer (15)",
    },
    Parameter {
        name: "context_takeover",
        takes: Takes::YesNo,
        about: "our own window is kept from frame to frame",
    },
    Parameter {
        name: "ignore_unknown_parameters",
        takes: Takes::YesNo,
        about: "server: accept an offer that has some",
    },
    THRESHOLD,
    LEVEL,
    MEMORY_LEVEL,
    FALLBACK,
];
const MUX: &[Parameter] = &[
    Parameter {
        name: "channels",
        takes: Takes::Number(0, 65_535),
        about: "so many WebSockets beside the first (64)",
    },
    Parameter {
        name: "memory",
        takes: Takes::Number(0, u32::MAX),
        about: "so many octets all of them may hold together (1048576)",
    },
    Parameter {
        name: "window",
        takes: Takes::Number(128, 1 << 30),
        about: "so many octets one of them may hold (65536)",
    },
    Parameter {
        name: "delta",
        takes: Takes::YesNo,
        about: "client: requests are written as differences",
    },
];

/// What is typed by hand is short: it is compressed all the same, so that there is something to see.
fn threshold(wanted: &Wanted) -> usize {
    wanted
        .number("threshold")
        .map_or(0, |octets| usize::try_from(octets).unwrap_or(usize::MAX))
}

fn permessage_deflate(to: Built, wanted: &Wanted) -> Result<Built, Problem> {
    let mut deflate = PermessageDeflate::new().threshold(threshold(wanted));
    if let Some(yes) = wanted.yes_no("server_no_context_takeover") {
        deflate = deflate.server_no_context_takeover(yes);
    }
    if let Some(yes) = wanted.yes_no("client_no_context_takeover") {
        deflate = deflate.client_no_context_takeover(yes);
    }
    if let Some(bits) = wanted.small("server_max_window_bits") {
        deflate = deflate.server_max_window_bits(bits);
    }
    if let Some(bits) = wanted.small("client_max_window_bits") {
        deflate = deflate.client_max_window_bits(bits);
    }
    if let Some(level) = wanted.small("level") {
        deflate = deflate.level(level);
    }
    if let Some(level) = wanted.small("memory_level") {
        deflate = deflate.memory_level(level);
    }
    if let Some(yes) = wanted.yes_no("fallback") {
        deflate = deflate.fallback(yes);
    }
    to.with(deflate)
}

fn deflate_frame(deflate: DeflateFrame, to: Built, wanted: &Wanted) -> Result<Built, Problem> {
    let mut deflate = deflate.threshold(threshold(wanted));
    if let Some(yes) = wanted.yes_no("no_context_takeover") {
        deflate = deflate.no_context_takeover(yes);
    }
    if let Some(bits) = wanted.small("max_window_bits") {
        deflate = deflate.max_window_bits(bits);
    }
    if let Some(yes) = wanted.yes_no("context_takeover") {
        deflate = deflate.context_takeover(yes);
    }
    if let Some(yes) = wanted.yes_no("ignore_unknown_parameters") {
        deflate = deflate.ignore_unknown_parameters(yes);
    }
    if let Some(level) = wanted.small("level") {
        deflate = deflate.level(level);
    }
    if let Some(level) = wanted.small("memory_level") {
        deflate = deflate.memory_level(level);
    }
    if let Some(yes) = wanted.yes_no("fallback") {
        deflate = deflate.fallback(yes);
    }
    to.with(deflate)
}

fn zstd_dictionary(to: Built, wanted: &Wanted) -> Result<Built, Problem> {
    let path = wanted.text(DICTIONARY.name).ok_or_else(|| {
        let takes = DICTIONARY.takes.to_string();
        Problem::Missing("x-zstd-dictionary", DICTIONARY.name, takes)
    })?;
    let useless = |why: String| Problem::File(path.to_owned(), why);
    let content = std::fs::read(path).map_err(|error| useless(error.to_string()))?;
    let dictionary = Dictionary::new(content).map_err(|error| useless(error.to_string()))?;
    let mut zstd = ZstdDictionary::new([dictionary]).threshold(threshold(wanted));
    if let Some(level) = wanted.small("level") {
        zstd = zstd.level(level);
    }
    if let Some(bits) = wanted.small("max_window_bits") {
        zstd = zstd.max_window_bits(bits);
    }
    to.with(zstd)
}

fn heartbeat(to: Built, wanted: &Wanted) -> Result<Built, Problem> {
    let start = Instant::now();
    let mut heartbeat = Heartbeat::new(move || start.elapsed());
    if wanted.text("resolution") == Some("ms") {
        heartbeat = heartbeat.resolution(Resolution::Milliseconds);
    }
    let mut built = to.with(heartbeat.clone())?;
    built.heartbeat = Some(heartbeat);
    Ok(built)
}

fn mux(mut mux: Mux, to: Built, wanted: &Wanted) -> Result<Built, Problem> {
    if let Some(channels) = wanted.number("channels") {
        mux = mux.channels(channels);
    }
    if let Some(octets) = wanted.number("memory") {
        mux = mux.memory(u64::from(octets));
    }
    if let Some(octets) = wanted.number("window") {
        mux = mux.window(octets);
    }
    if let Some(yes) = wanted.yes_no("delta") {
        mux = mux.delta(yes);
    }
    let mut built = to.with(mux)?;
    built.multiplexes = true;
    Ok(built)
}
