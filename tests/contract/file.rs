//! `File`, with the second handle in the place of another process.

use std::time::Duration;

use cloakroom::contract::{Harness, Time};
use cloakroom::{Clock, File};
use tempfile::TempDir;

struct InFiles {
    clock: Clock,
    store: File,
    second: File,
    _directory: TempDir,
}

impl InFiles {
    fn new() -> Self {
        let clock = Clock::manual();
        let directory = TempDir::new().expect("a directory");
        let open = || {
            let store = File::new(directory.path()).expect("a directory");
            store.clock(clock.clone())
        };
        Self { store: open(), second: open(), clock, _directory: directory }
    }
}

impl Harness for InFiles {
    type Store = File;

    fn store(&self) -> &File {
        &self.store
    }

    fn second(&self) -> &File {
        &self.second
    }

    fn time(&self) -> Time {
        Time::ByHand
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

cloakroom::store_contract!(InFiles::new());
