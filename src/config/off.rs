//! Stand-ins for methods whose feature is off.
//!
//! Its bound holds for no type, and the trait's message names the feature. Without it,
//! the compiler would say that there is no such method, or suggest another one.

#[cfg(not(feature = "messagepack"))]
mod data;
#[cfg(not(feature = "flask"))]
mod flask;
#[cfg(not(feature = "tower"))]
mod layer;
#[cfg(not(feature = "sweeper"))]
mod sweep_every;
