//! What session data in postcard need.

use postcard_schema::Schema;

use crate::codec::SessionData;

/// What [`Postcard`](super::Postcard) can keep in a session: [`SessionData`] with a
/// [`Schema`].
///
/// It is implemented for every type that has both; there is nothing to write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a session by `Postcard`",
    label = "this type lacks something that `Postcard` needs",
    note = "write `#[derive(Default, serde::Serialize, serde::Deserialize, postcard_schema::Schema)]` above `{Self}`, and `postcard-schema = {{ version = \"0.2\", features = [\"derive\"] }}` in Cargo.toml",
    note = "`MessagePack` needs no schema: call `.data::<{Self}>()`, and name `MessagePack<{Self}>` in the type of the session"
)]
pub trait PostcardData: SessionData + Schema {}

#[diagnostic::do_not_recommend]
impl<T: SessionData + Schema> PostcardData for T {}
