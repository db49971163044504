//! Statements that are carried out only for the store that meant them.
//!
//! `sqlx` calls the statements of each connection `sqlx_s_1`, `sqlx_s_2` and so on. A pooler that
//! gives each transaction any connection to the server lets one client run what another has
//! prepared under this name: a load that runs as a removal ends a live session. So the first
//! value of each statement is a number that only its own text has. The server compares it before
//! it looks at a row, and refuses the statement if it is that of another.

use sqlx::{SqlStr, query};

use crate::statement::{Query, statement};

/// A statement with its seal, which is its first value.
pub(super) struct Sealed {
    text: SqlStr,
    seal: i64,
}

impl Sealed {
    /// Writes a statement around the condition that its seal is intact. The statement uses
    /// `$2` and further for its own values.
    pub(super) fn new(write: impl Fn(&str) -> String) -> Self {
        let seal = number(&write("TRUE"));
        // The server evaluates it once, since it names no column.
        let is_intact = format!("CASE $1::bigint WHEN {seal} THEN TRUE ELSE 1 / ($1 - $1) = 0 END");
        Self { text: statement(write(&is_intact)), seal }
    }

    /// The statement, which still needs its own values.
    pub(super) fn query(&self) -> Query<'static, sqlx::Postgres> {
        query(self.text.clone()).bind(self.seal)
    }
}

/// The 64-bit FNV-1a hash of a text: the same in every build, unlike the standard library's.
fn number(text: &str) -> i64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash.cast_signed()
}
