//! The three-way merge, on data that were cut into named fields.

use std::collections::HashMap;

/// A field of session data: its name and its value, each as encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// What tells it from the other fields.
    pub name: &'a [u8],
    /// What is compared and kept.
    pub value: &'a [u8],
}

/// The three-way merge of encoded data that have no fields: `mine`, unless it
/// changed nothing.
#[must_use]
pub fn merge_whole(base: &[u8], mine: &[u8], theirs: &[u8]) -> Vec<u8> {
    if mine == base { theirs.to_vec() } else { mine.to_vec() }
}

/// The three-way merge of data with fields, for a [`Codec`](super::Codec) of
/// your own: what `mine` changed since `base`, added or removed wins; all else
/// is as in `theirs`, in its order. Of several fields with one name, the first
/// counts.
///
/// With what is stored as `theirs` it also does what
/// [`Codec::retain`](super::Codec::retain) asks for: fields that this program does not
/// know, or did not change, stay as they are. A codec whose names can be aliases drops
/// those from `theirs` first.
#[must_use]
pub fn merge_fields<'a>(
    base: &[Field<'a>],
    mine: &[Field<'a>],
    theirs: &[Field<'a>],
) -> Vec<Field<'a>> {
    let [before, my, their] = [base, mine, theirs].map(by_name);
    let kept =
        theirs.iter().filter_map(|field| match (my.get(field.name), before.get(field.name)) {
            (Some(my), before) if before != Some(my) => Some(**my),
            (None, Some(_)) => None,
            _ => Some(*field),
        });
    let added = mine
        .iter()
        .copied()
        .filter(|field| !their.contains_key(field.name) && before.get(field.name) != Some(&field));
    kept.chain(added).collect()
}

/// Data may have as many fields as a client has sent, so none is searched for
/// among all.
fn by_name<'f, 'a>(fields: &'f [Field<'a>]) -> HashMap<&'a [u8], &'f Field<'a>> {
    let mut by_name = HashMap::with_capacity(fields.len());
    for field in fields {
        by_name.entry(field.name).or_insert(field);
    }
    by_name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<Field<'_>> {
        text.split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| Field { name: name.as_bytes(), value: value.as_bytes() })
            .collect()
    }

    #[track_caller]
    fn assert_merge(base: &str, mine: &str, theirs: &str, expected: &str) {
        assert_eq!(merge_fields(&fields(base), &fields(mine), &fields(theirs)), fields(expected));
    }

    #[test]
    fn what_only_the_other_request_changed_is_kept() {
        assert_merge("a=1 b=1", "a=1 b=1", "a=2 b=1 c=3", "a=2 b=1 c=3");
        assert_merge("a=1 b=1", "a=1 b=1", "b=1", "b=1");
    }

    #[test]
    fn what_this_request_changed_wins() {
        assert_merge("a=1 b=1", "a=2 b=1", "a=3 b=3", "a=2 b=3");
        assert_merge("a=1 b=1", "b=1", "a=3 b=3", "b=3");
        assert_merge("a=1", "a=2", "", "a=2");
        assert_merge("", "a=2", "a=1 b=1", "a=2 b=1");
    }

    #[test]
    fn both_requests_may_add_fields() {
        assert_merge("a=1", "a=1 m=1", "a=1 t=1", "a=1 t=1 m=1");
    }

    #[test]
    fn a_hundred_thousand_fields_are_merged_without_comparing_each_with_each() {
        let names: Vec<_> = (0..100_000_u32).map(u32::to_be_bytes).collect();
        let fields = |value| names.iter().map(|name| Field { name, value }).collect::<Vec<_>>();
        let (base, theirs) = (fields(b"1"), fields(b"2"));
        assert_eq!(merge_fields(&base, &base, &theirs), theirs);
    }

    #[test]
    fn data_without_fields_are_merged_as_a_whole() {
        assert_eq!(merge_whole(b"1", b"1", b"3"), b"3");
        assert_eq!(merge_whole(b"1", b"2", b"3"), b"2");
    }
}
