//! The collection, with its read and write concerns.

use std::time::Duration;

use mongodb::options::{
    CollectionOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection};

use crate::documents::Stored;

/// The server counts whole milliseconds, and takes 0 for no limit.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The driver refuses a longer limit.
const LONGEST_WAIT: Duration = Duration::from_millis(i32::MAX as u64);

/// Acknowledged writes last, and reads see nothing else. The settings of the client do not
/// count.
pub(crate) fn collection(
    client: &Client,
    database: &str,
    name: &str,
    deadline: Duration,
) -> Collection<Stored> {
    let mut majority = WriteConcern::majority();
    // Otherwise a connection waits for ever for a majority that is lost.
    majority.w_timeout = Some(deadline.clamp(SHORTEST_WAIT, LONGEST_WAIT));
    let mut options = CollectionOptions::default();
    options.read_concern = Some(ReadConcern::majority());
    options.write_concern = Some(majority);
    options.selection_criteria = Some(primary());
    client.database(database).collection_with_options(name, options)
}

pub(crate) fn primary() -> SelectionCriteria {
    SelectionCriteria::ReadPreference(ReadPreference::Primary)
}

#[cfg(test)]
mod tests {
    use mongodb::options::ClientOptions;

    use super::*;

    #[tokio::test]
    async fn the_server_is_told_a_limit_whatever_the_deadline() {
        let client = Client::with_options(ClientOptions::default()).expect("a client");
        for (deadline, limit) in [
            (Duration::ZERO, SHORTEST_WAIT),
            (Duration::from_micros(500), SHORTEST_WAIT),
            (Duration::from_secs(2), Duration::from_secs(2)),
            (Duration::MAX, LONGEST_WAIT),
        ] {
            let sessions = collection(&client, "a", "b", deadline);
            let concern = sessions.write_concern().expect("a write concern");
            assert_eq!(concern.w_timeout, Some(limit), "{deadline:?}");
        }
    }
}
