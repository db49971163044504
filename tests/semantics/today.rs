//! The acts as they are written today, under the names that they get.

use std::time::SystemTime;

use cloakroom::{Codec, Config, Keep, Session, SessionError, Signer};

pub(crate) trait Acts<S: Keep, C: Codec> {
    fn sign_in(&mut self);
    fn restart(&mut self);
    fn reload(&mut self) -> impl Future<Output = Result<(), SessionError<S, C>>>;
}

impl<S: Keep, C: Codec, K: Signer> Acts<S, C> for Session<S, C, K> {
    fn sign_in(&mut self) {
        self.rotate();
    }

    fn restart(&mut self) {
        **self = C::Data::default();
        self.rotate();
    }

    async fn reload(&mut self) -> Result<(), SessionError<S, C>> {
        self.update(|_| ()).await
    }
}

pub(crate) trait Settings {
    fn not_before(self, time: SystemTime) -> Self;
}

impl<S, C, K> Settings for Config<S, C, K> {
    fn not_before(self, _: SystemTime) -> Self {
        self
    }
}
