//! What a session costs a request: where it goes, what is left, how to measure.
//!
//! # Measure
//!
//! ```sh
//! cargo bench --bench requests                 # times of whole requests, as overheads
//! cargo bench --bench instructions             # counts, held to benches/instructions.txt
//! cargo bench --bench pieces --all-features    # ids, codecs, signing, the memory store
//! cargo test --all-features --test allocations -- --nocapture
//! ```
//!
//! Times on a busy machine tell little; ratios of one run tell more, and counts of
//! instructions tell whether a change made the path longer. `valgrind` counts them,
//! on a processor without SHA instructions: hashing, some 1,700 instructions a block
//! there, takes a far larger part than in life.
//!
//! # Where the instructions of a read go
//!
//! The handler reads a session of two integers, a name and five numbers, kept in
//! `Memory` with `Postcard`, under a signed cookie. That costs 13,200 instructions on
//! top of a bare axum router, of which an empty layer is some 850 and a session layer
//! whose session nobody takes 1,150. Counted with callgrind, on x86-64 with AVX2 and
//! Rust 1.95:
//!
//! | part | instructions | of which SHA-256 |
//! |---|---:|---:|
//! | verifying the tag (two blocks, a tag in base64) | 5,600 | 4,250 |
//! | the key in the store (one block, base64) | 3,030 | 2,130 |
//! | decoding the data | 630 | |
//! | looking the record up in `Memory` | 260 | |
//! | deciding that nothing is to be saved | 90 | |
//! | `Vary: Cookie` | 220 | |
//! | the layer, an empty one's part included | 1,150 | |
//! | the rest: the cookie header, the id, axum's part of any extractor, dropping the data | 2,180 | |
//!
//! A request without a cookie costs 2,500, one that changes a field 16,400: it encodes
//! the data before and after, decodes the result to prove that it can be read back,
//! and has the store swap the record.
//!
//! # Where the nanoseconds of a read go
//!
//! The same request on an Intel Xeon of 2 cores (a virtual machine, with SHA
//! instructions), by `perf record` over four million requests, on top of a request
//! whose session nobody takes. Sampling makes everything about a tenth slower, and
//! what both requests have in common differed by up to 15 ns either way. The layer
//! itself is some 45 ns on top of an empty one, which is some 70.
//!
//! | part | ns |
//! |---|---:|
//! | three blocks of SHA-256 | 150 |
//! | `ring` around them | 85 |
//! | opening the session, handing it over, taking it back | 65 |
//! | moving memory, most of it a larger future of the handler | 65 |
//! | searching the cookie header, comparing the tag, reading the id | 60 |
//! | looking the record up in `Memory` | 50 |
//! | base64 of the tag and of the key | 40 |
//! | reading the clock | 25 |
//! | decoding the data | 25 |
//! | `Vary: Cookie` | 15 |
//!
//! That is with a thousand sessions that lie side by side in memory, and are in the
//! processor's caches. After many changes among other programs' data, as late in a run
//! of `benches/peers`, they are scattered, and a read takes some 500 ns more; nearly half
//! of the few dozen samples that were taken there fell on looking records up. The
//! hand-written reference takes some 350 ns more.
//!
//! ```sh
//! CARGO_PROFILE_BENCH_DEBUG=1 cargo bench --bench instructions --no-run   # names the program
//! perf record -F 4000 PROGRAM --requests Read 4000000 && perf report      # or NotUsed
//! ```
//!
//! # Where the allocations go
//!
//! | | not used | no cookie | read | change |
//! |---|---:|---:|---:|---:|
//! | what axum asks for any layer | 2 | 2 | 2 | 2 |
//! | the data themselves: a `String` and a `Vec` | | | 2 | 2 |
//! | decoding the encoding once | | | | 2 |
//! | the box of the saving future | | | | 1 |
//! | the record in `Memory` | | | | 1 |
//! | | 2 | 2 | 4 | 8 |
//!
//! The box in which a session goes from hand to hand, and the buffer for both
//! encodings, are kept for the next requests of the thread, emptied: up to 64 of them,
//! of up to 4 KiB each, since so many requests may be waiting for their store at once.
//!
//! # What is left
//!
//! - **Hashing** is three blocks of SHA-256, the least that HMAC and a key that does
//!   not disclose the id can do with. The tag itself could be the key: it does not
//!   lead to the id either. But it changes with the signing key, so every session
//!   would have to move when a key is replaced. A store in this process would not need
//!   the third block for fear of stolen tables, but it also keeps the ids of idle
//!   sessions out of what a leak of memory would show.
//! - **`ring`** spends about as much time around its blocks as on them. With SHA
//!   instructions, the `hmac` and `sha2` crates took about three quarters of its time
//!   for a tag and for a digest; without them, 1.4 times its instructions. It stays.
//! - **The clock** takes some 20 ns. `Memory` reads it, and says when it found a record,
//!   so that the session need not; a change reads it twice more. Linux has a coarse one,
//!   which took a quarter of that, and is up to ten milliseconds late: too late for
//!   times to live of milliseconds.
//! - **Looking up** a record whose session nobody has used for a while takes longer than
//!   all hashing: the place in the map, the key and the value are each in another part
//!   of memory. A map that holds the keys themselves was tried: it made no difference
//!   that could be told from noise.
//! - **Decoding what was encoded** is what keeps data from being stored that cannot be
//!   read back. Not even a strict codec can tell, since types may check their values
//!   when they are read.
//! - **The process id** is asked of the system for every new id, so that a forked
//!   process does not repeat its parent's. Cheaper ways need unsafe code. Only new
//!   and rotated sessions pay for it.
//!
//! # The memory store
//!
//! It hashes the last eight bytes of a key, which are random, with a secret seed. Its
//! shards are sized so that their maps are three quarters full when the store is, and
//! a session of this size then takes less than 300 bytes, the allocator's rounding
//! included. Just after a map has doubled, it takes some 350. `tests/memory.rs` holds
//! the former, and that the memory of removed and expired sessions comes back.
//!
//! # Larger sessions, more connections
//!
//! Requests per second over HTTP with sessions in Redis, 64 connections, the server on
//! one core, by the size of the data in postcard; from `benches/peers`, where "by hand"
//! is a handler that sends the commands itself:
//!
//! | | 100 B | 1 KiB | 10 KiB | 100 KiB |
//! |---|---:|---:|---:|---:|
//! | by hand, read | 103,500 | 93,700 | 57,500 | 9,400 |
//! | cloakroom, read | 94,200 | 82,800 | 45,800 | 8,500 |
//! | by hand, change | 80,000 | 56,600 | 13,000 | 1,310 |
//! | cloakroom, change | 63,300 | 53,400 | 11,400 | 1,310 |
//!
//! | connections | 1 | 4 | 16 | 64 | 256 |
//! |---|---:|---:|---:|---:|---:|
//! | by hand, read | 5,900 | 23,200 | 104,800 | 118,100 | 101,800 |
//! | cloakroom, read | 6,200 | 22,500 | 85,200 | 101,100 | 88,200 |
//! | by hand, change | 3,900 | 15,300 | 62,000 | 82,500 | 78,600 |
//! | cloakroom, change | 4,000 | 14,000 | 59,100 | 71,800 | 63,000 |
//!
//! The codec's share, in microseconds for one encoding / one decoding. A read decodes
//! once; a change encodes twice and decodes twice:
//!
//! | | 100 B | 1 KiB | 10 KiB | 100 KiB |
//! |---|---:|---:|---:|---:|
//! | `Postcard` | 0.1 / 0.1 | 0.5 / 0.4 | 4.5 / 3.6 | 46 / 34 |
//! | `MessagePack` | 0.2 / 0.2 | 0.6 / 0.9 | 3.7 / 6.7 | 38 / 66 |
//! | `Json` | 0.3 / 0.3 | 1.5 / 2.0 | 13 / 17 | 126 / 173 |
//!
//! Records are not compressed. On one machine, compression never paid for reads. Over a
//! network of one gigabit in a second (calculated), lz4 would begin to pay at about
//! 1 KiB, where it saves 10 % of a read's 16 µs, and saves a fifth at 10 KiB and a
//! quarter at 100 KiB; zstd at level 1 would pay from some 10 KiB. A codec of your own
//! can compress: it is asked for bytes, and given them back.
//!
//! # A cache in front of Redis
//!
//! `NearCache` answers a read that it has heard no objection to in about 100 ns, where
//! `Redis` takes a round trip. The price is the time between a logout on one node and
//! its refusal on another: on one machine with two cores, both nodes on the loopback
//! device, 72 µs in the median of 5,000 logouts, 0.15 ms at 99 %, and 4 ms at most. A
//! network adds the way from the server to the node.
//!
//! ```sh
//! cargo bench --bench near_cache --features redis
//! ```
