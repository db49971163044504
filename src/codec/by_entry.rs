//! Writing and merging session data entry by entry, when another version of the
//! program may have written what is stored.

use std::collections::HashMap;

use super::kind::{FieldId, Kind};
use super::named::{Entry, Name};
use super::{Codec, SessionData, merge_whole};

/// A codec whose encoding can be taken apart into entries.
pub(super) trait ByEntry: Codec<Data: SessionData> {
    /// What serde is told.
    const IS_HUMAN_READABLE: bool;

    /// An entry of the record that is not the data's: it stays as it is stored.
    const RESERVED: Option<&'static str>;

    /// Reads data that have each entry once.
    fn decode_exact(bytes: &[u8]) -> Result<Self::Data, Self::Error>;

    /// The entries of a map, in their order; `None` for anything else.
    fn split(bytes: &[u8]) -> Option<Vec<Entry<'_>>>;

    /// Appends a map of these entries.
    fn join(entries: &[Entry<'_>], out: &mut Vec<u8>);

    /// The error for data that are no map. `None` where they are one value then.
    fn no_map() -> Option<Self::Error>;
}

/// [`Codec::decode`]: entries that are read as one field are an error to serde.
/// Programs before and after a renaming leave such a record, and the name that is
/// written now counts.
pub(super) fn decode<C: ByEntry>(bytes: &[u8]) -> Result<C::Data, C::Error> {
    C::decode_exact(bytes).or_else(|error| decode_without_doubles::<C>(bytes).ok_or(error))
}

#[cold]
fn decode_without_doubles<C: ByEntry>(bytes: &[u8]) -> Option<C::Data> {
    let entries = C::split(bytes)?;
    let fields = fields_of::<C>(&entries);
    let data = decode_once::<C>(&entries, &fields, |_, _| false)
        .or_else(|| decode_once::<C>(&entries, &fields, |_, _| true))?;

    // The name that counts is the one that these data are written under.
    let mut encoded = Vec::with_capacity(bytes.len());
    let written = C::encode(&data, &mut encoded).ok().and_then(|()| C::split(&encoded));
    let Some(written) = written else { return Some(data) };
    let mut written = Lookup::of(&written);
    let is_written: Vec<bool> =
        entries.iter().map(|entry| written.find(&entry.key).is_some()).collect();
    let by_written = |chosen: usize, other: usize| is_written[other] && !is_written[chosen];
    decode_once::<C>(&entries, &fields, by_written).or(Some(data))
}

/// Reads data whose every field is in one entry: the first, unless another one
/// `replaces` it.
fn decode_once<C: ByEntry>(
    entries: &[Entry<'_>],
    fields: &[Option<FieldId>],
    replaces: impl Fn(usize, usize) -> bool,
) -> Option<C::Data> {
    let mut chosen: HashMap<FieldId, usize> = HashMap::with_capacity(fields.len());
    for (at, field) in fields.iter().enumerate() {
        if let Some(field) = *field {
            let chosen = chosen.entry(field).or_insert(at);
            if replaces(*chosen, at) {
                *chosen = at;
            }
        }
    }
    let is_chosen = |field: Option<FieldId>, at| field.is_none_or(|field| chosen[&field] == at);
    let once: Vec<Entry<'_>> = entries
        .iter()
        .zip(fields)
        .enumerate()
        .filter(|&(at, (_, field))| is_chosen(*field, at))
        .map(|(_, (entry, _))| entry.clone())
        .collect();
    if once.len() == entries.len() {
        return None;
    }
    let mut bytes = Vec::new();
    C::join(&once, &mut bytes);
    C::decode_exact(&bytes).ok()
}

/// The field that each entry is read as; `None` for what is read as none.
fn fields_of<C: ByEntry>(entries: &[Entry<'_>]) -> Vec<Option<FieldId>> {
    // A name that no field has.
    let none = field_of::<C>(&Name::Text("\0".into()));
    let field = |entry: &Entry<'_>| field_of::<C>(&entry.key).filter(|id| Some(*id) != none);
    entries.iter().map(field).collect()
}

fn field_of<C: ByEntry>(name: &Name<'_>) -> Option<FieldId> {
    match name {
        Name::Text(name) => FieldId::of::<C::Data>(name, C::IS_HUMAN_READABLE),
        Name::Other(_) => None,
    }
}

/// [`Codec::retain`].
pub(super) fn retain<C: ByEntry>(
    base: Option<&[u8]>,
    mine: &[u8],
    stored: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), C::Error> {
    // Where this program wrote the record, it knows all that is in it.
    if base == Some(stored) && C::RESERVED.is_none() {
        out.extend_from_slice(mine);
        return Ok(());
    }
    let kind = Kind::of::<C::Data>(C::IS_HUMAN_READABLE);
    if C::RESERVED.is_none() {
        let knows_nothing = kind == Kind::Map && base.is_none();
        let written = match kind {
            _ if knows_nothing || became_default::<C>(base, mine) => Some(mine),
            Kind::Whole => Some(if base == Some(mine) { stored } else { mine }),
            Kind::Map | Kind::Struct(_) => None,
        };
        if let Some(written) = written {
            out.extend_from_slice(written);
            return Ok(());
        }
    }
    let before = base.map_or(Some(Vec::new()), C::split);
    let (Some(before), Some(my), Some(there)) = (before, C::split(mine), C::split(stored)) else {
        out.extend_from_slice(mine);
        return C::no_map().map_or(Ok(()), Err);
    };
    let change = match base {
        Some(base) if base == mine => Change::None,
        Some(_) => Change::Some,
        None => Change::Unknown,
    };
    combine::<C>(kind, change, &before, &my, &before, &there).write::<C>(kind, out);
    Ok(())
}

/// [`Codec::has_fields`].
pub(super) fn has_fields<C: ByEntry>() -> bool {
    Kind::of::<C::Data>(C::IS_HUMAN_READABLE) != Kind::Whole
}

/// [`Codec::merge`].
pub(super) fn merge<C: ByEntry>(
    base: &[u8],
    mine: &[u8],
    theirs: &[u8],
) -> Result<Vec<u8>, C::Error> {
    let kind = Kind::of::<C::Data>(C::IS_HUMAN_READABLE);
    if kind == Kind::Whole && C::RESERVED.is_none() {
        return Ok(merge_whole(base, mine, theirs));
    }
    let is_reset = C::RESERVED.is_none() && became_default::<C>(Some(base), mine);
    let known = match is_reset {
        true => known::<C>(&[base, mine], theirs)?,
        false => encoded_anew::<C>(theirs)?,
    };

    let parts = [C::split(base), C::split(mine), C::split(&known), C::split(theirs)];
    let [Some(before), Some(my), Some(their_known), Some(their)] = parts else {
        return C::no_map().map_or_else(|| Ok(merge_whole(base, mine, theirs)), Err);
    };
    let their = if is_reset { &their_known } else { &their };
    let change = if base == mine { Change::None } else { Change::Some };
    let mut out = Vec::with_capacity(mine.len() + theirs.len());
    combine::<C>(kind, change, &before, &my, &their_known, their).write::<C>(kind, &mut out);
    Ok(out)
}

/// [`Codec::known`]. Every name is read in a map, so one that another request has added
/// may be an entry that only another version of the program knows.
pub(super) fn known<C: ByEntry>(seen: &[&[u8]], stored: &[u8]) -> Result<Vec<u8>, C::Error> {
    let known = encoded_anew::<C>(stored)?;
    if Kind::of::<C::Data>(C::IS_HUMAN_READABLE) != Kind::Map {
        return Ok(known);
    }
    let seen: Option<Vec<_>> = seen.iter().map(|bytes| C::split(bytes)).collect();
    let (Some(seen), Some(mut entries)) = (seen, C::split(&known)) else { return Ok(known) };
    let mut seen: Vec<_> = seen.iter().map(|entries| Lookup::of(entries)).collect();
    entries.retain(|entry| seen.iter_mut().any(|it| it.find(&entry.key).is_some()));
    let mut out = Vec::with_capacity(known.len());
    C::join(&entries, &mut out);
    Ok(out)
}

fn encoded_anew<C: ByEntry>(stored: &[u8]) -> Result<Vec<u8>, C::Error> {
    let mut out = Vec::with_capacity(stored.len());
    C::encode(&decode::<C>(stored)?, &mut out)?;
    Ok(out)
}

/// Whether the data became the default. Nothing of what stood there before may stay
/// then, since it may be another person's.
fn became_default<C: ByEntry>(base: Option<&[u8]>, mine: &[u8]) -> bool {
    if base == Some(mine) {
        return false;
    }
    let mut default = Vec::with_capacity(mine.len());
    C::encode(&C::Data::default(), &mut default).is_ok() && default == mine
}

/// The entries of a record to be written.
struct Combined<'a> {
    entries: Vec<Entry<'a>>,
    /// The places of those that this program does not know, in their order.
    unknown: Vec<usize>,
}

/// What the handler did to the data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Some,
    /// What the data were before is not known.
    Unknown,
}

/// Every stored entry stays as it is, unless this program changed, removed or
/// renamed it; what it adds follows.
///
/// `known` is what this program sees in what is `stored`.
fn combine<'a, C: ByEntry>(
    kind: Kind,
    change: Change,
    base: &[Entry<'a>],
    mine: &[Entry<'a>],
    known: &[Entry<'a>],
    stored: &[Entry<'a>],
) -> Combined<'a> {
    // Data that are one value change as a whole.
    let changed = |before: Option<&[u8]>, my: Option<&[u8]>| match kind {
        Kind::Whole => change != Change::None,
        Kind::Map | Kind::Struct(_) => before != my,
    };
    // What becomes of an entry that this program knows.
    let outcome = |entry: &Entry<'a>, before: Option<&[u8]>, my: Option<&'a [u8]>| match my {
        _ if !changed(before, my) => Some(entry.clone()),
        my => my.map(|value| Entry { value, ..entry.clone() }),
    };
    let is_reserved =
        |entry: &Entry<'_>| matches!(&entry.key, Name::Text(name) if Some(&**name) == C::RESERVED);
    // Whether what is read under this name is written under another.
    let is_other_name = |entry: &Entry<'_>| {
        let field = field_of::<C>(&entry.key);
        let mut written = base.iter().chain(mine).chain(known);
        field.is_none() || written.any(|written| field_of::<C>(&written.key) == field)
    };
    let is_read = |entry: &Entry<'_>| matches!(&entry.key, Name::Text(name) if kind.reads(name));

    let [mut before, mut my, mut seen, mut there] = [base, mine, known, stored].map(Lookup::of);
    let mut entries = Vec::with_capacity(stored.len().max(mine.len()));
    let mut unknown = Vec::new();
    for entry in stored {
        let (before, my) = (before.find(&entry.key), my.find(&entry.key));
        if is_reserved(entry) {
            entries.push(entry.clone());
        } else if before.is_some() || my.is_some() || seen.find(&entry.key).is_some() {
            entries.extend(outcome(entry, before, my));
        } else if !is_read(entry) {
            unknown.push(entries.len());
            entries.push(entry.clone());
        } else if change != Change::Unknown && !is_other_name(entry) {
            // Left out before and now, as `skip_serializing_if` says.
            entries.push(entry.clone());
        }
    }
    let mut is_new = |entry: &&Entry<'a>| !is_reserved(entry) && there.find(&entry.key).is_none();
    for entry in known.iter().filter(&mut is_new) {
        entries.extend(outcome(entry, before.find(&entry.key), my.find(&entry.key)));
    }
    for entry in mine.iter().filter(&mut is_new) {
        if seen.find(&entry.key).is_none() && changed(before.find(&entry.key), Some(entry.value)) {
            entries.push(entry.clone());
        }
    }
    Combined { entries, unknown }
}

impl Combined<'_> {
    fn forget_unknown(&mut self) {
        let mut unknown = self.unknown.drain(..).peekable();
        let mut at = 0;
        self.entries.retain(|_| {
            let is_unknown = unknown.next_if_eq(&at).is_some();
            at += 1;
            !is_unknown
        });
    }

    /// Appends the entries, without the unknown ones where these would be read.
    fn write<C: ByEntry>(&mut self, kind: Kind, out: &mut Vec<u8>) {
        let start = out.len();
        C::join(&self.entries, out);
        if self.unknown.is_empty() {
            return;
        }
        let without = |combined: &mut Self| {
            combined.forget_unknown();
            let mut bytes = Vec::with_capacity(out.len() - start);
            C::join(&combined.entries, &mut bytes);
            bytes
        };
        match kind {
            // The names that are read are known: the unknown ones are skipped.
            Kind::Struct(_) if C::decode_exact(&out[start..]).is_ok() => {}
            // They are not: a name that is read beside another may be an unknown one.
            Kind::Map | Kind::Whole => {
                let known = without(self);
                if !reads_alike::<C>(&out[start..], &known) {
                    out.truncate(start);
                    out.extend_from_slice(&known);
                }
            }
            Kind::Struct(_) => {
                let known = without(self);
                out.truncate(start);
                out.extend_from_slice(&known);
            }
        }
    }
}

/// Whether the same entries come out of two encodings.
fn reads_alike<C: ByEntry>(one: &[u8], other: &[u8]) -> bool {
    let read = |bytes: &[u8]| {
        let mut out = Vec::with_capacity(bytes.len());
        C::encode(&C::decode_exact(bytes).ok()?, &mut out).ok()?;
        Some(out)
    };
    let (Some(one), Some(other)) = (read(one), read(other)) else { return false };
    if one == other {
        return true;
    }
    match (C::split(&one), C::split(&other)) {
        (Some(one), Some(other)) => {
            let mut others = Lookup::of(&other);
            one.len() == other.len() && one.iter().all(|entry| others.find(&entry.key).is_some())
        }
        _ => false,
    }
}

/// Finds entries by their names. Data may have as many as a client has sent, so none
/// is searched for among all; few, and those in order, are found without a map.
struct Lookup<'e, 'a> {
    entries: &'e [Entry<'a>],
    next: usize,
    by_name: Option<HashMap<&'e Name<'a>, &'a [u8]>>,
}

/// So many are searched through.
const FEW: usize = 16;

impl<'e, 'a> Lookup<'e, 'a> {
    const fn of(entries: &'e [Entry<'a>]) -> Self {
        Self { entries, next: 0, by_name: None }
    }

    /// The value of the first entry with this name.
    fn find(&mut self, name: &Name<'_>) -> Option<&'a [u8]> {
        if let Some(entry) = self.entries.get(self.next)
            && entry.key == *name
        {
            self.next += 1;
            return Some(entry.value);
        }
        if self.entries.len() <= FEW {
            let at = self.entries.iter().position(|entry| entry.key == *name)?;
            self.next = at + 1;
            return Some(self.entries[at].value);
        }
        let by_name = self.by_name.get_or_insert_with(|| {
            let mut by_name = HashMap::with_capacity(self.entries.len());
            for entry in self.entries {
                by_name.entry(&entry.key).or_insert(entry.value);
            }
            by_name
        });
        let by_name: &HashMap<_, _> = by_name;
        by_name.get(name).copied()
    }
}
