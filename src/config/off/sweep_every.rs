//! `Sessions::sweep_every` without the feature `sweeper`.

use crate::codec::Codec;
use crate::config::Sessions;
use crate::signer::Signer;
use crate::store::Store;
use crate::ttl::Ttl;

#[diagnostic::on_unimplemented(
    message = "`.sweep_every(...)` needs cloakroom's feature `sweeper`, which is off",
    label = "the sweeping task is not there",
    note = "add `sweeper` to cloakroom's `features` in Cargo.toml",
    note = "`.sweep().await` removes expired records once, without the feature"
)]
#[expect(unnameable_types, reason = "nothing implements it")]
pub trait Sweeping<T> {
    fn sweeper() -> T;
}

impl<S: Store, C: Codec, K: Signer> Sessions<S, C, K> {
    #[doc(hidden)]
    pub fn sweep_every<T>(&self, _: Ttl) -> T
    where
        S: Sweeping<T>,
    {
        S::sweeper()
    }
}
