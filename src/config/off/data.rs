//! `Config::data` without the feature of the default codec.

use crate::config::{Config, WantsData};

#[diagnostic::on_unimplemented(
    message = "`.data::<{Self}>()` needs cloakroom's feature `messagepack`, which is off",
    label = "the default codec is not there",
    note = "add `messagepack` to cloakroom's `features` in Cargo.toml",
    note = "or name another codec: `.codec(Json::<{Self}>::new())`, with the feature `json`"
)]
#[expect(unnameable_types, reason = "nothing implements it")]
pub trait DefaultCodec {
    type Config;
    fn config() -> Self::Config;
}

impl<S, K> Config<S, WantsData, K> {
    #[doc(hidden)]
    pub fn data<T: DefaultCodec>(self) -> T::Config {
        T::config()
    }
}
