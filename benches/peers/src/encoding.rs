//! What is written by hand keeps its sessions as cloakroom does by default: as
//! MessagePack with the names of the fields.

use crate::visitor::Visitor;

pub fn encode(visitor: &Visitor) -> Vec<u8> {
    // Almost always enough: numbers take up to nine bytes, most of them far less.
    let room = 64 + visitor.name.len() + 5 * visitor.recent.len();
    let mut bytes = Vec::with_capacity(room);
    rmp_serde::encode::write_named(&mut bytes, visitor).expect("it can be encoded");
    bytes
}

/// `None` for what is no session.
pub fn decode(bytes: &[u8]) -> Option<Visitor> {
    rmp_serde::from_slice(bytes).ok()
}
