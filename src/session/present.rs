//! A value that is there as long as its owner is used.

use std::ops::{Deref, DerefMut};

/// Holds a value until its owner gives it away for good.
pub(super) struct Present<T>(Option<T>);

impl<T> Present<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(Some(value))
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
