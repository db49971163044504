//! One connection: a request, then its whole reply.
//!
//! Reads and removals are meta commands. Writes are the older `add` and `cas`: where the
//! server has no room for a value, they leave the record alone. The meta command `ms`
//! deletes it, even with another version's CAS token.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Write as _};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use cloakroom::Key;
use cloakroom::store::Record;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
    ReadBuf,
};
use tokio::task::coop::unconstrained;

use crate::error::MemcachedError;
use crate::expiry::{Expiry, Left};
use crate::reply::{Found, Swapped, refusal, replaced};

/// The longest line of a reply.
const MAX_LINE: u64 = 4 * 1024;
/// The highest value of the setting `-I`, the largest item.
const MAX_VALUE: u64 = 1 << 30;
/// How much memory is reserved for a value before it has arrived.
const TRUSTED_LENGTH: u64 = 1 << 20;
/// How much memory a connection keeps between requests.
const KEPT: usize = 64 * 1024;

/// After an error, or after a future was dropped, the position in the stream is not known.
/// The connection must not be used again.
pub(crate) struct Connection<S> {
    stream: BufReader<S>,
    request: Vec<u8>,
    line: Vec<u8>,
}

/// Settings of a server.
#[derive(Default)]
pub(crate) struct Settings {
    /// `-I`: the size of the largest item, key and all.
    pub(crate) item_size_max: Option<usize>,
    /// Without `-M`: it removes records when its memory is full.
    pub(crate) evicts: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream), request: Vec::new(), line: Vec::new() }
    }

    /// Whether the server has sent nothing since the last reply, not even the end.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        let mut byte = ReadBuf::new(&mut byte);
        let is_read = self.stream.buffer().is_empty();
        let stream = self.stream.get_mut();
        let read = poll_fn(|context| Pin::new(&mut *stream).poll_read(context, &mut byte));
        // Otherwise the stream of a task that has used up its budget always seems quiet.
        let read = pin!(unconstrained(read));
        is_read && read.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    pub(crate) async fn load(
        &mut self,
        key: &Key,
    ) -> Result<Option<Record<Vec<u8>, u64>>, MemcachedError> {
        self.begin(format_args!("mg {} v c", key.as_str()));
        self.finish().await?;
        let Some(Found { length, token, .. }) = Found::in_line(&self.line)? else {
            return Ok(None);
        };
        Ok(Some(Record::new(self.read_value(length).await?, token)))
    }

    /// A record, and how long it has left.
    pub(crate) async fn load_with_time(
        &mut self,
        key: &Key,
    ) -> Result<Option<(Record<Vec<u8>, u64>, Left)>, MemcachedError> {
        self.begin(format_args!("mg {} v c t", key.as_str()));
        self.finish().await?;
        let Some(Found { length, token, left }) = Found::in_line(&self.line)? else {
            return Ok(None);
        };
        let left = left.ok_or(MemcachedError::UNEXPECTED)?;
        Ok(Some((Record::new(self.read_value(length).await?, token), left)))
    }

    /// Sets the expiry. Answers how long the record had left before, if there is one.
    pub(crate) async fn touch(
        &mut self,
        key: &Key,
        expiry: Expiry,
    ) -> Result<Option<Left>, MemcachedError> {
        // The server follows the flags in their order: the answer comes first.
        self.begin(format_args!("mg {} t T{expiry}", key.as_str()));
        self.finish().await?;
        replaced(&self.line)
    }

    /// Whether the server made the record: there was none.
    pub(crate) async fn add(
        &mut self,
        key: &Key,
        value: &[u8],
        expiry: Expiry,
    ) -> Result<bool, MemcachedError> {
        let (key, length) = (key.as_str(), value.len());
        self.begin(format_args!("add {key} 0 {expiry} {length}"));
        self.attach(value);
        self.finish().await?;
        match &*self.line {
            b"STORED" => Ok(true),
            b"NOT_STORED" => Ok(false),
            line => Err(refusal(line)),
        }
    }

    pub(crate) async fn swap(
        &mut self,
        key: &Key,
        value: &[u8],
        expiry: Expiry,
        token: u64,
    ) -> Result<Swapped, MemcachedError> {
        let (key, length) = (key.as_str(), value.len());
        self.begin(format_args!("cas {key} 0 {expiry} {length} {token}"));
        self.attach(value);
        self.finish().await?;
        match &*self.line {
            b"STORED" => Ok(Swapped::Done),
            b"EXISTS" => Ok(Swapped::Conflict),
            b"NOT_FOUND" => Ok(Swapped::Gone),
            line => Err(refusal(line)),
        }
    }

    pub(crate) async fn delete(
        &mut self,
        key: &Key,
        token: u64,
    ) -> Result<Swapped, MemcachedError> {
        self.begin(format_args!("md {} C{token}", key.as_str()));
        self.finish().await?;
        match &*self.line {
            b"HD" => Ok(Swapped::Done),
            b"EX" => Ok(Swapped::Conflict),
            b"NF" => Ok(Swapped::Gone),
            line => Err(refusal(line)),
        }
    }

    /// Fails if the server does not know meta commands.
    pub(crate) async fn greet(&mut self) -> Result<(), MemcachedError> {
        self.begin(format_args!("mn"));
        self.finish().await?;
        if self.line == b"MN" { Ok(()) } else { Err(refusal(&self.line)) }
    }

    pub(crate) async fn settings(&mut self) -> Result<Settings, MemcachedError> {
        let mut found = Settings::default();
        self.begin(format_args!("stats settings"));
        self.finish().await?;
        while self.line != b"END" {
            let Some(setting) = self.line.strip_prefix(b"STAT ") else {
                return Err(refusal(&self.line));
            };
            if let Some(size) = setting.strip_prefix(b"item_size_max ") {
                found.item_size_max = str::from_utf8(size).ok().and_then(|size| size.parse().ok());
            } else if setting == b"evictions on" {
                found.evicts = true;
            }
            self.read_line().await?;
        }
        Ok(found)
    }

    fn begin(&mut self, command: fmt::Arguments<'_>) {
        self.request.clear();
        // Writing to a `Vec` does not fail.
        let _ = self.request.write_fmt(command);
        self.request.extend_from_slice(b"\r\n");
    }

    fn attach(&mut self, value: &[u8]) {
        self.request.extend_from_slice(value);
        self.request.extend_from_slice(b"\r\n");
    }

    /// Sends the request, and reads the first line of the reply.
    async fn finish(&mut self) -> Result<(), MemcachedError> {
        self.stream.write_all(&self.request).await?;
        self.stream.flush().await?;
        if self.request.capacity() > KEPT {
            self.request = Vec::new();
        }
        self.read_line().await
    }

    async fn read_line(&mut self) -> Result<(), MemcachedError> {
        self.line.clear();
        (&mut self.stream).take(MAX_LINE).read_until(b'\n', &mut self.line).await?;
        let end = if self.line.ends_with(b"\r\n") {
            self.line.len() - 2
        } else if self.line.len() as u64 == MAX_LINE {
            return Err(MemcachedError::UNEXPECTED);
        } else {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        };
        self.line.truncate(end);
        Ok(())
    }

    async fn read_value(&mut self, length: u64) -> Result<Vec<u8>, MemcachedError> {
        if length > MAX_VALUE {
            return Err(MemcachedError::UNEXPECTED);
        }
        let mut value = Vec::with_capacity(length.min(TRUSTED_LENGTH) as usize);
        (&mut self.stream).take(length).read_to_end(&mut value).await?;
        let mut end = [0; 2];
        self.stream.read_exact(&mut end).await?;
        if end == *b"\r\n" { Ok(value) } else { Err(MemcachedError::UNEXPECTED) }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::task::coop::{consume_budget, has_budget_remaining};

    use super::*;

    #[tokio::test]
    async fn a_task_that_has_used_up_its_budget_sees_the_end_of_a_connection() {
        let (near, far) = duplex(1);
        let mut connection = Connection::new(near);
        while has_budget_remaining() {
            consume_budget().await;
        }
        assert!(connection.is_quiet());
        drop(far);
        assert!(!connection.is_quiet());
    }
}
