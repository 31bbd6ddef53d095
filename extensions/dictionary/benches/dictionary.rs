//! What a dictionary brings and costs, next to permessage-deflate: `cargo bench -p
//! cloverleaf-dictionary`.
//!
//! Messages are JSON events of five kinds, all different; the dictionary is trained on others of the
//! same kinds. Everything goes through the extensions' own halves, as the engine does it.

use std::fmt;
use std::sync::LazyLock;

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_dictionary::{Dictionary, ZstdDictionary};
use cloverleaf_proto::extension::{
    Agreement, Decoder, Encoded, Encoder, Extension, Hints, Output, Params,
};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    sizes();
    contexts();
    divan::main();
}

/// Events in one message.
const EVENTS: [usize; 4] = [1, 4, 16, 256];
const DISTINCT: usize = 256;
const DICTIONARY: usize = 16 << 10;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// One event of a service, with what is different each time: numbers, names, ids.
fn event(random: &mut Random) -> String {
    const NAMES: [&str; 8] = [
        "amber", "birch", "cedar", "daphne", "elder", "fern", "gorse", "hazel",
    ];
    let name = NAMES[random.below(8) as usize];
    let id = random.below(u64::from(u32::MAX));
    let number = random.below(100_000);
    let time = 1_700_000_000_000 + random.below(100_000_000);
    match random.below(5) {
        0 => format!(
            r#"{{"type":"order.accepted","order_id":"{id:08x}","account":"{name}","quantity":{number},"status":"open","timestamp":{time}}}"#
        ),
        1 => format!(
            r#"{{"type":"presence.update","user":{{"id":{id},"name":"{name}"}},"online":{},"last_seen":{time}}}"#,
            number.is_multiple_of(2)
        ),
        2 => format!(
            r#"{{"type":"chat.message","room":"general","from":"{name}","message_id":{id},"text":"see number {number}, please","timestamp":{time}}}"#
        ),
        3 => format!(
            r#"{{"type":"vehicle.position","vehicle":"{name}-{}","latitude":{}.{number:05},"longitude":{}.{:05},"timestamp":{time}}}"#,
            id % 100,
            40 + id % 10,
            10 + id % 7,
            id % 100_000
        ),
        _ => format!(
            r#"{{"type":"error","code":{},"request_id":"{id:08x}","message":"limit exceeded","retry_after_ms":{number}}}"#,
            400 + id % 20
        ),
    }
}

fn messages(events: usize, count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    let message = |_| {
        let events: Vec<String> = (0..events).map(|_| event(&mut random)).collect();
        events.join(",").into_bytes()
    };
    (0..count).map(message).collect()
}

static TRAINED: LazyLock<Dictionary> = LazyLock::new(|| {
    let samples = messages(1, 10_000, 0x9E37_79B9_7F4A_7C15);
    Dictionary::train(samples, DICTIONARY).expect("enough samples")
});

#[derive(Clone, Copy)]
enum How {
    Zstd(u8),
    Deflate(u8),
    DeflateTakeover(u8),
}

const ALL: [How; 7] = [
    How::Zstd(1),
    How::Zstd(3),
    How::Zstd(9),
    How::Deflate(1),
    How::Deflate(6),
    How::DeflateTakeover(1),
    How::DeflateTakeover(6),
];

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zstd(level) => write!(f, "dictionary, level {level}"),
            Self::Deflate(level) => write!(f, "deflate, level {level}"),
            Self::DeflateTakeover(level) => write!(f, "deflate takeover, level {level}"),
        }
    }
}

struct Halves {
    encoder: Box<dyn Encoder>,
    decoder: Box<dyn Decoder>,
    out: Vec<u8>,
}

const TEXT: Head = Head::new(OpCode::TEXT);

impl Halves {
    fn new(how: How) -> Self {
        let (encoder, decoder) = agreement(how).into_halves();
        Self {
            encoder: encoder.expect("both ways"),
            decoder: decoder.expect("both ways"),
            out: Vec::new(),
        }
    }

    /// How many octets travel.
    fn encode(&mut self, message: &[u8]) -> usize {
        self.out.clear();
        let mut out = Output::new(&mut self.out, usize::MAX);
        let encoded = self.encoder.encode(TEXT, Hints::new(), message, &mut out);
        match encoded.expect("no limit") {
            Encoded::Unchanged => message.len(),
            _ => self.out.len(),
        }
    }

    fn decode(&mut self, message: &[u8]) -> usize {
        self.out.clear();
        let mut out = Output::new(&mut self.out, usize::MAX);
        let head = TEXT.with_rsv(Rsv::RSV1);
        let decoded = self.decoder.decode(head, message, &mut out);
        decoded.expect("it is ours");
        self.out.len()
    }
}

fn agreement(how: How) -> Agreement {
    let deflate = |level, takeover: bool| {
        let extension = PermessageDeflate::new()
            .level(level)
            .threshold(0)
            .server_no_context_takeover(!takeover)
            .client_no_context_takeover(!takeover);
        extension.accept(&Params::new())
    };
    let agreement = match how {
        How::Zstd(level) => {
            let extension = ZstdDictionary::new([TRAINED.clone()])
                .level(level)
                .threshold(0);
            extension.accept(&extension.offers()[0])
        }
        How::Deflate(level) => deflate(level, false),
        How::DeflateTakeover(level) => deflate(level, true),
    };
    agreement.expect("a plain offer")
}

/// Octets on the wire for each message, on average.
fn sizes() {
    print!("{:<28}", "octets of a message");
    for events in EVENTS {
        print!("{:>10.0}", mean(events, |message| message.len()));
    }
    println!();
    for how in ALL {
        print!("{:<28}", how.to_string());
        let mut halves = Halves::new(how);
        for events in EVENTS {
            print!("{:>10.1}", mean(events, |message| halves.encode(message)));
        }
        println!();
    }
}

fn mean(events: usize, size: impl FnMut(&Vec<u8>) -> usize) -> f64 {
    let messages = messages(events, DISTINCT, 1);
    let total: usize = messages.iter().map(size).sum();
    total as f64 / DISTINCT as f64
}

/// What zstd's contexts take, as it counts them itself; set up as the extension does it.
fn contexts() {
    use zstd_safe::{CCtx, CParameter, DCtx, InBuffer, OutBuffer};

    let dictionary = TRAINED.content();
    println!(
        "\noctets of a context, with a dictionary of {}",
        dictionary.len()
    );
    let message = &messages(1, 1, 1)[0];
    let long = &messages(4096, 1, 1)[0];
    for level in [1, 3, 9] {
        for (what, bits) in [("128 KiB", 17), ("8 KiB", 13)] {
            let mut context = CCtx::create();
            let level_of = CParameter::CompressionLevel(level);
            for parameter in [level_of, CParameter::WindowLog(bits)] {
                context.set_parameter(parameter).expect("a parameter");
            }
            context.load_dictionary(dictionary).expect("it was trained");
            let mut wire = Vec::with_capacity(1 << 20);
            context.compress2(&mut wire, message).expect("room");
            let small = context.sizeof();
            context.compress2(&mut wire, long).expect("room");
            let large = context.sizeof();
            println!(
                "compressor, level {level}, window {what}: {small}, {large} after a long message"
            );
        }
    }
    let mut wire = Vec::with_capacity(1 << 20);
    let mut sender = CCtx::create();
    let window = CParameter::WindowLog(17);
    sender.set_parameter(window).expect("a parameter");
    sender.load_dictionary(dictionary).expect("it was trained");
    let mut receiver = DCtx::create();
    receiver
        .load_dictionary(dictionary)
        .expect("it was trained");
    for (what, message) in [("small", message), ("long", long)] {
        sender.compress2(&mut wire, message).expect("room");
        let mut step = Vec::with_capacity(16 << 10);
        // In two pieces, so that it must keep what came.
        let (front, back) = wire.split_at(4);
        for piece in [front, back] {
            let mut piece = InBuffer::around(piece);
            while piece.pos() < piece.src.len() {
                let mut out = OutBuffer::around(&mut step);
                let result = receiver.decompress_stream(&mut out, &mut piece);
                result.expect("a frame");
            }
        }
        println!("decompressor after a {what} message: {}", receiver.sizeof());
    }
    println!();
}

fn cases() -> impl Iterator<Item = Case> {
    let sizes = EVENTS.into_iter();
    sizes.flat_map(|events| ALL.into_iter().map(move |how| Case(events, how)))
}

struct Case(usize, How);

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events, {}", self.0, self.1)
    }
}

#[divan::bench(args = cases())]
fn compress(bencher: Bencher<'_, '_>, Case(events, how): &Case) {
    let messages = messages(*events, DISTINCT, 1);
    let mut halves = Halves::new(*how);
    let mut i = 0;
    let octets: usize = messages.iter().map(Vec::len).sum();
    bencher
        .counter(BytesCount::new(octets / DISTINCT))
        .bench_local(|| {
            i += 1;
            halves.encode(&messages[i % DISTINCT])
        });
}

#[divan::bench(args = cases())]
fn decompress(bencher: Bencher<'_, '_>, Case(events, how): &Case) {
    let messages = messages(*events, DISTINCT, 1);
    let mut halves = Halves::new(*how);
    let octets: usize = messages.iter().map(Vec::len).sum();
    let wire: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| {
            halves.encode(message);
            halves.out.clone()
        })
        .collect();
    let mut i = 0;
    bencher
        .counter(BytesCount::new(octets / DISTINCT))
        .bench_local(|| {
            let message = &wire[i % DISTINCT];
            i += 1;
            halves.decode(message)
        });
}
