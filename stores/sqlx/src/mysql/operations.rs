//! The operations of [`MySql`](crate::MySql), on one connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cloakroom::store::{Create, Loaded, Update};
use cloakroom::{Key, Ttl};
use sqlx::query;

use super::Shared;
use super::statements::Statements;
use crate::answer::{bytes, record, value};
use crate::error::Answer;
use crate::error::SqlError;
use crate::lease::Lease;
use crate::revision::SqlRevision;
use crate::statement::Query;

/// The longest value of every table: Flask-Session makes a `BLOB`.
const SMALLEST_ROOM: u64 = 65_535;

/// The length of a message beside its values.
const OVERHEAD: u64 = 4_096;

/// How often a create tries again after its key was freed between two statements.
const ATTEMPTS: u32 = 3;

pub(super) struct Operation {
    pub(super) lease: Lease<sqlx::MySql>,
    pub(super) shared: Arc<Shared>,
    pub(super) key: Key,
}

impl Operation {
    pub(super) async fn load(
        mut self,
        extend: Option<Ttl>,
    ) -> Result<Loaded<super::MySql>, SqlError> {
        let statements = &self.shared.statements;
        if let Some(ttl) = extend {
            let expiry = micros(ttl);
            let query = || on(query(statements.extend.clone()).bind(expiry), &self.key);
            if self.lease.execute(query).await?.rows_affected() == 0 {
                return Ok(None);
            }
        }
        record(&self.lease.rows(|| on(query(statements.load.clone()), &self.key)).await?)
    }

    pub(super) async fn create(
        mut self,
        new: Arc<[u8]>,
        ttl: Ttl,
    ) -> Result<Create<SqlRevision>, SqlError> {
        self.check_room(new.len(), 0).await?;
        let shared = self.shared.clone();
        let statements = &shared.statements;
        for _ in 0..ATTEMPTS {
            let insert = || {
                let query = query(statements.create.clone()).bind(self.key.as_str());
                query.bind(&*new).bind(micros(ttl))
            };
            match self.lease.execute(insert).await {
                Ok(_) => return Ok(Create::Created(SqlRevision(new))),
                Err(fault) if fault.answer() == Some(Answer::Duplicate) => {}
                Err(fault) => return Err(fault),
            }
            // The row count of an `ON DUPLICATE KEY UPDATE` does not tell a new row from
            // one that stayed as it was.
            let replace = || {
                let query = query(statements.replace.clone()).bind(&*new).bind(micros(ttl));
                on(query, &self.key)
            };
            if self.lease.execute(replace).await?.rows_affected() > 0 {
                return Ok(Create::Created(SqlRevision(new)));
            }
            if self.is_live().await? {
                return Ok(Create::KeyTaken);
            }
        }
        Ok(Create::KeyTaken)
    }

    pub(super) async fn update(
        mut self,
        new: Arc<[u8]>,
        ttl: Ttl,
        seen: SqlRevision,
    ) -> Result<Update<SqlRevision>, SqlError> {
        self.check_room(new.len(), seen.0.len()).await?;
        let update = || {
            let query = query(self.shared.statements.update.clone());
            on(query.bind(&*new).bind(micros(ttl)), &self.key).bind(&*seen.0)
        };
        // With `sqlx`, the server counts the rows that were found, also unchanged ones.
        if self.lease.execute(update).await?.rows_affected() > 0 {
            return Ok(Update::Updated(SqlRevision(new)));
        }
        Ok(if self.is_live().await? { Update::Conflict } else { Update::Gone })
    }

    /// MySQL's `DELETE` returns nothing, so this removes the version that it has read, or else
    /// the next one. It removes expired rows, too: a load that began before may be about to
    /// postpone their expiry.
    pub(super) async fn remove(mut self) -> Result<Option<Arc<[u8]>>, SqlError> {
        let Statements { find, remove, discard, .. } = &self.shared.statements;
        loop {
            let rows = self.lease.rows(|| on(query(find.clone()), &self.key)).await?;
            if rows.is_empty() {
                return Ok(None);
            }
            let seen = bytes(&rows)?;
            let delete = || match &seen {
                Some(seen) => on(query(remove.clone()), &self.key).bind(&**seen),
                None => on(query(discard.clone()), &self.key),
            };
            if self.lease.execute(delete).await?.rows_affected() > 0 {
                return Ok(seen);
            }
        }
    }

    async fn is_live(&mut self) -> Result<bool, SqlError> {
        let is_live = &self.shared.statements.is_live;
        value(&self.lease.rows(|| on(query(is_live.clone()), &self.key)).await?, 0)
    }

    /// A server that is not strict would cut off a value that is too long. On a message that is
    /// too long, it closes the connection.
    async fn check_room(&mut self, new: usize, seen: usize) -> Result<(), SqlError> {
        let (new, both) = (new as u64, (new + seen) as u64);
        if new <= SMALLEST_ROOM && both <= 2 * SMALLEST_ROOM {
            return Ok(());
        }
        if self.has_room(new, both) {
            return Ok(());
        }
        let room = &self.shared.statements.room;
        let rows = self.lease.rows(|| query(room.clone())).await?;
        let largest: Option<u64> = value(&rows, 0)?;
        let message: u64 = value(&rows, 1)?;
        self.shared.room[0].store(largest.unwrap_or(SMALLEST_ROOM), Ordering::Relaxed);
        self.shared.room[1].store(message.saturating_sub(OVERHEAD), Ordering::Relaxed);
        if self.has_room(new, both) { Ok(()) } else { Err(SqlError::TOO_LARGE) }
    }

    fn has_room(&self, new: u64, both: u64) -> bool {
        let [largest, message] = &self.shared.room;
        new <= largest.load(Ordering::Relaxed) && both <= message.load(Ordering::Relaxed)
    }
}

/// Binds the key twice: for the index, and for its bytes.
fn on<'q>(query: Query<'q, sqlx::MySql>, key: &'q Key) -> Query<'q, sqlx::MySql> {
    query.bind(key.as_str()).bind(key.as_str().as_bytes())
}

/// At most 400 days, so the number fits.
fn micros(ttl: Ttl) -> i64 {
    ttl.as_millis() as i64 * 1_000
}
