//! The OAuth client that waits for the end of a flow, and what it asked for.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What the client sent when the flow began. Everything in it was checked then against the client's app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientBinding {
    /// How the client leads the person through the flow.
    pub face: ClientFace,
    /// The client.
    pub client_id: String,
    /// Where a code goes to.
    pub redirect_uri: String,
    /// The scopes, separated by blanks.
    pub scope: String,
    /// Given back with the code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<String>,
    /// Given back in the ID token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nonce: Option<String>,
    /// PKCE (RFC 7636): base64url of the SHA-256 of the verifier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code_challenge: Option<String>,
    /// How the answer of `authorize` travels: `query` or `fragment`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub response_mode: Option<String>,
}

/// A visitor of a client that proved itself with its secret: what it forwarded of them when the flow began. It counts for the whole
/// flow, in place of what the client's own requests say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// Where the visitor is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<IpAddr>,
    /// SHA-256 of the client's app and of what it calls the visitor's device, as hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub device_sha256: Option<String>,
}

impl Visitor {
    /// Whether nothing was forwarded.
    #[must_use]
    pub const fn is_nobody(&self) -> bool {
        self.address.is_none() && self.device_sha256.is_none()
    }
}

/// How a client leads a person through a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClientFace {
    /// By itself, over IDX (`interact`): it gets an interaction code.
    Interaction,
    /// By the hosted pages (`authorize`): it gets an authorization code at its redirect URI.
    Authorize,
}
