//! What the store keeps of a session: its encoded data, and what the record says
//! beside them.
//!
//! Which bytes that takes is a [`RecordFormat`], chosen by the codec: cloakroom's
//! own, or that of Flask-Session.

#[cfg(feature = "flask")]
mod flask;
mod format;
mod header;
mod native;

#[cfg(feature = "flask")]
pub use self::flask::FlaskRecord;
pub use self::format::RecordFormat;
pub(crate) use self::format::{Act, Contents, CookieEnds, Destination, Unreadable, sealed::Format};
pub(crate) use self::header::{Header, NOTE_TTL};
pub use self::native::NativeRecord;
