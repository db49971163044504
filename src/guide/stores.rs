//! Choosing a store, and where one machine is not enough.
//!
//! A session is as safe as the store that keeps it. This page says what each one
//! gives, what it loses when a machine fails, and which settings decide that.
//! [`store`](crate::store) has the stores themselves.
//!
//! # Which one
//!
//! - **One process, and sessions may end with it** (development, a small site that
//!   is rarely restarted): `Memory`. Nothing is faster.
//! - **One machine, and sessions outlive a restart**: `Sqlite`, which survives power
//!   cuts. Or `File`, which does not flush to the disk, where each record should
//!   be a file.
//! - **Several machines**: the server that you run already. `Postgres` or `MySql`,
//!   if a database is there anyway: a request that uses its session costs one or two
//!   short statements. `MongoDb`, the same.
//! - **Several machines and many requests**: `Redis`, which also removes what has
//!   expired by itself. `NearCache<Redis>`, where most requests only read, and a
//!   logout may take a moment to reach the other processes.
//! - **Sessions that nobody would miss**: `Memcached`. A restart ends them all, and
//!   a full server drops some.
//! - **Sharing sessions with a Flask application**: the store that it uses.
//! - **No sessions at all**, in a build or a test of code that can have them:
//!   `Null`.
//!
//! The store is a type parameter, so another one is another line in `main` and
//! another name in one type alias. Sessions do not move with it.
//! `examples/any_store.rs` is one program that runs with each of them.
//!
//! # What each one gives
//!
//! | store | what was acknowledged survives | shared between | expired records are removed by | longest value |
//! |---|---|---|---|---|
//! | `Memory` | nothing | tasks of one process | every operation, a few at a time | what memory holds |
//! | `File` | a crash of the program; a power cut may undo the last changes | processes on one machine | `sweep`, and the threshold | what the disk holds |
//! | `Redis`, one server | what `appendfsync` says | machines | the server | 512 MB (`proto-max-bulk-len`) |
//! | `NearCache<Redis>` | as `Redis`, one server | machines | the server | as `Redis` |
//! | `Redis`, cluster | the same, but see [failovers](#what-a-failover-loses) | machines | the server | 512 MB (`proto-max-bulk-len`) |
//! | `Memcached` | nothing | machines | the server | a little less than its `-I`: 1 MiB |
//! | `Postgres` | a crash and a power cut | machines | `sweep` | 480 MiB |
//! | `MySql` (MariaDB) | a crash and a power cut | machines | `sweep` | together with the value before it, a little less than `max_allowed_packet`; 65,535 bytes in a table that Flask-Session made |
//! | `Sqlite` | a crash and a power cut | processes on one machine | `sweep` | 480 MiB |
//! | `MongoDb` | the failure of any minority of a replica set | machines | the server, about once a minute | a little less than 8 MiB |
//! | `Null` | nothing is kept | | | |
//!
//! A value that is too long is an error, and the record before it stays. Sessions
//! should be far smaller anyway: every request that uses one carries it over
//! the network.
//!
//! `sweep` stands for [`sweep_every`](crate::Sessions), a task that you start
//! once, and that goes on until what it returns is dropped. A record past its time is never handed out, swept or not.
//!
//! # What a request costs
//!
//! A request that takes its session makes one call to the store, and one more if
//! it changed something. Without a cookie the first is left out. How many round
//! trips a call is:
//!
//! | store | load | load that postpones the expiry | create | update | remove |
//! |---|---|---|---|---|---|
//! | `Memory`, `File` | 0 | 0 | 0 | 0 | 0 |
//! | `Redis` | 1 | 1 | 1 | 1 | 1 |
//! | `NearCache<Redis>` | 0 where it was read before; otherwise 1 | 1 | 1 | 1 | 1 |
//! | `Memcached` | 1 | 1 | 1 | 1; 2 for the second change in one request | 2, and 2 for each change in between |
//! | `Postgres` | 1 | 1 | 1 | 1 | 1 |
//! | `MySql` | 1 | 2 | 1; up to 3 where the key has a row already | 1; 2 on a conflict | 2, and 2 for each change in between |
//! | `Sqlite` | 0 (1 statement) | 0 (1) | 0 (1) | 0 (1; 2 on a conflict) | 0 (1) |
//! | `MongoDb` | 1 | 1 | 1 | 1; 2 on a conflict | 1 |
//!
//! Loads that postpone the expiry are those of `Renewal::EveryRequest`. A new
//! connection, and the first use of a statement on it, cost round trips of their
//! own.
//!
//! # What always holds
//!
//! All stores keep the same rules, and the same tests hold them to it. As long
//! as **one server is in charge of a record**, and remembers what it acknowledged:
//!
//! - no update is overwritten unseen: a record is replaced only while it is the
//!   version that the request saw, and otherwise the changes are merged first;
//! - a session that was logged out does not come back: a record that is gone is
//!   never written again.
//!
//! Both rest on that one condition. It breaks in two ways: when a replica takes
//! over that has not seen the last writes, and when reads go to a replica that lags
//! behind. The second is a matter of wiring. **Read from the server that is written
//! to**, never from replicas, also through a proxy that splits reads from writes:
//! a session that has ended would go on working there for as long as the replica
//! lags. `NearCache` has such a delay by design, says how long it may be, and still
//! writes nothing that has ended.
//!
//! # What a failover loses
//!
//! Where replicas are written to after the acknowledgment, a failover undoes the
//! writes that the new primary had not received: usually the last milliseconds,
//! and longer when a partition kept the old one alive. For sessions that means:
//!
//! - **A logout may be undone.** The record is there again, and a copy of the
//!   cookie works again, until it is used to log out or its time is over. The
//!   same goes for the old ticket of a sign-in: `rotate` may be undone, so the
//!   ticket from before works, with the rights from before.
//! - **A change may be undone.** The next request sees the older version and
//!   builds on it.
//! - **A new session may be gone.** The user signs in again.
//! - **Nothing is mixed up, and nobody gets the session of another.** A version
//!   is compared by its bytes, so a change that was based on an undone version is
//!   a conflict, and is merged like any other.
//!
//! To keep the window short, or to close it:
//!
//! - choose a store below whose failover loses nothing that was acknowledged:
//!   PostgreSQL with synchronous replication, MongoDB, Galera;
//! - set a short idle timeout, which bounds how long a session that came back lives
//!   if nobody uses it, and an absolute timeout, which bounds it in any case;
//! - where rights matter more than comfort, ask for the password again before an
//!   action that cannot be taken back, whatever the session says.
//!
//! ## Redis with replicas, and Sentinel
//!
//! Replication is asynchronous. A master that is cut off goes on acknowledging
//! writes that will be undone.
//!
//! - `min-replicas-to-write 1` with `min-replicas-max-lag 10` (seconds) makes it
//!   refuse writes once no replica has reported for that long. That bounds the
//!   window; it does not close it.
//! - `WAIT` makes it less likely that a write is lost, and does not rule it out
//!   either: Redis's own documentation says so. This crate does not send it; it
//!   would be a further round trip.
//! - `Redis::connect(url)` connects to one address, and asks no Sentinel. Give it
//!   a name or a proxy that follows the master, or hand a connection of your own
//!   to `Redis::new`. Sentinel closes the connections of a master that it demotes,
//!   so the store connects anew, to wherever the name leads by then.
//!
//! ## Redis Cluster
//!
//! `Redis::connect_cluster` spreads sessions over the masters: each operation is for
//! one key, so any number of slots will do, and slots may move meanwhile. A replica
//! that takes over may miss the last writes of its master. A master on the side
//! with fewer masters acknowledges writes for up to `cluster-node-timeout` before
//! it stops; these are undone. While a failover lasts, operations on that master's
//! keys are errors (503), and the others go on.
//!
//! ## Memcached on several servers
//!
//! `Memcached` talks to one server. Clients and proxies that spread keys over a
//! pool, by consistent hashing, fit caches better than sessions:
//!
//! - when a server leaves the pool, its sessions are gone, about one in as many
//!   as there are servers;
//! - when a server **comes back with its memory intact**, or one that was added is
//!   taken away again, the servers before it answer with the records of that time:
//!   sessions that were logged out since **come back**. Restart a server, or empty
//!   it by `flush_all`, before it joins; and let a pool that lost one fail for its
//!   keys rather than spread them over the others.
//!
//! ## PostgreSQL with replicas
//!
//! With `synchronous_standby_names` set, `synchronous_commit` decides:
//!
//! | `synchronous_commit` | a failover to a synchronous standby loses |
//! |---|---|
//! | `off` | what was acknowledged in the last moments; a crash without any failover, too |
//! | `local` | what the standby has not received |
//! | `remote_write` | nothing, unless the standby's machine crashes as well |
//! | `on`, `remote_apply` | nothing |
//!
//! Without synchronous standbys, `on` means the primary's own disk only, and a
//! failover loses what the standby has not received. Sessions may have a setting of
//! their own: `ALTER ROLE shop SET synchronous_commit = on`. The old primary must
//! be stopped before the standby takes over, or two servers are in charge.
//!
//! ## MySQL and MariaDB with replicas
//!
//! Asynchronous replication loses what the replica has not received.
//!
//! **Galera** (MariaDB) decides at commit, on all nodes alike, which of two
//! transactions that wrote to the same row stands. The other one fails with a
//! deadlock, and the store sends it again; by then it finds another version, and
//! reports a conflict. So no update is overwritten unseen and nothing that was removed
//! comes back, on whichever node it happens. But a node may serve, for a moment, what
//! another one has just ended. Send all traffic to one node and keep the others
//! for the failover, or set `wsrep_sync_wait = 7`, which lets a node catch up
//! before it reads or writes.
//!
//! **Group Replication** (InnoDB Cluster) works likewise. Use its single-primary mode,
//! with `group_replication_consistency` at `BEFORE_ON_PRIMARY_FAILOVER` or above,
//! so that a new primary has applied everything before it answers; with several
//! primaries, `BEFORE`.
//!
//! These clusters were not part of this crate's tests. They rest on what their
//! documentation promises.
//!
//! ## MongoDB
//!
//! The store writes and reads with majority concern, whatever the URL says, so
//! a failover undoes nothing that was acknowledged. A primary that was cut off, and
//! has not noticed yet, may still show a session that has ended; it cannot store a
//! change of it.
//!
//! Shard the collection by `{ id: 1 }`, with `unique`. Two records must never have
//! one key, and MongoDB can promise that only for an index that begins with the
//! shard key; one that is hashed cannot be unique. Keys are random after their
//! prefix, so they spread over the shards, once the ranges have been split.
//!
//! # Settings that matter
//!
//! | server | setting | why |
//! |---|---|---|
//! | Redis | `maxmemory-policy noeviction` | any other ends sessions early when memory is full; with this one, writes fail (503) and sessions stay |
//! | Redis | `appendonly yes`, `appendfsync always` | without an append-only file, a crash undoes everything since the last snapshot; `everysec` undoes about a second, logouts included |
//! | Memcached | `-m` (megabytes; 64 by default) | a full server drops the records that were not used for the longest time; `evictions` in its statistics should stay 0 |
//! | Memcached | `-M` | a full server refuses writes (503) instead |
//! | Memcached | `-c` (connections; 1,024 by default) | 16 for each process, unless `pool_size` says otherwise |
//! | PostgreSQL | `max_connections` (100 by default) | ten for each process, unless the pool is your own |
//! | PostgreSQL | autovacuum for the table | each change leaves a dead row |
//! | MySQL, MariaDB | `innodb_flush_log_at_trx_commit = 1` | otherwise a crash may undo the last second |
//! | MySQL, MariaDB | `max_allowed_packet` | see the longest value |
//! | SQLite | a local disk | its locks, and its write-ahead log, do not work over a network |
//! | `File` | `threshold` | 500 records, and then those go that would expire first |
//! | `Memory` | `with_capacity` | a million records, and then those go that would expire first |
//!
//! For pools: an operation holds its connection for one round trip, so a pool of
//! `n` serves `n` divided by the time of a round trip, ten connections at 1 ms about
//! 10,000 operations a second. More connections than that only wait elsewhere.
//! `Redis` sends everything over one connection and needs no pool.
//!
//! # Whose clock decides
//!
//! | store | the clock that ends a record |
//! |---|---|
//! | `Memory`, `File`, `Sqlite` | that of the machine |
//! | `Redis`, `Postgres`, `MySql` | the server's |
//! | `Memcached` | the server's; a time to live of 30 days or more is sent as a date of this program's clock |
//! | `MongoDb` | this program's; the server removes by its own |
//!
//! Beside that, each session carries the times at which it began and was last
//! renewed, and the process that opens it holds both timeouts by its own clock. So
//! keep all machines on network time. A clock that is ahead by a minute ends
//! sessions a minute early; one that is behind ends them late, but no later than the
//! store does. After a failover the new server's clock counts. Seconds do not
//! matter with timeouts of hours; a leap of hours signs everybody out.
