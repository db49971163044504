//! A value that is there, as long as anybody may ask for it.

use std::ops::{Deref, DerefMut};

/// Holds a value, unless its owner gave it away for good or has yet to get it.
pub(super) struct Present<T>(Option<T>);

impl<T> Present<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(super) const fn absent() -> Self {
        Self(None)
    }

    pub(super) fn set(&mut self, value: T) -> &mut T {
        self.0.insert(value)
    }

    pub(super) const fn take(&mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Deref for Present<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => unreachable!("{MISSED}"),
        }
    }
}

impl<T> DerefMut for Present<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Some(value) => value,
            None => unreachable!("{MISSED}"),
        }
    }
}

const MISSED: &str = "a session is asked only from when it was opened until it is closed";
