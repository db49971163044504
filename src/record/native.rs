//! cloakroom's own record format, version 2.

use super::format::{
    Act, Contents, CookieEnds, Destination, RecordFormat, Unreadable, sealed::Format,
};
use super::header::{Header, NOTE_TTL};
use crate::renewal::Renewal;
use crate::store::Key;

/// The records of sessions that only cloakroom reads.
///
/// | bytes | meaning |
/// |---|---|
/// | 1 | format version, 2 |
/// | 1 | flags: 1 permanent cookie, 2 moved, 4 ended, 8 lifetimes of the session's own, 16 loads renew, 32 an index |
/// | 6 | created, Unix milliseconds, big-endian |
/// | 6 | renewed, the same |
/// | 6 | idle lifetime that began to run then, milliseconds |
/// | 6 | absolute end, Unix milliseconds |
/// | 2 + n | length of the extension block, big-endian, and its fields: kind (1), length (2), bytes |
/// | rest | the data as the codec wrote them |
///
/// A record with an unknown flag cannot be read. A field of the extension block whose
/// kind is unknown and below 128 is kept; one from 128 on makes the record unreadable.
///
/// A *note* replaces the record of a session that ended or was given a fresh id. It
/// stands for a minute, has the same header, and says in `renewed` when it was made. The
/// data of a moved note are the act (1 a rotation, 2 a sign-in) and the new key.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NativeRecord;

impl RecordFormat for NativeRecord {}

/// No pickle begins with it: a Flask application at the same store unpickles what
/// it cannot decode.
const VERSION: u8 = 2;

const PERMANENT: u8 = 1;
const MOVED: u8 = 2;
const ENDED: u8 = 4;
const OWN_LIFETIMES: u8 = 8;
const LOADS_RENEW: u8 = 16;
const INDEX: u8 = 32;
const KNOWN: u8 = PERMANENT | MOVED | ENDED | OWN_LIFETIMES | LOADS_RENEW | INDEX;

/// The bytes in front of the extension block's length.
const FIXED: usize = 26;

/// The first kind of extension field that a reader has to know.
const FIRST_MANDATORY_KIND: u8 = 128;

const ROTATION: u8 = 1;
const SIGN_IN: u8 = 2;

impl Format for NativeRecord {
    const COOKIE_ENDS: CookieEnds = CookieEnds::WithSession;
    const OWNS_UNKNOWN_ENTRIES: bool = true;

    fn renewal(chosen: Renewal) -> Renewal {
        chosen
    }

    fn times(header: Header) -> Option<Header> {
        Some(header)
    }

    fn read(record: &[u8], _: u64) -> Result<Contents<'_>, Unreadable> {
        read(record).ok_or(Unreadable::Format)
    }

    fn data(record: &[u8]) -> &[u8] {
        split(record).map_or(&[], |(_, data)| data)
    }

    fn extensions(record: &[u8]) -> &[u8] {
        split(record).map_or(&[], |(extensions, _)| extensions)
    }

    fn begin(header: Header, extensions: &[u8], out: &mut Vec<u8>) {
        let flags = [
            (header.permanent, PERMANENT),
            (header.own_lifetimes, OWN_LIFETIMES),
            (header.loads_renew, LOADS_RENEW),
        ];
        let flags =
            flags.into_iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, flag)| all | flag);
        write_header(flags, header, out);
        // It was read from a record, so its length fits.
        out.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
        out.extend_from_slice(extensions);
    }

    fn append_new(data: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(data);
    }

    fn finish(_: Header, _: &mut Vec<u8>) {}

    fn is_empty(_: &[u8]) -> bool {
        false
    }

    fn moved(to: &Key, act: Act, now: u64) -> Vec<u8> {
        let mut out = note(MOVED, now);
        out.push(match act {
            Act::Rotation => ROTATION,
            Act::SignIn => SIGN_IN,
        });
        out.extend_from_slice(to.as_str().as_bytes());
        out
    }

    fn ended(now: u64) -> Vec<u8> {
        note(ENDED, now)
    }
}

fn read(record: &[u8]) -> Option<Contents<'_>> {
    let (&[version, flags], _) = record.split_first_chunk()?;
    if version != VERSION || flags & !KNOWN != 0 {
        return None;
    }
    let (header, rest) = read_header(flags, record)?;
    if flags & INDEX != 0 {
        return Some(Contents::Index);
    }
    let (extensions, data) = split_extensions(rest)?;
    if !is_known(extensions) {
        return None;
    }
    Some(match (flags & ENDED != 0, flags & MOVED != 0) {
        (true, _) => Contents::Ended { at: header.renewed_at },
        (false, true) => {
            let (act, key) = data.split_first()?;
            let act = match *act {
                ROTATION => Act::Rotation,
                SIGN_IN => Act::SignIn,
                _ => return None,
            };
            let to = Destination::Key(Box::new(Key::from_text(key)?));
            Contents::Moved { to, act: Some(act), at: header.renewed_at }
        }
        (false, false) => Contents::Session(header, data),
    })
}

fn read_header(flags: u8, record: &[u8]) -> Option<(Header, &[u8])> {
    let rest = record.get(2..)?;
    let (created_at, rest) = rest.split_first_chunk()?;
    let (renewed_at, rest) = rest.split_first_chunk()?;
    let (idle, rest) = rest.split_first_chunk()?;
    let (ends_at, rest) = rest.split_first_chunk()?;
    let header = Header {
        created_at: number(*created_at),
        renewed_at: number(*renewed_at),
        idle_millis: number(*idle),
        ends_at: number(*ends_at),
        permanent: flags & PERMANENT != 0,
        own_lifetimes: flags & OWN_LIFETIMES != 0,
        loads_renew: flags & LOADS_RENEW != 0,
    };
    Some((header, rest))
}

fn write_header(flags: u8, header: Header, out: &mut Vec<u8>) {
    out.extend_from_slice(&[VERSION, flags]);
    for number in [header.created_at, header.renewed_at, header.idle_millis, header.ends_at] {
        // 48 bits of milliseconds last until the year 10889.
        out.extend_from_slice(&number.to_be_bytes()[2..]);
    }
}

fn note(flags: u8, now: u64) -> Vec<u8> {
    let ttl = NOTE_TTL.as_millis();
    let header = Header {
        created_at: now,
        renewed_at: now,
        idle_millis: ttl,
        ends_at: now.saturating_add(ttl),
        permanent: false,
        own_lifetimes: false,
        loads_renew: false,
    };
    let mut out = Vec::new();
    write_header(flags, header, &mut out);
    out.extend_from_slice(&[0, 0]);
    out
}

/// The extension block and the data.
fn split(record: &[u8]) -> Option<(&[u8], &[u8])> {
    split_extensions(record.get(FIXED..)?)
}

fn split_extensions(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = rest.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

/// Whether the block is well-formed, and has no field that a reader must know and
/// this one does not.
fn is_known(mut extensions: &[u8]) -> bool {
    while let Some((kind, rest)) = extensions.split_first() {
        let field = split_extensions(rest);
        let (true, Some((_, rest))) = (*kind < FIRST_MANDATORY_KIND, field) else { return false };
        extensions = rest;
    }
    true
}

fn number([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;
    use proptest::prelude::*;

    use super::*;

    const HEADER: Header = Header {
        created_at: 1_000,
        renewed_at: (1 << 48) - 1,
        idle_millis: 3_600_000,
        ends_at: 86_400_000,
        permanent: true,
        own_lifetimes: false,
        loads_renew: true,
    };

    fn record(header: Header, extensions: &[u8], data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        NativeRecord::begin(header, extensions, &mut out);
        NativeRecord::append_new(data, &mut out);
        NativeRecord::finish(header, &mut out);
        out
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for permanent in [true, false] {
            for own_lifetimes in [true, false] {
                for loads_renew in [true, false] {
                    let header = Header { permanent, own_lifetimes, loads_renew, ..HEADER };
                    let bytes = record(header, &[], b"data");
                    let Ok(Contents::Session(read, data)) = NativeRecord::read(&bytes, 0) else {
                        panic!("a session")
                    };
                    assert_eq!((read, data), (header, &b"data"[..]));
                }
            }
        }
    }

    #[test]
    fn extension_fields_that_a_program_need_not_know_are_kept() {
        let extensions = [1, 0, 2, b'a', b'b', 127, 0, 0];
        let bytes = record(HEADER, &extensions, b"data");
        assert_eq!(NativeRecord::extensions(&bytes), extensions);
        assert_eq!(NativeRecord::data(&bytes), b"data");
        assert!(matches!(NativeRecord::read(&bytes, 0), Ok(Contents::Session(_, b"data"))));
    }

    #[test]
    fn a_record_that_says_more_than_this_program_knows_is_unreadable() {
        let readable = record(HEADER, &[], b"data");
        for flag in [64, 128] {
            let mut bytes = readable.clone();
            bytes[1] |= flag;
            assert_eq!(NativeRecord::read(&bytes, 0).err(), Some(Unreadable::Format));
        }
        for version in [0, 1, 3] {
            let mut bytes = readable.clone();
            bytes[0] = version;
            assert_eq!(NativeRecord::read(&bytes, 0).err(), Some(Unreadable::Format));
        }
        let mandatory = record(HEADER, &[128, 0, 0], b"data");
        assert_eq!(NativeRecord::read(&mandatory, 0).err(), Some(Unreadable::Format));
        let cut_off = record(HEADER, &[1, 0, 9], b"data");
        assert_eq!(NativeRecord::read(&cut_off, 0).err(), Some(Unreadable::Format));
    }

    #[test]
    fn notes_say_when_they_were_made_and_where_a_session_went() {
        let key = Key::from_text(b"session:abc").expect("a key");
        for act in [Act::Rotation, Act::SignIn] {
            let note = NativeRecord::moved(&key, act, 77);
            let Ok(Contents::Moved { to, act: read, at: 77 }) = NativeRecord::read(&note, 0) else {
                panic!("a moved note")
            };
            assert_eq!((to, read), (Destination::Key(Box::new(key.clone())), Some(act)));
        }
        let ended = NativeRecord::ended(78);
        assert!(matches!(NativeRecord::read(&ended, 0), Ok(Contents::Ended { at: 78 })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = NativeRecord::read(&bytes, 0);
            let _ = (NativeRecord::data(&bytes), NativeRecord::extensions(&bytes));
        }

        #[test]
        fn reading_takes_no_memory_but_for_the_key_of_a_note(
            flags in 0..64_u8,
            rest in prop::collection::vec(any::<u8>(), 0..120),
        ) {
            let bytes = [vec![VERSION, flags], rest].concat();
            let cost = measure(|| drop(NativeRecord::read(&bytes, 0))).bytes_max;
            let key = size_of::<Key>() + bytes.len();
            prop_assert!(cost <= key as u64, "{cost} bytes");
        }

        #[test]
        fn bytes_that_begin_like_a_record_are_read_or_refused(
            flags in any::<u8>(),
            rest in prop::collection::vec(any::<u8>(), 0..120),
        ) {
            let mut bytes = vec![VERSION, flags];
            bytes.extend(rest);
            match NativeRecord::read(&bytes, 0) {
                Ok(Contents::Session(header, data)) => {
                    prop_assert_eq!(data, NativeRecord::data(&bytes));
                    let anew = record(header, NativeRecord::extensions(&bytes), data);
                    prop_assert_eq!(anew, bytes);
                }
                Ok(_) => prop_assert!(flags & (MOVED | ENDED | INDEX) != 0),
                Err(reason) => prop_assert_eq!(reason, Unreadable::Format),
            }
        }

        #[test]
        fn a_record_cut_short_is_never_read_as_another(cut in 0_usize..28) {
            let bytes = record(HEADER, &[], b"");
            prop_assert!(NativeRecord::read(&bytes[..cut], 0).is_err());
        }
    }
}
