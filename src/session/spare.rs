//! A used box, kept for the next request of this thread.
//!
//! It spares a request the allocation of its state and of the buffer in it. There is
//! one for all types of sessions: another type's takes its place.

use std::any::Any;
use std::cell::Cell;

thread_local! {
    static SPARE: Cell<Option<Box<dyn Any>>> = const { Cell::new(None) };
}

/// No larger box is kept, in bytes.
const LARGEST_KEPT: usize = 4_096;

/// The box that was put aside, if it is of this type.
pub(super) fn take<T: 'static>() -> Option<Box<T>> {
    SPARE.try_with(Cell::take).ok()??.downcast().ok()
}

/// Puts a box aside, whose value must be as good as new.
pub(super) fn put<T: 'static>(value: Box<T>) {
    if size_of::<T>() <= LARGEST_KEPT {
        // While the thread ends there is no place for it, and it is dropped.
        let _ = SPARE.try_with(|spare| spare.set(Some(value)));
    }
}
