//! The three-way merge, on data that were cut into named fields.

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
/// is as in `theirs`, in its order.
#[must_use]
pub fn merge_fields<'a>(
    base: &[Field<'a>],
    mine: &[Field<'a>],
    theirs: &[Field<'a>],
) -> Vec<Field<'a>> {
    let kept =
        theirs.iter().filter_map(|their| match (find(mine, their.name), find(base, their.name)) {
            (Some(my), before) if before != Some(my) => Some(my),
            (None, Some(_)) => None,
            _ => Some(*their),
        });
    let added = mine
        .iter()
        .copied()
        .filter(|my| find(theirs, my.name).is_none() && find(base, my.name) != Some(*my));
    kept.chain(added).collect()
}

fn find<'a>(fields: &[Field<'a>], name: &[u8]) -> Option<Field<'a>> {
    fields.iter().copied().find(|field| field.name == name)
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
    fn data_without_fields_are_merged_as_a_whole() {
        assert_eq!(merge_whole(b"1", b"1", b"3"), b"3");
        assert_eq!(merge_whole(b"1", b"2", b"3"), b"2");
    }
}
