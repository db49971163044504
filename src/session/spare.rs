//! Used boxes, kept for the next requests of this thread.
//!
//! They spare a request the allocation of its state and of the buffer in it.

use std::any::Any;
use std::cell::RefCell;

/// No larger box is kept, in bytes.
const LARGEST_KEPT: usize = 4_096;
/// As many as may be open at once on a thread, while their stores are waited for.
const MOST_KEPT: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// A box of this type that was put aside.
pub(super) fn take<T: 'static>() -> Option<Box<T>> {
    spare(|spare| {
        let last = spare.iter().rposition(|value| value.is::<T>())?;
        spare.swap_remove(last).downcast().ok()
    })?
}

/// Puts a box aside, whose value must be as good as new.
pub(super) fn put<T: 'static>(value: Box<T>) {
    if size_of::<T>() <= LARGEST_KEPT {
        spare(|spare| {
            // One of a type that is not asked for any more must give way some day.
            if spare.len() == MOST_KEPT {
                spare.swap_remove(0);
            }
            spare.push(value);
        });
    }
}

/// `None` only while the thread ends.
fn spare<T>(act: impl FnOnce(&mut Vec<Box<dyn Any>>) -> T) -> Option<T> {
    SPARE.try_with(|spare| spare.try_borrow_mut().ok().map(|mut spare| act(&mut spare))).ok()?
}
