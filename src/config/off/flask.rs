//! `Config::flask_session` without the feature `flask`.

use crate::config::Config;

#[diagnostic::on_unimplemented(
    message = "`Config::flask_session()` needs cloakroom's feature `flask`, which is off",
    label = "the configuration that Flask shares is not there",
    note = "add `flask` to cloakroom's `features` in Cargo.toml"
)]
#[expect(unnameable_types, reason = "nothing implements it")]
pub trait SharedWithFlask {
    type Config;
    fn config() -> Self::Config;
}

impl Config {
    #[doc(hidden)]
    pub fn flask_session() -> <Self as SharedWithFlask>::Config
    where
        // With a lifetime, the compiler leaves it to the caller whether it holds.
        for<'a> Self: SharedWithFlask,
    {
        Self::config()
    }
}
