//! What a session holds, for every contestant the same.

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Two integers, a name of twelve characters, five numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
pub struct Visitor {
    pub user: u64,
    pub visits: u64,
    pub name: String,
    pub recent: Vec<u64>,
}

impl Visitor {
    /// The payload of all tables but those about growth.
    pub fn sample() -> Self {
        Self {
            user: 7,
            visits: 0,
            name: "Ada Lovelace".to_owned(),
            recent: vec![1, 20, 300, 4_000, 50_000],
        }
    }

    /// About so many bytes in postcard: half of them text, half of them numbers
    /// of three bytes. Nought is the sample.
    pub fn of_size(bytes: usize) -> Self {
        if bytes == 0 {
            return Self::sample();
        }
        let mut random = Random(7);
        let mut name = String::with_capacity(bytes / 2 + 16);
        while name.len() < bytes / 2 {
            name.push_str(WORDS[random.below(WORDS.len() as u64) as usize]);
            name.push(' ');
        }
        let numbers = bytes.saturating_sub(name.len() + 6) / 3;
        let recent = (0..numbers).map(|_| 20_000 + random.below(1_000_000)).collect();
        Self { user: 7, visits: 0, name, recent }
    }

    /// What the contestants answer when they are asked to show a session.
    pub fn describe(&self) -> String {
        format!("{} {} {} {}", self.user, self.visits, self.name.len(), self.recent.len())
    }
}

/// The words of a longer text; it repeats itself as texts do.
const WORDS: [&str; 24] = [
    "hall", "bridge", "the", "and", "window", "of", "street", "evening", "a", "winter", "door",
    "shelf", "number", "paper", "to", "hand", "over", "morning", "guest", "in", "hall", "with",
    "lamp", "return",
];

/// A generator that gives the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}
