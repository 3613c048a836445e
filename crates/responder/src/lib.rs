#![doc = include_str!("../README.md")]

pub mod answer;
pub mod auth;
mod body;
mod domain;
mod endpoint;
mod linger;
pub mod oauth;
mod printable;
mod problem;
mod responder;
pub mod rules;
pub mod sample;
mod serve;
mod service;
pub mod signature;
mod trace;

pub use answer::{Answer, Cause, Delivery, LocationType, Patch};
pub use auth::Guard;
pub use endpoint::IntoAnswer;
/// The typed requests, as [`hookwright_contract::request`] defines them.
pub use hookwright_contract::request;
pub use hookwright_contract::request::{
    LegacyRequest, PasswordImportRequest, RegistrationRequest, SamlRequest, TelephonyRequest, TokenRequest,
    UserImportRequest,
};
/// Threads to serve in.
pub use hookwright_lanes::Lanes;
pub use oauth::{AccessTokens, BadKeyUrl, Claims, KeySource, TokenError};
pub use problem::Problem;
pub use responder::Responder;
pub use serve::{BoundResponder, ServeError};
pub use service::ResponderService;
pub use signature::{BadSecret, SignatureError, Signatures};
