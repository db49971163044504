//! What several test programs share.

pub(crate) mod browser;
pub(crate) mod watched;
