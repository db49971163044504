//! One open session in one request: [`Session`].

mod address;
mod candidates;
mod changes;
mod cookies;
mod decide;
mod detached;
mod end;
#[cfg_attr(not(feature = "tower"), expect(dead_code, reason = "only a layer ends requests"))]
mod finish;
mod immediate;
mod lifetimes;
mod merge;
mod open;
mod present;
mod records;
mod request;
mod rotate;
mod save;
#[expect(clippy::module_inception, reason = "a type stands in the file of its name")]
mod session;
#[cfg_attr(not(feature = "tower"), expect(dead_code, reason = "only a layer makes slots"))]
mod slot;
mod state;
mod update;
mod write;

pub use self::detached::Detached;
#[cfg(feature = "tower")]
pub(crate) use self::finish::{End, Ended, is_failure};
pub use self::immediate::Immediate;
pub use self::request::HasSlot;
pub use self::session::{Session, SessionsOf};
#[cfg(feature = "tower")]
pub(crate) use self::slot::{Owner, Slot, Slots};
