//! Records as Flask-Session writes and reads them.

use std::marker::PhantomData;

use super::format::{
    Act, Contents, CookieEnds, Destination, RecordFormat, Unreadable, digest_of, sealed::Format,
};
use super::header::Header;
use crate::codec::{Entry, Name, NamedFields};
use crate::renewal::Renewal;
use crate::store::Key;

/// The records of sessions that a Flask application shares: the data's map and
/// nothing around it.
///
/// The key `_permanent` says whether the session is permanent. A session that ended or
/// was given a fresh id leaves a *note*, a map of `_permanent` alone, which Flask-Session
/// takes for no session:
///
/// | text under `_permanent` | meaning |
/// |---|---|
/// | `moved:` time `:` digest | the session was given a fresh id; the digest is one of the new key |
/// | `ended:` time | the session ended |
///
/// Flask may show the text to a visitor who has the old cookie, so it does not lead to
/// the new key. The time is in Unix milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct FlaskRecord<C> {
    codec: PhantomData<fn() -> C>,
}

impl<C: NamedFields> RecordFormat for FlaskRecord<C> {}

const MOVED: &str = "moved:";
const ENDED: &str = "ended:";

impl<C: NamedFields> Format for FlaskRecord<C> {
    const COOKIE_ENDS: CookieEnds = CookieEnds::WhenIdle;
    const OWNS_UNKNOWN_ENTRIES: bool = false;

    /// The record does not say when the session was renewed, so nothing tells what is
    /// left of a lifetime.
    fn renewal(chosen: Renewal) -> Renewal {
        match chosen {
            Renewal::WhenBelow(_) | Renewal::EveryRequest => Renewal::EveryRequest,
            Renewal::Never => Renewal::Never,
        }
    }

    fn times(_: Header) -> Option<Header> {
        None
    }

    fn read(record: &[u8], now: u64) -> Result<Contents<'_>, Unreadable> {
        let unreadable = match record {
            // Protocols 2 to 5; nothing tells older ones from other formats.
            [0x80, 2..=5, ..] => Unreadable::Pickle,
            _ => Unreadable::Format,
        };
        let mut permanent = None;
        let mut is_empty = true;
        C::visit(record, |entry| match is_permanent(&entry) {
            true => permanent = Some(entry.value),
            false => is_empty = false,
        })
        .ok_or(unreadable)?;
        let text = permanent.filter(|_| is_empty).and_then(|value| C::text(value));
        if let Some(contents) = text.as_deref().and_then(read_note) {
            return Ok(contents);
        }
        let header = Header {
            created_at: now,
            renewed_at: now,
            idle_millis: 0,
            ends_at: u64::MAX,
            permanent: permanent.is_some_and(|value| !C::is_falsy(value)),
            own_lifetimes: false,
            loads_renew: true,
        };
        Ok(Contents::Session(header, record))
    }

    fn data(record: &[u8]) -> &[u8] {
        record
    }

    fn extensions(_: &[u8]) -> &[u8] {
        &[]
    }

    fn begin(_: Header, _: &[u8], _: &mut Vec<u8>) {}

    /// `_permanent` is the session's own, whatever the data say under that name.
    fn append_new(data: &[u8], out: &mut Vec<u8>) {
        match entries::<C>(data) {
            Some(mut entries) => {
                entries.retain(|entry| !is_permanent(entry));
                C::write(&entries, out);
            }
            None => out.extend_from_slice(data),
        }
    }

    /// Writes `_permanent` exactly when the session is permanent: first in a new
    /// record, as Flask does, and otherwise where and as it was.
    fn finish(header: Header, out: &mut Vec<u8>) {
        let data = std::mem::take(out);
        let Some(mut entries) = entries::<C>(&data) else {
            *out = data;
            return;
        };
        let place = entries.iter().position(is_permanent);
        match place {
            Some(at) if header.permanent == C::is_falsy(entries[at].value) => {
                entries.retain(|entry| !is_permanent(entry));
                if header.permanent {
                    entries.insert(at, permanent_entry::<C>());
                }
            }
            None if header.permanent => entries.insert(0, permanent_entry::<C>()),
            Some(_) | None => {
                drop(entries);
                *out = data;
                return;
            }
        }
        C::write(&entries, out);
    }

    fn is_empty(record: &[u8]) -> bool {
        let mut is_empty = true;
        C::visit(record, |entry| is_empty &= is_permanent(&entry)).is_some() && is_empty
    }

    fn moved(to: &Key, _: Act, now: u64) -> Vec<u8> {
        note::<C>(&format!("{MOVED}{now}:{}", digest_of(to)))
    }

    fn ended(now: u64) -> Vec<u8> {
        note::<C>(&format!("{ENDED}{now}"))
    }
}

fn read_note(text: &str) -> Option<Contents<'static>> {
    if let Some(at) = text.strip_prefix(ENDED) {
        return Some(Contents::Ended { at: at.parse().ok()? });
    }
    let (at, digest) = text.strip_prefix(MOVED)?.split_once(':')?;
    let to = Destination::Undisclosed(digest.to_owned());
    Some(Contents::Moved { to, act: None, at: at.parse().ok()? })
}

/// Flask-Session neither saves a map of `_permanent` alone nor sends its cookie.
fn note<C: NamedFields>(text: &str) -> Vec<u8> {
    let mut value = Vec::with_capacity(text.len() + 2);
    C::write_text(text, &mut value);
    let mut out = Vec::new();
    C::write(&[Entry { value: &value, ..permanent_entry::<C>() }], &mut out);
    out
}

fn entries<C: NamedFields>(map: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    C::visit(map, |entry| entries.push(entry))?;
    Some(entries)
}

fn permanent_entry<C: NamedFields>() -> Entry<'static> {
    Entry { key: Name::Text("_permanent".into()), name: C::PERMANENT, value: C::TRUE }
}

fn is_permanent(entry: &Entry<'_>) -> bool {
    matches!(&entry.key, Name::Text(name) if name == "_permanent")
}
