//! The collection, with what is asked of every read and write.

use std::time::Duration;

use mongodb::options::{
    CollectionOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection};

use super::documents::Held;

/// What is acknowledged lasts, and nothing else is read, whatever the client says.
pub(super) fn collection(
    client: &Client,
    database: &str,
    name: &str,
    deadline: Duration,
) -> Collection<Held> {
    let mut majority = WriteConcern::majority();
    // Without a majority, no connection waits for one for ever.
    majority.w_timeout = Some(deadline);
    let mut options = CollectionOptions::default();
    options.read_concern = Some(ReadConcern::majority());
    options.write_concern = Some(majority);
    options.selection_criteria = Some(primary());
    client.database(database).collection_with_options(name, options)
}

pub(super) fn primary() -> SelectionCriteria {
    SelectionCriteria::ReadPreference(ReadPreference::Primary)
}
