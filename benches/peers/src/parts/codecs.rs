//! What encoding costs, and where compression would begin to pay.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cloakroom::{Codec, Json, MessagePack, Postcard};
use redis::{Client, Connection, cmd};

use super::growth::{SIZES, label};
use crate::report::{Table, median};
use crate::visitor::Visitor;

/// How much is done at once, so that the clock is fine enough.
const BATCH: Duration = Duration::from_millis(2);
/// One gigabit in a second.
const GIGABIT_NANOS_PER_BYTE: f64 = 8.0;

type Step = Box<dyn FnMut()>;
type Encode = fn(&Visitor) -> Encoded;

pub fn measure(redis_url: &str, rounds: usize) -> Vec<Table> {
    let client = Client::open(redis_url).expect("a URL");
    let mut connection = client.get_connection().expect("Redis is there");
    let mut bytes = table("codec-bytes", "Encoded", "bytes");
    let mut times = table("codec-time", "One encoding or decoding", "microseconds");
    let mut round_trips =
        table("compression", "One GET and decoding, one connection, loopback", "microseconds");
    let title = "The same, with a network of one gigabit in a second added (calculated)";
    let mut far = table("compression-far", title, "microseconds");

    let codecs: [(&str, Encode); 3] = [
        ("postcard", encoded::<Postcard<Visitor>>),
        ("MessagePack", encoded::<MessagePack<Visitor>>),
        ("JSON", encoded::<Json<Visitor>>),
    ];
    let visitors = SIZES.map(Visitor::of_size);
    for (name, codec) in codecs {
        let mut all = visitors.each_ref().map(codec);
        bytes.row(name, all.each_ref().map(|encoded| Some(encoded.bytes.len() as f64)).to_vec());
        let mut time = |step: fn(&mut Encoded) -> &mut Step| {
            all.each_mut().map(|encoded| Some(micros(step(encoded), rounds))).to_vec()
        };
        times.row(format!("{name}, encode"), time(|encoded| &mut encoded.encode));
        times.row(format!("{name}, decode"), time(|encoded| &mut encoded.decode));
    }

    let plain = visitors.each_ref().map(|visitor| encoded::<Postcard<Visitor>>(visitor).bytes);
    for compression in COMPRESSIONS {
        let packed = plain.each_ref().map(|plain| (compression.pack)(plain));
        if compression.name != COMPRESSIONS[0].name {
            bytes.row(
                format!("postcard, {}", compression.name),
                packed.each_ref().map(|packed| Some(packed.len() as f64)).to_vec(),
            );
            let time = plain.each_ref().map(|plain| {
                Some(micros(&mut || drop(black_box((compression.pack)(plain))), rounds))
            });
            times.row(format!("{}, compress", compression.name), time.to_vec());
        }
        let near = packed.each_ref().map(|packed| {
            store(&mut connection, packed);
            micros(&mut || fetch(&mut connection, compression), rounds)
        });
        round_trips.row(compression.name, near.map(Some).to_vec());
        let wire = |index: usize| packed[index].len() as f64 * GIGABIT_NANOS_PER_BYTE / 1_000.0;
        let all = (0..SIZES.len()).map(|index| Some(near[index] + wire(index)));
        far.row(compression.name, all.collect());
    }
    vec![bytes, times, round_trips, far]
}

fn table(id: &str, title: &str, unit: &str) -> Table {
    Table::new(id, title, unit, SIZES.map(label))
}

struct Encoded {
    bytes: Vec<u8>,
    encode: Step,
    decode: Step,
}

fn encoded<C: Codec<Data = Visitor>>(visitor: &Visitor) -> Encoded {
    let mut bytes = Vec::new();
    C::encode(visitor, &mut bytes).expect("it can be encoded");
    let (visitor, copy) = (visitor.clone(), bytes.clone());
    let encode = move || {
        let mut out = Vec::new();
        C::encode(black_box(&visitor), &mut out).expect("it can be encoded");
        black_box(out);
    };
    let decode = move || drop(black_box(C::decode(black_box(&copy)).expect("it can be decoded")));
    Encoded { bytes, encode: Box::new(encode), decode: Box::new(decode) }
}

/// A way to make bytes fewer.
#[derive(Clone, Copy)]
struct Compression {
    name: &'static str,
    pack: fn(&[u8]) -> Vec<u8>,
    unpack: fn(&[u8]) -> Vec<u8>,
}

const COMPRESSIONS: [Compression; 3] = [
    Compression { name: "not compressed", pack: <[u8]>::to_vec, unpack: <[u8]>::to_vec },
    Compression {
        name: "lz4",
        pack: lz4_flex::compress_prepend_size,
        unpack: |bytes| lz4_flex::decompress_size_prepended(bytes).expect("what was packed"),
    },
    Compression {
        name: "zstd, level 1",
        pack: |bytes| zstd::bulk::compress(bytes, 1).expect("memory"),
        unpack: |bytes| zstd::bulk::decompress(bytes, 1 << 20).expect("what was packed"),
    },
];

const KEY: &str = "growth";

fn store(connection: &mut Connection, bytes: &[u8]) {
    cmd("SET").arg(KEY).arg(bytes).arg("EX").arg(600).exec(connection).expect("Redis answers");
}

fn fetch(connection: &mut Connection, compression: Compression) {
    let bytes: Vec<u8> = cmd("GET").arg(KEY).query(connection).expect("Redis answers");
    let visitor = if compression.name == COMPRESSIONS[0].name {
        Postcard::<Visitor>::decode(&bytes)
    } else {
        Postcard::<Visitor>::decode(&(compression.unpack)(&bytes))
    };
    black_box(visitor.expect("what was packed"));
}

/// The median time of a step over several batches.
fn micros(step: &mut dyn FnMut(), batches: usize) -> f64 {
    let batch = |step: &mut dyn FnMut()| {
        let start = Instant::now();
        let mut steps = 0.0;
        while start.elapsed() < BATCH {
            step();
            steps += 1.0;
        }
        start.elapsed().as_secs_f64() * 1e6 / steps
    };
    batch(step);
    median((0..batches).map(|_| batch(step)).collect())
}
