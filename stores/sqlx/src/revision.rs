//! The version of a record: [`SqlRevision`].

use std::fmt;
use std::sync::Arc;

/// The version of a record in an SQL database: its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SqlRevision(pub(crate) Arc<[u8]>);

impl fmt::Debug for SqlRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqlRevision(..)")
    }
}
