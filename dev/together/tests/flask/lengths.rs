//! Values whose lengths take four bytes in MessagePack.

use crate::site::{Place, Site};
use crate::values::survives;

pub(crate) async fn values_of_any_length_survive_a_change_here<P: Place>() {
    let site = Site::<P>::open().await;
    let [before, after] = [&b"\xa6visits\x01"[..], b"\xa6visits\x02"];
    survives(&site, "/set-large", &site.flask(), &site.rust().await, before, after).await;
}
