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
//! `Memory` with `Postcard`, under a signed cookie. That costs 13,300 instructions on
//! top of a bare axum router, of which an empty layer is some 850 and a session layer
//! whose session nobody takes 1,150. Counted with callgrind, on x86-64 with AVX2 and
//! Rust 1.95:
//!
//! | part | instructions | of which SHA-256 |
//! |---|---:|---:|
//! | verifying the tag (two blocks, a tag in base64) | 5,600 | 4,250 |
//! | the key in the store (one block, base64) | 3,030 | 2,130 |
//! | decoding the data | 630 | |
//! | looking the record up in `Memory`, and its copy | 400 | |
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
//! | looking the record up in `Memory`, and its copy | 65 |
//! | base64 of the tag and of the key | 40 |
//! | reading the clock | 25 |
//! | decoding the data | 25 |
//! | `Vary: Cookie` | 15 |
//!
//! That is with a thousand sessions that lie side by side in memory, and are in the
//! processor's caches. `Memory` keeps them there: changed data of the same length are
//! written where the old ones lie. When every change moved its record to another place
//! in the heap, reads became slower with the number of changes: after 2,000 rounds of
//! `benches/peers` one took 1,680 ns instead of 1,120, and without the changes 1,060.
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
//! | the slot of the session | 1 | 1 | 1 | 1 |
//! | its entry in the request's extensions, and a larger table for the fourth entry | 2 | 2 | 2 | 2 |
//! | axum's box around the body that the layer answers with | 1 | 1 | 1 | 1 |
//! | the box of the session's state | | 1 | 1 | 1 |
//! | the data themselves: a `String` and a `Vec` | | | 2 | 2 |
//! | the copy of the record that `Memory` hands out | | | 1 | 1 |
//! | decoding the encoding once | | | | 2 |
//! | the box of the saving future | | | | 1 |
//! | the buffer for both encodings | | | | 1 |
//! | | 6 | 7 | 10 | 14 |
//!
//! A change of the data's length takes one more, for the new record. A record that is
//! shared instead of copied would spare reads their allocation, but not be written in
//! place, and its counts are atomic: that took 2 to 13 % longer.
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
//! | by hand, read | 101,600 | 85,900 | 50,200 | 8,100 |
//! | cloakroom, read | 89,000 | 73,300 | 45,000 | 7,400 |
//! | by hand, change | 76,700 | 50,900 | 11,400 | 1,160 |
//! | cloakroom, change | 61,700 | 47,800 | 10,600 | 1,290 |
//!
//! | connections | 1 | 4 | 16 | 64 | 256 |
//! |---|---:|---:|---:|---:|---:|
//! | by hand, read | 5,600 | 21,200 | 89,000 | 102,600 | 90,600 |
//! | cloakroom, read | 5,500 | 20,800 | 77,400 | 90,000 | 77,300 |
//! | by hand, change | 3,500 | 13,100 | 54,900 | 74,100 | 71,800 |
//! | cloakroom, change | 3,400 | 13,300 | 55,000 | 63,800 | 57,700 |
//!
//! The difference is a microsecond or so of the server's processor, most of it for code
//! that is not in the processor's caches when the request comes: a read runs through
//! some 240 lines of 64 bytes more than one by hand, counted with callgrind. For changes
//! it is also that commands are sent at once (`TCP_NODELAY`), while those by hand wait
//! for the reply to the ones before and then go together, which is the default of the
//! crate `redis`. With that, reads were 1 % and changes 5 % more in a second here; over
//! a network, where the reply takes longer, every command would wait for it.
//!
//! The codec's share, in microseconds for one encoding / one decoding. A read decodes
//! once; a change encodes twice and decodes twice:
//!
//! | | 100 B | 1 KiB | 10 KiB | 100 KiB |
//! |---|---:|---:|---:|---:|
//! | `Postcard` | 0.2 / 0.1 | 0.6 / 0.5 | 6.1 / 4.0 | 54 / 42 |
//! | `MessagePack` | 0.2 / 0.2 | 0.7 / 1.2 | 4.7 / 9.5 | 55 / 96 |
//! | `Json` | 0.4 / 0.3 | 1.6 / 2.2 | 14 / 19 | 146 / 196 |
//!
//! Records are not compressed. On one machine, compression never paid for reads. Over a
//! network of one gigabit in a second (calculated), lz4 would begin to pay at about
//! 1 KiB, where it saves 10 % of a read's 17 µs, and saves a fifth at 10 KiB and a
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
//! cargo bench -p cloakroom-redis --bench near_cache
//! ```
