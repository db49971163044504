//! `Sessions::layer` and `Config::layer` without the feature `tower`.

use crate::codec::Codec;
use crate::config::{ChosenStore, Config, Sessions};
use crate::signer::Signer;
use crate::store::Store;

#[diagnostic::on_unimplemented(
    message = "`.layer()` needs cloakroom's feature `tower`, which is off",
    label = "the layer is not there",
    note = "add `axum` to cloakroom's `features` in Cargo.toml, or `tower` for other services",
    note = "without a framework: `sessions.open(&request_headers)` and `session.close(&mut response_headers)`"
)]
#[expect(unnameable_types, reason = "nothing implements it")]
pub trait Tower<L> {
    fn new_layer() -> L;
}

impl<S: Store, C: Codec, K: Signer> Sessions<S, C, K> {
    #[doc(hidden)]
    pub fn layer<L>(&self) -> L
    where
        S: Tower<L>,
    {
        S::new_layer()
    }
}

impl<S, C, K> Config<S, C, K> {
    #[doc(hidden)]
    pub fn layer<L>(self) -> L
    where
        S: ChosenStore + Tower<L>,
        C: Codec,
        K: Signer,
    {
        S::new_layer()
    }
}
