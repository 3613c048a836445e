//! The org under test and the world around it; never shipped.
//!
//! Tests start the real server on an ephemeral port, with a real database and real HTTP; only time and chance are ours.

pub mod canaries;
pub mod certificates;
mod client;
mod entropy;
pub mod external_service;
mod org;
pub mod postgres;
pub mod simulation;
pub mod soak;

pub use client::{Answer, Client, Request};
pub use entropy::{FixedClock, SeededEntropy};
pub use external_service::{ExternalService, Reply, SeenRequest};
pub use org::{Org, OrgOptions, TOKEN};
