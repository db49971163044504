//! `name=id`: the text that the tag of a cookie covers, and whose digest is the key of the
//! record.

/// Room for the longest name, `=` and the longest id.
pub(crate) const MAX_PAIR: usize = 160;

/// Writes the pair into `buffer`; `None` where it has no room for it.
pub(crate) fn pair<'b>(buffer: &'b mut [u8; MAX_PAIR], name: &str, id: &[u8]) -> Option<&'b [u8]> {
    let (before, after) = buffer.split_at_mut_checked(name.len())?;
    let (equals, after) = after.split_first_mut()?;
    before.copy_from_slice(name.as_bytes());
    *equals = b'=';
    after.get_mut(..id.len())?.copy_from_slice(id);
    Some(&buffer[..name.len() + 1 + id.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pair_fits_and_one_that_is_longer_is_refused() {
        let (name, id) = (format!("__Secure-{}", "n".repeat(64)), [b'i'; 86]);
        let mut buffer = [0; MAX_PAIR];
        let expected = [name.as_bytes(), b"=", &id].concat();
        assert_eq!(pair(&mut buffer, &name, &id), Some(&*expected));

        assert_eq!(pair(&mut buffer, &name, &[b'i'; 87]), None);
        assert_eq!(pair(&mut buffer, &"n".repeat(MAX_PAIR), b""), None);
        assert_eq!(pair(&mut buffer, &"n".repeat(MAX_PAIR + 1), b""), None);
    }
}
