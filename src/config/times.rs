//! Which configurations have settings that are about times: [`SaysTimes`].

use crate::codec::Codec;
use crate::record::NativeRecord;

/// A codec whose records say when a session was created and when it ends, and the
/// state of a [`Config`](super::Config) before one was chosen.
///
/// Records that are shared with Flask have no room for times, so settings that need
/// them do not compile there.
#[diagnostic::on_unimplemented(
    message = "this setting needs records that say when a session was created and when it ends",
    label = "the records of `{Self}` do not say it, or may not",
    note = "records that are shared with Flask have no room for times: leave the call out, or begin with `Config::new()` to keep these sessions for cloakroom alone",
    note = "in a generic function, write the bound: `C: Codec + SaysTimes`"
)]
pub trait SaysTimes {}

#[diagnostic::do_not_recommend]
impl<C: Codec<Record = NativeRecord>> SaysTimes for C {}
