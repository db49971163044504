//! What a closure of `update` returns: [`Immediate`].

/// What the closure of [`Session::update`](crate::Session::update) returns: every type that
/// is [`Unpin`], which the futures of `async` code are not. A trait only for the sake of the
/// compiler's message.
///
/// A closure that returned a future would have changed nothing when `update` saves.
#[diagnostic::on_unimplemented(
    message = "the closure of `update` returns a future, and nothing would await it",
    label = "called with an async closure",
    note = "await before `update`, and use the result in the closure: `let price = price().await; session.update(|cart| cart.price = price).await?`"
)]
pub trait Immediate {}

#[diagnostic::do_not_recommend]
impl<T: Unpin> Immediate for T {}
