//! The contestants that run in this process.

pub mod actix;
pub mod axum_session;
pub mod bare;
pub mod by_hand;
pub mod cloakroom;
pub mod pavex;
pub mod reference;
pub mod routers;
pub mod tower_sessions;

use std::time::Duration;

pub const BARE: &str = "bare axum router";
pub const EMPTY_LAYER: &str = "empty tower layer";
pub const CLOAKROOM: &str = "cloakroom";
/// With its cache in front of Redis.
pub const NEAR_CACHE: &str = "cloakroom with NearCache";
pub const TOWER_SESSIONS: &str = "tower-sessions";
pub const AXUM_SESSION: &str = "axum_session";
pub const REFERENCE: &str = "hand-written reference";
pub const ACTIX_BARE: &str = "bare actix app";
pub const ACTIX_SESSION: &str = "actix-session";
pub const PAVEX_BARE: &str = "bare pavex handler";
pub const PAVEX_SESSION: &str = "pavex_session";

/// How long sessions live; one that is short lets them expire under measurement.
pub const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
