//! Flask's flashed messages.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Messages for the next page, as Flask's `flash` leaves them in the session and
/// `get_flashed_messages` takes them out, on either side.
///
/// The field is renamed to `_flashes`, and left out while it is empty:
///
/// ```
/// use cloakroom::flask::Flashes;
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// #[serde(default)]
/// struct Account {
///     #[serde(rename = "_flashes", skip_serializing_if = "Flashes::is_empty")]
///     flashes: Flashes,
/// }
///
/// let mut account = Account::default();
/// account.flashes.push("info", "Saved");
/// assert_eq!(account.flashes.take(), [("info".to_owned(), "Saved".to_owned())]);
/// assert!(account.flashes.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flashes {
    messages: Vec<(String, String)>,
}

impl Flashes {
    /// Adds a message, as `flash(message, category)` does in Python. Flask's own
    /// default for the category is `message`.
    pub fn push(&mut self, category: impl Into<String>, message: impl Into<String>) {
        self.messages.push((category.into(), message.into()));
    }

    /// Takes all messages out, to be shown: pairs of category and message, the
    /// oldest first.
    #[must_use = "the messages are no longer in the session"]
    pub fn take(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.messages)
    }

    /// The messages, left where they are.
    #[must_use]
    pub fn as_slice(&self) -> &[(String, String)] {
        &self.messages
    }

    /// Whether there is no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

impl Serialize for Flashes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.messages.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Flashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { messages: Vec::deserialize(deserializer)? })
    }
}
