//! The load that extends.
//!
//! Memcached has no command that only lengthens. So the store reads how long the record has
//! left, and touches it only where that lengthens its time. Another program may have given it
//! more time in between: each touch answers what it replaced, and is taken back if that was
//! more.

use cloakroom::store::Record;
use cloakroom::{Key, Ttl};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::Connection;
use crate::error::MemcachedError;
use crate::expiry::{Expiry, Left};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) async fn load_and_extend(
        &mut self,
        key: &Key,
        ttl: Ttl,
    ) -> Result<Option<Record<Vec<u8>, u64>>, MemcachedError> {
        let Some((record, left)) = self.load_with_time(key).await? else { return Ok(None) };
        let mut longest = Left::at_least(ttl);
        if left >= longest {
            return Ok(Some(record));
        }
        let mut expiry = Expiry::of(ttl);
        loop {
            match self.touch(key, expiry).await? {
                // It has expired, or was removed.
                None => return Ok(None),
                Some(replaced) if replaced <= longest => return Ok(Some(record)),
                Some(replaced) => {
                    longest = replaced;
                    expiry = Expiry::of_left(replaced);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cloakroom::{IdLength, KeyPrefix, SessionId};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// What the store sends to extend by ten minutes, and whether it finds the record.
    async fn sent(replies: &str) -> (Vec<String>, bool) {
        let (near, mut far) = duplex(1_024);
        far.write_all(replies.as_bytes()).await.expect("there is room");
        let id = SessionId::generate(IdLength::default()).expect("an id");
        let key = Key::plain(&KeyPrefix::default(), &id);
        let mut connection = Connection::new(near);
        let loaded = connection.load_and_extend(&key, Ttl::minutes(10)).await.expect("replies");
        drop(connection);
        let mut sent = String::new();
        far.read_to_string(&mut sent).await.expect("text");
        (sent.replace(key.as_str(), "k").lines().map(str::to_owned).collect(), loaded.is_some())
    }

    #[tokio::test]
    async fn a_record_that_has_enough_time_left_is_not_touched() {
        for left in ["601", "100000", "-1"] {
            let (sent, found) = sent(&format!("VA 1 c7 t{left}\r\nx\r\n")).await;
            assert_eq!(sent, ["mg k v c t"], "{left}");
            assert!(found);
        }
    }

    #[tokio::test]
    async fn a_record_that_has_less_time_left_is_touched() {
        let (sent, found) = sent("VA 1 c7 t600\r\nx\r\nHD t600\r\n").await;
        assert_eq!(sent, ["mg k v c t", "mg k t T601"]);
        assert!(found);
    }

    #[tokio::test]
    async fn a_touch_that_shortens_is_taken_back() {
        let replies = "VA 1 c7 t60\r\nx\r\nHD t28800\r\nHD t90000\r\nHD t28801\r\n";
        let (sent, found) = sent(replies).await;
        assert_eq!(sent, ["mg k v c t", "mg k t T601", "mg k t T28801", "mg k t T90001"]);
        assert!(found);
    }

    #[tokio::test]
    async fn a_record_that_had_no_end_gets_none() {
        let (sent, found) = sent("VA 1 c7 t60\r\nx\r\nHD t-1\r\nHD t601\r\n").await;
        assert_eq!(sent, ["mg k v c t", "mg k t T601", "mg k t T0"]);
        assert!(found);
    }

    #[tokio::test]
    async fn a_record_that_ends_before_it_is_touched_is_absent() {
        let (_, found) = sent("VA 1 c7 t0\r\nx\r\nEN\r\n").await;
        assert!(!found);
    }
}
