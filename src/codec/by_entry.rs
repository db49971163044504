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
    C::encode(&data, &mut encoded).ok()?;
    let written = C::split(&encoded)?;
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
    let id = |name: &str| FieldId::of::<C::Data>(name, C::IS_HUMAN_READABLE);
    // A name that no field has.
    let none = id("\0");
    let field = |entry: &Entry<'_>| match &entry.key {
        Name::Text(name) => id(name).filter(|id| Some(*id) != none),
        Name::Other(_) => None,
    };
    entries.iter().map(field).collect()
}

/// [`Codec::retain`].
pub(super) fn retain<C: ByEntry>(
    base: Option<&[u8]>,
    mine: &[u8],
    stored: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), C::Error> {
    let kind = Kind::of::<C::Data>(C::IS_HUMAN_READABLE);
    if C::RESERVED.is_none() {
        // Where this program wrote the record, it knows all that is in it.
        let knows_all = base == Some(stored);
        let tells_nothing = kind == Kind::Map && base.is_none();
        if knows_all || tells_nothing || became_default::<C>(base, mine) {
            out.extend_from_slice(mine);
            return Ok(());
        }
        if kind == Kind::Whole {
            out.extend_from_slice(if base == Some(mine) { stored } else { mine });
            return Ok(());
        }
    }
    let parts = [base.map_or(Some(Vec::new()), C::split), C::split(mine), C::split(stored)];
    let [Some(before), Some(my), Some(stored)] = parts else {
        return C::no_map().map_or_else(
            || {
                out.extend_from_slice(mine);
                Ok(())
            },
            Err,
        );
    };
    let mut combined = combine::<C>(kind, &before, &my, &before, &stored, base == Some(mine));
    combined.write::<C>(kind, out);
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
    let mut known = Vec::with_capacity(theirs.len());
    C::encode(&decode::<C>(theirs)?, &mut known)?;

    let parts = [C::split(base), C::split(mine), C::split(&known), C::split(theirs)];
    let [Some(before), Some(my), Some(their_known), Some(their)] = parts else {
        return C::no_map().map_or_else(|| Ok(merge_whole(base, mine, theirs)), Err);
    };
    let mut combined = combine::<C>(kind, &before, &my, &their_known, &their, base == mine);
    if C::RESERVED.is_none() && became_default::<C>(Some(base), mine) {
        combined.forget_unknown();
    }
    let mut out = Vec::with_capacity(mine.len() + theirs.len());
    combined.write::<C>(kind, &mut out);
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

/// Every stored entry stays as it is, unless this program changed, removed or
/// renamed it; what it adds follows.
///
/// `known` is what this program sees in what is `stored`.
fn combine<'a, C: ByEntry>(
    kind: Kind,
    base: &[Entry<'a>],
    mine: &[Entry<'a>],
    known: &[Entry<'a>],
    stored: &[Entry<'a>],
    is_unchanged: bool,
) -> Combined<'a> {
    let is_reserved =
        |name: &Name<'_>| matches!(name, Name::Text(name) if Some(&**name) == C::RESERVED);
    // Data that are one value change as a whole.
    let is_whole = kind == Kind::Whole;
    let changed = |before: Option<&[u8]>, my: Option<&[u8]>| match is_whole {
        true => !is_unchanged,
        false => before != my,
    };
    let mut entries = Vec::with_capacity(stored.len().max(mine.len()));
    let mut unknown = Vec::new();

    let [mut before, mut my, mut seen] = [base, mine, known].map(Lookup::of);
    for entry in stored {
        if is_reserved(&entry.key) {
            entries.push(entry.clone());
            continue;
        }
        let (before, my) = (before.find(&entry.key), my.find(&entry.key));
        let is_known = before.is_some() || my.is_some() || seen.find(&entry.key).is_some();
        if !is_known {
            if !matches!(&entry.key, Name::Text(name) if kind.reads(name)) {
                unknown.push(entries.len());
                entries.push(entry.clone());
            }
        } else if !changed(before, my) {
            entries.push(entry.clone());
        } else if let Some(value) = my {
            entries.push(Entry { value, ..entry.clone() });
        }
    }

    let [mut before, mut my, mut seen] = [base, mine, known].map(Lookup::of);
    let mut there = Lookup::of(stored);
    let is_new = |entry: &&Entry<'a>, there: &mut Lookup<'_, 'a>| {
        !is_reserved(&entry.key) && there.find(&entry.key).is_none()
    };
    for entry in known.iter().filter(|entry| is_new(entry, &mut there)) {
        let (before, my) = (before.find(&entry.key), my.find(&entry.key));
        if !changed(before, my) {
            entries.push(entry.clone());
        } else if let Some(value) = my {
            entries.push(Entry { value, ..entry.clone() });
        }
    }
    let mut before = Lookup::of(base);
    for entry in mine.iter().filter(|entry| is_new(entry, &mut there)) {
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
